/* SPDX-License-Identifier: Apache-2.0
 *
 * Removing, sweeping and visiting trees by handle (extraction.md D5, D12, W1, W2).
 */
#include "base/str.h"
#include "io/fsys-tree.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char box_path[64];

static int box_open(void)
{
	snprintf(box_path, sizeof(box_path), "/tmp/ociw-tree-XXXXXX");
	cr_assert_not_null(mkdtemp(box_path));
	return open(box_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void box_close(int box)
{
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(box);
	cr_expect_eq(ociwp_tree_remove(tmp, strrchr(box_path, '/') + 1), 0);
	close(tmp);
}

static void put(int dir, const char *path)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0, "%s", path);
	close(fd);
}

static bool there(int dir, const char *path)
{
	struct stat st;
	return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

Test(fsys_tree, removes_a_tree_with_closed_directories)
{
	int box = box_open();
	cr_assert_eq(mkdirat(box, "t", 0755), 0);
	cr_assert_eq(mkdirat(box, "t/a", 0755), 0);
	cr_assert_eq(mkdirat(box, "t/a/b", 0755), 0);
	put(box, "t/a/b/f");
	put(box, "t/a/f");
	cr_assert_eq(fchmodat(box, "t/a/b", 0, 0), 0);
	cr_assert_eq(fchmodat(box, "t/a", 0500, 0), 0);
	cr_assert_eq(fchmodat(box, "t", 0, 0), 0);
	cr_expect_eq(ociwp_tree_remove(box, "t"), 0);
	cr_expect_not(there(box, "t"));
	cr_expect_eq(ociwp_tree_remove(box, "t"), 0, "nothing there is success");
	box_close(box);
}

Test(fsys_tree, removal_does_not_follow_links)
{
	int box = box_open();
	cr_assert_eq(mkdirat(box, "kept", 0755), 0);
	put(box, "kept/f");
	cr_assert_eq(mkdirat(box, "t", 0755), 0);
	cr_assert_eq(symlinkat("../kept", box, "t/l"), 0);
	cr_expect_eq(ociwp_tree_remove(box, "t"), 0);
	cr_expect(there(box, "kept/f"));
	box_close(box);
}

/* Depth is the maker's choice: 3000 levels with twenty descriptors. */
Test(fsys_tree, removes_any_depth_with_few_descriptors)
{
	int box = box_open();
	int dir = dup(box);
	for (int i = 0; i < 3000; i++) {
		cr_assert_eq(mkdirat(dir, "d", 0755), 0);
		put(dir, "f");
		int next = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(dir);
		dir = next;
	}
	close(dir);
	struct rlimit before, few = {20, 20};
	getrlimit(RLIMIT_NOFILE, &before);
	few.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_NOFILE, &few);
	cr_expect_eq(ociwp_tree_remove(box, "d"), 0);
	setrlimit(RLIMIT_NOFILE, &before);
	cr_expect_not(there(box, "d"));
	box_close(box);
}

/* Names of the kind that lifted directories get are the maker's to choose as well. */
Test(fsys_tree, removes_a_tree_full_of_the_names_that_removal_itself_uses)
{
	int box = box_open();
	char path[64];
	cr_assert_eq(mkdirat(box, "t", 0755), 0);
	for (int i = 1; i <= 300; i++) {
		snprintf(path, sizeof(path), "t/.ociw-%d", i);
		cr_assert_eq(mkdirat(box, path, 0755), 0);
		snprintf(path, sizeof(path), "t/.ociw-%d/a", i);
		cr_assert_eq(mkdirat(box, path, 0755), 0);
		snprintf(path, sizeof(path), "t/.ociw-%d/a/f", i);
		put(box, path);
	}
	cr_expect_eq(ociwp_tree_remove(box, "t"), 0);
	cr_expect_not(there(box, "t"));
	box_close(box);
}

/* Keeps whatever is called keep*. */
static bool keep_by_name(void *data, uint64_t parent, const char *name)
{
	(void)data;
	(void)parent;
	return ociwp_starts_with(name, "keep");
}

static void count_bare(void *data, uint64_t inode)
{
	cr_expect_neq(inode, 0);
	++*(int *)data;
}

Test(fsys_tree, a_sweep_leaves_what_is_kept_and_what_holds_it)
{
	int box = box_open(), bare = 0;
	ociwp_tree_sweep sweep = {keep_by_name, count_bare, &bare};
	struct stat st;
	cr_assert_eq(fstat(box, &st), 0);
	cr_assert_eq(mkdirat(box, "t", 0755), 0);
	cr_assert_eq(mkdirat(box, "t/a", 0755), 0);
	cr_assert_eq(mkdirat(box, "t/b", 0755), 0);
	cr_assert_eq(mkdirat(box, "t/keep-dir", 0755), 0);
	put(box, "t/a/keep");
	put(box, "t/a/old");
	put(box, "t/b/old");
	put(box, "t/keep-dir/old");
	cr_expect_eq(ociwp_tree_sweep_name(box, (uint64_t)st.st_ino, "t", true, &sweep), 0);
	cr_expect(there(box, "t/a/keep"));
	cr_expect(there(box, "t/keep-dir"));
	cr_expect_not(there(box, "t/a/old"));
	cr_expect_not(there(box, "t/b"));
	cr_expect_not(there(box, "t/keep-dir/old"));
	cr_expect_eq(bare, 2, "t and t/a, but not t/keep-dir");
	box_close(box);
}

Test(fsys_tree, a_sweep_of_the_inside_leaves_the_directory)
{
	int box = box_open(), bare = 0;
	ociwp_tree_sweep sweep = {keep_by_name, count_bare, &bare};
	cr_assert_eq(mkdirat(box, "t", 0755), 0);
	put(box, "t/old");
	int dir = openat(box, "t", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_expect_eq(ociwp_tree_sweep_in(dir, &sweep), 0);
	close(dir);
	cr_expect(there(box, "t"));
	cr_expect_not(there(box, "t/old"));
	box_close(box);
}

Test(fsys_tree, a_sweep_takes_single_names_too)
{
	int box = box_open(), bare = 0;
	ociwp_tree_sweep sweep = {keep_by_name, count_bare, &bare};
	put(box, "old");
	put(box, "keep");
	cr_expect_eq(ociwp_tree_sweep_name(box, 1, "old", true, &sweep), 0);
	cr_expect_eq(ociwp_tree_sweep_name(box, 1, "keep", true, &sweep), 0);
	cr_expect_eq(ociwp_tree_sweep_name(box, 1, "none", true, &sweep), 0);
	cr_expect_not(there(box, "old"));
	cr_expect(there(box, "keep"));
	box_close(box);
}

static int close_up(void *data, int fd, uint64_t inode)
{
	cr_expect_neq(inode, 0);
	++*(int *)data;
	return fchmod(fd, 0500);
}

Test(fsys_tree, directories_are_visited_from_the_leaves_up)
{
	int box = box_open(), count = 0;
	cr_assert_eq(mkdirat(box, "a", 0755), 0);
	cr_assert_eq(mkdirat(box, "a/b", 0755), 0);
	cr_assert_eq(mkdirat(box, "c", 0755), 0);
	cr_assert_eq(symlinkat("a", box, "l"), 0);
	put(box, "a/f");
	cr_expect_eq(ociwp_tree_directories(box, false, close_up, &count), 0);
	cr_expect_eq(count, 4);
	box_close(box);
}

static int count_only(void *data, int fd, uint64_t inode)
{
	(void)fd;
	(void)inode;
	++*(int *)data;
	return 0;
}

static int stop(void *data, int fd, uint64_t inode)
{
	(void)data;
	(void)fd;
	(void)inode;
	return 77;
}

Test(fsys_tree, a_visit_can_be_ended)
{
	int box = box_open();
	cr_expect_eq(ociwp_tree_directories(box, false, stop, NULL), 77);
	box_close(box);
}

/* A tree that others read is looked at as it is. */
Test(fsys_tree, a_visit_may_leave_closed_directories_alone)
{
	int box = box_open(), count = 0;
	struct stat st;
	cr_assert_eq(mkdirat(box, "a", 0755), 0);
	cr_assert_eq(mkdirat(box, "a/b", 0), 0);
	cr_expect_eq(ociwp_tree_directories(box, true, count_only, &count), 0);
	cr_expect_eq(count, geteuid() == 0 ? 3 : 2);
	cr_assert_eq(fstatat(box, "a/b", &st, 0), 0);
	cr_expect_eq(st.st_mode & 07777, 0);
	box_close(box);
}
