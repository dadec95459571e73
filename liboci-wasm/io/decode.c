/* SPDX-License-Identifier: Apache-2.0
 *
 * Choosing a decoder by the first bytes (LYR-2), and the limits that all decoders keep
 * (extraction.md R1). One level only: what comes out is never looked at again (F6).
 */
#include "io/decode-guard.h"

#include <inttypes.h>
#include <string.h>

void ociwp_decode_guard_init(ociwp_decode_guard *guard, const ociwp_decode_options *options)
{
	*guard = (ociwp_decode_guard){.max_ratio = OCIWP_DECODE_RATIO_DEFAULT,
	                              .max_bytes = UINT64_MAX};
	if (options && options->max_ratio)
		guard->max_ratio = options->max_ratio;
	if (options && options->max_bytes)
		guard->max_bytes = options->max_bytes;
}

int ociwp_decode_guard_count(ociwp_decode_guard *guard, size_t produced, ociw_error **err)
{
	uint64_t total;
	if (!ociwp_add_ok(guard->total_out, (uint64_t)produced, &total) || total > guard->max_bytes)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "more than %" PRIu64 " decoded bytes",
		                  guard->max_bytes);
	/* Divided, not multiplied: nothing can overflow. */
	if (total > OCIWP_DECODE_RATIO_FROM && total / guard->max_ratio > guard->total_in)
		return ociwp_fail(err, OCIW_ERR_LIMIT,
		                  "%" PRIu64 " compressed bytes became %" PRIu64
		                  ", more than %" PRIu64 " : 1",
		                  guard->total_in, total, guard->max_ratio);
	guard->total_out = total;
	return 0;
}

ociwp_compression ociwp_compression_sniff(const void *head, size_t len)
{
	const uint8_t *b = head;
	if (len >= 2 && b[0] == 0x1f && b[1] == 0x8b)
		return OCIWP_COMPRESSION_GZIP;
	if (len >= 4 && b[0] == 0x28 && b[1] == 0xb5 && b[2] == 0x2f && b[3] == 0xfd)
		return OCIWP_COMPRESSION_ZSTD;
	/* A zstd stream may begin with a skippable frame (RFC 8878, 3.1.2). */
	if (len >= 4 && (b[0] & 0xf0) == 0x50 && b[1] == 0x2a && b[2] == 0x4d && b[3] == 0x18)
		return OCIWP_COMPRESSION_ZSTD;
	return OCIWP_COMPRESSION_NONE;
}

/* Gives the sniffed bytes again, then the rest. */
struct prefixed {
	ociw_reader *inner;
	uint8_t head[4];
	size_t pos, len;
	ociwp_decode_guard guard; /* for streams that are not compressed */
};

static ptrdiff_t prefixed_read(void *self, void *buf, size_t len, ociw_error **err)
{
	struct prefixed *p = self;
	ptrdiff_t n;
	if (p->pos < p->len) {
		size_t left = p->len - p->pos;
		n = (ptrdiff_t)(left < len ? left : len);
		memcpy(buf, p->head + p->pos, (size_t)n);
		p->pos += (size_t)n;
	} else {
		n = ociw_reader_read(p->inner, buf, len, err);
	}
	if (n <= 0)
		return n;
	p->guard.total_in += (uint64_t)n;
	int r = ociwp_decode_guard_count(&p->guard, (size_t)n, err);
	return r < 0 ? r : n;
}

static int prefixed_close(void *self, ociw_error **err)
{
	struct prefixed *p = self;
	int r = ociw_reader_close(p->inner, err);
	free(p);
	return r;
}

static const ociw_reader_ops prefixed_ops = {sizeof(ociw_reader_ops), prefixed_read,
                                             prefixed_close};

int ociwp_reader_decode(ociw_reader *take_inner, const ociwp_decode_options *options,
                        ociwp_compression *found, ociw_reader **out, ociw_error **err)
{
	OCIWP_AUTO(reader) ociw_reader *inner = take_inner;
	struct prefixed *p = ociwp_new(struct prefixed);
	if (!p)
		return ociwp_nomem(err);
	ptrdiff_t n = ociwp_read_full(inner, p->head, sizeof(p->head), err);
	if (n < 0) {
		free(p);
		return (int)n;
	}
	p->len = (size_t)n;
	p->inner = ociwp_steal(&inner);
	*found = ociwp_compression_sniff(p->head, p->len);
	ociwp_decode_guard_init(&p->guard, *found == OCIWP_COMPRESSION_NONE ? options : NULL);

	ociw_reader *joined = NULL;
	int r = ociw_reader_new(&prefixed_ops, p, &joined, err);
	if (r < 0)
		return r;
	switch (*found) {
	case OCIWP_COMPRESSION_GZIP:
		return ociwp_reader_gunzip(joined, options, out, err);
	case OCIWP_COMPRESSION_ZSTD:
		return ociwp_reader_unzstd(joined, options, out, err);
	case OCIWP_COMPRESSION_NONE:
		break;
	}
	*out = joined;
	return 0;
}
