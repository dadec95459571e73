/* SPDX-License-Identifier: Apache-2.0
 *
 * Does a version meet a requirement? As Rust's semver crate sees it: a bare version means ^, parts
 * may be left out, pre-releases match only where they are named (specs/spin.md 1.3).
 */
#include "base/str.h"
#include "spin/names.h"

enum operator_kind {
	OP_EXACT,
	OP_GREATER,
	OP_GREATER_EQUAL,
	OP_LESS,
	OP_LESS_EQUAL,
	OP_TILDE,
	OP_CARET
};

typedef struct comparator {
	enum operator_kind op;
	int parts;            /* how many numbers are there; 0 for "*" */
	ociwp_semver version; /* what is left out is 0 */
} comparator;

static enum operator_kind take_operator(const char **text)
{
	static const struct {
		const char *text;
		enum operator_kind op;
	} operators[] = {{">=", OP_GREATER_EQUAL}, {"<=", OP_LESS_EQUAL}, {">", OP_GREATER},
	                 {"<", OP_LESS},           {"=", OP_EXACT},       {"~", OP_TILDE},
	                 {"^", OP_CARET}};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(operators); i++) {
		if (ociwp_starts_with(*text, operators[i].text)) {
			*text += strlen(operators[i].text);
			*text += strspn(*text, " ");
			return operators[i].op;
		}
	}
	return OP_CARET;
}

static void take_numbers(const char **text, comparator *out)
{
	uint64_t *const numbers[] = {&out->version.major, &out->version.minor, &out->version.patch};
	bool wild = false;
	for (int i = 0; i < 3; i++) {
		size_t digits = strspn(*text, "0123456789");
		wild |= digits == 0; /* '*', 'x' or 'X' */
		if (!wild && ociwp_parse_u64(*text, digits, numbers[i]))
			out->parts++;
		*text += digits ? digits : strspn(*text, "*xX");
		if (**text != '.')
			return;
		++*text;
	}
}

/* The comparator at @p text, which a valid requirement has; moves to the next, or the end. */
static comparator take_comparator(const char **text)
{
	comparator out = {0};
	const char *start = *text;
	out.op = take_operator(text);
	bool bare = *text == start;
	take_numbers(text, &out);
	/* "1.*" is what "=1" means. */
	if (bare && memchr("*xX", (*text)[-1], 3))
		out.op = OP_EXACT;
	size_t len = strcspn(*text, " ,");
	if (**text == '-') {
		const char *plus = memchr(*text, '+', len);
		out.version.pre = *text + 1;
		out.version.pre_len = (plus ? (size_t)(plus - *text) : len) - 1;
	}
	*text += len;
	*text += strspn(*text, " ,");
	return out;
}

static bool is_at_least(const ociwp_semver *version, uint64_t major, uint64_t minor, uint64_t patch)
{
	if (version->major != major)
		return version->major > major;
	if (version->minor != minor)
		return version->minor > minor;
	return version->patch >= patch;
}

/* The first numbers are the same; build metadata does not count. */
static bool starts_the_same(const comparator *c, const ociwp_semver *version, int parts)
{
	return (parts < 1 || version->major == c->version.major) &&
	       (parts < 2 || version->minor == c->version.minor) &&
	       (parts < 3 || version->patch == c->version.patch);
}

/* Below zero before all that the comparator's text stands for, zero one of them, above zero behind.
 */
static int side_of(const comparator *c, const ociwp_semver *version)
{
	ociwp_semver bare = *version;
	bare.build = NULL;
	if (c->parts < 3) {
		if (starts_the_same(c, version, c->parts))
			return 0;
		return is_at_least(version, c->version.major, c->version.minor, 0) ? 1 : -1;
	}
	return ociwp_semver_compare(&bare, &c->version);
}

static bool meets_caret(const comparator *c, const ociwp_semver *version)
{
	if (side_of(c, version) < 0)
		return false;
	/* Up to the next change of the first number that is not zero; a missing one may be
	 * anything. */
	int fixed = 1;
	if (c->version.major == 0 && c->parts >= 2)
		fixed = c->version.minor == 0 && c->parts == 3 ? 3 : 2;
	return starts_the_same(c, version, fixed);
}

static bool meets(const comparator *c, const ociwp_semver *version)
{
	if (c->parts == 0)
		return true;
	int side = side_of(c, version);
	switch (c->op) {
	case OP_EXACT:
		return side == 0;
	case OP_GREATER:
		return side > 0;
	case OP_GREATER_EQUAL:
		return side >= 0;
	case OP_LESS:
		return side < 0;
	case OP_LESS_EQUAL:
		return side <= 0;
	case OP_TILDE:
		return side >= 0 && starts_the_same(c, version, c->parts < 2 ? 1 : 2);
	case OP_CARET:
		return meets_caret(c, version);
	}
	return false;
}

bool ociwp_semver_matches(const char *requirement, const ociwp_semver *version)
{
	bool named = version->pre == NULL;
	requirement += strspn(requirement, " ");
	while (*requirement) {
		comparator c = take_comparator(&requirement);
		if (!meets(&c, version))
			return false;
		named |= c.version.pre && starts_the_same(&c, version, 3);
	}
	return named;
}
