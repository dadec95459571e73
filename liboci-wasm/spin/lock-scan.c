/* SPDX-License-Identifier: Apache-2.0
 *
 * A shallow walk over the text of a lock: top object, `components`, each component's `files`. It
 * judges no more than it needs to find its way; what it steps over is parsed strictly by others.
 */
#include "spin/lock-scan.h"
#include "base/str.h"

typedef struct cursor {
	const char *text;
	size_t pos, len;
} cursor;

typedef struct spans {
	ociwp_lock_files_span *items;
	size_t count;
} spans;

static char peek(cursor *c)
{
	while (c->pos < c->len && memchr(" \t\r\n", c->text[c->pos], 4))
		c->pos++;
	return c->pos < c->len ? c->text[c->pos] : '\0';
}

static bool take(cursor *c, char wanted)
{
	if (peek(c) != wanted)
		return false;
	c->pos++;
	return true;
}

/* A string, its raw inside in @p out. */
static bool take_string(cursor *c, ociw_span *out)
{
	if (!take(c, '"'))
		return false;
	/* The quote that was found stays good until an escape takes it, so that no text is searched
	 * twice. */
	const char *start = c->text + c->pos, *end = c->text + c->len, *pos = start, *quote = NULL;
	for (;;) {
		if (!quote || quote < pos)
			quote = pos < end ? memchr(pos, '"', (size_t)(end - pos)) : NULL;
		if (!quote)
			return false;
		const char *escape = memchr(pos, '\\', (size_t)(quote - pos));
		if (!escape)
			break;
		pos = escape + 2;
	}
	*out = (ociw_span){start, (size_t)(quote - start)};
	c->pos = (size_t)(quote - c->text) + 1;
	return true;
}

/* Over one value of any kind: brackets are counted, strings stepped over. */
static bool skip_value(cursor *c)
{
	size_t depth = 0;
	ociw_span ignored;
	do {
		char next = peek(c);
		if (next == '"') {
			if (!take_string(c, &ignored))
				return false;
			continue;
		}
		if (next == '\0')
			return false;
		if (next == '{' || next == '[') {
			depth++;
		} else if (next == '}' || next == ']') {
			if (depth == 0)
				return false;
			depth--;
		} else if (depth == 0) {
			/* A number or a word, up to what ends it. */
			while (c->pos < c->len && !memchr(" \t\r\n,]}", c->text[c->pos], 7))
				c->pos++;
			return true;
		}
		c->pos++;
	} while (depth);
	return true;
}

static bool span_is(ociw_span span, const char *word)
{
	return span.len == strlen(word) && memcmp(span.data, word, span.len) == 0;
}

/* 1 on success, 0 for another shape, negative without memory. */
static int scan_component(cursor *c, size_t index, spans *found)
{
	ociw_span key;
	if (!take(c, '{'))
		return skip_value(c);
	if (take(c, '}'))
		return 1;
	do {
		if (!take_string(c, &key) || !take(c, ':'))
			return 0;
		bool files = span_is(key, "files") && peek(c) == '[';
		size_t start = c->pos + 1;
		if (!skip_value(c))
			return 0;
		if (!files)
			continue;
		if ((found->count & (found->count - 1)) == 0) {
			size_t cap = found->count ? 2 * found->count : 1;
			ociwp_lock_files_span *grown =
			        ociwp_realloc_array(found->items, cap, sizeof(*grown));
			if (!grown)
				return OCIW_ERR_NOMEM;
			found->items = grown;
		}
		found->items[found->count++] = (ociwp_lock_files_span){index, start, c->pos - 1};
	} while (take(c, ','));
	return take(c, '}');
}

static int scan_components(cursor *c, spans *found)
{
	if (!take(c, '['))
		return skip_value(c);
	if (take(c, ']'))
		return 1;
	size_t index = 0;
	do {
		int r = scan_component(c, index++, found);
		if (r <= 0)
			return r;
	} while (take(c, ','));
	return take(c, ']');
}

static int scan_top(cursor *c, spans *found)
{
	ociw_span key;
	if (!take(c, '{'))
		return 0;
	if (take(c, '}'))
		return 1;
	do {
		if (!take_string(c, &key) || !take(c, ':'))
			return 0;
		int r = span_is(key, "components") ? scan_components(c, found) : skip_value(c);
		if (r <= 0)
			return r;
	} while (take(c, ','));
	return take(c, '}');
}

int ociwp_lock_scan(ociw_span text, ociwp_lock_files_span **out, size_t *count, ociw_error **err)
{
	cursor c = {text.data, 0, text.len};
	spans found = {0};
	int r = scan_top(&c, &found);
	*out = NULL;
	*count = 0;
	if (r <= 0) {
		free(found.items);
		return r < 0 ? ociwp_nomem(err) : 0;
	}
	*out = found.items;
	*count = found.count;
	return 0;
}

bool ociwp_lock_scan_element(ociw_span text, size_t *offset, bool first, size_t *start, size_t *end,
                             bool *good)
{
	cursor c = {text.data, *offset, text.len};
	*good = true;
	if (first && peek(&c) == '\0' && c.pos == c.len)
		return false;
	if (!first) {
		if (c.pos == c.len || (peek(&c) == '\0' && c.pos == c.len))
			return false;
		if (!take(&c, ',')) {
			*good = false;
			return false;
		}
	}
	if (peek(&c) != '{' || (*start = c.pos, !skip_value(&c))) {
		*good = false;
		return false;
	}
	*end = *offset = c.pos;
	return true;
}

static bool is_plain(ociw_span text)
{
	const unsigned char *bytes = text.data;
	for (size_t i = 0; i < text.len; i++)
		if (bytes[i] < 0x20 || bytes[i] == '\\')
			return false;
	return ociwp_utf8_valid(text.data, text.len);
}

bool ociwp_lock_scan_file(ociw_span entry, ociwp_lock_file_text *out)
{
	cursor c = {entry.data, 0, entry.len};
	*out = (ociwp_lock_file_text){0};
	if (!take(&c, '{'))
		return false;
	do {
		ociw_span key, value;
		if (!take_string(&c, &key) || !take(&c, ':') || !take_string(&c, &value) ||
		    !is_plain(value))
			return false;
		ociw_span *to = span_is(key, "source")   ? &out->source
		                : span_is(key, "inline") ? &out->inline_text
		                : span_is(key, "digest") ? &out->digest
		                : span_is(key, "path")   ? &out->path
		                                         : NULL;
		if (!to || to->data)
			return false;
		*to = value;
	} while (take(&c, ','));
	return take(&c, '}') && c.pos == c.len;
}
