/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk over manifests and indexes. Depth and number of nodes are bounded: an index of indexes
 * of indexes ends, whoever wrote it.
 */
#include "store/graph.h"

#include "base/op.h"
#include "base/str.h"
#include "codec/mediatype.h"

#define MAX_NODES 100000

static int visit(const ociwp_graph *graph, const ociwp_graph_node *node, ociw_error **err)
{
	return graph->visit(node, graph->user_data, err);
}

static int mark_seen(const ociwp_graph *graph, const char *digest, ociw_error **err)
{
	if (ociwp_map_size(graph->seen) >= MAX_NODES)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "more than %d manifests", MAX_NODES);
	if (!ociwp_map_set(graph->seen, digest, NULL))
		return ociwp_nomem(err);
	return ociwp_check_cancel(graph->op, err);
}

/* Reads and parses into *manifest or *index. */
static int load(const ociwp_graph *graph, const ociw_descriptor *desc, ociwp_manifest **manifest,
                ociwp_index **index, ociw_error **err)
{
	OCIWP_AUTO(str) char *bytes = NULL;
	size_t len = 0;

	int r = graph->read(graph->self, desc, graph->op, &bytes, &len, err);
	if (r < 0)
		return r;
	ociw_span text = {bytes, len};
	if (ociwp_mediatype_is_index(desc->media_type))
		return ociwp_index_parse(text, desc->media_type, graph->op, index, err);
	return ociwp_manifest_parse(text, desc->media_type, graph->op, manifest, err);
}

static bool stops_the_walk(int code)
{
	return code == OCIW_ERR_NOMEM || code == OCIW_ERR_CANCELLED || code == OCIW_ERR_IO;
}

static int walk(const ociwp_graph *graph, const ociw_descriptor *desc, uint64_t depth_left,
                ociw_error **err);

static int walk_entries(const ociwp_graph *graph, const ociwp_index *index, uint64_t depth_left,
                        ociw_error **err)
{
	if (depth_left == 0)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "indexes are nested too deep");
	for (size_t i = 0; i < index->manifest_count; i++) {
		int r = walk(graph, index->manifests[i], depth_left - 1, err);
		if (r != 0)
			return r;
	}
	return 0;
}

static int walk(const ociwp_graph *graph, const ociw_descriptor *desc, uint64_t depth_left,
                ociw_error **err)
{
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = NULL;
	OCIWP_AUTO(index) ociwp_index *index = NULL;
	ociwp_graph_node node = {.desc = desc};
	ociw_error *why = NULL;

	if (ociwp_map_contains(graph->seen, desc->digest))
		return 0;
	int r = mark_seen(graph, desc->digest, err);
	if (r < 0)
		return r;
	if (!ociwp_mediatype_is_manifest(desc->media_type) &&
	    !ociwp_mediatype_is_index(desc->media_type))
		return visit(graph, &node, err);
	r = load(graph, desc, &manifest, &index, &why);
	if (r < 0 && stops_the_walk(r)) {
		r = ociwp_error_move(err, why);
		return ociwp_wrap(err, r, "manifest %s", desc->digest);
	}
	node.code = r < 0 ? r : 0;
	node.error = why;
	node.manifest = manifest;
	node.index = index;
	r = visit(graph, &node, err);
	ociw_error_free(why);
	if (r == 0 && index)
		r = walk_entries(graph, index, depth_left, err);
	return r;
}

int ociwp_graph_walk(const ociwp_graph *graph, const ociw_descriptor *from, ociw_error **err)
{
	ociw_limits limits;

	ociwp_limits_get(graph->op, &limits);
	return walk(graph, from, limits.max_index_depth, err);
}

int ociwp_graph_walk_index(const ociwp_graph *graph, const ociwp_index *index, ociw_error **err)
{
	for (size_t i = 0; i < index->manifest_count; i++) {
		int r = ociwp_graph_walk(graph, index->manifests[i], err);
		if (r != 0)
			return r;
	}
	return 0;
}

typedef struct referrer_search {
	const char *digest, *artifact_type;
	ociwp_referrer_cb cb;
	void *user_data;
} referrer_search;

static int copy_annotations(const ociwp_annotations *from, ociw_descriptor *to, ociw_error **err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < from->count; i++)
		r = ociwp_descriptor_annotate(to, from->items[i].key, from->items[i].value, err);
	return r;
}

static int visit_referrer(const ociwp_graph_node *node, void *user_data, ociw_error **err)
{
	const referrer_search *search = user_data;
	const ociwp_manifest *manifest = node->manifest;
	const ociwp_index *index = node->index;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;

	const ociw_descriptor *subject = manifest ? manifest->subject : NULL;
	if (index)
		subject = index->subject;
	if (!subject || strcmp(subject->digest, search->digest) != 0)
		return 0;
	const char *type = manifest ? manifest->artifact_type : index->artifact_type;
	if (!type && manifest)
		type = manifest->config->media_type;
	if (search->artifact_type && !ociwp_streq(type, search->artifact_type))
		return 0;
	int r = ociw_descriptor_new(node->desc->media_type, node->desc->digest, node->desc->size,
	                            &desc, err);
	if (r >= 0)
		r = copy_annotations(manifest ? &manifest->annotations : &index->annotations, desc,
		                     err);
	if (r < 0)
		return r;
	if (type && !desc->artifact_type) {
		desc->artifact_type = ociwp_strdup(type);
		if (!desc->artifact_type)
			return ociwp_nomem(err);
	}
	return search->cb(desc, search->user_data);
}

int ociwp_graph_referrers(const ociwp_graph *graph, const ociwp_index *index, const char *digest,
                          const char *artifact_type, ociwp_referrer_cb cb, void *user_data,
                          ociw_error **err)
{
	OCIWP_AUTO(map) ociwp_map *seen = ociwp_map_new(NULL);
	referrer_search search = {digest, artifact_type, cb, user_data};
	ociwp_graph own = *graph;

	if (!seen)
		return ociwp_nomem(err);
	own.seen = seen;
	own.visit = visit_referrer;
	own.user_data = &search;
	return ociwp_graph_walk_index(&own, index, err);
}
