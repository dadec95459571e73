/* SPDX-License-Identifier: Apache-2.0
 *
 * The little of CGI that the sample modules need: an answer's head, and text made safe for HTML.
 */
#ifndef OCIW_TESTDATA_CGI_H
#define OCIW_TESTDATA_CGI_H

#include <stdio.h>
#include <stdlib.h>

static inline void cgi_head(const char *status, const char *type)
{
	printf("Status: %s\r\nContent-Type: %s\r\n\r\n", status, type);
}

static inline const char *cgi_var(const char *name, const char *fallback)
{
	const char *value = getenv(name);
	return value && *value ? value : fallback;
}

static inline void cgi_escape(const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", stdout);
			break;
		case '>':
			fputs("&gt;", stdout);
			break;
		case '&':
			fputs("&amp;", stdout);
			break;
		default:
			putchar(*text);
		}
	}
}

#endif
