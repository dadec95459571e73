/* SPDX-License-Identifier: Apache-2.0
 *
 * Telling formats apart (wasm-formats.md 1.1 and 1.7, spin-node.md 4 and 5).
 */
#include "base/buf.h"
#include "codec/mediatype.h"
#include "format/detect.h"
#include <criterion/criterion.h>
#include <string.h>

#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define PROVIDER "application/vnd.wasmcloud.provider.archive.config"
#define COMPAT ",\"annotations\":{\"module.wasm.image/variant\":\"compat\"}"
#define SUBJECT                                                                                      \
	",\"subject\":{\"mediaType\":\"a/b\",\"digest\":\"sha256:" HEX "\",\"size\":2}"

struct row {
	ociw_format format;
	const char *config_type;
	const char *config;    /* or NULL */
	const char *more;      /* members of the manifest */
	const char *layers[4]; /* media types */
};

static void descriptor(ociwp_buf *out, const char *type)
{
	ociwp_buf_printf(out, "{\"mediaType\":\"%s\",\"digest\":\"sha256:" HEX "\",\"size\":2}", type);
}

static ociw_format detect(const struct row *row)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = NULL;
	OCIWP_AUTO(config) ociwp_config *config = NULL;
	ociwp_buf_puts(&text, "{\"schemaVersion\":2,\"config\":");
	descriptor(&text, row->config_type);
	ociwp_buf_puts(&text, ",\"layers\":[");
	for (size_t i = 0; i < 4 && row->layers[i]; i++) {
		ociwp_buf_puts(&text, i ? "," : "");
		descriptor(&text, row->layers[i]);
	}
	ociwp_buf_printf(&text, "]%s}", row->more ? row->more : "");
	cr_assert_eq(ociwp_manifest_parse(ociwp_buf_span(&text), NULL, NULL, &manifest, NULL), 0,
		     "%s", text.data);
	if (row->config)
		cr_assert_eq(ociwp_config_parse((ociw_span){row->config, strlen(row->config)}, NULL,
						&config, NULL),
			     0);
	return ociwp_format_detect(manifest, config);
}

static void check(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		ociw_format got = detect(&rows[i]);
		cr_expect_eq(got, rows[i].format, "row %zu: %s, not %s", i, ociw_format_name(got),
			     ociw_format_name(rows[i].format));
	}
}

Test(detect, spin_images_have_a_lock)
{
	static const struct row rows[] = {
		{OCIW_FORMAT_SPIN, OCIWP_MT_OCI_CONFIG, NULL, NULL,
		 {OCIWP_MT_SPIN_WASM, OCIWP_MT_SPIN_DATA, OCIWP_MT_SPIN_LOCK}},
		{OCIW_FORMAT_SPIN, OCIWP_MT_OCI_CONFIG, NULL, NULL,
		 {OCIWP_MT_SPIN_WASM, OCIWP_MT_SPIN_BUNDLE, OCIWP_MT_SPIN_LOCK}},
		{OCIW_FORMAT_SPIN, OCIWP_MT_SPIN_LOCK, NULL, NULL, {OCIWP_MT_SPIN_WASM}},
		{OCIW_FORMAT_SPIN_NODE, OCIWP_MT_OCI_CONFIG, NULL, NULL,
		 {OCIWP_MT_SPIN_WASM, OCIWP_MT_OCI_LAYER_GZIP, OCIWP_MT_SPIN_LOCK}},
		{OCIW_FORMAT_SPIN_NODE, OCIWP_MT_OCI_CONFIG, NULL, SUBJECT,
		 {OCIWP_MT_SPIN_WASM, OCIWP_MT_SPIN_LOCK}},
	};
	check(rows, OCIWP_ARRAY_LEN(rows));
}

Test(detect, artifacts_are_told_by_their_config)
{
	static const struct row rows[] = {
		{OCIW_FORMAT_WASM, OCIWP_MT_WASM_CONFIG, NULL, NULL, {OCIWP_MT_WASM}},
		{OCIW_FORMAT_LEGACY, OCIWP_MT_WASM_CONFIG_LEGACY, NULL, NULL, {OCIWP_MT_SPIN_WASM}},
		{OCIW_FORMAT_SOLO, OCIWP_MT_SOLO_CONFIG, NULL, NULL,
		 {OCIWP_MT_SOLO_CONFIG, OCIWP_MT_SOLO_WASM}},
		{OCIW_FORMAT_WASMCLOUD, OCIWP_MT_WASMCLOUD_CONFIG, NULL, NULL, {OCIWP_MT_SOLO_WASM}},
		{OCIW_FORMAT_WASMCLOUD, PROVIDER, NULL, NULL, {"a/b"}},
		{OCIW_FORMAT_ARTIFACT, OCIWP_MT_OCI_EMPTY, NULL, ",\"artifactType\":\"a/b\"",
		 {OCIWP_MT_WASM}},
		{OCIW_FORMAT_ARTIFACT, "application/x", NULL, NULL, {"text/plain"}},
	};
	check(rows, OCIWP_ARRAY_LEN(rows));
}

Test(detect, images_are_told_by_their_layers)
{
	static const struct row rows[] = {
		{OCIW_FORMAT_RUNWASI, OCIWP_MT_OCI_CONFIG, NULL, NULL, {OCIWP_MT_RUNWASI_WASM}},
		{OCIW_FORMAT_RUNWASI, OCIWP_MT_OCI_CONFIG, NULL, NULL, {OCIWP_MT_WASM}},
		{OCIW_FORMAT_HYBRID, OCIWP_MT_OCI_CONFIG, NULL, NULL,
		 {OCIWP_MT_RUNWASI_WASM, OCIWP_MT_OCI_LAYER}},
		{OCIW_FORMAT_ISTIO, OCIWP_MT_OCI_CONFIG, NULL, COMPAT, {OCIWP_MT_OCI_LAYER_GZIP}},
		{OCIW_FORMAT_ARTIFACT, OCIWP_MT_OCI_CONFIG, NULL, NULL,
		 {"application/vnd.dev.cosign.simplesigning.v1+json"}},
		{OCIW_FORMAT_IMAGE, OCIWP_MT_OCI_CONFIG, NULL, NULL, {NULL}},
		{OCIW_FORMAT_IMAGE, OCIWP_MT_DOCKER_CONFIG, NULL, NULL,
		 {OCIWP_MT_DOCKER_LAYER_GZIP}},
	};
	check(rows, OCIWP_ARRAY_LEN(rows));
}

#define CONFIG(command) "{\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":{" command "}}"

Test(detect, a_rootfs_is_told_by_its_config)
{
	static const struct row rows[] = {
		{OCIW_FORMAT_ROOTFS, OCIWP_MT_OCI_CONFIG,
		 "{\"os\":\"wasip1\",\"architecture\":\"wasm\"}", NULL, {OCIWP_MT_OCI_LAYER}},
		{OCIW_FORMAT_ROOTFS, OCIWP_MT_DOCKER_CONFIG,
		 "{\"os\":\"wasi\",\"architecture\":\"wasm32\"}", NULL,
		 {OCIWP_MT_DOCKER_LAYER_GZIP}},
		{OCIW_FORMAT_ROOTFS, OCIWP_MT_OCI_CONFIG, CONFIG("\"Entrypoint\":[\"/app.wasm#run\"]"),
		 NULL, {OCIWP_MT_OCI_LAYER}},
		{OCIW_FORMAT_ROOTFS, OCIWP_MT_OCI_CONFIG, CONFIG("\"Cmd\":[\"app.wasm\",\"x\"]"),
		 NULL, {OCIWP_MT_OCI_LAYER}},
		{OCIW_FORMAT_ROOTFS, OCIWP_MT_OCI_CONFIG, CONFIG("\"Entrypoint\":[\"/\"]"), NULL,
		 {OCIWP_MT_OCI_LAYER_GZIP}},
		{OCIW_FORMAT_IMAGE, OCIWP_MT_OCI_CONFIG, CONFIG("\"Entrypoint\":[\"/bin/sh\"]"),
		 NULL, {OCIWP_MT_OCI_LAYER_GZIP}},
		{OCIW_FORMAT_IMAGE, OCIWP_MT_OCI_CONFIG, CONFIG(""), NULL,
		 {OCIWP_MT_OCI_LAYER_GZIP}},
		{OCIW_FORMAT_IMAGE, OCIWP_MT_OCI_CONFIG, CONFIG("\"Entrypoint\":[]"), NULL,
		 {OCIWP_MT_OCI_LAYER_GZIP}},
	};
	check(rows, OCIWP_ARRAY_LEN(rows));
}

Test(detect, layers_have_kinds)
{
	static const char *const rows[][2] = {
		{OCIWP_MT_SPIN_LOCK, "lock"},   {OCIWP_MT_SPIN_BUNDLE, "bundle"},
		{OCIWP_MT_SPIN_DATA, "data"},   {OCIWP_MT_SPIN_WASM, "wasm"},
		{OCIWP_MT_WASM, "wasm"},        {OCIWP_MT_OCI_LAYER_ZSTD, "tar"},
		{OCIWP_MT_DOCKER_LAYER, "tar"}, {OCIWP_MT_SOLO_CONFIG, "config"},
		{"text/plain", "blob"},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++)
		cr_expect_str_eq(ociwp_format_layer_kind(rows[i][0]), rows[i][1]);
}
