/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of format/draft: whiteout-like names, and bundles that are made once for all formats.
 */
#include "format/draft.h"
#include "fixture.h"

#define LOCK                                                                                       \
	"{\"spin_lock_version\":0,\"triggers\":[],\"components\":[{\"id\":\"web\",\"source\":{"    \
	"\"content_type\":\"application/wasm\",\"inline\":\"AGFzbQ0AAQA\"}}]}"

Test(draft, a_part_that_begins_like_a_whiteout_makes_the_path_one)
{
	static const struct {
		const char *path;
		bool want;
	} rows[] = {
	        {".wh.a", true},      {"a/.wh.b", true},        {"a/.wh.b/c", true},
	        {".wh.", true},       {"a/.wh..wh..opq", true}, {"a", false},
	        {".wh", false},       {"a.wh.b", false},        {"wh.a", false},
	        {"a/b.wh./c", false}, {".who/x", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_eq(ociwp_draft_is_whiteout(rows[i].path), rows[i].want, "%s",
		             rows[i].path);
}

Test(draft, components_have_a_folder_for_their_files)
{
	ociwp_draft draft;
	ociwp_lock *lock = NULL;
	draft_begin(&draft, &lock, LOCK);
	cr_assert_eq(draft.component_count, 1);
	cr_assert_str_eq(draft.components[0].id, "web");
	cr_assert_str_eq(draft.components[0].dir, "assets/web");
	ociw_content_free(draft_end(&draft, lock));
}

Test(draft, an_id_that_would_be_a_whiteout_in_a_layer_is_refused)
{
	char id[] = ".wh.a";
	ociwp_lock_component component = {.id = id};
	ociwp_lock lock = {.components = &component, .component_count = 1};
	ociwp_draft draft;
	cr_assert_eq(ociwp_draft_init(&draft, &lock, NULL), OCIW_ERR_UNSAFE);
	ociwp_draft_deinit(&draft);
}

Test(draft, bundles_are_made_once)
{
	ociwp_draft draft;
	ociwp_lock *lock = NULL;
	draft_begin(&draft, &lock, LOCK);
	add_file(&draft.components[0], "a", 1000, 1);
	cr_assert_eq(ociwp_draft_bundle(&draft, NULL, NULL), 0);
	const ociwp_tar_layer *first = draft.bundles;
	cr_assert_eq(draft.bundle_count, 1);
	cr_assert_eq(ociwp_draft_bundle(&draft, NULL, NULL), 0);
	cr_assert_eq(draft.bundles, first);
	ociw_content_free(draft_end(&draft, lock));
}
