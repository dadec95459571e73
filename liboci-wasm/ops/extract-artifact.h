/* SPDX-License-Identifier: Apache-2.0
 *
 * Blobs as files: artifacts by the titles of their layers, and single blobs for the Spin modes.
 */
#ifndef OCIW_OPS_EXTRACT_ARTIFACT_H
#define OCIW_OPS_EXTRACT_ARTIFACT_H

#include "ops/extract-private.h"

/* Puts a new file at @p path, mode 0644, time 0, with the verified bytes of @p desc. @p wasm: native
 * code is refused (spin.md 5.3). */
int ociwp_extract_blob(ociwp_extraction *x, const ociw_descriptor *desc, const char *path,
		       bool wasm, ociw_error **err);
/* The same with bytes from memory. */
int ociwp_extract_bytes(ociwp_extraction *x, const void *data, size_t len, const char *path,
			ociw_error **err);
/* A directory (and those above it). */
int ociwp_extract_directory(ociwp_extraction *x, const char *path, ociw_error **err);
/* Copies file @p from (relative to the root) to @p to, sharing blocks where the disk can. */
int ociwp_extract_duplicate(ociwp_extraction *x, const char *from, const char *to,
			    ociw_error **err);
/* Notes a wasm file for the result. */
void ociwp_extract_note_wasm(ociwp_extraction *x, const char *path);

#endif
