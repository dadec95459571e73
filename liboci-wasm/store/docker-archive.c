/* SPDX-License-Identifier: Apache-2.0
 *
 * From docker's manifest.json to Docker schema 2 manifests (wasm-formats.md 3.2). The digest of a
 * plain layer is its diff_id in the config, which reading it will verify; a compressed one is
 * hashed.
 */
#include "store/docker-archive.h"

#include "base/buf.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/mediatype.h"
#include "io/compress.h"
#include "oci/descriptor.h"
#include "store/layout-index.h"

#include <inttypes.h>
#include <stdio.h>

#define MAX_IMAGES 1000

typedef struct reading {
	ociwp_tar_blobs *blobs;
	const ociw_op *op;
	ociw_limits limits;
	ociwp_json_writer *index; /* index.json as it would be */
	ociwp_map *hashes;        /* offset of a compressed layer -> its digest */
} reading;

static int sniff(const reading *r, const ociwp_tar_member *member, unsigned char head[4],
                 size_t *len, ociw_error **err)
{
	ociw_reader *reader = NULL;
	uint64_t want = member->size < 4 ? member->size : 4;

	int code = ociwp_reader_new_file_range(r->blobs->members.fd, member->offset, want, &reader,
	                                       err);
	if (code < 0)
		return code;
	ptrdiff_t n = ociwp_read_full(reader, head, (size_t)want, err);
	code = ociw_reader_close(reader, n < 0 ? NULL : err);
	*len = n < 0 ? 0 : (size_t)n;
	return n < 0 ? (int)n : code;
}

/* Once for each member: a thousand images may name the same five hundred layers. */
static int hash_member(const reading *r, const ociwp_tar_member *member,
                       char digest[OCIW_DIGEST_TEXT_MAX], ociw_error **err)
{
	ociw_reader *range = NULL, *hashing = NULL;
	ociw_digest value;
	char key[32];

	snprintf(key, sizeof(key), "%" PRIu64, member->offset);
	const char *known = ociwp_map_get(r->hashes, key);
	if (known) {
		snprintf(digest, OCIW_DIGEST_TEXT_MAX, "%s", known);
		return 0;
	}
	int code = ociwp_reader_new_file_range(r->blobs->members.fd, member->offset, member->size,
	                                       &range, err);
	if (code >= 0)
		code = ociwp_reader_hash(range, OCIW_DIGEST_SHA256, &value, NULL, &hashing, err);
	if (code >= 0)
		code = ociwp_reader_drain(hashing, err);
	if (code < 0)
		return code;
	char *copy = ociwp_strdup(ociw_digest_format(&value, digest));
	if (!copy || !ociwp_map_set(r->hashes, key, copy)) {
		free(copy);
		return ociwp_nomem(err);
	}
	return 0;
}

static int read_layer(const reading *r, const char *path, const char *diff_id,
                      ociw_descriptor **out, ociw_error **err)
{
	const ociwp_tar_member *member = ociwp_tar_members_find(&r->blobs->members, path);
	const char *media_type = OCIWP_MT_DOCKER_LAYER, *digest = diff_id;
	char hashed[OCIW_DIGEST_TEXT_MAX];
	unsigned char head[4];
	size_t len = 0;

	if (!member)
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "it is not in the archive");
	int code = sniff(r, member, head, &len, err);
	if (code < 0)
		return code;
	if (len == 4 && memcmp(head, "\0asm", 4) == 0)
		return ociwp_fail(
		        err, OCIW_ERR_UNSUPPORTED,
		        "it is wasm, which a docker archive cannot hold; use an OCI layout");
	switch (ociwp_compression_sniff(head, len)) {
	case OCIWP_COMPRESSION_NONE:
		break;
	case OCIWP_COMPRESSION_GZIP:
		code = hash_member(r, member, hashed, err);
		digest = hashed;
		media_type = OCIWP_MT_DOCKER_LAYER_GZIP;
		break;
	case OCIWP_COMPRESSION_ZSTD:
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED, "zstd in a docker archive");
	}
	if (code >= 0)
		code = ociw_descriptor_new(media_type, digest, member->size, out, err);
	if (code >= 0)
		code = ociwp_tar_blobs_add_range(r->blobs, digest, member->offset, member->size,
		                                 err);
	return code;
}

static void free_layers(ociw_descriptor **layers, size_t count)
{
	for (size_t i = 0; layers && i < count; i++)
		ociw_descriptor_free(layers[i]);
	free(layers);
}

static int read_layers(const reading *r, const json_t *paths, const ociwp_config *config,
                       ociw_descriptor **layers, ociw_error **err)
{
	for (size_t i = 0; i < config->diff_id_count; i++) {
		const char *path = json_string_value(json_array_get(paths, i));

		if (!path)
			return ociwp_fail(err, OCIW_ERR_FORMAT, "Layers[%zu] is not a string", i);
		int code = read_layer(r, path, config->diff_ids[i], &layers[i], err);
		if (code < 0)
			return ociwp_wrap(err, code, "layer %s", ociwp_quote(path));
	}
	return 0;
}

static int write_manifest(const reading *r, const ociw_descriptor *config,
                          ociw_descriptor *const *layers, size_t count, ociw_descriptor **out,
                          ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	const ociwp_manifest_draft draft = {.media_type = OCIWP_MT_DOCKER_MANIFEST,
	                                    .config = config,
	                                    .layers = (const ociw_descriptor *const *)layers,
	                                    .layer_count = count};

	int code = ociwp_manifest_write(&draft, &text, err);
	if (code >= 0)
		code = ociwp_buf_check(&text, err);
	if (code >= 0)
		code = ociwp_descriptor_of_bytes(OCIWP_MT_DOCKER_MANIFEST, ociwp_buf_span(&text),
		                                 out, err);
	if (code < 0)
		return code;
	size_t len = text.len;
	return ociwp_tar_blobs_add_bytes(r->blobs, (*out)->digest, ociwp_buf_steal(&text), len,
	                                 err);
}

/* "host:5000/name:tag" is the full name; its tag is the short one. */
static void list_image(const reading *r, const ociw_descriptor *desc, const char *name)
{
	ociwp_json_begin_object(r->index);
	ociwp_json_member(r->index, "mediaType", desc->media_type);
	ociwp_json_member(r->index, "digest", desc->digest);
	ociwp_json_key(r->index, "size");
	ociwp_json_u64(r->index, desc->size);
	if (name) {
		const char *slash = strrchr(name, '/');
		const char *colon = strrchr(slash ? slash : name, ':');

		ociwp_json_key(r->index, "annotations");
		ociwp_json_begin_object(r->index);
		ociwp_json_member(r->index, OCIWP_CONTAINERD_NAME, name);
		ociwp_json_member(r->index, OCIWP_REF_NAME, colon ? colon + 1 : name);
		ociwp_json_end_object(r->index);
	}
	ociwp_json_end_object(r->index);
}

static int list_names(const reading *r, const json_t *tags, const ociw_descriptor *desc,
                      ociw_error **err)
{
	for (size_t i = 0; i < json_array_size(tags); i++) {
		const char *name = json_string_value(json_array_get(tags, i));

		if (!name)
			return ociwp_fail(err, OCIW_ERR_FORMAT, "RepoTags[%zu] is not a string", i);
		list_image(r, desc, name);
	}
	if (json_array_size(tags) == 0)
		list_image(r, desc, NULL);
	return 0;
}

/* The config as a blob and as a value. */
static int read_config(const reading *r, const char *path, ociw_descriptor **desc,
                       ociwp_config **config, ociw_error **err)
{
	const ociwp_tar_member *member = ociwp_tar_members_find(&r->blobs->members, path);
	OCIWP_AUTO(str) char *bytes = NULL;
	size_t len = 0;

	int code = ociwp_tar_members_read(&r->blobs->members, path, r->limits.max_manifest_bytes,
	                                  &bytes, &len, err);
	if (code >= 0)
		code = ociwp_descriptor_of_bytes(OCIWP_MT_DOCKER_CONFIG, (ociw_span){bytes, len},
		                                 desc, err);
	if (code >= 0)
		code = ociwp_config_parse((ociw_span){bytes, len}, r->op, config, err);
	if (code >= 0)
		code = ociwp_tar_blobs_add_range(r->blobs, (*desc)->digest, member->offset,
		                                 member->size, err);
	return code;
}

static int read_image(const reading *r, const json_t *image, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *config_desc = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *manifest = NULL;
	OCIWP_AUTO(config) ociwp_config *config = NULL;
	json_t *paths = NULL, *tags = NULL;
	const char *config_path = NULL;

	int code = ociwp_json_need_string(image, "image", "Config", &config_path, err);
	if (code >= 0)
		code = ociwp_json_need_array(image, "image", "Layers", &paths, err);
	if (code >= 0)
		code = ociwp_json_opt_array(image, "image", "RepoTags", &tags, err);
	if (code >= 0)
		code = read_config(r, config_path, &config_desc, &config, err);
	if (code < 0)
		return code;
	size_t count = json_array_size(paths);
	if (count != config->diff_id_count)
		return ociwp_fail(err, OCIW_ERR_FORMAT,
		                  "%zu layers, but %zu diff_ids in the config", count,
		                  config->diff_id_count);
	if (count > r->limits.max_layers)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "%zu layers, the limit is %llu", count,
		                  (unsigned long long)r->limits.max_layers);
	ociw_descriptor **layers = ociwp_calloc(count, sizeof(*layers));
	if (!layers)
		return ociwp_nomem(err);
	code = read_layers(r, paths, config, layers, err);
	if (code >= 0)
		code = write_manifest(r, config_desc, layers, count, &manifest, err);
	if (code >= 0)
		code = list_names(r, tags, manifest, err);
	free_layers(layers, count);
	return code;
}

static int read_images(const reading *r, const json_t *images, ociw_error **err)
{
	if (!json_is_array(images))
		return ociwp_fail(err, OCIW_ERR_FORMAT, "manifest.json is not an array");
	if (json_array_size(images) > MAX_IMAGES)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "manifest.json lists more than %d images",
		                  MAX_IMAGES);
	ociwp_json_begin_object(r->index);
	ociwp_json_key(r->index, "schemaVersion");
	ociwp_json_u64(r->index, 2);
	ociwp_json_key(r->index, "manifests");
	ociwp_json_begin_array(r->index);
	for (size_t i = 0; i < json_array_size(images); i++) {
		int code = ociwp_check_cancel(r->op, err);
		if (code >= 0)
			code = read_image(r, json_array_get(images, i), err);
		if (code < 0)
			return ociwp_wrap(err, code, "manifest.json: image %zu", i);
	}
	ociwp_json_end_array(r->index);
	ociwp_json_end_object(r->index);
	return 0;
}

int ociwp_docker_archive_read(ociwp_tar_blobs *blobs, ociw_span text, const ociw_op *op,
                              ociw_error **err)
{
	OCIWP_AUTO(json_writer) ociwp_json_writer *writer = NULL;
	OCIWP_AUTO(buf) ociwp_buf index = OCIWP_BUF_INIT;
	OCIWP_AUTO(json) json_t *images = NULL;
	OCIWP_AUTO(map) ociwp_map *hashes = ociwp_map_new(free);
	reading r = {.blobs = blobs, .op = op, .hashes = hashes};

	if (!hashes)
		return ociwp_nomem(err);
	ociwp_limits_get(op, &r.limits);
	int code = ociwp_json_parse(text, "manifest.json", r.limits.max_json_depth, &images, err);
	if (code >= 0)
		code = ociwp_json_writer_new(NULL, &index, &writer, err);
	if (code < 0)
		return code;
	r.index = writer;
	code = read_images(&r, images, err);
	if (code >= 0)
		code = ociwp_json_writer_finish(ociwp_steal(&writer), err);
	if (code >= 0)
		code = ociwp_index_parse(ociwp_buf_span(&index), OCIWP_MT_OCI_INDEX, op,
		                         &blobs->index, err);
	return code;
}
