/* SPDX-License-Identifier: Apache-2.0
 *
 * The scanner against zlib's own walk over the blocks of a stream (RFC 1951).
 */
#include "../support/test-streams.h"
#include "io/deflate-scan.h"
#include <zlib.h>

#define ROOM ((size_t)1 << 20)

/* Where zlib sees the last block: false when it does not like the stream. */
static bool walk(uint8_t *data, size_t len, size_t *header, size_t *end)
{
	static uint8_t window[65536];
	z_stream z = {0};
	int r;
	cr_assert_eq(inflateInit2(&z, -MAX_WBITS), Z_OK);
	z.next_in = data;
	z.avail_in = (uInt)len;
	*header = 0;
	do {
		z.next_out = window;
		z.avail_out = sizeof(window);
		r = inflate(&z, Z_BLOCK);
		*end = (len - z.avail_in) * 8 - (size_t)(z.data_type & 7);
		if (r == Z_STREAM_END || (r == Z_OK && (z.data_type & 192) == 192))
			break;
		if (z.data_type & 128)
			*header = *end;
	} while (r == Z_OK);
	inflateEnd(&z);
	return r == Z_OK || r == Z_STREAM_END;
}

static size_t deflate_all(const char *plain, size_t len, int level, int strategy, int memory,
                          uint8_t *out)
{
	z_stream z = {0};
	cr_assert_eq(deflateInit2(&z, level, Z_DEFLATED, -MAX_WBITS, memory, strategy), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)plain;
	z.avail_in = (uInt)len;
	z.next_out = out;
	z.avail_out = (uInt)(ROOM - OCIWP_SCAN_PAD);
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static void expect_like_zlib(ociwp_deflate_scanner *scanner, uint8_t *data, size_t len)
{
	size_t header, end, want_header, want_end;
	memset(data + len, 0xff, OCIWP_SCAN_PAD);
	cr_assert(walk(data, len, &want_header, &want_end));
	cr_assert(ociwp_deflate_scan(scanner, data, len, &header, &end));
	cr_assert_eq(header, want_header);
	cr_assert_eq(end, want_end);
}

/* Text, numbers of few digits, noise, one byte: codes of all shapes. */
static void make_plain(ociwp_buf *out, int kind)
{
	uint32_t seed = 3;
	for (unsigned i = 0; out->len < 60000; i++) {
		seed = seed * 1664525u + 1013904223u;
		if (kind == 0)
			ociwp_buf_printf(out, "%x: %u, ", seed >> (i % 31), i % 100);
		else if (kind == 1)
			ociwp_buf_putc(out, (char)('0' + (seed >> 30) * (i % 5)));
		else
			ociwp_buf_putc(out, kind == 2 ? (char)(seed >> 24) : 'z');
	}
}

Test(deflate_scan, the_last_block_is_where_zlib_sees_it)
{
	static const int strategies[] = {Z_DEFAULT_STRATEGY, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED};
	ociwp_deflate_scanner *scanner = ociwp_malloc(sizeof(*scanner));
	uint8_t *data = ociwp_malloc(ROOM);
	for (int kind = 0; kind < 4; kind++) {
		ociwp_buf plain = OCIWP_BUF_INIT;
		make_plain(&plain, kind);
		for (int level = 0; level <= 9; level += 3)
			for (size_t i = 0; i < 4; i++)
				for (int memory = 1; memory <= 9; memory += 8) {
					size_t n = deflate_all(plain.data, plain.len, level,
					                       strategies[i], memory, data);
					expect_like_zlib(scanner, data, n);
				}
		ociwp_buf_deinit(&plain);
	}
	free(scanner);
	free(data);
}

Test(deflate_scan, short_streams_are_found_too)
{
	ociwp_deflate_scanner *scanner = ociwp_malloc(sizeof(*scanner));
	uint8_t *data = ociwp_malloc(ROOM);
	ociwp_buf plain = OCIWP_BUF_INIT;
	make_plain(&plain, 0);
	for (size_t len = 0; len < 300; len++)
		for (int level = 0; level <= 6; level += 3) {
			size_t n = deflate_all(plain.data, len, level, Z_DEFAULT_STRATEGY, 8, data);
			expect_like_zlib(scanner, data, n);
		}
	ociwp_buf_deinit(&plain);
	free(scanner);
	free(data);
}

Test(deflate_scan, a_stream_without_its_end_is_refused)
{
	ociwp_deflate_scanner *scanner = ociwp_malloc(sizeof(*scanner));
	uint8_t *data = ociwp_malloc(ROOM);
	ociwp_buf plain = OCIWP_BUF_INIT;
	size_t header, end;
	make_plain(&plain, 0);
	size_t n = deflate_all(plain.data, 20000, 6, Z_DEFAULT_STRATEGY, 1, data);
	for (size_t len = 0; len < n; len++)
		cr_assert_not(ociwp_deflate_scan(scanner, data, len, &header, &end), "%zu of %zu",
		              len, n);
	ociwp_buf_deinit(&plain);
	free(scanner);
	free(data);
}

/* zlib refuses more, such as distances that lead before the beginning. */
Test(deflate_scan, damaged_streams_that_zlib_takes_are_seen_alike)
{
	ociwp_deflate_scanner *scanner = ociwp_malloc(sizeof(*scanner));
	uint8_t *good = ociwp_malloc(ROOM), *data = ociwp_malloc(ROOM);
	ociwp_buf plain = OCIWP_BUF_INIT;
	uint32_t seed = 11;
	size_t taken = 0, refused = 0;
	make_plain(&plain, 0);
	size_t n = deflate_all(plain.data, 3000, 6, Z_DEFAULT_STRATEGY, 1, good);
	for (size_t i = 0; i < 4000; i++) {
		size_t header, end, want_header, want_end;
		memcpy(data, good, n);
		memset(data + n, 0, OCIWP_SCAN_PAD);
		seed = seed * 1664525u + 1013904223u;
		data[(seed >> 8) % n] ^= (uint8_t)(1u << (seed >> 29));
		bool ok = ociwp_deflate_scan(scanner, data, n, &header, &end);
		if (ok)
			cr_assert(header < end && end <= n * 8);
		if (!walk(data, n, &want_header, &want_end)) {
			refused++;
			continue;
		}
		taken++;
		cr_assert(ok);
		cr_assert_eq(header, want_header);
		cr_assert_eq(end, want_end);
	}
	cr_expect_gt(taken, 100);
	cr_expect_gt(refused, 100);
	ociwp_buf_deinit(&plain);
	free(scanner);
	free(good);
	free(data);
}
