/* SPDX-License-Identifier: Apache-2.0
 *
 * Folders of the pack cache: one an app, named by a hash of where the app is, each with a note of that
 * place. Those nobody will ask for again are removed. Losing a folder costs time, never bytes.
 */
#ifndef OCIW_OPS_PACK_CACHE_PRUNE_H
#define OCIW_OPS_PACK_CACHE_PRUNE_H

#include <stdbool.h>
#include <stdint.h>

#define OCIWP_PACK_CACHE_NAME_MAX 33
#define OCIWP_PACK_CACHE_KEEP_DAYS 90

/* The name of the folder of the app at @p root; false without memory. */
bool ociwp_pack_cache_name(const char *root, char out[OCIWP_PACK_CACHE_NAME_MAX]);
/* Notes that the folder @p dir is of the app at @p root and in use: a descriptor to be closed when it no
 * longer is, or -1. */
int ociwp_pack_cache_claim(const char *dir, const char *root);
/* Removes the folders beside @p dir whose app is gone, or which nobody used for KEEP_DAYS. Those in use,
 * of other users, or with something unknown in them stay. @p now: seconds since 1970. */
void ociwp_pack_cache_prune(const char *dir, int64_t now);

#endif
