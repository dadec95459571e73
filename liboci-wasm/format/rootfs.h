/* SPDX-License-Identifier: Apache-2.0
 *
 * The container image that every app fits in (spin-node.md 5).
 */
#ifndef OCIW_FORMAT_ROOTFS_H
#define OCIW_FORMAT_ROOTFS_H

#include "format/draft.h"

/* Layers of a rootfs image at most; wasm layers are grouped to stay below (docker stops at 127). */
#define OCIWP_ROOTFS_LAYERS_MAX 100

/* Adds the image under @p name. @p platform NULL: linux/amd64. UNSUPPORTED for apps whose files
 * look like whiteouts. */
int ociwp_rootfs_image(ociwp_draft *draft, const char *platform, const char *name,
                       const ociw_op *op, ociw_descriptor **out, ociw_error **err);

#endif
