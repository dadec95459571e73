/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "io/stream.h"

#include <criterion/criterion.h>

Test(mem, a_reader_gives_the_bytes_and_then_the_end)
{
	OCIWP_AUTO(reader) ociw_reader *reader = NULL;
	char buf[4];

	cr_assert_eq(ociw_reader_new_memory((ociw_span){"abc", 3}, &reader, NULL), 0);
	cr_assert_eq(ociw_reader_read(reader, buf, 2, NULL), 2);
	cr_assert_eq(ociw_reader_read(reader, buf, 4, NULL), 1);
	cr_assert_eq(buf[0], 'c');
	cr_assert_eq(ociw_reader_read(reader, buf, 4, NULL), 0);
}

Test(mem, an_empty_span_may_have_no_pointer)
{
	OCIWP_AUTO(reader) ociw_reader *reader = NULL;
	char c;

	cr_assert_eq(ociw_reader_new_memory((ociw_span){NULL, 0}, &reader, NULL), 0);
	cr_assert_eq(ociw_reader_read(reader, &c, 1, NULL), 0);
}

Test(mem, a_buffer_writer_takes_exactly_its_cap)
{
	OCIWP_AUTO(buf) ociwp_buf buf = OCIWP_BUF_INIT;
	ociw_writer *writer;

	cr_assert_eq(ociwp_writer_new_buf(&buf, 3, &writer, NULL), 0);
	cr_assert_eq(ociw_writer_write(writer, "abc", 3, NULL), 0);
	cr_assert_eq(ociw_writer_commit(writer, NULL), 0);
	cr_assert_str_eq(buf.data, "abc");
}
