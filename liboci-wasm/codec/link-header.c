/* SPDX-License-Identifier: Apache-2.0
 *
 * "<target>; rel=next; other="x", <target2>; ..." with parameters in any order, quoted or not. It
 * does not resolve targets. Grammar: RFC 8288 3; oci-client.md TAG-1.
 */
#include "codec/link-header.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && is_space(*at))
		at++;
	return at;
}

static bool equals_lower(const char *text, size_t len, const char *name)
{
	if (len != strlen(name))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (ociwp_to_lower(text[i]) != name[i])
			return false;
	}
	return true;
}

/* True when one of the space-separated words is "next". */
static bool has_next(const char *text, size_t len)
{
	size_t i = 0;
	while (i < len) {
		while (i < len && is_space(text[i]))
			i++;
		size_t start = i;
		while (i < len && !is_space(text[i]))
			i++;
		if (equals_lower(text + start, i - start, "next"))
			return true;
	}
	return false;
}

/* Reads one parameter at *at (behind its ';'); true when it says rel=next. */
static bool take_parameter(const char **at, const char *end)
{
	const char *p = skip_space(*at, end);
	const char *name = p;
	while (p < end && *p != '=' && *p != ';' && *p != ',' && !is_space(*p))
		p++;
	size_t name_len = (size_t)(p - name);
	p = skip_space(p, end);
	if (p == end || *p != '=') {
		*at = p;
		return false;
	}
	p = skip_space(p + 1, end);
	const char *value = p;
	size_t value_len;
	if (p < end && *p == '"') {
		value = ++p;
		while (p < end && *p != '"')
			p += *p == '\\' && end - p > 1 ? 2 : 1;
		value_len = (size_t)(p - value);
		if (p < end)
			p++;
	} else {
		while (p < end && *p != ';' && *p != ',' && !is_space(*p))
			p++;
		value_len = (size_t)(p - value);
	}
	*at = p;
	return equals_lower(name, name_len, "rel") && has_next(value, value_len);
}

int ociwp_link_next(const char *value, size_t len, char **out, ociw_error **err)
{
	const char *at = value, *end = value + len;
	while (at < end) {
		const char *open = memchr(at, '<', (size_t)(end - at));
		const char *close = open ? memchr(open, '>', (size_t)(end - open)) : NULL;
		if (!close)
			return 0;
		size_t target_len = (size_t)(close - open - 1);
		bool next = false;
		at = skip_space(close + 1, end);
		while (at < end && *at != ',') {
			if (*at++ == ';' && take_parameter(&at, end))
				next = true;
		}
		if (next && target_len > 0 && !memchr(open + 1, 0, target_len)) {
			*out = ociwp_strndup(open + 1, target_len);
			return *out ? 0 : ociwp_nomem(err);
		}
	}
	return 0;
}
