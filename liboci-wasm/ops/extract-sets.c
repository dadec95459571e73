/* SPDX-License-Identifier: Apache-2.0
 *
 * Two open-addressing tables. The keys of the first are SipHash-1-3 with 128 bits of output under a
 * random key, so that chosen names neither collide nor make it slow.
 */
#include "ops/extract-sets.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

#define FIRST_SLOTS 64U

static void random_key(uint64_t key[2])
{
	if (getrandom(key, 16, GRND_NONBLOCK) == 16)
		return;
	/* Early boot: chosen names might then be slow, nothing worse. */
	struct timespec now = {0};
	clock_gettime(CLOCK_MONOTONIC, &now);
	key[0] = (uint64_t)now.tv_nsec * UINT64_C(0x9e3779b97f4a7c15);
	key[1] = (uint64_t)(uintptr_t)key ^ (uint64_t)now.tv_sec;
}

static inline uint64_t rotate(uint64_t x, int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
	v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
}

static inline void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

typedef struct seen_key {
	uint64_t a, b; /* both 0: a free slot */
} seen_key;

static seen_key hash_name(const uint64_t key[2], uint64_t inode, const char *name)
{
	uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575),
			 key[1] ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
			 key[0] ^ UINT64_C(0x6c7967656e657261),
			 key[1] ^ UINT64_C(0x7465646279746573)};
	size_t len = strlen(name), left = len;

	sip_word(v, inode);
	for (; left >= 8; left -= 8, name += 8) {
		uint64_t word;
		memcpy(&word, name, 8);
		sip_word(v, word);
	}
	uint64_t last = (uint64_t)len << 56;
	for (size_t i = 0; i < left; i++)
		last |= (uint64_t)(unsigned char)name[i] << (8 * i);
	sip_word(v, last);
	seen_key hash;
	v[2] ^= 0xee;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	hash.a = v[0] ^ v[1] ^ v[2] ^ v[3];
	v[1] ^= 0xdd;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	hash.b = v[0] ^ v[1] ^ v[2] ^ v[3];
	if (!hash.a && !hash.b)
		hash.b = 1;
	return hash;
}

struct ociwp_seen {
	uint64_t key[2];
	seen_key *slots;
	size_t cap, count;
};

int ociwp_seen_new(ociwp_seen **out, ociw_error **err)
{
	*out = ociwp_new(ociwp_seen);
	if (!*out)
		return ociwp_nomem(err);
	random_key((*out)->key);
	return 0;
}

void ociwp_seen_clear(ociwp_seen *seen)
{
	free(seen->slots);
	seen->slots = NULL;
	seen->cap = seen->count = 0;
}

void ociwp_seen_free(ociwp_seen *seen)
{
	if (!seen)
		return;
	free(seen->slots);
	free(seen);
}

/* The slot that holds @p key, or the free one where it belongs. */
static size_t seen_find(const seen_key *slots, size_t cap, seen_key key)
{
	size_t i = (size_t)key.a & (cap - 1);
	while ((slots[i].a || slots[i].b) && (slots[i].a != key.a || slots[i].b != key.b))
		i = (i + 1) & (cap - 1);
	return i;
}

bool ociwp_seen_add(ociwp_seen *seen, uint64_t parent_inode, const char *name)
{
	/* At most three quarters full. */
	if (seen->count >= seen->cap - seen->cap / 4) {
		size_t cap = seen->cap ? seen->cap * 2 : FIRST_SLOTS;
		seen_key *slots = ociwp_calloc(cap, sizeof(*slots));
		if (!slots)
			return false;
		for (size_t i = 0; i < seen->cap; i++)
			if (seen->slots[i].a || seen->slots[i].b)
				slots[seen_find(slots, cap, seen->slots[i])] = seen->slots[i];
		free(seen->slots);
		seen->slots = slots;
		seen->cap = cap;
	}
	seen_key key = hash_name(seen->key, parent_inode, name);
	size_t i = seen_find(seen->slots, seen->cap, key);
	if (!seen->slots[i].a && !seen->slots[i].b) {
		seen->slots[i] = key;
		seen->count++;
	}
	return true;
}

bool ociwp_seen_has(const ociwp_seen *seen, uint64_t parent_inode, const char *name)
{
	if (!seen->cap)
		return false;
	size_t i = seen_find(seen->slots, seen->cap, hash_name(seen->key, parent_inode, name));
	return seen->slots[i].a || seen->slots[i].b;
}

size_t ociwp_seen_count(const ociwp_seen *seen)
{
	return seen->count;
}

/* --- directories ---------------------------------------------------------------------------- */

typedef struct dir_slot {
	uint64_t inode; /* 0: free */
	ociwp_dir_look look;
} dir_slot;

struct ociwp_dirs {
	uint64_t key[2];
	dir_slot *slots;
	size_t cap, count;
};

int ociwp_dirs_new(ociwp_dirs **out, ociw_error **err)
{
	*out = ociwp_new(ociwp_dirs);
	if (!*out)
		return ociwp_nomem(err);
	random_key((*out)->key);
	return 0;
}

void ociwp_dirs_free(ociwp_dirs *dirs)
{
	if (!dirs)
		return;
	free(dirs->slots);
	free(dirs);
}

static size_t dirs_find(const ociwp_dirs *dirs, const dir_slot *slots, size_t cap, uint64_t inode)
{
	uint64_t hash = (inode ^ dirs->key[0]) * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(hash ^ (hash >> 32)) & (cap - 1);
	while (slots[i].inode && slots[i].inode != inode)
		i = (i + 1) & (cap - 1);
	return i;
}

bool ociwp_dirs_set(ociwp_dirs *dirs, uint64_t inode, const ociwp_dir_look *look)
{
	if (!inode)
		return false;
	if (dirs->count >= dirs->cap - dirs->cap / 4) {
		size_t cap = dirs->cap ? dirs->cap * 2 : FIRST_SLOTS;
		dir_slot *slots = ociwp_calloc(cap, sizeof(*slots));
		if (!slots)
			return false;
		for (size_t i = 0; i < dirs->cap; i++)
			if (dirs->slots[i].inode)
				slots[dirs_find(dirs, slots, cap, dirs->slots[i].inode)] =
					dirs->slots[i];
		free(dirs->slots);
		dirs->slots = slots;
		dirs->cap = cap;
	}
	size_t i = dirs_find(dirs, dirs->slots, dirs->cap, inode);
	if (!dirs->slots[i].inode)
		dirs->count++;
	dirs->slots[i] = (dir_slot){inode, *look};
	return true;
}

const ociwp_dir_look *ociwp_dirs_get(const ociwp_dirs *dirs, uint64_t inode)
{
	if (!dirs->cap || !inode)
		return NULL;
	size_t i = dirs_find(dirs, dirs->slots, dirs->cap, inode);
	return dirs->slots[i].inode ? &dirs->slots[i].look : NULL;
}
