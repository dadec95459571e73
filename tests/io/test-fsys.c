/* SPDX-License-Identifier: Apache-2.0
 *
 * The walker (extraction.md D1-D4), by openat2 and by the portable way: both must give the same.
 */
#include "base/str.h"
#include "io/fsys-tree.h"
#include "io/fsys.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* A fresh sandbox: outside/secret beside root/. */
struct box {
	char dir[64];
	int fd, root;
	ociwp_fsys *fs;
};

static void put(int dir, const char *path, const char *text)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static struct box box_new(unsigned flags)
{
	struct box box;
	snprintf(box.dir, sizeof(box.dir), "/tmp/ociw-fsys-XXXXXX");
	cr_assert_not_null(mkdtemp(box.dir));
	box.fd = open(box.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(mkdirat(box.fd, "outside", 0755), 0);
	put(box.fd, "outside/secret", "secret");
	cr_assert_eq(mkdirat(box.fd, "root", 0755), 0);
	box.root = openat(box.fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(ociwp_fsys_new(dup(box.root), flags, &box.fs, NULL), 0);
	return box;
}

static void box_free(struct box *box)
{
	char *name = strrchr(box->dir, '/') + 1;
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ociwp_fsys_free(box->fs);
	close(box->root);
	close(box->fd);
	cr_expect_eq(ociwp_tree_remove(tmp, name), 0);
	close(tmp);
}

static int walk(struct box *box, const char *path, bool make, ociwp_fsys_at *at, char *why)
{
	ociw_error *err = NULL;
	int r = ociwp_fsys_walk(box->fs, path, make, at, &err);
	if (why)
		snprintf(why, 512, "%s", ociw_error_message(err));
	cr_expect_eq(ociw_error_code(err), r);
	ociw_error_free(err);
	return r;
}

/* Same inode as @p path seen from the sandbox. */
static bool is_at(const struct box *box, const ociwp_fsys_at *at, const char *path)
{
	struct stat a, b;
	return fstat(at->fd, &a) == 0 && fstatat(box->fd, path, &b, 0) == 0 &&
	       a.st_ino == b.st_ino && a.st_dev == b.st_dev && at->inode == (uint64_t)a.st_ino;
}

static const unsigned both_ways[] = {0, OCIWP_FSYS_NO_OPENAT2};

#define BOTH_WAYS(name)                                                                              \
	ParameterizedTestParameters(fsys, name)                                                      \
	{                                                                                            \
		return cr_make_param_array(const unsigned, (void *)both_ways, 2);                    \
	}                                                                                            \
	ParameterizedTest(const unsigned *flags, fsys, name)

BOTH_WAYS(a_name_at_the_top_lies_in_the_root)
{
	struct box box = box_new(*flags);
	ociwp_fsys_at at;
	cr_assert_eq(walk(&box, "a", false, &at, NULL), 0);
	cr_expect(is_at(&box, &at, "root"));
	cr_expect_str_eq(at.name, "a");
	box_free(&box);
}

BOTH_WAYS(missing_parents_are_made_on_request)
{
	struct box box = box_new(*flags);
	ociwp_fsys_at at;
	cr_expect_eq(walk(&box, "a/b/c/f", false, &at, NULL), OCIW_ERR_NOTFOUND);
	cr_assert_eq(walk(&box, "a/b/c/f", true, &at, NULL), 0);
	cr_expect(is_at(&box, &at, "root/a/b/c"));
	cr_expect_str_eq(at.name, "f");
	cr_assert_eq(walk(&box, "a/b/d/f", true, &at, NULL), 0);
	cr_expect(is_at(&box, &at, "root/a/b/d"));
	box_free(&box);
}

BOTH_WAYS(links_resolve_as_after_a_chroot)
{
	struct box box = box_new(*flags);
	ociwp_fsys_at at;
	cr_assert_eq(mkdirat(box.root, "usr", 0755), 0);
	cr_assert_eq(mkdirat(box.root, "usr/lib", 0755), 0);
	cr_assert_eq(symlinkat("usr/lib", box.root, "lib"), 0);
	cr_assert_eq(symlinkat("/usr/lib", box.root, "abs"), 0);
	cr_assert_eq(symlinkat("../../../../usr", box.root, "up"), 0);
	cr_assert_eq(walk(&box, "lib/x", true, &at, NULL), 0);
	cr_expect(is_at(&box, &at, "root/usr/lib"));
	cr_assert_eq(walk(&box, "abs/x", true, &at, NULL), 0);
	cr_expect(is_at(&box, &at, "root/usr/lib"));
	cr_assert_eq(walk(&box, "up/lib/x", true, &at, NULL), 0);
	cr_expect(is_at(&box, &at, "root/usr/lib"));
	box_free(&box);
}

BOTH_WAYS(a_link_to_the_host_leads_nowhere)
{
	struct box box = box_new(*flags);
	ociwp_fsys_at at;
	char target[128], why[512];
	snprintf(target, sizeof(target), "%s/outside", box.dir);
	cr_assert_eq(symlinkat(target, box.root, "out"), 0);
	cr_assert_eq(symlinkat("../outside", box.root, "beside"), 0);
	cr_expect_eq(walk(&box, "out/secret", false, &at, NULL), OCIW_ERR_NOTFOUND);
	cr_expect_eq(walk(&box, "beside/secret", false, &at, NULL), OCIW_ERR_NOTFOUND);
	/* D2: what is missing is not made at the end of a dangling link. */
	cr_expect_eq(walk(&box, "out/new/x", true, &at, why), OCIW_ERR_UNSAFE);
	cr_expect(strstr(why, "dangling link") != NULL, "%s", why);
	cr_expect_eq(faccessat(box.fd, "outside/new", F_OK, 0), -1);
	box_free(&box);
}

BOTH_WAYS(forty_links_are_followed_and_a_loop_is_refused)
{
	struct box box = box_new(*flags);
	ociwp_fsys_at at;
	char name[16], target[16];
	cr_assert_eq(mkdirat(box.root, "end", 0755), 0);
	for (int i = 0; i < 41; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(target, sizeof(target), "l%d", i - 1);
		cr_assert_eq(symlinkat(i ? target : "end", box.root, name), 0);
	}
	cr_assert_eq(symlinkat("loop", box.root, "loop"), 0);
	cr_expect_eq(walk(&box, "l39/x", false, &at, NULL), 0);
	cr_expect_eq(walk(&box, "l40/x", false, &at, NULL), OCIW_ERR_UNSAFE);
	cr_expect_eq(walk(&box, "loop/x", true, &at, NULL), OCIW_ERR_UNSAFE);
	box_free(&box);
}

BOTH_WAYS(a_file_is_no_parent)
{
	struct box box = box_new(*flags);
	ociwp_fsys_at at;
	put(box.root, "f", "x");
	cr_expect_eq(walk(&box, "f/x", true, &at, NULL), OCIW_ERR_FORMAT);
	cr_expect_eq(walk(&box, "f/x/y", true, &at, NULL), OCIW_ERR_FORMAT);
	box_free(&box);
}

BOTH_WAYS(links_can_be_forbidden)
{
	struct box box = box_new(*flags | OCIWP_FSYS_NO_SYMLINKS);
	ociwp_fsys_at at;
	cr_assert_eq(mkdirat(box.root, "d", 0755), 0);
	cr_assert_eq(symlinkat("d", box.root, "l"), 0);
	cr_expect_eq(walk(&box, "d/x", false, &at, NULL), 0);
	cr_expect_eq(walk(&box, "l/x", false, &at, NULL), OCIW_ERR_UNSAFE);
	box_free(&box);
}

BOTH_WAYS(a_directory_that_became_a_link_is_not_trusted_by_name)
{
	struct box box = box_new(*flags);
	ociwp_fsys_at at, top;
	int fd = -1;
	cr_assert_eq(walk(&box, "d/one", true, &at, NULL), 0);
	cr_assert_eq(ociwp_fsys_file(box.fs, &at, &fd, NULL), 0);
	close(fd);
	cr_assert_eq(mkdirat(box.root, "other", 0755), 0);
	cr_assert_eq(walk(&box, "d", false, &top, NULL), 0);
	cr_assert_eq(ociwp_fsys_symlink(box.fs, &top, "/other", NULL), 0);
	cr_assert_eq(walk(&box, "d/two", true, &at, NULL), 0);
	cr_expect(is_at(&box, &at, "root/other"));
	box_free(&box);
}

BOTH_WAYS(a_file_replaces_a_link_without_writing_through_it)
{
	struct box box = box_new(*flags);
	ociwp_fsys_at at;
	struct stat st;
	int fd = -1;
	cr_assert_eq(symlinkat("../outside/secret", box.root, "f"), 0);
	cr_assert_eq(walk(&box, "f", true, &at, NULL), 0);
	cr_assert_eq(ociwp_fsys_file(box.fs, &at, &fd, NULL), 0);
	cr_expect_eq(write(fd, "mine", 4), 4);
	close(fd);
	cr_expect_eq(fstatat(box.root, "f", &st, AT_SYMLINK_NOFOLLOW), 0);
	cr_expect(S_ISREG(st.st_mode));
	cr_expect_eq(fstatat(box.fd, "outside/secret", &st, 0), 0);
	cr_expect_eq(st.st_size, 6);
	box_free(&box);
}

BOTH_WAYS(a_file_replaces_a_tree_and_a_directory_stays_one)
{
	struct box box = box_new(*flags);
	ociwp_fsys_at at;
	struct stat st;
	uint64_t inode = 0;
	int fd = -1;
	cr_assert_eq(walk(&box, "d/e/f", true, &at, NULL), 0);
	cr_assert_eq(ociwp_fsys_file(box.fs, &at, &fd, NULL), 0);
	close(fd);
	cr_assert_eq(walk(&box, "d/e", true, &at, NULL), 0);
	cr_assert_eq(ociwp_fsys_directory(box.fs, &at, &inode, NULL), 0);
	cr_expect_eq(fstatat(box.root, "d/e/f", &st, 0), 0, "what is in it stays");
	cr_assert_eq(walk(&box, "d", true, &at, NULL), 0);
	cr_assert_eq(ociwp_fsys_file(box.fs, &at, &fd, NULL), 0);
	close(fd);
	cr_expect_eq(fstatat(box.root, "d", &st, AT_SYMLINK_NOFOLLOW), 0);
	cr_expect(S_ISREG(st.st_mode));
	cr_assert_eq(ociwp_fsys_directory(box.fs, &at, &inode, NULL), 0);
	cr_expect_eq(fstatat(box.root, "d", &st, AT_SYMLINK_NOFOLLOW), 0);
	cr_expect(S_ISDIR(st.st_mode));
	cr_expect_eq((uint64_t)st.st_ino, inode);
	box_free(&box);
}

BOTH_WAYS(hard_links_need_a_file_that_is_there)
{
	struct box box = box_new(*flags);
	ociwp_fsys_at target, at;
	struct stat a, b;
	put(box.root, "a", "a");
	cr_assert_eq(mkdirat(box.root, "dir", 0755), 0);
	cr_assert_eq(walk(&box, "a", false, &target, NULL), 0);
	cr_assert_eq(walk(&box, "b", true, &at, NULL), 0);
	cr_assert_eq(ociwp_fsys_link(box.fs, &target, &at, NULL), 0);
	cr_expect_eq(ociwp_fsys_link(box.fs, &target, &at, NULL), 0, "again is no harm");
	cr_expect_eq(ociwp_fsys_link(box.fs, &target, &target, NULL), 0, "nor to itself");
	cr_expect_eq(fstatat(box.root, "a", &a, 0), 0);
	cr_expect_eq(fstatat(box.root, "b", &b, 0), 0);
	cr_expect_eq(a.st_ino, b.st_ino);
	cr_assert_eq(walk(&box, "dir", false, &target, NULL), 0);
	cr_expect_eq(ociwp_fsys_link(box.fs, &target, &at, NULL), OCIW_ERR_FORMAT);
	cr_assert_eq(walk(&box, "none", false, &target, NULL), 0);
	cr_expect_eq(ociwp_fsys_link(box.fs, &target, &at, NULL), OCIW_ERR_FORMAT);
	box_free(&box);
}

/* Making room for the link removes what it is to link to. */
BOTH_WAYS(a_hard_link_in_place_of_the_tree_that_holds_its_target_is_refused)
{
	struct box box = box_new(*flags);
	ociwp_fsys_at target, at;
	cr_assert_eq(mkdirat(box.root, "dir", 0755), 0);
	put(box.root, "dir/f", "f");
	cr_assert_eq(walk(&box, "dir/f", false, &target, NULL), 0);
	int kept = dup(target.fd);
	target.fd = kept;
	cr_assert_eq(walk(&box, "dir", false, &at, NULL), 0);
	cr_expect_eq(ociwp_fsys_link(box.fs, &target, &at, NULL), OCIW_ERR_FORMAT);
	close(kept);
	box_free(&box);
}

BOTH_WAYS(a_hard_link_to_a_symbolic_link_is_a_link_to_the_link)
{
	struct box box = box_new(*flags);
	ociwp_fsys_at target, at;
	struct stat st;
	cr_assert_eq(symlinkat("../outside/secret", box.root, "l"), 0);
	cr_assert_eq(walk(&box, "l", false, &target, NULL), 0);
	cr_assert_eq(walk(&box, "m", false, &at, NULL), 0);
	cr_assert_eq(ociwp_fsys_link(box.fs, &target, &at, NULL), 0);
	cr_expect_eq(fstatat(box.root, "m", &st, AT_SYMLINK_NOFOLLOW), 0);
	cr_expect(S_ISLNK(st.st_mode));
	box_free(&box);
}

static int count_made(void *data, uint64_t parent, const char *name, uint64_t inode,
		      ociw_error **err)
{
	(void)parent;
	(void)name;
	if (++*(int *)data > 2)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "enough");
	return inode ? 0 : ociwp_fail(err, OCIW_ERR_INVALID, "no inode");
}

Test(fsys, who_makes_directories_is_told_and_may_stop)
{
	struct box box = box_new(0);
	ociwp_fsys_at at;
	int count = 0;
	ociwp_fsys_on_made(box.fs, count_made, &count);
	cr_expect_eq(walk(&box, "a/b/f", true, &at, NULL), 0);
	cr_expect_eq(count, 2);
	cr_expect_eq(walk(&box, "a/c/f", true, &at, NULL), OCIW_ERR_LIMIT);
	box_free(&box);
}

BOTH_WAYS(directories_open_by_their_whole_path)
{
	struct box box = box_new(*flags);
	struct stat a, b;
	int fd = -1;
	cr_assert_eq(mkdirat(box.root, "d", 0755), 0);
	cr_assert_eq(symlinkat("/d", box.root, "l"), 0);
	cr_assert_eq(ociwp_fsys_open_dir(box.fs, "l", &fd, NULL), 0);
	cr_expect_eq(fstat(fd, &a), 0);
	cr_expect_eq(fstatat(box.root, "d", &b, 0), 0);
	cr_expect_eq(a.st_ino, b.st_ino);
	close(fd);
	cr_expect_eq(ociwp_fsys_open_dir(box.fs, "x", &fd, NULL), OCIW_ERR_NOTFOUND);
	box_free(&box);
}

/* --- a second writer ------------------------------------------------------------------------ */

struct swapper {
	int root;
	atomic_bool stop;
};

/* Makes "d" a directory and a link out of the root, in turns. */
static void *swap(void *arg)
{
	struct swapper *s = arg;
	while (!atomic_load(&s->stop)) {
		renameat(s->root, "d", s->root, "kept");
		symlinkat("../outside", s->root, "d");
		unlinkat(s->root, "d", 0);
		renameat(s->root, "kept", s->root, "d");
	}
	return NULL;
}

BOTH_WAYS(swapping_a_directory_for_a_link_meanwhile_lets_nothing_out)
{
	struct box box = box_new(*flags);
	struct swapper s = {.root = box.root};
	struct stat st;
	pthread_t thread;
	cr_assert_eq(mkdirat(box.root, "d", 0755), 0);
	atomic_init(&s.stop, false);
	cr_assert_eq(pthread_create(&thread, NULL, swap, &s), 0);
	time_t end = time(NULL) + 2;
	for (unsigned i = 0; time(NULL) < end; i++) {
		char path[32];
		ociwp_fsys_at at;
		int fd = -1;
		snprintf(path, sizeof(path), "d/f%u", i % 50);
		ociwp_fsys_forget(box.fs);
		if (ociwp_fsys_walk(box.fs, path, false, &at, NULL) == 0 &&
		    ociwp_fsys_file(box.fs, &at, &fd, NULL) == 0)
			close(fd);
	}
	atomic_store(&s.stop, true);
	pthread_join(thread, NULL);
	for (unsigned i = 0; i < 50; i++) {
		char path[32];
		snprintf(path, sizeof(path), "outside/f%u", i);
		cr_expect_eq(fstatat(box.fd, path, &st, AT_SYMLINK_NOFOLLOW), -1, "%s", path);
	}
	box_free(&box);
}
