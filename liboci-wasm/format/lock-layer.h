/* SPDX-License-Identifier: Apache-2.0
 *
 * The lock of a draft as a layer (spin.md 3.2): contents filled in as digest and inline bytes,
 * written as a stream. Which files it names is the format's choice.
 */
#ifndef OCIW_FORMAT_LOCK_LAYER_H
#define OCIW_FORMAT_LOCK_LAYER_H

#include "base/buf.h"
#include "format/draft.h"
#include <pthread.h>

/* Which files of a component a lock names. */
typedef struct ociwp_lock_pick {
	size_t *files; /* indexes, growing; owned */
	size_t count;
	bool marker; /* also an empty file OCIWP_LOCK_MARKER */
} ociwp_lock_pick;

/* The file that stands for a directory whose files come from elsewhere (spin-node.md 4). */
#define OCIWP_LOCK_MARKER ".oci-wasm"

/* A lock on its way to a layer. */
typedef struct ociwp_lock_layer {
	const ociwp_draft *draft;
	const ociwp_lock_pick *picks; /* borrowed, or NULL */
	bool spooled;                 /* to fd, else to text */
	int fd;
	ociwp_buf text;
	ociw_digest digest;
	uint64_t size;
	/* Where the writing is: */
	size_t marker_at;
	char digest_text[OCIW_DIGEST_TEXT_MAX];
	/* By a thread beside the caller: */
	bool beside;
	pthread_t thread;
	int code;
	ociw_error *error;
} ociwp_lock_layer;

/* Writes the lock: a long one meanwhile, on a core that may be idle, a short one at the end. Until then the
 * draft may be read, and nothing of it changed. @p picks: index-parallel with the components, or NULL for
 * all files. Whatever the result, deinit. */
int ociwp_lock_layer_begin(const ociwp_draft *draft, const ociwp_lock_pick *picks,
                           ociwp_lock_layer *out, ociw_error **err);
/* Adds it to @p memory; *out is its descriptor. */
int ociwp_lock_layer_end(ociwp_lock_layer *layer, ociwp_memory *memory, ociw_descriptor **out,
                         ociw_error **err);
void ociwp_lock_layer_deinit(ociwp_lock_layer *layer);

/* All of that, into the draft's memory. */
int ociwp_lock_layer_add(const ociwp_draft *draft, const ociwp_lock_pick *picks, ociw_descriptor **out,
                         ociw_error **err);

#endif
