/* SPDX-License-Identifier: Apache-2.0
 *
 * Ids, labels, packages and names of dependencies (specs/spin.md 1.2, 1.3). Versions are semver.c.
 */
#include "spin/names.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

static bool OCIW_PRINTF(2, 3) refuse(ociwp_name_error *why, const char *fmt, ...)
{
	if (why) {
		va_list args;
		va_start(args, fmt);
		vsnprintf(why->text, sizeof(why->text), fmt, args);
		va_end(args);
	}
	return false;
}

/* One word: a letter, then letters and digits, all letters in the case of the first. */
static bool word_valid(const char *word, size_t len, char delimiter, bool lower,
                       ociwp_name_error *why)
{
	if (len == 0)
		return refuse(why, "'%c'-separated words must not be empty", delimiter);
	size_t shown = ociwp_utf8_sequence((const unsigned char *)word, len);
	if (!ociwp_is_alpha(word[0]))
		return refuse(why, "'%c'-separated words must start with an ASCII letter; got %s",
		              delimiter, ociwp_quote_len(word, shown ? shown : 1));
	bool upper = ociwp_is_upper(word[0]);
	for (size_t i = 0; i < len; i++) {
		if (ociwp_is_alnum(word[i]))
			continue;
		shown = ociwp_utf8_sequence((const unsigned char *)word + i, len - i);
		return refuse(why,
		              "'%c'-separated words may only contain alphanumeric ASCII; got %s",
		              delimiter, ociwp_quote_len(word + i, shown ? shown : 1));
	}
	for (size_t i = 1; i < len; i++)
		if (ociwp_is_alpha(word[i]) && ociwp_is_upper(word[i]) != upper)
			return refuse(why,
			              "'%c'-separated words must be all lowercase or all "
			              "UPPERCASE; got %s",
			              delimiter, ociwp_quote_len(word, len));
	if (lower && upper)
		return refuse(why, "must be all lowercase; got %s", ociwp_quote_len(word, len));
	return true;
}

static bool id_valid_len(const char *text, size_t len, char delimiter, bool lower,
                         ociwp_name_error *why)
{
	char other = delimiter == '-' ? '_' : '-';
	if (len == 0)
		return refuse(why, "is empty");
	if (memchr(text, other, len))
		return refuse(why, "words must be separated with '%c', not '%c'", delimiter, other);
	/* Case is judged after everything else, over all words (1.2). */
	for (int pass = 0; pass < (lower ? 2 : 1); pass++) {
		for (size_t start = 0; start <= len;) {
			const char *end = memchr(text + start, delimiter, len - start);
			size_t word = end ? (size_t)(end - text) - start : len - start;
			if (!word_valid(text + start, word, delimiter, pass == 1, why))
				return false;
			start += word + 1;
		}
	}
	return true;
}

bool ociwp_id_valid(const char *text, char delimiter, bool lower, ociwp_name_error *why)
{
	return id_valid_len(text, strlen(text), delimiter, lower, why);
}

bool ociwp_kebab_id_valid(const char *text, ociwp_name_error *why)
{
	return ociwp_id_valid(text, '-', false, why);
}

bool ociwp_snake_lower_id_valid(const char *text, ociwp_name_error *why)
{
	return ociwp_id_valid(text, '_', true, why);
}

bool ociwp_label_valid(const char *text)
{
	return ociwp_id_valid(text, '-', false, NULL) || ociwp_id_valid(text, '_', false, NULL);
}

bool ociwp_package_valid(const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);
	if (!colon)
		return false;
	size_t first = (size_t)(colon - text);
	return id_valid_len(text, first, '-', true, NULL) &&
	       id_valid_len(colon + 1, len - first - 1, '-', true, NULL);
}

bool ociwp_registry_valid(const char *text)
{
	const char *colon = strrchr(text, ':');
	const char *bracket = strrchr(text, ']');
	if (colon && bracket && colon < bracket)
		colon = NULL; /* inside an IPv6 address */
	size_t host = colon ? (size_t)(colon - text) : strlen(text);
	if (host == 0)
		return false;
	for (size_t i = 0; i < host; i++)
		if (!ociwp_is_alnum(text[i]) && !strchr("-._~[]:%", text[i]))
			return false;
	uint64_t port;
	return !colon || (ociwp_parse_u64(colon + 1, strlen(colon + 1), &port) && port <= 65535);
}

void ociwp_dependency_name_deinit(ociwp_dependency_name *name)
{
	free(name->text);
	*name = (ociwp_dependency_name){0};
}

static bool parse_package_name(ociwp_dependency_name *name, ociwp_name_error *why)
{
	const char *text = name->text;
	const char *at = strchr(text, '@');
	size_t len = at ? (size_t)(at - text) : strlen(text);
	const char *slash = memchr(text, '/', len);
	name->package = text;
	name->package_len = slash ? (size_t)(slash - text) : len;
	if (at) {
		name->has_version = true;
		if (!ociwp_semver_parse(at + 1, strlen(at + 1), &name->version))
			return refuse(why, "%s is no full version (1.2.3)", ociwp_quote(at + 1));
	}
	if (!ociwp_package_valid(name->package, name->package_len))
		return refuse(why, "%s is no package name (namespace:name in lower kebab-case)",
		              ociwp_quote_len(name->package, name->package_len));
	if (slash) {
		name->interface = slash + 1;
		name->interface_len = len - name->package_len - 1;
		return id_valid_len(name->interface, name->interface_len, '-', false, why);
	}
	return true;
}

int ociwp_dependency_name_parse(const char *text, ociwp_dependency_name *out, ociwp_name_error *why)
{
	ociwp_dependency_name name = {.text = ociwp_strdup(text)};
	if (!name.text)
		return OCIW_ERR_NOMEM;
	bool ok;
	if (strpbrk(text, ":/")) {
		ok = parse_package_name(&name, why);
	} else {
		name.plain = true;
		ok = ociwp_kebab_id_valid(text, why);
	}
	if (!ok) {
		ociwp_dependency_name_deinit(&name);
		return OCIW_ERR_FORMAT;
	}
	*out = name;
	return 0;
}

static int compare_text(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
	return order ? order : (a_len > b_len) - (a_len < b_len);
}

/* Namespace, then name: not the order of the joined text, where ':' sorts after digits. */
static int compare_package(const ociwp_dependency_name *a, const ociwp_dependency_name *b)
{
	size_t a_ns = (size_t)((const char *)memchr(a->package, ':', a->package_len) - a->package);
	size_t b_ns = (size_t)((const char *)memchr(b->package, ':', b->package_len) - b->package);
	int order = compare_text(a->package, a_ns, b->package, b_ns);
	if (order)
		return order;
	return compare_text(a->package + a_ns + 1, a->package_len - a_ns - 1, b->package + b_ns + 1,
	                    b->package_len - b_ns - 1);
}

int ociwp_dependency_name_compare(const ociwp_dependency_name *a, const ociwp_dependency_name *b)
{
	if (a->plain || b->plain)
		return a->plain && b->plain ? strcmp(a->text, b->text)
		                            : (int)b->plain - (int)a->plain;
	int order = compare_package(a, b);
	if (order)
		return order;
	if (a->has_version != b->has_version)
		return (int)a->has_version - (int)b->has_version;
	if (a->has_version && (order = ociwp_semver_compare(&a->version, &b->version)) != 0)
		return order;
	if (!a->interface || !b->interface)
		return (a->interface != NULL) - (b->interface != NULL);
	return compare_text(a->interface, a->interface_len, b->interface, b->interface_len);
}

bool ociwp_dependency_name_disjoint(const ociwp_dependency_name *a, const ociwp_dependency_name *b)
{
	if (a->plain || b->plain || compare_package(a, b) != 0)
		return true;
	if (a->has_version && b->has_version && !ociwp_semver_compatible(&a->version, &b->version))
		return true;
	return a->interface && b->interface &&
	       compare_text(a->interface, a->interface_len, b->interface, b->interface_len) != 0;
}
