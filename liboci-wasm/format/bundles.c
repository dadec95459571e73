/* SPDX-License-Identifier: Apache-2.0
 *
 * The prefix tree of bundles. Sizes are those of the files themselves, without tar headers.
 */
#include "format/bundles.h"
#include "base/str.h"

#define BUCKETS (1u << OCIWP_BUNDLE_DEPTH)
#define NO_BUCKET 0xff

struct plan {
	const ociwp_draft_component *components;
	size_t *order; /* component indexes by the bytes of "id/" */
	size_t count;
	uint8_t *buckets; /* of each file in that order */
	uint64_t bytes[BUCKETS];
	size_t files[BUCKETS];
	size_t bundle_of[BUCKETS];
	size_t bundle_count;
};

/* Order of "assets/<id>/...": as if each id ended in a slash. */
static int compare_ids(const char *a, const char *b)
{
	for (;; a++, b++) {
		unsigned char c = *a ? (unsigned char)*a : '/', d = *b ? (unsigned char)*b : '/';
		if (c != d)
			return c < d ? -1 : 1;
		if (!*a || !*b)
			return 0;
	}
}

static int order_components(struct plan *plan, ociw_error **err)
{
	plan->order = ociwp_calloc(plan->count, sizeof(*plan->order));
	if (!plan->order)
		return ociwp_nomem(err);
	for (size_t i = 0; i < plan->count; i++) {
		size_t at = i;
		for (; at > 0 && compare_ids(plan->components[plan->order[at - 1]].id,
		                             plan->components[i].id) > 0;
		     at--)
			plan->order[at] = plan->order[at - 1];
		plan->order[at] = i;
	}
	return 0;
}

/* The first six bits of SHA-256("<component-id>/<path>"). */
static uint8_t bucket_of(ociwp_hasher *hasher, const char *id, const char *path)
{
	ociw_digest digest;
	ociwp_hasher_reset(hasher);
	ociwp_hasher_update(hasher, id, strlen(id));
	ociwp_hasher_update(hasher, "/", 1);
	ociwp_hasher_update(hasher, path, strlen(path));
	ociwp_hasher_final(hasher, &digest);
	return (uint8_t)(digest.bytes[0] >> (8 - OCIWP_BUNDLE_DEPTH));
}

static int fill_buckets(struct plan *plan, ociw_error **err)
{
	OCIWP_AUTO(hasher) ociwp_hasher *hasher = NULL;
	size_t total = 0, at = 0;
	for (size_t i = 0; i < plan->count; i++)
		total += plan->components[i].file_count;
	plan->buckets = ociwp_malloc(total);
	if (!plan->buckets)
		return ociwp_nomem(err);
	int r = ociwp_hasher_new(OCIW_DIGEST_SHA256, &hasher, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < plan->count; i++) {
		const ociwp_draft_component *component = &plan->components[plan->order[i]];
		for (size_t j = 0; j < component->file_count; j++, at++) {
			const ociwp_file *file = &component->files[j];
			plan->buckets[at] = NO_BUCKET;
			if (ociwp_draft_is_whiteout(file->path))
				continue;
			uint8_t bucket = bucket_of(hasher, component->id, file->path);
			plan->buckets[at] = bucket;
			plan->files[bucket]++;
			plan->bytes[bucket] += file->source.size;
		}
	}
	return 0;
}

/* Gives bundles to the buckets of one node of the tree: those whose first @p depth bits are
 * @p prefix. */
static void split(struct plan *plan, unsigned depth, size_t prefix)
{
	unsigned shift = OCIWP_BUNDLE_DEPTH - depth;
	size_t first = prefix << shift, last = (prefix + 1) << shift, files = 0;
	uint64_t bytes = 0;
	for (size_t i = first; i < last; i++) {
		files += plan->files[i];
		bytes += plan->bytes[i];
	}
	if (files > 1 && (bytes > OCIWP_BUNDLE_BYTES || files > OCIWP_BUNDLE_FILES) &&
	    depth < OCIWP_BUNDLE_DEPTH) {
		split(plan, depth + 1, prefix * 2);
		split(plan, depth + 1, prefix * 2 + 1);
		return;
	}
	for (size_t i = first; i < last; i++)
		plan->bundle_of[i] = plan->bundle_count;
	if (files > 0)
		plan->bundle_count++;
}

static int fill_layers(const struct plan *plan, ociwp_tar_layer *layers, ociw_error **err)
{
	size_t at = 0;
	for (size_t i = 0; i < BUCKETS; i++)
		if (plan->files[i] > 0)
			layers[plan->bundle_of[i]].member_count += plan->files[i];
	for (size_t i = 0; i < plan->bundle_count; i++) {
		layers[i].members = ociwp_calloc(layers[i].member_count, sizeof(ociwp_tar_member));
		if (!layers[i].members)
			return ociwp_nomem(err);
		layers[i].member_count = 0;
	}
	for (size_t i = 0; i < plan->count; i++) {
		const ociwp_draft_component *component = &plan->components[plan->order[i]];
		for (size_t j = 0; j < component->file_count; j++, at++) {
			const ociwp_file *file = &component->files[j];
			if (plan->buckets[at] == NO_BUCKET)
				continue;
			ociwp_tar_layer *layer = &layers[plan->bundle_of[plan->buckets[at]]];
			layer->members[layer->member_count++] =
			        (ociwp_tar_member){component->dir, file->path, &file->source};
			layer->plain += file->source.size;
		}
	}
	return 0;
}

int ociwp_bundles_plan(const ociwp_draft_component *components, size_t count, ociwp_tar_layer **out,
                       size_t *out_count, ociw_error **err)
{
	struct plan plan = {.components = components, .count = count};
	ociwp_tar_layer *layers = NULL;
	int r = order_components(&plan, err);
	if (r == 0)
		r = fill_buckets(&plan, err);
	if (r == 0) {
		split(&plan, 0, 0);
		layers = ociwp_calloc(plan.bundle_count, sizeof(*layers));
		r = layers ? fill_layers(&plan, layers, err) : ociwp_nomem(err);
	}
	free(plan.order);
	free(plan.buckets);
	if (r < 0) {
		ociwp_tar_layers_deinit(layers, layers ? plan.bundle_count : 0);
		free(layers);
		return r;
	}
	*out = layers;
	*out_count = plan.bundle_count;
	return 0;
}

int ociwp_bundles_plan_archive(const ociwp_draft_component *component, ociwp_tar_layer *out,
                               ociw_error **err)
{
	*out = (ociwp_tar_layer){.fd = -1};
	out->members = ociwp_calloc(component->file_count, sizeof(*out->members));
	if (!out->members)
		return ociwp_nomem(err);
	out->member_count = component->file_count;
	for (size_t i = 0; i < component->file_count; i++) {
		const ociwp_file *file = &component->files[i];
		out->members[i] = (ociwp_tar_member){component->dir, file->path, &file->source};
		out->plain += file->source.size;
	}
	return 0;
}
