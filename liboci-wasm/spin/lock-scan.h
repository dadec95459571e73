/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds the `files` arrays of a lock in its text, so that they need no JSON tree: an app of 20,000
 * files is read in little more memory than its text.
 */
#ifndef OCIW_SPIN_LOCK_SCAN_H
#define OCIW_SPIN_LOCK_SCAN_H

#include "base/alloc.h"
#include "base/error.h"

/* What is between the brackets of `files` of component @p component. */
typedef struct ociwp_lock_files_span {
	size_t component;
	size_t start, end; /* offsets in the text */
} ociwp_lock_files_span;

/* All of them, in order; none when the text has another shape, which a parser then judges whole.
 * The text outside the spans is not judged. NOMEM only. */
int ociwp_lock_scan(ociw_span text, ociwp_lock_files_span **out, size_t *count, ociw_error **err);

/* Next element of such an array from *offset on: its extent. False at the end; *good false when
 * there is no proper list. */
bool ociwp_lock_scan_element(ociw_span text, size_t *offset, bool first, size_t *start, size_t *end,
                             bool *good);

/* One entry of `files`, strings borrowed from the text (not terminated); absent ones have NULL. */
typedef struct ociwp_lock_file_text {
	ociw_span source, inline_text, digest, path;
} ociwp_lock_file_text;

/* Reads the plain form of an entry: an object of these strings without escapes. False for anything
 * else, good or bad, which then takes the way through a JSON tree. */
bool ociwp_lock_scan_file(ociw_span entry, ociwp_lock_file_text *out);

#endif
