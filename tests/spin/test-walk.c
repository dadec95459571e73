/* SPDX-License-Identifier: Apache-2.0 */
#include "spin/walk.h"
#include "apps.h"
#include <sys/resource.h>

static char seen[4096];
static unsigned links, skips;

static int on_file(void *user_data, const char *path, const struct stat *st, ociw_error **err)
{
	(void)user_data;
	(void)err;
	cr_assert(S_ISREG(st->st_mode));
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s ", path);
	return 0;
}

static int on_link(void *user_data, const char *path, bool is_folder, ociw_error **err)
{
	(void)user_data;
	(void)path;
	(void)is_folder;
	(void)err;
	links++;
	return 0;
}

static int on_skipped(void *user_data, const char *path, const char *why, ociw_error **err)
{
	(void)user_data;
	(void)path;
	(void)why;
	(void)err;
	skips++;
	return 0;
}

static int walk_limited(const char *pattern, const ociw_limits *limits, const char **problem)
{
	static const ociwp_walk_ops ops = {on_file, on_link, on_skipped};
	int fd = open(scratch, O_RDONLY | O_DIRECTORY);
	seen[0] = '\0';
	links = skips = 0;
	int r = ociwp_walk(fd, pattern, limits, NULL, &ops, NULL, problem, NULL);
	close(fd);
	return r;
}

static const char *walk(const char *pattern)
{
	ociw_limits limits;
	const char *problem;
	ociwp_limits_get(NULL, &limits);
	cr_assert_eq(walk_limited(pattern, &limits, &problem), 0);
	return seen;
}

static void make_tree(void)
{
	scratch_make();
	put("b.txt", "b");
	put("a.txt", "a");
	put(".dot", "d");
	put("assets/x.txt", "x");
	put("assets/sub/y.txt", "y");
	put("assets/sub/deep/z.css", "z");
}

TestSuite(walk, .init = make_tree, .fini = scratch_remove);

Test(walk, a_star_stays_in_its_folder_and_takes_dot_files)
{
	cr_assert_str_eq(walk("*"), ".dot a.txt b.txt ");
	cr_assert_str_eq(walk("assets/*"), "assets/x.txt ");
	cr_assert_str_eq(walk("*/*/*.txt"), "assets/sub/y.txt ");
}

Test(walk, two_stars_take_any_number_of_folders)
{
	cr_assert_str_eq(walk("**/*.txt"), "a.txt assets/sub/y.txt assets/x.txt b.txt ");
	cr_assert_str_eq(walk("assets/**/*"),
	                 "assets/sub/deep/z.css assets/sub/y.txt assets/x.txt ");
	cr_assert_str_eq(walk("assets/**/sub/*"), "assets/sub/y.txt ");
	cr_assert_str_eq(walk("**/deep/*"), "assets/sub/deep/z.css ");
}

Test(walk, two_stars_at_the_end_are_folders_only)
{
	cr_assert_str_eq(walk("assets/**"), "");
	cr_assert_str_eq(walk("**"), "");
	cr_assert_str_eq(walk("assets/*/"), "");
}

Test(walk, empty_parts_and_dots_change_nothing)
{
	cr_assert_str_eq(walk("./assets//./*"), "assets/x.txt ");
	cr_assert_str_eq(walk("assets/sub/../*"), "assets/sub/../x.txt ");
}

Test(walk, links_are_followed_and_broken_ones_skipped)
{
	link_to("assets", "la");
	link_to("a.txt", "lf");
	link_to("nowhere", "broken");
	cr_assert_str_eq(walk("l*"), "lf ");
	cr_assert_str_eq(walk("la/*"), "la/x.txt ");
	cr_assert_gt(links, 0);
	walk("*");
	cr_assert_eq(skips, 1);
}

/* spin.md 1.8: 41 copies, as the kernel follows 40 links. */
Test(walk, a_link_to_its_parent_ends_after_forty)
{
	put("loop/f", "f");
	link_to(".", "loop/l");
	const char *found = walk("loop/**/f");
	unsigned count = 0;
	for (const char *at = found; (at = strstr(at, "/f ")) != NULL; at++)
		count++;
	cr_assert_eq(count, 41);
}

/* Neither is a file that is there and cannot be looked at left out, nor a link to one. */
Test(walk, what_cannot_be_looked_at_is_an_error)
{
	ociw_limits limits;
	const char *problem;
	char path[512];
	ociwp_limits_get(NULL, &limits);
	put("closed/f", "x");
	put("links/f", "x");
	link_to("../closed/f", "links/l");
	snprintf(path, sizeof(path), "%s/closed", scratch);
	cr_assert_eq(chmod(scratch, 0755), 0);
	cr_assert_eq(chmod(path, 0444), 0);
	uid_t user = geteuid();
	cr_assert(user != 0 || seteuid(65534) == 0);
	int listed = walk_limited("closed/*", &limits, &problem);
	int literal = walk_limited("closed/f", &limits, &problem);
	int linked = walk_limited("links/*", &limits, &problem);
	cr_assert(user != 0 || seteuid(0) == 0);
	chmod(path, 0755);
	cr_assert_eq(listed, OCIW_ERR_IO);
	cr_assert_eq(literal, OCIW_ERR_IO);
	cr_assert_eq(linked, OCIW_ERR_IO);
}

Test(walk, names_that_are_no_utf8_are_skipped)
{
	put("odd/\xff.txt", "x");
	put("odd/ok.txt", "x");
	cr_assert_str_eq(walk("odd/*"), "odd/ok.txt ");
	cr_assert_eq(skips, 1);
}

Test(walk, a_bad_pattern_has_a_problem_and_no_error)
{
	ociw_limits limits;
	const char *problem;
	ociwp_limits_get(NULL, &limits);
	cr_assert_eq(walk_limited("a**/x", &limits, &problem), OCIW_ERR_FORMAT);
	cr_assert_not_null(problem);
	cr_assert_eq(walk_limited("[a/b]", &limits, &problem), OCIW_ERR_FORMAT);
}

Test(walk, depth_and_entries_are_limited)
{
	ociw_limits limits;
	const char *problem;
	ociwp_limits_get(NULL, &limits);
	limits.max_path_depth = 1;
	cr_assert_eq(walk_limited("**/*", &limits, &problem), OCIW_ERR_LIMIT);
	ociwp_limits_get(NULL, &limits);
	limits.max_entries = 2;
	cr_assert_eq(walk_limited("*", &limits, &problem), OCIW_ERR_LIMIT);
	ociwp_limits_get(NULL, &limits);
	limits.max_path_bytes = 5;
	cr_assert_eq(walk_limited("assets/*", &limits, &problem), OCIW_ERR_LIMIT);
}

Test(walk, depth_costs_few_file_descriptors)
{
	char path[256] = "deep";
	struct rlimit few = {40, 40};
	for (int i = 0; i < 60; i++)
		strcat(path, "/d");
	strcat(path, "/file");
	put(path, "f");
	strcat(path, " ");
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	cr_assert_str_eq(walk("deep/**/*"), path);
	cr_assert_str_eq(walk("deep/*/../*/*/file"), "");
	cr_assert_str_eq(walk("assets/*/../*.txt"), "assets/sub/../x.txt ");
}
