/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>

Test(time, text_is_utc_whatever_the_zone)
{
	char text[OCIWP_TIME_TEXT_MAX];

	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	cr_assert(ociwp_time_format(1767323045, false, text));
	cr_assert_str_eq(text, "2026-01-02T03:04:05+00:00");
	cr_assert(ociwp_time_format(0, true, text));
	cr_assert_str_eq(text, "1970-01-01T00:00:00Z");
}

Test(time, years_past_four_digits_are_refused)
{
	char text[OCIWP_TIME_TEXT_MAX];

	cr_assert(ociwp_time_format(INT64_C(253402300799), true, text));
	cr_assert_not(ociwp_time_format(INT64_C(253402300800), true, text));
	cr_assert_not(ociwp_time_format(INT64_MAX, true, text));
}

Test(time, the_monotonic_clock_does_not_go_back)
{
	uint64_t before = ociwp_monotonic_ms();

	cr_assert_geq(ociwp_monotonic_ms(), before);
}
