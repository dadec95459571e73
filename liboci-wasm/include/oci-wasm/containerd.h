/* SPDX-License-Identifier: Apache-2.0
 *
 * containerd on this machine as an end. Its content directory is read directly, without its API.
 */
#ifndef OCIW_CONTAINERD_H
#define OCIW_CONTAINERD_H

#include <oci-wasm/content.h>

OCIW_BEGIN_DECLS

/** Opens the content store of a containerd, to read blobs and manifests by digest: names live in
 * containerd's database, which is not read. Nothing is ever written.
 * @param root  containerd's root directory, or io.containerd.content.v1.content in it; NULL:
 *   /var/lib/containerd
 * @return 0; OCIW_ERR_NOTFOUND when there is no content store; OCIW_ERR_UNSAFE when it is reached
 * through a symbolic link below @p root; OCIW_ERR_IO */
OCIW_API OCIW_NODISCARD int ociw_containerd_store_open(const char *root, ociw_content **out,
                                                       ociw_error **err);

OCIW_END_DECLS

#endif
