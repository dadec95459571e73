/* SPDX-License-Identifier: Apache-2.0
 *
 * A WAGI module that answers with what it was given: method, path, query and its own mode.
 */
#include "cgi.h"

static void json_string(const char *text)
{
	putchar('"');
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p == '"' || *p == '\\')
			printf("\\%c", *p);
		else if (*p < 0x20)
			printf("\\u%04x", *p);
		else
			putchar(*p);
	}
	putchar('"');
}

static void json_member(const char *name, const char *value, const char *end)
{
	json_string(name);
	putchar(':');
	json_string(value);
	fputs(end, stdout);
}

int main(void)
{
	cgi_head("200", "application/json");
	putchar('{');
	json_member("method", cgi_var("REQUEST_METHOD", "GET"), ",");
	json_member("path", cgi_var("PATH_INFO", "/"), ",");
	json_member("query", cgi_var("QUERY_STRING", ""), ",");
	json_member("mode", cgi_var("MODE", "unknown"), "}\n");
	return 0;
}
