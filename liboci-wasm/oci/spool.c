/* SPDX-License-Identifier: Apache-2.0
 *
 * Blobs of unknown length: read, hashed and kept in one go, given as often as wanted.
 */
#include "oci/spool.h"

#include "base/str.h"
#include "io/tmpblob.h"
#include "oci/descriptor.h"

#include <errno.h>
#include <unistd.h>

#define STEP (64 * 1024)

void ociwp_spool_free(ociwp_spool *spool)
{
	if (!spool)
		return;
	(void)ociw_reader_close(spool->input, NULL);
	ociwp_hasher_free(spool->hasher);
	free(spool->media_type);
	ociw_descriptor_free(spool->desc);
	if (spool->fd >= 0)
		close(spool->fd);
	free(spool);
}

int ociwp_spool_open(ociw_reader *take_input, const char *media_type, const ociw_op *op,
                     ociwp_spool **out, ociw_error **err)
{
	OCIWP_AUTO(reader) ociw_reader *input = take_input;
	OCIWP_AUTO(spool) ociwp_spool *spool = ociwp_new(ociwp_spool);
	ociw_limits limits;

	*out = NULL;
	if (!spool)
		return ociwp_nomem(err);
	spool->fd = -1;
	spool->media_type = ociwp_strdup(media_type);
	if (!spool->media_type)
		return ociwp_nomem(err);
	ociwp_limits_get(op, &limits);
	int r = ociwp_reader_limit(ociwp_steal(&input), limits.max_blob_bytes, "the blob",
	                           &spool->input, err);
	if (r >= 0)
		r = ociwp_hasher_new(OCIW_DIGEST_SHA256, &spool->hasher, err);
	if (r >= 0)
		r = ociwp_tmpblob_open(NULL, &spool->fd, err);
	if (r >= 0)
		*out = ociwp_steal(&spool);
	return r < 0 ? r : 0;
}

/* The input has ended: what came is the blob, unless the input itself says that it is not. */
static int end_input(ociwp_spool *spool, ociw_error **err)
{
	char text[OCIW_DIGEST_TEXT_MAX];
	ociw_digest digest;
	int r = ociw_reader_close(ociwp_steal(&spool->input), err);

	if (r < 0)
		return r;
	ociwp_hasher_final(spool->hasher, &digest);
	return ociw_descriptor_new(spool->media_type, ociw_digest_format(&digest, text),
	                           spool->size, &spool->desc, err);
}

/* The next bytes of the input, kept. */
static ptrdiff_t take_in(ociwp_spool *spool, void *buf, size_t len, ociw_error **err)
{
	if (spool->desc)
		return 0;
	if (!spool->input)
		return ociwp_fail(err, OCIW_ERR_INVALID, "the input failed before");
	ptrdiff_t n = ociw_reader_read(spool->input, buf, len, err);
	if (n < 0)
		return n;
	if (n == 0)
		return end_input(spool, err);
	int errnum = ociwp_pwrite_full(spool->fd, buf, (size_t)n, spool->size);
	if (errnum) {
		/* These bytes are lost: what would come next is not what follows. */
		ociwp_discard_reader(ociwp_steal(&spool->input));
		return ociwp_fail_errno(err, errnum, "write to a temporary file");
	}
	ociwp_hasher_update(spool->hasher, buf, (size_t)n);
	spool->size += (uint64_t)n;
	return n;
}

int ociwp_spool_fill(ociwp_spool *spool, uint64_t size, const ociw_op *op, ociw_error **err)
{
	OCIWP_AUTO(mem) char *buf = ociwp_malloc(STEP);

	if (!buf)
		return ociwp_nomem(err);
	while (!spool->desc && spool->size < size) {
		size_t want = size - spool->size < STEP ? (size_t)(size - spool->size) : STEP;
		int r = ociwp_check_cancel(op, err);
		if (r < 0)
			return r;
		ptrdiff_t n = take_in(spool, buf, want, err);
		if (n < 0)
			return (int)n;
	}
	return 0;
}

int ociwp_spool_finish(ociwp_spool *spool, const ociw_op *op, const ociw_descriptor **out,
                       ociw_error **err)
{
	int r = ociwp_spool_fill(spool, UINT64_MAX, op, err);

	*out = spool->desc;
	return r;
}

/* ---- the source ---- */

typedef struct spool_reader {
	ociwp_spool *spool;
	uint64_t at;
} spool_reader;

static ptrdiff_t spool_read(void *self, void *buf, size_t len, ociw_error **err)
{
	spool_reader *s = self;
	uint64_t kept = s->spool->size - s->at;
	ptrdiff_t n;

	if (kept == 0) {
		n = take_in(s->spool, buf, len, err);
	} else {
		do {
			n = pread(s->spool->fd, buf, kept < len ? (size_t)kept : len, (off_t)s->at);
		} while (n < 0 && errno == EINTR);
		if (n < 0)
			return ociwp_fail_errno(err, errno, "read from a temporary file");
		if (n == 0)
			return ociwp_fail(err, OCIW_ERR_SIZE,
			                  "the temporary file ends %llu bytes early",
			                  (unsigned long long)kept);
	}
	if (n > 0)
		s->at += (uint64_t)n;
	return n;
}

static int spool_reader_close(void *self, ociw_error **err)
{
	(void)err;
	free(self);
	return 0;
}

static int open_source(void *self, uint64_t offset, const ociw_op *op, ociw_reader **out,
                       ociw_error **err)
{
	static const ociw_reader_ops ops = {sizeof(ops), spool_read, spool_reader_close};
	ociwp_spool *spool = self;

	(void)op;
	*out = NULL;
	if (offset > spool->size)
		return ociwp_fail(err, OCIW_ERR_INVALID, "offset is past the end");
	spool_reader *s = ociwp_new(spool_reader);
	if (!s)
		return ociwp_nomem(err);
	*s = (spool_reader){spool, offset};
	return ociw_reader_new(&ops, s, out, err);
}

ociwp_blob_source ociwp_spool_source(ociwp_spool *spool)
{
	return (ociwp_blob_source){open_source, spool};
}
