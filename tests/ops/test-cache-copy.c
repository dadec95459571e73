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

/* An image whose file has three names, two of them in folders that are read-only in the end. */
static ociw_lease *lease_of_links(ociw_cache *cache)
{
	struct image image = image_begin();
	ociwp_buf tar = OCIWP_BUF_INIT;
	ociw_extract_options options = OCIW_EXTRACT_OPTIONS_INIT;
	ociw_lease *lease = NULL;
	tar_dir(&tar, "a", 0555);
	tar_dir(&tar, "b", 0555);
	tar_file(&tar, "a/f", "text");
	tar_add(&tar, '1', "b/g", "a/f", 0644, NULL, 0);
	tar_add(&tar, '1', "h", "a/f", 0644, NULL, 0);
	tar_file(&tar, "i", "text");
	tar_end(&tar);
	image_tar(&image, &tar, true);
	ociw_content *content = image_end_rootfs(&image);
	options.flags = OCIW_EXTRACT_NO_SYNC;
	cr_assert_eq(ociw_cache_get(cache, content, NULL, &options, 0, &lease, NULL), 0);
	ociw_content_free(content);
	return lease;
}

Test(cache_copy, hard_links_in_the_tree_stay_links_in_each_copy)
{
	struct place place = place_new();
	ociw_cache *cache = cache_at(&place);
	ociw_lease *lease = lease_of_links(cache);
	struct stat f, g, h, i, original;
	char path[512];
	cr_assert_eq(ociw_lease_materialise(lease, place.out, OCIW_MATERIALISE_COPY, NULL, NULL), 0);
	cr_assert(place_stat(&place, "a/f", &f) && place_stat(&place, "b/g", &g) &&
		  place_stat(&place, "h", &h) && place_stat(&place, "i", &i));
	cr_expect_eq(f.st_nlink, 3);
	cr_expect_eq(f.st_ino, g.st_ino);
	cr_expect_eq(f.st_ino, h.st_ino);
	cr_expect_neq(f.st_ino, i.st_ino);
	snprintf(path, sizeof(path), "%s/a/f", ociw_lease_path(lease));
	cr_assert_eq(stat(path, &original), 0);
	cr_expect_neq(f.st_ino, original.st_ino);
	cr_expect_eq(f.st_mtime, original.st_mtime);
	cr_expect_eq(original.st_nlink, 3);
	ociw_lease_release(lease);
	ociw_cache_free(cache);
	place_free(&place);
}

/* The cache's own files have more names outside of the tree then, which are no links of the copy. */
Test(cache_copy, a_copy_after_hard_links_is_still_a_copy)
{
	struct place place = place_new();
	ociw_cache *cache = cache_at(&place);
	ociw_lease *lease = lease_of_links(cache);
	struct stat f, i;
	char linked[512];
	snprintf(linked, sizeof(linked), "%s/linked", place.dir);
	cr_assert_eq(ociw_lease_materialise(lease, linked, OCIW_MATERIALISE_HARDLINK, NULL, NULL),
		     0);
	cr_assert_eq(ociw_lease_materialise(lease, place.out, OCIW_MATERIALISE_COPY, NULL, NULL), 0);
	cr_assert(place_stat(&place, "a/f", &f) && place_stat(&place, "i", &i));
	cr_expect_eq(f.st_nlink, 3);
	cr_expect_eq(i.st_nlink, 1);
	ociw_lease_release(lease);
	ociw_cache_free(cache);
	place_free(&place);
}
