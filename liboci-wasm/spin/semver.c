/* SPDX-License-Identifier: Apache-2.0
 *
 * Semantic versions and requirements, as Rust's semver crate reads them (specs/spin.md 1.3, 2.1).
 */
#include "base/str.h"
#include "spin/names.h"

/* A number without leading zeros; false when there is none or it does not fit. */
static bool take_number(const char **text, const char *end, uint64_t *out)
{
	const char *start = *text;
	while (*text < end && ociwp_is_digit(**text))
		++*text;
	size_t len = (size_t)(*text - start);
	if (len == 0 || (len > 1 && *start == '0'))
		return false;
	return ociwp_parse_u64(start, len, out);
}

/* Dot-separated identifiers of [0-9A-Za-z-]; @p strict: numbers without leading zeros. */
static bool identifiers_valid(const char *text, size_t len, bool strict)
{
	for (size_t start = 0; start <= len;) {
		size_t end = start;
		bool digits = true;
		while (end < len && text[end] != '.') {
			if (!ociwp_is_alnum(text[end]) && text[end] != '-')
				return false;
			digits &= ociwp_is_digit(text[end]);
			end++;
		}
		if (end == start || (strict && digits && end - start > 1 && text[start] == '0'))
			return false;
		start = end + 1;
	}
	return true;
}

/* "-pre" and "+build" at @p text, up to @p end. */
static bool take_suffixes(const char *text, const char *end, ociwp_semver *out)
{
	if (text < end && *text == '-') {
		const char *plus = memchr(text, '+', (size_t)(end - text));
		out->pre = text + 1;
		out->pre_len = (size_t)((plus ? plus : end) - out->pre);
		if (!identifiers_valid(out->pre, out->pre_len, true))
			return false;
		text = plus ? plus : end;
	}
	if (text < end && *text == '+') {
		out->build = text + 1;
		out->build_len = (size_t)(end - out->build);
		if (!identifiers_valid(out->build, out->build_len, false))
			return false;
		text = end;
	}
	return text == end;
}

bool ociwp_semver_parse(const char *text, size_t len, ociwp_semver *out)
{
	const char *end = text + len;
	*out = (ociwp_semver){0};
	if (!take_number(&text, end, &out->major) || text == end || *text++ != '.' ||
	    !take_number(&text, end, &out->minor) || text == end || *text++ != '.' ||
	    !take_number(&text, end, &out->patch))
		return false;
	return take_suffixes(text, end, out);
}

/* A numeric identifier without its leading zeros. */
static const char *significant(const char *text, size_t *len)
{
	while (*len > 1 && *text == '0') {
		text++;
		--*len;
	}
	return text;
}

static bool all_digits(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!ociwp_is_digit(text[i]))
			return false;
	return len > 0;
}

static int compare_identifier(const char *a, size_t a_len, const char *b, size_t b_len)
{
	bool a_digits = all_digits(a, a_len), b_digits = all_digits(b, b_len);
	if (a_digits != b_digits)
		return a_digits ? -1 : 1;
	size_t a_full = a_len, b_full = b_len;
	if (a_digits) {
		a = significant(a, &a_len);
		b = significant(b, &b_len);
		if (a_len != b_len)
			return a_len < b_len ? -1 : 1;
	}
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
	if (order)
		return order;
	return (a_full > b_full) - (a_full < b_full);
}

static int compare_identifiers(const char *a, size_t a_len, const char *b, size_t b_len)
{
	for (size_t i = 0, j = 0;; i++, j++) {
		if (i > a_len || j > b_len)
			return (int)(j > b_len) - (int)(i > a_len);
		size_t a_start = i, b_start = j;
		while (i < a_len && a[i] != '.')
			i++;
		while (j < b_len && b[j] != '.')
			j++;
		int order = compare_identifier(a + a_start, i - a_start, b + b_start, j - b_start);
		if (order)
			return order;
	}
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

int ociwp_semver_compare(const ociwp_semver *a, const ociwp_semver *b)
{
	int order = compare_u64(a->major, b->major);
	if (!order)
		order = compare_u64(a->minor, b->minor);
	if (!order)
		order = compare_u64(a->patch, b->patch);
	if (order)
		return order;
	if (!a->pre || !b->pre) {
		/* Without a pre-release part a version is the later one. */
		order = (a->pre == NULL) - (b->pre == NULL);
	} else {
		order = compare_identifiers(a->pre, a->pre_len, b->pre, b->pre_len);
	}
	if (order)
		return order;
	if (!a->build || !b->build)
		return (a->build != NULL) - (b->build != NULL);
	return compare_identifiers(a->build, a->build_len, b->build, b->build_len);
}

bool ociwp_semver_compatible(const ociwp_semver *a, const ociwp_semver *b)
{
	ociwp_semver x = *a, y = *b;
	x.build = y.build = NULL;
	ociwp_semver *both[] = {&x, &y};
	for (int i = 0; i < 2; i++) {
		ociwp_semver *v = both[i];
		if (v->pre)
			continue;
		if (v->major > 0)
			v->minor = v->patch = 0;
		else if (v->minor > 0)
			v->patch = 0;
	}
	return ociwp_semver_compare(&x, &y) == 0;
}

static void skip_spaces(const char **text)
{
	while (**text == ' ')
		++*text;
}

static bool take_wildcard(const char **text)
{
	if (**text != '*' && **text != 'x' && **text != 'X')
		return false;
	++*text;
	return true;
}

/* One comparator up to the comma or the end. */
static bool take_comparator(const char **text, bool *any)
{
	*any = false;
	bool with_operator = **text && strchr("=<>~^", **text);
	if (with_operator) {
		char first = *(*text)++;
		if ((first == '>' || first == '<') && **text == '=')
			++*text;
		skip_spaces(text);
	}
	const char *end = *text + strcspn(*text, " ,");
	uint64_t number;
	if (take_wildcard(text)) {
		*any = true;
		return !with_operator && *text == end;
	}
	if (!take_number(text, end, &number))
		return false;
	bool wild = false;
	int parts = 1;
	while (*text < end && **text == '.') {
		++*text;
		if (++parts > 3)
			return false;
		if (take_wildcard(text))
			wild = true;
		else if (wild || !take_number(text, end, &number))
			return false;
	}
	ociwp_semver rest = {0};
	if (*text < end && (wild || parts < 3))
		return false;
	if (!take_suffixes(*text, end, &rest))
		return false;
	*text = end;
	return true;
}

bool ociwp_semver_requirement_valid(const char *text)
{
	skip_spaces(&text);
	bool any;
	for (size_t count = 1;; count++) {
		/* 32 comparators, as the crate has it. */
		if (count > 32 || !take_comparator(&text, &any))
			return false;
		skip_spaces(&text);
		if (!*text)
			return true;
		/* "*" stands alone. */
		if (any || *text++ != ',')
			return false;
		skip_spaces(&text);
	}
}
