/* SPDX-License-Identifier: Apache-2.0
 *
 * Hash map: entries in an array in order of insertion, and an open-addressed table of indices. The
 * hash is SipHash-1-3 with a key per map, so that an attacker cannot choose colliding names.
 */
#include "base/map.h"
#include "base/alloc.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>

typedef struct entry {
	char *key; /* NULL: removed */
	void *value;
	uint64_t hash;
} entry;

struct ociwp_map {
	ociwp_map_free_value free_value;
	uint64_t seed[2];
	entry *entries;
	size_t entry_count, entry_cap; /* with removed ones */
	size_t live;
	uint32_t *slots; /* index + 1 of an entry; 0 free */
	size_t slot_count; /* a power of two */
};

static inline uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static uint64_t hash_key(const ociwp_map *map, const char *key)
{
	size_t len = strlen(key);
	uint64_t v[4] = {map->seed[0] ^ UINT64_C(0x736f6d6570736575),
			 map->seed[1] ^ UINT64_C(0x646f72616e646f6d),
			 map->seed[0] ^ UINT64_C(0x6c7967656e657261),
			 map->seed[1] ^ UINT64_C(0x7465646279746573)};
	size_t left = len;

	for (; left >= 8; key += 8, left -= 8) {
		uint64_t word;
		memcpy(&word, key, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	uint64_t last = (uint64_t)len << 56;
	for (size_t i = 0; i < left; i++)
		last |= (uint64_t)(unsigned char)key[i] << (8 * i);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

ociwp_map *ociwp_map_new(ociwp_map_free_value free_value)
{
	ociwp_map *map = ociwp_new(ociwp_map);

	if (!map)
		return NULL;
	map->free_value = free_value;
	if (getrandom(map->seed, sizeof(map->seed), GRND_NONBLOCK) != (ssize_t)sizeof(map->seed)) {
		map->seed[0] = (uint64_t)(uintptr_t)map; /* early boot: the address is what we have */
		map->seed[1] = ~map->seed[0];
	}
	return map;
}

void ociwp_map_free(ociwp_map *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < map->entry_count; i++) {
		if (map->entries[i].key && map->free_value)
			map->free_value(map->entries[i].value);
		free(map->entries[i].key);
	}
	free(map->entries);
	free(map->slots);
	free(map);
}

size_t ociwp_map_size(const ociwp_map *map)
{
	return map->live;
}

/* Slot of a key, or the free slot where it would go. The table always has free slots. */
static size_t find_slot(const ociwp_map *map, const char *key, uint64_t hash)
{
	size_t mask = map->slot_count - 1, i = (size_t)hash & mask;

	for (; map->slots[i]; i = (i + 1) & mask) {
		const entry *e = &map->entries[map->slots[i] - 1];
		if (e->hash == hash && e->key && strcmp(e->key, key) == 0)
			break;
	}
	return i;
}

static entry *find(const ociwp_map *map, const char *key)
{
	if (!map->slot_count)
		return NULL;
	uint32_t index = map->slots[find_slot(map, key, hash_key(map, key))];
	return index ? &map->entries[index - 1] : NULL;
}

void *ociwp_map_get(const ociwp_map *map, const char *key)
{
	const entry *e = find(map, key);

	return e ? e->value : NULL;
}

bool ociwp_map_contains(const ociwp_map *map, const char *key)
{
	return find(map, key) != NULL;
}

/* Makes room for one more entry; drops removed ones while at it. */
static bool grow(ociwp_map *map)
{
	size_t cap = map->live < 8 ? 8 : map->live * 2;
	size_t slot_count = 16;

	while (slot_count < cap * 2)
		slot_count *= 2;
	if (cap > UINT32_MAX / 2)
		return false;
	entry *entries = ociwp_calloc(cap, sizeof(*entries));
	uint32_t *slots = ociwp_calloc(slot_count, sizeof(*slots));
	if (!entries || !slots) {
		free(entries);
		free(slots);
		return false;
	}
	assert(map->entry_count == 0 || map->entries);
	size_t n = 0;
	for (size_t i = 0; i < map->entry_count; i++) {
		if (!map->entries[i].key)
			continue;
		entries[n] = map->entries[i];
		size_t slot = (size_t)entries[n].hash & (slot_count - 1);
		while (slots[slot])
			slot = (slot + 1) & (slot_count - 1);
		slots[slot] = (uint32_t)++n;
	}
	free(map->entries);
	free(map->slots);
	map->entries = entries;
	map->entry_count = n;
	map->entry_cap = cap;
	map->slots = slots;
	map->slot_count = slot_count;
	return true;
}

bool ociwp_map_set(ociwp_map *map, const char *key, void *take_value)
{
	entry *old = find(map, key);

	if (old) {
		if (map->free_value)
			map->free_value(old->value);
		old->value = take_value;
		return true;
	}
	if (map->entry_count == map->entry_cap && !grow(map))
		return false;
	char *copy = ociwp_strdup(key);
	if (!copy)
		return false;
	uint64_t hash = hash_key(map, key);
	size_t slot = find_slot(map, key, hash);
	map->entries[map->entry_count++] = (entry){copy, take_value, hash};
	map->slots[slot] = (uint32_t)map->entry_count;
	map->live++;
	return true;
}

bool ociwp_map_remove(ociwp_map *map, const char *key)
{
	entry *e = find(map, key);

	if (!e)
		return false;
	/* The slot keeps pointing at the emptied entry: probes go on past it. */
	if (map->free_value)
		map->free_value(e->value);
	free(e->key);
	*e = (entry){0};
	map->live--;
	return true;
}

bool ociwp_map_at(const ociwp_map *map, size_t i, const char **key, void **value)
{
	size_t at = i;

	if (map->live != map->entry_count) { /* something was removed: count the live ones */
		size_t seen = 0;
		for (at = 0; at < map->entry_count; at++) {
			if (map->entries[at].key && seen++ == i)
				break;
		}
	}
	if (at >= map->entry_count)
		return false;
	if (key)
		*key = map->entries[at].key;
	if (value)
		*value = map->entries[at].value;
	return true;
}
