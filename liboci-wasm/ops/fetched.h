/* SPDX-License-Identifier: Apache-2.0
 *
 * What was fetched for earlier packs: <cache>/wasm/<digest>.wasm, and for versions of packages,
 * whose digest no manifest says, <cache>/packages/<hash of package and version> with that digest.
 * Whatever is odd about the store means "not there"; bytes are hashed by whoever uses them.
 */
#ifndef OCIW_OPS_FETCHED_H
#define OCIW_OPS_FETCHED_H

#include "ops/pack-private.h"
#include "spin/app.h"

/* Where the bytes of a digest are, or would be; NULL without a cache. */
int ociwp_fetched_path(const ociwp_pack *pack, const ociw_digest *digest, char **out,
                       ociw_error **err);
/* Puts a file that is open as @p fd at @p path into the store: its path there, or NULL when the
 * store cannot be written. The file may be gone from @p path afterwards. */
char *ociwp_fetched_keep(const ociwp_pack *pack, const ociw_digest *digest, const char *path,
                         int fd);

/* The digest that a version, or what met a requirement, had when it was fetched. */
bool ociwp_fetched_recall(const ociwp_pack *pack, const ociwp_app_source *from, ociw_digest *out);
void ociwp_fetched_remember(const ociwp_pack *pack, const ociwp_app_source *from,
                            const ociw_digest *digest);

#endif
