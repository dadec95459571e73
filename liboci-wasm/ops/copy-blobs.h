/* SPDX-License-Identifier: Apache-2.0
 *
 * Moves blobs from one content to another, several at a time. Events reach the caller on the thread
 * that called; the first failure stops the others.
 */
#ifndef OCIW_OPS_COPY_BLOBS_H
#define OCIW_OPS_COPY_BLOBS_H

#include "oci/content.h"
#include "oci/descriptor.h"

typedef struct ociwp_copy_blobs_options {
	const ociw_op *op;
	uint32_t parallel;          /* threads; at least 1 */
	bool send_nondistributable; /* to registries too (LYR-8) */
} ociwp_copy_blobs_options;

/* A layer that may not be given away stays, unless the registry has it or it is wanted there (LYR-8). */
bool ociwp_copy_withholds(const ociw_descriptor *blob, const ociw_content *destination,
                          bool send_nondistributable);

/* Each digest once in @p blobs. */
int ociwp_copy_blobs(ociw_content *source, ociw_content *destination, ociw_descriptor *const *blobs,
                     size_t count, const ociwp_copy_blobs_options *options, ociw_error **err);

/* The same for blobs that become known one by one, while the caller does other work. */
typedef struct ociwp_blob_crew ociwp_blob_crew;
/* Both contents must outlive it. */
int ociwp_blob_crew_new(ociw_content *source, ociw_content *destination,
                        const ociwp_copy_blobs_options *options, ociwp_blob_crew **out,
                        ociw_error **err);
/* Any thread. */
int ociwp_blob_crew_add(ociwp_blob_crew *crew, const ociw_descriptor *blob, ociw_error **err);
/* On the calling thread, now and then: passes events on, checks cancel. Says nothing of blobs that
 * failed. */
int ociwp_blob_crew_attend(ociwp_blob_crew *crew, ociw_error **err);
/* Sends the rest, or @p wait false: drops it; the first failure, of a blob or of the caller. */
int ociwp_blob_crew_finish(ociwp_blob_crew *take_crew, bool wait, ociw_error **err);

#endif
