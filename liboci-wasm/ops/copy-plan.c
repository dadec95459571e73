/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk of a copy. Everything that can be refused is refused here, before a byte moves: depth,
 * numbers, sizes that contradict each other, documents of the wrong kind.
 */
#include "ops/copy-plan.h"

#include "base/op.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "oci/manifest.h"

#define MAX_MANIFESTS 10000
#define MAX_BLOBS 100000
#define MAX_REFERRER_DEPTH 16
#define KEEP_BYTES ((size_t)8 << 20)

typedef struct walker {
	ociw_content *source;
	const ociw_op *op;
	ociwp_copy_plan *plan;
	ociw_limits limits;
	bool recursive;
} walker;

void ociwp_copy_plan_deinit(ociwp_copy_plan *plan)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		ociw_descriptor_free(plan->nodes[i].desc);
		free(plan->nodes[i].bytes);
	}
	for (size_t i = 0; i < plan->blob_count; i++)
		ociw_descriptor_free(plan->blobs[i]);
	free(plan->nodes);
	free(plan->blobs);
	ociwp_map_free(plan->node_sizes);
	ociwp_map_free(plan->blob_sizes);
	*plan = (ociwp_copy_plan){0};
}

static bool grow(void **array, size_t count, size_t *cap, size_t item)
{
	if (count < *cap)
		return true;
	size_t more = *cap ? *cap * 2 : 16;
	void *grown = ociwp_realloc_array(*array, more, item);
	if (!grown)
		return false;
	*array = grown;
	*cap = more;
	return true;
}

/* 1: known already, 0: new, < 0: the sizes differ. */
static int known(const ociwp_map *sizes, const ociw_descriptor *desc, ociw_error **err)
{
	const ociw_descriptor *first = ociwp_map_get(sizes, desc->digest);

	if (!first)
		return 0;
	if (first->size != desc->size)
		return ociwp_fail(err, OCIW_ERR_SIZE, "%s is said to have %llu bytes and %llu",
		                  desc->digest, (unsigned long long)first->size,
		                  (unsigned long long)desc->size);
	return 1;
}

static int add_blob(walker *w, const ociw_descriptor *desc, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *copy = NULL;
	ociwp_copy_plan *plan = w->plan;

	int r = known(plan->blob_sizes, desc, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (plan->blob_count >= MAX_BLOBS)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "more than %d blobs", MAX_BLOBS);
	if (desc->size > w->limits.max_blob_bytes)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "blob %s has %llu bytes, the limit is %llu",
		                  desc->digest, (unsigned long long)desc->size,
		                  (unsigned long long)w->limits.max_blob_bytes);
	r = ociw_descriptor_dup(desc, &copy, err);
	if (r < 0)
		return r;
	if (!grow((void **)&plan->blobs, plan->blob_count, &plan->blob_cap, sizeof(*plan->blobs)) ||
	    !ociwp_map_set(plan->blob_sizes, copy->digest, copy))
		return ociwp_nomem(err);
	plan->blobs[plan->blob_count++] = ociwp_steal(&copy);
	return 0;
}

static int append_node(walker *w, ociw_descriptor **desc, char **bytes, size_t len,
                       ociw_error **err)
{
	ociwp_copy_plan *plan = w->plan;

	if (!grow((void **)&plan->nodes, plan->node_count, &plan->node_cap, sizeof(*plan->nodes)))
		return ociwp_nomem(err);
	ociwp_copy_node *node = &plan->nodes[plan->node_count++];
	*node = (ociwp_copy_node){.desc = ociwp_steal(desc), .len = len};
	if (len <= KEEP_BYTES - plan->kept_bytes) {
		node->bytes = ociwp_steal(bytes);
		plan->kept_bytes += len;
	}
	return 0;
}

static int walk(walker *w, const ociw_descriptor *desc, uint64_t index_depth,
                unsigned referrer_depth, ociw_error **err);

static int walk_index(walker *w, const ociwp_index *index, uint64_t index_depth,
                      unsigned referrer_depth, ociw_error **err)
{
	int r = 0;

	if (index_depth == 0)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "indexes are nested deeper than %llu",
		                  (unsigned long long)w->limits.max_index_depth);
	for (size_t i = 0; r >= 0 && i < index->manifest_count; i++) {
		const ociw_descriptor *entry = index->manifests[i];

		if (ociwp_mediatype_is_manifest(entry->media_type) ||
		    ociwp_mediatype_is_index(entry->media_type))
			r = walk(w, entry, index_depth - 1, referrer_depth, err);
		else
			r = add_blob(w, entry, err); /* kept as it is (IDX-2) */
	}
	return r;
}

static int walk_children(walker *w, const ociw_descriptor *desc, ociw_span bytes,
                         uint64_t index_depth, unsigned referrer_depth, ociw_error **err)
{
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = NULL;
	OCIWP_AUTO(index) ociwp_index *index = NULL;
	int r;

	if (ociwp_mediatype_is_index(desc->media_type)) {
		r = ociwp_index_parse(bytes, desc->media_type, w->op, &index, err);
		return r < 0 ? r : walk_index(w, index, index_depth, referrer_depth, err);
	}
	r = ociwp_manifest_parse(bytes, desc->media_type, w->op, &manifest, err);
	if (r >= 0)
		r = add_blob(w, manifest->config, err);
	for (size_t i = 0; r >= 0 && i < manifest->layer_count; i++)
		r = add_blob(w, manifest->layers[i], err);
	return r;
}

typedef struct referrer_list {
	ociw_descriptor **items;
	size_t count, cap;
} referrer_list;

static int collect_referrer(const ociw_descriptor *desc, void *user_data)
{
	referrer_list *list = user_data;

	if (list->count >= MAX_MANIFESTS)
		return OCIW_ERR_LIMIT;
	if (!grow((void **)&list->items, list->count, &list->cap, sizeof(*list->items)))
		return OCIW_ERR_NOMEM;
	int r = ociw_descriptor_dup(desc, &list->items[list->count], NULL);
	if (r >= 0)
		list->count++;
	return r < 0 ? r : 0;
}

static int walk_referrers(walker *w, const char *digest, unsigned referrer_depth, ociw_error **err)
{
	referrer_list list = {0};
	ociw_error *why = NULL;

	int r = ociwp_content_referrers(w->source, digest, NULL, w->op, collect_referrer, &list,
	                                &why);
	if (r < 0 && !why)
		r = ociwp_fail(&why, (ociw_code)r, "referrers of %s", digest);
	if (r >= 0 && list.count && referrer_depth == 0)
		r = ociwp_fail(&why, OCIW_ERR_LIMIT, "referrers of referrers deeper than %d",
		               MAX_REFERRER_DEPTH);
	if (r < 0)
		r = ociwp_error_move(err, why);
	for (size_t i = 0; r >= 0 && i < list.count; i++) {
		if (!ociwp_map_contains(w->plan->node_sizes, list.items[i]->digest))
			w->plan->referrer_count++;
		r = walk(w, list.items[i], w->limits.max_index_depth, referrer_depth - 1, err);
	}
	for (size_t i = 0; i < list.count; i++)
		ociw_descriptor_free(list.items[i]);
	free(list.items);
	return r;
}

static int walk(walker *w, const ociw_descriptor *desc, uint64_t index_depth,
                unsigned referrer_depth, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *copy = NULL;
	OCIWP_AUTO(str) char *digest = NULL;
	OCIWP_AUTO(mem) void *bytes = NULL;
	size_t len = 0;

	int r = known(w->plan->node_sizes, desc, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (ociwp_map_size(w->plan->node_sizes) >= MAX_MANIFESTS)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "more than %d manifests", MAX_MANIFESTS);
	r = ociw_descriptor_dup(desc, &copy, err);
	if (r < 0)
		return r;
	digest = ociwp_strdup(desc->digest);
	if (!digest || !ociwp_map_set(w->plan->node_sizes, copy->digest, copy))
		return ociwp_nomem(err);
	r = ociw_content_read(w->source, copy, w->limits.max_manifest_bytes, w->op, &bytes, &len,
	                      err);
	if (r >= 0)
		r = walk_children(w, copy, (ociw_span){bytes, len}, index_depth, referrer_depth,
		                  err);
	if (r < 0)
		return ociwp_wrap(err, r, "manifest %s", digest);
	r = append_node(w, &copy, (char **)&bytes, len, err);
	if (r >= 0 && w->recursive)
		r = walk_referrers(w, digest, referrer_depth, err);
	return r;
}

int ociwp_copy_plan_make(ociw_content *source, const ociw_descriptor *root, bool recursive,
                         const ociw_op *op, ociwp_copy_plan *out, ociw_error **err)
{
	walker w = {.source = source, .op = op, .plan = out, .recursive = recursive};
	int r = 0;

	*out = (ociwp_copy_plan){0};
	ociwp_limits_get(op, &w.limits);
	out->node_sizes = ociwp_map_new(NULL);
	out->blob_sizes = ociwp_map_new(NULL);
	if (!out->node_sizes || !out->blob_sizes)
		r = ociwp_nomem(err);
	if (r >= 0 && !ociwp_mediatype_is_manifest(root->media_type) &&
	    !ociwp_mediatype_is_index(root->media_type))
		r = ociwp_fail(err, OCIW_ERR_UNSUPPORTED, "%s is no image manifest or index",
		               ociwp_quote(root->media_type));
	if (r >= 0)
		r = walk(&w, root, w.limits.max_index_depth, MAX_REFERRER_DEPTH, err);
	for (size_t i = 0; r >= 0 && i < out->node_count; i++) {
		if (strcmp(out->nodes[i].desc->digest, root->digest) == 0)
			out->root = i;
	}
	if (r < 0)
		ociwp_copy_plan_deinit(out);
	return r < 0 ? r : 0;
}
