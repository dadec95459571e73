/* SPDX-License-Identifier: Apache-2.0
 *
 * A WAGI module that serves the files it finds below "/site": the static half of the sample app.
 */
#include <string.h>

#include "cgi.h"

struct type {
	const char *suffix, *name;
};

static const struct type types[] = {
	{ ".html", "text/html; charset=utf-8" }, { ".css", "text/css" },   { ".svg", "image/svg+xml" },
	{ ".json", "application/json" },         { ".txt", "text/plain" },
};

static const char *type_of(const char *path)
{
	const char *dot = strrchr(path, '.');
	for (size_t i = 0; dot && i < sizeof(types) / sizeof(*types); i++) {
		if (!strcmp(dot, types[i].suffix))
			return types[i].name;
	}
	return "application/octet-stream";
}

static int refuse(const char *path)
{
	cgi_head("404", "text/html; charset=utf-8");
	fputs("<p>No page at ", stdout);
	cgi_escape(path);
	fputs("</p>\n", stdout);
	return 0;
}

int main(void)
{
	const char *path = cgi_var("PATH_INFO", "/");
	char name[512], block[4096];
	size_t length = strlen(path);
	int written = snprintf(name, sizeof(name), "/site%s%s", path,
			       path[length - 1] == '/' ? "index.html" : "");
	if (written < 0 || (size_t)written >= sizeof(name) || strstr(name, ".."))
		return refuse(path);

	FILE *file = fopen(name, "rb");
	if (!file)
		return refuse(path);
	cgi_head("200", type_of(name));
	while ((length = fread(block, 1, sizeof(block), file)) > 0)
		fwrite(block, 1, length, stdout);
	fclose(file);
	return 0;
}
