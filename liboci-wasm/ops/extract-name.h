/* SPDX-License-Identifier: Apache-2.0
 *
 * Names from layers, judged as text (specs/extraction.md N1-N5, W3, W5): nothing here looks at a disk.
 */
#ifndef OCIW_OPS_EXTRACT_NAME_H
#define OCIW_OPS_EXTRACT_NAME_H

#include "base/buf.h"
#include "base/error.h"
#include <oci-wasm/op.h>

/* Puts the relative normal form of @p name in @p out (emptied first; "" is the root itself): "." and
 * empty parts vanish. UNSAFE for "..", and for absolute names unless @p absolute lets them lose
 * their '/'; LIMIT for parts, depth and length; FORMAT for the empty name. */
int ociwp_extract_name(const char *name, size_t len, const ociw_limits *limits, bool absolute,
		       ociwp_buf *out, ociw_error **err);

typedef enum ociwp_whiteout {
	OCIWP_WHITEOUT_NONE = 0,
	OCIWP_WHITEOUT_NAME,  /* removes one name */
	OCIWP_WHITEOUT_OPAQUE /* removes all lower children of its directory */
} ociwp_whiteout;

/* What a normal path marks; *victim is the name to remove, inside @p path. UNSAFE when the remainder
 * is no proper name (W3) or a directory part looks like a marker (W5). */
int ociwp_extract_whiteout(const char *path, ociwp_whiteout *kind, const char **victim,
			   ociw_error **err);

#endif
