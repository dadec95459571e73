/* SPDX-License-Identifier: Apache-2.0
 *
 * What ociw_spin_check_image() says about images (specs/spin.md 5, specs/spin-node.md 4 and 6).
 */
#include "pack-fixture.h"
#include <oci-wasm/spin.h>
#include <oci-wasm/store.h>

static char said[8192];

static int hear(const ociw_spin_finding *finding, void *user_data)
{
	size_t len = strlen(said);
	(void)user_data;
	snprintf(said + len, sizeof(said) - len, "%c %s %s: %s\n", "?EWN"[finding->severity],
	         finding -> rule, finding -> component ? finding -> component : "-",
	         finding->message);
	return 0;
}

static int check(ociw_content *content, const char *name, uint32_t flags)
{
	ociw_spin_options options = OCIW_SPIN_OPTIONS_INIT;
	ociw_error *err = NULL;
	said[0] = '\0';
	options.flags = flags;
	int r = ociw_spin_check_image(content, name, &options, hear, NULL, &err);
	cr_assert_geq(r, 0, "%s", err ? ociw_error_message(err) : "");
	return r;
}

static void expect(const char *text)
{
	cr_assert_not_null(strstr(said, text), "no \"%s\" in:\n%s", text, said);
}

static void expect_not(const char *text)
{
	cr_assert_null(strstr(said, text), "\"%s\" in:\n%s", text, said);
}

static ociw_content *pack(ociw_format format, uint32_t flags)
{
	ociw_content *content = NULL;
	ociw_pack_options options = pack_options();
	ociw_error *err = NULL;
	options.formats = &format;
	options.format_count = 1;
	options.flags = flags | OCIW_PACK_NO_CACHE;
	options.compose = OCIW_COMPOSE_NONE;
	cr_assert_eq(ociw_pack(&options, &content, &err), 0, "%s",
	             err ? ociw_error_message(err) : "");
	return content;
}

/* Checks what the app packs to. */
static int check_packed(ociw_format format, uint32_t pack_flags, uint32_t flags)
{
	OCIWP_AUTO(content) ociw_content *content = pack(format, pack_flags);
	return check(content, NULL, flags);
}

static int check_golden(const char *layout, const char *name)
{
	OCIWP_AUTO(content) ociw_content *content = NULL;
	char path[512];
	snprintf(path, sizeof(path), "%s/golden/layouts/%s", getenv("OCIW_TESTDATA"), layout);
	cr_assert_eq(ociw_layout_open(path, OCIW_LAYOUT_READ, &content, NULL), 0);
	return check(content, name, 0);
}

Test(spin_check_image, what_pack_makes_is_clean, .fini = app_end)
{
	app_begin("files = [\"f.txt\"]\n");
	write_text("f.txt", "hello");
	cr_assert_eq(check_packed(OCIW_FORMAT_SPIN, 0, 0), 0);
	cr_assert_str_eq(said, "");
	cr_assert_eq(check_packed(OCIW_FORMAT_SPIN_NODE, 0, OCIW_SPIN_FOR_NODE), 0);
	cr_assert_str_eq(said, "");
}

Test(spin_check_image, the_missing_command_is_a_warning, .fini = app_end)
{
	app_begin("");
	cr_assert_eq(check_packed(OCIW_FORMAT_SPIN, OCIW_PACK_NO_ENTRYPOINT, 0), 0);
	expect("W entrypoint -: ");
	cr_assert_eq(check_packed(OCIW_FORMAT_SPIN, OCIW_PACK_NO_ENTRYPOINT, OCIW_SPIN_WERROR), 1);
	expect("E entrypoint -: ");
	cr_assert_eq(check_packed(OCIW_FORMAT_SPIN, OCIW_PACK_NO_ENTRYPOINT, OCIW_SPIN_FOR_SPIN),
	             0);
	cr_assert_str_eq(said, "");
}

Test(spin_check_image, a_node_image_is_none_for_spin, .fini = app_end)
{
	app_begin("files = [\"f.txt\"]\n");
	write_text("f.txt", "hello");
	cr_assert_eq(check_packed(OCIW_FORMAT_SPIN_NODE, 0, OCIW_SPIN_FOR_SPIN), 1);
	expect("E made-for-nodes -: ");
	cr_assert_eq(check_packed(OCIW_FORMAT_SPIN_NODE, 0, 0), 0);
	expect("N made-for-nodes -: ");
}

Test(spin_check_image, many_files_cost_at_each_start, .fini = app_end)
{
	char name[32];
	app_begin("files = [\"site/*\"]\n");
	for (int i = 0; i < 120; i++) {
		snprintf(name, sizeof(name), "site/%d.txt", i);
		write_text(name, name);
	}
	cr_assert_eq(check_packed(OCIW_FORMAT_SPIN, 0, 0), 0);
	expect("N start-cost -: at each start the Spin shim reads ");
	expect("copies 120 files, ");
	cr_assert_eq(check_packed(OCIW_FORMAT_SPIN, 0, OCIW_SPIN_FOR_NODE), 0);
	expect("W start-cost -: ");
	cr_assert_eq(check_packed(OCIW_FORMAT_SPIN_NODE, 0, OCIW_SPIN_FOR_NODE), 0);
	cr_assert_str_eq(said, "");
}

Test(spin_check_image, what_the_shim_refuses_or_ignores_is_an_error, .fini = app_end)
{
	app_begin("dependencies = { \"x:y/z\" = { path = \"a.wasm\" } }\n"
	          "[[trigger.cron]]\ncron_expression = \"* * * * *\"\ncomponent = \"a\"\n"
	          "[component.b]\nsource = \"a.wasm\"\n");
	cr_assert_eq(check_packed(OCIW_FORMAT_SPIN, 0, 0), 2);
	expect("E shim-trigger -: trigger ");
	expect("E dependencies a: ");
	expect("W unused-component b: ");
	cr_assert_eq(check_packed(OCIW_FORMAT_SPIN, 0, OCIW_SPIN_FOR_SPIN), 1);
	expect_not("dependencies");
}

Test(spin_check_image, other_images_have_no_app, .fini = app_end)
{
	app_begin("");
	cr_assert_eq(check_packed(OCIW_FORMAT_ROOTFS, 0, 0), 0);
	expect("N rootfs -: ");
	cr_assert_eq(check_packed(OCIW_FORMAT_ROOTFS, 0, OCIW_SPIN_FOR_SPIN), 1);
	expect("E no-spin-app -: ");
	cr_assert_eq(
	        check_golden(
	                "cosign-signature-tag",
	                "sha256-275fcb108ba3d7be4f0d5f5912ab72dc3e3e3a90fe49bdd268a49b58ad957fbe."
	                "sig"),
	        1);
	expect("E no-spin-app -: ");
}

Test(spin_check_image, what_spin_pushed_lacks_a_command)
{
	cr_assert_eq(check_golden("spin-3.6.3", "v1"), 0, "%s", said);
	expect("W entrypoint -: ");
}

/* Too large to be inline in a lock: a custom section of 150 bytes. */
static void write_large_wasm(const char *name)
{
	char wasm[161] = "\0asm\x0d\0\1\0\0\x96\1\1x";
	write_bytes(name, wasm, sizeof(wasm));
}

Test(spin_check_image, missing_content_is_named, .fini = app_end)
{
	OCIWP_AUTO(content) ociw_content *packed = NULL;
	OCIWP_AUTO(content) ociw_content *layout = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = NULL;
	OCIWP_AUTO(buf) ociwp_buf bytes = OCIWP_BUF_INIT;
	char text[301] = {0};
	app_begin("files = [\"f.txt\"]\n");
	memset(text, 'x', sizeof(text) - 1);
	write_text("f.txt", text);
	write_large_wasm("a.wasm");
	packed = pack(OCIW_FORMAT_SPIN, 0);
	cr_assert_eq(ociw_layout_open(in_app("layout"), OCIW_LAYOUT_WRITE | OCIW_LAYOUT_CREATE,
	                              &layout, NULL),
	             0);
	cr_assert_eq(ociw_copy(packed, NULL, layout, "v1", NULL, NULL, NULL), 0);
	cr_assert_eq(ociw_content_resolve(layout, "v1", NULL, &desc, NULL), 0);
	cr_assert_eq(ociwp_manifest_load(layout, desc, NULL, &manifest, NULL, NULL, NULL), 0);
	/* The same image without its first and second layer: the wasm and the file. */
	cr_assert_eq(manifest->layer_count, 3);
	ociwp_manifest_draft draft = {.media_type = manifest->media_type,
	                              .config = manifest->config,
	                              .layers =
	                                      (const ociw_descriptor *const *)manifest->layers + 2,
	                              .layer_count = 1,
	                              .annotations = &manifest->annotations};
	cr_assert_eq(ociwp_manifest_write(&draft, &bytes, NULL), 0);
	cr_assert_eq(ociw_content_put_manifest(layout, manifest->media_type, ociwp_buf_span(&bytes),
	                                       "v2", NULL, NULL, NULL),
	             0);
	cr_assert_eq(check(layout, "v2", 0), 2, "%s", said);
	expect("E missing-content a: no layer has its wasm ");
	expect("E missing-content a: no layer has file \"f.txt\"");
}
