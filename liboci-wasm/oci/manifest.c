/* SPDX-License-Identifier: Apache-2.0
 *
 * Image manifests: parsed from verified bytes, loaded from a content, written canonically. Raw bytes
 * are never made again from the parsed form (DIG-7). image-spec manifest.md; MAN-1..12.
 */
#include "oci/manifest.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "oci/document.h"

void ociwp_manifest_free(ociwp_manifest *manifest)
{
	if (!manifest)
		return;
	free(manifest->media_type);
	free(manifest->artifact_type);
	ociw_descriptor_free(manifest->config);
	ociwp_descriptors_free(manifest->layers, manifest->layer_count);
	ociw_descriptor_free(manifest->subject);
	ociwp_annotations_deinit(&manifest->annotations);
	free(manifest);
}

static int parse_members(const json_t *document, uint64_t max_layers, ociwp_manifest *m,
			 ociw_error **err)
{
	json_t *config;
	int r = ociwp_json_need_object(document, NULL, "config", &config, err);

	if (r == 0)
		r = ociwp_descriptor_parse(config, "config", &m->config, err);
	if (r == 0)
		r = ociwp_document_descriptors(document, "layers", max_layers, &m->layers,
					       &m->layer_count, err);
	if (r == 0)
		r = ociwp_document_check_sizes(m->layers, m->layer_count, m->config, err);
	if (r == 0)
		r = ociwp_document_subject(document, &m->subject, err);
	if (r == 0)
		r = ociwp_document_annotations(document, &m->annotations, err);
	return r < 0 ? ociwp_wrap(err, r, "manifest") : 0;
}

int ociwp_manifest_parse(ociw_span bytes, const char *media_type, const ociw_op *op,
			 ociwp_manifest **out, ociw_error **err)
{
	OCIWP_AUTO(json) json_t *document = NULL;
	OCIWP_AUTO(manifest) ociwp_manifest *m = NULL;
	ociw_limits limits;

	ociwp_limits_get(op, &limits);
	int r = ociwp_document_parse(bytes, "manifest", op, &document, err);
	if (r == 0)
		r = ociwp_document_check(document, "manifest", err);
	if (r < 0)
		return r;
	m = ociwp_new(ociwp_manifest);
	if (!m)
		return ociwp_nomem(err);
	r = ociwp_document_media_type(document, "manifest", media_type, ociwp_mediatype_is_manifest,
				      OCIWP_MT_OCI_MANIFEST, &m->media_type, &m->has_media_type,
				      err);
	if (r == 0)
		r = ociwp_document_artifact_type(document, "manifest", &m->artifact_type, err);
	if (r == 0)
		r = parse_members(document, limits.max_layers, m, err);
	if (r == 0)
		*out = ociwp_steal(&m);
	return r;
}

int ociwp_manifest_identify(ociw_span bytes, const char **out, ociw_error **err)
{
	static const char *const known[] = {OCIWP_MT_OCI_MANIFEST, OCIWP_MT_OCI_INDEX,
					    OCIWP_MT_DOCKER_MANIFEST, OCIWP_MT_DOCKER_INDEX};
	OCIWP_AUTO(json) json_t *document = NULL;

	*out = NULL;
	int r = ociwp_document_parse(bytes, "document", NULL, &document, NULL);
	if (r >= 0)
		r = ociwp_document_check(document, "document", NULL);
	if (r == OCIW_ERR_NOMEM)
		return ociwp_nomem(err);
	if (r < 0)
		return 0;
	const char *own = json_string_value(json_object_get(document, "mediaType"));
	for (size_t i = 0; own && i < OCIWP_ARRAY_LEN(known); i++)
		if (ociwp_streq(own, known[i]))
			*out = known[i];
	if (own)
		return 0;
	if (json_is_array(json_object_get(document, "manifests")))
		*out = OCIWP_MT_OCI_INDEX;
	else if (json_is_object(json_object_get(document, "config")))
		*out = OCIWP_MT_OCI_MANIFEST;
	return 0;
}

const char *ociwp_manifest_sniff(ociw_span bytes)
{
	const char *media_type = NULL;

	return ociwp_manifest_identify(bytes, &media_type, NULL) < 0 ? NULL : media_type;
}

int ociwp_manifest_load(ociw_content *content, const ociw_descriptor *desc, const ociw_op *op,
			ociwp_manifest **out, char **raw, size_t *raw_len, ociw_error **err)
{
	OCIWP_AUTO(mem) void *bytes = NULL;
	ociw_limits limits;
	size_t len;

	ociwp_limits_get(op, &limits);
	int r = ociw_content_read(content, desc, limits.max_manifest_bytes, op, &bytes, &len, err);
	if (r < 0)
		return r;
	r = ociwp_manifest_parse((ociw_span){bytes, len}, desc->media_type, op, out, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s: %s", ociw_content_label(content), desc->digest);
	if (raw) {
		*raw = ociwp_steal(&bytes);
		*raw_len = len;
	}
	return 0;
}

static void write_layers(const ociwp_manifest_draft *draft, ociwp_json_writer *w)
{
	ociwp_json_key(w, "layers");
	ociwp_json_begin_array(w);
	for (size_t i = 0; i < draft->layer_count; i++)
		ociwp_descriptor_write_sorted(draft->layers[i], w);
	ociwp_json_end_array(w);
}

/* Members in byte order at every level: the bytes that Spin and wkg write for the same content. */
int ociwp_manifest_write(const ociwp_manifest_draft *draft, struct ociwp_buf *out, ociw_error **err)
{
	ociwp_json_writer *w;
	bool empty = ociwp_streq(draft->config->media_type, OCIWP_MT_OCI_EMPTY);

	if (empty && !draft->artifact_type)
		return ociwp_fail(err, OCIW_ERR_INVALID,
				  "a manifest with an empty config needs an artifact type");
	int r = ociwp_json_writer_new(NULL, out, &w, err);
	if (r < 0)
		return r;
	ociwp_json_begin_object(w);
	if (draft->annotations && draft->annotations->count > 0) {
		ociwp_json_key(w, "annotations");
		ociwp_annotations_write_sorted(draft->annotations, w);
	}
	ociwp_json_member(w, "artifactType", draft->artifact_type);
	ociwp_json_key(w, "config");
	ociwp_descriptor_write_sorted(draft->config, w);
	write_layers(draft, w);
	ociwp_json_member(w, "mediaType", draft->media_type);
	ociwp_json_key(w, "schemaVersion");
	ociwp_json_u64(w, 2);
	if (draft->subject) {
		ociwp_json_key(w, "subject");
		ociwp_descriptor_write_sorted(draft->subject, w);
	}
	ociwp_json_end_object(w);
	return ociwp_json_writer_finish(w, err);
}
