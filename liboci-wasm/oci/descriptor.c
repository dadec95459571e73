/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors: made, read from JSON with every rule of the image spec, written in one order. Fetches
 * nothing. image-spec descriptor.md; DSC-1..7, DIG-1..5.
 */
#include "oci/descriptor.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "oci/content.h"

void ociw_descriptor_free(ociw_descriptor *desc)
{
	if (!desc)
		return;
	free(desc->media_type);
	free(desc->digest);
	free(desc->artifact_type);
	ociw_platform_free(desc->platform);
	ociwp_annotations_deinit(&desc->annotations);
	free(desc->data);
	free(desc);
}

/* All texts have been judged. */
static int make(const char *media_type, const char *digest, uint64_t size, ociw_descriptor **out,
		ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = ociwp_new(ociw_descriptor);
	if (!desc)
		return ociwp_nomem(err);
	desc->media_type = ociwp_strdup(media_type);
	desc->digest = ociwp_strdup(digest);
	desc->size = size;
	if (!desc->media_type || !desc->digest)
		return ociwp_nomem(err);
	*out = ociwp_steal(&desc);
	return 0;
}

/* Strict for algorithms that can be verified, by the grammar alone for others (DIG-4, DIG-5). */
static bool is_digest(const char *text)
{
	ociw_digest value;
	int r = ociw_digest_parse(text, &value, NULL);
	return r == 0 || (r == OCIW_ERR_UNSUPPORTED && ociw_digest_is_valid(text));
}

int ociw_descriptor_new(const char *media_type, const char *digest, uint64_t size,
			ociw_descriptor **out, ociw_error **err)
{
	if (!ociwp_mediatype_is_valid(media_type))
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s is no media type",
				  ociwp_quote(media_type));
	if (!digest || !is_digest(digest))
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s is no digest", ociwp_quote(digest));
	if (size > INT64_MAX)
		return ociwp_fail(err, OCIW_ERR_INVALID, "size of a descriptor is too large");
	return make(media_type, digest, size, out, err);
}

int ociw_descriptor_dup(const ociw_descriptor *desc, ociw_descriptor **out, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *copy = NULL;
	int r = make(desc->media_type, desc->digest, desc->size, &copy, err);

	if (r == 0)
		r = ociwp_annotations_copy(&desc->annotations, &copy->annotations, err);
	if (r == 0 && desc->platform)
		r = ociwp_platform_dup(desc->platform, &copy->platform, err);
	if (r < 0)
		return r;
	if (desc->artifact_type) {
		copy->artifact_type = ociwp_strdup(desc->artifact_type);
		if (!copy->artifact_type)
			return ociwp_nomem(err);
	}
	if (desc->data) {
		copy->data = ociwp_memdup(desc->data, (size_t)desc->size);
		if (!copy->data)
			return ociwp_nomem(err);
	}
	*out = ociwp_steal(&copy);
	return 0;
}

static int parse_artifact_type(const json_t *object, const char *path, ociw_descriptor *desc,
			       ociw_error **err)
{
	const char *type = NULL;
	int r = ociwp_json_opt_string(object, path, "artifactType", &type, err);

	if (r < 0 || !type || !*type)
		return r;
	if (!ociwp_mediatype_is_valid(type))
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s.artifactType %s is no media type", path,
				  ociwp_quote(type));
	desc->artifact_type = ociwp_strdup(type);
	return desc->artifact_type ? 0 : ociwp_nomem(err);
}

static int parse_platform(const json_t *object, const char *path, ociw_descriptor *desc,
			  ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf where = OCIWP_BUF_INIT;
	json_t *platform = NULL;
	const char *os, *architecture, *variant = NULL, *os_version = NULL;
	int r = ociwp_json_opt_object(object, path, "platform", &platform, err);

	if (r < 0 || !platform)
		return r;
	ociwp_buf_printf(&where, "%s.platform", path);
	r = ociwp_buf_check(&where, err);
	if (r == 0)
		r = ociwp_json_need_string(platform, where.data, "os", &os, err);
	if (r == 0)
		r = ociwp_json_need_string(platform, where.data, "architecture", &architecture,
					   err);
	if (r == 0)
		r = ociwp_json_opt_string(platform, where.data, "variant", &variant, err);
	if (r == 0)
		r = ociwp_json_opt_string(platform, where.data, "os.version", &os_version, err);
	if (r < 0)
		return r;
	return ociwp_platform_new(os, architecture, variant, os_version, &desc->platform, err);
}

static int verify_data(const ociw_descriptor *desc, const char *path, ociw_span data,
		       const ociw_digest *want, ociw_error **err)
{
	ociw_digest got;

	if (data.len != desc->size)
		return ociwp_fail(err, OCIW_ERR_SIZE, "%s.data has %zu bytes, size says %llu", path,
				  data.len, (unsigned long long)desc->size);
	int r = ociw_digest_bytes((ociw_digest_algorithm)want->algorithm, data, &got, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s.data", path);
	if (!ociw_digest_equal(&got, want))
		return ociwp_fail(err, OCIW_ERR_DIGEST, "%s.data does not have the digest %s", path,
				  desc->digest);
	return 0;
}

/* Embedded content is a second way to the same bytes: wrong ones are refused, never preferred, and
 * what cannot be verified is left out so that it is fetched (DSC-3). */
static int parse_data(const json_t *object, const char *path, ociw_descriptor *desc,
		      ociw_error **err)
{
	const char *text = NULL;
	ociw_digest want;
	int r = ociwp_json_opt_string(object, path, "data", &text, err);

	if (r < 0 || !text)
		return r;
	size_t len = strlen(text);
	OCIWP_AUTO(mem) void *data = ociwp_malloc(len);
	if (!data)
		return ociwp_nomem(err);
	ptrdiff_t n = len % 4 == 0 ? ociwp_base64_decode(data, text, len) : -1;
	if (n < 0)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s.data is not padded base64", path);
	if (ociw_digest_parse(desc->digest, &want, NULL) < 0)
		return 0;
	r = verify_data(desc, path, (ociw_span){data, (size_t)n}, &want, err);
	if (r == 0)
		desc->data = ociwp_steal(&data);
	return r;
}

/* Judged and dropped: other places for a blob are never asked (DSC-5). */
static int parse_urls(const json_t *object, const char *path, ociw_error **err)
{
	json_t *urls = NULL, *url;
	size_t i;
	int r = ociwp_json_opt_array(object, path, "urls", &urls, err);

	if (r < 0)
		return r;
	json_array_foreach (urls, i, url) {
		const char *text = json_is_string(url) ? json_string_value(url) : "";
		if (!ociwp_starts_with(text, "https://") && !ociwp_starts_with(text, "http://"))
			return ociwp_fail(err, OCIW_ERR_FORMAT,
					  "%s.urls[%zu] is no http or https URL", path, i);
	}
	return 0;
}

static int parse_required(const json_t *object, const char *path, ociw_descriptor **out,
			  ociw_error **err)
{
	const char *media_type, *digest;
	uint64_t size;
	int r = ociwp_json_need_string(object, path, "mediaType", &media_type, err);

	if (r == 0)
		r = ociwp_json_need_string(object, path, "digest", &digest, err);
	if (r == 0)
		r = ociwp_json_need_u64(object, path, "size", &size, err);
	if (r < 0)
		return r;
	if (!ociwp_mediatype_is_valid(media_type))
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s.mediaType %s is no media type", path,
				  ociwp_quote(media_type));
	if (!is_digest(digest))
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s.digest %s is no digest", path,
				  ociwp_quote(digest));
	return make(media_type, digest, size, out, err);
}

static int parse_annotations(const json_t *object, const char *path, ociw_descriptor *desc,
			     ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf where = OCIWP_BUF_INIT;

	ociwp_buf_printf(&where, "%s.annotations", path);
	int r = ociwp_buf_check(&where, err);
	if (r < 0)
		return r;
	return ociwp_annotations_parse(json_object_get(object, "annotations"), where.data,
				       &desc->annotations, err);
}

int ociwp_descriptor_parse(const json_t *object, const char *path, ociw_descriptor **out,
			   ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;

	if (!json_is_object(object))
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s is not an object", path);
	int r = parse_required(object, path, &desc, err);
	if (r == 0)
		r = parse_artifact_type(object, path, desc, err);
	if (r == 0)
		r = parse_urls(object, path, err);
	if (r == 0)
		r = parse_platform(object, path, desc, err);
	if (r == 0)
		r = parse_annotations(object, path, desc, err);
	if (r == 0)
		r = parse_data(object, path, desc, err);
	if (r == 0)
		*out = ociwp_steal(&desc);
	return r;
}

int ociwp_descriptor_annotate(ociw_descriptor *desc, const char *key, const char *value,
			      ociw_error **err)
{
	return ociwp_annotations_set(&desc->annotations, key, value, err);
}

static void write_platform(const ociw_platform *platform, ociwp_json_writer *w)
{
	ociwp_json_key(w, "platform");
	ociwp_json_begin_object(w);
	ociwp_json_member(w, "architecture", platform->architecture);
	ociwp_json_member(w, "os", platform->os);
	ociwp_json_member(w, "os.version", platform->os_version);
	ociwp_json_member(w, "variant", platform->variant);
	ociwp_json_end_object(w);
}

static void write_size(const ociw_descriptor *desc, ociwp_json_writer *w)
{
	ociwp_json_key(w, "size");
	ociwp_json_u64(w, desc->size);
}

void ociwp_descriptor_write(const ociw_descriptor *desc, ociwp_json_writer *w)
{
	ociwp_json_begin_object(w);
	ociwp_json_member(w, "mediaType", desc->media_type);
	ociwp_json_member(w, "digest", desc->digest);
	write_size(desc, w);
	ociwp_json_member(w, "artifactType", desc->artifact_type);
	if (desc->annotations.count > 0) {
		ociwp_json_key(w, "annotations");
		ociwp_annotations_write(&desc->annotations, w);
	}
	if (desc->platform)
		write_platform(desc->platform, w);
	ociwp_json_end_object(w);
}

void ociwp_descriptor_write_sorted(const ociw_descriptor *desc, ociwp_json_writer *w)
{
	ociwp_json_begin_object(w);
	if (desc->annotations.count > 0) {
		ociwp_json_key(w, "annotations");
		ociwp_annotations_write_sorted(&desc->annotations, w);
	}
	ociwp_json_member(w, "artifactType", desc->artifact_type);
	ociwp_json_member(w, "digest", desc->digest);
	ociwp_json_member(w, "mediaType", desc->media_type);
	if (desc->platform)
		write_platform(desc->platform, w);
	write_size(desc, w);
	ociwp_json_end_object(w);
}

int ociwp_descriptor_get_digest(const ociw_descriptor *desc, ociw_digest *out, ociw_error **err)
{
	return ociw_digest_parse(desc->digest, out, err);
}

int ociwp_descriptor_of_bytes(const char *media_type, ociw_span bytes, ociw_descriptor **out,
			      ociw_error **err)
{
	ociw_digest digest;
	char text[OCIW_DIGEST_TEXT_MAX];
	int r = ociw_digest_bytes(OCIW_DIGEST_SHA256, bytes, &digest, err);

	if (r < 0)
		return r;
	return ociw_descriptor_new(media_type, ociw_digest_format(&digest, text), bytes.len, out,
				   err);
}

const char *ociw_descriptor_media_type(const ociw_descriptor *desc)
{
	return desc->media_type;
}

const char *ociw_descriptor_digest(const ociw_descriptor *desc)
{
	return desc->digest;
}

uint64_t ociw_descriptor_size(const ociw_descriptor *desc)
{
	return desc->size;
}

const char *ociw_descriptor_artifact_type(const ociw_descriptor *desc)
{
	return desc->artifact_type;
}

const ociw_platform *ociw_descriptor_platform(const ociw_descriptor *desc)
{
	return desc->platform;
}

const char *ociw_descriptor_annotation(const ociw_descriptor *desc, const char *key)
{
	return ociwp_annotations_get(&desc->annotations, key);
}

size_t ociw_descriptor_annotation_count(const ociw_descriptor *desc)
{
	return desc->annotations.count;
}

bool ociw_descriptor_annotation_at(const ociw_descriptor *desc, size_t i, const char **key,
				   const char **value)
{
	if (i >= desc->annotations.count)
		return false;
	*key = desc->annotations.items[i].key;
	*value = desc->annotations.items[i].value;
	return true;
}
