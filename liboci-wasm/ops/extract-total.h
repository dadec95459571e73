/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoded bytes of one image, counted over all of its streams (specs/extraction.md R1).
 */
#ifndef OCIW_OPS_EXTRACT_TOTAL_H
#define OCIW_OPS_EXTRACT_TOTAL_H

#include "io/stream.h"

/* A reader that adds what passes to *total and fails with LIMIT at the first byte over @p max.
 * @p take_inner is taken in any case; *total must outlive it. */
int ociwp_extract_total(ociw_reader *take_inner, uint64_t *total, uint64_t max, ociw_reader **out,
			ociw_error **err);

#endif
