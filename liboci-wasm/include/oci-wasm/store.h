/* SPDX-License-Identifier: Apache-2.0
 *
 * Local ends: OCI layout directories and layout archives (oci-client.md LAY-1..8).
 */
#ifndef OCIW_STORE_H
#define OCIW_STORE_H

#include <oci-wasm/content.h>

OCIW_BEGIN_DECLS

/** How to open a layout. */
enum ociw_layout_flags {
	OCIW_LAYOUT_READ = 0,        /**< must exist; nothing is ever written */
	OCIW_LAYOUT_WRITE = 1 << 0,  /**< blobs and names may be added */
	OCIW_LAYOUT_CREATE = 1 << 1, /**< with WRITE: made when the first manifest is put, if absent */
	OCIW_LAYOUT_NO_SYNC = 1 << 2 /**< with WRITE: no fsync, for throw-away layouts */
};

/** Opens an OCI layout directory.
 * @return 0; OCIW_ERR_NOTFOUND; OCIW_ERR_FORMAT when it is no layout; OCIW_ERR_IO */
OCIW_API OCIW_NODISCARD int ociw_layout_open(const char *path, unsigned flags, ociw_content **out,
					     ociw_error **err);
/** Opens a layout tar, or an image tar of docker/ctr that holds one, for reading. */
OCIW_API OCIW_NODISCARD int ociw_archive_open(const char *path, const ociw_op *op,
					      ociw_content **out, ociw_error **err);
/** Begins a layout tar; nothing is at @p path before the first manifest with a name was put, and
 * then all of it. An existing file is replaced. */
OCIW_API OCIW_NODISCARD int ociw_archive_create(const char *path, ociw_content **out,
						ociw_error **err);

OCIW_END_DECLS

#endif
