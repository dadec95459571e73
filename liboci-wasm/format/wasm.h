/* SPDX-License-Identifier: Apache-2.0
 *
 * The CNCF wasm artifact (wasm-formats.md 1.2, 1.8, 2): one component, module or WIT package, with
 * a config that says what it imports and exports.
 */
#ifndef OCIW_FORMAT_WASM_H
#define OCIW_FORMAT_WASM_H

#include "format/image.h"
#include "format/notes.h"
#include "format/source.h"

typedef struct ociwp_wasm_draft {
	const ociwp_source *source;
	const ociwp_wasm_info *info;
	const char *title; /* file name for org.opencontainers.image.title */
	int64_t created;   /* 0 for 1970 */
	const ociwp_annotations *annotations;
	const ociwp_notes *notes; /* the layer's are those of the source's path; or NULL */
} ociwp_wasm_draft;

/* What a wasm file says about itself; reads sections, not the whole. */
int ociwp_wasm_inspect(const char *path, ociwp_wasm_info **out, ociw_error **err);
/* Annotations from metadata sections (2.4) where @p out has none of that key. */
int ociwp_wasm_annotate(const ociwp_wasm_info *info, ociwp_annotations *out, ociw_error **err);
int ociwp_wasm_image(const ociwp_wasm_draft *draft, const char *name, ociwp_memory *memory,
                     ociw_descriptor **out, ociw_error **err);

#endif
