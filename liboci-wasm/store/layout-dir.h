/* SPDX-License-Identifier: Apache-2.0
 *
 * The layout directory as the rest of the store sees it: gc and verify work on its inside.
 */
#ifndef OCIW_STORE_LAYOUT_DIR_H
#define OCIW_STORE_LAYOUT_DIR_H

#include "store/graph.h"
#include "store/layout-index.h"
#include "store/layout-root.h"

/* The inside of a content that is a layout directory; INVALID for other contents. */
int ociwp_layout_dir_get(ociw_content *content, ociwp_layout **out, ociw_error **err);
/* index.json as it is now, checked; NOTFOUND when there is none yet. */
int ociwp_layout_dir_index(ociwp_layout *layout, const ociw_op *op, ociwp_index **out,
                           ociw_error **err);
/* A manifest, verified: for ociwp_graph. @p self is the ociwp_layout. */
int ociwp_layout_dir_read(void *self, const ociw_descriptor *desc, const ociw_op *op, char **out,
                          size_t *out_len, ociw_error **err);
/* Changes index.json under the lock: re-read, edit, replace. Makes the layout with CREATE. */
typedef int (*ociwp_layout_edit)(ociwp_layout_doc *doc, void *user_data, ociw_error **err);
int ociwp_layout_dir_update(ociwp_layout *layout, ociwp_layout_edit edit, void *user_data,
                            const ociw_op *op, ociw_error **err);

#endif
