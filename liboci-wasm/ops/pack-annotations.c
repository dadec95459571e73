/* SPDX-License-Identifier: Apache-2.0
 *
 * Annotations of what is packed: from a file as oras takes it (ANN-5), from the caller, from the
 * manifest of a Spin app, inferred.
 */
#include "base/path.h"
#include "base/str.h"
#include "base/time.h"
#include "codec/json.h"
#include "io/stream.h"
#include "ops/annotation-judge.h"
#include "ops/pack-private.h"
#include <errno.h>
#include <fcntl.h>

#define FILE_MAX (4u << 20)
#define MANIFEST "$manifest"
#define CONFIG "$config"

static int read_file(const char *path, char **text, size_t *len, ociw_error **err)
{
	ociw_reader *reader = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return ociwp_fail_errno(err, errno, "open");
	int r = ociw_reader_new_fd(fd, &reader, err);
	if (r == 0)
		r = ociwp_read_all(reader, FILE_MAX, text, len, err);
	return r;
}

static int parse_file(const char *path, json_t **out, ociw_error **err)
{
	OCIWP_AUTO(str) char *text = NULL;
	OCIWP_AUTO(json) json_t *document = NULL;
	size_t len = 0;
	int r = read_file(path, &text, &len, err);
	if (r == 0)
		r = ociwp_json_parse((ociw_span){text, len}, "annotation file", 0, &document, err);
	if (r == 0 && !json_is_object(document))
		r = ociwp_fail(err, OCIW_ERR_FORMAT, "not a JSON object");
	if (r == 0)
		*out = ociwp_steal(&document);
	return r;
}

static int in_file(const ociwp_pack *pack, int r, ociw_error **err)
{
	return r < 0 ? ociwp_wrap(err, r, "annotation file %s",
	                          ociwp_quote(pack->options.annotation_file))
	             : 0;
}

static int judge_keys(const ociwp_pack *pack, const json_t *annotations, ociw_error **err)
{
	const char *key;
	json_t *value;
	int r = 0;
	json_object_foreach((json_t *)annotations, key, value)
	{
		if (r == 0)
			r = ociwp_annotation_judge(pack->op, key, err);
	}
	return r;
}

static int take_file(ociwp_pack *pack, ociw_error **err)
{
	int r = parse_file(pack->options.annotation_file, &pack->annotation_file, err);
	const json_t *manifest = json_object_get(pack->annotation_file, MANIFEST);
	if (r == 0 && manifest)
		r = ociwp_annotations_parse(manifest, MANIFEST, &pack->annotations, err);
	if (r == 0)
		r = judge_keys(pack, manifest, err);
	return in_file(pack, r, err);
}

int ociwp_pack_annotations(ociwp_pack *pack, ociw_error **err)
{
	const ociw_pack_options *options = &pack->options;
	int r = options->annotation_file ? take_file(pack, err) : 0;
	for (size_t i = 0; r == 0 && i < options->annotation_count; i++) {
		const ociw_annotation *given = &options->annotations[i];
		if (!given->key || !*given->key || !given->value)
			return ociwp_fail(err, OCIW_ERR_INVALID,
			                  "annotation %zu has no key or "
			                  "value",
			                  i);
		r = ociwp_annotation_judge(pack->op, given->key, err);
		if (r == 0)
			r = ociwp_annotations_set(&pack->annotations, given->key, given->value,
			                          err);
	}
	return r;
}

/* The path that the sources of this pack have for a name in the file. */
static char *path_of_note(const ociwp_pack *pack, const char *dir, const char *name)
{
	if (dir)
		return ociwp_path_absolute(dir, name);
	const char *path = pack->options.path;
	return ociwp_strdup(ociwp_streq(name, ociwp_path_basename(path)) ? path : name);
}

static int take_note(ociwp_pack *pack, const char *dir, const char *name, const json_t *value,
                     ociw_error **err)
{
	OCIWP_AUTO(str) char *path = NULL;
	if (!ociwp_streq(name, CONFIG)) {
		path = path_of_note(pack, dir, name);
		if (!path)
			return ociwp_nomem(err);
	}
	int r = ociwp_notes_add(&pack->notes, path, name, value, err);
	return r < 0 ? r : judge_keys(pack, value, err);
}

int ociwp_pack_notes(ociwp_pack *pack, const char *dir, ociw_error **err)
{
	const char *name;
	json_t *value;
	int r = 0;
	json_object_foreach(pack->annotation_file, name, value)
	{
		if (r == 0 && !ociwp_streq(name, MANIFEST))
			r = take_note(pack, dir, name, value, err);
	}
	return in_file(pack, r, err);
}

int ociwp_pack_notes_judge(const ociwp_pack *pack, ociw_error **err)
{
	const char *name;
	bool used;
	int r = 0;
	for (size_t i = 0; r == 0 && (name = ociwp_notes_at(&pack->notes, i, &used)); i++)
		if (!used)
			r = ociwp_warn(pack->op, err,
			               "annotation file: %s is not used: it is no file that became "
			               "a layer of its own",
			               ociwp_quote(name));
	return r;
}

int ociwp_pack_infer(ociwp_annotations *annotations, const char *key, const char *value,
                     ociw_error **err)
{
	if (!value || ociwp_annotations_get(annotations, key))
		return 0;
	return ociwp_annotations_set(annotations, key, value, err);
}

int ociwp_pack_annotations_of_app(ociwp_pack *pack, const json_t *annotations, ociw_error **err)
{
	const char *key;
	json_t *value;
	int r = judge_keys(pack, annotations, err);
	json_object_foreach((json_t *)annotations, key, value)
	{
		if (r == 0)
			r = ociwp_pack_infer(&pack->annotations, key, json_string_value(value),
			                     err);
	}
	return r;
}

int ociwp_pack_infer_created(const ociwp_pack *pack, ociwp_annotations *annotations,
                             ociw_error **err)
{
	char text[OCIWP_TIME_TEXT_MAX];
	if (!pack->options.has_created)
		return 0;
	if (!ociwp_time_format(pack->options.created, false, text))
		return ociwp_fail(err, OCIW_ERR_INVALID, "the creation time is out of range");
	return ociwp_pack_infer(annotations, "org.opencontainers.image.created", text, err);
}
