/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of JSON we write: order, escapes, numbers (MAN-12, spin.md 2.1 and 2.5).
 */
#include "codec/json-writer.h"
#include "codec/json.h"
#include "io/stream.h"
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct out {
	ociwp_buf buf;
	ociwp_json_writer *w;
};

static void begin(struct out *out)
{
	out->buf = (ociwp_buf)OCIWP_BUF_INIT;
	cr_assert_eq(ociwp_json_writer_new(NULL, &out->buf, &out->w, NULL), 0);
}

static void expect(struct out *out, const char *text)
{
	cr_assert_eq(ociwp_json_writer_finish(out->w, NULL), 0);
	cr_expect_eq(out->buf.len, strlen(text));
	cr_expect_str_eq(out->buf.data ? out->buf.data : "", text);
	ociwp_buf_deinit(&out->buf);
}

Test(json_writer, is_compact_and_keeps_the_order_of_calls)
{
	struct out out;
	begin(&out);
	ociwp_json_begin_object(out.w);
	ociwp_json_member(out.w, "b", "1");
	ociwp_json_member(out.w, "left out", NULL);
	ociwp_json_key(out.w, "a");
	ociwp_json_begin_array(out.w);
	ociwp_json_u64(out.w, UINT64_MAX);
	ociwp_json_i64(out.w, INT64_MIN);
	ociwp_json_bool(out.w, true);
	ociwp_json_bool(out.w, false);
	ociwp_json_null(out.w);
	ociwp_json_begin_object(out.w);
	ociwp_json_end_object(out.w);
	ociwp_json_begin_array(out.w);
	ociwp_json_end_array(out.w);
	ociwp_json_end_array(out.w);
	ociwp_json_key(out.w, "c");
	ociwp_json_begin_object(out.w);
	ociwp_json_end_object(out.w);
	ociwp_json_end_object(out.w);
	expect(&out, "{\"b\":\"1\",\"a\":[18446744073709551615,-9223372036854775808,true,false,"
		     "null,{},[]],\"c\":{}}");
}

Test(json_writer, escapes_as_spin_does)
{
	struct out out;
	begin(&out);
	ociwp_json_string_len(out.w, "\"\\\b\f\n\r\t\0\x01\x1f/\x7f\xc3\xa9", 14);
	expect(&out, "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u0001\\u001f/\x7f\xc3\xa9\"");
}

Test(json_writer, escapes_wherever_in_a_long_string_they_are_needed)
{
	static const struct {
		char byte;
		const char *written;
	} rows[] = {{'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"}, {'\x1f', "\\u001f"},
		    {' ', " "}, {'!', "!"}, {'#', "#"}, {']', "]"}, {'[', "["}, {'\x7f', "\x7f"}, {'\xc3', "\xc3"}};
	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		for (size_t at = 0; at < 24; at++) {
			struct out out;
			char text[25] = "abcdefghijklmnopqrstuvwx", expected[40];
			text[at] = rows[row].byte;
			(void)snprintf(expected, sizeof(expected), "\"%.*s%s%s\"", (int)at, text,
				       rows[row].written, text + at + 1);
			begin(&out);
			ociwp_json_string(out.w, text);
			expect(&out, expected);
		}
	}
}

Test(json_writer, doubles_are_the_shortest_that_read_back)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{0.0, "0.0"},
		{-0.0, "-0.0"},
		{2.0, "2.0"},
		{-2.5, "-2.5"},
		{0.1, "0.1"},
		{0.5, "0.5"},
		{100.0, "100.0"},
		{1e15, "1000000000000000.0"},
		{123456789012345678.0, "1.2345678901234568e+17"},
		{9007199254740993.0, "9007199254740992.0"},
		{1e16, "1e+16"},
		{1e21, "1e+21"},
		{1.5e300, "1.5e+300"},
		{1e-5, "0.00001"},
		{1.25e-5, "0.0000125"},
		{1e-6, "1e-6"},
		{1e-7, "1e-7"},
		{1.5e-10, "1.5e-10"},
		{DBL_MAX, "1.7976931348623157e+308"},
		{DBL_MIN, "2.2250738585072014e-308"},
		{5e-324, "5e-324"},
		{0.1 + 0.2, "0.30000000000000004"},
		{1.0 / 3.0, "0.3333333333333333"},
		{INFINITY, "null"},
		{-INFINITY, "null"},
		{NAN, "null"},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		struct out out;
		begin(&out);
		ociwp_json_double(out.w, rows[i].value);
		expect(&out, rows[i].text);
	}
}

Test(json_writer, base64_with_and_without_padding)
{
	struct out out;
	begin(&out);
	ociwp_json_begin_array(out.w);
	ociwp_json_base64(out.w, "", 0, true);
	ociwp_json_base64(out.w, "<svg/>\n", 7, false);
	ociwp_json_base64(out.w, "<svg/>\n", 7, true);
	ociwp_json_end_array(out.w);
	expect(&out, "[\"\",\"PHN2Zy8+Cg\",\"PHN2Zy8+Cg==\"]");
}

Test(json_writer, long_base64_has_no_padding_inside)
{
	OCIWP_AUTO(buf) ociwp_buf buf = OCIWP_BUF_INIT;
	ociwp_json_writer *w;
	char zeros[1000] = {0};
	cr_assert_eq(ociwp_json_writer_new(NULL, &buf, &w, NULL), 0);
	ociwp_json_base64(w, zeros, sizeof(zeros), true);
	cr_assert_eq(ociwp_json_writer_finish(w, NULL), 0);
	cr_expect_eq(buf.len, 2 + 1336);
	cr_expect_eq(strchr(buf.data, '='), buf.data + 1 + 1334);
}

Test(json_writer, values_keep_or_sort_their_keys)
{
	OCIWP_AUTO(json) json_t *value = NULL;
	const char *text = "{\"b\":[{\"y\":1,\"x\":2.0}],\"a\":null,\"B\":\"\xc3\xa9\"}";
	cr_assert_eq(ociwp_json_parse((ociw_span){text, strlen(text)}, "x", 0, &value, NULL), 0);
	struct out out;
	begin(&out);
	ociwp_json_value(out.w, value, false);
	expect(&out, text);
	begin(&out);
	ociwp_json_value(out.w, value, true);
	expect(&out, "{\"B\":\"\xc3\xa9\",\"a\":null,\"b\":[{\"x\":2.0,\"y\":1}]}");
}

static int refuse(void *self, const void *buf, size_t len, ociw_error **err)
{
	(void)self, (void)buf, (void)len;
	return ociwp_fail(err, OCIW_ERR_IO, "disk full");
}

static int commit(void *self, ociw_error **err)
{
	(void)self, (void)err;
	return 0;
}

static void give_up(void *self)
{
	(void)self;
}

static const ociw_writer_ops refusing = {sizeof(ociw_writer_ops), refuse, commit, give_up};

Test(json_writer, finish_reports_the_first_error_of_the_stream)
{
	OCIWP_AUTO(writer) ociw_writer *to = NULL;
	ociwp_json_writer *w;
	ociw_error *err = NULL;
	cr_assert_eq(ociw_writer_new(&refusing, &err, &to, NULL), 0);
	cr_assert_eq(ociwp_json_writer_new(to, NULL, &w, NULL), 0);
	ociwp_json_begin_array(w);
	for (int i = 0; i < 10000; i++)
		ociwp_json_string(w, "text");
	ociwp_json_end_array(w);
	cr_expect_eq(ociwp_json_writer_finish(w, &err), OCIW_ERR_IO);
	cr_expect_str_eq(ociw_error_message(err), "disk full");
	ociw_error_free(err);
}

Test(json_writer, giving_up_frees_everything)
{
	OCIWP_AUTO(buf) ociwp_buf buf = OCIWP_BUF_INIT;
	ociwp_json_writer *w;
	cr_assert_eq(ociwp_json_writer_new(NULL, &buf, &w, NULL), 0);
	ociwp_json_begin_array(w);
	ociwp_json_writer_free(w);
	ociwp_json_writer_free(NULL);
	cr_expect_eq(buf.len, 0);
}
