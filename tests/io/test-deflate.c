/* SPDX-License-Identifier: Apache-2.0
 *
 * gzip of whole buffers: header bytes (LYR-4), one member, deterministic.
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
	ociwp_buf plain = OCIWP_BUF_INIT, gzip = OCIWP_BUF_INIT;
	cr_assert_eq(ociwp_gzip_bytes(NULL, 0, &gzip, NULL), 0);
	expect_plain(&gzip, &plain);
	ociwp_buf_deinit(&gzip);
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
