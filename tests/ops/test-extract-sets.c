/* SPDX-License-Identifier: Apache-2.0
 *
 * The names of a layer and the looks of directories (extraction.md W1, M1, D13).
 */
#include "ops/extract-sets.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <stdio.h>

Test(extract_sets, a_name_is_seen_in_its_own_directory_only)
{
	ociwp_seen *seen = NULL;
	cr_assert_eq(ociwp_seen_new(&seen, NULL), 0);
	cr_expect_not(ociwp_seen_has(seen, 1, "a"));
	cr_assert(ociwp_seen_add(seen, 1, "a"));
	cr_assert(ociwp_seen_add(seen, 1, "a"));
	cr_assert(ociwp_seen_add(seen, 1, "a longer name than a word"));
	cr_expect_eq(ociwp_seen_count(seen), 2);
	cr_expect(ociwp_seen_has(seen, 1, "a"));
	cr_expect(ociwp_seen_has(seen, 1, "a longer name than a word"));
	cr_expect_not(ociwp_seen_has(seen, 2, "a"));
	cr_expect_not(ociwp_seen_has(seen, 1, "b"));
	cr_expect_not(ociwp_seen_has(seen, 1, "a longer name than a worD"));
	ociwp_seen_clear(seen);
	cr_expect_not(ociwp_seen_has(seen, 1, "a"));
	cr_expect_eq(ociwp_seen_count(seen), 0);
	ociwp_seen_free(seen);
}

Test(extract_sets, a_hundred_thousand_names_stay_within_64_bytes_each)
{
	ociwp_seen *seen = NULL;
	char name[32];
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	cr_assert_eq(ociwp_seen_new(&seen, NULL), 0);
	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		cr_assert(ociwp_seen_add(seen, (uint64_t)i % 100, name));
	}
	size_t used = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	cr_expect_leq(used, 100000 * 64UL, "%zu bytes", used);
	cr_expect_eq(ociwp_seen_count(seen), 100000);
	for (int i = 0; i < 100000; i += 7) {
		snprintf(name, sizeof(name), "file-%d", i);
		cr_expect(ociwp_seen_has(seen, (uint64_t)i % 100, name));
		cr_expect_not(ociwp_seen_has(seen, (uint64_t)i % 100 + 1, name));
	}
	ociwp_seen_free(seen);
}

Test(extract_sets, the_last_look_of_a_directory_counts)
{
	ociwp_dirs *dirs = NULL;
	ociwp_dir_look first = {0700, 1, 2}, second = {0555, 3, 4};
	cr_assert_eq(ociwp_dirs_new(&dirs, NULL), 0);
	cr_expect_null(ociwp_dirs_get(dirs, 7));
	cr_assert(ociwp_dirs_set(dirs, 7, &first));
	cr_assert(ociwp_dirs_set(dirs, 7, &second));
	cr_assert_not_null(ociwp_dirs_get(dirs, 7));
	cr_expect_eq(ociwp_dirs_get(dirs, 7)->mode, 0555);
	cr_expect_eq(ociwp_dirs_get(dirs, 7)->seconds, 4);
	cr_expect_null(ociwp_dirs_get(dirs, 8));
	cr_expect_not(ociwp_dirs_set(dirs, 0, &first), "0 is no inode");
	ociwp_dirs_free(dirs);
}

Test(extract_sets, many_directories_are_kept_apart)
{
	ociwp_dirs *dirs = NULL;
	cr_assert_eq(ociwp_dirs_new(&dirs, NULL), 0);
	for (uint64_t i = 1; i <= 10000; i++) {
		ociwp_dir_look look = {0755, 0, (int64_t)i};
		cr_assert(ociwp_dirs_set(dirs, i * 4096, &look));
	}
	for (uint64_t i = 1; i <= 10000; i++) {
		const ociwp_dir_look *look = ociwp_dirs_get(dirs, i * 4096);
		cr_assert_not_null(look);
		cr_expect_eq(look->seconds, (int64_t)i);
	}
	ociwp_dirs_free(dirs);
}
