/* SPDX-License-Identifier: Apache-2.0
 *
 * The count of decoded bytes (extraction.md R1): over several streams, exact to the byte.
 */
#include "ops/extract-total.h"

#include <criterion/criterion.h>

static int drain(const char *text, uint64_t *total, uint64_t max)
{
	ociw_reader *reader = NULL;
	ociw_span span = {text, strlen(text)};
	cr_assert_eq(ociw_reader_new_memory(span, &reader, NULL), 0);
	cr_assert_eq(ociwp_extract_total(reader, total, max, &reader, NULL), 0);
	return ociwp_reader_drain(reader, NULL);
}

Test(extract_total, streams_add_up_to_the_limit_and_not_a_byte_more)
{
	uint64_t total = 0;
	cr_expect_eq(drain("12345", &total, 10), 0);
	cr_expect_eq(drain("12345", &total, 10), 0);
	cr_expect_eq(total, 10);
	cr_expect_eq(drain("", &total, 10), 0);
	cr_expect_eq(drain("1", &total, 10), OCIW_ERR_LIMIT);
}

Test(extract_total, no_limit_is_no_limit)
{
	uint64_t total = UINT64_MAX - 3;
	cr_expect_eq(drain("123", &total, UINT64_MAX), 0);
}
