/* SPDX-License-Identifier: Apache-2.0
 *
 * Error bodies of real registries to one line (ERR-1..3; vector V44 re-expressed).
 */
#include "codec/registry-error.h"

#include "base/str.h"
#include <criterion/criterion.h>

static const struct {
	const char *body, *code, *text;
} rows[] = {
        {"{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"manifest unknown\"}]}",
         "MANIFEST_UNKNOWN", "MANIFEST_UNKNOWN: manifest unknown"},
        {"{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\",\"detail\":{\"a\":1}}]}", "DENIED",
         "DENIED: no ({\"a\":1})"},
        {"{\"errors\":[{\"code\":\"X_OWN\"}]}", "X_OWN", "X_OWN"},
        {"{\"errors\":[{\"code\":\"A\",\"message\":\"one\"},{\"code\":\"B\",\"message\":\"two\"}]}",
         "A", "A: one; B: two"},
        {"{\"errors\":[{\"message\":\"only text\",\"detail\":{}}]}", NULL, "only text"},
        {"{\"errors\":[\"plain\"]}", NULL, "plain"},
        {"{\"errors\":[]}", NULL, "[]"},
        {"{\"error\":\"unauthorised\"}", NULL, "unauthorised"},
        {"{\"details\":\"incorrect username or password\"}", NULL,
         "incorrect username or password"},
        {"{\"message\":\"Not Found\"}", NULL, "Not Found"},
        {"{\"other\":1}", NULL, "{\"other\":1}"},
        {"Too Many Requests (HAP429).\n", NULL, "Too Many Requests (HAP429)."},
        {"<html>\n  <body>\n nginx</body>", NULL, "<html> <body> nginx</body>"},
        {"", NULL, ""},
        {"  \n ", NULL, ""},
        {"bad \x1b[31m\xff", NULL, "bad \\x1b[31m\\xff"},
        {"{\"errors\":[{\"code\":\"C\",\"message\":\"\\u001b[0m\"}]}", "C", "C: \\x1b[0m"},
};

Test(registry_error, bodies_of_all_kinds_become_one_line)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ociwp_registry_error error;
		ociw_span body = {rows[i].body, strlen(rows[i].body)};
		cr_assert_eq(ociwp_registry_error_parse(body, &error, NULL), 0);
		cr_assert_str_eq(error.text, rows[i].text);
		cr_assert(ociwp_streq(error.code, rows[i].code), "%s", rows[i].body);
		ociwp_registry_error_deinit(&error);
	}
}

Test(registry_error, long_text_is_cut_between_characters)
{
	char body[4000];
	ociwp_registry_error error;
	for (size_t i = 0; i + 1 < sizeof(body); i += 2)
		memcpy(body + i, "\xc3\xa9", 2);
	cr_assert_eq(ociwp_registry_error_parse((ociw_span){body, sizeof(body)}, &error, NULL), 0);
	cr_assert_leq(strlen(error.text), 520);
	cr_assert(ociwp_utf8_valid(error.text, strlen(error.text)));
	cr_assert(ociwp_ends_with(error.text, "..."));
	ociwp_registry_error_deinit(&error);
}

Test(registry_error, a_code_is_found_among_several)
{
	static const char body[] = "{\"errors\":[{\"code\":\"A\"},{\"code\":\"B\"}]}";
	ociw_span span = {body, sizeof(body) - 1};
	cr_assert(ociwp_registry_error_has(span, "B"));
	cr_assert_not(ociwp_registry_error_has(span, "C"));
	cr_assert_not(ociwp_registry_error_has((ociw_span){"text", 4}, "A"));
	cr_assert_not(ociwp_registry_error_has((ociw_span){NULL, 0}, "A"));
}
