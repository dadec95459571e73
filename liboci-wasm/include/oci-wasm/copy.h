/* SPDX-License-Identifier: Apache-2.0
 *
 * Copy: one image, index or artifact from one end to another. A pull and a push are copies.
 */
#ifndef OCIW_COPY_H
#define OCIW_COPY_H

#include <oci-wasm/content.h>

OCIW_BEGIN_DECLS

/** Flags of a copy. */
enum ociw_copy_flags {
	/** referrers too (signatures, SBOMs), all levels, and tags such as sha256-<hex>.sig of cosign */
	OCIW_COPY_RECURSIVE = 1 << 0,
	OCIW_COPY_NO_REPLACE = 1 << 1, /**< OCIW_ERR_EXISTS when the name is taken by another digest */
	OCIW_COPY_NONDISTRIBUTABLE = 1 << 2, /**< non-distributable layers go to registries too */
	/** nothing is written: what would be is told as OCIW_EVENT_WOULD_SEND, what the far end has as
	 * OCIW_EVENT_BLOB_SKIPPED; whether a registry would mount a blob instead nobody can ask */
	OCIW_COPY_DRY_RUN = 1 << 3
};

/** Options of a copy; zero is the default. */
typedef struct ociw_copy_options {
	size_t size;                   /**< sizeof(ociw_copy_options) */
	const ociw_op *op;             /**< NULL: defaults */
	const ociw_platform *platform; /**< of an index take this image alone; NULL: all of it */
	uint32_t parallel;             /**< blobs at a time: 4; at most 6 where a registry is an end */
	uint32_t flags;                /**< enum ociw_copy_flags */
} ociw_copy_options;

#define OCIW_COPY_OPTIONS_INIT { sizeof(ociw_copy_options), NULL, NULL, 0, 0 }

/** Copies what @p source_name stands for. Blobs the far end has are not sent; manifests go last.
 * Bytes are never changed (DIG-7).
 * @param source_name       tag, name or digest; NULL: the only one
 * @param destination_name  NULL: by digest only
 * @param out               descriptor of what was copied; may be NULL */
OCIW_API OCIW_NODISCARD int ociw_copy(ociw_content *source, const char *source_name,
				      ociw_content *destination, const char *destination_name,
				      const ociw_copy_options *options, ociw_descriptor **out,
				      ociw_error **err);

OCIW_END_DECLS

#endif
