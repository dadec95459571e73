/* SPDX-License-Identifier: Apache-2.0
 *
 * A bounded byte queue between two threads. It locks nothing: one producer and one consumer each
 * hold the owner's lock around the calls, and may touch the bytes of a granted area without it.
 */
#ifndef OCIW_REGISTRY_RING_H
#define OCIW_REGISTRY_RING_H

#include "base/alloc.h"

typedef struct ociwp_ring {
	char *data;
	size_t cap;
	size_t start; /* of the bytes held */
	size_t len;   /* bytes held */
} ociwp_ring;

/* False without memory. */
bool ociwp_ring_init(ociwp_ring *ring, size_t cap);
void ociwp_ring_deinit(ociwp_ring *ring);
static inline size_t ociwp_ring_room(const ociwp_ring *ring)
{
	return ring->cap - ring->len;
}
/* The next free area in one piece; 0 when full. Only the producer may call and fill it. */
size_t ociwp_ring_free_area(const ociwp_ring *ring, char **area);
/* Bytes of the free area were filled. */
void ociwp_ring_produced(ociwp_ring *ring, size_t len);
/* All of @p len bytes, or false when they do not fit. */
bool ociwp_ring_push(ociwp_ring *ring, const void *data, size_t len);
/* At most @p len bytes. */
size_t ociwp_ring_pop(ociwp_ring *ring, void *out, size_t len);

#endif
