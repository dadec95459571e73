/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of format/rootfs: any app as a container image (spin-node.md 5).
 */
#include "format/rootfs.h"
#include "codec/mediatype.h"
#include "fixture.h"

static ociwp_draft draft;
static ociwp_lock *lock;
static ociw_content *content;
static ociwp_manifest *manifest;
static ociwp_config *config;

/* A lock of @p count components c0, c1 ... without files. */
static void begin(size_t count)
{
	OCIWP_AUTO(buf) ociwp_buf json = OCIWP_BUF_INIT;
	ociwp_buf_puts(&json, "{\"spin_lock_version\":0,\"metadata\":{\"name\":\"t\"},"
	                      "\"triggers\":[],\"components\":[");
	for (size_t i = 0; i < count; i++)
		ociwp_buf_printf(&json,
		                 "%s{\"id\":\"c%zu\",\"source\":{"
		                 "\"content_type\":\"application/wasm\",\"inline\":"
		                 "\"AGFzbQ0AAQA\"}}",
		                 i ? "," : "", i);
	ociwp_buf_puts(&json, "]}");
	draft_begin(&draft, &lock, json.data);
}

static int pack(const char *platform, ociw_error **err)
{
	int r = ociwp_rootfs_image(&draft, platform, "rootfs", NULL, NULL, err);
	content = draft_end(&draft, lock);
	if (r < 0)
		return r;
	manifest = read_manifest(content, "rootfs");
	OCIWP_AUTO(str) char *text = read_text(content, manifest->config);
	cr_assert_eq(ociwp_config_parse((ociw_span){text, strlen(text)}, NULL, &config, NULL), 0);
	return 0;
}

static void teardown(void)
{
	ociwp_manifest_free(manifest);
	ociwp_config_free(config);
	ociw_content_free(content);
}

TestSuite(rootfs, .fini = teardown);

Test(rootfs, files_then_wasm_then_the_manifest_are_layers_with_their_diff_ids)
{
	begin(1);
	add_file(&draft.components[0], "a/b", 5, 1);
	draft.components[0].files[0].source.executable = true;
	cr_assert_eq(pack(NULL, NULL), 0);
	static const char *const want[] = {"f assets/c0/a/b 755 5\n", "f wasm/c0.wasm 644 8\n",
	                                   "f spin.toml 644 "};
	cr_assert_eq(manifest->layer_count, 3);
	cr_assert_eq(config->diff_id_count, 3);
	for (size_t i = 0; i < 3; i++) {
		ociw_digest diff_id;
		char text[OCIW_DIGEST_TEXT_MAX];
		OCIWP_AUTO(str) char *list = list_layer(content, manifest->layers[i], &diff_id);
		cr_assert_str_eq(manifest->layers[i]->media_type, OCIWP_MT_OCI_LAYER_GZIP);
		cr_assert(strstr(list, want[i]), "%s", list);
		cr_assert_str_eq(config->diff_ids[i], ociw_digest_format(&diff_id, text));
	}
	cr_assert_str_eq(config->os, "linux");
	cr_assert_str_eq(config->architecture, "amd64");
	cr_assert_str_eq(config->entrypoint[0], "/");
}

Test(rootfs, the_platform_can_be_chosen)
{
	begin(1);
	cr_assert_eq(pack("linux/arm64/v8", NULL), 0);
	cr_assert_str_eq(config->architecture, "arm64");
	cr_assert_str_eq(config->variant, "v8");
}

Test(rootfs, equal_wasm_of_two_components_shares_a_layer_under_both_names)
{
	begin(2);
	cr_assert_eq(pack(NULL, NULL), 0);
	cr_assert_eq(manifest->layer_count, 2);
	OCIWP_AUTO(str) char *list = list_layer(content, manifest->layers[0], NULL);
	cr_assert(strstr(list, "f wasm/c0.wasm 644 8\nf wasm/c1.wasm 644 8\n"), "%s", list);
}

Test(rootfs, many_wasms_are_grouped_so_that_there_are_at_most_a_hundred_layers)
{
	size_t seen = 0;
	begin(250);
	for (size_t i = 0; i < 250; i++) {
		ociwp_source_deinit(&draft.components[i].wasm);
		draft.components[i].wasm = make_source(50 + i, (unsigned)i);
	}
	add_file(&draft.components[0], "a", 5, 1);
	cr_assert_eq(pack(NULL, NULL), 0);
	cr_assert_eq(manifest->layer_count, 100);
	for (size_t i = 1; i < 99; i++) {
		OCIWP_AUTO(str) char *list = list_layer(content, manifest->layers[i], NULL);
		for (const char *p = list; (p = strstr(p, "f wasm/")) != NULL; p++)
			seen++;
	}
	cr_assert_eq(seen, 250);
}

Test(rootfs, whiteout_like_files_are_refused_by_name)
{
	ociw_error *err = NULL;
	begin(1);
	add_file(&draft.components[0], "x/.wh.y", 5, 1);
	cr_assert_eq(pack(NULL, &err), OCIW_ERR_UNSUPPORTED);
	cr_assert(strstr(ociw_error_message(err), "x/.wh.y"), "%s", ociw_error_message(err));
	ociw_error_free(err);
}

Test(rootfs, a_platform_that_is_none_is_refused)
{
	begin(1);
	cr_assert_lt(pack("//", NULL), 0);
}

Test(rootfs, an_app_without_components_has_only_its_manifest)
{
	ociw_error *err = NULL;
	begin(0);
	cr_assert_eq(pack(NULL, &err), 0, "%s", ociw_error_message(err));
	cr_assert_eq(manifest->layer_count, 1);
}
