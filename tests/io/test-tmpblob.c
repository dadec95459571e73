/* SPDX-License-Identifier: Apache-2.0
 *
 * Temporary files leave no name behind.
 */
#include "../support/test-streams.h"
#include "io/tmpblob.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

Test(tmpblob, is_private_empty_and_has_no_name)
{
	int fd = -1;
	struct stat st;
	cr_assert_eq(ociwp_tmpblob_open(NULL, &fd, NULL), 0);
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_eq(st.st_nlink, 0);
	cr_expect_eq(st.st_size, 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
	cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	cr_expect_eq(write(fd, "x", 1), 1);
	close(fd);
}

Test(tmpblob, a_folder_that_is_not_there_is_an_error)
{
	int fd = -1;
	ociw_error *err = NULL;
	int r = ociwp_tmpblob_open("/no/such/folder", &fd, &err);
	test_expect(r, OCIW_ERR_NOTFOUND, &err, "/no/such/folder");
	cr_expect_eq(fd, -1);
}

Test(tmpblob, a_relative_tmpdir_is_not_used)
{
	int fd = -1;
	setenv("TMPDIR", "no-such-folder", 1);
	cr_expect_eq(ociwp_tmpblob_open(NULL, &fd, NULL), 0);
	close(fd);
}
