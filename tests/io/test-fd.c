/* SPDX-License-Identifier: Apache-2.0 */
#include "io/stream.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int file_with(const char *text)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	cr_assert_eq(ociwp_pwrite_full(fd, text, strlen(text), 0), 0);
	return fd;
}

Test(fd, what_was_written_is_read)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	OCIWP_AUTO(reader) ociw_reader *reader = NULL;
	ociw_writer *writer;
	char buf[8];

	cr_assert_eq(ociw_writer_new_fd(dup(fd), &writer, NULL), 0);
	cr_assert_eq(ociw_writer_write(writer, "hello", 5, NULL), 0);
	cr_assert_eq(ociw_writer_commit(writer, NULL), 0);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	cr_assert_eq(ociw_reader_new_fd(fd, &reader, NULL), 0);
	cr_assert_eq(ociwp_read_full(reader, buf, 8, NULL), 5);
	cr_assert_eq(memcmp(buf, "hello", 5), 0);
}

Test(fd, a_full_disk_is_an_io_error_with_its_errno)
{
	ociw_writer *writer;
	ociw_error *err = NULL;

	cr_assert_eq(ociw_writer_new_fd(open("/dev/full", O_WRONLY | O_CLOEXEC), &writer, NULL), 0);
	cr_assert_eq(ociw_writer_write(writer, "x", 1, &err), OCIW_ERR_IO);
	cr_assert_eq(ociw_error_errno(err), 28);
	ociw_error_free(err);
	ociw_writer_abort(writer);
}

Test(fd, a_range_gives_its_bytes_alone)
{
	OCIWP_AUTO(fd) int fd = file_with("0123456789");
	OCIWP_AUTO(reader) ociw_reader *reader = NULL;
	char buf[16];

	cr_assert_eq(ociwp_reader_new_file_range(fd, 3, 4, &reader, NULL), 0);
	cr_assert_eq(ociwp_read_full(reader, buf, sizeof(buf), NULL), 4);
	cr_assert_eq(memcmp(buf, "3456", 4), 0);
}

Test(fd, a_range_past_the_end_of_the_file_is_an_error_not_an_end)
{
	OCIWP_AUTO(fd) int fd = file_with("0123");
	OCIWP_AUTO(reader) ociw_reader *reader = NULL;
	char buf[16];

	cr_assert_eq(ociwp_reader_new_file_range(fd, 2, 4, &reader, NULL), 0);
	cr_assert_eq(ociw_reader_read(reader, buf, sizeof(buf), NULL), 2);
	cr_assert_eq(ociw_reader_read(reader, buf, sizeof(buf), NULL), OCIW_ERR_SIZE);
}

Test(fd, a_range_that_overflows_is_refused)
{
	ociw_reader *reader;

	cr_assert_eq(ociwp_reader_new_file_range(0, UINT64_MAX, 2, &reader, NULL),
		     OCIW_ERR_INVALID);
}
