/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything that looks inside a URL. It makes no request and resolves no name. Requirements
 * HTTP-3, HTTP-4, HTTP-6, HTTP-7 and ERR-4 of the client.
 */
#include "registry/url.h"

#include "base/str.h"
#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>

static char *get_part(CURLU *handle, CURLUPart part, unsigned flags)
{
	char *text = NULL;
	if (curl_url_get(handle, part, &text, flags) != CURLUE_OK)
		return NULL;
	char *own = ociwp_strdup(text);
	curl_free(text);
	return own;
}

static void lower(char *text)
{
	for (; *text; text++)
		*text = ociwp_to_lower(*text);
}

static int fill(CURLU *handle, ociwp_url *out, ociw_error **err)
{
	OCIWP_AUTO(str) char *scheme = get_part(handle, CURLUPART_SCHEME, 0);
	OCIWP_AUTO(str) char *host = get_part(handle, CURLUPART_HOST, 0);
	OCIWP_AUTO(str) char *port = get_part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	OCIWP_AUTO(buf) ociwp_buf origin = OCIWP_BUF_INIT;
	out->text = get_part(handle, CURLUPART_URL, 0);
	if (!scheme || !host || !port || !out->text)
		return ociwp_nomem(err);
	lower(scheme);
	lower(host);
	ociwp_buf_printf(&origin, "%s://%s:%s", scheme, host, port);
	out->origin = ociwp_buf_steal(&origin);
	out->https = strcmp(scheme, "https") == 0;
	size_t len = strlen(host);
	if (host[0] == '[' && len > 2)
		out->host = ociwp_strndup(host + 1, len - 2);
	else
		out->host = ociwp_steal(&host);
	return out->origin && out->host ? 0 : ociwp_nomem(err);
}

static int judge(CURLU *handle, const char *shown, ociw_error **err)
{
	OCIWP_AUTO(str) char *scheme = get_part(handle, CURLUPART_SCHEME, 0);
	OCIWP_AUTO(str) char *user = get_part(handle, CURLUPART_USER, 0);
	OCIWP_AUTO(str) char *password = get_part(handle, CURLUPART_PASSWORD, 0);
	if (!scheme || (!ociwp_strcaseeq(scheme, "http") && !ociwp_strcaseeq(scheme, "https")))
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "URL %s is neither http nor https",
		                  ociwp_quote(shown));
	if (user || password)
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "URL %s holds a user name",
		                  ociwp_quote(shown));
	return 0;
}

int ociwp_url_parse(const char *text, const ociwp_url *base, ociwp_url *out, ociw_error **err)
{
	*out = (ociwp_url){0};
	OCIWP_AUTO(buf) ociwp_buf shown = OCIWP_BUF_INIT;
	ociwp_url_redact(text, &shown);
	if (shown.failed)
		return ociwp_nomem(err);
	const char *show = shown.data ? shown.data : "";
	CURLU *handle = curl_url();
	if (!handle)
		return ociwp_nomem(err);
	CURLUcode code = CURLUE_OK;
	if (base)
		code = curl_url_set(handle, CURLUPART_URL, base->text, CURLU_PATH_AS_IS);
	if (code == CURLUE_OK)
		code = curl_url_set(handle, CURLUPART_URL, text,
		                    CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME);
	int r;
	if (code == CURLUE_OUT_OF_MEMORY) {
		r = ociwp_nomem(err);
	} else if (code != CURLUE_OK) {
		r = ociwp_fail(err, OCIW_ERR_REGISTRY, "%s is no URL: %s", ociwp_quote(show),
		               curl_url_strerror(code));
	} else {
		r = judge(handle, show, err);
		if (r == 0) {
			(void)curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
			r = fill(handle, out, err);
		}
	}
	curl_url_cleanup(handle);
	if (r < 0)
		ociwp_url_deinit(out);
	return r;
}

void ociwp_url_deinit(ociwp_url *url)
{
	free(url->text);
	free(url->origin);
	free(url->host);
	*url = (ociwp_url){0};
}

/* Query parameters of the distribution API and of token requests: known to hold no secret. */
static bool is_plain_parameter(const char *name, size_t len)
{
	static const char *const names[] = {"digest",       "from",    "mount", "n",
	                                    "last",         "tag",     "scope", "service",
	                                    "artifactType", "account", "ns",    "digest-algorithm"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(names); i++) {
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return true;
	}
	return false;
}

static void redact_query(const char *query, ociwp_buf *out)
{
	char lead = '?';
	while (*query) {
		size_t len = strcspn(query, "&#");
		size_t name_len = strcspn(query, "=&#");
		ociwp_buf_putc(out, lead);
		if (name_len < len && !is_plain_parameter(query, name_len)) {
			ociwp_escape(out, query, name_len);
			ociwp_buf_puts(out, "=...");
		} else {
			ociwp_escape(out, query, len);
		}
		if (query[len] != '&')
			return;
		query += len + 1;
		lead = '&';
	}
}

void ociwp_url_redact(const char *url, ociwp_buf *out)
{
	const char *scheme_end = strstr(url, "://");
	const char *authority = scheme_end ? scheme_end + 3 : url;
	size_t authority_len = strcspn(authority, "/?#");
	if (scheme_end) {
		ociwp_escape(out, url, (size_t)(authority - url));
		/* The last '@': a password may hold one. */
		for (size_t i = authority_len; i > 0; i--) {
			if (authority[i - 1] == '@') {
				ociwp_buf_puts(out, "...@");
				authority += i;
				authority_len -= i;
				break;
			}
		}
	}
	size_t path_len = authority_len + strcspn(authority + authority_len, "?#");
	ociwp_escape(out, authority, path_len);
	if (authority[path_len] == '?')
		redact_query(authority + path_len + 1, out);
}

static bool v4_is_loopback(uint32_t ip)
{
	return ip >> 24 == 127;
}

/* RFC 1918, RFC 6598, link-local, "this network", and what is no host at all. */
static bool v4_is_private(uint32_t ip)
{
	return v4_is_loopback(ip) || ip >> 24 == 10 || ip >> 20 == 0xAC1 || ip >> 16 == 0xC0A8 ||
	       ip >> 16 == 0xA9FE || ip >> 24 == 0 || ip >> 22 == (0x64400000u >> 22) ||
	       ip >> 28 >= 14;
}

/* An IPv4 address inside an IPv6 one: mapped, compatible, NAT64. */
static bool v6_holds_v4(const struct in6_addr *ip, uint32_t *v4)
{
	static const uint8_t nat64[12] = {0x00, 0x64, 0xFF, 0x9B};
	if (!IN6_IS_ADDR_V4MAPPED(ip) && !IN6_IS_ADDR_V4COMPAT(ip) &&
	    memcmp(ip->s6_addr, nat64, sizeof(nat64)) != 0)
		return false;
	const uint8_t *b = ip->s6_addr + 12;
	*v4 = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	return true;
}

static bool is_localhost(const char *host)
{
	size_t len = strlen(host);
	if (len && host[len - 1] == '.')
		len--;
	return (len == 9 && strncasecmp(host, "localhost", 9) == 0) ||
	       (len > 10 && strncasecmp(host + len - 10, ".localhost", 10) == 0);
}

/* A literal address of either family; false for names. Zone ids are cut. */
static bool parse_literal(const char *host, bool *is_v4, uint32_t *v4, struct in6_addr *v6)
{
	struct in_addr four;
	char text[INET6_ADDRSTRLEN];
	size_t len = strcspn(host, "%");
	if (len >= sizeof(text))
		return false;
	memcpy(text, host, len);
	text[len] = 0;
	/* Short and octal forms too: the resolver would take them. */
	*is_v4 = inet_aton(text, &four) != 0;
	if (*is_v4) {
		*v4 = ntohl(four.s_addr);
		return true;
	}
	if (inet_pton(AF_INET6, text, v6) != 1)
		return false;
	*is_v4 = v6_holds_v4(v6, v4) && !IN6_IS_ADDR_LOOPBACK(v6) && !IN6_IS_ADDR_UNSPECIFIED(v6);
	return true;
}

bool ociwp_host_is_loopback(const char *host)
{
	bool is_v4;
	uint32_t v4;
	struct in6_addr v6;
	if (is_localhost(host))
		return true;
	if (!parse_literal(host, &is_v4, &v4, &v6))
		return false;
	return is_v4 ? v4_is_loopback(v4) : IN6_IS_ADDR_LOOPBACK(&v6);
}

bool ociwp_host_is_private(const char *host)
{
	bool is_v4;
	uint32_t v4;
	struct in6_addr v6;
	if (is_localhost(host))
		return true;
	if (!parse_literal(host, &is_v4, &v4, &v6))
		return false;
	if (is_v4)
		return v4_is_private(v4);
	return IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_UNSPECIFIED(&v6) ||
	       IN6_IS_ADDR_LINKLOCAL(&v6) || IN6_IS_ADDR_SITELOCAL(&v6) ||
	       IN6_IS_ADDR_MULTICAST(&v6) || (v6.s6_addr[0] & 0xFE) == 0xFC;
}

void ociwp_url_add_query(ociwp_buf *url, const char *name, const char *value)
{
	static const char digits[] = "0123456789ABCDEF";
	ociwp_buf_putc(url, url->data && strchr(url->data, '?') ? '&' : '?');
	ociwp_buf_puts(url, name);
	ociwp_buf_putc(url, '=');
	for (const char *p = value; *p; p++) {
		unsigned char c = (unsigned char)*p;
		if (ociwp_is_alnum(*p) || strchr("-._~:/,", *p)) {
			ociwp_buf_putc(url, *p);
		} else {
			ociwp_buf_putc(url, '%');
			ociwp_buf_putc(url, digits[c >> 4]);
			ociwp_buf_putc(url, digits[c & 15]);
		}
	}
}
