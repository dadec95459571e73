/* SPDX-License-Identifier: Apache-2.0
 *
 * Layout tars and docker archives as contents, from a path or an open descriptor (stdin).
 */
#ifndef OCIW_STORE_LAYOUT_TAR_H
#define OCIW_STORE_LAYOUT_TAR_H

#include "oci/content.h"
#include <oci-wasm/store.h>

/* As ociw_archive_open(); what is not seekable is spooled. @p take_fd is taken in any case. */
int ociwp_archive_open_fd(int take_fd, const char *label, const ociw_op *op, ociw_content **out,
                          ociw_error **err);

#endif
