/* SPDX-License-Identifier: Apache-2.0
 *
 * Known traps of images, said before somebody steps into them: what a runtime, containerd or a registry
 * will do with this one. Judges documents only. specs/spin.md 5.1-5.2, specs/spin-node.md 4,
 * specs/wasm-formats.md 1.2-1.6, 4 and 5.
 */
#include "base/str.h"
#include "codec/mediatype.h"
#include "ops/inspect-model.h"

#define LABEL_LOCK "com.fermyon.spin.lockedAppDigest"

/* Spin's own bound on layers with content, and about what overlay file systems hold. */
#define MANY_LAYERS 499

static size_t count_layers(const ociwp_manifest *m, bool (*is_kind)(const char *media_type))
{
	size_t count = 0;
	for (size_t n = 0; n < m->layer_count; n++)
		count += is_kind(m->layers[n]->media_type);
	return count;
}

static bool is_lock(const char *media_type)
{
	return ociwp_streq(media_type, OCIWP_MT_SPIN_LOCK);
}

static bool has_command(const ociwp_config *config)
{
	return (config->entrypoint && config->entrypoint[0]) || (config->cmd && config->cmd[0]);
}

/* The shims take an image for a wasm image by this member alone. */
static void check_architecture(ociwp_inspect *i, const ociwp_config *config)
{
	if (!ociwp_streq(config->architecture, "wasm"))
		ociwp_inspect_warn(i, "architecture is \"%s\": shims look for wasm layers only where "
				   "it is \"wasm\"", config->architecture);
}

static void check_command(ociwp_inspect *i, const ociwp_config *config, const char *example)
{
	if (!has_command(config))
		ociwp_inspect_warn(i, "no Entrypoint or Cmd: Kubernetes refuses it unless the pod "
				   "sets a command, such as [\"%s\"]", example);
}

static void check_diff_ids(ociwp_inspect *i, const ociwp_manifest *m, const ociwp_config *config)
{
	size_t layers = count_layers(m, ociwp_mediatype_is_layer);
	if (config->diff_id_count != layers)
		ociwp_inspect_warn(i, "%zu diff_ids for %zu tar layers: containerd refuses to unpack "
				   "it", config->diff_id_count, layers);
}

static void check_lock(ociwp_inspect *i, const ociwp_manifest *m, const ociwp_config *config)
{
	const char *label = config ? ociwp_annotations_get(&config->labels, LABEL_LOCK) : NULL;
	size_t locks = count_layers(m, is_lock);

	if (locks > 1)
		ociwp_inspect_warn(i, "%zu locked apps: only one of them is loaded", locks);
	for (size_t n = 0; label && n < m->layer_count; n++)
		if (is_lock(m->layers[n]->media_type) && !ociwp_streq(m->layers[n]->digest, label))
			ociwp_inspect_warn(i, "label %s is not the digest of the locked app: nodes "
					   "may serve another app from their cache", LABEL_LOCK);
	if (config && !label)
		ociwp_inspect_warn(i, "no label %s: images of different apps may get the same id on "
				   "a node", LABEL_LOCK);
}

static void check_spin(ociwp_inspect *i, const ociwp_manifest *m, const ociwp_config *config)
{
	check_lock(i, m, config);
	if (config) {
		check_architecture(i, config);
		check_diff_ids(i, m, config);
		check_command(i, config, "/");
	}
	if (m->layer_count > MANY_LAYERS + 1)
		ociwp_inspect_warn(i, "%zu layers: more than Spin writes, and some nodes take",
				   m->layer_count);
	if (i->format == OCIW_FORMAT_SPIN_NODE)
		ociwp_inspect_warn(i, "made for nodes: `spin up` and `spin registry pull` see only "
				   "one file of each component");
}

static void check_runwasi(ociwp_inspect *i, const ociwp_manifest *m, const ociwp_config *config)
{
	size_t wasm = count_layers(m, ociwp_mediatype_is_wasm);

	if (config) {
		check_architecture(i, config);
		check_diff_ids(i, m, config);
		check_command(i, config, "app.wasm");
	}
	if (wasm > 1)
		ociwp_inspect_warn(i, "%zu wasm layers: runwasi runs images with one only", wasm);
	for (size_t n = 0; n < m->layer_count; n++)
		if (ociwp_streq(m->layers[n]->media_type, OCIWP_MT_SPIN_WASM))
			ociwp_inspect_warn(i, "wasm layer of type %s: runwasi passes it over",
					   OCIWP_MT_SPIN_WASM);
}

/* layerDigests of the config are what its readers compare. */
static void check_layer_digests(ociwp_inspect *i, const ociwp_manifest *m)
{
	const json_t *digests = json_object_get(json_object_get(i->root, "wasm"), "layerDigests");
	size_t count = json_array_size(digests);
	bool same = count == m->layer_count;

	if (!digests)
		return;
	for (size_t n = 0; same && n < count; n++)
		same = ociwp_streq(json_string_value(json_array_get(digests, n)),
				   m->layers[n]->digest);
	if (!same)
		ociwp_inspect_warn(i, "layerDigests of the config are not the layers of the manifest");
}

/* wkg gives core modules the config of a component that has nothing. */
static void check_component(ociwp_inspect *i)
{
	const json_t *wasm = json_object_get(i->root, "wasm");
	const char *kind = json_string_value(json_object_get(wasm, "kind"));

	if (ociwp_streq(kind, "component") && !json_object_get(wasm, "imports") &&
	    !json_object_get(wasm, "exports"))
		ociwp_inspect_warn(i, "a component without imports and exports, says the config: wkg "
				   "writes this for core modules too");
}

static void check_wasm(ociwp_inspect *i, const ociwp_manifest *m)
{
	if (!m->has_media_type)
		ociwp_inspect_warn(i, "the manifest has no mediaType: wkg refuses it");
	if (m->layer_count != 1)
		ociwp_inspect_warn(i, "%zu layers: readers of this format take exactly one",
				   m->layer_count);
	check_layer_digests(i, m);
	check_component(i);
}

static void check_rootfs(ociwp_inspect *i, const ociwp_manifest *m, const ociwp_config *config)
{
	if (!config)
		return;
	check_diff_ids(i, m, config);
	check_command(i, config, "/");
	if (ociwp_streq(config->architecture, "wasm"))
		ociwp_inspect_warn(i, "architecture is \"wasm\": containerd 2.1 and later pulls but "
				   "does not unpack it");
}

/* Whatever the format. */
static void check_all(ociwp_inspect *i, const ociwp_manifest *m)
{
	if (m->config->size == 0)
		ociwp_inspect_warn(i, "the config is an empty blob: some registries refuse it");
	if (ociwp_streq(m->config->media_type, OCIWP_MT_OCI_EMPTY) && !m->artifact_type)
		ociwp_inspect_warn(i, "an empty config without artifactType breaks the image spec");
	for (size_t n = 0; n < m->layer_count; n++)
		if (ociwp_mediatype_is_nondistributable(m->layers[n]->media_type))
			ociwp_inspect_warn(i, "layer %zu is non-distributable: registries may not hold "
					   "it", n);
}

void ociwp_inspect_traps(ociwp_inspect *i, const ociwp_manifest *manifest,
			 const ociwp_config *config)
{
	check_all(i, manifest);
	switch (i->format) {
	case OCIW_FORMAT_SPIN:
	case OCIW_FORMAT_SPIN_NODE:
		check_spin(i, manifest, config);
		break;
	case OCIW_FORMAT_RUNWASI:
	case OCIW_FORMAT_HYBRID:
		check_runwasi(i, manifest, config);
		break;
	case OCIW_FORMAT_WASM:
		check_wasm(i, manifest);
		break;
	case OCIW_FORMAT_ROOTFS:
	case OCIW_FORMAT_ISTIO:
		check_rootfs(i, manifest, config);
		break;
	case OCIW_FORMAT_UNKNOWN:
	case OCIW_FORMAT_LEGACY:
	case OCIW_FORMAT_SOLO:
	case OCIW_FORMAT_WASMCLOUD:
	case OCIW_FORMAT_ARTIFACT:
	case OCIW_FORMAT_IMAGE:
	case OCIW_FORMAT_INDEX:
		break;
	}
}
