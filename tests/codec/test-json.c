/* SPDX-License-Identifier: Apache-2.0
 *
 * What the strict JSON front takes and refuses, and what it says (MAN-11, DSC-2).
 */
#include "base/buf.h"
#include "codec/json.h"
#include <criterion/criterion.h>
#include <string.h>

struct row {
	const char *text;
	int code;
	const char *message; /* part of it */
};

static int parse(const char *text, size_t len, uint64_t depth, json_t **out, ociw_error **err)
{
	return ociwp_json_parse((ociw_span){text, len}, "manifest", depth, out, err);
}

static void check(const struct row *row)
{
	OCIWP_AUTO(json) json_t *value = NULL;
	ociw_error *err = NULL;
	int r = parse(row->text, strlen(row->text), 0, &value, &err);
	cr_expect_eq(r, row->code, "%s: %d", row->text, r);
	if (row->message)
		cr_expect(err && strstr(ociw_error_message(err), row->message), "%s: %s", row->text,
			  ociw_error_message(err));
	cr_expect_eq(value != NULL, r == 0);
	ociw_error_free(err);
}

Test(json, takes_documents)
{
	static const struct row rows[] = {
		{"{}", 0, NULL},
		{" [1, -2, 3.5, 1e3, true, false, null, \"x\"] \n", 0, NULL},
		{"{\"a\":{\"b\":[{}]}}", 0, NULL},
		{"{\"\xc3\xa9\":\"\\u00e9\\ud83d\\ude00\"}", 0, NULL},
		{"[9223372036854775807,-9223372036854775808]", 0, NULL},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++)
		check(&rows[i]);
}

Test(json, refuses_what_is_not_one_strict_document)
{
	static const struct row rows[] = {
		{"", OCIW_ERR_FORMAT, "manifest"},
		{"{", OCIW_ERR_FORMAT, "ends too early"},
		{"\"text\"", OCIW_ERR_FORMAT, "invalid JSON"},
		{"{} {}", OCIW_ERR_FORMAT, "something follows the end"},
		{"{}x", OCIW_ERR_FORMAT, "something follows the end"},
		{"{\"a\":1,\"a\":2}", OCIW_ERR_FORMAT, "duplicate member name"},
		{"{\"a\":{\"b\":1,\"\\u0062\":2}}", OCIW_ERR_FORMAT, "duplicate member name"},
		{"{\"a\":\"\\u0000\"}", OCIW_ERR_FORMAT, "NUL"},
		{"{\"a\\u0000b\":1}", OCIW_ERR_FORMAT, "NUL"},
		{"{\"a\":\"\xff\"}", OCIW_ERR_FORMAT, "UTF-8"},
		{"{\"a\":\"\xc0\x80\"}", OCIW_ERR_FORMAT, "UTF-8"},
		{"{\"a\":\"\xed\xa0\x80\"}", OCIW_ERR_FORMAT, "UTF-8"},
		{"{\"a\":\"\\ud800\"}", OCIW_ERR_FORMAT, "invalid JSON"},
		{"\xef\xbb\xbf{}", OCIW_ERR_FORMAT, "invalid JSON"},
		{"{\"a\":9223372036854775808}", OCIW_ERR_FORMAT, "out of range"},
		{"{\"a\":1e999}", OCIW_ERR_FORMAT, "out of range"},
		{"{\"a\":NaN}", OCIW_ERR_FORMAT, "invalid JSON"},
		{"{\"a\":01}", OCIW_ERR_FORMAT, "invalid JSON"},
		{"{\"a\":1,}", OCIW_ERR_FORMAT, "invalid JSON"},
		{"{'a':1}", OCIW_ERR_FORMAT, "invalid JSON"},
		{"{\"a\":\"x\ny\"}", OCIW_ERR_FORMAT, "line 1"},
		{"{\"a\":1 // no\n}", OCIW_ERR_FORMAT, "line 1, column 8"},
		{"{\"a\\", OCIW_ERR_FORMAT, "manifest"},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++)
		check(&rows[i]);
}

Test(json, says_line_and_column)
{
	check(&(struct row){"{\n \"a\": 1,\n \"b\" 2}", OCIW_ERR_FORMAT, "line 3, column 6"});
}

Test(json, raw_nul_is_refused)
{
	json_t *value = NULL;
	cr_expect_eq(parse("{\"a\":\"\0\"}", 9, 0, &value, NULL), OCIW_ERR_FORMAT);
	cr_expect_eq(parse("{}\0", 3, 0, &value, NULL), OCIW_ERR_FORMAT);
}

Test(json, depth_is_capped_before_anything_is_built)
{
	OCIWP_AUTO(json) json_t *value = NULL;
	ociw_error *err = NULL;
	cr_expect_eq(parse("[[[]]]", 6, 3, &value, NULL), 0);
	json_t *none = NULL;
	cr_expect_eq(parse("[[[[]]]]", 8, 3, &none, &err), OCIW_ERR_LIMIT);
	cr_expect(strstr(ociw_error_message(err), "deeper than 3"), "%s", ociw_error_message(err));
	ociw_error_free(err);

	char open[1000];
	memset(open, '[', sizeof(open));
	cr_expect_eq(parse(open, sizeof(open), 0, &none, NULL), OCIW_ERR_LIMIT);
}

Test(json, brackets_in_strings_are_no_depth)
{
	OCIWP_AUTO(json) json_t *value = NULL;
	const char *text = "[\"[[[[[[\\\"[[[{{{\"]";
	cr_expect_eq(parse(text, strlen(text), 2, &value, NULL), 0);
}

Test(json, a_tree_far_larger_than_its_text_is_refused)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociw_error *err = NULL;
	json_t *none = NULL;
	ociwp_buf_puts(&text, "[{}");
	for (int i = 0; i < 100000; i++)
		ociwp_buf_puts(&text, ",{}");
	ociwp_buf_puts(&text, "]");
	cr_expect_eq(parse(text.data, text.len, 0, &none, &err), OCIW_ERR_LIMIT);
	cr_expect(strstr(ociw_error_message(err), "too many small values"), "%s",
		  ociw_error_message(err));
	ociw_error_free(err);
}

Test(json, a_lock_with_many_files_is_no_such_tree)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	OCIWP_AUTO(json) json_t *value = NULL;
	ociw_error *err = NULL;
	ociwp_buf_puts(&text, "{\"files\":[");
	for (int i = 0; i < 20000; i++)
		ociwp_buf_printf(&text,
				 "%s{\"inline\":\"AA\",\"digest\":\"sha256:0000000000000000000000000"
				 "000000000000000000000000000000000000000\",\"path\":\"%c%c\"}",
				 i ? "," : "", 'a' + i % 26, 'a' + i / 26 % 26);
	ociwp_buf_puts(&text, "]}");
	cr_expect_eq(parse(text.data, text.len, 0, &value, &err), 0, "%s", ociw_error_message(err));
	ociw_error_free(err);
}

Test(json, endless_numbers_are_refused)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	json_t *none = NULL;
	ociwp_buf_puts(&text, "[0.");
	for (int i = 0; i < 5000; i++)
		ociwp_buf_putc(&text, '1');
	ociwp_buf_puts(&text, "]");
	cr_expect_eq(parse(text.data, text.len, 0, &none, NULL), OCIW_ERR_FORMAT);
}

static json_t *object(void)
{
	json_t *value = NULL;
	const char *text = "{\"s\":\"text\",\"n\":7,\"neg\":-1,\"r\":7.0,\"z\":null,"
			   "\"o\":{},\"a\":[],\"b\":true}";
	cr_assert_eq(parse(text, strlen(text), 0, &value, NULL), 0);
	return value;
}

Test(json, getters_give_values)
{
	OCIWP_AUTO(json) json_t *o = object();
	const char *s = NULL;
	uint64_t n = 0;
	json_t *child = NULL;
	cr_expect_eq(ociwp_json_need_string(o, "layers[2]", "s", &s, NULL), 0);
	cr_expect_str_eq(s, "text");
	cr_expect_eq(ociwp_json_need_u64(o, NULL, "n", &n, NULL), 0);
	cr_expect_eq(n, 7);
	cr_expect_eq(ociwp_json_need_object(o, NULL, "o", &child, NULL), 0);
	cr_expect(json_is_object(child));
	cr_expect_eq(ociwp_json_need_array(o, NULL, "a", &child, NULL), 0);
	cr_expect(json_is_array(child));
}

Test(json, optional_getters_leave_what_is_absent_or_null)
{
	OCIWP_AUTO(json) json_t *o = object();
	const char *s = "before";
	json_t *child = o;
	cr_expect_eq(ociwp_json_opt_string(o, NULL, "none", &s, NULL), 0);
	cr_expect_eq(ociwp_json_opt_string(o, NULL, "z", &s, NULL), 0);
	cr_expect_str_eq(s, "before");
	cr_expect_eq(ociwp_json_opt_object(o, NULL, "z", &child, NULL), 0);
	cr_expect_eq(ociwp_json_opt_array(o, NULL, "none", &child, NULL), 0);
	cr_expect_eq(child, o);
}

static void expect_message(int r, ociw_error *err, const char *message)
{
	cr_expect_eq(r, OCIW_ERR_FORMAT);
	cr_expect_str_eq(ociw_error_message(err), message);
	ociw_error_free(err);
}

Test(json, getters_name_the_path_of_what_is_wrong)
{
	OCIWP_AUTO(json) json_t *o = object();
	const char *s;
	uint64_t n;
	json_t *child;
	ociw_error *err = NULL;
	int r = ociwp_json_need_string(o, "layers[2]", "none", &s, &err);
	expect_message(r, ociwp_steal(&err), "layers[2].none is missing");
	r = ociwp_json_need_string(o, "", "n", &s, &err);
	expect_message(r, ociwp_steal(&err), "n is an integer, must be a string");
	r = ociwp_json_need_string(o, NULL, "z", &s, &err);
	expect_message(r, ociwp_steal(&err), "z is missing");
	r = ociwp_json_need_u64(o, "config", "s", &n, &err);
	expect_message(r, ociwp_steal(&err), "config.s is a string, must be an integer");
	r = ociwp_json_need_u64(o, "config", "r", &n, &err);
	expect_message(r, ociwp_steal(&err),
		       "config.r is a number with a fraction, must be an integer");
	r = ociwp_json_need_u64(o, "config", "neg", &n, &err);
	expect_message(r, ociwp_steal(&err), "config.neg is negative");
	r = ociwp_json_opt_object(o, "config", "b", &child, &err);
	expect_message(r, ociwp_steal(&err), "config.b is a boolean, must be an object");
	r = ociwp_json_opt_array(o, "config", "o", &child, &err);
	expect_message(r, ociwp_steal(&err), "config.o is an object, must be an array");
}
