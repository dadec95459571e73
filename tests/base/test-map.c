/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"
#include "base/alloc.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(map, entries_come_back_in_order_of_insertion)
{
	OCIWP_AUTO(map) ociwp_map *map = ociwp_map_new(NULL);
	char key[16];
	const char *found;
	void *value;

	for (intptr_t i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%d", (int)i);
		cr_assert(ociwp_map_set(map, key, (void *)(i + 1)));
	}
	cr_assert_eq(ociwp_map_size(map), 1000);
	cr_assert(ociwp_map_at(map, 999, &found, &value));
	cr_assert_str_eq(found, "k999");
	cr_assert_eq((intptr_t)ociwp_map_get(map, "k500"), 501);
	cr_assert_not(ociwp_map_at(map, 1000, NULL, NULL));
}

Test(map, removed_keys_are_gone_and_can_come_back)
{
	OCIWP_AUTO(map) ociwp_map *map = ociwp_map_new(free);
	const char *key;

	cr_assert(ociwp_map_set(map, "a", ociwp_strdup("1")));
	cr_assert(ociwp_map_set(map, "b", ociwp_strdup("2")));
	cr_assert(ociwp_map_set(map, "a", ociwp_strdup("3")));
	cr_assert_str_eq(ociwp_map_get(map, "a"), "3");
	cr_assert(ociwp_map_remove(map, "a"));
	cr_assert_not(ociwp_map_remove(map, "a"));
	cr_assert_not(ociwp_map_contains(map, "a"));
	cr_assert(ociwp_map_at(map, 0, &key, NULL));
	cr_assert_str_eq(key, "b");
	cr_assert(ociwp_map_set(map, "a", ociwp_strdup("4")));
	cr_assert_eq(ociwp_map_size(map), 2);
}

Test(map, many_removals_do_not_fill_it)
{
	OCIWP_AUTO(map) ociwp_map *map = ociwp_map_new(NULL);

	for (int i = 0; i < 10000; i++) {
		cr_assert(ociwp_map_set(map, "same", map));
		cr_assert(ociwp_map_remove(map, "same"));
	}
	cr_assert_eq(ociwp_map_size(map), 0);
	cr_assert_null(ociwp_map_get(map, "same"));
}
