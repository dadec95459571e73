/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys, records and locks of cache entries.
 */
#include "ops/cache-entry.h"

#include "../support/images.h"

#include <fcntl.h>
#include <sys/file.h>

#define DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void key_of(const ociw_extract_options *options, char out[OCIWP_CACHE_KEY_MAX])
{
	cr_assert_eq(ociwp_cache_key(DIGEST, options, out, NULL), 0);
	cr_expect(ociwp_cache_is_key(out));
}

Test(cache_entry, the_key_depends_on_what_shapes_the_tree_and_on_nothing_else)
{
	static const char *const ab[] = {"a", "b"}, *const ba[] = {"b", "a"};
	ociw_extract_options options = OCIW_EXTRACT_OPTIONS_INIT;
	char plain[OCIWP_CACHE_KEY_MAX], other[OCIWP_CACHE_KEY_MAX];
	key_of(&options, plain);
	options.flags = OCIW_EXTRACT_SERIAL | OCIW_EXTRACT_NO_SYNC | OCIW_EXTRACT_NO_OPENAT2;
	key_of(&options, other);
	cr_expect_str_eq(plain, other);
	options.flags = OCIW_EXTRACT_XATTRS;
	key_of(&options, other);
	cr_expect_str_neq(plain, other);
	options.flags = 0;
	options.mode = OCIW_EXTRACT_SPIN_CACHE;
	key_of(&options, other);
	cr_expect_str_neq(plain, other);
	options.mode = 0;
	options.components = ab;
	options.component_count = 2;
	key_of(&options, plain);
	options.components = ba;
	key_of(&options, other);
	cr_expect_str_eq(plain, other, "in any order");
}

Test(cache_entry, names_that_are_no_keys_are_told_apart)
{
	cr_expect_not(ociwp_cache_is_key("."));
	cr_expect_not(ociwp_cache_is_key(".locks"));
	cr_expect_not(ociwp_cache_is_key(DIGEST));
}

/* An entry with a tree of two names and five bytes. */
static int make_entry(const struct place *place)
{
	ociwp_cache_record record = {0};
	cr_assert_eq(mkdir(place->out, 0700), 0);
	int entry = open(place->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(mkdirat(entry, "tree", 0755), 0);
	cr_assert_eq(mkdirat(entry, "tree/d", 0755), 0);
	int fd = openat(entry, "tree/d/f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	cr_assert_eq(write(fd, "12345", 5), 5);
	close(fd);
	cr_assert_eq(ociwp_cache_measure(entry, &record, NULL), 0);
	cr_expect_eq(record.names, 2);
	cr_expect_eq(record.bytes, 5);
	record.json = (char *)"{\"mode\":\"rootfs\"}";
	cr_assert_eq(ociwp_cache_write_record(entry, &record, NULL), 0);
	return entry;
}

static int read_record(int entry, bool deep, char *why)
{
	ociwp_cache_record record;
	ociw_error *err = NULL;
	int r = ociwp_cache_read_record(entry, deep, &record, &err);
	snprintf(why, 512, "%s", r < 0 ? ociw_error_message(err) : record.json);
	ociw_error_free(err);
	if (r == 0)
		ociwp_cache_record_deinit(&record);
	return r;
}

Test(cache_entry, a_record_comes_back)
{
	struct place place = place_new();
	char why[512];
	int entry = make_entry(&place);
	cr_expect_eq(read_record(entry, true, why), 0, "%s", why);
	cr_expect_str_eq(why, "{\"mode\":\"rootfs\"}");
	close(entry);
	place_free(&place);
}

Test(cache_entry, damage_is_noticed)
{
	static const struct {
		const char *command, *message;
		bool deep;
	} cases[] = {
		{"rm record", "no record", false},
		{"truncate -s 10 record", "no record", false},
		{"truncate -s 40 record", "half a record", false},
		{"truncate -s 150 record", "checksum is wrong", false},
		{"sed -i s/rootfs/r00tfs/ record", "checksum is wrong", false},
		{"rm -r tree", "the tree is gone", false},
		{"touch tree/new", "its top was changed", false},
		{"truncate -s 4 tree/d/f", "names or bytes", true},
		{"rm tree/d/f", "names or bytes", true},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(cases); i++) {
		struct place place = place_new();
		char why[512], command[256];
		int entry = make_entry(&place);
		snprintf(command, sizeof(command), "cd %s && %s", place.out, cases[i].command);
		cr_assert_eq(system(command), 0);
		cr_expect_eq(read_record(entry, cases[i].deep, why), OCIW_ERR_FORMAT, "%s: %s",
			     cases[i].command, why);
		cr_expect(strstr(why, cases[i].message) != NULL, "%s: %s", cases[i].command, why);
		close(entry);
		place_free(&place);
	}
}

Test(cache_entry, shared_locks_share_and_exclusive_ones_do_not)
{
	struct place place = place_new();
	int dir = open(place.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int e1 = -1, e2 = -1, l1 = -1, l2 = -1, entry = make_entry(&place);
	cr_assert_eq(ociwp_cache_lock_entry(dir, "out", LOCK_SH, &e1, &l1, NULL), 0);
	cr_assert_eq(ociwp_cache_lock_entry(dir, "out", LOCK_SH, &e2, &l2, NULL), 0);
	close(e2);
	close(l2);
	cr_expect_eq(ociwp_cache_lock_entry(dir, "out", LOCK_EX, &e2, &l2, NULL), OCIW_ERR_BUSY);
	close(e1);
	close(l1);
	cr_assert_eq(ociwp_cache_lock_entry(dir, "out", LOCK_EX, &e2, &l2, NULL), 0);
	cr_expect_eq(ociwp_cache_lock_entry(dir, "out", LOCK_SH, &e1, &l1, NULL), OCIW_ERR_BUSY);
	cr_expect_eq(ociwp_cache_remove_entry(dir, "out", NULL), 0);
	close(e2);
	close(l2);
	cr_expect_eq(ociwp_cache_lock_entry(dir, "out", LOCK_SH, &e1, &l1, NULL),
		     OCIW_ERR_NOTFOUND);
	cr_expect_eq(place_count(&place), 0);
	close(entry);
	close(dir);
	place_free(&place);
}
