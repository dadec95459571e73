/* SPDX-License-Identifier: Apache-2.0
 *
 * Platforms of images: parse, normalise, match (oci-client.md IDX-4..8).
 */
#ifndef OCIW_PLATFORM_H
#define OCIW_PLATFORM_H

#include <oci-wasm/error.h>

OCIW_BEGIN_DECLS

/** A platform, such as wasip1/wasm or linux/arm64/v8. Made by parse; immutable. */
typedef struct ociw_platform ociw_platform;

/** Parses "os/architecture[/variant]" and normalises it (x86_64 is amd64, aarch64 is arm64).
 * @return 0, OCIW_ERR_INVALID or OCIW_ERR_NOMEM */
OCIW_API OCIW_NODISCARD int ociw_platform_parse(const char *text, ociw_platform **out,
						ociw_error **err);
OCIW_API void ociw_platform_free(ociw_platform *platform);
/** "os/architecture[/variant]". Borrowed. */
OCIW_API const char *ociw_platform_text(const ociw_platform *platform);
OCIW_API const char *ociw_platform_os(const ociw_platform *platform);
OCIW_API const char *ociw_platform_architecture(const ociw_platform *platform);
/** NULL when there is none. Borrowed. */
OCIW_API const char *ociw_platform_variant(const ociw_platform *platform);
/** True when an image for @p have runs on a host that wants @p want. */
OCIW_API bool ociw_platform_matches(const ociw_platform *want, const ociw_platform *have);

OCIW_END_DECLS

#endif
