/* SPDX-License-Identifier: Apache-2.0
 *
 * The mark phase: what is alive, and why (LAY-8).
 */
#include "../support/layouts.h"
#include "store/gc-mark.h"

TestSuite(gc_mark, .init = scratch_make, .fini = scratch_remove);

static void mark(ociw_content *content, ociwp_map *live, ociwp_map *dropped)
{
	ociwp_layout *layout = NULL;
	ociw_error *err = NULL;

	expect_ok(ociwp_layout_dir_get(content, &layout, &err), &err);
	expect_ok(ociwp_gc_mark(layout, NULL, live, dropped, &err), &err);
}

Test(gc_mark, an_image_keeps_its_config_and_layers)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(layout, "v1", "one");
	OCIWP_AUTO(descriptor) ociw_descriptor *stray = put_blob(layout, "a/b", "stray", 5);
	OCIWP_AUTO(map) ociwp_map *live = ociwp_map_new(NULL);

	mark(layout, live, NULL);
	cr_expect_eq(ociwp_map_size(live), 3);
	cr_expect(ociwp_map_contains(live, image->digest));
	cr_expect_not(ociwp_map_contains(live, stray->digest));
}

Test(gc_mark, a_referrer_keeps_its_subject_and_the_other_way_round)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(layout, NULL, "one");
	OCIWP_AUTO(descriptor) ociw_descriptor *sbom = put_image_of(layout, NULL, "sbom", 4, image);
	OCIWP_AUTO(map) ociwp_map *live = ociwp_map_new(NULL);

	/* The image itself is listed nowhere; its SBOM is. */
	mark(layout, live, NULL);
	cr_expect(ociwp_map_contains(live, sbom->digest));
	cr_expect(ociwp_map_contains(live, image->digest));
}

Test(gc_mark, without_a_name_and_without_a_living_subject_it_is_dropped)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *named = put_image(layout, "v1", "one");
	OCIWP_AUTO(descriptor) ociw_descriptor *kept = put_image_of(layout, NULL, "sbom", 4, named);
	OCIWP_AUTO(descriptor) ociw_descriptor *child = put_image(layout, NULL, "gone");
	OCIWP_AUTO(descriptor) ociw_descriptor *lost = put_image_of(layout, NULL, "sign", 4, child);
	OCIWP_AUTO(map) ociwp_map *live = ociwp_map_new(NULL);
	OCIWP_AUTO(map) ociwp_map *dropped = ociwp_map_new(NULL);

	mark(layout, live, dropped);
	cr_expect(ociwp_map_contains(live, kept->digest));
	cr_expect_not(ociwp_map_contains(live, lost->digest));
	cr_expect_eq(ociwp_map_size(dropped), 1);
	cr_expect(ociwp_map_contains(dropped, lost->digest));
}
