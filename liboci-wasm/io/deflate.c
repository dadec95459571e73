/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing gzip: always one member with the same header (LYR-4), as Spin's readers stop after the
 * first member. Whole buffers by libdeflate, streams by zlib; each is deterministic for a build.
 */
#include "base/buf.h"
#include "io/compress.h"
#include "io/raw-inflate.h"

#include <string.h>
#include <zlib.h>
#if OCIWP_HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif

#define LEVEL 6
#define BYTES_MAX ((size_t)64 << 20)
#define HEADER_SIZE 10
#define TRAILER_SIZE 8

/* RFC 1952, 2.3: deflate, no flags, no time, no extra flags, unknown system. */
static const uint8_t header[HEADER_SIZE] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};

static void put_trailer(uint8_t out[TRAILER_SIZE], uint32_t crc, uint32_t length)
{
	for (int i = 0; i < 4; i++) {
		out[i] = (uint8_t)(crc >> (8 * i));
		out[4 + i] = (uint8_t)(length >> (8 * i));
	}
}

/* Raw deflate of all of @p data into at most @p room bytes: the number written, or a code. */
#if OCIWP_HAVE_LIBDEFLATE
static size_t deflate_bound_of(size_t len)
{
	/* With NULL: the bound for any compressor. */
	return libdeflate_deflate_compress_bound(NULL, len);
}

static ptrdiff_t deflate_whole(const void *data, size_t len, uint8_t *out, size_t room,
                               ociw_error **err)
{
	struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(LEVEL);
	if (!compressor)
		return ociwp_nomem(err);
	size_t n = libdeflate_deflate_compress(compressor, data, len, out, room);
	libdeflate_free_compressor(compressor);
	if (n == 0)
		return ociwp_fail(err, OCIW_ERR_IO, "libdeflate needs more room than it said");
	return (ptrdiff_t)n;
}
#else
static size_t deflate_bound_of(size_t len)
{
	/* compressBound covers zlib's wrapper, which is more than raw deflate has. */
	return compressBound((uLong)len) + 16;
}

static ptrdiff_t deflate_whole(const void *data, size_t len, uint8_t *out, size_t room,
                               ociw_error **err)
{
	z_stream z = {0};
	if (deflateInit2(&z, LEVEL, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return ociwp_nomem(err);
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)len;
	z.next_out = out;
	z.avail_out = (uInt)room;
	int r = deflate(&z, Z_FINISH);
	size_t n = room - z.avail_out;
	deflateEnd(&z);
	if (r != Z_STREAM_END)
		return ociwp_fail(err, OCIW_ERR_IO, "zlib needs more room than it said");
	return (ptrdiff_t)n;
}
#endif

int ociwp_gzip_bytes(const void *data, size_t len, struct ociwp_buf *out, ociw_error **err)
{
	if (len > BYTES_MAX)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "%zu bytes are too many to gzip at once",
		                  len);
	size_t room = deflate_bound_of(len);
	if (!ociwp_buf_reserve(out, HEADER_SIZE + room + TRAILER_SIZE))
		return ociwp_nomem(err);
	uint8_t *at = (uint8_t *)out->data + out->len;
	/* Compressors do not take NULL for "nothing". */
	ptrdiff_t n = deflate_whole(len ? data : "", len, at + HEADER_SIZE, room, err);
	if (n < 0)
		return (int)n;
	memcpy(at, header, HEADER_SIZE);
	put_trailer(at + HEADER_SIZE + n, ociwp_crc32(0, data, len), (uint32_t)len);
	out->len += HEADER_SIZE + (size_t)n + TRAILER_SIZE;
	out->data[out->len] = '\0';
	return 0;
}
