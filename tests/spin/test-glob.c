/* SPDX-License-Identifier: Apache-2.0 */
#include "spin/glob.h"

#include <criterion/criterion.h>
#include <string.h>

static bool match_in(const char *pattern, const char *text, bool within)
{
	ociwp_glob *glob = NULL;
	const char *problem;
	size_t position;
	cr_assert_eq(ociwp_glob_new(pattern, strlen(pattern), &glob, &problem, &position), 0,
	             "%s: %s", pattern, problem);
	bool result = ociwp_glob_match(glob, text, strlen(text), within);
	ociwp_glob_free(glob);
	return result;
}

static bool match(const char *pattern, const char *text)
{
	return match_in(pattern, text, false);
}

/* spin.md 1.8, wildcards. */
Test(glob, wildcards_match_as_in_spin)
{
	cr_assert(match("a", "a") && match("?", "a") && match("*", "") && match("*", "abc"));
	cr_assert(match("?", "\xc3\xa9") && match("*.txt", ".txt") && match("*", ".dot"));
	cr_assert(match("a*b*c", "aXbYc") && match("**", "a/b") && match("[a-c]x", "bx"));
	cr_assert(match("[!a-c]x", "dx") && match("[]]", "]") && match("[!]]", "a") &&
	          match("[a-]", "-"));
	cr_assert(match("[\xc3\xa0-\xc3\xbf]", "\xc3\xa9") && match("a\\b", "a\\b"));
	cr_assert_not(match("a", "A") || match("?", "") || match("[!a-c]", "b") ||
	              match("*.txt", "a.css"));
	cr_assert_not(match("[a-c]", "-") || match("a", "ab") || match("ab", "a"));
}

Test(glob, wildcards_cross_slashes_in_whole_paths)
{
	cr_assert(match("*.txt", "a/b/c.txt") && match("assets/*", "assets/x/y") &&
	          match("a?b", "a/b"));
	cr_assert(match("a[!x]b", "a/b"));
	cr_assert_not(match("assets", "assets/x") || match("assets/", "assets/x") ||
	              match("./assets/*", "assets/x"));
	cr_assert_not(match_in("*.txt", "a/b/c.txt", true) || match_in("a?b", "a/b", true) ||
	              match_in("a[!x]b", "a/b", true));
}

Test(glob, two_stars_take_whole_components)
{
	cr_assert(match("**/x", "x") && match("**/x", "a/x") && match("**/x", "a/b/x"));
	cr_assert(match("a/**/x", "a/x") && match("a/**/x", "a/b/c/x") && match("a/**", "a/b/c"));
	cr_assert(match("**/*", "a/b") && match("a/**/**/x", "a/x"));
	cr_assert_not(match("**/x", "ax") || match("a/**/x", "a/bx") || match("a/**", "b/c"));
}

static void assert_bad(const char *pattern, const char *part)
{
	ociwp_glob *glob = NULL;
	const char *problem;
	size_t position;
	cr_assert_eq(ociwp_glob_new(pattern, strlen(pattern), &glob, &problem, &position),
	             OCIW_ERR_FORMAT, "%s", pattern);
	cr_assert_not_null(strstr(problem, part), "%s: %s", pattern, problem);
}

Test(glob, broken_patterns_are_refused)
{
	assert_bad("a**", "recursive wildcards must form a single path component");
	assert_bad("**a", "recursive wildcards must form a single path component");
	assert_bad("a/**b/c", "recursive wildcards must form a single path component");
	assert_bad("***", "either regular `*` or recursive `**`");
	assert_bad("[", "invalid range pattern");
	assert_bad("[]", "invalid range pattern");
	assert_bad("[!]", "invalid range pattern");
	assert_bad("[a", "invalid range pattern");
	assert_bad("\xff", "not UTF-8");
}

Test(glob, text_that_is_no_utf8_never_matches)
{
	cr_assert_not(match("*", "\xff"));
}

Test(glob, many_stars_do_not_explode)
{
	char pattern[401], text[2001];
	for (int i = 0; i < 200; i++)
		memcpy(pattern + 2 * i, "*a", 2);
	pattern[400] = '\0';
	memset(text, 'a', 2000);
	text[1999] = 'b';
	text[2000] = '\0';
	cr_assert_not(match(pattern, text));
}

Test(glob, what_looks_like_a_pattern)
{
	cr_assert(ociwp_looks_like_glob("*") && ociwp_looks_like_glob("a?") &&
	          ociwp_looks_like_glob("[") && ociwp_looks_like_glob("]"));
	cr_assert_not(ociwp_looks_like_glob("a.b/{c}"));
}
