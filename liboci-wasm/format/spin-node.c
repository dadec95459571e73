/* SPDX-License-Identifier: Apache-2.0
 *
 * The spin-node image: its lock names one file a component, so that the shim mounts the directory;
 * the rest is there already, unpacked by containerd.
 */
#include "format/spin-node.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "format/lock-layer.h"
#include "format/spin.h"

/* A file up to this size stands for its directory; the shim copies it at each start. */
#define STAND_IN_MAX (64u << 10)

static void picks_free(ociwp_lock_pick *picks, size_t count)
{
	for (size_t i = 0; picks && i < count; i++)
		free(picks[i].files);
	free(picks);
}

/* All whiteout-like files, and of the others the smallest (ties: first by path), or the marker. */
static int pick_files(const ociwp_draft_component *component, ociwp_lock_pick *pick,
                      ociw_error **err)
{
	size_t smallest = SIZE_MAX, whiteouts = 0;
	for (size_t i = 0; i < component->file_count; i++) {
		const ociwp_file *file = &component->files[i];
		if (ociwp_draft_is_whiteout(file->path))
			whiteouts++;
		else if (smallest == SIZE_MAX ||
		         file->source.size < component->files[smallest].source.size)
			smallest = i;
	}
	if (smallest != SIZE_MAX && component->files[smallest].source.size > STAND_IN_MAX) {
		pick->marker = true;
		smallest = SIZE_MAX;
	}
	pick->files = ociwp_calloc(whiteouts + 1, sizeof(*pick->files));
	if (!pick->files)
		return ociwp_nomem(err);
	for (size_t i = 0; i < component->file_count; i++)
		if (i == smallest || ociwp_draft_is_whiteout(component->files[i].path))
			pick->files[pick->count++] = i;
	return 0;
}

static int pick_all(const ociwp_draft *draft, ociwp_lock_pick **out, ociw_error **err)
{
	ociwp_lock_pick *picks = ociwp_calloc(draft->component_count, sizeof(*picks));
	int r = picks ? 0 : ociwp_nomem(err);
	for (size_t i = 0; r == 0 && i < draft->component_count; i++)
		r = pick_files(&draft->components[i], &picks[i], err);
	if (r < 0) {
		picks_free(picks, draft->component_count);
		return r;
	}
	*out = picks;
	return 0;
}

/* A file of the app could have the marker's name; then that file is what the lock must not hide. */
static int check_marker(const ociwp_draft_component *component, const ociwp_lock_pick *pick,
                        ociw_error **err)
{
	for (size_t i = 0; pick->marker && i < component->file_count; i++)
		if (ociwp_streq(component->files[i].path, OCIWP_LOCK_MARKER))
			return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
			                  "component %s has a large file named " OCIWP_LOCK_MARKER
			                  ", the name that spin-node images use themselves",
			                  ociwp_quote(component->id));
	return 0;
}

static int add_layers(ociwp_draft *draft, const ociwp_lock_pick *picks, ociwp_image *image,
                      ociw_digest *diff_ids, ociw_error **err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < draft->component_count; i++)
		r = ociwp_spin_add_wasm(draft, &draft->components[i], image, err);
	for (size_t i = 0; r == 0 && i < draft->bundle_count; i++) {
		ociw_descriptor *desc = NULL;
		diff_ids[i] = draft->bundles[i].diff_id;
		r = ociwp_tar_layer_add(&draft->bundles[i], OCIWP_MT_OCI_LAYER_GZIP, draft->memory,
		                        &desc, err);
		if (r == 0)
			r = ociwp_image_add(image, desc, err);
	}
	for (size_t i = 0; r == 0 && i < draft->component_count; i++) {
		const ociwp_draft_component *component = &draft->components[i];
		r = check_marker(component, &picks[i], err);
		for (size_t j = 0; r == 0 && j < picks[i].count; j++) {
			const ociwp_source *source = &component->files[picks[i].files[j]].source;
			if (source->size > OCIWP_INLINE_MAX)
				r = ociwp_spin_add_source(draft, source, OCIWP_MT_SPIN_DATA, image,
				                          err);
		}
	}
	return r;
}

int ociwp_spin_node_image(ociwp_draft *draft, const ociw_descriptor *subject, const char *name,
                          const ociw_op *op, ociw_descriptor **out, ociw_error **err)
{
	ociwp_image image = {.annotations = draft->annotations, .subject = subject};
	ociwp_lock_pick *picks = NULL;
	ociw_descriptor *lock = NULL;
	ociw_digest *diff_ids = NULL;
	int r = ociwp_draft_bundle(draft, op, err);
	if (r == 0)
		r = pick_all(draft, &picks, err);
	if (r == 0) {
		diff_ids = ociwp_calloc(draft->bundle_count, sizeof(*diff_ids));
		r = diff_ids ? add_layers(draft, picks, &image, diff_ids, err) : ociwp_nomem(err);
	}
	if (r == 0)
		r = ociwp_lock_layer_add(draft, picks, &lock, err);
	if (r == 0)
		r = ociwp_spin_set_config(draft, lock, diff_ids, draft->bundle_count, &image, err);
	if (r == 0) {
		r = ociwp_image_add(&image, lock, err);
		lock = NULL;
	}
	if (r == 0)
		r = ociwp_image_finish(&image, name, draft->memory, out, err);
	ociw_descriptor_free(lock);
	free(diff_ids);
	picks_free(picks, draft->component_count);
	ociwp_image_deinit(&image);
	return r;
}
