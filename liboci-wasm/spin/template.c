/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates: find, judge and expand {{ name }}. There are no filters and no nesting: what stands
 * between the braces, trimmed, is a name.
 */
#include "spin/template.h"

#include <string.h>

bool ociwp_template_valid(const char *text)
{
	const char *open;
	while ((open = strstr(text, "{{")) != NULL) {
		const char *close = strstr(open + 2, "}}");
		if (!close)
			return false;
		text = close + 2;
	}
	return true;
}

bool ociwp_template_is_literal(const char *text)
{
	return strstr(text, "{{") == NULL;
}

static void trim(const char **start, const char **end)
{
	while (*start < *end && strchr(" \t\r\n", **start))
		++*start;
	while (*end > *start && strchr(" \t\r\n", (*end)[-1]))
		--*end;
}

int ociwp_template_expand(const char *text, ociwp_template_lookup lookup, void *user_data,
                          size_t max, ociwp_buf *out, bool *complete)
{
	*complete = true;
	for (;;) {
		const char *open = strstr(text, "{{");
		const char *close = open ? strstr(open + 2, "}}") : NULL;
		if (!close) {
			ociwp_buf_puts(out, text);
			return out->len > max ? OCIW_ERR_LIMIT : 0;
		}
		ociwp_buf_append(out, text, (size_t)(open - text));
		const char *start = open + 2, *end = close;
		trim(&start, &end);
		const char *value = lookup(start, (size_t)(end - start), user_data);
		if (value)
			ociwp_buf_puts(out, value);
		else
			*complete = false;
		if (out->len > max)
			return OCIW_ERR_LIMIT;
		text = close + 2;
	}
}
