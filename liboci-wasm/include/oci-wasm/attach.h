/* SPDX-License-Identifier: Apache-2.0
 *
 * Attach: an artifact (SBOM, signature, note) that refers to an image (image-spec subject, RFR-6).
 */
#ifndef OCIW_ATTACH_H
#define OCIW_ATTACH_H

#include <oci-wasm/content.h>
#include <oci-wasm/pack.h>

OCIW_BEGIN_DECLS

/** One file of an artifact. */
typedef struct ociw_attach_file {
	const char *path;       /**< local file */
	const char *media_type; /**< NULL: application/octet-stream */
} ociw_attach_file;

/** Options of attach; zero is the default, but an artifact type is needed. */
typedef struct ociw_attach_options {
	size_t size;                        /**< sizeof(ociw_attach_options) */
	const ociw_op *op;                  /**< NULL: defaults */
	const char *artifact_type;          /**< such as application/spdx+json */
	const ociw_attach_file *files;      /**< may be none: annotations alone */
	size_t file_count;
	const ociw_annotation *annotations; /**< on the manifest */
	size_t annotation_count;
} ociw_attach_options;

#define OCIW_ATTACH_OPTIONS_INIT { sizeof(ociw_attach_options), NULL, NULL, NULL, 0, NULL, 0 }

/** Stores an artifact in @p content whose subject is what @p subject_name stands for there.
 * @param out  descriptor of the artifact's manifest; may be NULL */
OCIW_API OCIW_NODISCARD int ociw_attach(ociw_content *content, const char *subject_name,
					const ociw_attach_options *options, ociw_descriptor **out,
					ociw_error **err);

OCIW_END_DECLS

#endif
