/* SPDX-License-Identifier: Apache-2.0
 *
 * What is tried again, and when (RET-1..3). Pure functions.
 */
#ifndef OCIW_REGISTRY_RETRY_H
#define OCIW_REGISTRY_RETRY_H

#include "registry/transport.h"

/* A longer wait than this is not waited for: the error says when to come back. */
#define OCIWP_RETRY_AFTER_MAX_MS 120000u

bool ociwp_retry_status(int status);
bool ociwp_retry_failure(ociwp_failure failure);
/* Delay before try @p number (1 = the first repetition): 250 ms doubled, at most 30 s, -10..+10 %
 * by @p random. */
uint64_t ociwp_retry_delay_ms(unsigned number, uint32_t random);
/* Retry-After as milliseconds from @p now_s (seconds since 1970): seconds or an HTTP date. False
 * when it is neither. */
bool ociwp_retry_after(const char *value, int64_t now_s, uint64_t *out_ms);
/* Some random bits for the jitter. */
uint32_t ociwp_retry_random(void);

#endif
