/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of pack share: the call's options and the content that grows. Private to
 * ops/pack*.
 */
#ifndef OCIW_OPS_PACK_PRIVATE_H
#define OCIW_OPS_PACK_PRIVATE_H

#include "format/draft.h"
#include <oci-wasm/pack.h>

#define OCIWP_CONTENT_LAYERS_MAX 499 /* spin.md 3.1 step 3 */

struct ociwp_app;
typedef struct ociwp_pack_cache ociwp_pack_cache;

typedef struct ociwp_pack {
	ociw_pack_options options;
	const ociw_op *op;
	const ociw_format *formats;
	size_t format_count;
	size_t threads;
	ociwp_memory *memory;
	ociwp_annotations annotations; /* the caller's; formats add what they infer */
	json_t *annotation_file;       /* an object, or NULL */
	ociwp_notes notes;             /* of its members but $manifest */
} ociwp_pack;

static inline bool ociwp_pack_wants(const ociwp_pack *pack, ociw_format format)
{
	for (size_t i = 0; i < pack->format_count; i++)
		if (pack->formats[i] == format)
			return true;
	return false;
}

/* From a spin.toml: spin, spin-node, rootfs. */
int ociwp_pack_app(ociwp_pack *pack, ociw_error **err);
/* The wanted images of a draft that is complete, into its memory. Spin first: the node image refers
 * to it, and both share the bundles. */
int ociwp_pack_images(const ociwp_pack *pack, ociwp_draft *draft, ociw_error **err);
/* From one wasm file: wasm. */
int ociwp_pack_wasm(ociwp_pack *pack, ociw_error **err);

/* The annotations of options into pack->annotations: the file's $manifest first, then the list; later
 * wins (spin.md 3.5, ANN-5). Keeps the file. */
int ociwp_pack_annotations(ociwp_pack *pack, ociw_error **err);
/* Those of the manifest of an app (an object or NULL), where the key is absent. */
int ociwp_pack_annotations_of_app(ociwp_pack *pack, const json_t *annotations, ociw_error **err);
/* The other members of the annotation file into pack->notes; file names are seen from @p dir. */
int ociwp_pack_notes(ociwp_pack *pack, const char *dir, ociw_error **err);
/* Warns about names of the annotation file that no layer answered to. */
int ociwp_pack_notes_judge(const ociwp_pack *pack, ociw_error **err);
/* Adds an annotation unless its key is there. */
int ociwp_pack_infer(ociwp_annotations *annotations, const char *key, const char *value,
                     ociw_error **err);
/* org.opencontainers.image.created, when the caller gave a time. */
int ociwp_pack_infer_created(const ociwp_pack *pack, ociwp_annotations *annotations,
                             ociw_error **err);

/* Makes the folders that lead to @p path, mode 0700: 0 or -1 with errno. */
int ociwp_pack_make_parents(const char *path);

/* Sizes and digests of everything in the draft of @p app, by several threads. Static files must be where
 * @p beneath says (NULL: anywhere); wasm may be anywhere, as a build puts it. */
int ociwp_pack_hash(const ociwp_pack *pack, const struct ociwp_app *app, ociwp_draft *draft,
                    ociwp_pack_cache *cache, const ociwp_beneath *beneath, ociw_error **err);

#endif
