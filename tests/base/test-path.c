/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"
#include "base/alloc.h"

#include <criterion/criterion.h>
#include <string.h>

Test(path, a_component_is_one_proper_name)
{
	char long_name[257];

	memset(long_name, 'a', sizeof(long_name));
	cr_assert(ociwp_path_is_component("a", 1));
	cr_assert(ociwp_path_is_component("...", 3));
	cr_assert(ociwp_path_is_component(long_name, 255));
	cr_assert_not(ociwp_path_is_component(long_name, 256));
	cr_assert_not(ociwp_path_is_component("", 0));
	cr_assert_not(ociwp_path_is_component(".", 1));
	cr_assert_not(ociwp_path_is_component("..", 2));
	cr_assert_not(ociwp_path_is_component("a/b", 3));
	cr_assert_not(ociwp_path_is_component("a\0b", 3));
}

Test(path, relative_normal_paths_have_proper_parts_only)
{
	cr_assert(ociwp_path_is_relative_normal("a/b/c", 4096, 256));
	cr_assert_not(ociwp_path_is_relative_normal("", 4096, 256));
	cr_assert_not(ociwp_path_is_relative_normal("/a", 4096, 256));
	cr_assert_not(ociwp_path_is_relative_normal("a/", 4096, 256));
	cr_assert_not(ociwp_path_is_relative_normal("a//b", 4096, 256));
	cr_assert_not(ociwp_path_is_relative_normal("./a", 4096, 256));
	cr_assert_not(ociwp_path_is_relative_normal("a/../b", 4096, 256));
	cr_assert_not(ociwp_path_is_relative_normal("a/b/c", 4096, 2));
	cr_assert_not(ociwp_path_is_relative_normal("abc", 2, 256));
}

static void absolute_is(const char *cwd, const char *path, const char *want)
{
	OCIWP_AUTO(str) char *got = ociwp_path_absolute(cwd, path);

	cr_assert_str_eq(got, want);
}

Test(path, absolute_form_is_made_by_text_alone)
{
	absolute_is("/w", "a/./b//c", "/w/a/b/c");
	absolute_is("/w/x", "../../../a", "/a");
	absolute_is("/w", "/a/../b/", "/b");
	absolute_is("/", ".", "/");
	absolute_is("/w", "...", "/w/...");
}

Test(path, join_does_not_double_slashes)
{
	OCIWP_AUTO(str) char *a = ociwp_path_join("/", "x");
	OCIWP_AUTO(str) char *b = ociwp_path_join("d", "x");
	OCIWP_AUTO(str) char *c = ociwp_path_join("", "x");

	cr_assert_str_eq(a, "/x");
	cr_assert_str_eq(b, "d/x");
	cr_assert_str_eq(c, "x");
	cr_assert_str_eq(ociwp_path_basename("a/b"), "b");
	cr_assert_str_eq(ociwp_path_basename("b"), "b");
}
