/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths as text.
 */
#include "base/path.h"
#include "base/buf.h"

#include <string.h>

#define NAME_MAX_BYTES 255U

bool ociwp_path_is_component(const char *name, size_t len)
{
	if (!len || len > NAME_MAX_BYTES || memchr(name, '/', len) || memchr(name, '\0', len))
		return false;
	return !(len == 1 && name[0] == '.') && !(len == 2 && name[0] == '.' && name[1] == '.');
}

bool ociwp_path_is_relative_normal(const char *path, size_t max_bytes, size_t max_depth)
{
	size_t depth = 0;

	if (strlen(path) > max_bytes)
		return false;
	for (;;) {
		size_t len = strcspn(path, "/");
		if (!ociwp_path_is_component(path, len) || ++depth > max_depth)
			return false;
		path += len;
		if (!*path)
			return true;
		path++;
	}
}

char *ociwp_path_join(const char *dir, const char *name)
{
	OCIWP_AUTO(buf) ociwp_buf joined = OCIWP_BUF_INIT;
	size_t len = strlen(dir);

	ociwp_buf_append(&joined, dir, len);
	if (len && dir[len - 1] != '/')
		ociwp_buf_putc(&joined, '/');
	ociwp_buf_puts(&joined, name);
	return ociwp_buf_steal(&joined);
}

/* Appends the parts of @p path to an absolute normal path. */
static void append_parts(ociwp_buf *out, const char *path)
{
	while (*path) {
		size_t len = strcspn(path, "/");
		if (len == 2 && path[0] == '.' && path[1] == '.') {
			while (out->len && out->data[out->len - 1] != '/')
				out->len--;
			if (out->len)
				out->len--;
		} else if (len && !(len == 1 && path[0] == '.')) {
			ociwp_buf_putc(out, '/');
			ociwp_buf_append(out, path, len);
		}
		path += len;
		while (*path == '/')
			path++;
	}
}

char *ociwp_path_absolute(const char *cwd, const char *path)
{
	OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;

	if (path[0] != '/')
		append_parts(&out, cwd);
	append_parts(&out, path);
	if (!out.len)
		ociwp_buf_putc(&out, '/');
	return ociwp_buf_steal(&out);
}

const char *ociwp_path_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
