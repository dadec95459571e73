/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiles and matches patterns. Matching keeps the set of places in the pattern that the text so
 * far can have reached, so that its time is text times pattern whatever the stars.
 */
#include "spin/glob.h"
#include "base/str.h"

typedef enum token_kind {
	TOKEN_CHAR,
	TOKEN_ANY,       /* ? */
	TOKEN_SEQUENCE,  /* * */
	TOKEN_RECURSIVE, /* ** with the '/' behind it */
	TOKEN_WITHIN,    /* [...] */
	TOKEN_EXCEPT     /* [!...] */
} token_kind;

typedef struct range {
	uint32_t first, last;
} range;

typedef struct token {
	token_kind kind;
	uint32_t c;
	size_t ranges, range_count; /* in the glob's list */
} token;

struct ociwp_glob {
	token *tokens;
	size_t token_count;
	range *ranges;
	size_t range_count;
	bool *states; /* two sets for matching, so that it cannot run out of memory */
	bool recursive;
};

void ociwp_glob_free(ociwp_glob *glob)
{
	if (!glob)
		return;
	free(glob->tokens);
	free(glob->ranges);
	free(glob->states);
	free(glob);
}

/* Next character of UTF-8 text; false for broken bytes. */
static bool next_char(const char *text, size_t len, size_t *pos, uint32_t *c)
{
	const unsigned char *s = (const unsigned char *)text + *pos;
	size_t n = ociwp_utf8_sequence(s, len - *pos);
	if (n == 0)
		return false;
	static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	*c = s[0] & masks[n];
	for (size_t i = 1; i < n; i++)
		*c = *c << 6 | (s[i] & 0x3f);
	*pos += n;
	return true;
}

/* The pattern as characters; NULL without memory or for broken UTF-8 (then *good is false). */
static uint32_t *decode(const char *text, size_t len, size_t *count, bool *good)
{
	uint32_t *chars = ociwp_realloc_array(NULL, len + 1, sizeof(*chars));
	*count = 0;
	*good = true;
	for (size_t pos = 0; chars && pos < len;) {
		if (!next_char(text, len, &pos, &chars[(*count)++])) {
			free(chars);
			*good = false;
			return NULL;
		}
	}
	return chars;
}

/* Characters and ranges of a class; a '-' is a range only between two others. */
static void add_ranges(ociwp_glob *glob, const uint32_t *chars, size_t count, token *to)
{
	to->ranges = glob->range_count;
	for (size_t i = 0; i < count;) {
		range *r = &glob->ranges[glob->range_count++];
		if (i + 3 <= count && chars[i + 1] == '-') {
			*r = (range){chars[i], chars[i + 2]};
			i += 3;
		} else {
			*r = (range){chars[i], chars[i]};
			i++;
		}
	}
	to->range_count = glob->range_count - to->ranges;
}

/* A class at chars[i]: its length, or 0 when it is no class. The first of it may be ']'. */
static size_t add_class(ociwp_glob *glob, const uint32_t *chars, size_t count, size_t i)
{
	bool except = i + 1 < count && chars[i + 1] == '!';
	size_t start = i + (except ? 2 : 1);
	for (size_t end = start + 1; end < count; end++) {
		if (chars[end] != ']')
			continue;
		token *to = &glob->tokens[glob->token_count++];
		to->kind = except ? TOKEN_EXCEPT : TOKEN_WITHIN;
		add_ranges(glob, chars + start, end - start, to);
		return end + 1 - i;
	}
	return 0;
}

/* Stars at chars[i]: how many characters they take, 0 when they are wrong. */
static size_t add_stars(ociwp_glob *glob, const uint32_t *chars, size_t count, size_t i,
                        const char **problem, size_t *position)
{
	size_t end = i;
	while (end < count && chars[end] == '*')
		end++;
	size_t stars = end - i;
	if (stars > 2) {
		*problem = "wildcards are either regular `*` or recursive `**`";
		*position = i + 2;
		return 0;
	}
	if (stars == 1) {
		glob->tokens[glob->token_count++].kind = TOKEN_SEQUENCE;
		return 1;
	}
	if ((i > 0 && chars[i - 1] != '/') || (end < count && chars[end] != '/')) {
		*problem = "recursive wildcards must form a single path component";
		*position = i > 0 && chars[i - 1] != '/' ? i - 1 : end;
		return 0;
	}
	if (!glob->token_count || glob->tokens[glob->token_count - 1].kind != TOKEN_RECURSIVE)
		glob->tokens[glob->token_count++].kind = TOKEN_RECURSIVE;
	glob->recursive = true;
	return end < count ? 3 : 2;
}

static int compile(ociwp_glob *glob, const uint32_t *chars, size_t count, const char **problem,
                   size_t *position)
{
	for (size_t i = 0; i < count;) {
		size_t used = 1;
		if (chars[i] == '?') {
			glob->tokens[glob->token_count++].kind = TOKEN_ANY;
		} else if (chars[i] == '*') {
			used = add_stars(glob, chars, count, i, problem, position);
		} else if (chars[i] == '[') {
			used = add_class(glob, chars, count, i);
			if (!used) {
				*problem = "invalid range pattern";
				*position = i;
			}
		} else {
			glob->tokens[glob->token_count++] =
			        (token){.kind = TOKEN_CHAR, .c = chars[i]};
		}
		if (!used)
			return OCIW_ERR_FORMAT;
		i += used;
	}
	return 0;
}

int ociwp_glob_new(const char *pattern, size_t len, ociwp_glob **out, const char **problem,
                   size_t *position)
{
	OCIWP_AUTO(glob) ociwp_glob *glob = ociwp_new(ociwp_glob);
	size_t count;
	bool good;
	OCIWP_AUTO(mem) uint32_t *chars = decode(pattern, len, &count, &good);
	*position = 0;
	*problem = "not UTF-8 text";
	if (!good)
		return OCIW_ERR_FORMAT;
	if (!glob || !chars)
		return OCIW_ERR_NOMEM;
	glob->tokens = ociwp_calloc(count + 1, sizeof(*glob->tokens));
	glob->ranges = ociwp_calloc(count + 1, sizeof(*glob->ranges));
	if (!glob->tokens || !glob->ranges)
		return OCIW_ERR_NOMEM;
	int r = compile(glob, chars, count, problem, position);
	if (r < 0)
		return r;
	glob->states = ociwp_calloc(2 * (glob->token_count + 1), sizeof(*glob->states));
	if (!glob->states)
		return OCIW_ERR_NOMEM;
	*out = ociwp_steal(&glob);
	return 0;
}

static bool one_matches(const ociwp_glob *glob, const token *t, uint32_t c, bool within_component)
{
	if (t->kind == TOKEN_CHAR)
		return t->c == c;
	if (within_component && c == '/')
		return false;
	if (t->kind == TOKEN_ANY)
		return true;
	bool found = false;
	for (size_t i = 0; i < t->range_count && !found; i++) {
		const range *r = &glob->ranges[t->ranges + i];
		found = c >= r->first && c <= r->last;
	}
	return found == (t->kind == TOKEN_WITHIN);
}

/* States are places before a token; those behind stars that may be empty are entered at once. */
static void enter(const ociwp_glob *glob, bool *states, size_t place)
{
	while (!states[place]) {
		states[place] = true;
		if (place == glob->token_count || (glob->tokens[place].kind != TOKEN_SEQUENCE &&
		                                   glob->tokens[place].kind != TOKEN_RECURSIVE))
			return;
		place++;
	}
}

static void step(const ociwp_glob *glob, const bool *from, bool *to, uint32_t c,
                 bool within_component)
{
	memset(to, 0, (glob->token_count + 1) * sizeof(*to));
	for (size_t i = 0; i < glob->token_count; i++) {
		if (!from[i])
			continue;
		const token *t = &glob->tokens[i];
		if (t->kind == TOKEN_SEQUENCE) {
			if (!within_component || c != '/')
				enter(glob, to, i);
		} else if (t->kind == TOKEN_RECURSIVE) {
			/* Takes whole components: what follows may begin only behind a '/'. */
			to[i] = true;
			if (c == '/')
				enter(glob, to, i + 1);
		} else if (one_matches(glob, t, c, within_component)) {
			enter(glob, to, i + 1);
		}
	}
}

/* "*", the most common of all. */
static bool takes_all(const ociwp_glob *glob)
{
	return glob->token_count == 1 && glob->tokens[0].kind == TOKEN_SEQUENCE;
}

bool ociwp_glob_match(const ociwp_glob *glob, const char *text, size_t len, bool within_component)
{
	if (takes_all(glob))
		return ociwp_utf8_valid(text, len) && !(within_component && memchr(text, '/', len));
	size_t room = glob->token_count + 1;
	bool *from = glob->states, *to = glob->states + room;
	memset(from, 0, room * sizeof(*from));
	enter(glob, from, 0);
	for (size_t pos = 0; pos < len;) {
		uint32_t c;
		if (!next_char(text, len, &pos, &c))
			return false;
		step(glob, from, to, c, within_component);
		bool *spare = from;
		from = to;
		to = spare;
	}
	/* "**" also takes a last component that no '/' follows. */
	for (size_t i = 0; i < glob->token_count; i++)
		if (from[i] && glob->tokens[i].kind == TOKEN_RECURSIVE)
			enter(glob, from, i + 1);
	return from[glob->token_count];
}

bool ociwp_glob_is_recursive(const ociwp_glob *glob)
{
	return glob->recursive;
}

bool ociwp_glob_is_literal(const ociwp_glob *glob)
{
	for (size_t i = 0; i < glob->token_count; i++)
		if (glob->tokens[i].kind != TOKEN_CHAR)
			return false;
	return true;
}

bool ociwp_looks_like_glob(const char *text)
{
	return strpbrk(text, "?*[]") != NULL;
}
