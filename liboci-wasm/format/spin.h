/* SPDX-License-Identifier: Apache-2.0
 *
 * The Spin artifact (spin.md 3): what `spin registry push` would write for a draft.
 */
#ifndef OCIW_FORMAT_SPIN_H
#define OCIW_FORMAT_SPIN_H

#include "format/draft.h"
#include "format/image.h"

/* Adds the image under @p name. @p max_layers: distinct content layers that AUTO still makes a
 * layer a file of (499). *out (may be NULL): its manifest. */
int ociwp_spin_image(ociwp_draft *draft, ociw_pack_layers layers, size_t max_layers,
                     const char *name, const ociw_op *op, ociw_descriptor **out, ociw_error **err);

/* Shared with spin-node: the wasm layers of every component, dependencies after each. */
int ociwp_spin_add_wasm(ociwp_draft *draft, const ociwp_draft_component *component,
                        ociwp_image *image, ociw_error **err);
/* The config around a lock (spin.md 3.4). @p diff_ids: of the layers that are unpacked. */
int ociwp_spin_set_config(ociwp_draft *draft, const ociw_descriptor *lock,
                          const ociw_digest *diff_ids, size_t diff_id_count, ociwp_image *image,
                          ociw_error **err);
/* One source as a layer of @p media_type. */
int ociwp_spin_add_source(ociwp_draft *draft, const ociwp_source *source, const char *media_type,
                          ociwp_image *image, ociw_error **err);

#endif
