/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing gzip: header bytes (LYR-4), one member, the same bytes however the data is cut.
 */
#include "../support/test-streams.h"
#include "io/compress.h"

static const unsigned char header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};

static void make_text(ociwp_buf *out, size_t len)
{
	for (unsigned i = 0; out->len < len; i++)
		ociwp_buf_printf(out, "%u,%x;", i % 97, i * 2654435761u);
}

/* Size and content after gunzip. */
static void expect_plain(const ociwp_buf *gzip, const ociwp_buf *plain)
{
	ociw_reader *reader = NULL;
	char *out = NULL;
	size_t len;
	cr_assert_eq(ociwp_reader_gunzip(test_reader(gzip->data, gzip->len, TEST_WHOLE), NULL,
	                                 &reader, NULL),
	             0);
	cr_assert_eq(ociwp_read_all(reader, 64 << 20, &out, &len, NULL), 0);
	cr_assert_eq(len, plain->len);
	cr_expect(len == 0 || memcmp(out, plain->data, len) == 0);
	free(out);
}

static void write_in_steps(const ociwp_buf *plain, size_t step, ociwp_buf *out)
{
	ociw_writer *memory = NULL, *gzip = NULL;
	cr_assert_eq(ociwp_writer_new_buf(out, 64 << 20, &memory, NULL), 0);
	cr_assert_eq(ociwp_writer_gzip(memory, &gzip, NULL), 0);
	for (size_t at = 0; at < plain->len; at += step) {
		size_t n = plain->len - at < step ? plain->len - at : step;
		cr_assert_eq(ociw_writer_write(gzip, plain->data + at, n, NULL), 0);
	}
	cr_assert_eq(ociw_writer_commit(gzip, NULL), 0);
}

Test(deflate, bytes_come_back_and_the_header_is_plain)
{
	ociwp_buf plain = OCIWP_BUF_INIT, gzip = OCIWP_BUF_INIT;
	make_text(&plain, 300000);
	cr_assert_eq(ociwp_gzip_bytes(plain.data, plain.len, &gzip, NULL), 0);
	cr_expect_eq(memcmp(gzip.data, header, sizeof(header)), 0);
	cr_expect_lt(gzip.len, plain.len);
	expect_plain(&gzip, &plain);
	ociwp_buf_deinit(&plain);
	ociwp_buf_deinit(&gzip);
}

Test(deflate, nothing_is_a_member_too)
{
	ociwp_buf plain = OCIWP_BUF_INIT, gzip = OCIWP_BUF_INIT, stream = OCIWP_BUF_INIT;
	cr_assert_eq(ociwp_gzip_bytes(NULL, 0, &gzip, NULL), 0);
	expect_plain(&gzip, &plain);
	write_in_steps(&plain, 1, &stream);
	cr_expect_eq(memcmp(stream.data, header, sizeof(header)), 0);
	expect_plain(&stream, &plain);
	ociwp_buf_deinit(&gzip);
	ociwp_buf_deinit(&stream);
}

Test(deflate, the_same_input_gives_the_same_bytes)
{
	ociwp_buf plain = OCIWP_BUF_INIT, one = OCIWP_BUF_INIT, two = OCIWP_BUF_INIT;
	make_text(&plain, 200000);
	cr_assert_eq(ociwp_gzip_bytes(plain.data, plain.len, &one, NULL), 0);
	cr_assert_eq(ociwp_gzip_bytes(plain.data, plain.len, &two, NULL), 0);
	cr_assert_eq(one.len, two.len);
	cr_expect_eq(memcmp(one.data, two.data, one.len), 0);
	ociwp_buf_deinit(&plain);
	ociwp_buf_deinit(&one);
	ociwp_buf_deinit(&two);
}

Test(deflate, a_stream_does_not_depend_on_how_it_is_cut)
{
	static const size_t steps[] = {1, 777, 65536, 65537, 1000000};
	ociwp_buf plain = OCIWP_BUF_INIT, first = OCIWP_BUF_INIT;
	make_text(&plain, 300000);
	write_in_steps(&plain, 4096, &first);
	cr_expect_eq(memcmp(first.data, header, sizeof(header)), 0);
	expect_plain(&first, &plain);
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(steps); i++) {
		ociwp_buf other = OCIWP_BUF_INIT;
		write_in_steps(&plain, steps[i], &other);
		cr_assert_eq(other.len, first.len);
		cr_expect_eq(memcmp(other.data, first.data, first.len), 0);
		ociwp_buf_deinit(&other);
	}
	ociwp_buf_deinit(&plain);
	ociwp_buf_deinit(&first);
}

Test(deflate, a_buffer_over_64_mib_is_refused_before_it_is_touched)
{
	ociwp_buf gzip = OCIWP_BUF_INIT;
	ociw_error *err = NULL;
	int r = ociwp_gzip_bytes("", ((size_t)64 << 20) + 1, &gzip, &err);
	test_expect(r, OCIW_ERR_LIMIT, &err, "too many to gzip at once");
	ociwp_buf_deinit(&gzip);
}

Test(deflate, output_is_appended)
{
	ociwp_buf out = OCIWP_BUF_INIT;
	ociwp_buf_puts(&out, "before");
	cr_assert_eq(ociwp_gzip_bytes("text", 4, &out, NULL), 0);
	cr_expect_eq(memcmp(out.data, "before\x1f\x8b", 8), 0);
	ociwp_buf_deinit(&out);
}

Test(deflate, a_full_sink_fails_the_commit)
{
	ociwp_buf plain = OCIWP_BUF_INIT, out = OCIWP_BUF_INIT;
	ociw_writer *memory = NULL, *gzip = NULL;
	ociw_error *err = NULL;
	make_text(&plain, 1000);
	cr_assert_eq(ociwp_writer_new_buf(&out, 50, &memory, NULL), 0);
	cr_assert_eq(ociwp_writer_gzip(memory, &gzip, NULL), 0);
	cr_assert_eq(ociw_writer_write(gzip, plain.data, plain.len, NULL), 0);
	test_expect(ociw_writer_commit(gzip, &err), OCIW_ERR_LIMIT, &err, "");
	ociwp_buf_deinit(&plain);
	ociwp_buf_deinit(&out);
}
