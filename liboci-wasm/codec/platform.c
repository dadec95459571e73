/* SPDX-License-Identifier: Apache-2.0
 *
 * Platforms: text form, normalisation, and which image runs where. Knows no documents.
 * oci-client.md IDX-4..8, image-spec image-index.md.
 */
#include "codec/platform.h"
#include "base/buf.h"
#include "base/str.h"
#include <errno.h>
#include <sys/utsname.h>

#define MAX_PART 64

struct alias {
	const char *from;
	const char *to;
};

static const char *lookup(const struct alias *aliases, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (ociwp_strcaseeq(aliases[i].from, name))
			return aliases[i].to;
	return name;
}

/* Names that other tools and uname give to the same architecture. */
static const char *canonical_architecture(const char *name)
{
	static const struct alias aliases[] = {
		{"x86_64", "amd64"}, {"x86-64", "amd64"}, {"aarch64", "arm64"}, {"i386", "386"},
		{"i486", "386"},     {"i586", "386"},     {"i686", "386"},      {"armhf", "arm"},
		{"armv7l", "arm"},
	};
	return lookup(aliases, OCIWP_ARRAY_LEN(aliases), name);
}

/* What an absent variant stands for. */
static const char *default_variant(const char *architecture)
{
	static const struct alias variants[] = {{"amd64", "v1"}, {"arm64", "v8"}, {"arm", "v7"}};
	const char *variant = lookup(variants, OCIWP_ARRAY_LEN(variants), architecture);
	return variant == architecture ? NULL : variant;
}

void ociw_platform_free(ociw_platform *platform)
{
	if (!platform)
		return;
	free(platform->text);
	free(platform->os);
	free(platform->architecture);
	free(platform->variant);
	free(platform->os_version);
	free(platform);
}

int ociwp_platform_new(const char *os, const char *architecture, const char *variant,
		       const char *os_version, ociw_platform **out, ociw_error **err)
{
	OCIWP_AUTO(platform) ociw_platform *p = ociwp_new(ociw_platform);
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;

	if (!p)
		return ociwp_nomem(err);
	ociwp_buf_printf(&text, "%s/%s", os, architecture);
	if (variant && *variant)
		ociwp_buf_printf(&text, "/%s", variant);
	int r = ociwp_buf_check(&text, err);
	if (r < 0)
		return r;
	p->text = ociwp_buf_steal(&text);
	p->os = ociwp_strdup(os);
	p->architecture = ociwp_strdup(architecture);
	if (variant && *variant)
		p->variant = ociwp_strdup(variant);
	if (os_version && *os_version)
		p->os_version = ociwp_strdup(os_version);
	if (!p->os || !p->architecture || (variant && *variant && !p->variant) ||
	    (os_version && *os_version && !p->os_version))
		return ociwp_nomem(err);
	*out = ociwp_steal(&p);
	return 0;
}

int ociwp_platform_dup(const ociw_platform *platform, ociw_platform **out, ociw_error **err)
{
	return ociwp_platform_new(platform->os, platform->architecture, platform->variant,
				  platform->os_version, out, err);
}

/* Length of a part of the text form, 0 when it is none. */
static size_t part_length(const char *text)
{
	size_t n = 0;
	/* The text ends with a NUL before any limit. */
	// cppcheck-suppress arrayIndexOutOfBoundsCond
	while (ociwp_is_alnum(text[n]) || (text[n] && strchr("._-", text[n])))
		n++;
	return n <= MAX_PART ? n : 0;
}

static void lower_into(char out[MAX_PART + 1], const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = ociwp_to_lower(text[i]);
	out[len] = '\0';
}

int ociw_platform_parse(const char *text, ociw_platform **out, ociw_error **err)
{
	char parts[3][MAX_PART + 1] = {{0}};
	size_t count = 0;
	const char *p = text ? text : "";

	for (;;) {
		size_t n = part_length(p);
		if (n == 0 || count == 3)
			break;
		lower_into(parts[count++], p, n);
		p += n;
		if (*p != '/')
			break;
		p++;
	}
	if (count < 2 || *p != '\0' || p[-1] == '/')
		return ociwp_fail(err, OCIW_ERR_INVALID,
				  "platform %s is not os/architecture[/variant]",
				  ociwp_quote(text));
	return ociwp_platform_new(parts[0], canonical_architecture(parts[1]), parts[2], NULL, out,
				  err);
}

int ociwp_platform_host(ociw_platform **out, ociw_error **err)
{
	struct utsname host;
	if (uname(&host) != 0)
		return ociwp_fail_errno(err, errno, "uname");
	return ociwp_platform_new("linux", canonical_architecture(host.machine), NULL, NULL, out,
				  err);
}

const char *ociw_platform_text(const ociw_platform *platform)
{
	return platform->text;
}

const char *ociw_platform_os(const ociw_platform *platform)
{
	return platform->os;
}

const char *ociw_platform_architecture(const ociw_platform *platform)
{
	return platform->architecture;
}

const char *ociw_platform_variant(const ociw_platform *platform)
{
	return platform->variant;
}

bool ociwp_platform_is_unknown(const ociw_platform *platform)
{
	return ociwp_strcaseeq(platform->os, "unknown") &&
	       ociwp_strcaseeq(platform->architecture, "unknown");
}

/* "v8.1" is 8001; false for what is no version. */
static bool variant_level(const char *variant, unsigned *level)
{
	unsigned major = 0, minor = 0;
	const char *p = variant;

	if (*p == 'v' || *p == 'V')
		p++;
	if (!ociwp_is_digit(*p))
		return false;
	for (; ociwp_is_digit(*p) && major < 1000; p++)
		major = major * 10 + (unsigned)(*p - '0');
	if (*p == '.')
		for (p++; ociwp_is_digit(*p) && minor < 1000; p++)
			minor = minor * 10 + (unsigned)(*p - '0');
	*level = major * 1000 + minor;
	return *p == '\0' && minor < 1000;
}

/* A machine runs what was built for its own or a lower variant (IDX-6). */
static bool variant_matches(const char *architecture, const char *want, const char *have)
{
	const char *otherwise = default_variant(architecture);
	unsigned want_level, have_level;

	if (!want)
		want = otherwise;
	if (!have)
		have = otherwise;
	if (!want || !have)
		return true;
	if (variant_level(want, &want_level) && variant_level(have, &have_level))
		return have_level <= want_level;
	return ociwp_strcaseeq(want, have);
}

/* Length of the first three parts of a version. */
static size_t build_length(const char *version)
{
	size_t n = 0, dots = 0;
	while (version[n] && (version[n] != '.' || ++dots < 3))
		n++;
	return n;
}

/* Windows images run on the build they were made for: three parts of the version count (IDX-6). */
static bool os_version_matches(const char *want, const char *have)
{
	if (!want || !have)
		return true;
	size_t n = build_length(want);
	return n == build_length(have) && memcmp(want, have, n) == 0;
}

bool ociw_platform_matches(const ociw_platform *want, const ociw_platform *have)
{
	const char *architecture = canonical_architecture(want->architecture);

	return ociwp_strcaseeq(want->os, have->os) &&
	       ociwp_strcaseeq(architecture, canonical_architecture(have->architecture)) &&
	       variant_matches(architecture, want->variant, have->variant) &&
	       os_version_matches(want->os_version, have->os_version);
}
