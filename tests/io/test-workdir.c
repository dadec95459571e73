/* SPDX-License-Identifier: Apache-2.0
 *
 * Folders that the next one heals: what a killed process left goes, what is in use or not ours stays.
 */
#include "io/workdir.h"

#include "../support/test-streams.h"
#include "base/str.h"
#include "io/fsys-tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEAD ".oci-wasm.0123456789abcdef.partial"

/* A folder for temporary files of the test's own. */
struct temp {
	char path[32];
	int fd;
};

static struct temp temp_new(mode_t mode)
{
	struct temp temp = {.path = "/tmp/test-workdir-XXXXXX"};
	cr_assert(mkdtemp(temp.path));
	cr_assert_eq(chmod(temp.path, mode), 0);
	temp.fd = open(temp.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(temp.fd, 0);
	return temp;
}

static size_t temp_count(const struct temp *temp)
{
	size_t count = 0;
	DIR *dir = opendir(temp->path);
	cr_assert(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

static void temp_free(const struct temp *temp)
{
	OCIWP_AUTO(fd) int parent = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	close(temp->fd);
	cr_expect_eq(ociwp_tree_remove(parent, strrchr(temp->path, '/') + 1), 0);
}

static void make(const struct temp *temp, ociwp_workdir *out)
{
	char *path = NULL;
	ociw_error *err = NULL;
	int r = ociwp_workdir_make_temp(temp->path, out, &path, &err);
	cr_assert_eq(r, 0, "%s", ociw_error_message(err));
	cr_expect_eq(access(path, R_OK | W_OK | X_OK), 0);
	free(path);
}

Test(workdir, is_private_and_goes_with_all_that_is_in_it)
{
	struct temp temp = temp_new(01777);
	ociwp_workdir workdir;
	struct stat st;
	make(&temp, &workdir);
	cr_assert_eq(fstat(workdir.fd, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0700);
	cr_assert_eq(mkdirat(workdir.fd, "d", 0700), 0);
	cr_assert_eq(mkdirat(workdir.fd, "d/e", 0), 0);
	ociwp_workdir_remove(&workdir);
	cr_expect_eq(temp_count(&temp), 0);
	ociwp_workdir_remove(&workdir); /* nothing more */
	temp_free(&temp);
}

Test(workdir, what_a_killed_process_left_is_removed_by_the_next_and_what_is_in_use_is_not)
{
	struct temp temp = temp_new(01777);
	ociwp_workdir workdir, second;
	pid_t child = fork();
	if (child == 0) {
		make(&temp, &workdir);
		(void)mkdirat(workdir.fd, "d", 0);
		kill(getpid(), SIGKILL);
	}
	cr_assert_eq(waitpid(child, NULL, 0), child);
	cr_expect_eq(temp_count(&temp), 1, "the dead one's");
	make(&temp, &workdir);
	cr_expect_eq(temp_count(&temp), 1, "only ours");
	make(&temp, &second);
	cr_expect_eq(temp_count(&temp), 2, "one in use is left alone");
	ociwp_workdir_remove(&second);
	ociwp_workdir_remove(&workdir);
	temp_free(&temp);
}

Test(workdir, a_link_with_such_a_name_is_not_followed_and_a_pipe_stops_nobody)
{
	struct temp temp = temp_new(01777), precious = temp_new(0755);
	ociwp_workdir workdir;
	cr_assert_eq(mkdirat(precious.fd, "d", 0755), 0);
	cr_assert_eq(symlinkat(precious.path, temp.fd, DEAD), 0);
	cr_assert_eq(mkfifoat(temp.fd, ".x.0000000000000000.partial", 0666), 0);
	make(&temp, &workdir);
	ociwp_workdir_remove(&workdir);
	cr_expect_eq(temp_count(&precious), 1);
	cr_expect_eq(temp_count(&temp), 2);
	temp_free(&temp);
	temp_free(&precious);
}

Test(workdir, a_link_inside_a_leftover_is_removed_and_not_what_it_leads_to)
{
	struct temp temp = temp_new(01777), precious = temp_new(0755);
	ociwp_workdir workdir;
	cr_assert_eq(mkdirat(precious.fd, "d", 0755), 0);
	cr_assert_eq(mkdirat(temp.fd, DEAD, 0700), 0);
	cr_assert_eq(symlinkat(precious.path, temp.fd, DEAD "/link"), 0);
	make(&temp, &workdir);
	cr_expect_eq(temp_count(&temp), 1);
	ociwp_workdir_remove(&workdir);
	cr_expect_eq(temp_count(&precious), 1);
	temp_free(&temp);
	temp_free(&precious);
}

/* Without the sticky bit anybody may rename a folder of ours to such a name, and have us remove it. */
Test(workdir, where_all_may_rename_nothing_is_taken_for_a_leftover)
{
	static const mode_t modes[] = {0777, 01777, 0775};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(modes); i++) {
		struct temp temp = temp_new(modes[i]);
		ociwp_workdir workdir;
		cr_assert_eq(mkdirat(temp.fd, DEAD, 0755), 0);
		make(&temp, &workdir);
		ociwp_workdir_remove(&workdir);
		cr_expect_eq(temp_count(&temp), modes[i] == 0777, "mode %o", modes[i]);
		temp_free(&temp);
	}
}

Test(workdir, what_another_user_left_in_a_shared_folder_stays)
{
	if (geteuid() != 0)
		cr_skip_test("needs the superuser");
	struct temp temp = temp_new(01777);
	ociwp_workdir workdir;
	cr_assert_eq(mkdirat(temp.fd, DEAD, 0755), 0);
	cr_assert_eq(fchownat(temp.fd, DEAD, 1000, 1000, 0), 0);
	make(&temp, &workdir);
	ociwp_workdir_remove(&workdir);
	cr_expect_eq(temp_count(&temp), 1);
	temp_free(&temp);
}

Test(workdir, a_folder_that_nobody_may_list_will_do)
{
	struct temp temp = temp_new(0300);
	ociwp_workdir workdir;
	make(&temp, &workdir);
	ociwp_workdir_remove(&workdir);
	cr_expect_eq(temp_count(&temp), 0);
	cr_assert_eq(chmod(temp.path, 0700), 0);
	temp_free(&temp);
}

Test(workdir, a_parent_that_is_not_there_is_told)
{
	ociwp_workdir workdir;
	char *path = NULL;
	ociw_error *err = NULL;
	int r = ociwp_workdir_make_temp("/no/such/folder", &workdir, &path, &err);
	test_expect(r, OCIW_ERR_NOTFOUND, &err, "/no/such/folder");
	cr_expect_null(path);
	ociwp_workdir_remove(&workdir);
}
