/* SPDX-License-Identifier: Apache-2.0
 *
 * Which file goes into which bundle (spin-node.md 3): a prefix tree over a hash of the name, so
 * that the bundles are a function of the app alone and a change touches few of them.
 */
#ifndef OCIW_FORMAT_BUNDLES_H
#define OCIW_FORMAT_BUNDLES_H

#include "format/draft.h"

#define OCIWP_BUNDLE_DEPTH 6 /* so at most 64 bundles */
#define OCIWP_BUNDLE_BYTES (4u << 20)
#define OCIWP_BUNDLE_FILES 4096u

/* Plans the bundles of all files but whiteout-like ones; members are sorted, nothing is read. */
int ociwp_bundles_plan(const ociwp_draft_component *components, size_t count, ociwp_tar_layer **out,
                       size_t *out_count, ociw_error **err);

/* One archive with all files of one component, as Spin makes them (spin.md 3.3). */
int ociwp_bundles_plan_archive(const ociwp_draft_component *component, ociwp_tar_layer *out,
                               ociw_error **err);

#endif
