/* SPDX-License-Identifier: Apache-2.0
 *
 * Times as text, without locale or time zone. RFC 3339 in UTC.
 */
#ifndef OCIW_BASE_TIME_H
#define OCIW_BASE_TIME_H

#include <oci-wasm/export.h>

#define OCIWP_TIME_TEXT_MAX 40

/* "2026-01-02T03:04:05+00:00" (@p zulu: "...Z"); false when the year does not fit 0000..9999. */
bool ociwp_time_format(int64_t seconds, bool zulu, char out[OCIWP_TIME_TEXT_MAX]);
/* Milliseconds of the monotonic clock. */
uint64_t ociwp_monotonic_ms(void);

#endif
