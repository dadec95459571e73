/* SPDX-License-Identifier: Apache-2.0
 *
 * The retry policy as tables and arithmetic; request.c does the waiting. Requirements RET-1..3.
 */
#include "registry/retry.h"

#include "base/str.h"
#include <curl/curl.h>
#include <sys/random.h>

bool ociwp_retry_status(int status)
{
	switch (status) {
	case 408:
	case 429:
	case 499: /* nginx: client closed request; seen from proxies */
	case 500:
	case 502:
	case 503:
	case 504:
	case 522: /* Cloudflare: connection timed out */
		return true;
	default:
		return false;
	}
}

bool ociwp_retry_failure(ociwp_failure failure)
{
	switch (failure) {
	case OCIWP_FAILURE_CONNECT:
	case OCIWP_FAILURE_TLS:
	case OCIWP_FAILURE_LOST:
		return true;
	case OCIWP_FAILURE_NONE:
	case OCIWP_FAILURE_LOCAL:
	case OCIWP_FAILURE_VERIFY:
	case OCIWP_FAILURE_PROTOCOL:
		return false;
	}
	return false;
}

uint64_t ociwp_retry_delay_ms(unsigned number, uint32_t random)
{
	uint64_t delay = 30000;
	if (number == 0)
		return 0;
	if (number < 8)
		delay = 250u << (number - 1);
	if (delay > 30000)
		delay = 30000;
	return delay - delay / 10 + random % (delay / 5 + 1);
}

bool ociwp_retry_after(const char *value, int64_t now_s, uint64_t *out_ms)
{
	uint64_t seconds;
	size_t len = strcspn(value, " \t");
	if (ociwp_parse_u64(value, len, &seconds)) {
		*out_ms = seconds < UINT64_MAX / 1000 ? seconds * 1000 : UINT64_MAX;
		return true;
	}
	time_t when = curl_getdate(value, NULL);
	if (when == (time_t)-1)
		return false;
	*out_ms = (int64_t)when > now_s ? (uint64_t)((int64_t)when - now_s) * 1000 : 0;
	return true;
}

uint32_t ociwp_retry_random(void)
{
	uint32_t value = 0;
	if (getrandom(&value, sizeof(value), GRND_NONBLOCK) != (ssize_t)sizeof(value))
		return 0;
	return value;
}
