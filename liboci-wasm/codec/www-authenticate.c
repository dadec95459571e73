/* SPDX-License-Identifier: Apache-2.0
 *
 * A small scanner over "scheme param=value, param="value", scheme ...". It knows no HTTP and makes
 * no decision about trust. Grammar: RFC 9110 11.6.1, with the odd white space registries send
 * (AUT-1).
 */
#include "codec/www-authenticate.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"

typedef struct scanner {
	const char *at;
	const char *end;
} scanner;

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_token(char c)
{
	return ociwp_is_alnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static void skip_space(scanner *s)
{
	while (s->at < s->end && is_space(*s->at))
		s->at++;
}

static ociw_span take_token(scanner *s)
{
	const char *start = s->at;
	while (s->at < s->end && is_token(*s->at))
		s->at++;
	return (ociw_span){start, (size_t)(s->at - start)};
}

/* A quoted-string without its quotes and escapes. A missing closing quote ends it at the end. */
static void take_quoted(scanner *s, ociwp_buf *out)
{
	s->at++;
	while (s->at < s->end && *s->at != '"') {
		if (*s->at == '\\' && s->end - s->at > 1)
			s->at++;
		ociwp_buf_putc(out, *s->at++);
	}
	if (s->at < s->end)
		s->at++;
}

/* An unquoted value: more lenient than a token, as some registries leave out the quotes of URLs. */
static void take_bare(scanner *s, ociwp_buf *out)
{
	while (s->at < s->end && !is_space(*s->at) && *s->at != ',' && *s->at != '"')
		ociwp_buf_putc(out, *s->at++);
}

static bool span_is(ociw_span span, const char *name)
{
	const char *text = span.data;
	if (span.len != strlen(name))
		return false;
	for (size_t i = 0; i < span.len; i++) {
		if (ociwp_to_lower(text[i]) != name[i])
			return false;
	}
	return true;
}

static ociwp_auth_scheme scheme_of(ociw_span name)
{
	if (span_is(name, "bearer"))
		return OCIWP_AUTH_BEARER;
	if (span_is(name, "basic"))
		return OCIWP_AUTH_BASIC;
	return OCIWP_AUTH_OTHER;
}

static char **member_of(ociwp_challenge *challenge, ociw_span name)
{
	if (span_is(name, "realm"))
		return &challenge->realm;
	if (span_is(name, "service"))
		return &challenge->service;
	if (span_is(name, "scope"))
		return &challenge->scope;
	if (span_is(name, "error"))
		return &challenge->error;
	return NULL;
}

/* Reads the value after '='. Of a parameter given twice the first counts; values with a NUL inside
 * do not count at all. */
static int take_value(scanner *s, ociwp_challenge *challenge, ociw_span name, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf value = OCIWP_BUF_INIT;
	skip_space(s);
	if (s->at < s->end && *s->at == '"')
		take_quoted(s, &value);
	else
		take_bare(s, &value);
	int r = ociwp_buf_check(&value, err);
	if (r < 0)
		return r;
	char **member = challenge ? member_of(challenge, name) : NULL;
	if (!member || *member || (value.len && memchr(value.data, 0, value.len)))
		return 0;
	*member = ociwp_buf_steal(&value);
	return *member ? 0 : ociwp_nomem(err);
}

static int begin_challenge(ociwp_challenges *into, ociw_span name, ociw_error **err)
{
	ociwp_challenge *grown =
	        ociwp_realloc_array(into->items, into->count + 1, sizeof(*into->items));
	if (!grown)
		return ociwp_nomem(err);
	into->items = grown;
	into->items[into->count++] = (ociwp_challenge){.scheme = scheme_of(name)};
	return 0;
}

/* True when the '=' at the cursor is padding of a token68 ("Negotiate YII=="), not of a parameter.
 */
static bool is_padding(const scanner *s)
{
	const char *p = s->at;
	while (p < s->end && *p == '=')
		p++;
	if (p - s->at > 1)
		return true;
	while (p < s->end && is_space(*p))
		p++;
	return p == s->end || *p == ',';
}

int ociwp_challenges_parse(const char *value, size_t len, ociwp_challenges *into, ociw_error **err)
{
	scanner s = {value, value + len};
	bool open = false; /* a challenge of this header takes parameters */
	for (;;) {
		while (s.at < s.end && (is_space(*s.at) || *s.at == ','))
			s.at++;
		if (s.at == s.end)
			return 0;
		ociw_span name = take_token(&s);
		if (name.len == 0) { /* junk byte: a stray quote, '=' or '/' of a token68 */
			s.at++;
			continue;
		}
		bool touching = s.at < s.end && *s.at == '=';
		skip_space(&s);
		int r = 0;
		if (s.at < s.end && *s.at == '=') {
			if (touching && is_padding(&s)) {
				while (s.at < s.end && *s.at == '=')
					s.at++;
				continue;
			}
			s.at++;
			r = take_value(&s, open ? &into->items[into->count - 1] : NULL, name, err);
		} else if (into->count == OCIWP_CHALLENGES_MAX) {
			return 0;
		} else {
			r = begin_challenge(into, name, err);
			open = true;
		}
		if (r < 0)
			return r;
	}
}

const ociwp_challenge *ociwp_challenges_pick(const ociwp_challenges *challenges)
{
	const ociwp_challenge *basic = NULL;
	for (size_t i = 0; i < challenges->count; i++) {
		const ociwp_challenge *item = &challenges->items[i];
		if (item->scheme == OCIWP_AUTH_BEARER && item->realm && *item->realm)
			return item;
		if (item->scheme == OCIWP_AUTH_BASIC && !basic)
			basic = item;
	}
	return basic;
}

void ociwp_challenge_deinit(ociwp_challenge *challenge)
{
	free(challenge->realm);
	free(challenge->service);
	free(challenge->scope);
	free(challenge->error);
	*challenge = (ociwp_challenge){0};
}

void ociwp_challenges_deinit(ociwp_challenges *challenges)
{
	for (size_t i = 0; i < challenges->count; i++)
		ociwp_challenge_deinit(&challenges->items[i]);
	free(challenges->items);
	*challenges = (ociwp_challenges){0};
}
