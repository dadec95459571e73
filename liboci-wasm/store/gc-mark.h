/* SPDX-License-Identifier: Apache-2.0
 *
 * Which blobs of a layout are alive: the mark phase of garbage collection. Removes nothing, and
 * rather keeps too much than too little.
 */
#ifndef OCIW_STORE_GC_MARK_H
#define OCIW_STORE_GC_MARK_H

#include "store/layout-dir.h"

/* Adds to @p live the digests that the index leads to, through indexes, manifests and subjects, and
 * the referrers of all these, listed or not (LAY-8). With @p dropped not NULL, entries without a
 * name are no roots; those that nothing keeps are added to it. A manifest that is there but cannot
 * be read is an error: what it keeps alive is not known. */
int ociwp_gc_mark(ociwp_layout *layout, const ociw_op *op, ociwp_map *live, ociwp_map *dropped,
                  ociw_error **err);

#endif
