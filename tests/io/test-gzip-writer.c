/* SPDX-License-Identifier: Apache-2.0
 *
 * The streaming gzip writer: header bytes (LYR-4), one member (ADR 5), the same bytes however the
 * data is cut and whoever deflates it.
 */
#include "../support/test-streams.h"
#include "io/compress.h"
#include "io/raw-inflate.h"

static const unsigned char header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};

/* Text, then noise that does not compress, then zeros. */
static void make_data(ociwp_buf *out, size_t len)
{
	uint32_t seed = 1;
	for (unsigned i = 0; out->len < len / 2; i++)
		ociwp_buf_printf(out, "%u,%x;", i % 97, i * 2654435761u);
	while (out->len < len * 3 / 4)
		ociwp_buf_putc(out, (char)((seed = seed * 1664525u + 1013904223u) >> 24));
	while (out->len < len)
		ociwp_buf_putc(out, 0);
}

static void write_in_steps(const ociwp_buf *plain, size_t step, size_t threads, ociwp_buf *out)
{
	ociw_writer *memory = NULL, *gzip = NULL;
	cr_assert_eq(ociwp_writer_new_buf(out, 64 << 20, &memory, NULL), 0);
	cr_assert_eq(ociwp_writer_gzip_threads(memory, threads, &gzip, NULL), 0);
	for (size_t at = 0; at < plain->len; at += step) {
		size_t n = plain->len - at < step ? plain->len - at : step;
		cr_assert_eq(ociw_writer_write(gzip, plain->data + at, n, NULL), 0);
	}
	cr_assert_eq(ociw_writer_commit(gzip, NULL), 0);
}

/* One member with the fixed header, whose content is @p plain, by zlib alone. */
static void expect_member(const ociwp_buf *gzip, const ociwp_buf *plain)
{
	ociwp_inflate *inflate = NULL;
	const uint8_t *in = (const uint8_t *)gzip->data + sizeof(header);
	size_t left = gzip->len - sizeof(header);
	uint8_t *out = (uint8_t *)ociwp_malloc(plain->len + 1);
	bool ended = false;
	cr_assert_eq(memcmp(gzip->data, header, sizeof(header)), 0);
	cr_assert_eq(ociwp_inflate_new(OCIWP_INFLATE_ZLIB, &inflate, NULL), 0);
	ptrdiff_t n = ociwp_inflate_run(inflate, &in, &left, out, plain->len + 1, &ended, NULL);
	cr_assert_eq(n, (ptrdiff_t)plain->len);
	cr_assert(ended);
	cr_expect_eq(left, 8);
	cr_expect(n == 0 || memcmp(out, plain->data, plain->len) == 0);
	ociwp_inflate_free(inflate);
	free(out);
	ociw_reader *reader = NULL;
	cr_assert_eq(ociwp_reader_gunzip(test_reader(gzip->data, gzip->len, TEST_WHOLE), NULL,
	                                 &reader, NULL),
	             0);
	cr_expect_eq(ociwp_reader_drain(reader, NULL), 0);
}

Test(gzip_writer, nothing_is_a_member_too)
{
	ociwp_buf plain = OCIWP_BUF_INIT, gzip = OCIWP_BUF_INIT;
	write_in_steps(&plain, 1, 1, &gzip);
	expect_member(&gzip, &plain);
	ociwp_buf_deinit(&gzip);
}

Test(gzip_writer, the_bytes_depend_on_the_data_alone)
{
	static const struct {
		size_t step, threads;
	} rows[] = {{777, 1},           {65536, 2},          {1 << 20, 4},
	            {(1 << 20) + 1, 3}, {SIZE_MAX / 2, 100}, {4096, 0}};
	ociwp_buf plain = OCIWP_BUF_INIT, first = OCIWP_BUF_INIT;
	make_data(&plain, 9500000);
	write_in_steps(&plain, 10000, 1, &first);
	expect_member(&first, &plain);
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		ociwp_buf other = OCIWP_BUF_INIT;
		write_in_steps(&plain, rows[i].step, rows[i].threads, &other);
		cr_assert_eq(other.len, first.len);
		cr_expect_eq(memcmp(other.data, first.data, first.len), 0);
		ociwp_buf_deinit(&other);
	}
	ociwp_buf_deinit(&plain);
	ociwp_buf_deinit(&first);
}

/* Lengths around the size of a piece. */
Test(gzip_writer, any_length_comes_back)
{
	static const size_t lengths[] = {1,      2, 63, 1000, (1 << 19) - 1, 1 << 19, (1 << 19) + 1,
	                                 2 << 20};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(lengths); i++) {
		ociwp_buf plain = OCIWP_BUF_INIT, gzip = OCIWP_BUF_INIT;
		make_data(&plain, lengths[i]);
		plain.len = lengths[i];
		write_in_steps(&plain, 100000, 2, &gzip);
		expect_member(&gzip, &plain);
		ociwp_buf_deinit(&plain);
		ociwp_buf_deinit(&gzip);
	}
}

static void expect_full(size_t threads)
{
	ociwp_buf plain = OCIWP_BUF_INIT, out = OCIWP_BUF_INIT;
	ociw_writer *memory = NULL, *gzip = NULL;
	ociw_error *err = NULL;
	make_data(&plain, 3000000);
	cr_assert_eq(ociwp_writer_new_buf(&out, 50, &memory, NULL), 0);
	cr_assert_eq(ociwp_writer_gzip_threads(memory, threads, &gzip, NULL), 0);
	int r = ociw_writer_write(gzip, plain.data, plain.len, NULL);
	cr_expect(r == 0 || r == OCIW_ERR_LIMIT);
	test_expect(ociw_writer_commit(gzip, &err), OCIW_ERR_LIMIT, &err, "");
	ociwp_buf_deinit(&plain);
	ociwp_buf_deinit(&out);
}

Test(gzip_writer, a_full_sink_fails_the_commit)
{
	expect_full(1);
	expect_full(2);
}

Test(gzip_writer, it_can_be_given_up_with_work_under_way)
{
	ociwp_buf plain = OCIWP_BUF_INIT, out = OCIWP_BUF_INIT;
	ociw_writer *memory = NULL, *gzip = NULL;
	make_data(&plain, 3500000);
	cr_assert_eq(ociwp_writer_new_buf(&out, 64 << 20, &memory, NULL), 0);
	cr_assert_eq(ociwp_writer_gzip_threads(memory, 2, &gzip, NULL), 0);
	cr_expect_eq(ociw_writer_write(gzip, plain.data, plain.len, NULL), 0);
	ociw_writer_abort(gzip);
	ociwp_buf_deinit(&plain);
	ociwp_buf_deinit(&out);
}

Test(gzip_writer, memory_that_is_lent_changes_nothing)
{
	ociwp_gzip_memory *lent = NULL;
	ociwp_buf plain = OCIWP_BUF_INIT, want = OCIWP_BUF_INIT;
	make_data(&plain, 1300000);
	write_in_steps(&plain, 10000, 1, &want);
	cr_assert_eq(ociwp_gzip_memory_new(&lent, NULL), 0);
	for (int turn = 0; turn < 4; turn++) {
		ociwp_buf out = OCIWP_BUF_INIT;
		ociw_writer *memory = NULL, *gzip = NULL;
		/* The second one is given up, the third runs out of room. */
		cr_assert_eq(ociwp_writer_new_buf(&out, turn == 2 ? 50 : 64 << 20, &memory, NULL),
		             0);
		cr_assert_eq(ociwp_writer_gzip_lent(memory, lent, &gzip, NULL), 0);
		int r = ociw_writer_write(gzip, plain.data, plain.len, NULL);
		cr_expect_eq(r, turn == 2 ? OCIW_ERR_LIMIT : 0);
		if (turn == 1) {
			ociw_writer_abort(gzip);
		} else {
			cr_expect_eq(ociw_writer_commit(gzip, NULL), r);
		}
		if (turn == 0 || turn == 3) {
			cr_assert_eq(out.len, want.len);
			cr_expect_eq(memcmp(out.data, want.data, want.len), 0);
		}
		ociwp_buf_deinit(&out);
	}
	ociwp_gzip_memory_free(lent);
	ociwp_buf_deinit(&plain);
	ociwp_buf_deinit(&want);
}
