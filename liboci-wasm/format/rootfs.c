/* SPDX-License-Identifier: Apache-2.0
 *
 * The rootfs image: the bundles, each wasm, and a spin.toml that mounts directories.
 */
#include "format/rootfs.h"
#include "base/str.h"
#include "base/time.h"
#include "codec/mediatype.h"
#include "format/image.h"
#include "format/spin-toml.h"

#include <assert.h>

/* A wasm to be laid out, under one name. */
struct item {
	const char *dir;
	char *name;
	const ociwp_source *source;
};

struct rootfs {
	ociwp_draft *draft;
	struct item *items; /* sorted by digest, then by order of the app */
	size_t item_count, distinct;
	ociwp_tar_layer *layers; /* wasm layers, then spin.toml */
	size_t layer_count;
	ociwp_source toml;
};

static void rootfs_deinit(struct rootfs *rootfs)
{
	for (size_t i = 0; i < rootfs->item_count; i++)
		free(rootfs->items[i].name);
	free(rootfs->items);
	ociwp_tar_layers_deinit(rootfs->layers, rootfs->layer_count);
	free(rootfs->layers);
	ociwp_source_deinit(&rootfs->toml);
}

/* No lock can carry such a file here, and in a layer it would delete another (spin-node.md 5). */
static int refuse_whiteouts(const ociwp_draft *draft, ociw_error **err)
{
	for (size_t i = 0; i < draft->component_count; i++)
		for (size_t j = 0; j < draft->components[i].file_count; j++)
			if (ociwp_draft_is_whiteout(draft->components[i].files[j].path))
				return ociwp_fail(
				        err, OCIW_ERR_UNSUPPORTED,
				        "component %s: file %s looks like a whiteout, which an "
				        "image layer cannot hold",
				        draft->components[i].id,
				        ociwp_quote(draft->components[i].files[j].path));
	return 0;
}

static int item_add(struct rootfs *rootfs, const char *dir, const char *name,
                    const ociwp_source *source, ociw_error **err)
{
	for (size_t i = 0; i < rootfs->item_count; i++)
		if (ociwp_streq(rootfs->items[i].dir, dir) &&
		    ociwp_streq(rootfs->items[i].name, name))
			return 0; /* a dependency that two components share */
	char *copy = ociwp_strdup(name);
	if (!copy)
		return ociwp_nomem(err);
	/* Equal bytes stay together, else the order of the app. */
	size_t at = rootfs->item_count;
	for (size_t i = 0; i < rootfs->item_count; i++)
		if (memcmp(rootfs->items[i].source->sha256, source->sha256, 32) == 0)
			at = i + 1;
	memmove(&rootfs->items[at + 1], &rootfs->items[at],
	        (rootfs->item_count - at) * sizeof(*rootfs->items));
	rootfs->items[at] = (struct item){dir, copy, source};
	rootfs->item_count++;
	return 0;
}

static bool same_bytes(const struct item *a, const struct item *b)
{
	return memcmp(a->source->sha256, b->source->sha256, 32) == 0;
}

static int collect_items(struct rootfs *rootfs, ociw_error **err)
{
	const ociwp_draft *draft = rootfs->draft;
	size_t total = 0;
	int r = 0;
	for (size_t i = 0; i < draft->component_count; i++)
		total += 1 + draft->components[i].dependency_count;
	rootfs->items = ociwp_calloc(total, sizeof(*rootfs->items));
	if (!rootfs->items)
		return ociwp_nomem(err);
	for (size_t i = 0; r == 0 && i < draft->component_count; i++) {
		const ociwp_draft_component *component = &draft->components[i];
		OCIWP_AUTO(buf) ociwp_buf name = OCIWP_BUF_INIT;
		ociwp_buf_printf(&name, "%s.wasm", component->id);
		r = ociwp_buf_check(&name, err);
		if (r == 0)
			r = item_add(rootfs, OCIWP_ROOTFS_WASM, name.data, &component->wasm, err);
		for (size_t j = 0; r == 0 && j < component->dependency_count; j++) {
			char dependency[80];
			ociwp_rootfs_dependency_name(&component->dependencies[j], dependency);
			r = item_add(rootfs, OCIWP_ROOTFS_DEPS, dependency,
			             &component->dependencies[j], err);
		}
	}
	for (size_t i = 0; i < rootfs->item_count; i++)
		if (i == 0 || !same_bytes(&rootfs->items[i - 1], &rootfs->items[i]))
			rootfs->distinct++;
	return r;
}

static int layer_push(ociwp_tar_layer *layer, size_t room, ociwp_tar_member member,
                      ociw_error **err)
{
	if (!layer->members)
		layer->members = ociwp_calloc(room, sizeof(*layer->members));
	if (!layer->members)
		return ociwp_nomem(err);
	layer->members[layer->member_count++] = member;
	layer->plain += member.source->size;
	return 0;
}

/* One layer for each distinct wasm; several in one when there would be too many. */
static int plan_wasm(struct rootfs *rootfs, ociw_error **err)
{
	size_t bundles = rootfs->draft->bundle_count;
	size_t room =
	        bundles + 2 <= OCIWP_ROOTFS_LAYERS_MAX ? OCIWP_ROOTFS_LAYERS_MAX - 1 - bundles : 1;
	size_t count = rootfs->distinct < room ? rootfs->distinct : room, nth = 0;
	rootfs->layers = ociwp_calloc(count + 1, sizeof(*rootfs->layers));
	if (!rootfs->layers)
		return ociwp_nomem(err);
	rootfs->layer_count = count + 1;
	for (size_t i = 0; i < rootfs->layer_count; i++)
		rootfs->layers[i].fd = -1;
	for (size_t i = 0; i < rootfs->item_count; i++) {
		const struct item *item = &rootfs->items[i];
		if (i > 0 && !same_bytes(&rootfs->items[i - 1], item))
			nth++;
		assert(rootfs->distinct > 0);
		/* Neighbours share: the first `distinct % count` layers get one more. */
		size_t at = nth * count / rootfs->distinct;
		int r = layer_push(&rootfs->layers[at], rootfs->item_count,
		                   (ociwp_tar_member){item->dir, item->name, item->source}, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < count; i++)
		qsort(rootfs->layers[i].members, rootfs->layers[i].member_count,
		      sizeof(ociwp_tar_member), ociwp_tar_member_compare);
	return 0;
}

static int plan_toml(struct rootfs *rootfs, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	int r = ociwp_spin_toml_write(rootfs->draft, &text, err);
	if (r == 0)
		r = ociwp_source_of_bytes(ociwp_buf_span(&text), &rootfs->toml, err);
	if (r == 0)
		r = layer_push(&rootfs->layers[rootfs->layer_count - 1], 1,
		               (ociwp_tar_member){NULL, "spin.toml", &rootfs->toml}, err);
	return r;
}

static int add_layers(struct rootfs *rootfs, ociwp_image *image, ociw_digest *diff_ids,
                      ociw_error **err)
{
	const ociwp_draft *draft = rootfs->draft;
	int r = 0;
	for (size_t i = 0; r == 0 && i < draft->bundle_count + rootfs->layer_count; i++) {
		const ociwp_tar_layer *layer = i < draft->bundle_count
		                                       ? &draft->bundles[i]
		                                       : &rootfs->layers[i - draft->bundle_count];
		ociw_descriptor *desc = NULL;
		diff_ids[i] = layer->diff_id;
		r = ociwp_tar_layer_add(layer, OCIWP_MT_OCI_LAYER_GZIP, draft->memory, &desc, err);
		if (r == 0)
			r = ociwp_image_add(image, desc, err);
	}
	return r;
}

static int set_config(struct rootfs *rootfs, const char *platform, const ociw_digest *diff_ids,
                      ociwp_image *image, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociw_platform *parsed = NULL;
	char created[OCIWP_TIME_TEXT_MAX];
	const ociwp_draft *draft = rootfs->draft;
	int r = ociw_platform_parse(platform ? platform : "linux/amd64", &parsed, err);
	if (r < 0)
		return r;
	ociwp_image_config config = {
	        .architecture = ociw_platform_architecture(parsed),
	        .os = ociw_platform_os(parsed),
	        .variant = ociw_platform_variant(parsed),
	        .entrypoint = !draft->no_entrypoint,
	        .diff_ids = diff_ids,
	        .diff_id_count = draft->bundle_count + rootfs->layer_count,
	};
	if (config.variant && !*config.variant)
		config.variant = NULL;
	if (draft->has_created && ociwp_time_format(draft->created, true, created))
		config.created = created;
	r = ociwp_image_config_write(&config, &text, err);
	ociw_platform_free(parsed);
	if (r == 0)
		r = ociwp_image_set_config(image, OCIWP_MT_OCI_CONFIG, ociwp_buf_span(&text),
		                           draft->memory, err);
	if (r == 0)
		r = ociwp_notes_apply(draft->notes, NULL, image->config, err);
	return r;
}

static int make_layers(struct rootfs *rootfs, const ociw_op *op, ociw_error **err)
{
	ociwp_draft *draft = rootfs->draft;
	ociwp_tar_settings settings = ociwp_draft_tar_settings(draft);
	int r = refuse_whiteouts(draft, err);
	if (r == 0)
		r = ociwp_draft_bundle(draft, op, err);
	if (r == 0)
		r = collect_items(rootfs, err);
	if (r == 0)
		r = plan_wasm(rootfs, err);
	if (r == 0)
		r = plan_toml(rootfs, err);
	if (r == 0)
		r = ociwp_tar_layers_make(rootfs->layers, rootfs->layer_count, &draft->spools,
		                          &settings, op, err);
	return r;
}

int ociwp_rootfs_image(ociwp_draft *draft, const char *platform, const char *name,
                       const ociw_op *op, ociw_descriptor **out, ociw_error **err)
{
	struct rootfs rootfs = {.draft = draft};
	ociwp_image image = {.annotations = draft->annotations};
	ociw_digest *diff_ids = NULL;
	int r = make_layers(&rootfs, op, err);
	if (r == 0) {
		diff_ids =
		        ociwp_calloc(draft->bundle_count + rootfs.layer_count, sizeof(*diff_ids));
		r = diff_ids ? add_layers(&rootfs, &image, diff_ids, err) : ociwp_nomem(err);
	}
	if (r == 0)
		r = set_config(&rootfs, platform, diff_ids, &image, err);
	if (r == 0)
		r = ociwp_image_finish(&image, name, draft->memory, out, err);
	free(diff_ids);
	rootfs_deinit(&rootfs);
	ociwp_image_deinit(&image);
	return r;
}
