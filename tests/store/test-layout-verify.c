/* SPDX-License-Identifier: Apache-2.0
 *
 * verify: everything wrong is found, told once, and changes nothing (LAY-2, LAY-5).
 */
#include "../support/layouts.h"

TestSuite(layout_verify, .init = scratch_make, .fini = scratch_remove);

struct tally {
	int kinds[OCIW_FINDING_UNNAMED + 1];
	char last[OCIW_DIGEST_TEXT_MAX];
	int stop_after, seen;
};

static int count(const ociw_finding *finding, void *user_data)
{
	struct tally *t = user_data;

	t->kinds[finding->kind]++;
	if (finding->kind != OCIW_FINDING_GOOD)
		snprintf(t->last, sizeof(t->last), "%s", finding->digest);
	return t->stop_after && ++t->seen >= t->stop_after;
}

static ociw_content *layout;
static ociw_descriptor *image, *layer;

static void make(void)
{
	layout = new_layout(in_scratch("l"));
	image = put_image(layout, "v1", "layer");
	layer = put_blob(layout, "a/b", "layer", 5);
}

static void unmake(void)
{
	ociw_descriptor_free(image);
	ociw_descriptor_free(layer);
	ociw_content_free(layout);
}

Test(layout_verify, a_whole_layout_is_right)
{
	struct tally t = {0};
	ociw_error *err = NULL;

	make();
	expect_ok(ociw_layout_verify(layout, NULL, count, &t, &err), &err);
	cr_expect_eq(t.kinds[OCIW_FINDING_GOOD], 3);
	expect_ok(ociw_layout_verify(layout, NULL, NULL, NULL, &err), &err);
	unmake();
}

Test(layout_verify, wrong_bytes_are_damage)
{
	struct tally t = {0};
	ociw_error *err = NULL;

	make();
	write_text(blob_path(in_scratch("l"), layer->digest), "LAYER");
	expect_error(ociw_layout_verify(layout, NULL, count, &t, &err), &err, OCIW_ERR_DIGEST,
	             "1 damaged");
	cr_expect_eq(t.kinds[OCIW_FINDING_DAMAGED], 1);
	cr_expect_str_eq(t.last, layer->digest);
	unmake();
}

Test(layout_verify, what_is_gone_is_missing)
{
	struct tally t = {0};
	ociw_error *err = NULL;

	make();
	unlink(blob_path(in_scratch("l"), layer->digest));
	expect_error(ociw_layout_verify(layout, NULL, count, &t, &err), &err, OCIW_ERR_NOTFOUND,
	             "1 missing");
	cr_expect_str_eq(t.last, layer->digest);
	unlink(blob_path(in_scratch("l"), image->digest));
	expect_error(ociw_layout_verify(layout, NULL, count, &t, &err), &err, OCIW_ERR_NOTFOUND,
	             "1 missing");
	cr_expect_str_eq(t.last, image->digest);
	unmake();
}

Test(layout_verify, a_size_that_a_manifest_gets_wrong_is_damage)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *lie = NULL;
	struct tally t = {0};
	ociw_error *err = NULL;

	make();
	expect_ok(ociw_descriptor_new("a/b", layer->digest, 50, &lie, &err), &err);
	OCIWP_AUTO(descriptor) ociw_descriptor *config = put_blob(layout, "a/c", "{}", 2);
	OCIWP_AUTO(str) char *text = manifest_text(config, lie, NULL);
	OCIWP_AUTO(descriptor)
	MAYBE ociw_descriptor *bad = put_manifest_text(layout, OCIWP_MT_OCI_MANIFEST, text, "v2");
	expect_error(ociw_layout_verify(layout, NULL, count, &t, &err), &err, OCIW_ERR_DIGEST,
	             NULL);
	cr_expect_str_eq(t.last, layer->digest);
	unmake();
}

Test(layout_verify, an_entry_that_is_no_manifest_is_broken)
{
	struct tally t = {0};
	ociw_error *err = NULL;
	char index[512];

	make();
	snprintf(index, sizeof(index),
	         "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" OCIWP_MT_OCI_MANIFEST
	         "\",\"digest\":\"%s\",\"size\":5}]}",
	         layer->digest);
	write_text(in_scratch("l/index.json"), index);
	expect_error(ociw_layout_verify(layout, NULL, count, &t, &err), &err, OCIW_ERR_FORMAT,
	             "1 broken");
	cr_expect_str_eq(t.last, layer->digest);
	unmake();
}

Test(layout_verify, a_link_in_the_place_of_a_blob_is_damage)
{
	struct tally t = {0};
	ociw_error *err = NULL;

	make();
	const char *path = blob_path(in_scratch("l"), layer->digest);
	cr_assert_eq(rename(path, in_scratch("moved")), 0);
	cr_assert_eq(symlink(in_scratch("moved"), path), 0);
	expect_error(ociw_layout_verify(layout, NULL, count, &t, &err), &err, OCIW_ERR_DIGEST,
	             NULL);
	cr_expect_eq(t.kinds[OCIW_FINDING_DAMAGED], 1);
	unmake();
}

Test(layout_verify, strangers_are_passed_over_and_the_callback_can_stop_it)
{
	struct tally t = {.stop_after = 2};
	ociw_error *err = NULL;

	make();
	write_text(in_scratch("l/blobs/sha256/README"), "not a blob");
	write_text(in_scratch("l/blobs/README"), "not a folder");
	expect_ok(ociw_layout_verify(layout, NULL, NULL, NULL, &err), &err);
	expect_error(ociw_layout_verify(layout, NULL, count, &t, &err), &err, OCIW_ERR_CANCELLED,
	             NULL);
	unmake();
}

Test(layout_verify, golden_layouts_are_right)
{
	static const char *const names[] = {
	        "spin-3.6.3",       "buildah-rootfs-docker", "oras-artifact-with-referrer",
	        "oras-wasm-to-oci", "cosign-signature-tag",  "wkg-component"};

	for (size_t i = 0; i < OCIWP_ARRAY_LEN(names); i++) {
		ociw_error *err = NULL;
		char path[600];

		snprintf(path, sizeof(path), "%s/%s", testdata("golden/layouts"), names[i]);
		OCIWP_AUTO(content) ociw_content *golden = open_layout(path, OCIW_LAYOUT_READ);
		expect_ok(ociw_layout_verify(golden, NULL, NULL, NULL, &err), &err);
	}
}
