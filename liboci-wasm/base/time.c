/* SPDX-License-Identifier: Apache-2.0
 *
 * Times as text.
 */
#include "base/time.h"

#include <stdio.h>
#include <time.h>

bool ociwp_time_format(int64_t seconds, bool zulu, char out[OCIWP_TIME_TEXT_MAX])
{
	time_t value = (time_t)seconds;
	struct tm tm;

	if ((int64_t)value != seconds || !gmtime_r(&value, &tm) || tm.tm_year < -1900 ||
	    tm.tm_year > 8099)
		return false;
	(void)snprintf(out, OCIWP_TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d%s",
		       tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
		       tm.tm_sec, zulu ? "Z" : "+00:00");
	return true;
}

uint64_t ociwp_monotonic_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
