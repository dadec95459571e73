/* SPDX-License-Identifier: Apache-2.0
 *
 * The lock of a draft as a layer (spin.md 3.2): contents filled in as digest and inline bytes,
 * written as a stream. Which files it names is the format's choice.
 */
#ifndef OCIW_FORMAT_LOCK_LAYER_H
#define OCIW_FORMAT_LOCK_LAYER_H

#include "format/draft.h"

/* Which files of a component a lock names. */
typedef struct ociwp_lock_pick {
	size_t *files; /* indexes, growing; owned */
	size_t count;
	bool marker; /* also an empty file OCIWP_LOCK_MARKER */
} ociwp_lock_pick;

/* The file that stands for a directory whose files come from elsewhere (spin-node.md 4). */
#define OCIWP_LOCK_MARKER ".oci-wasm"

/* Writes the lock, adds it to the draft's memory; *out is its descriptor. @p picks: index-parallel
 * with the components, or NULL for all files. */
int ociwp_lock_layer_add(ociwp_draft *draft, const ociwp_lock_pick *picks, ociw_descriptor **out,
                         ociw_error **err);

#endif
