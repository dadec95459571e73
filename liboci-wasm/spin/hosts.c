/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar of hosts a component may reach, and the conversion of the older lists
 * (specs/spin.md 1.6, 1.7). Text only: nothing is resolved.
 */
#include "spin/hosts.h"
#include "base/buf.h"
#include "base/str.h"
#include "spin/template.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

/* An entry cut in three; parts borrow from it. */
typedef struct host_parts {
	const char *scheme, *host, *port;
	size_t scheme_len, host_len, port_len;
} host_parts;

static bool OCIW_PRINTF(2, 3) refuse(ociwp_host_error *why, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, args);
	va_end(args);
	return false;
}

static bool text_is(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(text, word, len) == 0;
}

/* An address, or a network such as 10.0.0.0/8 or fe80::/10. */
static bool is_network(const char *text, size_t len)
{
	char copy[64];
	unsigned char address[16];
	const char *slash = memchr(text, '/', len);
	size_t n = slash ? (size_t)(slash - text) : len;
	if (n == 0 || n >= sizeof(copy))
		return false;
	memcpy(copy, text, n);
	copy[n] = '\0';
	uint64_t max = 0, bits;
	if (inet_pton(AF_INET, copy, address) == 1)
		max = 32;
	else if (inet_pton(AF_INET6, copy, address) == 1)
		max = 128;
	if (!max || !slash)
		return max != 0;
	return ociwp_parse_u64(slash + 1, len - n - 1, &bits) && bits <= max;
}

/* What a URL takes as a host: [IPv6], or a name without the characters that end or quote one. */
static bool is_url_host(const char *text, size_t len)
{
	if (len > 2 && text[0] == '[')
		return text[len - 1] == ']' && !memchr(text, '.', len) &&
		       is_network(text + 1, len - 2) && memchr(text, ':', len) &&
		       !memchr(text, '/', len);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c <= ' ' || c == 0x7f || strchr("#/:<>?@[\\]^|%{}*", c))
			return false;
	}
	return len > 0;
}

static bool host_valid(const char *host, size_t len, ociwp_host_error *why)
{
	if (len && host[0] == '{')
		return refuse(why, "host lists are not yet supported");
	if (is_network(host, len))
		return true;
	if (len && host[len - 1] == '/')
		len--; /* one final slash is fine */
	if (memchr(host, '/', len))
		return refuse(why, "hosts must not contain paths");
	if (text_is(host, len, "*"))
		return true;
	const char *name = host;
	size_t name_len = len;
	if (len > 2 && host[0] == '*' && host[1] == '.') {
		name += 2;
		name_len -= 2;
	}
	if (memchr(name, '*', name_len))
		return refuse(why, "a wildcard is the whole host or stands before the first dot");
	if (!is_url_host(name, name_len))
		return refuse(why, "%s is no host", ociwp_quote_len(host, len));
	return true;
}

static bool port_known(const char *scheme, size_t len)
{
	static const char *const known[] = {"postgres", "mysql", "redis", "mqtt", "http", "https"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(known); i++)
		if (text_is(scheme, len, known[i]))
			return true;
	return false;
}

static bool is_port(const char *text, size_t len)
{
	uint64_t number;
	return ociwp_parse_u64(text, len, &number) && number <= 65535;
}

static bool port_valid(const host_parts *parts, ociwp_host_error *why)
{
	const char *port = parts->port;
	size_t len = parts->port_len;
	if (len == 0) {
		if (port_known(parts->scheme, parts->scheme_len))
			return true;
		return refuse(why,
		              "no port was provided and the scheme %s has no known default port",
		              ociwp_quote_len(parts->scheme, parts->scheme_len));
	}
	if (port[0] == '{')
		return refuse(why, "port lists are not yet supported");
	if (text_is(port, len, "*"))
		return true;
	const char *dots = memmem(port, len, "..", 2);
	if (dots) {
		size_t first = (size_t)(dots - port);
		if (is_port(port, first) && is_port(dots + 2, len - first - 2))
			return true;
		return refuse(why, "port range %s contains a non-number",
		              ociwp_quote_len(port, len));
	}
	if (is_port(port, len))
		return true;
	return refuse(why, "port %s is not a number", ociwp_quote_len(port, len));
}

static bool scheme_valid(const char *scheme, size_t len, ociwp_host_error *why)
{
	if (text_is(scheme, len, "*"))
		return true;
	for (size_t i = 0; i < len; i++)
		if (!ociwp_is_alpha(scheme[i]))
			return refuse(why, scheme[0] == '{' ? "scheme lists are not yet supported"
			                                    : "the scheme may only have letters");
	return true;
}

/* Cuts "SCHEME://HOST[:PORT][/]"; the host is judged on the way, as it decides where to cut. */
static bool split(const char *entry, host_parts *parts, ociwp_host_error *why)
{
	const char *end = entry + strlen(entry);
	while (entry < end && strchr(" \t\r\n", *entry))
		entry++;
	while (end > entry && strchr(" \t\r\n", end[-1]))
		end--;
	const char *colon = memmem(entry, (size_t)(end - entry), "://", 3);
	if (!colon)
		return refuse(why, "%s does not contain a scheme (such as 'http://' or '*://')",
		              ociwp_quote_len(entry, (size_t)(end - entry)));
	*parts = (host_parts){
	        .scheme = entry, .scheme_len = (size_t)(colon - entry), .host = colon + 3};
	size_t rest = (size_t)(end - parts->host);
	parts->host_len = rest;
	parts->port = end;
	ociwp_host_error whole = {""};
	if (host_valid(parts->host, rest, &whole))
		return true;
	const char *cut = memrchr(parts->host, ':', rest);
	if (!cut) {
		*why = whole;
		return false;
	}
	parts->host_len = (size_t)(cut - parts->host);
	parts->port = cut + 1;
	parts->port_len = (size_t)(end - parts->port);
	if (parts->port_len && parts->port[parts->port_len - 1] == '/')
		parts->port_len--;
	if (memchr(parts->port, '/', parts->port_len))
		return refuse(why, "has a path but is not allowed to");
	return host_valid(parts->host, parts->host_len, why);
}

bool ociwp_host_valid(const char *entry, ociwp_host_error *why)
{
	host_parts parts;
	return split(entry, &parts, why) && scheme_valid(parts.scheme, parts.scheme_len, why) &&
	       port_valid(&parts, why);
}

bool ociwp_host_chains(const char *entry)
{
	static const char suffix[] = ".spin.internal";
	const size_t n = sizeof(suffix) - 1;
	host_parts parts = {0};
	ociwp_host_error why = {""};
	if (!split(entry, &parts, &why))
		return false;
	size_t len = parts.host_len;
	if (len && parts.host[len - 1] == '/')
		len--;
	if (len <= n || strncasecmp(parts.host + len - n, suffix, n) != 0)
		return false;
	return parts.host[0] != '*' || len == n + 1;
}

static bool url_port(const char *text, size_t len, uint64_t default_port, uint64_t *port)
{
	*port = 0;
	if (len == 0)
		return true;
	if (!ociwp_parse_u64(text, len, port) || *port > 65535)
		return false;
	if (*port == default_port)
		*port = 0;
	return true;
}

int ociwp_http_host_parse(const char *entry, char **out, ociwp_host_error *why)
{
	const char *rest = entry;
	uint64_t default_port = 80, port = 0;
	if (strstr(entry, "//")) {
		bool tls = strncasecmp(entry, "https://", 8) == 0;
		if (!tls && strncasecmp(entry, "http://", 7) != 0) {
			refuse(why, "%s isn't a valid host or host:port string",
			       ociwp_quote(entry));
			return OCIW_ERR_FORMAT;
		}
		default_port = tls ? 443 : 80;
		rest = entry + (tls ? 8 : 7);
	}
	size_t authority = strcspn(rest, "/?#\\");
	const char *path = rest + authority;
	size_t path_len = strcspn(path, "?#");
	if (path_len > 1) {
		refuse(why, "%s contains a path, should be host and optional port only",
		       ociwp_quote(entry));
		return OCIW_ERR_FORMAT;
	}
	const char *user = memrchr(rest, '@', authority);
	if (user) {
		authority -= (size_t)(user + 1 - rest);
		rest = user + 1;
	}
	const char *bracket = memrchr(rest, ']', authority);
	const char *colon = memrchr(rest, ':', authority);
	if (colon && bracket && colon < bracket)
		colon = NULL;
	size_t host = colon ? (size_t)(colon - rest) : authority;
	if (!is_url_host(rest, host) ||
	    (colon && !url_port(colon + 1, authority - host - 1, default_port, &port))) {
		refuse(why, "%s isn't a valid host or host:port string", ociwp_quote(entry));
		return OCIW_ERR_FORMAT;
	}
	char *text = NULL;
	if (asprintf(&text, port ? "%.*s:%u" : "%.*s", (int)host, rest, (unsigned)port) < 0)
		return OCIW_ERR_NOMEM;
	for (size_t i = 0; i < host; i++)
		text[i] = ociwp_to_lower(text[i]);
	*out = text;
	return 0;
}

static int add_converted(ociwp_component *component, const char *host, ociwp_place at,
                         ociw_error **err)
{
	ociwp_strings *to = &component->outbound_hosts;
	if (ociwp_streq(host, "self"))
		return ociwp_strings_add(to, "http://self", at, err);
	for (int tls = 0; tls < 2; tls++) {
		OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
		ociwp_buf_printf(&text, "%s://%s", tls ? "https" : "http", host);
		if (ociwp_buf_check(&text, err) < 0 ||
		    ociwp_strings_add(to, text.data, at, err) < 0)
			return OCIW_ERR_NOMEM;
	}
	return 0;
}

static int convert_each(ociwp_component *component, ociwp_report *report, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf bad = OCIWP_BUF_INIT;
	const ociwp_strings *from = &component->http_hosts;
	ociwp_place at = {0};
	for (size_t i = 0; i < from->count; i++) {
		OCIWP_AUTO(str) char *host = NULL;
		ociwp_host_error why = {""};
		int r = ociwp_http_host_parse(from->items[i], &host, &why);
		if (r == OCIW_ERR_NOMEM)
			return ociwp_nomem(err);
		if (r < 0) {
			at = at.line ? at : from->places[i];
			ociwp_buf_printf(&bad, "%s%s", bad.len ? "; " : "", why.text);
		} else if (add_converted(component, host, from->places[i], err) < 0) {
			return OCIW_ERR_NOMEM;
		}
	}
	if (ociwp_buf_check(&bad, err) < 0)
		return OCIW_ERR_NOMEM;
	if (bad.len == 0)
		return 0;
	return ociwp_report_fail(
	        report, (ociwp_where){at, component->id, "http-hosts"}, OCIW_ERR_FORMAT, err,
	        "one or more allowed_http_hosts entries was invalid: %s", bad.data);
}

int ociwp_hosts_convert_http(ociwp_component *component, ociwp_report *report, ociw_error **err)
{
	static const char *const everything[] = {"http://*:*", "https://*:*", "http://self"};
	ociwp_strings *from = &component->http_hosts;
	bool all = false;
	for (size_t i = 0; i < from->count; i++)
		all |= ociwp_streq(from->items[i], "insecure:allow-all");
	int r = 0;
	if (all) {
		for (size_t i = 0; r == 0 && i < OCIWP_ARRAY_LEN(everything); i++)
			r = ociwp_strings_add(&component->outbound_hosts, everything[i],
			                      from->places[0], err);
	} else {
		r = convert_each(component, report, err);
	}
	if (r == 0)
		ociwp_strings_deinit(from);
	return r;
}

static const char *default_of(const char *name, size_t len, void *user_data)
{
	const ociwp_spin_manifest *manifest = user_data;
	for (size_t i = 0; i < manifest->variable_count; i++)
		if (text_is(name, len, manifest->variables[i].name))
			return manifest->variables[i].default_value;
	return NULL;
}

/* Entries with templates count only when every variable has a default. 1 good, 0 bad, or NOMEM. */
static int judge_expanded(const char *entry, const ociwp_spin_manifest *manifest,
                          ociwp_host_error *why)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	bool complete;
	if (ociwp_template_expand(entry, default_of, (void *)manifest, 65536, &text, &complete) < 0)
		return refuse(why, "is longer than 64 KiB with its variables");
	if (text.failed)
		return OCIW_ERR_NOMEM;
	const char *value = text.data ? text.data : "";
	if (!complete || !*value || ociwp_streq(value, "http://") || ociwp_streq(value, "https://"))
		return 1;
	return ociwp_host_valid(value, why);
}

static int judge(const char *entry, bool alone, const ociwp_spin_manifest *manifest,
                 ociwp_host_error *why)
{
	if (alone && ociwp_streq(entry, "insecure:allow-all"))
		return refuse(why, "use '*://*:*' to allow all outbound traffic");
	if (!ociwp_template_valid(entry))
		return refuse(why, "unmatched '{{' in template");
	if (ociwp_template_is_literal(entry))
		return ociwp_host_valid(entry, why);
	return judge_expanded(entry, manifest, why);
}

int ociwp_hosts_check(const ociwp_component *component, const ociwp_spin_manifest *manifest,
                      ociwp_report *report, bool *chains, ociw_error **err)
{
	const ociwp_strings *hosts = &component->outbound_hosts;
	*chains = false;
	for (size_t i = 0; i < hosts->count; i++) {
		const char *entry = hosts->items[i];
		ociwp_host_error why = {""};
		int good = judge(entry, hosts->count == 1, manifest, &why);
		if (good < 0)
			return ociwp_nomem(err);
		if (!good)
			return ociwp_report_fail(
			        report, (ociwp_where){hosts->places[i], component->id, "host"},
			        OCIW_ERR_FORMAT, err, "allowed_outbound_hosts: %s: %s",
			        ociwp_quote(entry), why.text);
		if (ociwp_template_is_literal(entry) && ociwp_host_chains(entry))
			*chains = true;
	}
	return 0;
}
