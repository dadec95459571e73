/* SPDX-License-Identifier: Apache-2.0 */
#include "../support/streams.h"

#include <criterion/criterion.h>

Test(limit, exactly_the_limit_passes)
{
	ociw_reader *reader;

	cr_assert_eq(ociwp_reader_limit(slow_reader_new("abc", 3, 1, 0, NULL), 3, "x", &reader,
					NULL), 0);
	cr_assert_eq(ociwp_reader_drain(reader, NULL), 0);
}

Test(limit, the_first_byte_over_it_is_refused_with_its_name)
{
	ociw_reader *reader;
	ociw_error *err = NULL;

	cr_assert_eq(ociwp_reader_limit(slow_reader_new("abcd", 4, 4, 0, NULL), 3, "answer",
					&reader, NULL), 0);
	cr_assert_eq(ociwp_reader_drain(reader, &err), OCIW_ERR_LIMIT);
	cr_assert_str_eq(ociw_error_message(err), "answer: more than 3 bytes");
	ociw_error_free(err);
}
