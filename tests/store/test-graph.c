/* SPDX-License-Identifier: Apache-2.0
 *
 * Walking manifests: each once, depth bounded, holes told and not refused (IDX-3, LAY-5).
 */
#include "../support/layouts.h"
#include "store/graph.h"
#include "store/layout-dir.h"

TestSuite(graph, .init = scratch_make, .fini = scratch_remove);

struct count {
	int manifests, indexes, blobs, missing;
};

static int count_node(const ociwp_graph_node *node, void *user_data, ociw_error **err)
{
	struct count *count = user_data;

	(void)err;
	count->manifests += node->manifest != NULL;
	count->indexes += node->index != NULL;
	count->missing += node->code == OCIW_ERR_NOTFOUND;
	count->blobs += !node->manifest && !node->index && node->code == 0;
	return 0;
}

static int walk(ociw_content *content, struct count *count, ociw_error **err)
{
	OCIWP_AUTO(map) ociwp_map *seen = ociwp_map_new(NULL);
	OCIWP_AUTO(index) ociwp_index *index = NULL;
	ociwp_layout *layout = NULL;

	expect_ok(ociwp_layout_dir_get(content, &layout, err), err);
	expect_ok(ociwp_layout_dir_index(layout, NULL, &index, err), err);
	ociwp_graph graph = {ociwp_layout_dir_read, layout, count_node, count, NULL, seen};
	return ociwp_graph_walk_index(&graph, index, err);
}

/* An index with one entry. */
static ociw_descriptor *put_index(ociw_content *layout, const ociw_descriptor *entry,
                                  const char *name)
{
	char text[1024];

	snprintf(text, sizeof(text),
	         "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[{\"mediaType\":\"%s\","
	         "\"digest\":\"%s\",\"size\":%llu}]}",
	         OCIWP_MT_OCI_INDEX, entry->media_type, entry->digest,
	         (unsigned long long)entry->size);
	return put_manifest_text(layout, OCIWP_MT_OCI_INDEX, text, name);
}

Test(graph, visits_each_manifest_once)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(layout, "v1", "one");
	OCIWP_AUTO(descriptor) ociw_descriptor *index = put_index(layout, image, "v2");
	OCIWP_AUTO(descriptor) MAYBE ociw_descriptor *outer = put_index(layout, index, "v3");
	struct count count = {0};
	ociw_error *err = NULL;

	expect_ok(walk(layout, &count, &err), &err);
	cr_expect_eq(count.manifests, 1);
	cr_expect_eq(count.indexes, 2);
	cr_expect_eq(count.missing, 0);
}

Test(graph, tells_what_is_missing_and_what_is_no_manifest)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(layout, NULL, "one");
	OCIWP_AUTO(descriptor) MAYBE ociw_descriptor *index = put_index(layout, image, "v2");
	OCIWP_AUTO(descriptor) ociw_descriptor *blob = put_blob(layout, "text/plain", "hi", 2);
	OCIWP_AUTO(descriptor) MAYBE ociw_descriptor *odd = put_index(layout, blob, "v3");
	struct count count = {0};
	ociw_error *err = NULL;

	cr_assert_eq(unlink(blob_path(in_scratch("l"), image->digest)), 0);
	expect_ok(walk(layout, &count, &err), &err);
	cr_expect_eq(count.missing, 1);
	cr_expect_eq(count.blobs, 1);
	cr_expect_eq(count.indexes, 2);
}

Test(graph, indexes_nested_too_deep_are_refused)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	ociw_descriptor *top = put_image(layout, NULL, "one");
	struct count count = {0};
	ociw_error *err = NULL;

	for (int i = 0; i < 12; i++) {
		ociw_descriptor *next = put_index(layout, top, i == 11 ? "v1" : NULL);

		ociw_descriptor_free(top);
		top = next;
	}
	expect_error(walk(layout, &count, &err), &err, OCIW_ERR_LIMIT, "nested too deep");
	ociw_descriptor_free(top);
}
