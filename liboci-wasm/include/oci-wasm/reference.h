/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of images: registry references (oci-client.md REF-1..17) and the targets the tools take.
 */
#ifndef OCIW_REFERENCE_H
#define OCIW_REFERENCE_H

#include <oci-wasm/digest.h>

OCIW_BEGIN_DECLS

/** A registry reference: host, repository, tag, digest. Immutable. */
typedef struct ociw_reference ociw_reference;

/** Parses "[host[:port]/]path[:tag][@digest]", with Docker Hub's short forms (REF-4..7).
 * @return 0; OCIW_ERR_INVALID with the reason; OCIW_ERR_NOMEM */
OCIW_API OCIW_NODISCARD int ociw_reference_parse(const char *text, ociw_reference **out,
						 ociw_error **err);
/** The same name with another tag or digest (either NULL to leave it out). */
OCIW_API OCIW_NODISCARD int ociw_reference_with(const ociw_reference *base, const char *tag,
						const char *digest, ociw_reference **out,
						ociw_error **err);
OCIW_API void ociw_reference_free(ociw_reference *ref);
/** Canonical text; parsing it gives an equal reference (REF-17). Borrowed. */
OCIW_API const char *ociw_reference_text(const ociw_reference *ref);
/** Host as shown and as credentials know it: "docker.io", "ghcr.io", "localhost:5000". Borrowed. */
OCIW_API const char *ociw_reference_host(const ociw_reference *ref);
/** Host to call: "registry-1.docker.io" for Docker Hub, else the same. Borrowed. */
OCIW_API const char *ociw_reference_api_host(const ociw_reference *ref);
OCIW_API const char *ociw_reference_repository(const ociw_reference *ref);
/** Tag as given, or NULL. Borrowed. */
OCIW_API const char *ociw_reference_tag(const ociw_reference *ref);
/** Digest text as given, or NULL. Borrowed. */
OCIW_API const char *ociw_reference_digest(const ociw_reference *ref);
/** What goes on the wire: the digest, else the tag, else "latest". Borrowed. */
OCIW_API const char *ociw_reference_name(const ociw_reference *ref);

/** Kinds of targets (REF-16). */
typedef enum ociw_target_kind {
	OCIW_TARGET_REGISTRY = 1,   /**< a registry reference, or oci://REF, docker://REF */
	OCIW_TARGET_LAYOUT = 2,     /**< oci:DIR[:NAME] */
	OCIW_TARGET_ARCHIVE = 3,    /**< oci-archive:FILE[:NAME] */
	OCIW_TARGET_CONTAINERD = 4, /**< containerd:REF, in the local containerd */
	OCIW_TARGET_STORE = 5       /**< store:REF, in the user's own layout directory */
} ociw_target_kind;

/** One end of an operation, as a person names it. Immutable. */
typedef struct ociw_target ociw_target;

/** Parses a target; never looks at the file system (REF-16).
 * In oci: and oci-archive: forms the name is all that follows the first ':' behind the path (so it may
 * be a whole reference, as podman writes it), or is given as "@sha256:..." for a digest.
 * @return 0, OCIW_ERR_INVALID, OCIW_ERR_NOMEM */
OCIW_API OCIW_NODISCARD int ociw_target_parse(const char *text, ociw_target **out,
					      ociw_error **err);
OCIW_API void ociw_target_free(ociw_target *target);
OCIW_API ociw_target_kind ociw_target_get_kind(const ociw_target *target);
/** The registry reference, also of store: targets; NULL for other local kinds. Borrowed. */
OCIW_API const ociw_reference *ociw_target_reference(const ociw_target *target);
/** Path of the layout directory or archive; NULL for other kinds. Borrowed. */
OCIW_API const char *ociw_target_path(const ociw_target *target);
/** Tag, name or digest inside the end; NULL when none was given. Borrowed. */
OCIW_API const char *ociw_target_name(const ociw_target *target);
/** As given, for messages. Borrowed. */
OCIW_API const char *ociw_target_text(const ociw_target *target);

OCIW_END_DECLS

#endif
