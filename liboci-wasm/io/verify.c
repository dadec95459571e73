/* SPDX-License-Identifier: Apache-2.0
 *
 * The verifying reader: its end is a promise that size and digest were right (DIG-6). Size is checked
 * before bytes are hashed, and not one byte past it is given out. A caller who stops early gets an
 * error from close, not a pass.
 */
#include "io/stream.h"

#include <string.h>

typedef struct verify_reader {
	ociw_reader *inner;
	ociwp_hasher *hasher;
	ociw_digest expected;
	uint64_t size, left;
	bool verified;
} verify_reader;

static int verify_end(verify_reader *v, ociw_error **err)
{
	char want[OCIW_DIGEST_TEXT_MAX], got[OCIW_DIGEST_TEXT_MAX];
	ociw_digest digest;

	if (v->verified)
		return 0;
	ociwp_hasher_final(v->hasher, &digest);
	if (!ociw_digest_equal(&digest, &v->expected))
		return ociwp_fail(err, OCIW_ERR_DIGEST, "digest is %s, expected %s",
				  ociw_digest_format(&digest, got),
				  ociw_digest_format(&v->expected, want));
	v->verified = true;
	return 0;
}

static ptrdiff_t verify_read(void *self, void *buf, size_t len, ociw_error **err)
{
	verify_reader *v = self;
	char probe;

	if (v->left) {
		size_t want = v->left < len ? (size_t)v->left : len;
		ptrdiff_t n = ociw_reader_read(v->inner, buf, want, err);
		if (n < 0)
			return n;
		if (n == 0)
			return ociwp_fail(err, OCIW_ERR_SIZE, "%llu bytes, expected %llu",
					  (unsigned long long)(v->size - v->left),
					  (unsigned long long)v->size);
		ociwp_hasher_update(v->hasher, buf, (size_t)n);
		v->left -= (uint64_t)n;
		return n;
	}
	if (v->verified)
		return 0;
	ptrdiff_t n = ociw_reader_read(v->inner, &probe, 1, err);
	if (n < 0)
		return n;
	if (n > 0)
		return ociwp_fail(err, OCIW_ERR_SIZE, "more than the expected %llu bytes",
				  (unsigned long long)v->size);
	return verify_end(v, err);
}

static int verify_close(void *self, ociw_error **err)
{
	verify_reader *v = self;
	int r = 0;

	if (!v->verified)
		r = ociwp_fail(err, OCIW_ERR_SIZE,
			       "closed after %llu of %llu bytes, before the digest was checked",
			       (unsigned long long)(v->size - v->left),
			       (unsigned long long)v->size);
	int inner = ociw_reader_close(v->inner, r < 0 ? NULL : err);
	ociwp_hasher_free(v->hasher);
	free(v);
	return r < 0 ? r : inner;
}

int ociwp_reader_verify(ociw_reader *take_inner, const ociw_digest *digest, uint64_t size,
			ociw_reader **out, ociw_error **err)
{
	static const ociw_reader_ops ops = {sizeof(ops), verify_read, verify_close};
	OCIWP_AUTO(reader) ociw_reader *inner = take_inner;
	OCIWP_AUTO(hasher) ociwp_hasher *hasher = NULL;

	*out = NULL;
	int r = ociwp_hasher_new((ociw_digest_algorithm)digest->algorithm, &hasher, err);
	if (r < 0)
		return r;
	verify_reader *v = ociwp_new(verify_reader);
	if (!v)
		return ociwp_nomem(err);
	v->inner = ociwp_steal(&inner);
	v->hasher = ociwp_steal(&hasher);
	v->expected = *digest;
	v->size = v->left = size;
	return ociw_reader_new(&ops, v, out, err);
}
