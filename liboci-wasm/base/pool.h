/* SPDX-License-Identifier: Apache-2.0
 *
 * Many short texts that are kept until all of them go at once: a few blocks of memory instead of one
 * piece each, which costs a third of a short text and cannot be given back in one go.
 */
#ifndef OCIW_BASE_POOL_H
#define OCIW_BASE_POOL_H

#include <stddef.h>

struct ociwp_pool_block;

/* All zero: empty. */
typedef struct ociwp_pool {
	struct ociwp_pool_block *newest;
} ociwp_pool;

/* @p len bytes, at no particular boundary, that never move; NULL without memory. */
char *ociwp_pool_alloc(ociwp_pool *pool, size_t len);
char *ociwp_pool_strdup(ociwp_pool *pool, const char *text);
void ociwp_pool_deinit(ociwp_pool *pool);

#endif
