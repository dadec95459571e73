/* SPDX-License-Identifier: Apache-2.0 */
#include "spin/template.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *lookup(const char *name, size_t len, void *user_data)
{
	(void)user_data;
	if (len == 1 && name[0] == 'a')
		return "AAA";
	return len == 5 && memcmp(name, "empty", 5) == 0 ? "" : NULL;
}

static void assert_expands(const char *text, const char *want, bool complete)
{
	ociwp_buf out = OCIWP_BUF_INIT;
	bool all;
	cr_assert_eq(ociwp_template_expand(text, lookup, NULL, 1000, &out, &all), 0);
	cr_assert_str_eq(out.data, want);
	cr_assert_eq(all, complete);
	ociwp_buf_deinit(&out);
}

Test(template, every_opening_needs_its_closing)
{
	cr_assert(ociwp_template_valid("") && ociwp_template_valid("a") &&
	          ociwp_template_valid("a}}") && ociwp_template_valid("{{ x }}{{y}}"));
	cr_assert_not(ociwp_template_valid("{{ x") || ociwp_template_valid("{{ x }} {{") ||
	              ociwp_template_valid("https://{{ x }"));
}

Test(template, text_without_expressions_is_literal)
{
	cr_assert(ociwp_template_is_literal("http://x") && ociwp_template_is_literal("a{b}c"));
	cr_assert_not(ociwp_template_is_literal("{{ x }}"));
}

Test(template, names_are_trimmed_and_replaced)
{
	assert_expands("x-{{ a }}-{{a}}", "x-AAA-AAA", true);
	assert_expands("{{ empty }}", "", true);
	assert_expands("{{ b }}", "", false);
	assert_expands("{{ a | upper }}", "", false);
	assert_expands("no {a}", "no {a}", true);
}

Test(template, growth_is_bounded)
{
	ociwp_buf out = OCIWP_BUF_INIT;
	bool all;
	cr_assert_eq(ociwp_template_expand("{{a}}{{a}}{{a}}", lookup, NULL, 8, &out, &all),
	             OCIW_ERR_LIMIT);
	ociwp_buf_deinit(&out);
}
