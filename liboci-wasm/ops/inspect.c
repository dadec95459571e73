/* SPDX-License-Identifier: Apache-2.0
 *
 * Inspect: reads the documents of an image (manifest, config, lock) and says what it is. Reads no layer
 * but the lock. What a document gets wrong becomes a warning, so that broken images can be looked at;
 * bytes that are not what they should be stay errors.
 */
#include "base/buf.h"
#include "base/op.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "format/detect.h"
#include "ops/inspect-model.h"

struct ociw_inspection {
	ociw_format format;
	char *json;
	char *text;
};

/* Turns what a parser says about bad input into a warning; what the caller must know stays. */
static int tolerate(ociwp_inspect *i, int r, ociw_error **local, ociw_error **err)
{
	if (r == OCIW_ERR_FORMAT || r == OCIW_ERR_UNSUPPORTED || r == OCIW_ERR_UNSAFE ||
	    r == OCIW_ERR_INVALID) {
		ociwp_inspect_warn(i, "%s", ociw_error_message(*local));
		ociw_error_free(ociwp_steal(local));
		return 0;
	}
	return r < 0 ? ociwp_error_move(err, ociwp_steal(local)) : r;
}

static int read_config(ociwp_inspect *i, const ociwp_manifest *manifest, void **bytes, size_t *len,
		       ociwp_config **config, ociw_error **err)
{
	const char *type = manifest->config->media_type;
	ociw_error *local = NULL;

	if (!ociwp_mediatype_is_image_config(type) && !ociwp_streq(type, OCIWP_MT_WASM_CONFIG))
		return 0;
	int r = ociw_content_read(i->content, manifest->config, i->limits.max_manifest_bytes, i->op,
				  bytes, len, err);
	if (r < 0)
		return ociwp_wrap(err, r, "config");
	r = ociwp_config_parse((ociw_span){*bytes, *len}, i->op, config, &local);
	return tolerate(i, r, &local, err);
}

static void put_config(ociwp_inspect *i, const ociwp_manifest *manifest, const ociwp_config *config)
{
	json_t *object = ociwp_inspect_object(i, i->root, "config");

	ociwp_inspect_put_descriptor(i, object, manifest->config);
	if (!config)
		return;
	if (*config->os || *config->architecture) {
		json_t *platform = ociwp_inspect_object(i, i->root, "platform");
		ociwp_inspect_put_text(i, platform, "os", config->os);
		ociwp_inspect_put_text(i, platform, "architecture", config->architecture);
		ociwp_inspect_put_text(i, platform, "variant",
				       *config->variant ? config->variant : NULL);
	}
	ociwp_inspect_put_list(i, object, "entrypoint", config->entrypoint);
	ociwp_inspect_put_list(i, object, "cmd", config->cmd);
	ociwp_inspect_put_list(i, object, "env", config->env);
	ociwp_inspect_put_text(i, object, "workingDir", config->working_dir);
	ociwp_inspect_put_annotations(i, object, "labels", &config->labels);
	ociwp_inspect_put_list(i, object, "diffIds", config->diff_ids);
}

/* What the config of a CNCF artifact says of its binary (wasm-formats.md 2.1). */
static int put_wasm(ociwp_inspect *i, ociw_span bytes, ociw_error **err)
{
	OCIWP_AUTO(json) json_t *document = NULL;
	ociw_error *local = NULL;
	int r = ociwp_json_parse(bytes, "config", i->limits.max_json_depth, &document, &local);

	if (r < 0)
		return tolerate(i, r, &local, err);
	const json_t *component = json_object_get(document, "component");
	json_t *object = ociwp_inspect_object(i, i->root, "wasm");
	ociwp_inspect_put_text(i, object, "kind",
			       json_is_object(component) ? "component" : "module");
	ociwp_inspect_put_copy(i, object, "created", json_object_get(document, "created"));
	ociwp_inspect_put_copy(i, object, "author", json_object_get(document, "author"));
	ociwp_inspect_put_copy(i, object, "layerDigests", json_object_get(document, "layerDigests"));
	ociwp_inspect_put_copy(i, object, "target", json_object_get(component, "target"));
	ociwp_inspect_put_copy(i, object, "imports", json_object_get(component, "imports"));
	ociwp_inspect_put_copy(i, object, "exports", json_object_get(component, "exports"));
	return 0;
}

static void put_layers(ociwp_inspect *i, const ociwp_manifest *manifest)
{
	uint64_t total = manifest->config->size;
	json_t *layers = ociwp_inspect_array(i, i->root, "layers");

	for (size_t n = 0; n < manifest->layer_count; n++) {
		const ociw_descriptor *layer = manifest->layers[n];
		json_t *object = ociwp_inspect_append(i, layers);
		ociwp_inspect_put_text(i, object, "kind", ociwp_format_layer_kind(layer->media_type));
		ociwp_inspect_put_descriptor(i, object, layer);
		if (!ociwp_add_ok(total, layer->size, &total))
			total = UINT64_MAX;
	}
	ociwp_inspect_put_size(i, i->root, "totalSize", total);
}

static int put_app(ociwp_inspect *i, const ociwp_manifest *manifest, ociw_error **err)
{
	const ociw_descriptor *desc = NULL;
	OCIWP_AUTO(mem) void *bytes = NULL;
	OCIWP_AUTO(lock) ociwp_lock *lock = NULL;
	ociw_error *local = NULL;
	size_t len;

	for (size_t n = 0; !desc && n < manifest->layer_count; n++)
		if (ociwp_streq(manifest->layers[n]->media_type, OCIWP_MT_SPIN_LOCK))
			desc = manifest->layers[n];
	/* Before Spin 2.0 the lock was the config. */
	if (!desc && ociwp_streq(manifest->config->media_type, OCIWP_MT_SPIN_LOCK))
		desc = manifest->config;
	if (!desc)
		return 0;
	int r = ociw_content_read(i->content, desc, i->limits.max_lock_bytes, i->op, &bytes, &len,
				  err);
	if (r < 0)
		return ociwp_wrap(err, r, "locked app");
	r = ociwp_lock_parse((ociw_span){bytes, len}, i->op, &lock, &local);
	if (r < 0)
		return tolerate(i, r, &local, err);
	ociwp_inspect_app(i, lock, manifest);
	return 0;
}

/* Members that manifests and indexes have alike. */
static void put_head(ociwp_inspect *i, const ociw_descriptor *desc, const char *artifact_type)
{
	ociwp_inspect_put_text(i, i->root, "format", ociw_format_name(i->format));
	ociwp_inspect_put_text(i, i->root, "mediaType", desc->media_type);
	ociwp_inspect_put_text(i, i->root, "digest", desc->digest);
	ociwp_inspect_put_size(i, i->root, "size", desc->size);
	ociwp_inspect_put_text(i, i->root, "artifactType", artifact_type);
}

static void put_tail(ociwp_inspect *i, const ociw_descriptor *subject,
		     const ociwp_annotations *annotations)
{
	ociwp_inspect_put_annotations(i, i->root, "annotations", annotations);
	if (subject)
		ociwp_inspect_put_descriptor(i, ociwp_inspect_object(i, i->root, "subject"),
					     subject);
}

static int inspect_manifest(ociwp_inspect *i, const ociw_descriptor *desc, ociw_error **err)
{
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = NULL;
	OCIWP_AUTO(config) ociwp_config *config = NULL;
	OCIWP_AUTO(mem) void *bytes = NULL;
	size_t len = 0;

	int r = ociwp_manifest_load(i->content, desc, i->op, &manifest, NULL, NULL, err);
	if (r == 0)
		r = read_config(i, manifest, &bytes, &len, &config, err);
	if (r < 0)
		return r;
	i->format = ociwp_format_detect(manifest, config);
	put_head(i, desc, manifest->artifact_type);
	put_config(i, manifest, config);
	if (i->format == OCIW_FORMAT_WASM && bytes)
		r = put_wasm(i, (ociw_span){bytes, len}, err);
	if (r == 0)
		r = put_app(i, manifest, err);
	if (r < 0)
		return r;
	put_layers(i, manifest);
	put_tail(i, manifest->subject, &manifest->annotations);
	ociwp_inspect_traps(i, manifest, config);
	return 0;
}

static void check_index(ociwp_inspect *i, const ociwp_index *index)
{
	bool attested = false, images = false;

	for (size_t n = 0; n < index->manifest_count; n++) {
		const ociw_descriptor *entry = index->manifests[n];
		bool unknown = entry->platform && ociwp_platform_is_unknown(entry->platform);
		attested |= unknown;
		images |= !unknown && !entry->artifact_type;
	}
	if (attested)
		ociwp_inspect_warn(i, "holds attestations (platform unknown/unknown): builders add "
				   "them unless told not to, and they turn one image into an index");
	/* An index of artifacts, such as referrers, is nothing to run. */
	if (images)
		ociwp_inspect_warn(i, "an index: containerd takes the entry for the node's platform "
				   "only, and wasm shims read no index");
}

static int inspect_index(ociwp_inspect *i, const ociw_descriptor *desc, ociw_error **err)
{
	OCIWP_AUTO(index) ociwp_index *index = NULL;
	int r = ociwp_index_load(i->content, desc, i->op, &index, NULL, NULL, err);

	if (r < 0)
		return r;
	i->format = OCIW_FORMAT_INDEX;
	put_head(i, desc, index->artifact_type);
	json_t *manifests = ociwp_inspect_array(i, i->root, "manifests");
	for (size_t n = 0; n < index->manifest_count && !i->nomem; n++)
		ociwp_inspect_put_descriptor(i, ociwp_inspect_append(i, manifests),
					     index->manifests[n]);
	put_tail(i, index->subject, &index->annotations);
	check_index(i, index);
	return 0;
}

/* Something that is neither: its descriptor is all there is to say. */
static int inspect_blob(ociwp_inspect *i, const ociw_descriptor *desc)
{
	i->format = OCIW_FORMAT_UNKNOWN;
	put_head(i, desc, desc->artifact_type);
	ociwp_inspect_put_annotations(i, i->root, "annotations", &desc->annotations);
	ociwp_inspect_warn(i, "neither an image manifest nor an index");
	return 0;
}

static int inspect_into(ociwp_inspect *i, const char *name, const ociw_platform *platform,
			ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	int r = platform ? ociwp_image_select(i->content, name, platform, i->op, &desc, err)
			 : ociwp_content_resolve_to_read(i->content, name, i->op, &desc, err);

	if (r < 0)
		return r;
	if (ociwp_mediatype_is_manifest(desc->media_type))
		r = inspect_manifest(i, desc, err);
	else if (ociwp_mediatype_is_index(desc->media_type))
		r = inspect_index(i, desc, err);
	else
		r = inspect_blob(i, desc);
	if (r == 0 && i->warnings)
		ociwp_inspect_put(i, i->root, "warnings", json_incref(i->warnings));
	if (r == 0 && i->nomem)
		r = ociwp_nomem(err);
	return r;
}

static int render(const ociwp_inspect *i, ociw_inspection *out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf json = OCIWP_BUF_INIT;
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociwp_json_writer *w;
	int r = ociwp_json_writer_new(NULL, &json, &w, err);

	if (r < 0)
		return r;
	ociwp_json_value(w, i->root, false);
	r = ociwp_json_writer_finish(w, err);
	if (r == 0)
		r = ociwp_inspect_text(i->root, &text, err);
	if (r < 0)
		return r;
	out->format = i->format;
	out->json = ociwp_buf_steal(&json);
	out->text = ociwp_buf_steal(&text);
	return 0;
}

int ociw_inspect(ociw_content *content, const char *name, const ociw_inspect_options *options,
		 ociw_inspection **out, ociw_error **err)
{
	ociw_inspect_options o;
	ociwp_inspect i;

	*out = NULL;
	int r = ociwp_options_read(&o, sizeof(o), options, err);
	if (r < 0)
		return r;
	r = ociwp_inspect_init(&i, content, o.op, err);
	if (r < 0)
		return r;
	ociw_inspection *inspection = ociwp_new(ociw_inspection);
	r = inspection ? inspect_into(&i, name, o.platform, err) : ociwp_nomem(err);
	if (r == 0)
		r = render(&i, inspection, err);
	if (r < 0)
		ociw_inspection_free(ociwp_steal(&inspection));
	ociwp_inspect_deinit(&i);
	*out = inspection;
	return r;
}

void ociw_inspection_free(ociw_inspection *inspection)
{
	if (!inspection)
		return;
	free(inspection->json);
	free(inspection->text);
	free(inspection);
}

ociw_format ociw_inspection_format(const ociw_inspection *inspection)
{
	return inspection->format;
}

const char *ociw_inspection_json(const ociw_inspection *inspection)
{
	return inspection->json;
}

const char *ociw_inspection_text(const ociw_inspection *inspection)
{
	return inspection->text;
}
