/* SPDX-License-Identifier: Apache-2.0
 *
 * Running digests on OpenSSL's EVP, and streams that hash what passes. openssl.cnf is never loaded: it
 * costs a millisecond at start, and settings of the machine must not change what a digest is.
 */
#include "io/stream.h"
#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

struct ociwp_hasher {
	EVP_MD_CTX *ctx;
	ociw_digest_algorithm algorithm;
};

static const EVP_MD *method_of(ociw_digest_algorithm algorithm)
{
	return algorithm == OCIW_DIGEST_SHA512 ? EVP_sha512() : EVP_sha256();
}

int ociwp_hasher_new(ociw_digest_algorithm algorithm, ociwp_hasher **out, ociw_error **err)
{
	*out = NULL;
	if (!ociwp_digest_size(algorithm))
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED, "digest algorithm cannot be verified");
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	ociwp_hasher *hasher = ociwp_new(ociwp_hasher);
	if (!hasher)
		return ociwp_nomem(err);
	hasher->algorithm = algorithm;
	hasher->ctx = EVP_MD_CTX_new();
	if (!hasher->ctx || EVP_DigestInit_ex(hasher->ctx, method_of(algorithm), NULL) != 1) {
		ociwp_hasher_free(hasher);
		return ociwp_nomem(err);
	}
	*out = hasher;
	return 0;
}

void ociwp_hasher_free(ociwp_hasher *hasher)
{
	if (!hasher)
		return;
	EVP_MD_CTX_free(hasher->ctx);
	free(hasher);
}

/* EVP's update, final and re-init of a plain hash fail only for programming errors; a digest that
 * could not be made stays "none", which equals nothing. */
void ociwp_hasher_update(ociwp_hasher *hasher, const void *data, size_t len)
{
	if (len)
		(void)EVP_DigestUpdate(hasher->ctx, data, len);
}

void ociwp_hasher_final(ociwp_hasher *hasher, ociw_digest *out)
{
	unsigned int len = 0;

	memset(out, 0, sizeof(*out));
	if (EVP_DigestFinal_ex(hasher->ctx, out->bytes, &len) == 1) {
		out->algorithm = (uint32_t)hasher->algorithm;
		out->len = len;
	}
}

void ociwp_hasher_reset(ociwp_hasher *hasher)
{
	/* NULL: the same again. Naming it would have OpenSSL look it up each time, under a lock. */
	(void)EVP_DigestInit_ex(hasher->ctx, NULL, NULL);
}

int ociw_digest_bytes(ociw_digest_algorithm algorithm, ociw_span bytes, ociw_digest *out,
		      ociw_error **err)
{
	OCIWP_AUTO(hasher) ociwp_hasher *hasher = NULL;
	int r = ociwp_hasher_new(algorithm, &hasher, err);

	if (r < 0)
		return r;
	ociwp_hasher_update(hasher, bytes.data, bytes.len);
	ociwp_hasher_final(hasher, out);
	return 0;
}

typedef struct hash_stream {
	ociw_reader *reader; /* one of the two */
	ociw_writer *writer;
	ociwp_hasher *hasher;
	ociw_digest *digest;
	uint64_t *size;
	uint64_t count;
} hash_stream;

static void hash_stream_publish(hash_stream *s)
{
	if (s->digest)
		ociwp_hasher_final(s->hasher, s->digest);
	if (s->size)
		*s->size = s->count;
}

static void hash_stream_free(hash_stream *s)
{
	ociwp_hasher_free(s->hasher);
	free(s);
}

static int hash_stream_new(ociw_digest_algorithm algorithm, hash_stream **out, ociw_error **err)
{
	hash_stream *s = ociwp_new(hash_stream);

	*out = NULL;
	if (!s)
		return ociwp_nomem(err);
	int r = ociwp_hasher_new(algorithm, &s->hasher, err);
	if (r < 0) {
		free(s);
		return r;
	}
	*out = s;
	return 0;
}

static ptrdiff_t hash_read(void *self, void *buf, size_t len, ociw_error **err)
{
	hash_stream *s = self;
	ptrdiff_t n = ociw_reader_read(s->reader, buf, len, err);

	if (n > 0) {
		ociwp_hasher_update(s->hasher, buf, (size_t)n);
		s->count += (uint64_t)n;
	} else if (n == 0) {
		hash_stream_publish(s);
	}
	return n;
}

static int hash_reader_close(void *self, ociw_error **err)
{
	hash_stream *s = self;
	int r = ociw_reader_close(s->reader, err);

	hash_stream_free(s);
	return r;
}

int ociwp_reader_hash(ociw_reader *take_inner, ociw_digest_algorithm algorithm, ociw_digest *digest,
		      uint64_t *size, ociw_reader **out, ociw_error **err)
{
	static const ociw_reader_ops ops = {sizeof(ops), hash_read, hash_reader_close};
	OCIWP_AUTO(reader) ociw_reader *inner = take_inner;
	hash_stream *s;

	*out = NULL;
	int r = hash_stream_new(algorithm, &s, err);
	if (r < 0)
		return r;
	s->reader = ociwp_steal(&inner);
	s->digest = digest;
	s->size = size;
	return ociw_reader_new(&ops, s, out, err);
}

static int hash_write(void *self, const void *buf, size_t len, ociw_error **err)
{
	hash_stream *s = self;
	int r = ociw_writer_write(s->writer, buf, len, err);

	if (r < 0)
		return r;
	ociwp_hasher_update(s->hasher, buf, len);
	s->count += len;
	return 0;
}

static int hash_commit(void *self, ociw_error **err)
{
	hash_stream *s = self;
	int r = ociw_writer_commit(s->writer, err);

	if (r >= 0)
		hash_stream_publish(s);
	hash_stream_free(s);
	return r;
}

static void hash_abort(void *self)
{
	hash_stream *s = self;

	ociw_writer_abort(s->writer);
	hash_stream_free(s);
}

int ociwp_writer_hash(ociw_writer *take_inner, ociw_digest_algorithm algorithm, ociw_digest *digest,
		      uint64_t *size, ociw_writer **out, ociw_error **err)
{
	static const ociw_writer_ops ops = {sizeof(ops), hash_write, hash_commit, hash_abort};
	OCIWP_AUTO(writer) ociw_writer *inner = take_inner;
	hash_stream *s;

	*out = NULL;
	int r = hash_stream_new(algorithm, &s, err);
	if (r < 0)
		return r;
	s->writer = ociwp_steal(&inner);
	s->digest = digest;
	s->size = size;
	return ociw_writer_new(&ops, s, out, err);
}
