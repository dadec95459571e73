/* SPDX-License-Identifier: Apache-2.0
 *
 * Registry references: grammar, Docker Hub's short forms, canonical text. Asks neither the network nor
 * the file system. oci-client.md REF-1..17, distribution-spec "Pulling manifests".
 */
#include "base/buf.h"
#include "base/str.h"
#include "codec/tag.h"
#include <arpa/inet.h>
#include <oci-wasm/reference.h>

#define MAX_NAME 255 /* host "/" repository (REF-3) */

#define DOCKER_HOST "docker.io"
#define DOCKER_API_HOST "registry-1.docker.io"

struct ociw_reference {
	char *text;
	char *host;
	char *repository;
	char *tag;    /* or NULL */
	char *digest; /* or NULL */
};

OCIWP_DEFINE_AUTO(reference, ociw_reference *, ociw_reference_free)

void ociw_reference_free(ociw_reference *ref)
{
	if (!ref)
		return;
	free(ref->text);
	free(ref->host);
	free(ref->repository);
	free(ref->tag);
	free(ref->digest);
	free(ref);
}

/* One label of a host: letters and digits, '-' inside. */
static size_t label_length(const char *text, size_t len)
{
	size_t n = 0;
	while (n < len && (ociwp_is_alnum(text[n]) || text[n] == '-'))
		n++;
	return n > 0 && text[0] != '-' && text[n - 1] != '-' ? n : 0;
}

static bool is_domain(const char *text, size_t len)
{
	size_t i = 0;
	for (;;) {
		size_t n = label_length(text + i, len - i);
		if (n == 0)
			return false;
		i += n;
		if (i == len)
			return true;
		if (text[i++] != '.')
			return false;
	}
}

/* What stands between the brackets: an address without a zone (REF-8, REF-9). */
static bool is_ipv6(const char *text, size_t len)
{
	char address[INET6_ADDRSTRLEN];
	unsigned char bytes[16];

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	return inet_pton(AF_INET6, address, bytes) == 1;
}

static bool is_port(const char *text, size_t len)
{
	uint64_t port;
	return len <= 5 && ociwp_parse_u64(text, len, &port) && port >= 1 && port <= 65535;
}

static int check_host(const char *host, size_t len, const char *text, ociw_error **err)
{
	size_t name_len;
	bool good;

	if (len > 0 && host[0] == '[') {
		const char *bracket = memchr(host, ']', len);
		name_len = bracket ? (size_t)(bracket - host) + 1 : len;
		good = bracket && is_ipv6(host + 1, name_len - 2);
	} else {
		const char *colon = memchr(host, ':', len);
		name_len = colon ? (size_t)(colon - host) : len;
		good = is_domain(host, name_len);
	}
	if (!good)
		return ociwp_fail(err, OCIW_ERR_INVALID, "reference %s: invalid registry host",
				  ociwp_quote(text));
	if (name_len == len)
		return 0;
	if (host[name_len] != ':' || !is_port(host + name_len + 1, len - name_len - 1))
		return ociwp_fail(err, OCIW_ERR_INVALID,
				  "reference %s: port must be a number from 1 to 65535",
				  ociwp_quote(text));
	return 0;
}

static size_t lower_alnum_run(const char *text)
{
	size_t n = 0;
	while (ociwp_is_lower(text[n]) || ociwp_is_digit(text[n]))
		n++;
	return n;
}

/* ".", "_", "__" or any number of "-". */
static size_t separator_run(const char *text)
{
	if (*text == '.')
		return 1;
	if (*text == '_')
		return text[1] == '_' ? 2 : 1;
	size_t n = 0;
	while (text[n] == '-')
		n++;
	return n;
}

static bool is_repository(const char *text)
{
	for (;;) {
		size_t n = lower_alnum_run(text);
		if (n == 0)
			return false;
		text += n;
		if (*text == '\0')
			return true;
		n = *text == '/' ? 1 : separator_run(text);
		if (n == 0)
			return false;
		text += n;
	}
}

static int check_repository(const char *repository, const char *text, ociw_error **err)
{
	if (is_repository(repository))
		return 0;
	for (const char *p = repository; *p; p++)
		if (ociwp_is_upper(*p))
			return ociwp_fail(err, OCIW_ERR_INVALID,
					  "reference %s: repository names must be lower case",
					  ociwp_quote(text));
	return ociwp_fail(err, OCIW_ERR_INVALID, "reference %s: invalid repository name %s",
			  ociwp_quote(text), ociwp_quote(repository));
}

bool ociwp_tag_is_valid(const char *tag)
{
	size_t n = 0;
	if (ociwp_is_alnum(tag[0]) || tag[0] == '_')
		while (ociwp_is_alnum(tag[n]) || (tag[n] && strchr("._-", tag[n])))
			n++;
	return n > 0 && tag[n] == '\0' && n <= OCIWP_TAG_MAX;
}

static int check_tag(const char *tag, const char *text, ociw_error **err)
{
	if (ociwp_tag_is_valid(tag))
		return 0;
	if (tag[0] == '\0')
		return ociwp_fail(err, OCIW_ERR_INVALID, "reference %s: the tag is empty",
				  ociwp_quote(text));
	if (strlen(tag) > OCIWP_TAG_MAX)
		return ociwp_fail(err, OCIW_ERR_INVALID, "reference %s: tag longer than %d bytes",
				  ociwp_quote(text), OCIWP_TAG_MAX);
	return ociwp_fail(err, OCIW_ERR_INVALID, "reference %s: invalid tag %s", ociwp_quote(text),
			  ociwp_quote(tag));
}

static int check_digest(const char *digest, const char *text, ociw_error **err)
{
	ociw_digest value;
	int r = ociw_digest_parse(digest, &value, err);
	return r < 0 ? ociwp_wrap(err, r, "reference %s", ociwp_quote(text)) : 0;
}

/* oci:// and docker:// are dropped, others named (REF-15). */
static int skip_scheme(const char **text, ociw_error **err)
{
	const char *mark = strstr(*text, "://");
	if (!mark)
		return 0;
	if (ociwp_starts_with(*text, "oci://") || ociwp_starts_with(*text, "docker://")) {
		*text = mark + 3;
		return 0;
	}
	if (ociwp_starts_with(*text, "https://") || ociwp_starts_with(*text, "http://"))
		return ociwp_fail(err, OCIW_ERR_INVALID, "reference %s is a URL: leave out the %.*s",
				  ociwp_quote(*text), (int)(mark - *text) + 3, *text);
	return ociwp_fail(err, OCIW_ERR_INVALID,
			  "reference %s: scheme %s is not known, only oci:// and docker:// are",
			  ociwp_quote(*text), ociwp_quote_len(*text, (size_t)(mark - *text)));
}

static int check_bytes(const char *text, ociw_error **err)
{
	if (!text || !*text)
		return ociwp_fail(err, OCIW_ERR_INVALID, "the reference is empty");
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f)
			return ociwp_fail(err, OCIW_ERR_INVALID,
					  "reference %s: only printable ASCII without spaces is "
					  "allowed",
					  ociwp_quote(text));
	return 0;
}

/* REF-4: is the first part (before the first '/') a host? */
static bool is_host_part(const char *part, size_t len)
{
	if (len == 9 && memcmp(part, "localhost", 9) == 0)
		return true;
	for (size_t i = 0; i < len; i++)
		if (part[i] == '.' || part[i] == ':' || ociwp_is_upper(part[i]))
			return true;
	return false;
}

static bool is_docker_host(const char *host, size_t len)
{
	static const char *const names[] = {DOCKER_HOST, "index.docker.io", DOCKER_API_HOST};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(names); i++)
		if (len == strlen(names[i]) && memcmp(host, names[i], len) == 0)
			return true;
	return false;
}

static bool is_image_id(const char *name)
{
	size_t n = 0;
	while (ociwp_is_digit(name[n]) || (name[n] >= 'a' && name[n] <= 'f'))
		n++;
	return n == 64 && name[n] == '\0';
}

static int set_host(ociw_reference *ref, const char *name, const char **rest, const char *text,
		    ociw_error **err)
{
	const char *slash = strchr(name, '/');

	*rest = name;
	if (slash && is_host_part(name, (size_t)(slash - name))) {
		size_t len = (size_t)(slash - name);
		int r = check_host(name, len, text, err);
		if (r < 0)
			return r;
		*rest = slash + 1;
		ref->host = is_docker_host(name, len) ? ociwp_strdup(DOCKER_HOST)
						      : ociwp_strndup(name, len);
	} else if (!slash && is_image_id(name)) {
		return ociwp_fail(err, OCIW_ERR_INVALID,
				  "reference %s: 64 hexadecimal digits look like an image id",
				  ociwp_quote(text));
	} else {
		ref->host = ociwp_strdup(DOCKER_HOST);
	}
	return ref->host ? 0 : ociwp_nomem(err);
}

static int set_repository(ociw_reference *ref, const char *rest, const char *text,
			  ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf repository = OCIWP_BUF_INIT;

	if (ociwp_streq(ref->host, DOCKER_HOST) && !strchr(rest, '/'))
		ociwp_buf_puts(&repository, "library/");
	ociwp_buf_puts(&repository, rest);
	int r = ociwp_buf_check(&repository, err);
	if (r < 0)
		return r;
	ref->repository = ociwp_buf_steal(&repository);
	r = check_repository(ref->repository, text, err);
	if (r < 0)
		return r;
	if (strlen(ref->host) + 1 + strlen(ref->repository) > MAX_NAME)
		return ociwp_fail(err, OCIW_ERR_INVALID,
				  "reference %s: host and repository are longer than %d bytes",
				  ociwp_quote(text), MAX_NAME);
	return 0;
}

static int set_text(ociw_reference *ref, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;

	ociwp_buf_printf(&text, "%s/%s", ref->host, ref->repository);
	if (ref->tag)
		ociwp_buf_printf(&text, ":%s", ref->tag);
	if (ref->digest)
		ociwp_buf_printf(&text, "@%s", ref->digest);
	int r = ociwp_buf_check(&text, err);
	if (r == 0)
		ref->text = ociwp_buf_steal(&text);
	return r;
}

/* What no image on Docker Hub is called: with a port behind it, it is a registry and a slip (REF-12). */
static bool is_local_host(const char *name)
{
	struct in_addr address;
	return ociwp_streq(name, "localhost") || inet_pton(AF_INET, name, &address) == 1;
}

/* Cuts @p name at its first '@' and at the last ':' behind the last '/' (REF-10). */
static int cut(char *name, ociw_reference *ref, const char *text, ociw_error **err)
{
	char *at = strchr(name, '@');
	if (at) {
		*at = '\0';
		int r = check_digest(at + 1, text, err);
		if (r < 0)
			return r;
		ref->digest = ociwp_strdup(at + 1);
		if (!ref->digest)
			return ociwp_nomem(err);
	}
	char *slash = strrchr(name, '/');
	char *colon = strrchr(slash ? slash : name, ':');
	if (!colon)
		return 0;
	*colon = '\0';
	if (!slash && is_local_host(name) && is_port(colon + 1, strlen(colon + 1)))
		return ociwp_fail(err, OCIW_ERR_INVALID,
				  "reference %s: a registry alone; add a repository behind a \"/\"",
				  ociwp_quote(text));
	int r = check_tag(colon + 1, text, err);
	if (r < 0)
		return r;
	ref->tag = ociwp_strdup(colon + 1);
	return ref->tag ? 0 : ociwp_nomem(err);
}

int ociw_reference_parse(const char *text, ociw_reference **out, ociw_error **err)
{
	const char *rest = text;
	int r = check_bytes(text, err);
	if (r == 0)
		r = skip_scheme(&rest, err);
	if (r < 0)
		return r;

	OCIWP_AUTO(reference) ociw_reference *ref = ociwp_new(ociw_reference);
	OCIWP_AUTO(str) char *name = ociwp_strdup(rest);
	if (!ref || !name)
		return ociwp_nomem(err);
	r = cut(name, ref, text, err);
	if (r == 0)
		r = set_host(ref, name, &rest, text, err);
	if (r == 0)
		r = set_repository(ref, rest, text, err);
	if (r == 0)
		r = set_text(ref, err);
	if (r == 0)
		*out = ociwp_steal(&ref);
	return r;
}

int ociw_reference_with(const ociw_reference *base, const char *tag, const char *digest,
			ociw_reference **out, ociw_error **err)
{
	int r = tag ? check_tag(tag, base->text, err) : 0;
	if (r == 0 && digest)
		r = check_digest(digest, base->text, err);
	if (r < 0)
		return r;

	OCIWP_AUTO(reference) ociw_reference *ref = ociwp_new(ociw_reference);
	if (!ref)
		return ociwp_nomem(err);
	ref->host = ociwp_strdup(base->host);
	ref->repository = ociwp_strdup(base->repository);
	ref->tag = tag ? ociwp_strdup(tag) : NULL;
	ref->digest = digest ? ociwp_strdup(digest) : NULL;
	if (!ref->host || !ref->repository || (tag && !ref->tag) || (digest && !ref->digest))
		return ociwp_nomem(err);
	r = set_text(ref, err);
	if (r == 0)
		*out = ociwp_steal(&ref);
	return r;
}

const char *ociw_reference_text(const ociw_reference *ref)
{
	return ref->text;
}

const char *ociw_reference_host(const ociw_reference *ref)
{
	return ref->host;
}

const char *ociw_reference_api_host(const ociw_reference *ref)
{
	return ociwp_streq(ref->host, DOCKER_HOST) ? DOCKER_API_HOST : ref->host;
}

const char *ociw_reference_repository(const ociw_reference *ref)
{
	return ref->repository;
}

const char *ociw_reference_tag(const ociw_reference *ref)
{
	return ref->tag;
}

const char *ociw_reference_digest(const ociw_reference *ref)
{
	return ref->digest;
}

const char *ociw_reference_name(const ociw_reference *ref)
{
	if (ref->digest)
		return ref->digest;
	return ref->tag ? ref->tag : "latest";
}
