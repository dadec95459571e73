/* SPDX-License-Identifier: Apache-2.0
 *
 * {"errors":[{"code","message","detail"}]} and what real servers send instead. It decides nothing:
 * the status and the code are judged by the registry layer. distribution-spec, "Error Codes";
 * ERR-1..3.
 */
#include "codec/registry-error.h"

#include "base/buf.h"
#include "base/str.h"
#include "codec/json.h"

#define TEXT_MAX 512
#define ERRORS_MAX 8

static void cut(ociwp_buf *buf)
{
	if (buf->failed || buf->len <= TEXT_MAX)
		return;
	/* Never in the middle of a sequence: the text is valid UTF-8 after ociwp_escape(). */
	size_t len = TEXT_MAX;
	while (len > 0 && ((unsigned char)buf->data[len] & 0xC0) == 0x80)
		len--;
	buf->len = len;
	buf->data[len] = 0;
	ociwp_buf_puts(buf, "...");
}

static void put_detail(ociwp_buf *out, const json_t *detail)
{
	if (json_is_string(detail)) {
		ociwp_escape(out, json_string_value(detail), json_string_length(detail));
		return;
	}
	char *text = json_dumps(detail, JSON_COMPACT | JSON_ENCODE_ANY);
	if (text)
		ociwp_escape(out, text, strlen(text));
	free(text);
}

static void put_one(ociwp_buf *out, const json_t *item)
{
	const json_t *code = json_object_get(item, "code");
	const json_t *message = json_object_get(item, "message");
	const json_t *detail = json_object_get(item, "detail");
	if (json_is_string(code))
		ociwp_escape(out, json_string_value(code), json_string_length(code));
	if (json_is_string(message) && json_string_length(message)) {
		if (json_is_string(code))
			ociwp_buf_puts(out, ": ");
		ociwp_escape(out, json_string_value(message), json_string_length(message));
	}
	bool has_detail = detail && !json_is_null(detail) &&
	                  !(json_is_object(detail) && json_object_size(detail) == 0);
	if (has_detail) {
		ociwp_buf_puts(out, " (");
		put_detail(out, detail);
		ociwp_buf_puts(out, ")");
	}
}

/* The array of errors of a body in the form of the spec, or NULL. */
static const json_t *errors_of(const json_t *root)
{
	const json_t *errors = json_object_get(root, "errors");
	return json_is_array(errors) && json_array_size(errors) ? errors : NULL;
}

static int from_spec(const json_t *errors, ociwp_buf *text, char **code, ociw_error **err)
{
	size_t count = json_array_size(errors);
	for (size_t i = 0; i < count && i < ERRORS_MAX; i++) {
		const json_t *item = json_array_get(errors, i);
		if (i)
			ociwp_buf_puts(text, "; ");
		if (json_is_string(item))
			put_detail(text, item);
		else
			put_one(text, item);
		const json_t *name = json_object_get(item, "code");
		if (!*code && json_is_string(name)) {
			*code = ociwp_strdup(json_string_value(name));
			if (!*code)
				return ociwp_nomem(err);
		}
	}
	return 0;
}

/* {"error":...}, {"details":...}, {"message":...}: the first that is there, as text. */
static bool from_other(const json_t *root, ociwp_buf *text)
{
	static const char *const names[] = {"error", "details", "message", "errors"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(names); i++) {
		const json_t *value = json_object_get(root, names[i]);
		if (value && !json_is_null(value)) {
			put_detail(text, value);
			return true;
		}
	}
	return false;
}

/* Plain text with runs of white space made one space, so that HTML stays on one line. */
static void from_text(ociw_span body, ociwp_buf *text)
{
	const char *data = body.data;
	size_t i = 0;
	while (i < body.len && text->len <= TEXT_MAX && !text->failed) {
		size_t start = i;
		while (i < body.len && !strchr(" \t\r\n", data[i] ? data[i] : 'x'))
			i++;
		if (i > start && text->len)
			ociwp_buf_putc(text, ' ');
		/* A little more than is kept, so that the cut is seen as one. */
		ociwp_escape(text, data + start,
		             i - start < TEXT_MAX + 8 ? i - start : TEXT_MAX + 8);
		while (i < body.len && data[i] && strchr(" \t\r\n", data[i]))
			i++;
	}
}

int ociwp_registry_error_parse(ociw_span body, ociwp_registry_error *out, ociw_error **err)
{
	OCIWP_AUTO(json) json_t *root = NULL;
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	OCIWP_AUTO(str) char *code = NULL;
	int r = 0;
	*out = (ociwp_registry_error){0};
	if (body.len && ociwp_json_parse(body, "error", 0, &root, NULL) == 0) {
		const json_t *errors = errors_of(root);
		if (errors)
			r = from_spec(errors, &text, &code, err);
		else if (!from_other(root, &text))
			from_text(body, &text);
	} else {
		from_text(body, &text);
	}
	if (r < 0)
		return r;
	cut(&text);
	r = ociwp_buf_check(&text, err);
	if (r < 0)
		return r;
	out->text = ociwp_buf_steal(&text);
	if (!out->text)
		return ociwp_nomem(err);
	out->code = ociwp_steal(&code);
	return 0;
}

bool ociwp_registry_error_has(ociw_span body, const char *code)
{
	OCIWP_AUTO(json) json_t *root = NULL;
	if (!body.len || ociwp_json_parse(body, "error", 0, &root, NULL) != 0)
		return false;
	const json_t *errors = errors_of(root);
	for (size_t i = 0; errors && i < json_array_size(errors); i++) {
		const json_t *name = json_object_get(json_array_get(errors, i), "code");
		if (json_is_string(name) && strcmp(json_string_value(name), code) == 0)
			return true;
	}
	return false;
}

void ociwp_registry_error_deinit(ociwp_registry_error *error)
{
	free(error->code);
	free(error->text);
	*error = (ociwp_registry_error){0};
}
