/* SPDX-License-Identifier: Apache-2.0
 *
 * Compact JSON out. Owns escapes, commas and the text of numbers; knows no document. Output does not
 * depend on the locale. MAN-12, spin.md 2.1 and 2.5.
 */
#include "codec/json-writer.h"
#include "base/str.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>

#define CHUNK 8192

struct ociwp_json_writer {
	ociw_writer *to; /* borrowed, or NULL */
	ociwp_buf *buf;  /* borrowed, or NULL */
	size_t depth;
	bool first;     /* no comma before the next item */
	bool after_key; /* a value is due */
	int code;       /* first failure */
	ociw_error *error;
	size_t used;
	char chunk[CHUNK];
};

int ociwp_json_writer_new(ociw_writer *to, ociwp_buf *buf, ociwp_json_writer **out,
			  ociw_error **err)
{
	assert(!to != !buf);
	ociwp_json_writer *w = ociwp_malloc(sizeof(*w));
	if (!w)
		return ociwp_nomem(err);
	w->to = to;
	w->buf = buf;
	w->depth = 0;
	w->first = true;
	w->after_key = false;
	w->code = 0;
	w->error = NULL;
	w->used = 0;
	*out = w;
	return 0;
}

static void flush(ociwp_json_writer *w)
{
	if (w->used > 0 && w->code == 0) {
		if (w->buf)
			ociwp_buf_append(w->buf, w->chunk, w->used);
		else
			w->code = ociw_writer_write(w->to, w->chunk, w->used, &w->error);
	}
	w->used = 0;
}

int ociwp_json_writer_finish(ociwp_json_writer *take_writer, ociw_error **err)
{
	ociwp_json_writer *w = take_writer;
	assert(w->depth == 0 && !w->after_key);
	flush(w);
	int r = w->code;
	if (r < 0)
		ociwp_error_move(err, ociwp_steal(&w->error));
	else if (w->buf)
		r = ociwp_buf_check(w->buf, err);
	ociwp_json_writer_free(w);
	return r;
}

void ociwp_json_writer_free(ociwp_json_writer *writer)
{
	if (!writer)
		return;
	ociw_error_free(writer->error);
	free(writer);
}

void ociwp_json_writer_fail_nomem(ociwp_json_writer *w)
{
	if (w->code == 0)
		w->code = ociwp_nomem(&w->error);
	w->after_key = false;
}

static void put(ociwp_json_writer *w, const char *text, size_t len)
{
	while (len > 0) {
		if (w->used == CHUNK)
			flush(w);
		size_t n = CHUNK - w->used < len ? CHUNK - w->used : len;
		memcpy(w->chunk + w->used, text, n);
		w->used += n;
		text += n;
		len -= n;
	}
}

static void putch(ociwp_json_writer *w, char c)
{
	put(w, &c, 1);
}

/* Before each value and each key. */
static void item(ociwp_json_writer *w)
{
	if (!w->after_key && !w->first)
		putch(w, ',');
	w->after_key = false;
	w->first = false;
}

static void begin(ociwp_json_writer *w, char c)
{
	item(w);
	putch(w, c);
	w->first = true;
	w->depth++;
}

static void end(ociwp_json_writer *w, char c)
{
	assert(w->depth > 0 && !w->after_key);
	putch(w, c);
	w->first = false;
	w->depth--;
}

void ociwp_json_begin_object(ociwp_json_writer *w)
{
	begin(w, '{');
}

void ociwp_json_end_object(ociwp_json_writer *w)
{
	end(w, '}');
}

void ociwp_json_begin_array(ociwp_json_writer *w)
{
	begin(w, '[');
}

void ociwp_json_end_array(ociwp_json_writer *w)
{
	end(w, ']');
}

static void escape(ociwp_json_writer *w, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char *const named = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (const char *p = named; *p; p += 2) {
		if ((unsigned char)*p == c) {
			put(w, (const char[]){'\\', p[1]}, 2);
			return;
		}
	}
	put(w, (const char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
}

/* Do eight bytes need no escape? A byte of a word w is 0 where (w - 0x01...01) & ~w has its high bit; a false
 * alarm, which a borrow can give, costs only time. A lock of 20,000 files is 2 MiB of strings. */
static bool eight_are_plain(const char *text)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t v, quotes, backslashes;

	memcpy(&v, text, sizeof(v));
	quotes = v ^ ones * '"';
	backslashes = v ^ ones * '\\';
	return !((((v - ones * 0x20) & ~v) | ((quotes - ones) & ~quotes) |
		  ((backslashes - ones) & ~backslashes)) &
		 ones * 0x80);
}

static void quoted(ociwp_json_writer *w, const char *text, size_t len)
{
	size_t from = 0;

	putch(w, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (len - i >= 8 && eight_are_plain(text + i)) {
			i += 7;
			continue;
		}
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		put(w, text + from, i - from);
		escape(w, c);
		from = i + 1;
	}
	put(w, text + from, len - from);
	putch(w, '"');
}

void ociwp_json_key(ociwp_json_writer *w, const char *name)
{
	assert(w->depth > 0 && !w->after_key);
	item(w);
	quoted(w, name, strlen(name));
	putch(w, ':');
	w->after_key = true;
}

void ociwp_json_string(ociwp_json_writer *w, const char *text)
{
	ociwp_json_string_len(w, text, strlen(text));
}

void ociwp_json_string_len(ociwp_json_writer *w, const char *text, size_t len)
{
	item(w);
	quoted(w, text, len);
}

void ociwp_json_u64(ociwp_json_writer *w, uint64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	item(w);
	put(w, text, (size_t)n);
}

void ociwp_json_i64(ociwp_json_writer *w, int64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%lld", (long long)value);
	item(w);
	put(w, text, (size_t)n);
}

/* Fewest decimal digits that read back as @p value (> 0, finite), most significant first; the value is
 * 0.d1d2d3... times ten to the power of @p exponent + 1. The decimal point of printf and strtod
 * depends on the locale, so only digits are taken. */
static size_t shortest_digits(double value, char digits[24], int *exponent)
{
	char text[64];
	for (int precision = 0; precision <= 16; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, value);
		if (strtod(text, NULL) == value)
			break;
	}
	size_t n = 0;
	const char *p = text;
	for (; *p && *p != 'e'; p++)
		if (ociwp_is_digit(*p) && n < 20)
			digits[n++] = *p;
	*exponent = *p == 'e' ? (int)strtol(p + 1, NULL, 10) : 0;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	return n;
}

static void put_zeros(ociwp_json_writer *w, int count)
{
	for (; count > 0; count--)
		putch(w, '0');
}

/* Plain notation from 1e-5 to below 1e16, with ".0" behind whole numbers. */
static void put_plain(ociwp_json_writer *w, const char *digits, size_t n, int exponent)
{
	if (exponent < 0) {
		put(w, "0.", 2);
		put_zeros(w, -exponent - 1);
		put(w, digits, n);
		return;
	}
	size_t whole = (size_t)exponent + 1;
	put(w, digits, n < whole ? n : whole);
	put_zeros(w, (int)whole - (int)n);
	putch(w, '.');
	if (n > whole)
		put(w, digits + whole, n - whole);
	else
		putch(w, '0');
}

void ociwp_json_double(ociwp_json_writer *w, double value)
{
	item(w);
	if (!isfinite(value)) {
		put(w, "null", 4);
		return;
	}
	if (signbit(value))
		putch(w, '-');
	value = fabs(value);
	if (value <= 0) {
		put(w, "0.0", 3);
		return;
	}
	char digits[24];
	int exponent;
	size_t n = shortest_digits(value, digits, &exponent);
	if (exponent >= -5 && exponent <= 15) {
		put_plain(w, digits, n, exponent);
		return;
	}
	put(w, digits, 1);
	if (n > 1) {
		putch(w, '.');
		put(w, digits + 1, n - 1);
	}
	char text[16];
	int len = snprintf(text, sizeof(text), "e%+d", exponent);
	put(w, text, (size_t)len);
}

void ociwp_json_bool(ociwp_json_writer *w, bool value)
{
	item(w);
	if (value)
		put(w, "true", 4);
	else
		put(w, "false", 5);
}

void ociwp_json_null(ociwp_json_writer *w)
{
	item(w);
	put(w, "null", 4);
}

void ociwp_json_base64(ociwp_json_writer *w, const void *data, size_t len, bool pad)
{
	const uint8_t *bytes = data;
	char text[4 * 64 + 1];

	item(w);
	putch(w, '"');
	/* Steps of whole triplets: only the last one can be padded. */
	for (size_t done = 0; done < len;) {
		size_t n = len - done < 192 ? len - done : 192;
		put(w, text, ociwp_base64_encode(text, bytes + done, n, pad));
		done += n;
	}
	putch(w, '"');
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void object_sorted(ociwp_json_writer *w, const json_t *object)
{
	size_t count = json_object_size(object), i = 0;
	const char **names = ociwp_realloc_array(NULL, count, sizeof(*names));
	if (!names) {
		ociwp_json_writer_fail_nomem(w);
		return;
	}
	const char *name;
	json_t *value;
	json_object_foreach ((json_t *)object, name, value)
		names[i++] = name;
	qsort(names, count, sizeof(*names), by_bytes);
	for (i = 0; i < count; i++) {
		ociwp_json_key(w, names[i]);
		ociwp_json_value(w, json_object_get(object, names[i]), true);
	}
	free(names);
}

static void object(ociwp_json_writer *w, const json_t *value, bool sort_keys)
{
	ociwp_json_begin_object(w);
	if (sort_keys) {
		object_sorted(w, value);
	} else {
		const char *name;
		json_t *child;
		json_object_foreach ((json_t *)value, name, child) {
			ociwp_json_key(w, name);
			ociwp_json_value(w, child, false);
		}
	}
	ociwp_json_end_object(w);
}

static void array(ociwp_json_writer *w, const json_t *value, bool sort_keys)
{
	size_t i;
	json_t *child;

	ociwp_json_begin_array(w);
	json_array_foreach (value, i, child)
		ociwp_json_value(w, child, sort_keys);
	ociwp_json_end_array(w);
}

/* Recursion is bounded by the depth cap of the parser that made the tree. */
void ociwp_json_value(ociwp_json_writer *w, const json_t *value, bool sort_keys)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		object(w, value, sort_keys);
		break;
	case JSON_ARRAY:
		array(w, value, sort_keys);
		break;
	case JSON_STRING:
		ociwp_json_string_len(w, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		ociwp_json_i64(w, json_integer_value(value));
		break;
	case JSON_REAL:
		ociwp_json_double(w, json_real_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		ociwp_json_bool(w, json_is_true(value));
		break;
	case JSON_NULL:
		ociwp_json_null(w);
		break;
	}
}

void ociwp_json_member(ociwp_json_writer *w, const char *name, const char *text)
{
	if (!text)
		return;
	ociwp_json_key(w, name);
	ociwp_json_string(w, text);
}
