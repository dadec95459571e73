/* SPDX-License-Identifier: Apache-2.0
 *
 * A hash map from byte strings to pointers, in order of insertion. Hashing is keyed per map, so that
 * chosen names cannot make it slow.
 */
#ifndef OCIW_BASE_MAP_H
#define OCIW_BASE_MAP_H

#include <oci-wasm/export.h>

typedef struct ociwp_map ociwp_map;
typedef void (*ociwp_map_free_value)(void *value);

ociwp_map *ociwp_map_new(ociwp_map_free_value free_value /* or NULL */);
void ociwp_map_free(ociwp_map *map);
size_t ociwp_map_size(const ociwp_map *map);
/* Value of a key; NULL when absent (use contains for NULL values). */
void *ociwp_map_get(const ociwp_map *map, const char *key);
bool ociwp_map_contains(const ociwp_map *map, const char *key);
/* Copies the key. An old value is freed. False without memory; then the new value is not owned. */
bool ociwp_map_set(ociwp_map *map, const char *key, void *take_value);
bool ociwp_map_remove(ociwp_map *map, const char *key);
/* Entry @p i in order of insertion; false past the last. Key and value are borrowed. */
bool ociwp_map_at(const ociwp_map *map, size_t i, const char **key, void **value);

static inline void ociwp_cleanup_map(ociwp_map **map)
{
	ociwp_map_free(*map);
}

#endif
