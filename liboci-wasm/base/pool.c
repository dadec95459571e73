/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks that double in size up to a maximum, so that a few texts take little and many are in few blocks.
 */
#include "base/pool.h"
#include "base/alloc.h"
#include <string.h>

#define BLOCK_MIN ((size_t)1 << 10)
#define BLOCK_MAX ((size_t)32 << 10)

struct ociwp_pool_block {
	struct ociwp_pool_block *older;
	size_t used, size;
	char bytes[];
};

static struct ociwp_pool_block *add_block(ociwp_pool *pool, size_t len)
{
	struct ociwp_pool_block *block;
	size_t size = pool->newest ? 2 * pool->newest->size : BLOCK_MIN, bytes;
	if (size > BLOCK_MAX)
		size = BLOCK_MAX;
	if (size < len)
		size = len;
	if (!ociwp_add_ok(sizeof(*block), size, &bytes) || !(block = ociwp_malloc(bytes)))
		return NULL;
	*block = (struct ociwp_pool_block){pool->newest, 0, size};
	pool->newest = block;
	return block;
}

char *ociwp_pool_alloc(ociwp_pool *pool, size_t len)
{
	struct ociwp_pool_block *block = pool->newest;
	if (!block || block->size - block->used < len)
		block = add_block(pool, len);
	if (!block)
		return NULL;
	char *at = block->bytes + block->used;
	block->used += len;
	return at;
}

char *ociwp_pool_strdup(ociwp_pool *pool, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = ociwp_pool_alloc(pool, size);
	return copy ? memcpy(copy, text, size) : NULL;
}

void ociwp_pool_deinit(ociwp_pool *pool)
{
	while (pool->newest) {
		struct ociwp_pool_block *older = pool->newest->older;
		free(pool->newest);
		pool->newest = older;
	}
}
