/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of extracting a Spin app (specs/spin.md 4.3, 5.3; issue on extract modes).
 */
#ifndef OCIW_OPS_EXTRACT_SPIN_H
#define OCIW_OPS_EXTRACT_SPIN_H

#include "ops/extract-private.h"
#include "spin/lock.h"

#define OCIWP_SPIN_DATA ".cache/registry/data"
#define OCIWP_SPIN_WASM ".cache/registry/wasm"

/* --- extract-spin-files.c: static files by their digests --- */

/* Gives the lock's files their places below assets/: from inline bytes, data layers and members of
 * bundles. @p cache: everything goes to the shim's data folder first, as the shim leaves it. */
int ociwp_spin_files_put(ociwp_extraction *x, const ociwp_lock *lock, bool cache,
			 ociw_error **err);

/* --- extract-spin-local.c: what a runtime starts from --- */

/* spin.json with file:// URLs below @p root (absolute), spin.toml with direct mounts. Changes the
 * lock. */
int ociwp_spin_local_put(ociwp_extraction *x, ociwp_lock *lock, const char *root,
			 ociw_error **err);
/* Appends "file://" and the path, escaped as URLs are. */
void ociwp_spin_file_url(ociwp_buf *out, const char *root, const char *path);

/* Layer of the manifest with this digest; NULL when there is none. */
const ociw_descriptor *ociwp_spin_find_layer(const ociwp_manifest *manifest, const char *digest);
/* Checks bytes in a lock against the digest beside them, when there is one. @p what for messages. */
int ociwp_spin_check_inline(const ociwp_lock_ref *ref, const char *what, ociw_error **err);

#endif
