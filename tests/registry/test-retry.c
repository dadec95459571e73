/* SPDX-License-Identifier: Apache-2.0
 *
 * The retry policy (RET-1..3; vector V42 re-expressed).
 */
#include "registry/retry.h"

#include <criterion/criterion.h>

Test(retry, statuses_are_tried_again_or_not)
{
	static const int again[] = {408, 429, 499, 500, 502, 503, 504, 522};
	static const int never[] = {200, 201, 301, 307, 400, 401, 403,
	                            404, 405, 409, 412, 413, 416, 501};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(again); i++)
		cr_assert(ociwp_retry_status(again[i]), "%d", again[i]);
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(never); i++)
		cr_assert_not(ociwp_retry_status(never[i]), "%d", never[i]);
}

Test(retry, failures_are_tried_again_or_not)
{
	cr_assert(ociwp_retry_failure(OCIWP_FAILURE_CONNECT));
	cr_assert(ociwp_retry_failure(OCIWP_FAILURE_LOST));
	cr_assert(ociwp_retry_failure(OCIWP_FAILURE_TLS));
	cr_assert_not(ociwp_retry_failure(OCIWP_FAILURE_VERIFY));
	cr_assert_not(ociwp_retry_failure(OCIWP_FAILURE_LOCAL));
	cr_assert_not(ociwp_retry_failure(OCIWP_FAILURE_PROTOCOL));
	cr_assert_not(ociwp_retry_failure(OCIWP_FAILURE_NONE));
}

Test(retry, delays_double_up_to_half_a_minute)
{
	static const uint64_t middle[] = {0, 250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
	for (unsigned i = 0; i < OCIWP_ARRAY_LEN(middle); i++) {
		for (uint32_t random = 0; random < 10000; random += 37) {
			uint64_t delay = ociwp_retry_delay_ms(i, random);
			cr_assert_geq(delay, middle[i] - middle[i] / 10);
			cr_assert_leq(delay, middle[i] + middle[i] / 10);
		}
	}
	cr_assert_leq(ociwp_retry_delay_ms(4000000000u, 7), 33000);
}

Test(retry, retry_after_is_seconds_or_a_date)
{
	uint64_t ms = 0;
	/* 1994-11-06T08:49:37Z */
	const int64_t now = 784111777;
	cr_assert(ociwp_retry_after("7", now, &ms));
	cr_assert_eq(ms, 7000);
	cr_assert(ociwp_retry_after("Sun, 06 Nov 1994 08:49:47 GMT", now, &ms));
	cr_assert_eq(ms, 10000);
	cr_assert(ociwp_retry_after("Sun, 06 Nov 1994 08:49:00 GMT", now, &ms));
	cr_assert_eq(ms, 0);
	cr_assert(ociwp_retry_after("99999999999999999999", now, &ms) == false);
	cr_assert(ociwp_retry_after("18446744073709551615", now, &ms));
	cr_assert_eq(ms, UINT64_MAX);
	cr_assert_not(ociwp_retry_after("soon", now, &ms));
	cr_assert_not(ociwp_retry_after("", now, &ms));
}
