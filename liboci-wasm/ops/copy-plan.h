/* SPDX-License-Identifier: Apache-2.0
 *
 * What a copy has to move: every manifest below the root, children first, and every blob once.
 * Reads manifests, moves nothing.
 */
#ifndef OCIW_OPS_COPY_PLAN_H
#define OCIW_OPS_COPY_PLAN_H

#include "base/map.h"
#include "oci/content.h"
#include "oci/descriptor.h"

typedef struct ociwp_copy_node {
	ociw_descriptor *desc;
	char *bytes; /* NULL: over the budget, to be read again */
	size_t len;
} ociwp_copy_node;

typedef struct ociwp_copy_plan {
	ociwp_copy_node *nodes; /* manifests; each after what it points at */
	size_t node_count, node_cap;
	ociw_descriptor **blobs; /* configs, layers, entries of unknown type; each once */
	size_t blob_count, blob_cap;
	size_t root;           /* of nodes: what was asked for */
	size_t referrer_count; /* manifests that came as referrers */
	size_t kept_bytes;
	ociwp_map *node_sizes, *blob_sizes; /* digest -> its descriptor */
} ociwp_copy_plan;

/* @p recursive: referrers of every manifest, and theirs. Refuses one digest with two sizes (DSC-7)
 * before anything moves. */
int ociwp_copy_plan_make(ociw_content *source, const ociw_descriptor *root, bool recursive,
                         const ociw_op *op, ociwp_copy_plan *out, ociw_error **err);
void ociwp_copy_plan_deinit(ociwp_copy_plan *plan);

#endif
