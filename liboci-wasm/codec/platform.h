/* SPDX-License-Identifier: Apache-2.0
 *
 * Platforms inside the library: made from the members of a document, kept as they are written there.
 */
#ifndef OCIW_CODEC_PLATFORM_H
#define OCIW_CODEC_PLATFORM_H

#include "base/alloc.h"
#include "base/error.h"
#include <oci-wasm/platform.h>

struct ociw_platform {
	char *text;         /* os/architecture[/variant] */
	char *os;
	char *architecture;
	char *variant;      /* or NULL */
	char *os_version;   /* or NULL */
};

/* From a document: values are kept as they are, comparing normalises. @p variant and @p os_version
 * may be NULL. OCIW_ERR_NOMEM. */
int ociwp_platform_new(const char *os, const char *architecture, const char *variant,
		       const char *os_version, ociw_platform **out, ociw_error **err);
int ociwp_platform_dup(const ociw_platform *platform, ociw_platform **out, ociw_error **err);
/* linux/<this machine>. */
int ociwp_platform_host(ociw_platform **out, ociw_error **err);
/* unknown/unknown: what builders write on attestations, which are never images (IDX-8). */
bool ociwp_platform_is_unknown(const ociw_platform *platform);

OCIWP_DEFINE_AUTO(platform, ociw_platform *, ociw_platform_free)

#endif
