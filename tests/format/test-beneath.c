/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of format/beneath: where links may lead.
 */
#include "format/beneath.h"
#include "base/alloc.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], root[128];

static const char *at(const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void touch(const char *name)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0);
	close(fd);
}

static void begin(void)
{
	strcpy(dir, "/tmp/ociw-beneath-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(mkdir(at("app"), 0700), 0);
	cr_assert_eq(mkdir(at("app/sub"), 0700), 0);
	touch("app/file");
	touch("app/sub/file");
	touch("outside");
	cr_assert_eq(symlink("../file", at("app/sub/up")), 0);
	cr_assert_eq(symlink("../../outside", at("app/sub/out")), 0);
	cr_assert_eq(symlink(at("outside"), at("app/far")), 0);
	cr_assert_eq(symlink(at("app/file"), at("app/round")), 0);
	cr_assert_eq(symlink("../app/file", at("app/back")), 0);
	cr_assert_eq(symlink("/proc/self/exe", at("app/magic")), 0);
	cr_assert_eq(symlink("none", at("app/dangling")), 0);
	cr_assert_eq(symlink("app", at("alias")), 0);
	snprintf(root, sizeof(root), "%s", at("app"));
}

static void end(void)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(beneath, .init = begin, .fini = end);

static int open_in(const char *folder, const char *name)
{
	ociwp_beneath beneath;
	char path[256];
	int fd = -1;
	cr_assert_eq(ociwp_beneath_init(&beneath, folder, NULL), 0);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int r = ociwp_beneath_open(&beneath, path, &fd, NULL);
	cr_assert_eq(r == 0, fd >= 0);
	if (fd >= 0)
		close(fd);
	ociwp_beneath_deinit(&beneath);
	return r;
}

Test(beneath, links_may_lead_anywhere_inside_and_nowhere_else)
{
	static const struct {
		const char *name;
		int code;
	} rows[] = {
	        {"file", 0},
	        {"sub/file", 0},
	        {"sub/../file", 0},
	        {"sub/up", 0},
	        {"round", 0}, /* absolute, and back inside */
	        {"back", 0},  /* out and in again */
	        {"sub/out", OCIW_ERR_UNSAFE},
	        {"far", OCIW_ERR_UNSAFE},
	        {"magic", OCIW_ERR_UNSAFE},
	        {"../outside", OCIW_ERR_UNSAFE},
	        {"dangling", OCIW_ERR_NOTFOUND},
	        {"none", OCIW_ERR_NOTFOUND},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_eq(open_in(root, rows[i].name), rows[i].code, "%s", rows[i].name);
}

Test(beneath, the_folder_itself_may_be_behind_a_link)
{
	char alias[128];
	snprintf(alias, sizeof(alias), "%s", at("alias"));
	cr_assert_eq(open_in(alias, "file"), 0);
	cr_assert_eq(open_in(alias, "round"), 0);
	cr_assert_eq(open_in(alias, "far"), OCIW_ERR_UNSAFE);
}

Test(beneath, paths_of_another_folder_are_judged_by_where_they_are)
{
	ociwp_beneath beneath;
	int fd = -1;
	cr_assert_eq(ociwp_beneath_init(&beneath, root, NULL), 0);
	cr_assert_eq(ociwp_beneath_open(&beneath, at("outside"), &fd, NULL), OCIW_ERR_UNSAFE);
	cr_assert_eq(ociwp_beneath_open(&beneath, at("alias/file"), &fd, NULL), 0);
	close(fd);
	ociwp_beneath_deinit(&beneath);
	cr_assert_eq(ociwp_beneath_init(&beneath, at("none"), NULL), OCIW_ERR_NOTFOUND);
	ociwp_beneath_deinit(&beneath);
}
