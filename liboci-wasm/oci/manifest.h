/* SPDX-License-Identifier: Apache-2.0
 *
 * Image manifests and indexes (image-spec manifest.md, image-index.md; MAN-*, IDX-*). Parsed from
 * verified bytes; raw bytes are kept by whoever stores or copies (DIG-7).
 */
#ifndef OCIW_OCI_MANIFEST_H
#define OCIW_OCI_MANIFEST_H

#include "oci/content.h"
#include "oci/descriptor.h"

typedef struct ociwp_manifest {
	char *media_type;      /* as written, or what it must be when left out */
	bool has_media_type;   /* the document itself says it */
	char *artifact_type;   /* or NULL; effective type: this, else config->media_type */
	ociw_descriptor *config;
	ociw_descriptor **layers;
	size_t layer_count;
	ociw_descriptor *subject; /* or NULL */
	ociwp_annotations annotations;
} ociwp_manifest;

typedef struct ociwp_index {
	char *media_type;
	char *artifact_type;
	ociw_descriptor **manifests;
	size_t manifest_count;
	ociw_descriptor *subject;
	ociwp_annotations annotations;
} ociwp_index;

/* @p media_type: what the descriptor or Content-Type says; differing from the document is FORMAT
 * (MAN-2, PUL-5). Refuses schema 1 and documents of both kinds (MAN-1, MAN-3), too many layers. */
int ociwp_manifest_parse(ociw_span bytes, const char *media_type, const ociw_op *op,
			 ociwp_manifest **out, ociw_error **err);
void ociwp_manifest_free(ociwp_manifest *manifest);
int ociwp_index_parse(ociw_span bytes, const char *media_type, const ociw_op *op,
		      ociwp_index **out, ociw_error **err);
void ociwp_index_free(ociwp_index *index);
OCIWP_DEFINE_AUTO(manifest, ociwp_manifest *, ociwp_manifest_free)
OCIWP_DEFINE_AUTO(index, ociwp_index *, ociwp_index_free)

/* The media type that a document without one must have, from its members: NULL when it is neither. */
const char *ociwp_manifest_sniff(ociw_span bytes);
/* The same; but running out of memory is an error, not an answer. */
int ociwp_manifest_identify(ociw_span bytes, const char **out, ociw_error **err);

/* Reads and parses from a content: verified, capped. @p raw (may be NULL): the bytes, to be freed. */
int ociwp_manifest_load(ociw_content *content, const ociw_descriptor *desc, const ociw_op *op,
			ociwp_manifest **out, char **raw, size_t *raw_len, ociw_error **err);
int ociwp_index_load(ociw_content *content, const ociw_descriptor *desc, const ociw_op *op,
		     ociwp_index **out, char **raw, size_t *raw_len, ociw_error **err);

/* From a name to one image manifest: resolves, follows indexes by platform (IDX-3..8; NULL: the wasm
 * preference of IDX-7, then linux/<host>). *out_desc is the manifest's descriptor. */
int ociwp_image_select(ociw_content *content, const char *name, const ociw_platform *platform,
		       const ociw_op *op, ociw_descriptor **out_desc, ociw_error **err);

/* Image config, as far as we use it (CFG-1..3). */
typedef struct ociwp_config {
	char *architecture, *os, *variant; /* "" when the document has none (foreign config types) */
	char **diff_ids;
	size_t diff_id_count;
	char **entrypoint, **cmd, **env; /* NULL-terminated, or NULL */
	char *working_dir;
	ociwp_annotations labels;
} ociwp_config;
int ociwp_config_parse(ociw_span bytes, const ociw_op *op, ociwp_config **out, ociw_error **err);
void ociwp_config_free(ociwp_config *config);
OCIWP_DEFINE_AUTO(config, ociwp_config *, ociwp_config_free)

/* Writers of documents we make. Options say what is left out; keys in the order given here unless
 * canonical (sorted keys at every level, as Spin and wkg write: spin.md 3.5). */
typedef struct ociwp_manifest_draft {
	const char *media_type;    /* NULL: member left out */
	const char *artifact_type; /* NULL: left out */
	const ociw_descriptor *config;
	const ociw_descriptor *const *layers;
	size_t layer_count;
	const ociw_descriptor *subject; /* NULL: left out */
	const ociwp_annotations *annotations; /* left out when empty */
} ociwp_manifest_draft;
int ociwp_manifest_write(const ociwp_manifest_draft *draft, struct ociwp_buf *out,
			 ociw_error **err);

#endif
