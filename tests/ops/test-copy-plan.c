/* SPDX-License-Identifier: Apache-2.0
 *
 * What a copy has to move, and what it refuses before anything moves (DSC-7, IDX-3).
 */
#include "../support/layouts.h"
#include "ops/copy-plan.h"

TestSuite(copy_plan, .init = scratch_make, .fini = scratch_remove);

/* An index with these entries. */
static ociw_descriptor *put_index(ociw_content *layout, ociw_descriptor *const *entries,
                                  size_t count, const char *name)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;

	ociwp_buf_printf(&text, "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[",
	                 OCIWP_MT_OCI_INDEX);
	for (size_t i = 0; i < count; i++)
		ociwp_buf_printf(&text, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%llu}",
		                 i ? "," : "", entries[i]->media_type, entries[i]->digest,
		                 (unsigned long long)entries[i]->size);
	ociwp_buf_puts(&text, "]}");
	return put_manifest_text(layout, OCIWP_MT_OCI_INDEX, text.data, name);
}

Test(copy_plan, children_come_first_and_blobs_once)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *one = put_image(layout, NULL, "one");
	OCIWP_AUTO(descriptor) ociw_descriptor *two = put_image(layout, NULL, "two");
	OCIWP_AUTO(descriptor)
	ociw_descriptor *index = put_index(layout, (ociw_descriptor *[]){one, two, one}, 3, "v1");
	ociwp_copy_plan plan;
	ociw_error *err = NULL;

	expect_ok(ociwp_copy_plan_make(layout, index, false, NULL, &plan, &err), &err);
	cr_assert_eq(plan.node_count, 3);
	cr_expect_str_eq(plan.nodes[0].desc->digest, one->digest);
	cr_expect_str_eq(plan.nodes[1].desc->digest, two->digest);
	cr_expect_str_eq(plan.nodes[2].desc->digest, index->digest);
	cr_expect_eq(plan.root, 2);
	cr_expect_eq(plan.blob_count, 3); /* the config of both is one blob */
	ociwp_copy_plan_deinit(&plan);
}

Test(copy_plan, referrers_of_referrers_come_too)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(layout, "v1", "one");
	OCIWP_AUTO(descriptor) ociw_descriptor *sbom = put_image_of(layout, NULL, "sbom", 4, image);
	OCIWP_AUTO(descriptor)
	MAYBE ociw_descriptor *sign = put_image_of(layout, NULL, "sign", 4, sbom);
	ociwp_copy_plan plan;
	ociw_error *err = NULL;

	expect_ok(ociwp_copy_plan_make(layout, image, false, NULL, &plan, &err), &err);
	cr_expect_eq(plan.node_count, 1);
	ociwp_copy_plan_deinit(&plan);
	expect_ok(ociwp_copy_plan_make(layout, image, true, NULL, &plan, &err), &err);
	cr_expect_eq(plan.node_count, 3);
	cr_expect_eq(plan.root, 0);
	cr_expect_eq(plan.referrer_count, 2);
	ociwp_copy_plan_deinit(&plan);
}

Test(copy_plan, one_digest_with_two_sizes_is_refused)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *blob = put_blob(layout, "a/b", "hi", 2);
	OCIWP_AUTO(descriptor) ociw_descriptor *lie = NULL;
	ociwp_copy_plan plan;
	ociw_error *err = NULL;

	expect_ok(ociw_descriptor_new("a/b", blob->digest, 3, &lie, &err), &err);
	OCIWP_AUTO(str) char *text = manifest_text(blob, lie, NULL);
	OCIWP_AUTO(descriptor) ociw_descriptor *image = NULL;
	ociw_span bytes = {text, strlen(text)};
	expect_ok(ociwp_descriptor_of_bytes(OCIWP_MT_OCI_MANIFEST, bytes, &image, &err), &err);
	expect_ok(ociwp_content_put_bytes(layout, image, bytes, NULL, &err), &err);
	int r = ociwp_copy_plan_make(layout, image, false, NULL, &plan, &err);
	cr_expect(r == OCIW_ERR_SIZE || r == OCIW_ERR_FORMAT, "%d", r);
	ociw_error_free(err);
}

Test(copy_plan, nested_too_deep_is_refused)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	ociw_descriptor *top = put_image(layout, NULL, "one");
	ociwp_copy_plan plan;
	ociw_error *err = NULL;

	for (int i = 0; i < 12; i++) {
		ociw_descriptor *next = put_index(layout, &top, 1, NULL);

		ociw_descriptor_free(top);
		top = next;
	}
	expect_error(ociwp_copy_plan_make(layout, top, false, NULL, &plan, &err), &err,
	             OCIW_ERR_LIMIT, "nested deeper");
	ociw_descriptor_free(top);
}

Test(copy_plan, entries_of_unknown_type_are_kept_as_blobs)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *blob = put_blob(layout, "text/plain", "hi", 2);
	OCIWP_AUTO(descriptor) ociw_descriptor *index = put_index(layout, &blob, 1, "v1");
	ociwp_copy_plan plan;
	ociw_error *err = NULL;

	expect_ok(ociwp_copy_plan_make(layout, index, false, NULL, &plan, &err), &err);
	cr_expect_eq(plan.node_count, 1);
	cr_expect_eq(plan.blob_count, 1);
	ociwp_copy_plan_deinit(&plan);
	expect_error(ociwp_copy_plan_make(layout, blob, false, NULL, &plan, &err), &err,
	             OCIW_ERR_UNSUPPORTED, "text/plain");
}
