/* SPDX-License-Identifier: Apache-2.0
 *
 * libdeflate is three times as fast as zlib at the same ratio, but always ends its stream. Where the
 * stream goes on its output is scanned for the header of the last block, whose "final" bit is then
 * cleared; an empty stored block brings it to a byte boundary. Without libdeflate zlib does that itself.
 *
 * Bytes that no compressor makes smaller (images, fonts, archives) are found by their histogram and
 * stored: libdeflate would spend more time on them than on text.
 */
#include "io/deflate-block.h"

#include <string.h>
#include <zlib.h>
#if OCIWP_HAVE_LIBDEFLATE
#include "io/deflate-scan.h"
#include <libdeflate.h>
#endif

/* Parts of the format promise, as are the level and the engine: others give other blobs. */
#define CHUNK ((size_t)8 << 10)  /* what is judged at once */
#define GLANCE ((size_t)1 << 10) /* what mostly suffices to know that it is no noise */
#define STORED_MAX 0xffffu
#define STORED_HEADER 5
/* Header bits of an empty stored block, at most one byte, its length and the complement. */
#define SYNC_MAX 5
/* Beyond the bound of one engine's call, for every call that chunks can cause: its own constant
 * part, the sync, and what the scanner reads behind the end. */
#define CALL_MAX 48

/* Deflates what is to be deflated; @p last: of the stream. */
static ptrdiff_t deflate_run(ociwp_block_deflater *deflater, const uint8_t *data, size_t len, bool last,
                             uint8_t *out, size_t room, ociw_error **err);
static size_t engine_bound(size_t len);

/* --- what is not worth compressing --- */

/* Are all byte values about as frequent as in noise? The chi-squared of noise is 255 +- 23 whatever
 * the length; text has many times the length, machine code about the length. At a quarter of the
 * length a perfect entropy coder saves 2 %. Far below 255 is no noise but a table. */
static uint32_t chi_squared(const uint8_t *data, size_t len)
{
	uint16_t counts[4][256] = {{0}}; /* no more than CHUNK each, and the squares less than 2^32 */
	uint32_t squares = 0;
	for (size_t i = 0; i < len; i += 4)
		for (size_t j = 0; j < 4; j++)
			counts[j][data[i + j]]++;
	for (size_t i = 0; i < 256; i++) {
		uint32_t n = (uint32_t)counts[0][i] + counts[1][i] + counts[2][i] + counts[3][i];
		squares += n * n;
	}
	return (uint32_t)((uint64_t)squares * 256 / len - len);
}

static bool is_dense(const uint8_t *data, size_t len)
{
	if (len != CHUNK || chi_squared(data, GLANCE) > GLANCE)
		return false;
	uint32_t chi = chi_squared(data, len);
	return chi > 128 && chi < len / 4;
}

/* Length of the chunks at the front of @p data that are alike. */
static size_t find_run(const uint8_t *data, size_t len, bool *dense)
{
	size_t at = 0;
	do {
		size_t step = len - at < CHUNK ? len - at : CHUNK;
		bool this_one = is_dense(data + at, step);
		if (at == 0)
			*dense = this_one;
		else if (this_one != *dense)
			break;
		at += step;
	} while (at < len);
	return at;
}

/* Stored blocks, from one byte boundary to another. */
static ptrdiff_t store_run(const uint8_t *data, size_t len, bool last, uint8_t *out, size_t room,
                           ociw_error **err)
{
	size_t done = 0;
	while (len > 0) {
		size_t step = len < STORED_MAX ? len : STORED_MAX;
		if (room - done < step + STORED_HEADER)
			return ociwp_fail(err, OCIW_ERR_IO, "no room for stored data");
		uint8_t *at = out + done;
		at[0] = last && step == len;
		at[1] = (uint8_t)step;
		at[2] = (uint8_t)(step >> 8);
		at[3] = (uint8_t)~at[1];
		at[4] = (uint8_t)~at[2];
		memcpy(at + STORED_HEADER, data, step);
		data += step;
		len -= step;
		done += step + STORED_HEADER;
	}
	return (ptrdiff_t)done;
}

size_t ociwp_deflate_block_bound(size_t len)
{
	return engine_bound(len) + (len / CHUNK + 1) * CALL_MAX;
}

/* An empty final block (RFC 1951, 3.2.6). */
static ptrdiff_t put_nothing(uint8_t *out, size_t room, ociw_error **err)
{
	if (room < 2)
		return ociwp_fail(err, OCIW_ERR_IO, "no room for the end of deflated data");
	out[0] = 0x03;
	out[1] = 0x00;
	return 2;
}

ptrdiff_t ociwp_deflate_block(ociwp_block_deflater *deflater, const void *data, size_t len, bool last,
                              uint8_t *out, size_t room, ociw_error **err)
{
	const uint8_t *bytes = data;
	size_t done = 0;
	if (len == 0)
		return last ? put_nothing(out, room, err) : 0;
	while (len > 0) {
		bool dense = false;
		size_t run = find_run(bytes, len, &dense);
		bool ends = last && run == len;
		ptrdiff_t n = dense ? store_run(bytes, run, ends, out + done, room - done, err)
		                    : deflate_run(deflater, bytes, run, ends, out + done, room - done, err);
		if (n < 0)
			return n;
		done += (size_t)n;
		bytes += run;
		len -= run;
	}
	return (ptrdiff_t)done;
}

/* --- the engines --- */

#if OCIWP_HAVE_LIBDEFLATE

#define LEVEL 1

struct ociwp_block_deflater {
	struct libdeflate_compressor *compressor;
	ociwp_deflate_scanner scanner;
};

int ociwp_block_deflater_new(ociwp_block_deflater **out, ociw_error **err)
{
	ociwp_block_deflater *deflater = ociwp_new(ociwp_block_deflater);
	if (!deflater)
		return ociwp_nomem(err);
	deflater->compressor = libdeflate_alloc_compressor(LEVEL);
	if (!deflater->compressor) {
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
	free(deflater);
}

static size_t engine_bound(size_t len)
{
	return libdeflate_deflate_compress_bound(NULL, len);
}

static ptrdiff_t deflate_run(ociwp_block_deflater *deflater, const uint8_t *data, size_t len, bool last,
                             uint8_t *out, size_t room, ociw_error **err)
{
	static const uint8_t empty_stored[4] = {0x00, 0x00, 0xff, 0xff};
	size_t header = 0, end = 0;
	if (room < SYNC_MAX + OCIWP_SCAN_PAD)
		return ociwp_fail(err, OCIW_ERR_IO, "no room for deflated data");
	size_t n = libdeflate_deflate_compress(deflater->compressor, data, len, out,
	                                       room - SYNC_MAX - OCIWP_SCAN_PAD);
	if (n == 0)
		return ociwp_fail(err, OCIW_ERR_IO, "libdeflate needs more room than it said");
	if (last)
		return (ptrdiff_t)n;
	memset(out + n, 0, OCIWP_SCAN_PAD);
	if (!ociwp_deflate_scan(&deflater->scanner, out, n, &header, &end))
		return ociwp_fail(err, OCIW_ERR_IO, "cannot read what libdeflate wrote");
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

#define LEVEL 6

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

static size_t engine_bound(size_t len)
{
	/* compressBound covers zlib's wrapper and no flush. */
	return compressBound((uLong)len) + 16 + SYNC_MAX;
}

static ptrdiff_t deflate_run(ociwp_block_deflater *deflater, const uint8_t *data, size_t len, bool last,
                             uint8_t *out, size_t room, ociw_error **err)
{
	z_stream *z = &deflater->zlib;
	deflateReset(z);
	z->next_in = (Bytef *)(uintptr_t)data;
	z->avail_in = (uInt)len;
	z->next_out = out;
	z->avail_out = (uInt)room;
	int r = deflate(z, last ? Z_FINISH : Z_SYNC_FLUSH);
	if (r != (last ? Z_STREAM_END : Z_OK) || z->avail_in > 0 || (!last && z->avail_out == 0))
		return ociwp_fail(err, OCIW_ERR_IO, "zlib needs more room than it said");
	return (ptrdiff_t)(room - z->avail_out);
}

#endif
