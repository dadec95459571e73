/* SPDX-License-Identifier: Apache-2.0
 *
 * The normalised spin.toml of a rootfs image (spin-node.md 5): version 2, one directory mount a
 * component, every source a local path.
 */
#ifndef OCIW_FORMAT_SPIN_TOML_H
#define OCIW_FORMAT_SPIN_TOML_H

#include "base/buf.h"
#include "format/draft.h"

/* Where a component's wasm is in the image, and a dependency's: "wasm/<id>.wasm",
 * "wasm/deps/<hex>.wasm". */
#define OCIWP_ROOTFS_WASM "wasm"
#define OCIWP_ROOTFS_DEPS "wasm/deps"

/* Appends the text. UNSUPPORTED for what a manifest cannot say. */
int ociwp_spin_toml_write(const ociwp_draft *draft, ociwp_buf *out, ociw_error **err);

/* "<hex>.wasm" for a dependency. */
void ociwp_rootfs_dependency_name(const ociwp_source *source, char out[80]);

#endif
