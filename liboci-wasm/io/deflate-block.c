/* SPDX-License-Identifier: Apache-2.0
 *
 * libdeflate is three times as fast as zlib at the same ratio, but always ends its stream. So its
 * output is walked once, by zlib, to find the header of the last block, whose "final" bit is then
 * cleared; an empty stored block brings it to a byte boundary. Without libdeflate zlib does all
 * that itself.
 */
#include "io/deflate-block.h"

#include <string.h>
#include <zlib.h>
#if OCIWP_HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif

#define LEVEL 6
#define SCRATCH_SIZE ((size_t)64 << 10)
/* Header bits of an empty stored block, at most one byte, its length and the complement. */
#define SYNC_MAX 5

const uint8_t ociwp_deflate_end[OCIWP_DEFLATE_END_LEN] = {0x03, 0x00};

#if OCIWP_HAVE_LIBDEFLATE

struct ociwp_block_deflater {
	struct libdeflate_compressor *compressor;
	z_stream walker;
	uint8_t scratch[SCRATCH_SIZE]; /* where the walker's output goes: nobody looks at it */
};

int ociwp_block_deflater_new(ociwp_block_deflater **out, ociw_error **err)
{
	ociwp_block_deflater *deflater = ociwp_new(ociwp_block_deflater);
	if (!deflater)
		return ociwp_nomem(err);
	deflater->compressor = libdeflate_alloc_compressor(LEVEL);
	if (!deflater->compressor || inflateInit2(&deflater->walker, -MAX_WBITS) != Z_OK) {
		if (deflater->compressor)
			libdeflate_free_compressor(deflater->compressor);
		free(deflater);
		return ociwp_nomem(err);
	}
	*out = deflater;
	return 0;
}

void ociwp_block_deflater_free(ociwp_block_deflater *deflater)
{
	if (!deflater)
		return;
	libdeflate_free_compressor(deflater->compressor);
	inflateEnd(&deflater->walker);
	free(deflater);
}

size_t ociwp_deflate_block_bound(size_t len)
{
	return libdeflate_deflate_compress_bound(NULL, len) + SYNC_MAX;
}

/* Bit positions of the header of the last block and of the end of the stream. */
static int find_last_block(ociwp_block_deflater *deflater, uint8_t *data, size_t len,
                           size_t *header, size_t *end, ociw_error **err)
{
	z_stream *z = &deflater->walker;
	inflateReset(z);
	z->next_in = data;
	z->avail_in = (uInt)len;
	*header = 0;
	for (;;) {
		z->next_out = deflater->scratch;
		z->avail_out = SCRATCH_SIZE;
		int r = inflate(z, Z_BLOCK);
		size_t here = (len - z->avail_in) * 8 - (size_t)(z->data_type & 7);
		bool after_block = z->data_type & 128, last = z->data_type & 64;
		if (r == Z_STREAM_END || (r == Z_OK && after_block && last)) {
			*end = here;
			return 0;
		}
		if (r != Z_OK)
			return ociwp_fail(err, OCIW_ERR_IO,
			                  "zlib cannot read what libdeflate wrote");
		if (after_block)
			*header = here;
	}
}

ptrdiff_t ociwp_deflate_block(ociwp_block_deflater *deflater, const void *data, size_t len,
                              uint8_t *out, size_t room, ociw_error **err)
{
	static const uint8_t empty_stored[4] = {0x00, 0x00, 0xff, 0xff};
	size_t header = 0, end = 0;
	if (room < SYNC_MAX)
		return ociwp_fail(err, OCIW_ERR_IO, "no room for deflated data");
	size_t n =
	        libdeflate_deflate_compress(deflater->compressor, data, len, out, room - SYNC_MAX);
	if (n == 0)
		return ociwp_fail(err, OCIW_ERR_IO, "libdeflate needs more room than it said");
	int r = find_last_block(deflater, out, n, &header, &end, err);
	if (r < 0)
		return r;
	out[header / 8] &= (uint8_t) ~(1u << (header % 8));
	/* The three zero bits of the next header fit behind the end, or need a byte of their own.
	 */
	n = (end + 3 + 7) / 8;
	if (end % 8 == 0 || end % 8 > 5)
		out[n - 1] = 0;
	memcpy(out + n, empty_stored, sizeof(empty_stored));
	return (ptrdiff_t)(n + sizeof(empty_stored));
}

#else

struct ociwp_block_deflater {
	z_stream zlib;
};

int ociwp_block_deflater_new(ociwp_block_deflater **out, ociw_error **err)
{
	ociwp_block_deflater *deflater = ociwp_new(ociwp_block_deflater);
	if (!deflater)
		return ociwp_nomem(err);
	if (deflateInit2(&deflater->zlib, LEVEL, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) !=
	    Z_OK) {
		free(deflater);
		return ociwp_nomem(err);
	}
	*out = deflater;
	return 0;
}

void ociwp_block_deflater_free(ociwp_block_deflater *deflater)
{
	if (!deflater)
		return;
	deflateEnd(&deflater->zlib);
	free(deflater);
}

size_t ociwp_deflate_block_bound(size_t len)
{
	/* compressBound covers zlib's wrapper and no flush. */
	return compressBound((uLong)len) + 16 + SYNC_MAX;
}

ptrdiff_t ociwp_deflate_block(ociwp_block_deflater *deflater, const void *data, size_t len,
                              uint8_t *out, size_t room, ociw_error **err)
{
	z_stream *z = &deflater->zlib;
	deflateReset(z);
	z->next_in = (Bytef *)(uintptr_t)data;
	z->avail_in = (uInt)len;
	z->next_out = out;
	z->avail_out = (uInt)room;
	if (deflate(z, Z_SYNC_FLUSH) != Z_OK || z->avail_in > 0 || z->avail_out == 0)
		return ociwp_fail(err, OCIW_ERR_IO, "zlib needs more room than it said");
	return (ptrdiff_t)(room - z->avail_out);
}

#endif
