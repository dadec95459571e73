/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors: media type, digest and size of a blob (image-spec descriptor.md, DSC-1..7).
 */
#ifndef OCIW_DESCRIPTOR_H
#define OCIW_DESCRIPTOR_H

#include <oci-wasm/digest.h>
#include <oci-wasm/platform.h>

OCIW_BEGIN_DECLS

/** A descriptor. Immutable once handed out. */
typedef struct ociw_descriptor ociw_descriptor;

/** New descriptor with the three required members. */
OCIW_API OCIW_NODISCARD int ociw_descriptor_new(const char *media_type, const char *digest,
						uint64_t size, ociw_descriptor **out,
						ociw_error **err);
OCIW_API OCIW_NODISCARD int ociw_descriptor_dup(const ociw_descriptor *desc, ociw_descriptor **out,
						ociw_error **err);
OCIW_API void ociw_descriptor_free(ociw_descriptor *desc);
OCIW_API const char *ociw_descriptor_media_type(const ociw_descriptor *desc);
/** Digest text; may be of an algorithm that cannot be verified (DIG-4). Borrowed. */
OCIW_API const char *ociw_descriptor_digest(const ociw_descriptor *desc);
OCIW_API uint64_t ociw_descriptor_size(const ociw_descriptor *desc);
/** artifactType, or NULL. Borrowed. */
OCIW_API const char *ociw_descriptor_artifact_type(const ociw_descriptor *desc);
/** Platform of an index entry, or NULL. Borrowed. */
OCIW_API const ociw_platform *ociw_descriptor_platform(const ociw_descriptor *desc);
/** Value of an annotation, or NULL. Borrowed. */
OCIW_API const char *ociw_descriptor_annotation(const ociw_descriptor *desc, const char *key);
OCIW_API size_t ociw_descriptor_annotation_count(const ociw_descriptor *desc);
/** Key and value of annotation @p i in document order; false past the last. Borrowed. */
OCIW_API bool ociw_descriptor_annotation_at(const ociw_descriptor *desc, size_t i, const char **key,
					    const char **value);

OCIW_END_DECLS

#endif
