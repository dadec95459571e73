/* SPDX-License-Identifier: Apache-2.0
 *
 * How a blob gets into a layout: written where no reader looks, hashed on the way, published whole
 * or not at all (LAY-6). Large ones can be resumed by the next run (PUL-9).
 */
#ifndef OCIW_STORE_INGEST_H
#define OCIW_STORE_INGEST_H

#include "store/layout-root.h"

/* Stores a blob, unless it is there already. The caller has begun to write. */
int ociwp_ingest_blob(ociwp_layout *layout, const ociw_descriptor *desc,
                      const ociwp_blob_source *source, const ociw_op *op, ociw_error **err);

/* Called for each leftover of the ingest folder that no process holds; true: remove it. */
typedef bool (*ociwp_ingest_judge)(const char *name, uint64_t size, int64_t age_seconds,
                                   void *user_data);
/* Removes leftovers of writers that were killed. Never an error: they harm nobody. */
void ociwp_ingest_clean(ociwp_layout *layout, ociwp_ingest_judge judge, void *user_data);

/* Blobs of at least this size are kept half-done, for a next run to go on with. */
#define OCIWP_INGEST_RESUME_MIN (UINT64_C(1) << 20)

#endif
