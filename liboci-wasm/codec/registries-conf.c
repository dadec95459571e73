/* SPDX-License-Identifier: Apache-2.0
 *
 * The TOML that registries.conf files are written in: tables, arrays of tables, strings, booleans,
 * integers, arrays. Dates, multi-line strings and inline tables are refused where they are skipped
 * over, too. containers-registries.conf(5); MIR-1.
 */
#include "codec/registries-conf.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"

#define TEXT_MAX (1024u * 1024)
#define ENTRIES_MAX 1000
#define DEPTH_MAX 8

typedef struct parser {
	const char *at, *end;
	unsigned line;
	ociwp_registries_conf *conf;
	ociwp_registry_entry *entry; /* the open [[registry]] */
	ociwp_mirror *mirror;        /* the open [[registry.mirror]] */
	ociw_error **err;
} parser;

typedef enum value_kind { VALUE_STRING, VALUE_BOOL, VALUE_OTHER } value_kind;

typedef struct value {
	value_kind kind;
	ociwp_buf text;
	bool truth;
} value;

static int bad(const parser *p, const char *what)
{
	return ociwp_fail(p->err, OCIW_ERR_FORMAT, "registries.conf line %u: %s", p->line, what);
}

/* ---- white space ---- */

static void skip_blank(parser *p)
{
	while (p->at < p->end && (*p->at == ' ' || *p->at == '\t'))
		p->at++;
}

static void skip_comment(parser *p)
{
	if (p->at < p->end && *p->at == '#') {
		while (p->at < p->end && *p->at != '\n')
			p->at++;
	}
}

/* To the next thing, over line ends and comments. */
static void skip_lines(parser *p)
{
	for (;;) {
		skip_blank(p);
		skip_comment(p);
		if (p->at < p->end && (*p->at == '\n' || *p->at == '\r')) {
			p->line += *p->at == '\n';
			p->at++;
			continue;
		}
		return;
	}
}

static int end_line(parser *p)
{
	skip_blank(p);
	skip_comment(p);
	if (p->at < p->end && *p->at == '\r')
		p->at++;
	if (p->at < p->end && *p->at != '\n')
		return bad(p, "more after the end of the statement");
	return 0;
}

/* ---- strings ---- */

static void put_utf8(ociwp_buf *out, uint32_t c)
{
	if (c < 0x80) {
		ociwp_buf_putc(out, (char)c);
	} else if (c < 0x800) {
		ociwp_buf_putc(out, (char)(0xC0 | c >> 6));
		ociwp_buf_putc(out, (char)(0x80 | (c & 0x3F)));
	} else {
		if (c >= 0x10000)
			ociwp_buf_putc(out, (char)(0xF0 | c >> 18));
		ociwp_buf_putc(out,
		               (char)((c < 0x10000 ? 0xE0 | c >> 12 : 0x80 | (c >> 12 & 0x3F))));
		ociwp_buf_putc(out, (char)(0x80 | (c >> 6 & 0x3F)));
		ociwp_buf_putc(out, (char)(0x80 | (c & 0x3F)));
	}
}

static int take_unicode(parser *p, size_t digits, ociwp_buf *out)
{
	uint32_t c = 0;
	if ((size_t)(p->end - p->at) < digits)
		return bad(p, "unfinished escape");
	for (size_t i = 0; i < digits; i++, p->at++) {
		char d = ociwp_to_lower(*p->at);
		if (!ociwp_is_digit(d) && !(d >= 'a' && d <= 'f'))
			return bad(p, "bad escape");
		c = c << 4 | (uint32_t)(ociwp_is_digit(d) ? d - '0' : d - 'a' + 10);
	}
	if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
		return bad(p, "escape of no character");
	put_utf8(out, c);
	return 0;
}

static int take_escape(parser *p, ociwp_buf *out)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	if (p->at == p->end)
		return bad(p, "unfinished string");
	char c = *p->at++;
	if (c == 'u' || c == 'U')
		return take_unicode(p, c == 'u' ? 4 : 8, out);
	const char *found = c ? strchr(from, c) : NULL;
	if (!found)
		return bad(p, "bad escape");
	ociwp_buf_putc(out, to[found - from]);
	return 0;
}

static int take_string(parser *p, ociwp_buf *out)
{
	char quote = *p->at++;
	if (p->end - p->at >= 2 && p->at[0] == quote && p->at[1] == quote)
		return bad(p, "multi-line strings are not supported here");
	while (p->at < p->end && *p->at != quote) {
		char c = *p->at;
		if (((unsigned char)c < 0x20 && c != '\t') || c == 0x7F)
			return bad(p, "control byte in a string");
		p->at++;
		int r = 0;
		if (c == '\\' && quote == '"')
			r = take_escape(p, out);
		else
			ociwp_buf_putc(out, c);
		if (r < 0)
			return r;
	}
	if (p->at == p->end)
		return bad(p, "unfinished string");
	p->at++;
	return ociwp_buf_check(out, p->err);
}

/* ---- values ---- */

static bool is_bare(char c)
{
	return ociwp_is_alnum(c) || c == '_' || c == '-' || c == '+' || c == '.' || c == ':';
}

static int take_value(parser *p, value *out, unsigned depth);

static int take_array(parser *p, unsigned depth)
{
	p->at++;
	if (depth == DEPTH_MAX)
		return bad(p, "arrays are nested too deeply");
	for (;;) {
		value item = {0};
		skip_lines(p);
		if (p->at < p->end && *p->at == ']') {
			p->at++;
			return 0;
		}
		int r = take_value(p, &item, depth + 1);
		ociwp_buf_deinit(&item.text);
		if (r < 0)
			return r;
		skip_lines(p);
		if (p->at < p->end && *p->at == ',')
			p->at++;
		else if (p->at == p->end || *p->at != ']')
			return bad(p, "expected , or ] in an array");
	}
}

static int take_value(parser *p, value *out, unsigned depth)
{
	if (p->at == p->end)
		return bad(p, "a value is missing");
	if (*p->at == '"' || *p->at == '\'') {
		out->kind = VALUE_STRING;
		return take_string(p, &out->text);
	}
	out->kind = VALUE_OTHER;
	if (*p->at == '[')
		return take_array(p, depth);
	const char *start = p->at;
	while (p->at < p->end && is_bare(*p->at))
		p->at++;
	size_t len = (size_t)(p->at - start);
	if (len == 0)
		return bad(p, "this kind of value is not supported here");
	bool yes = len == 4 && memcmp(start, "true", 4) == 0;
	if (yes || (len == 5 && memcmp(start, "false", 5) == 0)) {
		out->kind = VALUE_BOOL;
		out->truth = yes;
		return 0;
	}
	return ociwp_is_digit(*start) || *start == '+' || *start == '-' ? 0
	                                                                : bad(p, "unknown value");
}

/* ---- keys and tables ---- */

/* A dotted key as "a.b"; parts in quotes may hold anything. */
static int take_key(parser *p, ociwp_buf *out)
{
	ociwp_buf_puts(out, ""); /* "" is a key too, and a string */
	for (;;) {
		skip_blank(p);
		int r = 0;
		if (p->at < p->end && (*p->at == '"' || *p->at == '\'')) {
			r = take_string(p, out);
		} else {
			const char *start = p->at;
			while (p->at < p->end &&
			       (ociwp_is_alnum(*p->at) || *p->at == '_' || *p->at == '-'))
				p->at++;
			if (p->at == start)
				return bad(p, "a key is missing");
			ociwp_buf_append(out, start, (size_t)(p->at - start));
		}
		if (r < 0)
			return r;
		skip_blank(p);
		if (p->at == p->end || *p->at != '.')
			return ociwp_buf_check(out, p->err);
		ociwp_buf_putc(out, '.');
		p->at++;
	}
}

static int open_entry(parser *p)
{
	ociwp_registries_conf *conf = p->conf;
	if (conf->count == ENTRIES_MAX)
		return bad(p, "too many registries");
	ociwp_registry_entry *grown =
	        ociwp_realloc_array(conf->entries, conf->count + 1, sizeof(*grown));
	if (!grown)
		return ociwp_nomem(p->err);
	conf->entries = grown;
	p->entry = &grown[conf->count++];
	*p->entry = (ociwp_registry_entry){0};
	p->mirror = NULL;
	return 0;
}

static int open_mirror(parser *p)
{
	ociwp_registry_entry *entry = p->entry;
	if (!entry)
		return bad(p, "[[registry.mirror]] before any [[registry]]");
	if (entry->mirror_count == ENTRIES_MAX)
		return bad(p, "too many mirrors");
	ociwp_mirror *grown =
	        ociwp_realloc_array(entry->mirrors, entry->mirror_count + 1, sizeof(*grown));
	if (!grown)
		return ociwp_nomem(p->err);
	entry->mirrors = grown;
	p->mirror = &grown[entry->mirror_count++];
	*p->mirror = (ociwp_mirror){0};
	return 0;
}

static int take_table(parser *p)
{
	OCIWP_AUTO(buf) ociwp_buf name = OCIWP_BUF_INIT;
	bool array = p->end - p->at > 1 && p->at[1] == '[';
	p->at += array ? 2 : 1;
	int r = take_key(p, &name);
	if (r < 0)
		return r;
	for (int i = 0; i < (array ? 2 : 1); i++) {
		if (p->at == p->end || *p->at++ != ']')
			return bad(p, "expected ]");
	}
	r = end_line(p);
	if (r < 0)
		return r;
	if (array && strcmp(name.data, "registry") == 0)
		return open_entry(p);
	if (array && strcmp(name.data, "registry.mirror") == 0)
		return open_mirror(p);
	if (strcmp(name.data, "registries") == 0 || ociwp_starts_with(name.data, "registries."))
		return bad(p, "version 1 of this format is not supported");
	/* [aliases] and what the future brings. */
	p->entry = NULL;
	p->mirror = NULL;
	return 0;
}

static int want(const parser *p, const value *v, value_kind kind, const char *key)
{
	if (v->kind == kind)
		return 0;
	return ociwp_fail(p->err, OCIW_ERR_FORMAT, "registries.conf line %u: %s must be %s",
	                  p->line, key, kind == VALUE_BOOL ? "true or false" : "a string");
}

static int set_string(const parser *p, const char *key, value *v, char **member)
{
	int r = want(p, v, VALUE_STRING, key);
	if (r < 0)
		return r;
	if (v->text.len && memchr(v->text.data, 0, v->text.len))
		return bad(p, "NUL in a string");
	free(*member);
	*member = ociwp_buf_steal(&v->text);
	return *member ? 0 : ociwp_nomem(p->err);
}

static int set_bool(const parser *p, const char *key, const value *v, bool *member)
{
	int r = want(p, v, VALUE_BOOL, key);
	if (r == 0)
		*member = v->truth;
	return r;
}

static int set_mirror(parser *p, const char *key, value *v)
{
	ociwp_mirror *mirror = p->mirror;
	if (strcmp(key, "location") == 0)
		return set_string(p, key, v, &mirror->location);
	if (strcmp(key, "insecure") == 0)
		return set_bool(p, key, v, &mirror->insecure);
	if (strcmp(key, "pull-from-mirror") != 0)
		return 0;
	int r = want(p, v, VALUE_STRING, key);
	if (r < 0)
		return r;
	if (ociwp_streq(v->text.data, "all"))
		mirror->pull_from = OCIWP_MIRROR_ALL;
	else if (ociwp_streq(v->text.data, "digest-only"))
		mirror->pull_from = OCIWP_MIRROR_DIGEST_ONLY;
	else if (ociwp_streq(v->text.data, "tag-only"))
		mirror->pull_from = OCIWP_MIRROR_TAG_ONLY;
	else
		return bad(p, "pull-from-mirror must be all, digest-only or tag-only");
	return 0;
}

static int set_entry(parser *p, const char *key, value *v)
{
	ociwp_registry_entry *entry = p->entry;
	if (strcmp(key, "prefix") == 0)
		return set_string(p, key, v, &entry->prefix);
	if (strcmp(key, "location") == 0)
		return set_string(p, key, v, &entry->location);
	if (strcmp(key, "insecure") == 0)
		return set_bool(p, key, v, &entry->insecure);
	if (strcmp(key, "blocked") == 0)
		return set_bool(p, key, v, &entry->blocked);
	if (strcmp(key, "mirror-by-digest-only") == 0)
		return set_bool(p, key, v, &entry->mirror_by_digest_only);
	return 0;
}

static int take_pair(parser *p)
{
	OCIWP_AUTO(buf) ociwp_buf key = OCIWP_BUF_INIT;
	value v = {0};
	int r = take_key(p, &key);
	if (r == 0 && (p->at == p->end || *p->at++ != '='))
		r = bad(p, "expected =");
	if (r == 0) {
		skip_blank(p);
		r = take_value(p, &v, 0);
	}
	if (r == 0)
		r = end_line(p);
	if (r == 0 && p->mirror)
		r = set_mirror(p, key.data, &v);
	else if (r == 0 && p->entry)
		r = set_entry(p, key.data, &v);
	ociwp_buf_deinit(&v.text);
	return r;
}

/* ---- entries ---- */

static bool is_location(const char *text)
{
	size_t len = text ? strlen(text) : 0;
	if (len == 0 || text[0] == '/' || text[len - 1] == '/')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!ociwp_is_alnum(text[i]) && !strchr("._-:/[]*", text[i]))
			return false;
	}
	return !strstr(text, "//");
}

/* A prefix may be left out, and is the location then. "*.host" has no path of its own. */
static int finish_entry(ociwp_registry_entry *entry, size_t i, ociw_error **err)
{
	if (!entry->prefix && entry->location) {
		entry->prefix = ociwp_strdup(entry->location);
		if (!entry->prefix)
			return ociwp_nomem(err);
	}
	const char *prefix = entry->prefix;
	bool wild = prefix && ociwp_starts_with(prefix, "*.");
	if (!is_location(prefix) || (entry->location && !is_location(entry->location)) ||
	    (wild && strchr(prefix, '/')) || strchr(prefix + wild, '*'))
		return ociwp_fail(err, OCIW_ERR_FORMAT,
		                  "registries.conf: registry %zu: bad prefix or location %s", i,
		                  ociwp_quote(prefix ? prefix : ""));
	for (size_t k = 0; k < entry->mirror_count; k++) {
		if (!is_location(entry->mirrors[k].location))
			return ociwp_fail(err, OCIW_ERR_FORMAT,
			                  "registries.conf: registry %zu: mirror %zu has no proper "
			                  "location",
			                  i, k);
	}
	return 0;
}

static void drop_entries(ociwp_registries_conf *conf, size_t keep)
{
	while (conf->count > keep) {
		ociwp_registry_entry *entry = &conf->entries[--conf->count];
		for (size_t k = 0; k < entry->mirror_count; k++)
			free(entry->mirrors[k].location);
		free(entry->mirrors);
		free(entry->prefix);
		free(entry->location);
	}
}

static int parse_all(parser *p, size_t before)
{
	int r = 0;
	for (skip_lines(p); r == 0 && p->at < p->end; skip_lines(p))
		r = *p->at == '[' ? take_table(p) : take_pair(p);
	for (size_t i = before; r == 0 && i < p->conf->count; i++)
		r = finish_entry(&p->conf->entries[i], i, p->err);
	return r;
}

int ociwp_registries_conf_parse(ociw_span text, ociwp_registries_conf *into, ociw_error **err)
{
	parser p = {.at = text.data, .line = 1, .conf = into, .err = err};
	size_t before = into->count;
	if (text.len > TEXT_MAX)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "registries.conf is larger than %u bytes",
		                  TEXT_MAX);
	p.end = p.at + text.len;
	int r = parse_all(&p, before);
	if (r < 0)
		drop_entries(into, before); /* all of a file or nothing */
	return r;
}

void ociwp_registries_conf_deinit(ociwp_registries_conf *conf)
{
	drop_entries(conf, 0);
	free(conf->entries);
	*conf = (ociwp_registries_conf){0};
}

/* How much of @p name the prefix takes; 0: it does not match. */
static size_t match(const char *prefix, const char *name)
{
	size_t len = strlen(prefix), host = strcspn(name, "/");
	if (ociwp_starts_with(prefix, "*.")) {
		const char *suffix = prefix + 1;
		bool ends = host > len - 1 && memcmp(name + host - (len - 1), suffix, len - 1) == 0;
		return ends ? host : 0;
	}
	if (strncmp(name, prefix, len) != 0)
		return 0;
	return name[len] == 0 || name[len] == '/' ? len : 0;
}

const ociwp_registry_entry *ociwp_registries_conf_find(const ociwp_registries_conf *conf,
                                                       const char *name)
{
	const ociwp_registry_entry *best = NULL;
	for (size_t i = 0; i < conf->count; i++) {
		const ociwp_registry_entry *entry = &conf->entries[i];
		if (match(entry->prefix, name) &&
		    (!best || strlen(entry->prefix) >= strlen(best->prefix)))
			best = entry;
	}
	return best;
}

char *ociwp_registries_conf_rewrite(const ociwp_registry_entry *entry, const char *location,
                                    const char *name)
{
	ociwp_buf out = OCIWP_BUF_INIT;
	ociwp_buf_puts(&out, location);
	ociwp_buf_puts(&out, name + match(entry->prefix, name));
	if (out.failed) {
		ociwp_buf_deinit(&out);
		return NULL;
	}
	return ociwp_buf_steal(&out);
}
