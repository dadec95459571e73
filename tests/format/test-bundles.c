/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of format/bundles: the prefix tree of spin-node.md 3 rule 2.
 */
#include "format/bundles.h"
#include "fixture.h"

static ociwp_tar_layer *bundles;
static size_t bundle_count;

static void plan(const ociwp_draft_component *components, size_t count)
{
	cr_assert_eq(ociwp_bundles_plan(components, count, &bundles, &bundle_count, NULL), 0);
}

static void drop(void)
{
	ociwp_tar_layers_deinit(bundles, bundle_count);
	free(bundles);
}

/* A component of @p count files that claim @p size bytes each; nothing is read when planning. */
static ociwp_draft_component *sized(size_t count, uint64_t size)
{
	ociwp_draft_component *component = ociwp_new(ociwp_draft_component);
	component->id = "web";
	component->dir = ociwp_strdup("assets/web");
	component->files = ociwp_calloc(count, sizeof(*component->files));
	component->file_count = count;
	for (size_t i = 0; i < count; i++) {
		char path[32];
		snprintf(path, sizeof(path), "f%06zu", i);
		component->files[i].path = ociwp_strdup(path);
		component->files[i].source.size = size;
	}
	return component;
}

static void sized_free(ociwp_draft_component *component)
{
	for (size_t i = 0; i < component->file_count; i++)
		free((char *)component->files[i].path);
	free(component->files);
	free(component->dir);
	free(component);
}

Test(bundles, a_small_app_is_one_bundle)
{
	ociwp_draft_component *component = sized(100, 1000);
	plan(component, 1);
	cr_assert_eq(bundle_count, 1);
	cr_assert_eq(bundles[0].member_count, 100);
	cr_assert_eq(bundles[0].plain, 100000);
	drop();
	sized_free(component);
}

Test(bundles, more_than_4_mib_are_split_and_exactly_4_mib_are_not)
{
	ociwp_draft_component *component = sized(4, 1 << 20);
	plan(component, 1);
	cr_assert_eq(bundle_count, 1);
	drop();
	component->files[0].source.size++;
	plan(component, 1);
	cr_assert_gt(bundle_count, 1);
	drop();
	sized_free(component);
}

Test(bundles, more_than_4096_files_are_split)
{
	ociwp_draft_component *component = sized(4097, 1);
	plan(component, 1);
	cr_assert_eq(bundle_count, 2);
	cr_assert_eq(bundles[0].member_count + bundles[1].member_count, 4097);
	drop();
	component->file_count = 4096;
	plan(component, 1);
	cr_assert_eq(bundle_count, 1);
	drop();
	component->file_count = 4097;
	sized_free(component);
}

Test(bundles, one_large_file_is_not_split_and_there_are_at_most_64)
{
	ociwp_draft_component *component = sized(1, UINT64_C(1) << 40);
	plan(component, 1);
	cr_assert_eq(bundle_count, 1);
	drop();
	sized_free(component);
	component = sized(20000, 1 << 20);
	plan(component, 1);
	cr_assert_eq(bundle_count, 64);
	drop();
	sized_free(component);
}

Test(bundles, one_changed_file_changes_one_bundle)
{
	ociwp_draft_component *component = sized(2000, 30000);
	plan(component, 1);
	ociwp_tar_layer *before = bundles;
	size_t before_count = bundle_count, changed = 0;
	component->files[77].source.size++;
	plan(component, 1);
	cr_assert_eq(bundle_count, before_count);
	for (size_t i = 0; i < bundle_count; i++) {
		cr_assert_eq(bundles[i].member_count, before[i].member_count);
		changed += bundles[i].plain != before[i].plain;
	}
	cr_assert_eq(changed, 1);
	ociwp_tar_layers_deinit(before, before_count);
	free(before);
	drop();
	sized_free(component);
}

Test(bundles, members_are_sorted_by_whole_name_whatever_the_order_of_components)
{
	ociwp_draft_component components[3] = {
	        {.id = "a", .dir = (char *)"assets/a"},
	        {.id = "b", .dir = (char *)"assets/b"},
	        {.id = "a-b", .dir = (char *)"assets/a-b"},
	};
	for (size_t i = 0; i < 3; i++) {
		add_file(&components[i], "x", 5, 1);
		add_file(&components[i], "y", 5, 2);
	}
	plan(components, 3);
	cr_assert_eq(bundle_count, 1);
	/* '-' sorts before '/' */
	const char *want[] = {"assets/a-b", "assets/a-b", "assets/a",
	                      "assets/a",   "assets/b",   "assets/b"};
	for (size_t i = 0; i < 6; i++) {
		cr_assert_str_eq(bundles[0].members[i].dir, want[i]);
		if (i > 0)
			cr_assert_lt(ociwp_tar_member_compare(&bundles[0].members[i - 1],
			                                      &bundles[0].members[i]),
			             0);
	}
	drop();
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < 2; j++)
			ociwp_source_deinit(&components[i].files[j].source);
		free(components[i].files);
	}
}

Test(bundles, whiteout_like_files_are_in_none)
{
	static const char *const paths[] = {".wh.a", "d/.wh.b/c", "e/.wh..wh..opq", "wh.ok",
	                                    "x.wh.y"};
	ociwp_draft_component component = {.id = "a", .dir = (char *)"assets/a"};
	for (size_t i = 0; i < 5; i++)
		add_file(&component, paths[i], 5, (unsigned)i);
	plan(&component, 1);
	cr_assert_eq(bundle_count, 1);
	cr_assert_eq(bundles[0].member_count, 2);
	cr_assert_str_eq(bundles[0].members[0].path, "wh.ok");
	cr_assert_str_eq(bundles[0].members[1].path, "x.wh.y");
	drop();
	for (size_t i = 0; i < 5; i++)
		ociwp_source_deinit(&component.files[i].source);
	free(component.files);
}

Test(bundles, an_app_without_files_has_none)
{
	ociwp_draft_component component = {.id = "a", .dir = (char *)"assets/a"};
	plan(&component, 1);
	cr_assert_eq(bundle_count, 0);
	drop();
}
