/* SPDX-License-Identifier: Apache-2.0
 *
 * Trees copied out of the cache.
 */
#include "../support/cached.h"

#include <fcntl.h>

Test(cache_copy, a_copy_looks_the_same_and_shares_nothing)
{
	struct place place = place_new();
	ociw_cache *cache = cache_at(&place);
	ociw_lease *lease = cache_lease(cache, "text", NULL);
	char command[512], original[512];
	struct stat a, b;
	cr_assert_eq(ociw_lease_materialise(lease, place.out, OCIW_MATERIALISE_COPY, NULL, NULL),
		     0);
	snprintf(command, sizeof(command),
		 "cd %s && find . -printf '%%p %%m %%s %%T@ %%l\\n' | sort > ../a &&"
		 " cd %s && find . -printf '%%p %%m %%s %%T@ %%l\\n' | sort | diff - %s/a",
		 place.out, ociw_lease_path(lease), place.dir);
	cr_expect_eq(system(command), 0);
	snprintf(original, sizeof(original), "%s/d/f", ociw_lease_path(lease));
	cr_assert_eq(stat(original, &a), 0);
	cr_assert(place_stat(&place, "d/f", &b));
	cr_expect_neq(a.st_ino, b.st_ino);
	ociw_lease_release(lease);
	ociw_cache_free(cache);
	place_free(&place);
}

Test(cache_copy, hard_links_are_the_same_files)
{
	struct place place = place_new();
	ociw_cache *cache = cache_at(&place);
	ociw_lease *lease = cache_lease(cache, "text", NULL);
	struct stat st;
	cr_assert_eq(
		ociw_lease_materialise(lease, place.out, OCIW_MATERIALISE_HARDLINK, NULL, NULL), 0);
	cr_assert(place_stat(&place, "d/f", &st));
	cr_expect_eq(st.st_nlink, 2);
	cr_assert(place_stat(&place, "d", &st));
	cr_expect_eq(st.st_mode & 07777, 0555);
	ociw_lease_release(lease);
	ociw_cache_free(cache);
	place_free(&place);
}

Test(cache_copy, shared_blocks_or_a_clear_error)
{
	struct place place = place_new();
	ociw_cache *cache = cache_at(&place);
	ociw_lease *lease = cache_lease(cache, "text", NULL);
	int r = ociw_lease_materialise(lease, place.out, OCIW_MATERIALISE_REFLINK, NULL, NULL);
	cr_expect(r == 0 || r == OCIW_ERR_UNSUPPORTED);
	cr_expect_eq(place_has(&place, "d/f"), r == 0);
	ociw_lease_release(lease);
	ociw_cache_free(cache);
	place_free(&place);
}

Test(cache_copy, a_full_destination_is_kept)
{
	struct place place = place_new();
	ociw_cache *cache = cache_at(&place);
	ociw_lease *lease = cache_lease(cache, "text", NULL);
	cr_assert_eq(ociw_lease_materialise(lease, place.out, OCIW_MATERIALISE_COPY, NULL, NULL),
		     0);
	cr_expect_eq(ociw_lease_materialise(lease, place.out, OCIW_MATERIALISE_COPY, NULL, NULL),
		     OCIW_ERR_EXISTS);
	cr_expect_eq(place_count(&place), 2);
	ociw_lease_release(lease);
	ociw_cache_free(cache);
	place_free(&place);
}
