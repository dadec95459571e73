/* SPDX-License-Identifier: Apache-2.0
 *
 * Telling formats apart by media types first, config second, annotations last, as the readers of each
 * do. Reads no layer. specs/wasm-formats.md 1.1 and 1.7, specs/spin-node.md 4 and 5.
 */
#include "format/detect.h"
#include "base/str.h"
#include "codec/mediatype.h"

#define ANNOTATION_VARIANT "module.wasm.image/variant"

struct counts {
	size_t wasm;
	size_t tar;
	size_t lock;
};

static struct counts count_layers(const ociwp_manifest *manifest)
{
	struct counts n = {0, 0, 0};

	for (size_t i = 0; i < manifest->layer_count; i++) {
		const char *type = manifest->layers[i]->media_type;
		n.wasm += ociwp_mediatype_is_wasm(type);
		n.tar += ociwp_mediatype_is_layer(type);
		n.lock += ociwp_streq(type, OCIWP_MT_SPIN_LOCK);
	}
	return n;
}

/* The same blobs serve both; only an image for nodes has them as layers that containerd unpacks, or
 * names the artifact it was made with. */
static ociw_format detect_spin(const ociwp_manifest *manifest, const struct counts *n)
{
	return n->tar > 0 || manifest->subject ? OCIW_FORMAT_SPIN_NODE : OCIW_FORMAT_SPIN;
}

static ociw_format by_config_type(const char *type)
{
	static const struct {
		const char *type;
		ociw_format format;
	} rows[] = {
		{OCIWP_MT_WASM_CONFIG, OCIW_FORMAT_WASM},
		{OCIWP_MT_WASM_CONFIG_LEGACY, OCIW_FORMAT_LEGACY},
		{OCIWP_MT_SOLO_CONFIG, OCIW_FORMAT_SOLO},
		{OCIWP_MT_WASMCLOUD_CONFIG, OCIW_FORMAT_WASMCLOUD},
		{"application/vnd.wasmcloud.provider.archive.config", OCIW_FORMAT_WASMCLOUD},
		{OCIWP_MT_SPIN_LOCK, OCIW_FORMAT_SPIN},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++)
		if (ociwp_streq(type, rows[i].type))
			return rows[i].format;
	return OCIW_FORMAT_UNKNOWN;
}

/* "app.wasm", "/app.wasm#_start": the function behind '#' is no part of the name. */
static bool names_wasm(const char *argument)
{
	size_t len = strcspn(argument, "#");
	return len >= 5 && memcmp(argument + len - 5, ".wasm", 5) == 0;
}

static bool is_wasm_platform(const ociwp_config *config)
{
	return ociwp_starts_with(config->architecture, "wasm") ||
	       ociwp_starts_with(config->os, "wasi") || ociwp_starts_with(config->os, "Wasi");
}

/* Files of a wasm app, as far as the config tells: its platform, a command that is wasm, or the "/"
 * that Spin's shim asks for. */
static bool runs_wasm(const ociwp_config *config)
{
	char **command = config->entrypoint ? config->entrypoint : config->cmd;

	if (is_wasm_platform(config))
		return true;
	if (!command || !command[0])
		return false;
	return names_wasm(command[0]) || (ociwp_streq(command[0], "/") && !command[1]);
}

static ociw_format detect_image(const ociwp_manifest *manifest, const ociwp_config *config,
				const struct counts *n)
{
	const char *variant = ociwp_annotations_get(&manifest->annotations, ANNOTATION_VARIANT);

	if (n->wasm > 0)
		return n->tar > 0 ? OCIW_FORMAT_HYBRID : OCIW_FORMAT_RUNWASI;
	if (n->tar == 0 && manifest->layer_count > 0)
		return OCIW_FORMAT_ARTIFACT;
	if (variant && ociwp_starts_with(variant, "compat"))
		return OCIW_FORMAT_ISTIO;
	return config && runs_wasm(config) ? OCIW_FORMAT_ROOTFS : OCIW_FORMAT_IMAGE;
}

ociw_format ociwp_format_detect(const ociwp_manifest *manifest, const ociwp_config *config)
{
	struct counts n = count_layers(manifest);

	if (n.lock > 0)
		return detect_spin(manifest, &n);
	ociw_format format = by_config_type(manifest->config->media_type);
	if (format != OCIW_FORMAT_UNKNOWN)
		return format;
	if (ociwp_mediatype_is_image_config(manifest->config->media_type))
		return detect_image(manifest, config, &n);
	return OCIW_FORMAT_ARTIFACT;
}

const char *ociwp_format_layer_kind(const char *media_type)
{
	static const struct {
		const char *type, *kind;
	} rows[] = {
		{OCIWP_MT_SPIN_LOCK, "lock"},     {OCIWP_MT_SPIN_BUNDLE, "bundle"},
		{OCIWP_MT_SPIN_DATA, "data"},     {OCIWP_MT_SOLO_CONFIG, "config"},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++)
		if (ociwp_streq(media_type, rows[i].type))
			return rows[i].kind;
	if (ociwp_mediatype_is_wasm(media_type))
		return "wasm";
	return ociwp_mediatype_is_layer(media_type) ? "tar" : "blob";
}
