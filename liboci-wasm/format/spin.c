/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers of the Spin artifact: one a file, bundles, or archives as Spin makes them; lock last.
 */
#include "format/spin.h"
#include "base/buf.h"
#include "codec/mediatype.h"
#include "format/bundles.h"
#include "format/lock-layer.h"

int ociwp_spin_add_source(ociwp_draft *draft, const ociwp_source *source, const char *media_type,
                          ociwp_image *image, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	int r = ociwp_source_add(source, media_type, draft->memory, &desc, err);
	if (r == 0 && source->kind == OCIWP_SOURCE_FILE)
		r = ociwp_notes_apply(draft->notes, source->from.path, desc, err);
	return r < 0 ? r : ociwp_image_add(image, ociwp_steal(&desc), err);
}

int ociwp_spin_add_wasm(ociwp_draft *draft, const ociwp_draft_component *component,
                        ociwp_image *image, ociw_error **err)
{
	/* Also when it is inline in the lock: so says Spin, and so the shim wants it. */
	int r = ociwp_spin_add_source(draft, &component->wasm, OCIWP_MT_SPIN_WASM, image, err);
	for (size_t i = 0; r == 0 && i < component->dependency_count; i++)
		r = ociwp_spin_add_source(draft, &component->dependencies[i], OCIWP_MT_SPIN_WASM,
		                          image, err);
	for (size_t i = 0; r == 0 && i < component->trigger_count; i++)
		r = ociwp_spin_add_source(draft, &component->triggers[i], OCIWP_MT_SPIN_WASM, image,
		                          err);
	return r;
}

int ociwp_spin_set_config(ociwp_draft *draft, const ociw_descriptor *lock,
                          const ociw_digest *diff_ids, size_t diff_id_count, ociwp_image *image,
                          ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociwp_image_config config = {
	        .architecture = "wasm",
	        .os = "wasip1",
	        .entrypoint = !draft->compat_spin && !draft->no_entrypoint,
	        .label_name = "com.fermyon.spin.lockedAppDigest",
	        .label_value = lock->digest,
	        .diff_ids = diff_ids,
	        .diff_id_count = diff_id_count,
	};
	int r = ociwp_image_config_write(&config, &text, err);
	if (r == 0)
		r = ociwp_image_set_config(image, OCIWP_MT_OCI_CONFIG, ociwp_buf_span(&text),
		                           draft->memory, err);
	if (r == 0)
		r = ociwp_notes_apply(draft->notes, NULL, image->config, err);
	return r;
}

/* Counts the distinct content layers of a layer a file, but not beyond @p max + 1. */
static int count_layers(const ociwp_draft *draft, size_t max, size_t *out, ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_map))) ociwp_map *seen = ociwp_map_new(NULL);
	if (!seen)
		return ociwp_nomem(err);
	for (size_t i = 0; i < draft->component_count; i++) {
		const ociwp_draft_component *component = &draft->components[i];
		size_t files = component->file_count, dependencies = component->dependency_count;
		size_t total = files + 1 + dependencies + component->trigger_count;
		for (size_t j = 0; j < total; j++) {
			char key[OCIW_DIGEST_TEXT_MAX + 1];
			const ociwp_source *source =
			        j < files    ? &component->files[j].source
			        : j == files ? &component->wasm
			        : j <= files + dependencies
			                ? &component->dependencies[j - files - 1]
			                : &component->triggers[j - files - 1 - dependencies];
			if (j < files && source->size <= OCIWP_INLINE_MAX)
				continue;
			key[0] =
			        j < files ? 'd' : 'w'; /* equal bytes as data and as wasm are two */
			ociwp_source_digest(source, key + 1);
			if (!ociwp_map_contains(seen, key) && !ociwp_map_set(seen, key, NULL))
				return ociwp_nomem(err);
			if (ociwp_map_size(seen) > max)
				break;
		}
	}
	*out = ociwp_map_size(seen);
	return 0;
}

static int resolve_mode(const ociwp_draft *draft, size_t max, ociw_pack_layers *mode,
                        ociw_error **err)
{
	size_t count = 0;
	if (*mode != OCIW_LAYERS_AUTO)
		return 0;
	int r = count_layers(draft, max, &count, err);
	if (count <= max)
		*mode = OCIW_LAYERS_FILES;
	else
		*mode = draft->compat_spin ? OCIW_LAYERS_ARCHIVES : OCIW_LAYERS_BUNDLES;
	return r;
}

static int add_files(ociwp_draft *draft, const ociwp_draft_component *component, ociwp_image *image,
                     ociw_error **err)
{
	for (size_t i = 0; i < component->file_count; i++) {
		const ociwp_source *source = &component->files[i].source;
		if (source->size <= OCIWP_INLINE_MAX)
			continue; /* the lock has it */
		int r = ociwp_spin_add_source(draft, source, OCIWP_MT_SPIN_DATA, image, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* One archive with every file of the component, small ones too. */
static int add_archive(ociwp_draft *draft, const ociwp_draft_component *component,
                       ociwp_image *image, const ociw_op *op, ociw_error **err)
{
	ociwp_tar_layer layer = {.fd = -1};
	ociwp_tar_settings settings = ociwp_draft_tar_settings(draft);
	ociw_descriptor *desc = NULL;
	if (component->file_count == 0)
		return 0;
	int r = ociwp_bundles_plan_archive(component, &layer, err);
	if (r == 0)
		r = ociwp_tar_layers_make(&layer, 1, &draft->spools, &settings, op, err);
	if (r == 0)
		r = ociwp_tar_layer_add(&layer, OCIWP_MT_SPIN_BUNDLE, draft->memory, &desc, err);
	ociwp_tar_layers_deinit(&layer, 1);
	return r < 0 ? r : ociwp_image_add(image, desc, err);
}

/* All bundles, then the files that no bundle may hold. */
static int add_bundles(ociwp_draft *draft, ociwp_image *image, const ociw_op *op, ociw_error **err)
{
	int r = ociwp_draft_bundle(draft, op, err);
	for (size_t i = 0; r == 0 && i < draft->bundle_count; i++) {
		ociw_descriptor *desc = NULL;
		r = ociwp_tar_layer_add(&draft->bundles[i], OCIWP_MT_SPIN_BUNDLE, draft->memory,
		                        &desc, err);
		if (r == 0)
			r = ociwp_image_add(image, desc, err);
	}
	for (size_t i = 0; r == 0 && i < draft->component_count; i++) {
		const ociwp_draft_component *component = &draft->components[i];
		for (size_t j = 0; r == 0 && j < component->file_count; j++) {
			const ociwp_file *file = &component->files[j];
			if (ociwp_draft_is_whiteout(file->path) &&
			    file->source.size > OCIWP_INLINE_MAX)
				r = ociwp_spin_add_source(draft, &file->source, OCIWP_MT_SPIN_DATA,
				                          image, err);
		}
	}
	return r;
}

static int add_layers(ociwp_draft *draft, ociw_pack_layers mode, ociwp_image *image,
                      const ociw_op *op, ociw_error **err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < draft->component_count; i++) {
		const ociwp_draft_component *component = &draft->components[i];
		r = ociwp_spin_add_wasm(draft, component, image, err);
		if (r == 0 && mode == OCIW_LAYERS_FILES)
			r = add_files(draft, component, image, err);
		if (r == 0 && mode == OCIW_LAYERS_ARCHIVES)
			r = add_archive(draft, component, image, op, err);
	}
	if (r == 0 && mode == OCIW_LAYERS_BUNDLES)
		r = add_bundles(draft, image, op, err);
	return r;
}

int ociwp_spin_image(ociwp_draft *draft, ociw_pack_layers layers, size_t max_layers,
                     const char *name, const ociw_op *op, ociw_descriptor **out, ociw_error **err)
{
	ociwp_image image = {.annotations = draft->annotations,
	                     .no_media_type = draft->compat_spin};
	ociw_descriptor *lock = NULL;
	ociwp_lock_layer written;
	int r = ociwp_lock_layer_begin(draft, NULL, &written, err);
	if (r == 0)
		r = resolve_mode(draft, max_layers, &layers, err);
	if (r == 0)
		r = add_layers(draft, layers, &image, op, err);
	if (r == 0)
		r = ociwp_lock_layer_end(&written, draft->memory, &lock, err);
	ociwp_lock_layer_deinit(&written);
	if (r == 0)
		r = ociwp_spin_set_config(draft, lock, NULL, 0, &image, err);
	if (r == 0) {
		r = ociwp_image_add(&image, lock, err);
		lock = NULL;
	}
	if (r == 0)
		r = ociwp_image_finish(&image, name, draft->memory, out, err);
	ociw_descriptor_free(lock);
	ociwp_image_deinit(&image);
	return r;
}
