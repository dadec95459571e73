/* SPDX-License-Identifier: Apache-2.0 */
#include "spin/names.h"
#include "base/str.h"

#include <criterion/criterion.h>
#include <string.h>

static void assert_kebab_error(const char *text, const char *part)
{
	ociwp_name_error why;
	cr_assert_not(ociwp_kebab_id_valid(text, &why), "%s", text);
	cr_assert_not_null(strstr(why.text, part), "%s: %s", text, why.text);
}

/* spin.md 1.2, one row each. */
Test(names, kebab_ids_follow_the_grammar)
{
	static const char *const good[] = {"a", "a-b", "a-B2", "ABC-def", "a1", "A1-b2"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(good); i++)
		cr_assert(ociwp_kebab_id_valid(good[i], NULL), "%s", good[i]);
}

Test(names, kebab_errors_say_which_rule)
{
	assert_kebab_error("", "empty");
	assert_kebab_error("a_b", "words must be separated with '-', not '_'");
	assert_kebab_error("1_a", "words must be separated with '-', not '_'");
	assert_kebab_error("a--b", "'-'-separated words must not be empty");
	assert_kebab_error("-a", "'-'-separated words must not be empty");
	assert_kebab_error("a-", "'-'-separated words must not be empty");
	assert_kebab_error("1a", "must start with an ASCII letter; got \"1\"");
	assert_kebab_error("a+b", "may only contain alphanumeric ASCII; got \"+\"");
	assert_kebab_error("a\xc3\xa9", "may only contain alphanumeric ASCII; got \"\xc3\xa9\"");
	assert_kebab_error("aB", "all lowercase or all UPPERCASE; got \"aB\"");
	assert_kebab_error("a-bC", "all lowercase or all UPPERCASE; got \"bC\"");
}

Test(names, lower_snake_ids_are_lower_and_words_begin_with_letters)
{
	static const char *const bad[] = {"", "a_1", "_a", "a__b", "a-b", "aB", "A", "a_B"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(bad); i++)
		cr_assert_not(ociwp_snake_lower_id_valid(bad[i], NULL), "%s", bad[i]);
	cr_assert(ociwp_snake_lower_id_valid("a_b1", NULL));
}

Test(names, case_is_judged_after_everything_else)
{
	ociwp_name_error why;
	cr_assert_not(ociwp_snake_lower_id_valid("A_1", &why));
	cr_assert_not_null(strstr(why.text, "start with an ASCII letter"), "%s", why.text);
	cr_assert_not(ociwp_snake_lower_id_valid("ABC", &why));
	cr_assert_not_null(strstr(why.text, "must be all lowercase; got \"ABC\""), "%s", why.text);
}

Test(names, labels_are_kebab_or_snake)
{
	cr_assert(ociwp_label_valid("default") && ociwp_label_valid("my-store"));
	cr_assert(ociwp_label_valid("my_store") && ociwp_label_valid("DB-B"));
	cr_assert_not(ociwp_label_valid("a.b") || ociwp_label_valid("a-b_c") ||
	              ociwp_label_valid(""));
}

Test(names, packages_are_two_lower_kebab_labels)
{
	cr_assert(ociwp_package_valid("a:b", 3) && ociwp_package_valid("a-b:c1-d", 8));
	cr_assert_not(ociwp_package_valid("ab", 2) || ociwp_package_valid("A:b", 3));
	cr_assert_not(ociwp_package_valid("a:b:c", 5) || ociwp_package_valid(":b", 2));
}

Test(names, registries_are_hosts_with_an_optional_port)
{
	cr_assert(ociwp_registry_valid("ghcr.io") && ociwp_registry_valid("h:5000"));
	cr_assert(ociwp_registry_valid("[::1]") && ociwp_registry_valid("[::1]:5000"));
	cr_assert_not(ociwp_registry_valid("") || ociwp_registry_valid("a/b") ||
	              ociwp_registry_valid("h:x") || ociwp_registry_valid("h:70000"));
}

static ociwp_dependency_name parsed(const char *text)
{
	ociwp_dependency_name name;
	ociwp_name_error why = {""};
	cr_assert_eq(ociwp_dependency_name_parse(text, &name, &why), 0, "%s: %s", text, why.text);
	return name;
}

Test(names, a_dependency_is_cut_at_the_first_at_and_slash)
{
	ociwp_dependency_name n = parsed("ns:pkg/face@1.2.3-rc.1+b");
	cr_assert_not(n.plain);
	cr_assert_eq(n.package_len, 6);
	cr_assert_eq(strncmp(n.interface, "face", n.interface_len), 0);
	cr_assert(n.has_version && n.version.minor == 2 && n.version.pre_len == 4);
	ociwp_dependency_name_deinit(&n);
	n = parsed("plain-name");
	cr_assert(n.plain);
	ociwp_dependency_name_deinit(&n);
}

Test(names, broken_dependency_names_are_refused)
{
	static const char *const bad[] = {"",      "a_b",  "ns:",      "ns/x",  "ns:p/",  "ns:p@1",
	                                  "ns:p@", "Ns:p", "ns:p/i_f", "a:b:c", "a@1.2.3"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(bad); i++) {
		ociwp_dependency_name name;
		ociwp_name_error why;
		cr_assert_eq(ociwp_dependency_name_parse(bad[i], &name, &why), OCIW_ERR_FORMAT,
		             "%s", bad[i]);
	}
}

/* 2.1: plain first, then namespace, name, version (none first), interface (none first). */
Test(names, dependencies_are_ordered_by_structure)
{
	static const char *const order[] = {
	        "a-plain",        "z",         "a:b",        "a:b/i", "a:b@1.0.0", "a:b/i@1.0.0",
	        "a:b@2.0.0-rc.1", "a:b@2.0.0", "a:b@10.0.0", "a:c",   "a1:b",      "ab:a"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(order); i++) {
		for (size_t k = 0; k < OCIWP_ARRAY_LEN(order); k++) {
			ociwp_dependency_name x = parsed(order[i]), y = parsed(order[k]);
			int want = (i > k) - (i < k), got = ociwp_dependency_name_compare(&x, &y);
			cr_assert_eq((got > 0) - (got < 0), want, "%s %s", order[i], order[k]);
			ociwp_dependency_name_deinit(&x);
			ociwp_dependency_name_deinit(&y);
		}
	}
}

static bool disjoint(const char *a, const char *b)
{
	ociwp_dependency_name x = parsed(a), y = parsed(b);
	bool result = ociwp_dependency_name_disjoint(&x, &y);
	ociwp_dependency_name_deinit(&x);
	ociwp_dependency_name_deinit(&y);
	return result;
}

/* 1.3, validation of dependencies. */
Test(names, one_package_twice_needs_other_versions_or_interfaces)
{
	cr_assert(disjoint("a:b", "a:c"));
	cr_assert(disjoint("a:b@1.0.0", "a:b@2.0.0"));
	cr_assert(disjoint("a:b/i", "a:b/j"));
	cr_assert(disjoint("a:b/i@1.0.0", "a:b/i@2.0.0"));
	cr_assert(disjoint("plain", "plain"));
	cr_assert_not(disjoint("a:b", "a:b/i"));
	cr_assert_not(disjoint("a:b@1.0.0", "a:b@1.9.0"));
	cr_assert_not(disjoint("a:b@1.0.0", "a:b"));
	cr_assert_not(disjoint("a:b/i@1.0.0", "a:b/i@1.1.0"));
}
