/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks the manifests that an index reaches: each once, to a bounded depth (IDX-3). What is missing
 * is told, not refused (LAY-5). For referrers, verify and gc; knows neither files nor names.
 */
#ifndef OCIW_STORE_GRAPH_H
#define OCIW_STORE_GRAPH_H

#include "base/map.h"
#include "oci/manifest.h"

/* One manifest or index. Everything is borrowed for the time of the call. */
typedef struct ociwp_graph_node {
	const ociw_descriptor *desc;
	const ociwp_manifest *manifest; /* one of the two, or neither: see code */
	const ociwp_index *index;
	int code; /* 0, or why it could not be read; 0 with neither: an opaque blob */
	const ociw_error *error;
} ociwp_graph_node;

typedef struct ociwp_graph {
	/* A whole manifest, verified. */
	int (*read)(void *self, const ociw_descriptor *desc, const ociw_op *op, char **out,
	            size_t *out_len, ociw_error **err);
	void *self;
	/* Non-zero stops the walk and is its result. */
	int (*visit)(const ociwp_graph_node *node, void *user_data, ociw_error **err);
	void *user_data;
	const ociw_op *op;
	ociwp_map *seen; /* digests; borrowed, so that several walks make one */
} ociwp_graph;

/* From one descriptor down. Configs and layers are not visited: they are in the manifest. */
int ociwp_graph_walk(const ociwp_graph *graph, const ociw_descriptor *from, ociw_error **err);
/* From every entry of an index down. */
int ociwp_graph_walk_index(const ociwp_graph *graph, const ociwp_index *index, ociw_error **err);

/* Everything reachable from @p index whose subject is @p digest, with artifactType and annotations
 * as the referrers API has them (RFR-2, RFR-6). */
int ociwp_graph_referrers(const ociwp_graph *graph /* visit unused */, const ociwp_index *index,
                          const char *digest, const char *artifact_type, ociwp_referrer_cb cb,
                          void *user_data, ociw_error **err);

#endif
