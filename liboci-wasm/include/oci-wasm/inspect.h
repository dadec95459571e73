/* SPDX-License-Identifier: Apache-2.0
 *
 * Inspect: what an image is, as JSON for scripts and as a tree for people.
 */
#ifndef OCIW_INSPECT_H
#define OCIW_INSPECT_H

#include <oci-wasm/content.h>
#include <oci-wasm/format.h>

OCIW_BEGIN_DECLS

/** Options of inspect; zero is the default. */
typedef struct ociw_inspect_options {
	size_t size;                   /**< sizeof(ociw_inspect_options) */
	const ociw_op *op;             /**< NULL: defaults */
	const ociw_platform *platform; /**< which image of an index; NULL: list the index */
} ociw_inspect_options;

#define OCIW_INSPECT_OPTIONS_INIT { sizeof(ociw_inspect_options), NULL, NULL }

/** The findings. */
typedef struct ociw_inspection ociw_inspection;

OCIW_API OCIW_NODISCARD int ociw_inspect(ociw_content *content, const char *name,
					 const ociw_inspect_options *options, ociw_inspection **out,
					 ociw_error **err);
OCIW_API void ociw_inspection_free(ociw_inspection *inspection);
OCIW_API ociw_format ociw_inspection_format(const ociw_inspection *inspection);
/** Stable JSON, documented in oci-wasm-inspect(1). Borrowed. */
OCIW_API const char *ociw_inspection_json(const ociw_inspection *inspection);
/** A tree in UTF-8 text with final newline, control characters escaped. Borrowed. */
OCIW_API const char *ociw_inspection_text(const ociw_inspection *inspection);

OCIW_END_DECLS

#endif
