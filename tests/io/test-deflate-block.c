/* SPDX-License-Identifier: Apache-2.0
 *
 * Pieces of deflate that can be joined: the last alone is final, each ends on a byte boundary.
 */
#include "../support/test-streams.h"
#include "io/deflate-block.h"
#include "io/raw-inflate.h"

/* Joins @p count pieces of @p plain, each of @p len bytes, and an empty one if that is to be the last;
 * inflates all by @p engine. */
static void expect_ended(bool empty, const char *plain, size_t len, size_t count, ociwp_inflate_engine engine)
{
	OCIWP_AUTO(block_deflater) ociwp_block_deflater *deflater = NULL;
	ociwp_inflate *inflate = NULL;
	ociwp_buf stream = OCIWP_BUF_INIT;
	size_t room = ociwp_deflate_block_bound(len);
	uint8_t *piece = (uint8_t *)ociwp_malloc(room),
	        *out = (uint8_t *)ociwp_malloc(len * count + 1);
	bool ended = false;
	cr_assert_eq(ociwp_block_deflater_new(&deflater, NULL), 0);
	for (size_t i = 0; i < count; i++) {
		bool last = i + 1 == count && !empty;
		ptrdiff_t n = ociwp_deflate_block(deflater, plain, len, last, piece, room, NULL);
		cr_assert_gt(n, 0);
		ociwp_buf_append(&stream, piece, (size_t)n);
	}
	if (empty) {
		ptrdiff_t n = ociwp_deflate_block(deflater, plain, 0, true, piece, room, NULL);
		cr_assert_eq(n, 2);
		ociwp_buf_append(&stream, piece, (size_t)n);
	}
	cr_assert_eq(ociwp_inflate_new(engine, &inflate, NULL), 0);
	const uint8_t *in = (const uint8_t *)stream.data;
	size_t left = stream.len;
	ptrdiff_t n = ociwp_inflate_run(inflate, &in, &left, out, len * count + 1, &ended, NULL);
	cr_assert_eq(n, (ptrdiff_t)(len * count), "%zu bytes of %zu: %td", len, count, n);
	cr_expect(ended);
	for (size_t i = 0; i < count; i++)
		cr_expect_eq(memcmp(out + i * len, plain, len), 0);
	ociwp_inflate_free(inflate);
	ociwp_buf_deinit(&stream);
	free(piece);
	free(out);
}

static void expect_joined(const char *plain, size_t len, size_t count, ociwp_inflate_engine engine)
{
	expect_ended(false, plain, len, count, engine);
	expect_ended(true, plain, len, count, engine);
}

/* Every way to end within a byte comes up among these lengths. */
Test(deflate_block, short_pieces_of_any_length_join)
{
	ociwp_buf text = OCIWP_BUF_INIT;
	for (unsigned i = 0; text.len < 400; i++)
		ociwp_buf_printf(&text, "%x.", i * 2654435761u >> (i % 9));
	for (size_t len = 1; len <= 300; len++) {
		expect_joined(text.data, len, 3, OCIWP_INFLATE_ZLIB);
		expect_joined(text.data, len, 3, OCIWP_INFLATE_AUTO);
	}
	ociwp_buf_deinit(&text);
}

Test(deflate_block, pieces_of_many_blocks_join)
{
	ociwp_buf text = OCIWP_BUF_INIT;
	for (unsigned i = 0; text.len < 1000000; i++)
		ociwp_buf_printf(&text, "%x %zu;", i * 2654435761u, i % 7 * (text.len / 100000));
	expect_joined(text.data, text.len, 2, OCIWP_INFLATE_ZLIB);
	ociwp_buf_deinit(&text);
}

Test(deflate_block, noise_and_zeros_join)
{
	char *data = (char *)ociwp_calloc(1, 300000);
	uint32_t seed = 7;
	expect_joined(data, 300000, 2, OCIWP_INFLATE_ZLIB);
	for (size_t i = 0; i < 300000; i++)
		data[i] = (char)((seed = seed * 1664525u + 1013904223u) >> 24);
	expect_joined(data, 300000, 2, OCIWP_INFLATE_ZLIB);
	free(data);
}

static void make_noise(char *out, size_t len)
{
	uint32_t seed = 7;
	for (size_t i = 0; i < len; i++)
		out[i] = (char)((seed = seed * 1664525u + 1013904223u) >> 24);
}

static size_t deflated(const char *plain, size_t len)
{
	OCIWP_AUTO(block_deflater) ociwp_block_deflater *deflater = NULL;
	size_t room = ociwp_deflate_block_bound(len);
	uint8_t *piece = (uint8_t *)ociwp_malloc(room);
	cr_assert_eq(ociwp_block_deflater_new(&deflater, NULL), 0);
	ptrdiff_t n = ociwp_deflate_block(deflater, plain, len, false, piece, room, NULL);
	free(piece);
	cr_assert_gt(n, 0);
	return (size_t)n;
}

Test(deflate_block, noise_is_stored_at_five_bytes_for_64_kib)
{
	char *data = (char *)ociwp_calloc(1, 256 << 10);
	make_noise(data, 256 << 10);
	cr_expect_eq(deflated(data, 256 << 10), (256u << 10) + 5 * 5);
	free(data);
}

Test(deflate_block, a_table_with_every_byte_alike_is_not_taken_for_noise)
{
	char *data = (char *)ociwp_calloc(1, 256 << 10);
	for (size_t i = 0; i < 256 << 10; i++)
		data[i] = (char)i;
	cr_expect_lt(deflated(data, 256 << 10), 8000u);
	free(data);
}

Test(deflate_block, noise_and_text_in_turns_join)
{
	enum { LEN = 300000 };
	char *data = (char *)ociwp_calloc(1, LEN);
	make_noise(data, LEN);
	for (size_t begin = 0, turn = 0; begin < LEN; begin += 1000 * turn, turn++)
		for (size_t i = begin; turn % 2 && i < begin + 1000 * turn && i < LEN; i++)
			data[i] = "some text of no great weight "[i % 29];
	expect_joined(data, LEN, 2, OCIWP_INFLATE_ZLIB);
	expect_joined(data, LEN, 2, OCIWP_INFLATE_AUTO);
	free(data);
}

/* Each chunk its own run: what the bound has to cover. */
Test(deflate_block, the_bound_holds_for_runs_of_one_chunk)
{
	enum { CHUNK = 8192, COUNT = 128 };
	char *data = (char *)ociwp_calloc(COUNT, CHUNK);
	make_noise(data, (size_t)COUNT * CHUNK);
	/* Every other chunk is noise of 200 values: hardly smaller, but not stored as it is. */
	for (size_t i = 0; i < (size_t)COUNT * CHUNK; i++)
		if (i / CHUNK % 2 && (unsigned char)data[i] >= 200)
			data[i] = (char)(data[i] - 100);
	expect_joined(data, (size_t)COUNT * CHUNK, 1, OCIWP_INFLATE_ZLIB);
	free(data);
}

Test(deflate_block, too_little_room_is_an_error)
{
	OCIWP_AUTO(block_deflater) ociwp_block_deflater *deflater = NULL;
	ociw_error *err = NULL;
	uint8_t out[4];
	cr_assert_eq(ociwp_block_deflater_new(&deflater, NULL), 0);
	for (int last = 0; last < 2; last++) {
		int r = (int)ociwp_deflate_block(deflater, "hello", 5, last, out, sizeof(out), &err);
		test_expect(r, OCIW_ERR_IO, &err, "room");
		r = (int)ociwp_deflate_block(deflater, "", 0, last, out, 1, &err);
		if (last)
			test_expect(r, OCIW_ERR_IO, &err, "room");
		else
			cr_expect_eq(r, 0);
	}
}
