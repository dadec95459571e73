/* SPDX-License-Identifier: Apache-2.0 */
#include "../support/streams.h"
#include "base/buf.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

Test(stream, errors_are_sticky)
{
	OCIWP_AUTO(reader) ociw_reader *reader = slow_reader_new("ab", 2, 1, OCIW_ERR_IO, NULL);
	char buf[8];

	cr_assert_eq(ociw_reader_read(reader, buf, 8, NULL), 1);
	cr_assert_eq(ociw_reader_read(reader, buf, 8, NULL), 1);
	for (int i = 0; i < 3; i++) {
		ociw_error *err = NULL;
		cr_assert_eq(ociw_reader_read(reader, buf, 8, &err), OCIW_ERR_IO);
		cr_assert_not_null(err);
		ociw_error_free(err);
	}
	ociw_error *err = NULL;
	cr_assert_eq(ociw_reader_close(ociwp_steal(&reader), &err), OCIW_ERR_IO);
	ociw_error_free(err);
}

Test(stream, the_end_stays_the_end)
{
	OCIWP_AUTO(reader) ociw_reader *reader = slow_reader_new("a", 1, 1, 0, NULL);
	char c;

	cr_assert_eq(ociw_reader_read(reader, &c, 1, NULL), 1);
	cr_assert_eq(ociw_reader_read(reader, &c, 1, NULL), 0);
	cr_assert_eq(ociw_reader_read(reader, &c, 1, NULL), 0);
}

Test(stream, read_full_joins_short_reads)
{
	OCIWP_AUTO(reader) ociw_reader *reader = slow_reader_new("abcdef", 6, 1, 0, NULL);
	char buf[8] = "";

	cr_assert_eq(ociwp_read_full(reader, buf, 4, NULL), 4);
	cr_assert_eq(memcmp(buf, "abcd", 4), 0);
	cr_assert_eq(ociwp_read_full(reader, buf, 4, NULL), 2);
}

Test(stream, read_all_keeps_the_cap_and_ends_with_nul)
{
	OCIWP_AUTO(str) char *text = NULL;
	ociw_error *err = NULL;
	size_t len;

	cr_assert_eq(ociwp_read_all(slow_reader_new("hello", 5, 2, 0, NULL), 5, &text, &len, &err), 0);
	cr_assert_eq(len, 5);
	cr_assert_str_eq(text, "hello");
	char *none;
	cr_assert_eq(ociwp_read_all(slow_reader_new("hello", 5, 2, 0, NULL), 4, &none, &len, &err),
		     OCIW_ERR_LIMIT);
	cr_assert_null(none);
	ociw_error_free(err);
}

Test(stream, a_reader_is_closed_exactly_once_by_those_who_take_it)
{
	int closed = 0;
	size_t len;
	char *text;

	cr_assert_eq(ociwp_read_all(slow_reader_new("x", 1, 1, OCIW_ERR_IO, &closed), 9, &text,
				    &len, NULL), OCIW_ERR_IO);
	cr_assert_eq(closed, 1);
	cr_assert_eq(ociwp_reader_drain(slow_reader_new("x", 1, 1, 0, &closed), NULL), 0);
	cr_assert_eq(closed, 2);
}

Test(stream, copy_moves_everything_and_stops_when_cancelled)
{
	OCIWP_AUTO(buf) ociwp_buf buf = OCIWP_BUF_INIT;
	OCIWP_AUTO(reader) ociw_reader *reader = slow_reader_new("0123456789", 10, 3, 0, NULL);
	ociw_cancel *cancel = ociw_cancel_new();
	ociw_writer *writer;
	ociw_op op = OCIW_OP_INIT;
	uint64_t copied;

	cr_assert_eq(ociwp_writer_new_buf(&buf, 100, &writer, NULL), 0);
	cr_assert_eq(ociwp_copy_stream(reader, writer, NULL, &copied, NULL), 0);
	cr_assert_eq(copied, 10);
	cr_assert_str_eq(buf.data, "0123456789");
	op.cancel = cancel;
	ociw_cancel_trigger(cancel);
	cr_assert_eq(ociwp_copy_stream(reader, writer, &op, NULL, NULL), OCIW_ERR_CANCELLED);
	ociw_writer_abort(writer);
	ociw_cancel_free(cancel);
}

Test(stream, a_writer_that_failed_cannot_be_committed)
{
	OCIWP_AUTO(buf) ociwp_buf buf = OCIWP_BUF_INIT;
	ociw_writer *writer;
	ociw_error *err = NULL;

	cr_assert_eq(ociwp_writer_new_buf(&buf, 2, &writer, NULL), 0);
	cr_assert_eq(ociw_writer_write(writer, "abc", 3, NULL), OCIW_ERR_LIMIT);
	cr_assert_eq(ociw_writer_write(writer, "a", 1, NULL), OCIW_ERR_LIMIT);
	cr_assert_eq(ociw_writer_commit(writer, &err), OCIW_ERR_LIMIT);
	ociw_error_free(err);
}

Test(stream, write_full_reports_the_errno)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	cr_assert_neq(ociwp_write_full(fd, "x", 1), 0);
	close(fd);
}

Test(stream, random_bytes_fill_all_of_the_buffer)
{
	uint8_t a[600] = {0}, b[600] = {0};
	size_t zeros = 0;

	cr_assert_eq(ociwp_random(a, sizeof(a)), 0);
	cr_assert_eq(ociwp_random(b, sizeof(b)), 0);
	cr_assert_neq(memcmp(a, b, sizeof(a)), 0);
	for (size_t i = 0; i < 8; i++)
		zeros += a[sizeof(a) - 1 - i] == 0;
	cr_assert_lt(zeros, 8, "the end was not written");
}
