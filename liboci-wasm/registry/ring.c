/* SPDX-License-Identifier: Apache-2.0
 *
 * The ring itself: two indexes over one allocation. It knows neither threads nor curl; transport.c
 * wraps it in a mutex. No outside spec.
 */
#include "registry/ring.h"

#include <assert.h>
#include <string.h>

bool ociwp_ring_init(ociwp_ring *ring, size_t cap)
{
	*ring = (ociwp_ring){.data = ociwp_malloc(cap), .cap = cap};
	return ring->data != NULL;
}

void ociwp_ring_deinit(ociwp_ring *ring)
{
	free(ring->data);
	*ring = (ociwp_ring){0};
}

size_t ociwp_ring_free_area(const ociwp_ring *ring, char **area)
{
	if (ring->len == ring->cap)
		return 0;
	size_t at = (ring->start + ring->len) % ring->cap;
	*area = ring->data + at;
	return at < ring->start ? ring->start - at : ring->cap - at;
}

void ociwp_ring_produced(ociwp_ring *ring, size_t len)
{
	assert(len <= ociwp_ring_room(ring));
	ring->len += len;
}

bool ociwp_ring_push(ociwp_ring *ring, const void *data, size_t len)
{
	if (len > ociwp_ring_room(ring))
		return false;
	const char *from = data;
	while (len) {
		char *area = NULL;
		size_t n = ociwp_ring_free_area(ring, &area);
		if (n > len)
			n = len;
		assert(area); /* there was room */
		memcpy(area, from, n);
		ring->len += n;
		from += n;
		len -= n;
	}
	return true;
}

size_t ociwp_ring_pop(ociwp_ring *ring, void *out, size_t len)
{
	char *to = out;
	size_t total = 0;
	while (total < len && ring->len) {
		size_t n = ring->cap - ring->start;
		if (n > ring->len)
			n = ring->len;
		if (n > len - total)
			n = len - total;
		memcpy(to + total, ring->data + ring->start, n);
		ring->start = (ring->start + n) % ring->cap;
		ring->len -= n;
		total += n;
	}
	return total;
}
