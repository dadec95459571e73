/* SPDX-License-Identifier: Apache-2.0
 *
 * URLs: parsing and joining by libcurl's own parser (so that what is judged is what is called),
 * origins, redaction for messages, and the guard against redirects into private networks
 * (HTTP-3..7, ERR-4).
 */
#ifndef OCIW_REGISTRY_URL_H
#define OCIW_REGISTRY_URL_H

#include "base/alloc.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/* An http or https URL without userinfo and fragment. */
typedef struct ociwp_url {
	char *text;   /* as it is called */
	char *origin; /* "https://host:443", lower case, the port always there */
	char *host;   /* lower case, without brackets */
	bool https;
} ociwp_url;

/* Parses an absolute URL, or one relative to @p base (may be NULL). OCIW_ERR_UNSAFE for another
 * scheme or userinfo, OCIW_ERR_REGISTRY for broken text. */
int ociwp_url_parse(const char *text, const ociwp_url *base, ociwp_url *out, ociw_error **err);
void ociwp_url_deinit(ociwp_url *url);
static inline void ociwp_cleanup_url(ociwp_url *url)
{
	ociwp_url_deinit(url);
}
static inline bool ociwp_url_same_origin(const ociwp_url *a, const ociwp_url *b)
{
	return strcmp(a->origin, b->origin) == 0;
}

/* For messages: userinfo and the values of query parameters that may be secret are cut. */
void ociwp_url_redact(const char *url, ociwp_buf *out);

/* How far a host reaches, by its text alone: names count as public but "localhost". */
bool ociwp_host_is_loopback(const char *host);
/* Loopback, link-local, private or unspecified literal, "localhost" (HTTP-6). */
bool ociwp_host_is_private(const char *host);

/* Adds "?name=value" or "&name=value", the value percent-encoded. */
void ociwp_url_add_query(ociwp_buf *url, const char *name, const char *value);

#endif
