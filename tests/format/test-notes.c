/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of format/notes: which descriptor gets which annotations.
 */
#include "format/notes.h"
#include "base/str.h"
#include "codec/nfc.h"
#include "oci/content.h"
#include <criterion/criterion.h>

#define DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static ociw_descriptor *layer(void)
{
	ociw_descriptor *desc = NULL;
	cr_assert_eq(ociw_descriptor_new("application/wasm", DIGEST, 0, &desc, NULL), 0);
	return desc;
}

static void add(ociwp_notes *notes, const char *path, const char *member, const char *text)
{
	OCIWP_AUTO(json) json_t *object = json_loads(text, 0, NULL);
	cr_assert_eq(ociwp_notes_add(notes, path, member, object, NULL), 0);
}

Test(notes, a_file_gets_its_own_and_the_config_its_own)
{
	ociwp_notes notes = {0};
	OCIWP_AUTO(descriptor) ociw_descriptor *file = layer();
	OCIWP_AUTO(descriptor) ociw_descriptor *config = layer();
	bool used = true;
	add(&notes, NULL, "$config", "{\"c\":\"1\"}");
	add(&notes, "/app/a.wasm", "a.wasm", "{\"z\":\"2\",\"b\":\"\"}");
	add(&notes, "/app/b", "./b", "{\"x\":\"y\"}");
	cr_assert_eq(ociwp_notes_apply(&notes, "/app/a.wasm", file, NULL), 0);
	cr_assert_eq(ociwp_notes_apply(&notes, NULL, config, NULL), 0);
	cr_assert_eq(file->annotations.count, 2);
	cr_assert_str_eq(file->annotations.items[0].key, "b", "sorted");
	cr_assert_str_eq(file->annotations.items[1].value, "2");
	cr_assert_eq(config->annotations.count, 1);
	cr_assert_str_eq(ociwp_notes_at(&notes, 0, &used), "a.wasm");
	cr_assert(used);
	cr_assert_str_eq(ociwp_notes_at(&notes, 1, &used), "./b");
	cr_assert_not(used);
	cr_assert_null(ociwp_notes_at(&notes, 2, &used));
	ociwp_notes_deinit(&notes);
}

Test(notes, a_path_with_dots_in_it_is_the_same_file)
{
	ociwp_notes notes = {0};
	OCIWP_AUTO(descriptor) ociw_descriptor *file = layer();
	add(&notes, "/app/site/a", "site/a", "{\"x\":\"y\"}");
	cr_assert_eq(ociwp_notes_apply(&notes, "/app/./site/../site/a", file, NULL), 0);
	cr_assert_str_eq(ociwp_annotations_get(&file->annotations, "x"), "y");
	ociwp_notes_deinit(&notes);
}

Test(notes, none_at_all_change_nothing)
{
	ociwp_notes notes = {0};
	OCIWP_AUTO(descriptor) ociw_descriptor *file = layer();
	bool used;
	cr_assert_eq(ociwp_notes_apply(NULL, "/a", file, NULL), 0);
	cr_assert_eq(ociwp_notes_apply(&notes, "/a", file, NULL), 0);
	cr_assert_eq(ociwp_notes_apply(&notes, NULL, file, NULL), 0);
	cr_assert_eq(file->annotations.count, 0);
	cr_assert_null(ociwp_notes_at(&notes, 0, &used));
}

Test(notes, values_that_are_no_text_are_refused)
{
	ociwp_notes notes = {0};
	OCIWP_AUTO(json) json_t *object = json_loads("{\"a\":1}", 0, NULL);
	cr_assert_eq(ociwp_notes_add(&notes, "/a", "a", object, NULL), OCIW_ERR_FORMAT);
	cr_assert_eq(ociwp_notes_add(&notes, NULL, "$config", object, NULL), OCIW_ERR_FORMAT);
	ociwp_notes_deinit(&notes);
}

Test(notes, text_is_normalised_and_the_later_of_equal_keys_wins)
{
	ociwp_annotations all = {0};
	if (!ociwp_nfc_is_there())
		cr_skip("this build does not normalise");
	cr_assert_eq(ociwp_annotations_set(&all, "z\xc3\xa9", "first", NULL), 0);
	cr_assert_eq(ociwp_annotations_set(&all, "ze\xcc\x81", "e\xcc\x81", NULL), 0);
	cr_assert_eq(ociwp_annotations_set(&all, "a", "b", NULL), 0);
	cr_assert_eq(ociwp_annotations_canonical(&all, NULL), 0);
	cr_assert_eq(all.count, 2);
	cr_assert_str_eq(all.items[0].key, "a");
	cr_assert_str_eq(all.items[1].key, "z\xc3\xa9");
	cr_assert_str_eq(all.items[1].value, "\xc3\xa9");
	ociwp_annotations_deinit(&all);
}
