/* SPDX-License-Identifier: Apache-2.0
 *
 * The gunzip reader, with both engines: members, trailers, truncation, what may follow (F4).
 */
#include "../support/test-streams.h"
#include "io/inflate.h"

#include <criterion/parameterized.h>

/* gzip of "hello\n" and of "world\n" (zlib, no name). */
static const unsigned char hello[] = {0x1f, 0x8b, 8,    0,    0,    0,    0,    0,    0,
                                      0xff, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xe7, 0x02, 0x00,
                                      0x20, 0x30, 0x3a, 0x36, 0x06, 0,    0,    0};
static const unsigned char world[] = {0x1f, 0x8b, 8,    0,    0,    0,    0,    0,    0,
                                      0xff, 0x2b, 0xcf, 0x2f, 0xca, 0x49, 0xe1, 0x02, 0x00,
                                      0xa8, 0x61, 0x38, 0xdd, 0x06, 0,    0,    0};

struct engine_case {
	ociwp_inflate_engine engine;
	size_t step;
};

static struct criterion_test_params engines(void)
{
	static struct engine_case cases[] = {
	        {OCIWP_INFLATE_ZLIB, 1}, {OCIWP_INFLATE_ZLIB, 0}, {OCIWP_INFLATE_ZLIB, TEST_WHOLE},
	        {OCIWP_INFLATE_AUTO, 1}, {OCIWP_INFLATE_AUTO, 0}, {OCIWP_INFLATE_AUTO, TEST_WHOLE},
	};
	return cr_make_param_array(struct engine_case, cases, OCIWP_ARRAY_LEN(cases));
}

static int decode(const struct engine_case *c, const ociwp_buf *in,
                  const ociwp_decode_options *options, ociwp_buf *out, ociw_error **err)
{
	ociw_reader *reader = NULL;
	int r = ociwp_reader_gunzip_by(c->engine, test_reader(in->data, in->len, c->step), options,
	                               &reader, err);
	if (r < 0)
		return r;
	char step[700];
	ptrdiff_t n;
	while ((n = ociw_reader_read(reader, step, c->step == 1 ? 3 : sizeof(step), err)) > 0)
		ociwp_buf_append(out, step, (size_t)n);
	int closed = ociw_reader_close(reader, n < 0 ? NULL : err);
	return n < 0 ? (int)n : closed;
}

static void expect_decode(const struct engine_case *c, ociwp_buf *in, const char *text, int code,
                          const char *part)
{
	ociwp_buf out = OCIWP_BUF_INIT;
	ociw_error *err = NULL;
	int r = decode(c, in, NULL, &out, &err);
	test_expect(r, code, &err, part);
	cr_expect_str_eq(out.data ? out.data : "", text);
	ociwp_buf_deinit(&out);
	ociwp_buf_deinit(in);
}

#define ENGINE_TEST(name)                                                                          \
	ParameterizedTestParameters(gunzip, name)                                                  \
	{                                                                                          \
		return engines();                                                                  \
	}                                                                                          \
	ParameterizedTest(struct engine_case *c, gunzip, name)

ENGINE_TEST(members_are_one_stream)
{
	ociwp_buf in = OCIWP_BUF_INIT;
	ociwp_buf_append(&in, hello, sizeof(hello));
	ociwp_buf_append(&in, world, sizeof(world));
	expect_decode(c, &in, "hello\nworld\n", 0, "");
}

ENGINE_TEST(optional_header_fields_are_skipped_and_checked)
{
	ociwp_buf in = OCIWP_BUF_INIT;
	unsigned char head[] = {0x1f, 0x8b, 8,   0x1e, 0,   0,   0,   0, 0,   0xff, 3, 0,
	                        'a',  'b',  'c', 'n',  'a', 'm', 'e', 0, 'c', 'm',  0};
	uint32_t crc = ociwp_crc32(0, head, sizeof(head));
	ociwp_buf_append(&in, head, sizeof(head));
	ociwp_buf_putc(&in, (char)crc);
	ociwp_buf_putc(&in, (char)(crc >> 8));
	ociwp_buf_append(&in, hello + 10, sizeof(hello) - 10);
	expect_decode(c, &in, "hello\n", 0, "");
	ociwp_buf_append(&in, head, sizeof(head));
	ociwp_buf_putc(&in, (char)~crc);
	ociwp_buf_putc(&in, (char)(crc >> 8));
	ociwp_buf_append(&in, hello + 10, sizeof(hello) - 10);
	expect_decode(c, &in, "", OCIW_ERR_DIGEST, "header has checksum");
}

ENGINE_TEST(a_wrong_crc_is_an_error)
{
	ociwp_buf in = OCIWP_BUF_INIT;
	ociwp_buf_append(&in, hello, sizeof(hello));
	in.data[18] ^= 1;
	expect_decode(c, &in, "hello\n", OCIW_ERR_DIGEST,
	              "has CRC 363a3020, its trailer says 363a3021");
}

ENGINE_TEST(a_wrong_length_is_an_error)
{
	ociwp_buf in = OCIWP_BUF_INIT;
	ociwp_buf_append(&in, hello, sizeof(hello));
	in.data[22] = 7;
	expect_decode(c, &in, "hello\n", OCIW_ERR_SIZE, "has 6 bytes, its trailer says 7");
}

ENGINE_TEST(the_first_of_two_members_is_checked_too)
{
	ociwp_buf in = OCIWP_BUF_INIT;
	ociwp_buf_append(&in, hello, sizeof(hello));
	in.data[18] ^= 1;
	ociwp_buf_append(&in, world, sizeof(world));
	expect_decode(c, &in, "hello\n", OCIW_ERR_DIGEST, "CRC");
}

ENGINE_TEST(bytes_after_the_last_member_are_an_error)
{
	ociwp_buf in = OCIWP_BUF_INIT;
	ociwp_buf_append(&in, hello, sizeof(hello));
	ociwp_buf_append(&in, "junk", 4);
	expect_decode(c, &in, "hello\n", OCIW_ERR_FORMAT, "after the end");
}

ENGINE_TEST(zeros_after_the_last_member_are_an_error)
{
	ociwp_buf in = OCIWP_BUF_INIT;
	ociwp_buf_append(&in, hello, sizeof(hello));
	ociwp_buf_append(&in, "\0\0", 2);
	expect_decode(c, &in, "hello\n", OCIW_ERR_FORMAT, "after the end");
}

ENGINE_TEST(a_stream_cut_anywhere_is_an_error)
{
	for (size_t len = 0; len < sizeof(hello); len++) {
		ociwp_buf in = OCIWP_BUF_INIT, out = OCIWP_BUF_INIT;
		ociw_error *err = NULL;
		ociwp_buf_append(&in, hello, len);
		test_expect(decode(c, &in, NULL, &out, &err), OCIW_ERR_SIZE, &err, "gzip stream");
		ociwp_buf_deinit(&in);
		ociwp_buf_deinit(&out);
	}
}

/* spin.md 3.3: archives of Spin 4.1 pre-releases have no end. */
ENGINE_TEST(a_cut_stream_is_reported_where_the_caller_takes_it)
{
	for (size_t len = 10; len < sizeof(hello); len++) {
		ociwp_buf in = OCIWP_BUF_INIT, out = OCIWP_BUF_INIT;
		ociw_error *err = NULL;
		bool truncated = false;
		ociwp_decode_options options = {.truncated = &truncated};
		ociwp_buf_append(&in, hello, len);
		test_expect(decode(c, &in, &options, &out, &err), 0, &err, "");
		cr_expect(truncated);
		cr_expect(len < 17 || out.len == 6, "%zu of %zu bytes", out.len, len);
		ociwp_buf_deinit(&in);
		ociwp_buf_deinit(&out);
	}
}

ENGINE_TEST(a_whole_stream_is_not_reported_as_cut)
{
	ociwp_buf in = OCIWP_BUF_INIT, out = OCIWP_BUF_INIT;
	ociw_error *err = NULL;
	bool truncated = false;
	ociwp_decode_options options = {.truncated = &truncated};
	ociwp_buf_append(&in, hello, sizeof(hello));
	test_expect(decode(c, &in, &options, &out, &err), 0, &err, "");
	cr_expect_not(truncated);
	ociwp_buf_deinit(&in);
	ociwp_buf_deinit(&out);
}

ENGINE_TEST(damaged_data_is_an_error)
{
	ociwp_buf in = OCIWP_BUF_INIT;
	ociwp_buf_append(&in, hello, sizeof(hello));
	in.data[10] = 7; /* block type 3 */
	expect_decode(c, &in, "", OCIW_ERR_DIGEST, "deflate data is damaged");
}

ENGINE_TEST(more_bytes_than_allowed_are_not_handed_out)
{
	ociwp_buf in = OCIWP_BUF_INIT, out = OCIWP_BUF_INIT;
	ociw_error *err = NULL;
	ociwp_decode_options options = {.max_bytes = 5};
	ociwp_buf_append(&in, hello, sizeof(hello));
	test_expect(decode(c, &in, &options, &out, &err), OCIW_ERR_LIMIT, &err,
	            "more than 5 decoded bytes");
	cr_expect(out.len <= 5);
	ociwp_buf_deinit(&in);
	ociwp_buf_deinit(&out);
}

/* A megabyte of text that repeats at many distances, compressed in one and in several members. */
ENGINE_TEST(large_data_comes_back)
{
	ociwp_buf plain = OCIWP_BUF_INIT, in = OCIWP_BUF_INIT, out = OCIWP_BUF_INIT;
	ociw_error *err = NULL;
	for (unsigned i = 0; plain.len < (c->step == 1 ? 200000 : 1000000); i++)
		ociwp_buf_printf(&plain, "%u %x\n", i * 2654435761u >> (i % 13), i);
	cr_assert_eq(ociwp_gzip_bytes(plain.data, plain.len, &in, NULL), 0);
	cr_assert_eq(ociwp_gzip_bytes("", 0, &in, NULL), 0);
	cr_assert_eq(ociwp_gzip_bytes(plain.data, 70000, &in, NULL), 0);
	test_expect(decode(c, &in, NULL, &out, &err), 0, &err, "");
	cr_assert_eq(out.len, plain.len + 70000);
	cr_expect_eq(memcmp(out.data, plain.data, plain.len), 0);
	cr_expect_eq(memcmp(out.data + plain.len, plain.data, 70000), 0);
	ociwp_buf_deinit(&plain);
	ociwp_buf_deinit(&in);
	ociwp_buf_deinit(&out);
}

Test(gunzip, a_bomb_is_stopped_by_its_ratio)
{
	size_t len;
	char *data = test_load("corpus/cases/limits-gzip-one-gib.tar.gz", &len);
	ociw_reader *reader = NULL;
	ociw_error *err = NULL;
	ociwp_decode_options options = {.max_ratio = 100};
	cr_assert_eq(
	        ociwp_reader_gunzip(test_reader(data, len, TEST_WHOLE), &options, &reader, &err),
	        0);
	test_expect(ociwp_reader_drain(reader, &err), OCIW_ERR_LIMIT, &err, "more than 100 : 1");
	free(data);
}
