/* SPDX-License-Identifier: Apache-2.0
 *
 * What entries do to a tree (extraction.md L, M, E, W, S, X), on both walkers. The layer corpus covers
 * more; here are the cases that need several layers, flags or a look at the message.
 */
#include "../support/images.h"

#include <fcntl.h>
#include <oci-wasm/extract.h>
#include <sys/xattr.h>

static int extract(ociw_content *content, const struct place *place, uint32_t flags, char *why)
{
	ociw_extract_options options = OCIW_EXTRACT_OPTIONS_INIT;
	ociw_error *err = NULL;
	options.flags = flags | OCIW_EXTRACT_NO_SYNC;
	int r = ociw_extract(content, "v1", place->out, &options, NULL, &err);
	if (why)
		snprintf(why, 1024, "%s", ociw_error_message(err));
	cr_expect_eq(ociw_error_code(err), r);
	if (r < 0)
		cr_expect_eq(place_count(place), 0, "nothing half-made: %s",
			     ociw_error_message(err));
	ociw_error_free(err);
	ociw_content_free(content);
	return r;
}

static ociw_content *one_layer(ociwp_buf *tar)
{
	struct image image = image_begin();
	tar_end(tar);
	image_tar(&image, tar, true);
	return image_end_rootfs(&image);
}

static ociw_content *two_layers(ociwp_buf *lower, ociwp_buf *upper)
{
	struct image image = image_begin();
	tar_end(lower);
	image_tar(&image, lower, true);
	tar_end(upper);
	image_tar(&image, upper, false);
	return image_end_rootfs(&image);
}

Test(extract_layer, modes_and_times_are_exact_and_children_do_not_touch_them)
{
	struct place place = place_new();
	ociwp_buf tar = OCIWP_BUF_INIT;
	struct stat st;
	tar_dir(&tar, "ro", 0555);
	tar_file(&tar, "ro/f", "x");
	tar_dir(&tar, ".", 0711);
	cr_assert_eq(extract(one_layer(&tar), &place, 0, NULL), 0);
	cr_assert(place_stat(&place, "ro", &st));
	cr_expect_eq(st.st_mode & 07777, 0555);
	cr_expect_eq(st.st_mtime, 1600000000);
	cr_assert(place_stat(&place, ".", &st));
	cr_expect_eq(st.st_mode & 07777, 0711);
	place_free(&place);
}

Test(extract_layer, directories_that_nobody_described_look_the_same_everywhere)
{
	struct place place = place_new();
	ociwp_buf tar = OCIWP_BUF_INIT;
	struct stat st;
	tar_file(&tar, "a/b/f", "x");
	mode_t before = umask(0077);
	int r = extract(one_layer(&tar), &place, 0, NULL);
	umask(before);
	cr_assert_eq(r, 0);
	cr_assert(place_stat(&place, "a/b", &st));
	cr_expect_eq(st.st_mode & 07777, 0755);
	cr_expect_eq(st.st_mtime, 0);
	cr_assert(place_stat(&place, "a/b/f", &st));
	cr_expect_eq(st.st_mode & 07777, 0644);
	place_free(&place);
}

Test(extract_layer, setid_bits_are_kept_only_on_request)
{
	struct place place = place_new(), kept = place_new();
	ociwp_buf tar = OCIWP_BUF_INIT, again = OCIWP_BUF_INIT;
	struct stat st;
	tar_add(&tar, '0', "s", NULL, 06755, "x", 1);
	tar_add(&again, '0', "s", NULL, 06755, "x", 1);
	cr_assert_eq(extract(one_layer(&tar), &place, 0, NULL), 0);
	cr_assert(place_stat(&place, "s", &st));
	cr_expect_eq(st.st_mode & 07777, 0755);
	cr_assert_eq(extract(one_layer(&again), &kept, OCIW_EXTRACT_KEEP_SETID, NULL), 0);
	cr_assert(place_stat(&kept, "s", &st));
	cr_expect_eq(st.st_mode & 07777, 06755);
	place_free(&place);
	place_free(&kept);
}

static const struct {
	const char *name, *target;
	char type;
	int code;
	const char *message;
} refused[] = {
	{"/etc/x", NULL, '0', OCIW_ERR_UNSAFE, "absolute"},
	{"../x", NULL, '0', OCIW_ERR_UNSAFE, "\"..\""},
	{"h", "../../etc/passwd", '1', OCIW_ERR_UNSAFE, "target of hard link \"h\""},
	{"h", "/etc/passwd", '1', OCIW_ERR_UNSAFE, "absolute"},
	{"h", "none", '1', OCIW_ERR_FORMAT, "not there"},
	{"h", "no/ne", '1', OCIW_ERR_FORMAT, "not there"},
	{"h", ".", '1', OCIW_ERR_FORMAT, "names the root"},
	{".wh..", NULL, '0', OCIW_ERR_UNSAFE, "whiteout"},
	{".wh.d/x", NULL, '0', OCIW_ERR_UNSAFE, "named like a whiteout"},
	{".wh.d", NULL, '5', OCIW_ERR_UNSAFE, "no empty file"},
	{".wh.d", "x", '2', OCIW_ERR_UNSAFE, "no empty file"},
	{".", NULL, '0', OCIW_ERR_UNSAFE, "names the root"},
};

Test(extract_layer, what_could_do_harm_is_refused_with_its_name)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(refused); i++) {
		struct place place = place_new();
		ociwp_buf tar = OCIWP_BUF_INIT;
		char why[1024];
		tar_add(&tar, refused[i].type, refused[i].name, refused[i].target, 0644, NULL, 0);
		int r = extract(one_layer(&tar), &place, 0, why);
		cr_expect_eq(r, refused[i].code, "%s: %s", refused[i].name, why);
		cr_expect(strstr(why, refused[i].message) != NULL, "%s: %s", refused[i].name, why);
		place_free(&place);
	}
}

Test(extract_layer, a_whiteout_with_data_is_refused)
{
	struct place place = place_new();
	ociwp_buf tar = OCIWP_BUF_INIT;
	tar_file(&tar, ".wh.x", "data");
	cr_expect_eq(extract(one_layer(&tar), &place, 0, NULL), OCIW_ERR_UNSAFE);
	place_free(&place);
}

Test(extract_layer, absolute_names_can_be_contained)
{
	struct place place = place_new();
	ociwp_buf tar = OCIWP_BUF_INIT;
	tar_file(&tar, "/etc/x", "x");
	tar_add(&tar, '1', "/y", "/etc/x", 0644, NULL, 0);
	cr_assert_eq(extract(one_layer(&tar), &place, OCIW_EXTRACT_ABSOLUTE_NAMES, NULL), 0);
	cr_expect(place_has(&place, "etc/x"));
	cr_expect(place_has(&place, "y"));
	place_free(&place);
}

Test(extract_layer, layers_over_a_merged_usr_follow_its_links_inside_the_root)
{
	for (uint32_t flags = 0; flags <= OCIW_EXTRACT_NO_OPENAT2;
	     flags += OCIW_EXTRACT_NO_OPENAT2) {
		struct place place = place_new();
		ociwp_buf lower = OCIWP_BUF_INIT, upper = OCIWP_BUF_INIT;
		tar_dir(&lower, "usr/lib", 0755);
		tar_add(&lower, '2', "lib", "usr/lib", 0777, NULL, 0);
		tar_file(&lower, "usr/lib/old", "old");
		tar_file(&upper, "lib/new", "new");
		tar_file(&upper, "lib/.wh.old", "");
		cr_assert_eq(extract(two_layers(&lower, &upper), &place, flags, NULL), 0);
		cr_expect(place_has(&place, "usr/lib/new"));
		cr_expect_not(place_has(&place, "usr/lib/old"));
		place_free(&place);
	}
}

/* W1, W2: by name or by another way to the same name, before or after. */
Test(extract_layer, a_whiteout_never_removes_what_its_own_layer_made)
{
	struct place place = place_new();
	ociwp_buf lower = OCIWP_BUF_INIT, upper = OCIWP_BUF_INIT;
	tar_file(&lower, "d/old", "old");
	tar_file(&lower, "d/sub/old", "old");
	tar_dir(&lower, "real", 0755);
	tar_add(&lower, '2', "alias", "real", 0777, NULL, 0);
	tar_file(&lower, "real/x", "old");
	tar_file(&upper, "d/sub/new", "new");
	tar_file(&upper, ".wh.d", "");
	tar_file(&upper, "alias/x", "new");
	tar_file(&upper, "real/.wh.x", "");
	cr_assert_eq(extract(two_layers(&lower, &upper), &place, 0, NULL), 0);
	char text[16];
	cr_expect(place_has(&place, "d/sub/new"));
	cr_expect_not(place_has(&place, "d/old"));
	cr_expect_not(place_has(&place, "d/sub/old"));
	cr_expect_str_eq(place_read(&place, "real/x", text, sizeof(text)), "new");
	place_free(&place);
}

/* A hard link of this layer to a file of a lower one shares its inode, not its name. */
Test(extract_layer, a_whiteout_goes_by_names_and_not_by_inodes)
{
	struct place place = place_new();
	ociwp_buf lower = OCIWP_BUF_INIT, upper = OCIWP_BUF_INIT;
	tar_file(&lower, "old", "x");
	tar_add(&upper, '1', "new", "old", 0644, NULL, 0);
	tar_file(&upper, ".wh.old", "");
	cr_assert_eq(extract(two_layers(&lower, &upper), &place, 0, NULL), 0);
	cr_expect(place_has(&place, "new"));
	cr_expect_not(place_has(&place, "old"));
	place_free(&place);
}

Test(extract_layer, opaque_before_and_after_siblings_gives_the_same_tree)
{
	for (int after = 0; after < 2; after++) {
		struct place place = place_new();
		ociwp_buf lower = OCIWP_BUF_INIT, upper = OCIWP_BUF_INIT;
		struct stat st;
		tar_dir(&lower, "d", 0700);
		tar_dir(&lower, "d/sub", 0500);
		tar_file(&lower, "d/sub/deep", "old");
		tar_file(&lower, "d/old", "old");
		if (!after)
			tar_file(&upper, "d/.wh..wh..opq", "");
		tar_file(&upper, "d/sub/fresh", "new");
		if (after)
			tar_file(&upper, "d/.wh..wh..opq", "");
		cr_assert_eq(extract(two_layers(&lower, &upper), &place, 0, NULL), 0);
		cr_expect(place_has(&place, "d/sub/fresh"));
		cr_expect_not(place_has(&place, "d/sub/deep"));
		cr_expect_not(place_has(&place, "d/old"));
		cr_assert(place_stat(&place, "d/sub", &st));
		cr_expect_eq(st.st_mode & 07777, 0755, "as if this layer had made it");
		cr_assert(place_stat(&place, "d", &st));
		cr_expect_eq(st.st_mode & 07777, 0700);
		place_free(&place);
	}
}

Test(extract_layer, a_directory_over_a_directory_takes_the_new_look)
{
	struct place place = place_new();
	ociwp_buf lower = OCIWP_BUF_INIT, upper = OCIWP_BUF_INIT;
	struct stat st;
	tar_dir(&lower, "d", 0700);
	tar_file(&lower, "d/f", "x");
	tar_dir(&upper, "d", 0555);
	cr_assert_eq(extract(two_layers(&lower, &upper), &place, 0, NULL), 0);
	cr_assert(place_stat(&place, "d", &st));
	cr_expect_eq(st.st_mode & 07777, 0555);
	cr_expect(place_has(&place, "d/f"));
	place_free(&place);
}

/* M1: the look of a directory that is gone does not go to what took its name. */
Test(extract_layer, a_replaced_directory_takes_its_look_along)
{
	struct place place = place_new();
	ociwp_buf lower = OCIWP_BUF_INIT, upper = OCIWP_BUF_INIT;
	struct stat st;
	tar_dir(&lower, "d", 0500);
	tar_file(&lower, "d/f", "x");
	tar_file(&upper, "d", "now a file");
	tar_file(&upper, "e/f", "x");
	cr_assert_eq(extract(two_layers(&lower, &upper), &place, 0, NULL), 0);
	cr_assert(place_stat(&place, "d", &st));
	cr_expect(S_ISREG(st.st_mode));
	cr_expect_eq(st.st_mode & 07777, 0644);
	cr_assert(place_stat(&place, "e", &st));
	cr_expect_eq(st.st_mode & 07777, 0755);
	place_free(&place);
}

static int count_warnings(const ociw_event *event, void *user_data)
{
	if (event->kind == OCIW_EVENT_WARNING)
		++*(int *)user_data;
	return 0;
}

/* S1, D14: left out, but what lay there before is gone; at most 20 warnings and a count. */
Test(extract_layer, special_files_are_left_out_with_a_bounded_number_of_warnings)
{
	struct place place = place_new();
	ociwp_buf lower = OCIWP_BUF_INIT, upper = OCIWP_BUF_INIT;
	ociw_extract_options options = OCIW_EXTRACT_OPTIONS_INIT;
	ociw_op op = OCIW_OP_INIT;
	int warnings = 0;
	tar_file(&lower, "fifo0", "lower");
	for (int i = 0; i < 30; i++) {
		char name[16];
		snprintf(name, sizeof(name), "fifo%d", i);
		tar_add(&upper, '6', name, NULL, 0644, NULL, 0);
	}
	op.event = count_warnings;
	op.user_data = &warnings;
	options.op = &op;
	options.flags = OCIW_EXTRACT_NO_SYNC;
	ociw_content *content = two_layers(&lower, &upper);
	cr_assert_eq(ociw_extract(content, NULL, place.out, &options, NULL, NULL), 0);
	cr_expect_eq(warnings, 21);
	cr_expect_not(place_has(&place, "fifo0"));
	ociw_content_free(content);
	place_free(&place);
}

Test(extract_layer, root_may_ask_for_special_files)
{
	struct place place = place_new();
	ociwp_buf tar = OCIWP_BUF_INIT;
	struct stat st;
	if (geteuid() != 0)
		cr_skip_test("needs the superuser");
	tar_add(&tar, '6', "fifo", NULL, 0620, NULL, 0);
	cr_assert_eq(extract(one_layer(&tar), &place, OCIW_EXTRACT_SPECIAL_FILES, NULL), 0);
	cr_assert(place_stat(&place, "fifo", &st));
	cr_expect(S_ISFIFO(st.st_mode));
	cr_expect_eq(st.st_mode & 07777, 0620);
	place_free(&place);
}

Test(extract_layer, entries_and_directories_nobody_named_count_against_the_limit)
{
	struct place place = place_new();
	ociwp_buf tar = OCIWP_BUF_INIT;
	ociw_extract_options options = OCIW_EXTRACT_OPTIONS_INIT;
	ociw_limits limits = OCIW_LIMITS_INIT;
	ociw_op op = OCIW_OP_INIT;
	ociw_error *err = NULL;
	for (int i = 0; i < 8; i++) {
		char name[64];
		snprintf(name, sizeof(name), "%d/a/b/c/d/e/f/g/h", i);
		tar_file(&tar, name, "");
	}
	limits.max_entries = 40;
	op.limits = &limits;
	options.op = &op;
	ociw_content *content = one_layer(&tar);
	cr_expect_eq(ociw_extract(content, NULL, place.out, &options, NULL, &err), OCIW_ERR_LIMIT);
	cr_expect(strstr(ociw_error_message(err), "more than 40 entries") != NULL, "%s",
		  ociw_error_message(err));
	ociw_error_free(err);
	ociw_content_free(content);
	place_free(&place);
}
