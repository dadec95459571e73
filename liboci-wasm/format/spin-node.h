/* SPDX-License-Identifier: Apache-2.0
 *
 * The image for nodes (spin-node.md 4): the artifact's bundles as layers that containerd unpacks.
 */
#ifndef OCIW_FORMAT_SPIN_NODE_H
#define OCIW_FORMAT_SPIN_NODE_H

#include "format/draft.h"

/* Adds the image under @p name. @p subject: the spin manifest it belongs to, or NULL. */
int ociwp_spin_node_image(ociwp_draft *draft, const ociw_descriptor *subject, const char *name,
                          const ociw_op *op, ociw_descriptor **out, ociw_error **err);

#endif
