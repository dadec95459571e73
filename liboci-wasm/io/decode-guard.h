/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits that every decoder keeps: bytes out, and bytes out against bytes in (extraction.md R1, 3).
 */
#ifndef OCIW_IO_DECODE_GUARD_H
#define OCIW_IO_DECODE_GUARD_H

#include "io/compress.h"

#define OCIWP_DECODE_RATIO_DEFAULT 1000
/* Small streams may have any ratio: a page of zeros is no attack. */
#define OCIWP_DECODE_RATIO_FROM ((uint64_t)64 << 20)

typedef struct ociwp_decode_guard {
	uint64_t max_ratio, max_bytes; /* no zero inside */
	uint64_t total_in, total_out;
} ociwp_decode_guard;

void ociwp_decode_guard_init(ociwp_decode_guard *guard, const ociwp_decode_options *options);
/* @p produced more bytes came out, after total_in was brought up to date: OCIW_ERR_LIMIT when that
 * is over a limit, and then none of them are to be handed on. */
int ociwp_decode_guard_count(ociwp_decode_guard *guard, size_t produced, ociw_error **err);

#endif
