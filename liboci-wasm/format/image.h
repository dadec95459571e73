/* SPDX-License-Identifier: Apache-2.0
 *
 * Putting an image together: distinct layers in order, a config, and the manifest in canonical form
 * (keys sorted at every level, no spaces: spin.md 3.5, wasm-formats.md 1.2).
 */
#ifndef OCIW_FORMAT_IMAGE_H
#define OCIW_FORMAT_IMAGE_H

#include "base/map.h"
#include "oci/descriptor.h"
#include "oci/memory.h"

typedef struct ociwp_image {
	ociw_descriptor **layers; /* owned */
	size_t layer_count, layer_cap;
	ociwp_map *seen;                      /* "<digest> <media type>" -> the layer */
	ociw_descriptor *config;              /* owned */
	const ociw_descriptor *subject;       /* borrowed, or NULL */
	const ociwp_annotations *annotations; /* borrowed, sorted, or NULL */
	bool no_media_type;                   /* the member is left out, as Spin does */
} ociwp_image;

void ociwp_image_deinit(ociwp_image *image);
/* Appends a layer unless there is one of this digest and media type (spin.md 3.2), which then gets
 * the annotations it has not; takes it in any case. */
int ociwp_image_add(ociwp_image *image, ociw_descriptor *take_layer, ociw_error **err);
/* Adds the config's bytes to @p memory and keeps its descriptor. */
int ociwp_image_set_config(ociwp_image *image, const char *media_type, ociw_span bytes,
                           ociwp_memory *memory, ociw_error **err);
/* Writes the manifest, adds it under @p name; *out (may be NULL) is its descriptor. */
int ociwp_image_finish(const ociwp_image *image, const char *name, ociwp_memory *memory,
                       ociw_descriptor **out, ociw_error **err);

/* An OCI image config (not the CNCF one). */
typedef struct ociwp_image_config {
	const char *architecture, *os, *variant; /* variant may be NULL */
	const char *created;                     /* RFC 3339, or NULL */
	bool entrypoint;                         /* "Entrypoint":["/"] */
	const char *label_name, *label_value;    /* or NULL */
	const ociw_digest *diff_ids;
	size_t diff_id_count;
} ociwp_image_config;
struct ociwp_buf;
int ociwp_image_config_write(const ociwp_image_config *config, struct ociwp_buf *out,
                             ociw_error **err);

#endif
