/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of ops/pack-app: what an app may name, how files are laid out, what errors say.
 */
#include "codec/mediatype.h"
#include "pack-fixture.h"
#include "spin/lock.h"

TestSuite(pack_app, .fini = app_end);

/* The lock of the image called @p name. */
static ociwp_lock *lock_of(ociw_content *content, const char *name)
{
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = manifest_of(content, name);
	void *text = NULL;
	size_t len = 0;
	ociwp_lock *lock = NULL;
	cr_assert_eq(ociw_content_read(content, manifest->layers[manifest->layer_count - 1],
	                               1 << 20, NULL, &text, &len, NULL),
	             0);
	cr_assert_eq(ociwp_lock_parse((ociw_span){text, len}, NULL, &lock, NULL), 0);
	ociw_free(text);
	return lock;
}

Test(pack_app, no_trace_of_this_machine_is_in_the_image)
{
	OCIWP_AUTO(content) ociw_content *content = NULL;
	app_begin("files = [\"f\"]\n");
	write_text("f", "x");
	ociw_pack_options options = pack_options();
	cr_assert_eq(ociw_pack(&options, &content, NULL), 0);
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = manifest_of(content, NULL);
	for (size_t i = 0; i < manifest->layer_count; i++) {
		OCIWP_AUTO(mem) void *text = NULL;
		size_t len = 0;
		cr_assert_eq(ociw_content_read(content, manifest->layers[i], 1 << 20, NULL, &text,
		                               &len, NULL),
		             0);
		cr_assert_null(memmem(text, len, app_dir, strlen(app_dir)));
		cr_assert_null(memmem(text, len, "file://", 7));
	}
}

Test(pack_app, annotations_are_inferred_where_the_caller_has_none)
{
	static const ociw_annotation given[] = {{"org.opencontainers.image.version", "mine"}};
	OCIWP_AUTO(content) ociw_content *content = NULL;
	app_begin("");
	ociw_pack_options options = pack_options();
	options.annotations = given;
	options.annotation_count = 1;
	cr_assert_eq(ociw_pack(&options, &content, NULL), 0);
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = manifest_of(content, NULL);
	cr_assert_str_eq(
	        ociwp_annotations_get(&manifest->annotations, "org.opencontainers.image.title"),
	        "t");
	cr_assert_str_eq(
	        ociwp_annotations_get(&manifest->annotations, "org.opencontainers.image.version"),
	        "mine");
	cr_assert_eq(manifest->annotations.count, 2);
}

/* spin.md 7.1: the caller's first, then the manifest's, then what is inferred. */
Test(pack_app, annotations_of_the_manifest_win_over_inferred_ones_only)
{
	static const ociw_annotation given[] = {{"mine", "list"}};
	static const uint32_t flags[] = {0, OCIW_PACK_NO_INFER, OCIW_PACK_COMPAT_SPIN};
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		OCIWP_AUTO(content) ociw_content *content = NULL;
		app_begin("[application.tool.oci-wasm.annotations]\nmine = \"toml\"\n"
		          "\"org.opencontainers.image.title\" = \"Title\"\nother = \"\"\n");
		ociw_pack_options options = pack_options();
		options.annotations = given;
		options.annotation_count = 1;
		options.flags = flags[i];
		cr_assert_eq(ociw_pack(&options, &content, NULL), 0);
		OCIWP_AUTO(manifest) ociwp_manifest *manifest = manifest_of(content, NULL);
		const ociwp_annotations *got = &manifest->annotations;
		bool spin = flags[i] == OCIW_PACK_COMPAT_SPIN;
		cr_assert_str_eq(ociwp_annotations_get(got, "mine"), "list");
		cr_assert_str_eq(ociwp_annotations_get(got, "org.opencontainers.image.title"),
		                 spin ? "t" : "Title");
		cr_assert_eq(ociwp_annotations_get(got, "other") == NULL, spin);
		app_end();
	}
}

Test(pack_app, inference_can_be_switched_off)
{
	OCIWP_AUTO(content) ociw_content *content = NULL;
	app_begin("");
	ociw_pack_options options = pack_options();
	options.flags = OCIW_PACK_NO_INFER;
	cr_assert_eq(ociw_pack(&options, &content, NULL), 0);
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = manifest_of(content, NULL);
	cr_assert_eq(manifest->annotations.count, 0);
}

Test(pack_app, a_wasm_that_is_none_names_its_component)
{
	static const struct {
		const char *bytes;
		size_t len;
		int code;
		const char *message;
	} rows[] = {
	        {"\x7f"
	         "ELF\2\1\1\0\0\0\0\0",
	         12, OCIW_ERR_UNSUPPORTED, "precompiled"},
	        {"(component)", 11, OCIW_ERR_UNSUPPORTED, "wasm-tools parse"},
	        {"\0asm\x0d\0\1\0\0\x7f", 10, OCIW_ERR_FORMAT, "cut off"},
	        {"#!/bin/sh\n", 10, OCIW_ERR_FORMAT, "not a wasm binary"},
	        {"", 0, OCIW_ERR_FORMAT, "not a wasm binary"},
	};
	app_begin("");
	ociw_pack_options options = pack_options();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_bytes("a.wasm", rows[i].bytes, rows[i].len);
		OCIWP_AUTO(str) char *text = pack_failure(&options, rows[i].code);
		cr_assert(strstr(text, rows[i].message), "%s", text);
		cr_assert(strstr(text, "component \"a\""), "%s", text);
		cr_assert(strstr(text, "a.wasm"), "%s", text);
	}
}

Test(pack_app, a_missing_wasm_and_a_directory_in_its_place_are_named)
{
	app_begin("");
	ociw_pack_options options = pack_options();
	unlink(in_app("a.wasm"));
	OCIWP_AUTO(str) char *missing = pack_failure(&options, OCIW_ERR_NOTFOUND);
	cr_assert(strstr(missing, "a.wasm"), "%s", missing);
	cr_assert_eq(mkdir(in_app("a.wasm"), 0755), 0);
	OCIWP_AUTO(str) char *folder = pack_failure(&options, OCIW_ERR_INVALID);
	cr_assert(strstr(folder, "a.wasm"), "%s", folder);
}

Test(pack_app, an_unreadable_file_is_an_error)
{
	uid_t before = geteuid();
	app_begin("files = [\"f\"]\n");
	write_text("f", "x");
	chmod(in_app("f"), 0);
	ociw_pack_options options = pack_options();
	if (before == 0) { /* root can read everything: be somebody else meanwhile */
		cr_assert_eq(chmod(in_app("."), 0755), 0);
		cr_assert_eq(seteuid(65534), 0);
	}
	OCIWP_AUTO(str) char *text = pack_failure(&options, OCIW_ERR_IO);
	cr_assert_eq(seteuid(before), 0);
	cr_assert(strstr(text, in_app("f")), "%s", text);
}

Test(pack_app, an_app_without_components_packs_in_every_format)
{
	static const ociw_format formats[] = {OCIW_FORMAT_SPIN, OCIW_FORMAT_SPIN_NODE,
	                                      OCIW_FORMAT_ROOTFS};
	OCIWP_AUTO(content) ociw_content *content = NULL;
	app_begin("");
	write_text("spin.toml",
	           "spin_manifest_version = 2\n[application]\nname = \"t\"\n[trigger]\n");
	ociw_pack_options options = pack_options();
	options.formats = formats;
	options.format_count = 3;
	cr_assert_eq(ociw_pack(&options, &content, NULL), 0);
	OCIWP_AUTO(lock) ociwp_lock *lock = lock_of(content, "spin");
	cr_assert_eq(lock->component_count, 0);
}

Test(pack_app, a_path_that_is_a_file_and_a_folder_is_refused)
{
	app_begin("files = [{ source = \"x\", destination = \"d\" }, { source = \"y\", "
	          "destination = \"d\" }]\n");
	write_text("x", "x");
	write_text("y/z", "z");
	ociw_pack_options options = pack_options();
	OCIWP_AUTO(str) char *text = pack_failure(&options, OCIW_ERR_FORMAT);
	cr_assert(strstr(text, "\"d\""), "%s", text);
}

Test(pack_app, dependencies_are_refused_unless_somebody_decides)
{
	OCIWP_AUTO(content) ociw_content *content = NULL;
	app_begin("[component.a.dependencies]\nplain = { path = \"b.wasm\" }\n");
	write_bytes("b.wasm", "\0asm\1\0\0\0", 8);
	ociw_pack_options options = pack_options();
	OCIWP_AUTO(str) char *text = pack_failure(&options, OCIW_ERR_UNSUPPORTED);
	cr_assert(strstr(text, "--no-compose") && strstr(text, "wac"), "%s", text);
	options.compose = OCIW_COMPOSE_NONE;
	cr_assert_eq(ociw_pack(&options, &content, NULL), 0);
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = manifest_of(content, NULL);
	cr_assert_eq(manifest->layer_count, 3);
	cr_assert_str_eq(manifest->layers[1]->media_type, OCIWP_MT_SPIN_WASM);
}

Test(pack_app, a_limit_on_files_is_kept)
{
	ociw_limits limits = OCIW_LIMITS_INIT;
	ociw_op op = OCIW_OP_INIT;
	app_begin("files = [\"d/*\"]\n");
	write_text("d/1", "1");
	write_text("d/2", "2");
	limits.max_entries = 1;
	op.limits = &limits;
	ociw_pack_options options = pack_options();
	options.op = &op;
	free(pack_failure(&options, OCIW_ERR_LIMIT));
}

Test(pack_app, trigger_dependencies_become_layers_and_leave_no_url)
{
	OCIWP_AUTO(content) ociw_content *content = NULL;
	app_begin("");
	write_text("spin.toml", "spin_manifest_version = 2\n[application]\nname = \"t\"\n"
	                        "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"a\"\n"
	                        "dependencies.middleware = [{ path = \"b.wasm\" }]\n"
	                        "[component.a]\nsource = \"a.wasm\"\n");
	write_bytes("b.wasm", "\0asm\1\0\0\0", 8);
	ociw_pack_options options = pack_options();
	free(pack_failure(&options, OCIW_ERR_UNSUPPORTED));
	options.compose = OCIW_COMPOSE_NONE;
	cr_assert_eq(ociw_pack(&options, &content, NULL), 0);
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = manifest_of(content, NULL);
	cr_assert_eq(manifest->layer_count, 3);
	void *text = NULL;
	size_t len = 0;
	cr_assert_eq(
	        ociw_content_read(content, manifest->layers[2], 1 << 20, NULL, &text, &len, NULL),
	        0);
	cr_assert_null(memmem(text, len, "file://", 7));
	cr_assert_not_null(memmem(text, len, manifest->layers[1]->digest, 71));
	ociw_free(text);
}
