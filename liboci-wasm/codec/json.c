/* SPDX-License-Identifier: Apache-2.0
 *
 * Strict JSON in. Owns the pre-scan that bounds depth and memory before jansson builds a tree, and the
 * getters with the member's path in their errors. Knows no document. MAN-11, DSC-2; RFC 8259.
 */
#include "codec/json.h"
#include "base/str.h"

#define DEFAULT_DEPTH 64

/* jansson makes up to 80 bytes of tree from one byte of text ("[{},{},..."). What a tree may cost
 * beyond a fixed allowance is a multiple of its text, so that a cap on the text caps the memory. The
 * costs are what jansson 2.14 takes of glibc, a little rounded up; a lock of files with two-letter
 * paths, the densest that there is, comes to 8.2. */
#define TREE_ALLOWANCE ((uint64_t)1 << 20)
#define TREE_FACTOR 10
#define COST_OBJECT 224 /* with its 8 first buckets */
#define COST_ARRAY 128  /* with its 8 first slots */
#define COST_NUMBER 32
#define COST_STRING 80  /* without its text; of a name it is the pair */
#define COST_MEMBER 32  /* buckets, doubled as objects grow */
#define COST_ELEMENT 16 /* slot, doubled as arrays grow */

/* Numbers are converted by the C library in time that grows with their length; none that means
 * anything is longer. */
#define MAX_NUMBER_LENGTH 1100

struct scan {
	const unsigned char *text;
	size_t len;
	size_t pos;
	size_t line_start;
	unsigned line;
	uint64_t depth;
	uint64_t cost;
};

static size_t scan_column(const struct scan *s)
{
	return s->pos - s->line_start + 1;
}

/* Past the closing quote, or at the end of the text: jansson reports what is wrong in between. */
static void scan_string(struct scan *s)
{
	size_t start = ++s->pos;
	while (s->pos < s->len && s->text[s->pos] != '"')
		s->pos += s->text[s->pos] == '\\' ? 2 : 1;
	if (s->pos > s->len)
		s->pos = s->len;
	s->cost += COST_STRING + (s->pos - start);
	s->pos++;
}

static bool is_number_byte(unsigned char c)
{
	return ociwp_is_digit((char)c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static bool scan_number(struct scan *s)
{
	size_t start = s->pos;
	while (s->pos < s->len && is_number_byte(s->text[s->pos]))
		s->pos++;
	s->cost += COST_NUMBER;
	return s->pos - start <= MAX_NUMBER_LENGTH;
}

static int scan_open(struct scan *s, const char *what, uint64_t max_depth, ociw_error **err)
{
	if (s->depth >= max_depth)
		return ociwp_fail(err, OCIW_ERR_LIMIT,
				  "%s: line %u, column %zu: nested deeper than %llu levels", what,
				  s->line, scan_column(s), (unsigned long long)max_depth);
	s->depth++;
	s->cost += s->text[s->pos] == '{' ? COST_OBJECT : COST_ARRAY;
	s->pos++;
	return 0;
}

static void scan_other(struct scan *s)
{
	switch (s->text[s->pos++]) {
	case '\n':
		s->line++;
		s->line_start = s->pos;
		break;
	case '}':
	case ']':
		s->depth -= s->depth > 0;
		break;
	case ':':
		s->cost += COST_MEMBER;
		break;
	case ',':
		s->cost += COST_ELEMENT;
		break;
	}
}

/* Only what must be known before anything is built; the grammar is jansson's. */
static int scan(ociw_span text, const char *what, uint64_t max_depth, ociw_error **err)
{
	struct scan s = {.text = text.data, .len = text.len, .line = 1};

	while (s.pos < s.len) {
		unsigned char c = s.text[s.pos];
		if (c == '"') {
			scan_string(&s);
		} else if (c == '{' || c == '[') {
			int r = scan_open(&s, what, max_depth, err);
			if (r < 0)
				return r;
		} else if (is_number_byte(c)) {
			if (!scan_number(&s))
				return ociwp_fail(err, OCIW_ERR_FORMAT,
						  "%s: line %u: number too long", what, s.line);
		} else {
			scan_other(&s);
		}
	}
	if (s.cost > TREE_ALLOWANCE && s.cost - TREE_ALLOWANCE > TREE_FACTOR * (uint64_t)s.len)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "%s: too many small values for its size",
				  what);
	return 0;
}

static const char *reason(const json_error_t *e)
{
	switch (json_error_code(e)) {
	case json_error_invalid_utf8:
		return "invalid UTF-8";
	case json_error_premature_end_of_input:
		return "ends too early";
	case json_error_end_of_input_expected:
		return "something follows the end";
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "NUL character in a string";
	case json_error_duplicate_key:
		return "duplicate member name";
	case json_error_numeric_overflow:
		return "number out of range";
	default:
		return "invalid JSON";
	}
}

int ociwp_json_parse(ociw_span text, const char *what, uint64_t max_depth, json_t **out,
		     ociw_error **err)
{
	int r = scan(text, what, max_depth ? max_depth : DEFAULT_DEPTH, err);
	if (r < 0)
		return r;
	/* Names come from outside: their hash must be keyed. Seeds once and atomically, keeps a seed
	 * that the program has set. */
	json_object_seed(0);

	json_error_t e = {.text = ""};
	*out = json_loadb(text.data ? text.data : "", text.len, JSON_REJECT_DUPLICATES, &e);
	if (*out)
		return 0;
	/* Where it cannot allocate, jansson mostly gives up without a word. */
	if (e.text[0] == '\0' || json_error_code(&e) == json_error_out_of_memory)
		return ociwp_nomem(err);
	if (e.line < 1)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s: %s", what, reason(&e));
	return ociwp_fail(err, OCIW_ERR_FORMAT, "%s: line %d, column %d: %s", what, e.line,
			  e.column, reason(&e));
}

static const char *type_name(json_type type)
{
	switch (type) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "an integer";
	case JSON_REAL:
		return "a number with a fraction";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	case JSON_NULL:
		return "null";
	}
	return "something else";
}

/* The path of a member in messages: "layers[2].size". */
#define DOT(path) ((path) && *(path) ? "." : "")
#define PATH(path) ((path) ? (path) : "")

/* A member of one type. null counts as absent: 0 with *out NULL when not required (CFG-1). */
static int member(const json_t *object, const char *path, const char *name, json_type type,
		  bool required, json_t **out, ociw_error **err)
{
	json_t *value = json_object_get(object, name);
	*out = NULL;
	if (!value || json_is_null(value)) {
		if (!required)
			return 0;
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s%s%s is missing", PATH(path), DOT(path),
				  name);
	}
	if (json_typeof(value) != type)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s%s%s is %s, must be %s", PATH(path),
				  DOT(path), name, type_name(json_typeof(value)), type_name(type));
	*out = value;
	return 0;
}

int ociwp_json_need_string(const json_t *object, const char *path, const char *name,
			   const char **out, ociw_error **err)
{
	json_t *value;
	int r = member(object, path, name, JSON_STRING, true, &value, err);
	if (r == 0)
		*out = json_string_value(value);
	return r;
}

int ociwp_json_opt_string(const json_t *object, const char *path, const char *name,
			  const char **out, ociw_error **err)
{
	json_t *value;
	int r = member(object, path, name, JSON_STRING, false, &value, err);
	if (r == 0 && value)
		*out = json_string_value(value);
	return r;
}

int ociwp_json_need_u64(const json_t *object, const char *path, const char *name, uint64_t *out,
			ociw_error **err)
{
	json_t *value;
	int r = member(object, path, name, JSON_INTEGER, true, &value, err);
	if (r < 0)
		return r;
	if (json_integer_value(value) < 0)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s%s%s is negative", PATH(path), DOT(path),
				  name);
	*out = (uint64_t)json_integer_value(value);
	return 0;
}

int ociwp_json_need_object(const json_t *object, const char *path, const char *name,
			   json_t **out_borrowed, ociw_error **err)
{
	return member(object, path, name, JSON_OBJECT, true, out_borrowed, err);
}

int ociwp_json_opt_object(const json_t *object, const char *path, const char *name,
			  json_t **out_borrowed, ociw_error **err)
{
	json_t *value;
	int r = member(object, path, name, JSON_OBJECT, false, &value, err);
	if (r == 0 && value)
		*out_borrowed = value;
	return r;
}

int ociwp_json_need_array(const json_t *object, const char *path, const char *name,
			  json_t **out_borrowed, ociw_error **err)
{
	return member(object, path, name, JSON_ARRAY, true, out_borrowed, err);
}

int ociwp_json_opt_array(const json_t *object, const char *path, const char *name,
			 json_t **out_borrowed, ociw_error **err)
{
	json_t *value;
	int r = member(object, path, name, JSON_ARRAY, false, &value, err);
	if (r == 0 && value)
		*out_borrowed = value;
	return r;
}
