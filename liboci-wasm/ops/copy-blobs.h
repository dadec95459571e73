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

/* Each digest once in @p blobs. */
int ociwp_copy_blobs(ociw_content *source, ociw_content *destination, ociw_descriptor *const *blobs,
                     size_t count, const ociwp_copy_blobs_options *options, ociw_error **err);

#endif
