/* SPDX-License-Identifier: Apache-2.0
 *
 * The pack cache of one app: digests of files that have not changed since they were hashed, and the
 * bundles made of them. A cache that is damaged, foreign or unwritable is no error: it is not used.
 */
#ifndef OCIW_OPS_PACK_CACHE_H
#define OCIW_OPS_PACK_CACHE_H

#include "format/draft.h"

typedef struct ociwp_pack_cache ociwp_pack_cache;

/* Opens the cache in @p dir for the app at @p root; *out NULL when it cannot be used. */
int ociwp_pack_cache_open(const char *dir, const char *root, ociwp_pack_cache **out,
                          ociw_error **err);
void ociwp_pack_cache_free(ociwp_pack_cache *cache);

/* True when the file of @p source is known unchanged: then it is filled in. @p wasm: it must also
 * have passed this check (or a stronger one). Any thread. */
bool ociwp_pack_cache_find(ociwp_pack_cache *cache, ociwp_source *source, unsigned wasm);
/* Gives back the memory that finding files needs, as much as a draft, once nothing is to be found. */
void ociwp_pack_cache_forget_files(ociwp_pack_cache *cache);
/* Bundles kept here, for ociwp_tar_settings. */
const ociwp_layer_cache *ociwp_pack_cache_layers(ociwp_pack_cache *cache);
/* Writes what @p draft knows now in one step, and drops bundles that nothing used this time. */
void ociwp_pack_cache_save(ociwp_pack_cache *cache, const ociwp_draft *draft);

#endif
