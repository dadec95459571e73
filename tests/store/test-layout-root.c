/* SPDX-License-Identifier: Apache-2.0
 *
 * The directory and the locks of a layout.
 */
#include "../support/layouts.h"
#include "store/layout-root.h"

#include <sys/file.h>

TestSuite(layout_root, .init = scratch_make, .fini = scratch_remove);

static ociwp_layout *open_root(const char *path, unsigned flags)
{
	ociwp_layout *layout = NULL;
	ociw_error *err = NULL;

	expect_ok(ociwp_layout_root_open(path, flags, &layout, &err), &err);
	return layout;
}

#define MAKE (OCIW_LAYOUT_WRITE | OCIW_LAYOUT_CREATE)

Test(layout_root, the_layout_version_is_exactly_1_0_0)
{
	static const struct {
		const char *text;
		int code;
	} rows[] = {
	        {"{\"imageLayoutVersion\":\"1.0.0\"}", 0},
	        {" {\"imageLayoutVersion\": \"1.0.0\", \"x\": 1}\n", 0},
	        {"{\"imageLayoutVersion\":\"1.0.1\"}", OCIW_ERR_UNSUPPORTED},
	        {"{\"imageLayoutVersion\":1}", OCIW_ERR_FORMAT},
	        {"{}", OCIW_ERR_FORMAT},
	        {"[]", OCIW_ERR_FORMAT},
	        {"", OCIW_ERR_FORMAT},
	};

	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++)
		cr_expect_eq(ociwp_layout_check_version(
		                     (ociw_span){rows[i].text, strlen(rows[i].text)}, NULL),
		             rows[i].code, "%s", rows[i].text);
	cr_expect_eq(ociwp_layout_check_version((ociw_span){ociwp_layout_version_text,
	                                                    strlen(ociwp_layout_version_text)},
	                                        NULL),
	             0);
}

Test(layout_root, it_is_made_where_the_caller_stood_when_it_was_opened)
{
	cr_assert_eq(chdir(scratch), 0);
	ociwp_layout *layout = open_root("here/", MAKE);
	cr_assert_eq(chdir("/"), 0);
	cr_expect_eq(ociwp_layout_begin_write(layout, NULL, NULL), 1);
	cr_expect_eq(ociwp_layout_begin_write(layout, NULL, NULL), 0);
	cr_expect(exists(in_scratch("here/blobs")));
	ociwp_layout_root_free(layout);
	cr_expect_not(exists(in_scratch("here")));
}

Test(layout_root, a_missing_parent_is_named)
{
	ociwp_layout *layout = NULL;
	ociw_error *err = NULL;

	expect_error(ociwp_layout_root_open(in_scratch("no/l"), MAKE, &layout, &err), &err,
	             OCIW_ERR_NOTFOUND, "folder");
}

Test(layout_root, an_empty_folder_of_another_writer_is_not_taken_away)
{
	ociwp_layout *one = open_root(in_scratch("l"), MAKE);
	ociwp_layout *two = open_root(in_scratch("l"), MAKE);

	cr_expect_eq(ociwp_layout_begin_write(one, NULL, NULL), 1);
	cr_expect_eq(ociwp_layout_begin_write(two, NULL, NULL), 1);
	ociwp_layout_root_free(one);
	cr_expect(exists(in_scratch("l/blobs")));
	ociwp_layout_root_free(two);
}

Test(layout_root, the_lock_keeps_others_out_and_leaves_no_file)
{
	ociwp_layout *one = open_root(in_scratch("l"), MAKE);
	int lock = -1;

	cr_expect_eq(ociwp_layout_begin_write(one, NULL, NULL), 1);
	cr_expect_eq(ociwp_layout_lock(one, NULL, &lock, NULL), 0);
	int other = open(in_scratch("l/index.json.lock"), O_RDONLY);
	ociw_error *err = NULL;
	expect_error(ociwp_layout_flock(other, LOCK_EX, false, NULL, &err), &err, OCIW_ERR_BUSY,
	             NULL);
	ociwp_layout_unlock(one, lock);
	cr_expect_eq(ociwp_layout_flock(other, LOCK_EX, false, NULL, NULL), 0);
	close(other);
	cr_expect_not(exists(in_scratch("l/index.json.lock")));
	ociwp_layout_root_free(one);
}

Test(layout_root, waiting_for_a_lock_can_be_cancelled)
{
	ociw_cancel *cancel = ociw_cancel_new();
	ociw_op op = OCIW_OP_INIT;
	ociw_error *err = NULL;

	op.cancel = cancel;
	ociw_cancel_trigger(cancel);
	int one = open(scratch, O_RDONLY), two = open(scratch, O_RDONLY);
	cr_assert_eq(flock(one, LOCK_EX), 0);
	expect_error(ociwp_layout_flock(two, LOCK_EX, true, &op, &err), &err, OCIW_ERR_CANCELLED,
	             NULL);
	close(one);
	close(two);
	ociw_cancel_free(cancel);
}

Test(layout_root, files_are_replaced_whole_over_what_a_killed_writer_left)
{
	ociwp_layout *layout = open_root(in_scratch("l"), MAKE);

	cr_expect_eq(ociwp_layout_begin_write(layout, NULL, NULL), 1);
	write_text(in_scratch("l/.index.json.new"), "half a fi");
	cr_expect_eq(ociwp_layout_replace_file(layout, "index.json", (ociw_span){"whole", 5}, NULL),
	             0);
	OCIWP_AUTO(str) char *text = read_text(in_scratch("l/index.json"));
	cr_expect_str_eq(text, "whole");
	cr_expect_not(exists(in_scratch("l/.index.json.new")));
	ociwp_layout_root_free(layout);
}

Test(layout_root, flags_that_need_write_say_so)
{
	ociwp_layout *layout = NULL;
	ociw_error *err = NULL;

	expect_error(ociwp_layout_root_open(scratch, OCIW_LAYOUT_CREATE, &layout, &err), &err,
	             OCIW_ERR_INVALID, "WRITE");
}
