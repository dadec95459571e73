/* SPDX-License-Identifier: Apache-2.0
 *
 * Convert among spin, spin-node and rootfs images (specs/spin-node.md, issue "edit tools"): the
 * same app is the same image, whichever format it comes from; what cannot be carried is refused by
 * name.
 */
#include "codec/mediatype.h"
#include "oci/descriptor.h"
#include "pack-fixture.h"
#include <oci-wasm/convert.h>
#include <oci-wasm/store.h>

static ociw_content *pack(ociw_format format, uint32_t layers)
{
	ociw_content *content = NULL;
	ociw_pack_options options = pack_options();
	ociw_error *err = NULL;
	options.formats = &format;
	options.format_count = 1;
	options.layers = layers;
	options.flags = OCIW_PACK_NO_CACHE;
	cr_assert_eq(ociw_pack(&options, &content, &err), 0, "%s",
	             err ? ociw_error_message(err) : "");
	return content;
}

static int convert(ociw_content *source, const char *name, ociw_format format, uint32_t layers,
                   ociw_content **out, ociw_error **err)
{
	ociw_convert_options options = OCIW_CONVERT_OPTIONS_INIT;
	options.formats = &format;
	options.format_count = 1;
	options.layers = layers;
	return ociw_convert(source, name, &options, out, err);
}

static char *digest_of(ociw_content *content)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	cr_assert_eq(ociw_content_resolve(content, NULL, NULL, &desc, NULL), 0);
	return ociwp_strdup(desc->digest);
}

/* The app packed as @p from and converted must be what packing it as @p to gives. */
static void expect_same(ociw_format from, uint32_t from_layers, ociw_format to, uint32_t to_layers)
{
	OCIWP_AUTO(content) ociw_content *source = pack(from, from_layers);
	OCIWP_AUTO(content) ociw_content *packed = pack(to, to_layers);
	OCIWP_AUTO(content) ociw_content *converted = NULL;
	ociw_error *err = NULL;
	cr_assert_eq(convert(source, NULL, to, to_layers, &converted, &err), 0, "%s",
	             err ? ociw_error_message(err) : "");
	OCIWP_AUTO(str) char *want = digest_of(packed);
	OCIWP_AUTO(str) char *got = digest_of(converted);
	cr_assert_str_eq(got, want, "%s -> %s", ociw_format_name(from), ociw_format_name(to));
}

static void expect_refused(ociw_content *source, const char *name, ociw_format to, int code,
                           const char *text)
{
	OCIWP_AUTO(content) ociw_content *converted = NULL;
	ociw_error *err = NULL;
	int r = convert(source, name, to, OCIW_LAYERS_AUTO, &converted, &err);
	cr_assert_eq(r, code, "%d: %s", r, err ? ociw_error_message(err) : "converted");
	cr_assert_null(converted);
	cr_assert_not_null(strstr(ociw_error_message(err), text), "no \"%s\" in: %s", text,
	                   ociw_error_message(err));
	ociw_error_free(err);
}

/* Small and large files, one of them in two components, one of them twice, and an empty one. */
static void make_app(void)
{
	static char large[5000];
	app_begin("files = [\"site/**/*\", \"one.txt\"]\n[component.b]\nsource = \"b.wasm\"\n"
	          "files = [\"one.txt\"]\n[[trigger.http]]\nroute = \"/b\"\ncomponent = \"b\"\n");
	memset(large, 'l', sizeof(large) - 1);
	write_bytes("b.wasm", "\0asm\1\0\0\0", 8);
	write_text("one.txt", "one");
	write_text("site/empty", "");
	write_text("site/deep/er/large.txt", large);
	write_text("site/again.txt", large);
	large[0] = 'L';
	write_text("site/other.txt", large);
}

Test(convert, spin_and_spin_node_give_each_other, .fini = app_end)
{
	make_app();
	expect_same(OCIW_FORMAT_SPIN, OCIW_LAYERS_FILES, OCIW_FORMAT_SPIN_NODE, OCIW_LAYERS_AUTO);
	expect_same(OCIW_FORMAT_SPIN_NODE, OCIW_LAYERS_AUTO, OCIW_FORMAT_SPIN, OCIW_LAYERS_FILES);
	expect_same(OCIW_FORMAT_SPIN_NODE, OCIW_LAYERS_AUTO, OCIW_FORMAT_SPIN, OCIW_LAYERS_BUNDLES);
}

Test(convert, the_layers_of_a_spin_image_do_not_matter, .fini = app_end)
{
	make_app();
	expect_same(OCIW_FORMAT_SPIN, OCIW_LAYERS_BUNDLES, OCIW_FORMAT_SPIN_NODE, OCIW_LAYERS_AUTO);
	expect_same(OCIW_FORMAT_SPIN, OCIW_LAYERS_ARCHIVES, OCIW_FORMAT_SPIN_NODE,
	            OCIW_LAYERS_AUTO);
	expect_same(OCIW_FORMAT_SPIN, OCIW_LAYERS_ARCHIVES, OCIW_FORMAT_SPIN, OCIW_LAYERS_FILES);
	expect_same(OCIW_FORMAT_SPIN, OCIW_LAYERS_FILES, OCIW_FORMAT_SPIN, OCIW_LAYERS_ARCHIVES);
}

Test(convert, artifacts_give_the_rootfs_image, .fini = app_end)
{
	make_app();
	expect_same(OCIW_FORMAT_SPIN, OCIW_LAYERS_FILES, OCIW_FORMAT_ROOTFS, OCIW_LAYERS_AUTO);
	expect_same(OCIW_FORMAT_SPIN_NODE, OCIW_LAYERS_AUTO, OCIW_FORMAT_ROOTFS, OCIW_LAYERS_AUTO);
}

/* The spin.toml in a rootfs image is a normal form: what comes of it comes of it again. */
Test(convert, a_rootfs_image_becomes_an_artifact_and_again_itself, .fini = app_end)
{
	OCIWP_AUTO(content) ociw_content *node = NULL;
	OCIWP_AUTO(content) ociw_content *back = NULL;
	ociw_error *err = NULL;
	make_app();
	OCIWP_AUTO(content) ociw_content *rootfs = pack(OCIW_FORMAT_ROOTFS, OCIW_LAYERS_AUTO);
	cr_assert_eq(convert(rootfs, NULL, OCIW_FORMAT_SPIN_NODE, 0, &node, &err), 0, "%s",
	             err ? ociw_error_message(err) : "");
	cr_assert_eq(convert(node, NULL, OCIW_FORMAT_ROOTFS, 0, &back, &err), 0, "%s",
	             err ? ociw_error_message(err) : "");
	OCIWP_AUTO(str) char *want = digest_of(rootfs);
	OCIWP_AUTO(str) char *got = digest_of(back);
	cr_assert_str_eq(got, want);
}

/* A rootfs is unpacked on the way, to a folder that goes with the content that reads from it. */
Test(convert, nothing_is_left_of_the_files_of_a_rootfs, .fini = app_end)
{
	ociw_convert_options options = OCIW_CONVERT_OPTIONS_INIT;
	ociw_format node = OCIW_FORMAT_SPIN_NODE;
	ociw_content *converted = NULL;
	make_app();
	OCIWP_AUTO(content) ociw_content *rootfs = pack(OCIW_FORMAT_ROOTFS, OCIW_LAYERS_AUTO);
	char folder[512];
	snprintf(folder, sizeof(folder), "%s", in_app("temporary"));
	cr_assert_eq(mkdir(folder, 0700), 0);
	options.formats = &node;
	options.format_count = 1;
	options.temp_dir = folder;
	cr_assert_eq(ociw_convert(rootfs, NULL, &options, &converted, NULL), 0);
	cr_expect_neq(rmdir(folder), 0, "the content still needs it");
	ociw_content_free(converted);
	cr_expect_eq(rmdir(folder), 0, "something is left in %s", folder);
}

Test(convert, executable_files_of_bundles_stay_so, .fini = app_end)
{
	make_app();
	cr_assert_eq(chmod(in_app("site/other.txt"), 0755), 0);
	expect_same(OCIW_FORMAT_SPIN, OCIW_LAYERS_BUNDLES, OCIW_FORMAT_SPIN_NODE, OCIW_LAYERS_AUTO);
	expect_same(OCIW_FORMAT_SPIN_NODE, OCIW_LAYERS_AUTO, OCIW_FORMAT_SPIN, OCIW_LAYERS_BUNDLES);
}

Test(convert, whiteout_names_travel_among_artifacts_and_not_into_a_rootfs, .fini = app_end)
{
	app_begin("files = [\"site/**/*\"]\n");
	write_text("site/.wh.x", "whiteout");
	write_text("site/f.txt", "file");
	expect_same(OCIW_FORMAT_SPIN, OCIW_LAYERS_FILES, OCIW_FORMAT_SPIN_NODE, OCIW_LAYERS_AUTO);
	expect_same(OCIW_FORMAT_SPIN_NODE, OCIW_LAYERS_AUTO, OCIW_FORMAT_SPIN, OCIW_LAYERS_FILES);
	OCIWP_AUTO(content) ociw_content *source = pack(OCIW_FORMAT_SPIN, OCIW_LAYERS_FILES);
	expect_refused(source, NULL, OCIW_FORMAT_ROOTFS, OCIW_ERR_UNSUPPORTED, ".wh.x");
}

static ociw_content *golden(const char *layout)
{
	ociw_content *content = NULL;
	char path[512];
	snprintf(path, sizeof(path), "%s/golden/layouts/%s", getenv("OCIW_TESTDATA"), layout);
	cr_assert_eq(ociw_layout_open(path, OCIW_LAYOUT_READ, &content, NULL), 0);
	return content;
}

static size_t warnings;

static int count_warnings(const ociw_event *event, void *user_data)
{
	(void)user_data;
	warnings += event->kind == OCIW_EVENT_WARNING;
	return 0;
}

Test(convert, what_spin_pushed_becomes_a_node_image)
{
	OCIWP_AUTO(content) ociw_content *source = golden("spin-3.6.3");
	static const char *const names[] = {"v1", "archive"};
	for (size_t i = 0; i < 2; i++) {
		OCIWP_AUTO(content) ociw_content *node = NULL;
		OCIWP_AUTO(content) ociw_content *spin = NULL;
		ociw_error *err = NULL;
		cr_assert_eq(convert(source, names[i], OCIW_FORMAT_SPIN_NODE, 0, &node, &err), 0,
		             "%s", err ? ociw_error_message(err) : "");
		cr_assert_eq(convert(node, NULL, OCIW_FORMAT_SPIN, 0, &spin, &err), 0, "%s",
		             err ? ociw_error_message(err) : "");
	}
}

/* 3.3: an archive without its gzip end is read, with a warning, as long as every file came. */
Test(convert, an_archive_of_spin_without_its_end_is_read_with_a_warning)
{
	OCIWP_AUTO(content) ociw_content *source = golden("spin-main-truncated-archive");
	OCIWP_AUTO(content) ociw_content *node = NULL;
	ociw_format format = OCIW_FORMAT_SPIN_NODE;
	ociw_convert_options options = OCIW_CONVERT_OPTIONS_INIT;
	ociw_op op = OCIW_OP_INIT;
	ociw_error *err = NULL;
	op.event = count_warnings;
	options.op = &op;
	options.formats = &format;
	options.format_count = 1;
	cr_assert_eq(ociw_convert(source, NULL, &options, &node, &err), 0, "%s",
	             err ? ociw_error_message(err) : "");
	cr_assert_eq(warnings, 1);
}

Test(convert, other_images_are_refused_by_their_format)
{
	OCIWP_AUTO(content) ociw_content *wkg = golden("wkg-component");
	expect_refused(wkg, NULL, OCIW_FORMAT_SPIN, OCIW_ERR_UNSUPPORTED, "this is a wasm image");
	OCIWP_AUTO(content) ociw_content *rootfs = golden("buildah-rootfs");
	expect_refused(rootfs, "no-such", OCIW_FORMAT_SPIN, OCIW_ERR_NOTFOUND, "no-such");
}

Test(convert, only_app_formats_are_made, .fini = app_end)
{
	ociw_convert_options none = OCIW_CONVERT_OPTIONS_INIT;
	ociw_content *converted = NULL;
	ociw_error *err = NULL;
	app_begin("");
	OCIWP_AUTO(content) ociw_content *source = pack(OCIW_FORMAT_SPIN, OCIW_LAYERS_AUTO);
	expect_refused(source, NULL, OCIW_FORMAT_WASM, OCIW_ERR_UNSUPPORTED,
	               "cannot convert to wasm");
	cr_assert_eq(ociw_convert(source, NULL, &none, &converted, &err), OCIW_ERR_INVALID);
	ociw_error_free(err);
}

/* Blobs that both images have are those of the source: nothing of them is kept beside. */
Test(convert, shared_blobs_are_read_from_the_source, .fini = app_end)
{
	OCIWP_AUTO(content) ociw_content *converted = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(manifest) ociwp_manifest *from = NULL;
	OCIWP_AUTO(manifest) ociwp_manifest *to = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *from_desc = NULL;
	size_t shared = 0;
	make_app();
	OCIWP_AUTO(content) ociw_content *source = pack(OCIW_FORMAT_SPIN, OCIW_LAYERS_BUNDLES);
	cr_assert_eq(convert(source, NULL, OCIW_FORMAT_SPIN_NODE, 0, &converted, NULL), 0);
	cr_assert_eq(ociw_content_resolve(source, NULL, NULL, &from_desc, NULL), 0);
	cr_assert_eq(ociwp_manifest_load(source, from_desc, NULL, &from, NULL, NULL, NULL), 0);
	cr_assert_eq(ociw_content_resolve(converted, NULL, NULL, &desc, NULL), 0);
	cr_assert_eq(ociwp_manifest_load(converted, desc, NULL, &to, NULL, NULL, NULL), 0);
	for (size_t i = 0; i < to->layer_count; i++)
		for (size_t k = 0; k < from->layer_count; k++)
			shared += ociwp_streq(to->layers[i]->digest, from->layers[k]->digest);
	/* All but the lock, and the one file that the node's lock names. */
	cr_assert_geq(shared, from->layer_count - 1);
}
