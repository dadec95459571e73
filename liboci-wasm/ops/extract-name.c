/* SPDX-License-Identifier: Apache-2.0
 *
 * Judging names of entries. Text only; the walker of io/fsys then finds them.
 * specs/extraction.md N1-N5, W3, W5.
 */
#include "ops/extract-name.h"

#include "base/path.h"
#include "base/str.h"

#define MARK ".wh."
#define MARK_LEN 4U
#define OPAQUE ".wh..wh..opq"

static int take_part(const char *part, size_t len, const char *name, size_t name_len,
		     ociwp_buf *out, ociw_error **err)
{
	if (len == 2 && memcmp(part, "..", 2) == 0)
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "name %s has a part \"..\"",
				  ociwp_quote_len(name, name_len));
	if (len > 255)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "name %s has a part of %zu bytes, over 255",
				  ociwp_quote_len(name, name_len), len);
	if (memchr(part, '\0', len))
		return ociwp_fail(err, OCIW_ERR_FORMAT, "name %s has a NUL inside",
				  ociwp_quote_len(name, name_len));
	if (out->len > 0)
		ociwp_buf_putc(out, '/');
	ociwp_buf_append(out, part, len);
	return 0;
}

int ociwp_extract_name(const char *name, size_t len, const ociw_limits *limits, bool absolute,
		       ociwp_buf *out, ociw_error **err)
{
	uint64_t depth = 0;

	ociwp_buf_clear(out);
	if (len == 0)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "an entry has no name");
	if (len > limits->max_path_bytes)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "name %s has %zu bytes, the limit is %llu",
				  ociwp_quote_len(name, len), len,
				  (unsigned long long)limits->max_path_bytes);
	if (name[0] == '/' && !absolute)
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "name %s is absolute",
				  ociwp_quote_len(name, len));
	for (size_t at = 0; at < len;) {
		const char *slash = memchr(name + at, '/', len - at);
		size_t part = slash ? (size_t)(slash - (name + at)) : len - at;
		if (part > 0 && !(part == 1 && name[at] == '.')) {
			int r = take_part(name + at, part, name, len, out, err);
			if (r < 0)
				return r;
			if (++depth > limits->max_path_depth)
				return ociwp_fail(err, OCIW_ERR_LIMIT,
						  "name %s is deeper than %llu directories",
						  ociwp_quote_len(name, len),
						  (unsigned long long)limits->max_path_depth);
		}
		at += part + 1;
	}
	return ociwp_buf_check(out, err);
}

int ociwp_extract_whiteout(const char *path, ociwp_whiteout *kind, const char **victim,
			   ociw_error **err)
{
	*kind = OCIWP_WHITEOUT_NONE;
	*victim = NULL;
	for (const char *part = path;;) {
		size_t len = strcspn(part, "/");
		bool marked = len >= MARK_LEN && memcmp(part, MARK, MARK_LEN) == 0;
		if (!part[len]) {
			if (!marked)
				return 0;
			if (ociwp_streq(part, OPAQUE)) {
				*kind = OCIWP_WHITEOUT_OPAQUE;
				return 0;
			}
			if (!ociwp_path_is_component(part + MARK_LEN, len - MARK_LEN))
				return ociwp_fail(err, OCIW_ERR_UNSAFE,
						  "whiteout %s names nothing that can be removed",
						  ociwp_quote(path));
			*kind = OCIWP_WHITEOUT_NAME;
			*victim = part + MARK_LEN;
			return 0;
		}
		if (marked)
			return ociwp_fail(err, OCIW_ERR_UNSAFE,
					  "name %s lies in a directory named like a whiteout",
					  ociwp_quote(path));
		part += len + 1;
	}
}
