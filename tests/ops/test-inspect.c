/* SPDX-License-Identifier: Apache-2.0
 *
 * Inspect over recorded layouts and archives of other tools, and over broken images.
 */
#include "base/buf.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "oci/memory.h"
#include "ops/inspect-model.h"
#include <criterion/criterion.h>
#include <oci-wasm/store.h>
#include <stdio.h>
#include <string.h>

static void expect_inspection(ociw_content *content, const char *what, const char *name,
			      ociw_format format, const char *json_part, const char *text_part)
{
	ociw_inspection *found = NULL;
	ociw_error *err = NULL;
	json_t *json = NULL;
	cr_assert_eq(ociw_inspect(content, name, NULL, &found, &err), 0, "%s: %s", what,
		     ociw_error_message(err));
	cr_expect_eq(ociw_inspection_format(found), format, "%s: %s", what,
		     ociw_format_name(ociw_inspection_format(found)));
	const char *text = ociw_inspection_json(found);
	cr_expect_eq(ociwp_json_parse((ociw_span){text, strlen(text)}, what, 0, &json, NULL), 0,
		     "%s: %s", what, text);
	cr_expect_str_eq(json_string_value(json_object_get(json, "format")),
			 ociw_format_name(format));
	cr_expect(strstr(text, json_part), "%s: %s", what, text);
	cr_expect(strstr(ociw_inspection_text(found), text_part), "%s: %s", what,
		  ociw_inspection_text(found));
	json_decref(json);
	ociw_inspection_free(found);
}

static ociw_content *open_golden(const char *path, bool archive)
{
	char full[4096];
	ociw_content *content = NULL;
	ociw_error *err = NULL;
	snprintf(full, sizeof(full), "%s/golden/%s", getenv("OCIW_TESTDATA"), path);
	int r = archive ? ociw_archive_open(full, NULL, &content, &err)
			: ociw_layout_open(full, OCIW_LAYOUT_READ, &content, &err);
	cr_assert_eq(r, 0, "%s", ociw_error_message(err));
	return content;
}

struct golden {
	const char *path, *name;
	ociw_format format;
	const char *json, *text;
};

static void check_golden(const struct golden *rows, size_t count, bool archive)
{
	for (size_t n = 0; n < count; n++) {
		OCIWP_AUTO(content) ociw_content *content = open_golden(rows[n].path, archive);
		expect_inspection(content, rows[n].path, rows[n].name, rows[n].format, rows[n].json,
				  rows[n].text);
	}
}

Test(inspect, layouts_of_other_tools)
{
	static const struct golden rows[] = {
		{"layouts/spin-3.6.3", "v1", OCIW_FORMAT_SPIN, "\"address\":\"/...\"",
		 "component hello"},
		{"layouts/spin-3.6.3", "archive", OCIW_FORMAT_SPIN, "\"kind\":\"bundle\"",
		 "static/a.css  5 B"},
		{"layouts/spin-main-truncated-archive", NULL, OCIW_FORMAT_SPIN, "\"os\":\"Wasip1\"",
		 "app hello 1.0.0"},
		{"layouts/wkg-component", NULL, OCIW_FORMAT_WASM, "\"wasi:cli/run@0.2.12\"",
		 "imports"},
		{"layouts/wkg-module", "v1", OCIW_FORMAT_WASM, "core modules too", "h.wasm"},
		{"layouts/oras-wasm-to-oci", NULL, OCIW_FORMAT_LEGACY, "\"kind\":\"wasm\"",
		 "empty blob"},
		{"layouts/oras-artifact-with-referrer", "v1", OCIW_FORMAT_ARTIFACT,
		 "\"artifactType\":\"application/vnd.example.wasm\"", "hello.wasm"},
		{"layouts/oras-artifact-with-referrer",
		 "sha256-0eadb44e10c627bdf13ed8ba977a7ae00715e1c9755baddf1f1dbb1fbd73653d",
		 OCIW_FORMAT_INDEX, "\"manifests\":[", "application/vnd.example.sbom"},
		{"layouts/cosign-signature-tag", "v1", OCIW_FORMAT_SPIN, "\"name\":\"hello\"",
		 "trigger http /... -> hello"},
		{"layouts/cosign-signature-tag",
		 "sha256-275fcb108ba3d7be4f0d5f5912ab72dc3e3e3a90fe49bdd268a49b58ad957fbe.sig",
		 OCIW_FORMAT_ARTIFACT, "simplesigning", "blob"},
		{"layouts/buildah-rootfs", NULL, OCIW_FORMAT_ROOTFS, "\"entrypoint\":[\"/\"]",
		 "linux/amd64"},
		{"layouts/buildah-rootfs-docker", NULL, OCIW_FORMAT_ROOTFS, "\"kind\":\"tar\"",
		 "layers: 1"},
	};
	check_golden(rows, OCIWP_ARRAY_LEN(rows), false);
}

Test(inspect, archives_of_other_tools)
{
	static const struct golden rows[] = {
		{"archives/ctr-export-rootfs.tar", NULL, OCIW_FORMAT_ROOTFS, "\"layers\"", "tar"},
		{"archives/ctr-export-spin.tar", NULL, OCIW_FORMAT_SPIN, "\"app\"", "app"},
		{"archives/oci-tar-builder-components.tar", NULL, OCIW_FORMAT_RUNWASI,
		 "2 wasm layers", "warning"},
		{"archives/oci-tar-builder-module.tar", NULL, OCIW_FORMAT_RUNWASI, "\"wasm\"",
		 "entrypoint"},
		{"archives/oci-tar-builder-single-component.tar", NULL, OCIW_FORMAT_RUNWASI,
		 "\"wasm\"", "wasm"},
		{"archives/oci-tar-builder-module-and-layer.tar", NULL, OCIW_FORMAT_RUNWASI, "\"wasm\"",
		 "layers: 2"},
		{"archives/skopeo-oci-archive.tar", NULL, OCIW_FORMAT_ROOTFS, "\"tar\"", "rootfs"},
		{"archives/skopeo-docker-archive.tar", NULL, OCIW_FORMAT_ROOTFS, "\"tar\"", "rootfs"},
	};
	check_golden(rows, OCIWP_ARRAY_LEN(rows), true);
}

#define EMPTY                                                                                       \
	"{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}"

/* A content with one image of a config and a layer. */
static ociw_content *image_of(const char *config_type, const char *config, const char *layer_type,
			      const char *layer)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *c = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *l = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *m = NULL;
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociw_span config_bytes = {config, strlen(config)}, layer_bytes = {layer, strlen(layer)};
	ociwp_memory *memory = NULL;
	ociw_content *content = NULL;
	cr_assert_eq(ociwp_memory_new("memory", &memory, NULL), 0);
	cr_assert_eq(ociwp_descriptor_of_bytes(config_type, config_bytes, &c, NULL), 0);
	cr_assert_eq(ociwp_descriptor_of_bytes(layer_type, layer_bytes, &l, NULL), 0);
	ociwp_buf_printf(&text, "{\"schemaVersion\":2,\"config\":" EMPTY ",\"layers\":[" EMPTY "]}",
			 c->media_type, c->digest, config_bytes.len, l->media_type, l->digest,
			 layer_bytes.len);
	cr_assert_eq(ociwp_descriptor_of_bytes(OCIWP_MT_OCI_MANIFEST, ociwp_buf_span(&text), &m,
					       NULL),
		     0);
	cr_assert_eq(ociwp_memory_add_bytes(memory, c, config_bytes, NULL), 0);
	cr_assert_eq(ociwp_memory_add_bytes(memory, l, layer_bytes, NULL), 0);
	cr_assert_eq(ociwp_memory_add_manifest(memory, m, ociwp_buf_span(&text), "a", NULL), 0);
	cr_assert_eq(ociwp_memory_publish(memory, &content, NULL), 0);
	return content;
}

static ociw_content *image(const char *config_type, const char *config, const char *lock)
{
	return image_of(config_type, config, OCIWP_MT_SPIN_LOCK, lock);
}

/* spin.md 7.3 item 4 */
Test(inspect, the_lock_was_the_config_before_spin_2)
{
	OCIWP_AUTO(content) ociw_content *content =
		image_of(OCIWP_MT_SPIN_LOCK,
			 "{\"spin_lock_version\":0,\"metadata\":{\"name\":\"old\"},\"triggers\":["
			 "{\"id\":\"t\",\"trigger_type\":\"http\",\"trigger_config\":{\"component\":"
			 "\"c\",\"route\":\"/x\"}}],\"components\":[]}",
			 OCIWP_MT_SPIN_DATA, "x");
	expect_inspection(content, "old", "a", OCIW_FORMAT_SPIN, "\"name\":\"old\"",
			  "trigger http /x -> c");
}

Test(inspect, broken_documents_are_warnings)
{
	OCIWP_AUTO(content) ociw_content *lock = image(OCIWP_MT_OCI_CONFIG, "{}", "{\"x\":1}");
	expect_inspection(lock, "lock", "a", OCIW_FORMAT_SPIN, "\"warnings\":[", "warning: ");
	OCIWP_AUTO(content) ociw_content *config =
		image(OCIWP_MT_OCI_CONFIG, "{\"os\":1}",
		      "{\"spin_lock_version\":0,\"triggers\":[],\"components\":[]}");
	expect_inspection(config, "config", "a", OCIW_FORMAT_SPIN, "os is an integer", "warning: ");
}

Test(inspect, what_is_no_image_is_unknown)
{
	ociwp_memory *memory = NULL;
	OCIWP_AUTO(content) ociw_content *content = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	cr_assert_eq(ociwp_memory_new("memory", &memory, NULL), 0);
	cr_assert_eq(ociwp_descriptor_of_bytes("text/plain", (ociw_span){"x", 1}, &desc, NULL), 0);
	cr_assert_eq(ociwp_memory_add_manifest(memory, desc, (ociw_span){"x", 1}, "a", NULL), 0);
	cr_assert_eq(ociwp_memory_publish(memory, &content, NULL), 0);
	expect_inspection(content, "blob", "a", OCIW_FORMAT_UNKNOWN, "text/plain", "neither");
}

Test(inspect, a_name_that_is_not_there_is_not_found)
{
	OCIWP_AUTO(content) ociw_content *content = image(OCIWP_MT_OCI_CONFIG, "{}", "{}");
	ociw_inspection *found = NULL;
	cr_expect_eq(ociw_inspect(content, "b", NULL, &found, NULL), OCIW_ERR_NOTFOUND);
	cr_expect_null(found);
	ociw_inspection_free(NULL);
}

Test(inspect, options_of_a_later_library_are_refused)
{
	OCIWP_AUTO(content) ociw_content *content = image(OCIWP_MT_OCI_CONFIG, "{}", "{}");
	struct {
		ociw_inspect_options known;
		uint64_t later;
	} o = {OCIW_INSPECT_OPTIONS_INIT, 1};
	ociw_inspection *found = NULL;
	o.known.size = sizeof(o);
	cr_expect_eq(ociw_inspect(content, "a", &o.known, &found, NULL), OCIW_ERR_INVALID);
}

Test(inspect, a_platform_selects_from_an_index)
{
	OCIWP_AUTO(content) ociw_content *content =
		open_golden("layouts/oras-artifact-with-referrer", false);
	OCIWP_AUTO(platform) ociw_platform *platform = NULL;
	ociw_inspect_options o = OCIW_INSPECT_OPTIONS_INIT;
	ociw_inspection *found = NULL;
	cr_assert_eq(ociw_platform_parse("linux/amd64", &platform, NULL), 0);
	o.platform = platform;
	cr_expect_eq(ociw_inspect(content,
				  "sha256-0eadb44e10c627bdf13ed8ba977a7ae00715e1c9755baddf1f1dbb1f"
				  "bd73653d",
				  &o, &found, NULL),
		     OCIW_ERR_NOTFOUND);
}
