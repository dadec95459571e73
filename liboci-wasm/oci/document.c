/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules that image manifests and indexes share. Knows neither their other members nor where the
 * bytes come from. image-spec manifest.md, image-index.md; MAN-1..3, DSC-6, DSC-7.
 */
#include "oci/document.h"
#include "base/map.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include <stdio.h>

int ociwp_document_parse(ociw_span bytes, const char *what, const ociw_op *op, json_t **out,
			 ociw_error **err)
{
	OCIWP_AUTO(json) json_t *document = NULL;
	ociw_limits limits;

	ociwp_limits_get(op, &limits);
	if (bytes.len > limits.max_manifest_bytes)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "%s has %zu bytes, the limit is %llu", what,
				  bytes.len, (unsigned long long)limits.max_manifest_bytes);
	int r = ociwp_json_parse(bytes, what, limits.max_json_depth, &document, err);
	if (r < 0)
		return r;
	if (!json_is_object(document))
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s is not a JSON object", what);
	*out = ociwp_steal(&document);
	return 0;
}

static bool has(const json_t *document, const char *name)
{
	return json_object_get(document, name) != NULL;
}

int ociwp_document_check(const json_t *document, const char *what, ociw_error **err)
{
	uint64_t version;
	int r = ociwp_json_need_u64(document, NULL, "schemaVersion", &version, err);

	if (r < 0)
		return ociwp_wrap(err, r, "%s", what);
	if (version == 1)
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
				  "%s: Docker schema 1 images are not supported", what);
	if (version != 2)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s: schemaVersion is %llu, must be 2",
				  what, (unsigned long long)version);
	/* One text that different readers take for different kinds would let a digest stand for two
	 * images. */
	if (has(document, "manifests") && (has(document, "layers") || has(document, "config")))
		return ociwp_fail(err, OCIW_ERR_FORMAT,
				  "%s has members of both a manifest and an index", what);
	return 0;
}

int ociwp_document_media_type(const json_t *document, const char *what, const char *given,
			      bool (*is_class)(const char *media_type), const char *fallback,
			      char **out, bool *has_own, ociw_error **err)
{
	const char *own = NULL;
	int r = ociwp_json_opt_string(document, NULL, "mediaType", &own, err);

	if (r < 0)
		return ociwp_wrap(err, r, "%s", what);
	if (own && given && !ociwp_streq(own, given))
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s: mediaType is %s, but it came as %s",
				  what, ociwp_quote(own), ociwp_quote(given));
	const char *type = own ? own : given ? given : fallback;
	if (!is_class(type))
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s: media type %s is of no %s", what,
				  ociwp_quote(type), what);
	*has_own = own != NULL;
	*out = ociwp_strdup(type);
	return *out ? 0 : ociwp_nomem(err);
}

int ociwp_document_artifact_type(const json_t *document, const char *what, char **out,
				 ociw_error **err)
{
	const char *type = NULL;
	int r = ociwp_json_opt_string(document, NULL, "artifactType", &type, err);

	if (r < 0)
		return ociwp_wrap(err, r, "%s", what);
	if (!type || !*type)
		return 0;
	if (!ociwp_mediatype_is_valid(type))
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s: artifactType %s is no media type",
				  what, ociwp_quote(type));
	*out = ociwp_strdup(type);
	return *out ? 0 : ociwp_nomem(err);
}

int ociwp_document_subject(const json_t *document, ociw_descriptor **out, ociw_error **err)
{
	json_t *subject = NULL;
	int r = ociwp_json_opt_object(document, NULL, "subject", &subject, err);

	if (r < 0 || !subject)
		return r;
	return ociwp_descriptor_parse(subject, "subject", out, err);
}

int ociwp_document_annotations(const json_t *document, ociwp_annotations *out, ociw_error **err)
{
	return ociwp_annotations_parse(json_object_get(document, "annotations"), "annotations", out,
				       err);
}

void ociwp_descriptors_free(ociw_descriptor **descriptors, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ociw_descriptor_free(descriptors[i]);
	free(descriptors);
}

int ociwp_document_descriptors(const json_t *document, const char *name, uint64_t max,
			       ociw_descriptor ***out, size_t *count, ociw_error **err)
{
	json_t *array, *item;
	size_t i;
	int r = ociwp_json_need_array(document, NULL, name, &array, err);

	if (r < 0)
		return r;
	if (json_array_size(array) > max)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "%zu %s, the limit is %llu",
				  json_array_size(array), name, (unsigned long long)max);
	*out = ociwp_realloc_array(NULL, json_array_size(array), sizeof(**out));
	if (!*out)
		return ociwp_nomem(err);
	json_array_foreach (array, i, item) {
		char path[64];
		snprintf(path, sizeof(path), "%s[%zu]", name, i);
		r = ociwp_descriptor_parse(item, path, &(*out)[i], err);
		if (r < 0)
			return r;
		*count = i + 1;
	}
	return 0;
}

static int check_size(ociwp_map *seen, const ociw_descriptor *desc, ociw_error **err)
{
	const ociw_descriptor *other = ociwp_map_get(seen, desc->digest);

	if (other && other->size != desc->size)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s has two sizes: %llu and %llu",
				  ociwp_quote(desc->digest), (unsigned long long)other->size,
				  (unsigned long long)desc->size);
	if (!other && !ociwp_map_set(seen, desc->digest, (void *)desc))
		return ociwp_nomem(err);
	return 0;
}

int ociwp_document_check_sizes(ociw_descriptor *const *descriptors, size_t count,
			       const ociw_descriptor *also, ociw_error **err)
{
	OCIWP_AUTO(map) ociwp_map *seen = ociwp_map_new(NULL);
	if (!seen)
		return ociwp_nomem(err);
	int r = also ? check_size(seen, also, err) : 0;
	for (size_t i = 0; r == 0 && i < count; i++)
		r = check_size(seen, descriptors[i], err);
	return r;
}
