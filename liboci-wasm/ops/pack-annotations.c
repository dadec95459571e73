/* SPDX-License-Identifier: Apache-2.0
 *
 * Annotations of what is packed: from a file as oras takes it (ANN-5), from the caller, inferred.
 */
#include "base/str.h"
#include "base/time.h"
#include "codec/json.h"
#include "io/stream.h"
#include "ops/pack-private.h"
#include <errno.h>
#include <fcntl.h>

#define FILE_MAX (4u << 20)

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

/* "$manifest" is what we annotate; the config and the layers of these formats carry none. */
static int take_document(const ociwp_pack *pack, const json_t *document, ociwp_annotations *out,
                         ociw_error **err)
{
	const char *name;
	json_t *value;
	int r = 0;
	if (!json_is_object(document))
		return ociwp_fail(err, OCIW_ERR_FORMAT, "not a JSON object");
	json_object_foreach((json_t *)document, name, value)
	{
		if (r < 0)
			break;
		if (ociwp_streq(name, "$manifest"))
			r = ociwp_annotations_parse(value, name, out, err);
		else
			r = ociwp_warn(pack->op, err,
			               "annotation file: %s is not used: only $manifest is",
			               ociwp_quote(name));
	}
	return r;
}

static int take_file(const ociwp_pack *pack, const char *path, ociwp_annotations *out,
                     ociw_error **err)
{
	OCIWP_AUTO(str) char *text = NULL;
	OCIWP_AUTO(json) json_t *document = NULL;
	size_t len = 0;
	int r = read_file(path, &text, &len, err);
	if (r == 0)
		r = ociwp_json_parse((ociw_span){text, len}, "annotation file", 0, &document, err);
	if (r == 0)
		r = take_document(pack, document, out, err);
	return r < 0 ? ociwp_wrap(err, r, "annotation file %s", ociwp_quote(path)) : 0;
}

int ociwp_pack_annotations(const ociwp_pack *pack, ociwp_annotations *out, ociw_error **err)
{
	const ociw_pack_options *options = &pack->options;
	int r = options->annotation_file ? take_file(pack, options->annotation_file, out, err) : 0;
	for (size_t i = 0; r == 0 && i < options->annotation_count; i++) {
		const ociw_annotation *given = &options->annotations[i];
		if (!given->key || !*given->key || !given->value)
			return ociwp_fail(err, OCIW_ERR_INVALID,
			                  "annotation %zu has no key or "
			                  "value",
			                  i);
		r = ociwp_annotations_set(out, given->key, given->value, err);
	}
	return r;
}

int ociwp_pack_infer(ociwp_annotations *annotations, const char *key, const char *value,
                     ociw_error **err)
{
	if (!value || ociwp_annotations_get(annotations, key))
		return 0;
	return ociwp_annotations_set(annotations, key, value, err);
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
