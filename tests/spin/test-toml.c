/* SPDX-License-Identifier: Apache-2.0 */
#include "spin/toml.h"
#include "base/str.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static ociwp_toml *parsed(const char *text)
{
	ociwp_toml *root = NULL;
	ociwp_toml_problem why = {{0, 0}, ""};
	cr_assert_eq(ociwp_toml_parse((ociw_span){text, strlen(text)}, &root, &why), 0, "%s",
	             why.text);
	return root;
}

static void assert_bad(ociw_span text, ociw_code code, unsigned line, const char *part)
{
	ociwp_toml *root = NULL;
	ociwp_toml_problem why;
	cr_assert_eq(ociwp_toml_parse(text, &root, &why), code);
	cr_assert_eq(why.at.line, line, "%u: %s", why.at.line, why.text);
	cr_assert_not_null(strstr(why.text, part), "%s", why.text);
}

Test(toml, keys_come_in_order_of_first_mention)
{
	ociwp_toml *root = parsed("z = 1\n[t.b]\nx = 1\n[a]\n[t.a]\n[t]\nlast = 1\n");
	cr_assert_eq(root->count, 3);
	cr_assert_str_eq(root->u.members[0].key, "z");
	cr_assert_str_eq(root->u.members[1].key, "t");
	cr_assert_str_eq(root->u.members[2].key, "a");
	const ociwp_toml *t = &root->u.members[1].value;
	cr_assert_str_eq(t->u.members[0].key, "b");
	cr_assert_str_eq(t->u.members[1].key, "a");
	cr_assert_str_eq(t->u.members[2].key, "last");
	ociwp_toml_free(root);
}

Test(toml, keys_and_values_know_their_place)
{
	ociwp_toml *root = parsed("a = 1\n\n[t]\n  key = \"v\"\n");
	const ociwp_toml_member *t = &root->u.members[1];
	cr_assert(t->at.line == 3 && t->at.column == 2);
	cr_assert_eq(t->value.at.line, 3);
	const ociwp_toml_member *key = &t->value.u.members[0];
	cr_assert(key->at.line == 4 && key->at.column == 3);
	cr_assert(key->value.at.line == 4 && key->value.at.column == 9);
	ociwp_toml_free(root);
}

Test(toml, every_type_is_carried)
{
	ociwp_toml *root =
	        parsed("i = -7\nh = 0xff\nf = 1e21\nn = nan\nb = true\ns = \"x\\u00e9\"\n"
	               "a = [1, \"two\", []]\nt = {}\n");
	const ociwp_toml_member *m = root->u.members;
	cr_assert_eq(m[0].value.u.integer, -7);
	cr_assert_eq(m[1].value.u.integer, 255);
	cr_assert_float_eq(m[2].value.u.number, 1e21, 1);
	cr_assert(isnan(m[3].value.u.number));
	cr_assert(m[4].value.u.boolean);
	cr_assert_str_eq(m[5].value.u.string, "x\xc3\xa9");
	cr_assert_eq(m[6].value.count, 3);
	cr_assert_eq(m[7].value.type, OCIWP_TOML_TABLE);
	ociwp_toml_free(root);
}

/* spin.md 2.5: dates become strings. */
Test(toml, dates_are_text)
{
	static const char *const rows[][2] = {
	        {"1979-05-27", "1979-05-27"},
	        {"07:32:00", "07:32:00"},
	        {"00:32:00.5", "00:32:00.5"},
	        {"1979-05-27 07:32:00", "1979-05-27T07:32:00"},
	        {"1979-05-27T07:32:00Z", "1979-05-27T07:32:00Z"},
	        {"1979-05-27T00:32:00.999999-07:00", "1979-05-27T00:32:00.999999-07:00"},
	        {"1979-05-27T00:32:00+05:30", "1979-05-27T00:32:00+05:30"}};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		char text[64];
		snprintf(text, sizeof(text), "d = %s\n", rows[i][0]);
		ociwp_toml *root = parsed(text);
		cr_assert_eq(root->u.members[0].value.type, OCIWP_TOML_DATE);
		cr_assert_str_eq(root->u.members[0].value.u.string, rows[i][1]);
		ociwp_toml_free(root);
	}
}

Test(toml, mistakes_have_line_and_column)
{
	assert_bad((ociw_span){"a = 1\nb = \n", 11}, OCIW_ERR_FORMAT, 2, "value");
	assert_bad((ociw_span){"[a]\n[a]\n", 8}, OCIW_ERR_FORMAT, 2, "a");
	assert_bad((ociw_span){"a = 1\na = 2\n", 12}, OCIW_ERR_FORMAT, 2, "a");
	assert_bad((ociw_span){"\xff\xfe", 2}, OCIW_ERR_FORMAT, 0, "UTF-8");
	assert_bad((ociw_span){"a = 99999999999999999999\n", 25}, OCIW_ERR_FORMAT, 1, "");
	assert_bad((ociw_span){"[[.a]]\n", 7}, OCIW_ERR_FORMAT, 1, "key");
	assert_bad((ociw_span){"a = 1\n\xc3\xa9 = 1\n", 11}, OCIW_ERR_FORMAT, 2,
	           "only strings and comments");
}

Test(toml, text_with_a_nul_is_refused)
{
	const char *text = "a = \"x\\u0000y\"\n";
	assert_bad((ociw_span){text, strlen(text)}, OCIW_ERR_FORMAT, 1, "NUL");
	assert_bad((ociw_span){"\"a\\u0000\" = 1\n", 14}, OCIW_ERR_FORMAT, 1, "NUL");
}

static char *repeated(const char *head, const char *part, size_t n, const char *tail)
{
	size_t len = strlen(part);
	char *text = malloc(strlen(head) + n * len + strlen(tail) + 1);
	char *end = stpcpy(text, head);
	for (size_t i = 0; i < n; i++)
		end = stpcpy(end, part);
	strcpy(end, tail);
	return text;
}

static void assert_too_deep(char *take_text)
{
	assert_bad((ociw_span){take_text, strlen(take_text)}, OCIW_ERR_LIMIT, 1, "deeper than 64");
	free(take_text);
}

Test(toml, depth_is_limited_however_it_is_written)
{
	assert_too_deep(repeated("[a", ".a", 100000, "]\n"));
	assert_too_deep(repeated("a", " . a", 100000, " = 1\n"));
	assert_too_deep(repeated("x = {", "'a'.", 100, "b = 1}\n"));
	char *text = repeated("x = ", "[", 100000, "\n");
	ociwp_toml *root = NULL;
	ociwp_toml_problem why;
	cr_assert_lt(ociwp_toml_parse((ociw_span){text, strlen(text)}, &root, &why), 0);
	free(text);
}

Test(toml, dots_in_strings_and_numbers_do_not_count)
{
	char *text = repeated("a = \"", ".", 500, "\"\n");
	ociwp_toml_free(parsed(text));
	free(text);
	text = repeated("a = [", "1.5, ", 500, "1.5]\n# ......\nb = '''\n...'''\n");
	ociwp_toml_free(parsed(text));
	free(text);
}

Test(toml, size_is_limited)
{
	char *text = repeated("a = \"", "x", OCIWP_TOML_MAX_BYTES, "\"\n");
	assert_bad((ociw_span){text, strlen(text)}, OCIW_ERR_LIMIT, 0, "at most");
	free(text);
}

Test(toml, strings_and_comments_may_have_any_text)
{
	ociwp_toml *root = parsed("\xef\xbb\xbf# \xc3\xa9\n\"\xc3\xa9\" = '\xe6\x97\xa5'\nm = "
	                          "\"\"\"\n\xc3\xa9\"\"\"\n");
	cr_assert_str_eq(root->u.members[0].key, "\xc3\xa9");
	cr_assert_str_eq(root->u.members[1].value.u.string, "\xc3\xa9");
	ociwp_toml_free(root);
}

Test(toml, an_empty_document_is_an_empty_table)
{
	ociwp_toml *root = parsed("");
	cr_assert(root->type == OCIWP_TOML_TABLE && root->count == 0 && root->at.line == 1);
	ociwp_toml_free(root);
}
