/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of format/spin-node: what the shim and containerd rely on (spin-node.md 2-4).
 */
#include "format/spin-node.h"
#include "codec/mediatype.h"
#include "fixture.h"
#include "format/spin.h"

#define COMPONENT(id)                                                                              \
	"{\"id\":\"" id "\",\"source\":{\"content_type\":\"application/wasm\",\"inline\":"         \
	"\"AGFzbQ0AAQA\"}}"
#define LOCK                                                                                       \
	"{\"spin_lock_version\":0,\"triggers\":[],\"components\":[" COMPONENT(                     \
	        "web") "," COMPONENT("bare") "," COMPONENT("big") "]}"

static ociwp_draft draft;
static ociwp_lock *lock;
static ociw_content *content;
static ociwp_manifest *spin, *node;
static ociwp_config *config;
static ociwp_lock *node_lock;

/* web: small and large files and a whiteout-like one; bare: none; big: only large ones. */
static void setup(void)
{
	draft_begin(&draft, &lock, LOCK);
	add_file(&draft.components[0], "a.txt", 500, 1);
	add_file(&draft.components[0], "b/.wh.x", 600, 2);
	add_file(&draft.components[0], "b/c.txt", 500, 3);
	add_file(&draft.components[0], "d.bin", 90000, 4);
	add_file(&draft.components[2], "big.bin", (64 << 10) + 1, 5);
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	cr_assert_eq(ociwp_spin_image(&draft, OCIW_LAYERS_BUNDLES, 499, "spin", NULL, &desc, NULL),
	             0);
	cr_assert_eq(ociwp_spin_node_image(&draft, desc, "spin-node", NULL, NULL, NULL), 0);
	content = draft_end(&draft, lock);
	spin = read_manifest(content, "spin");
	node = read_manifest(content, "spin-node");
	OCIWP_AUTO(str) char *text = read_text(content, node->config);
	cr_assert_eq(ociwp_config_parse((ociw_span){text, strlen(text)}, NULL, &config, NULL), 0);
	OCIWP_AUTO(str) char *locked = read_text(content, node->layers[node->layer_count - 1]);
	cr_assert_eq(ociwp_lock_parse((ociw_span){locked, strlen(locked)}, NULL, &node_lock, NULL),
	             0);
}

static void teardown(void)
{
	ociwp_manifest_free(spin);
	ociwp_manifest_free(node);
	ociwp_config_free(config);
	ociwp_lock_free(node_lock);
	ociw_content_free(content);
}

TestSuite(spin_node, .init = setup, .fini = teardown);

static size_t count_type(const ociwp_manifest *manifest, const char *type)
{
	size_t count = 0;
	for (size_t i = 0; i < manifest->layer_count; i++)
		count += ociwp_streq(manifest->layers[i]->media_type, type);
	return count;
}

Test(spin_node, diff_ids_are_those_of_the_oci_layers_in_order)
{
	size_t nth = 0;
	for (size_t i = 0; i < node->layer_count; i++) {
		ociw_digest diff_id;
		char text[OCIW_DIGEST_TEXT_MAX];
		if (!ociwp_mediatype_is_layer(node->layers[i]->media_type))
			continue;
		free(list_layer(content, node->layers[i], &diff_id));
		cr_assert_lt(nth, config->diff_id_count);
		cr_assert_str_eq(config->diff_ids[nth++], ociw_digest_format(&diff_id, text));
	}
	cr_assert_eq(nth, config->diff_id_count);
	cr_assert_gt(nth, 0);
}

Test(spin_node, bundles_are_the_same_blobs_in_both_images)
{
	size_t shared = 0;
	for (size_t i = 0; i < spin->layer_count; i++)
		for (size_t j = 0; j < node->layer_count; j++)
			shared +=
			        ociwp_streq(spin->layers[i]->media_type, OCIWP_MT_SPIN_BUNDLE) &&
			        ociwp_streq(node->layers[j]->media_type, OCIWP_MT_OCI_LAYER_GZIP) &&
			        ociwp_streq(spin->layers[i]->digest, node->layers[j]->digest);
	cr_assert_eq(shared, count_type(spin, OCIWP_MT_SPIN_BUNDLE));
	cr_assert_eq(shared, count_type(node, OCIWP_MT_OCI_LAYER_GZIP));
}

Test(spin_node, the_subject_is_the_spin_manifest_and_the_label_names_its_own_lock)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	cr_assert_eq(ociw_content_resolve(content, "spin", NULL, &desc, NULL), 0);
	cr_assert_not_null(node->subject);
	cr_assert_str_eq(node->subject->digest, desc->digest);
	cr_assert_null(spin->subject);
	cr_assert_str_eq(ociwp_annotations_get(&config->labels, "com.fermyon.spin.lockedAppDigest"),
	                 node->layers[node->layer_count - 1]->digest);
	cr_assert_str_eq(config->architecture, "wasm");
	cr_assert_str_eq(config->os, "wasip1");
	cr_assert_str_eq(config->entrypoint[0], "/");
}

Test(spin_node, the_lock_names_the_smallest_file_and_every_whiteout_like_one)
{
	const ociwp_lock_component *web = &node_lock->components[0];
	cr_assert_eq(web->file_count, 2);
	cr_assert_str_eq(web->files[0].path, "a.txt"); /* a tie: the first by path */
	cr_assert_str_eq(web->files[1].path, "b/.wh.x");
	cr_assert_eq(node_lock->components[1].file_count, 0);
	cr_assert_eq(count_type(node, OCIWP_MT_SPIN_DATA), 2);
}

Test(spin_node, a_component_of_large_files_gets_the_empty_marker)
{
	const ociwp_lock_component *big = &node_lock->components[2];
	cr_assert_eq(big->file_count, 1);
	cr_assert_str_eq(big->files[0].path, ".oci-wasm");
	cr_assert_not_null(big->files[0].content.bytes);
	cr_assert_eq(big->files[0].content.bytes_len, 0);
}

Test(spin_node, members_are_where_the_shim_looks_and_none_is_whiteout_like)
{
	OCIWP_AUTO(buf) ociwp_buf all = OCIWP_BUF_INIT;
	for (size_t i = 0; i < node->layer_count; i++) {
		if (!ociwp_mediatype_is_layer(node->layers[i]->media_type))
			continue;
		OCIWP_AUTO(str) char *list = list_layer(content, node->layers[i], NULL);
		ociwp_buf_puts(&all, list);
	}
	cr_assert(strstr(all.data, "f assets/web/a.txt 644 500\n"), "%s", all.data);
	cr_assert(strstr(all.data, "f assets/web/b/c.txt 644 500\n"), "%s", all.data);
	cr_assert(strstr(all.data, "f assets/big/big.bin 644 65537\n"), "%s", all.data);
	cr_assert_not(strstr(all.data, ".wh."), "%s", all.data);
}

Test(spin_node, wasm_layers_stay_spins_and_the_lock_is_last)
{
	cr_assert_eq(count_type(node, OCIWP_MT_SPIN_WASM), 1);
	cr_assert_str_eq(node->layers[0]->media_type, OCIWP_MT_SPIN_WASM);
	cr_assert_str_eq(node->layers[node->layer_count - 1]->media_type, OCIWP_MT_SPIN_LOCK);
	cr_assert(node->has_media_type);
}
