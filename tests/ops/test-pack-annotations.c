/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of ops/pack-annotations: the file of ANN-5, the list, the time.
 */
#include "ops/pack-private.h"
#include "pack-fixture.h"

TestSuite(pack_annotations, .fini = app_end);

static int take(ociwp_pack *pack, ociwp_annotations *out, ociw_error **err)
{
	*out = (ociwp_annotations){0};
	return ociwp_pack_annotations(pack, out, err);
}

Test(pack_annotations, the_list_wins_over_the_file)
{
	static const ociw_annotation given[] = {{"a", "list"}, {"b", "one"}, {"b", "two"}};
	ociwp_pack pack = {0};
	ociwp_annotations out;
	app_begin("");
	write_text("ann.json", "{\"$manifest\":{\"a\":\"file\",\"c\":\"\"}}");
	pack.options.annotation_file = in_app("ann.json");
	pack.options.annotations = given;
	pack.options.annotation_count = 3;
	cr_assert_eq(take(&pack, &out, NULL), 0);
	cr_assert_str_eq(ociwp_annotations_get(&out, "a"), "list");
	cr_assert_str_eq(ociwp_annotations_get(&out, "b"), "two");
	cr_assert_str_eq(ociwp_annotations_get(&out, "c"), "");
	cr_assert_eq(out.count, 3);
	ociwp_annotations_deinit(&out);
}

static int count_warnings(const ociw_event *event, void *user_data)
{
	*(int *)user_data += event->kind == OCIW_EVENT_WARNING;
	return 0;
}

Test(pack_annotations, other_members_of_the_file_are_a_warning)
{
	ociw_op op = OCIW_OP_INIT;
	ociwp_pack pack = {.op = &op};
	ociwp_annotations out;
	int warnings = 0;
	op.event = count_warnings;
	op.user_data = &warnings;
	app_begin("");
	write_text("ann.json", "{\"$config\":{\"a\":\"b\"},\"file.txt\":{}}");
	pack.options.annotation_file = in_app("ann.json");
	cr_assert_eq(take(&pack, &out, NULL), 0);
	cr_assert_eq(warnings, 2);
	cr_assert_eq(out.count, 0);
}

Test(pack_annotations, files_that_are_none_are_named)
{
	static const struct {
		const char *text;
		int code;
	} rows[] = {{"[]", OCIW_ERR_FORMAT},
	            {"{", OCIW_ERR_FORMAT},
	            {"{\"$manifest\":{\"a\":1}}", OCIW_ERR_FORMAT},
	            {"{\"$manifest\":[]}", OCIW_ERR_FORMAT}};
	app_begin("");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ociwp_pack pack = {0};
		ociwp_annotations out;
		ociw_error *err = NULL;
		write_text("ann.json", rows[i].text);
		pack.options.annotation_file = in_app("ann.json");
		cr_assert_eq(take(&pack, &out, &err), rows[i].code, "%s", rows[i].text);
		cr_assert(strstr(ociw_error_message(err), "ann.json"));
		ociw_error_free(err);
		ociwp_annotations_deinit(&out);
	}
}

Test(pack_annotations, an_annotation_without_a_key_is_refused)
{
	static const ociw_annotation given[] = {{"", "x"}};
	ociwp_pack pack = {0};
	ociwp_annotations out;
	pack.options.annotations = given;
	pack.options.annotation_count = 1;
	cr_assert_eq(take(&pack, &out, NULL), OCIW_ERR_INVALID);
}

Test(pack_annotations, the_time_is_there_only_when_it_was_given)
{
	ociwp_pack pack = {0};
	ociwp_annotations out = {0};
	cr_assert_eq(ociwp_pack_infer_created(&pack, &out, NULL), 0);
	cr_assert_eq(out.count, 0);
	pack.options.has_created = 1;
	pack.options.created = 1767323045;
	cr_assert_eq(ociwp_pack_infer_created(&pack, &out, NULL), 0);
	cr_assert_str_eq(ociwp_annotations_get(&out, "org.opencontainers.image.created"),
	                 "2026-01-02T03:04:05+00:00");
	ociwp_annotations_deinit(&out);
}
