/* SPDX-License-Identifier: Apache-2.0
 *
 * Building the JSON value that inspect gives. Knows no format of images.
 */
#include "ops/inspect-model.h"
#include "base/buf.h"
#include "base/op.h"
#include "base/str.h"
#include <stdarg.h>
#include <stdio.h>

int ociwp_inspect_init(ociwp_inspect *i, ociw_content *content, const ociw_op *op, ociw_error **err)
{
	*i = (ociwp_inspect){.content = content, .op = op, .root = json_object()};
	ociwp_limits_get(op, &i->limits);
	return i->root ? 0 : ociwp_nomem(err);
}

void ociwp_inspect_deinit(ociwp_inspect *i)
{
	json_decref(i->root);
	json_decref(i->warnings);
}

void ociwp_inspect_put(ociwp_inspect *i, json_t *object, const char *name, json_t *take_value)
{
	/* Refuses a NULL parent and a NULL value, and frees the value then. */
	if (json_object_set_new(object, name, take_value) != 0)
		i->nomem = true;
}

void ociwp_inspect_put_text(ociwp_inspect *i, json_t *object, const char *name, const char *text)
{
	if (text)
		ociwp_inspect_put(i, object, name, json_string(text));
}

void ociwp_inspect_put_size(ociwp_inspect *i, json_t *object, const char *name, uint64_t size)
{
	json_int_t value = size > INT64_MAX ? INT64_MAX : (json_int_t)size;
	ociwp_inspect_put(i, object, name, json_integer(value));
}

void ociwp_inspect_put_copy(ociwp_inspect *i, json_t *object, const char *name, const json_t *value)
{
	if (!value || json_is_null(value) || (json_is_object(value) && json_object_size(value) == 0) ||
	    (json_is_array(value) && json_array_size(value) == 0))
		return;
	ociwp_inspect_put(i, object, name, json_deep_copy(value));
}

void ociwp_inspect_put_list(ociwp_inspect *i, json_t *object, const char *name, char *const *list)
{
	if (!list)
		return;
	json_t *array = ociwp_inspect_array(i, object, name);
	for (; *list; list++)
		if (json_array_append_new(array, json_string(*list)) != 0)
			i->nomem = true;
}

void ociwp_inspect_put_annotations(ociwp_inspect *i, json_t *object, const char *name,
				   const ociwp_annotations *annotations)
{
	if (annotations->count == 0)
		return;
	json_t *map = ociwp_inspect_object(i, object, name);
	for (size_t n = 0; n < annotations->count; n++)
		ociwp_inspect_put_text(i, map, annotations->items[n].key,
				       annotations->items[n].value);
}

json_t *ociwp_inspect_object(ociwp_inspect *i, json_t *parent, const char *name)
{
	json_t *object = json_object();
	ociwp_inspect_put(i, parent, name, object);
	return i->nomem ? NULL : object;
}

json_t *ociwp_inspect_array(ociwp_inspect *i, json_t *parent, const char *name)
{
	json_t *array = json_array();
	ociwp_inspect_put(i, parent, name, array);
	return i->nomem ? NULL : array;
}

json_t *ociwp_inspect_append(ociwp_inspect *i, json_t *array)
{
	json_t *object = json_object();
	if (json_array_append_new(array, object) != 0)
		i->nomem = true;
	return i->nomem ? NULL : object;
}

static void put_platform(ociwp_inspect *i, json_t *object, const ociw_platform *platform)
{
	json_t *value = ociwp_inspect_object(i, object, "platform");
	ociwp_inspect_put_text(i, value, "os", platform->os);
	ociwp_inspect_put_text(i, value, "architecture", platform->architecture);
	ociwp_inspect_put_text(i, value, "variant", platform->variant);
}

void ociwp_inspect_put_descriptor(ociwp_inspect *i, json_t *object, const ociw_descriptor *desc)
{
	ociwp_inspect_put_text(i, object, "mediaType", desc->media_type);
	ociwp_inspect_put_text(i, object, "digest", desc->digest);
	ociwp_inspect_put_size(i, object, "size", desc->size);
	ociwp_inspect_put_text(i, object, "artifactType", desc->artifact_type);
	if (desc->platform)
		put_platform(i, object, desc->platform);
	ociwp_inspect_put_annotations(i, object, "annotations", &desc->annotations);
}

void ociwp_inspect_warn(ociwp_inspect *i, const char *fmt, ...)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	char line[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (!i->warnings)
		i->warnings = json_array();
	ociwp_escape(&text, line, strlen(line));
	if (text.failed || json_array_append_new(i->warnings, json_string(text.data)) != 0)
		i->nomem = true;
}
