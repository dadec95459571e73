/* SPDX-License-Identifier: Apache-2.0
 *
 * config.json and auth.json as a JSON tree that is looked into and changed in place. It opens no
 * file and runs no helper. docker cli "config.json", containers-auth.json(5); CRD-2..5, CRD-7.
 */
#include <oci-wasm/docker-config.h>

#include "base/buf.h"
#include "base/str.h"
#include "codec/json.h"

#define HUB_SERVER "https://index.docker.io/v1/"
#define TOKEN_USER "<token>"

struct ociw_docker_config {
	json_t *root;
	char *found[4]; /* what the last find lent out */
};

static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void forget(ociw_docker_config *config)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(config->found); i++)
		wipe(ociwp_steal(&config->found[i]));
}

/* jansson frees without wiping; its strings are plain memory that nobody else looks at any more. */
static void wipe_tree(json_t *value)
{
	const char *key;
	json_t *item;
	if (json_is_string(value)) {
		union {
			const char *shown;
			char *own;
		} text = {.shown = json_string_value(value)};
		explicit_bzero(text.own, json_string_length(value));
	} else if (json_is_object(value)) {
		json_object_foreach(value, key, item) wipe_tree(item);
	}
}

void ociw_docker_config_free(ociw_docker_config *config)
{
	if (!config)
		return;
	forget(config);
	wipe_tree(json_object_get(config->root, "auths"));
	json_decref(config->root);
	free(config);
}

int ociw_docker_config_parse(ociw_span text, ociw_docker_config **out, ociw_error **err)
{
	const char *bytes = text.data;
	size_t i = 0;
	*out = NULL;
	ociw_docker_config *config = ociwp_new(ociw_docker_config);
	if (!config)
		return ociwp_nomem(err);
	while (i < text.len && strchr(" \t\r\n", bytes[i] ? bytes[i] : 'x'))
		i++;
	int r = 0;
	if (i == text.len) {
		config->root = json_object();
		r = config->root ? 0 : ociwp_nomem(err);
	} else {
		r = ociwp_json_parse(text, "credentials file", 0, &config->root, err);
		if (r == 0 && !json_is_object(config->root))
			r = ociwp_fail(err, OCIW_ERR_FORMAT, "the credentials file is no object");
	}
	if (r < 0) {
		ociw_docker_config_free(config);
		return r;
	}
	*out = config;
	return 0;
}

/* ---- names of a host ---- */

static bool is_hub(const char *host)
{
	return ociwp_strcaseeq(host, "docker.io") || ociwp_strcaseeq(host, "index.docker.io") ||
	       ociwp_strcaseeq(host, "registry-1.docker.io");
}

const char *ociw_docker_config_server(const char *host)
{
	return is_hub(host) ? HUB_SERVER : host;
}

static bool same_host(const char *a, const char *b)
{
	return ociwp_strcaseeq(a, b) || (is_hub(a) && is_hub(b));
}

/* The host of a key with a scheme: "https://ghcr.io/v2/" is ghcr.io. Without a scheme the path is a
 * repository prefix, and only the bare host counts. */
static bool key_is_host(const char *key, const char *host)
{
	const char *bare = key;
	if (strncasecmp(key, "https://", 8) == 0)
		bare += 8;
	else if (strncasecmp(key, "http://", 7) == 0)
		bare += 7;
	OCIWP_AUTO(str) char *copy = ociwp_strdup(bare);
	if (!copy)
		return false;
	if (bare != key)
		copy[strcspn(copy, "/")] = 0;
	return same_host(copy, host);
}

/* ---- helpers ---- */

static const char *plain_name(const json_t *value)
{
	const char *name = json_string_value(value);
	if (!name || !*name || *name == '.' || *name == '-')
		return NULL;
	for (const char *p = name; *p; p++) {
		if (!ociwp_is_alnum(*p) && !strchr("._-", *p))
			return NULL;
	}
	return name;
}

const char *ociw_docker_config_helper(const ociw_docker_config *config, const char *host,
                                      bool *named)
{
	const json_t *helpers = json_object_get(config->root, "credHelpers");
	const char *key;
	json_t *value;
	if (named)
		*named = false;
	json_object_foreach((json_t *)(uintptr_t)helpers, key, value)
	{
		if (!key_is_host(key, host))
			continue;
		if (named)
			*named = true;
		return plain_name(value);
	}
	return plain_name(json_object_get(config->root, "credsStore"));
}

/* ---- entries ---- */

static int lend(ociw_docker_config *config, size_t slot, const char *text, size_t len,
                const char **out, ociw_error **err)
{
	config->found[slot] = ociwp_strndup(text, len);
	if (!config->found[slot])
		return ociwp_nomem(err);
	*out = config->found[slot];
	return 0;
}

/* base64("user:password"), split at the first colon; NULs at the end are cut (CRD-4). */
static int split_auth(ociw_docker_config *config, const char *auth, ociw_credential *out,
                      ociw_error **err)
{
	size_t len = strlen(auth);
	char *plain = ociwp_malloc(len + 1);
	if (!plain)
		return ociwp_nomem(err);
	ptrdiff_t n = ociwp_base64_decode((uint8_t *)plain, auth, len);
	while (n > 0 && plain[n - 1] == 0)
		n--;
	const char *colon = n > 0 ? memchr(plain, ':', (size_t)n) : NULL;
	int r = 0;
	if (!colon || memchr(plain, 0, (size_t)n)) {
		r = ociwp_fail(err, OCIW_ERR_FORMAT, "\"auth\" is not base64 of user:password");
	} else {
		size_t user = (size_t)(colon - plain);
		r = lend(config, 0, plain, user, &out->username, err);
		if (r == 0 && (size_t)n - user > 1)
			r = lend(config, 1, colon + 1, (size_t)n - user - 1, &out->password, err);
	}
	explicit_bzero(plain, len + 1);
	free(plain);
	return r;
}

static int lend_member(ociw_docker_config *config, const json_t *entry, const char *name,
                       size_t slot, const char **out, ociw_error **err)
{
	const char *text = json_string_value(json_object_get(entry, name));
	if (!text || !*text)
		return 0;
	wipe(ociwp_steal(&config->found[slot]));
	return lend(config, slot, text, strlen(text), out, err);
}

static int take_entry(ociw_docker_config *config, const json_t *entry, ociw_credential *out,
                      ociw_error **err)
{
	const char *auth = json_string_value(json_object_get(entry, "auth"));
	int r = 0;
	if (auth && *auth)
		r = split_auth(config, auth, out, err);
	if (r == 0 && !out->username)
		r = lend_member(config, entry, "username", 0, &out->username, err);
	if (r == 0 && !out->password)
		r = lend_member(config, entry, "password", 1, &out->password, err);
	if (r == 0)
		r = lend_member(config, entry, "identitytoken", 2, &out->identity_token, err);
	if (r == 0)
		r = lend_member(config, entry, "registrytoken", 3, &out->registry_token, err);
	if (r < 0)
		return r;
	return (out->username && out->password) || out->identity_token || out->registry_token;
}

/* "host/a/b", then "host/a", then "host". */
static const json_t *find_by_path(const json_t *auths, const char *host, const char *repository)
{
	OCIWP_AUTO(buf) ociwp_buf key = OCIWP_BUF_INIT;
	const json_t *entry = NULL;
	ociwp_buf_printf(&key, "%s%s%s", host, repository && *repository ? "/" : "",
	                 repository ? repository : "");
	while (!key.failed && key.len > 0) {
		entry = json_object_get(auths, key.data);
		char *slash = strrchr(key.data, '/');
		if (entry || !slash)
			break;
		*slash = 0;
		key.len = (size_t)(slash - key.data);
	}
	return entry;
}

static const json_t *find_entry(const json_t *auths, const char *host, const char *repository)
{
	const char *key;
	json_t *value;
	const json_t *entry = find_by_path(auths, host, repository);
	if (entry)
		return entry;
	json_object_foreach((json_t *)(uintptr_t)auths, key, value)
	{
		if (key_is_host(key, host))
			return value;
	}
	return NULL;
}

int ociw_docker_config_find(ociw_docker_config *config, const char *host, const char *repository,
                            ociw_credential *out, ociw_error **err)
{
	const json_t *entry = find_entry(json_object_get(config->root, "auths"), host, repository);
	forget(config);
	*out = (ociw_credential){.size = sizeof(*out)};
	if (!json_is_object(entry))
		return 0;
	int r = take_entry(config, entry, out, err);
	return r < 0 ? ociwp_wrap(err, r, "entry of %s", host) : r;
}

/* ---- changes ---- */

int ociw_docker_config_remove(ociw_docker_config *config, const char *host)
{
	json_t *auths = json_object_get(config->root, "auths");
	const char *key;
	json_t *value;
	void *next;
	int removed = 0;
	json_object_foreach_safe(auths, next, key, value)
	{
		if (key_is_host(key, host)) {
			wipe_tree(value);
			json_object_del(auths, key);
			removed = 1;
		}
	}
	return removed;
}

static char *join_auth(const char *user, const char *password)
{
	size_t len = strlen(user) + 1 + strlen(password);
	char *plain = ociwp_malloc(len + 1);
	char *out = ociwp_malloc(4 * ((len + 2) / 3) + 1);
	if (plain && out) {
		strcpy(stpcpy(stpcpy(plain, user), ":"), password);
		size_t n = ociwp_base64_encode(out, plain, len, true);
		out[n] = 0;
	} else {
		free(ociwp_steal(&out));
		if (plain)
			*plain = '\0'; /* nothing was put there, nothing is to be wiped */
	}
	wipe(plain);
	return out;
}

static bool set_string(json_t *object, const char *name, const char *text)
{
	return !text || !*text || json_object_set_new(object, name, json_string(text)) == 0;
}

static json_t *make_entry(const ociw_credential *c)
{
	json_t *entry = json_object();
	bool good = entry != NULL;
	if (good && c && c->username) {
		char *auth = join_auth(c->username, c->password ? c->password : "");
		good = auth && set_string(entry, "auth", auth);
		wipe(auth);
	}
	good = good && (!c || set_string(entry, "identitytoken", c->identity_token));
	good = good && (!c || set_string(entry, "registrytoken", c->registry_token));
	if (!good) {
		json_decref(entry);
		return NULL;
	}
	return entry;
}

int ociw_docker_config_set(ociw_docker_config *config, const char *host,
                           const ociw_credential *credential, ociw_error **err)
{
	json_t *auths = json_object_get(config->root, "auths");
	if (!json_is_object(auths)) {
		if (json_object_set_new(config->root, "auths", json_object()) != 0)
			return ociwp_nomem(err);
		auths = json_object_get(config->root, "auths");
	}
	const char *key = ociw_docker_config_server(host), *other;
	json_t *value;
	/* An entry under another spelling of the host is the one to replace. */
	if (!json_object_get(auths, key)) {
		json_object_foreach(auths, other, value)
		{
			if (key_is_host(other, host)) {
				key = other;
				break;
			}
		}
	}
	OCIWP_AUTO(str) char *copy = ociwp_strdup(key);
	json_t *entry = make_entry(credential);
	if (!copy || !entry) {
		json_decref(entry);
		return ociwp_nomem(err);
	}
	wipe_tree(json_object_get(auths, copy));
	return json_object_set_new(auths, copy, entry) == 0 ? 0 : ociwp_nomem(err);
}

int ociw_docker_config_format(const ociw_docker_config *config, char **out, ociw_error **err)
{
	char *text = json_dumps(config->root, JSON_INDENT(4));
	*out = NULL;
	if (!text)
		return ociwp_nomem(err);
	size_t len = strlen(text);
	*out = ociwp_malloc(len + 2);
	if (*out) {
		memcpy(*out, text, len);
		memcpy(*out + len, "\n", 2);
	}
	wipe(text);
	return *out ? 0 : ociwp_nomem(err);
}

/* ---- helpers' documents ---- */

int ociw_docker_helper_answer(ociw_docker_config *holder, ociw_span output, ociw_credential *out,
                              ociw_error **err)
{
	OCIWP_AUTO(json) json_t *root = NULL;
	forget(holder);
	*out = (ociw_credential){.size = sizeof(*out)};
	int r = ociwp_json_parse(output, "answer of the credential helper", 0, &root, err);
	if (r < 0)
		return r;
	const char *user = json_string_value(json_object_get(root, "Username"));
	const char *secret = json_string_value(json_object_get(root, "Secret"));
	if (!user || !secret)
		r = ociwp_fail(err, OCIW_ERR_FORMAT,
		               "the credential helper's answer lacks Username or Secret");
	else if (strcmp(user, TOKEN_USER) == 0)
		r = lend(holder, 2, secret, strlen(secret), &out->identity_token, err);
	else if (*user || *secret)
		r = lend(holder, 0, user, strlen(user), &out->username, err);
	if (r == 0 && out->username)
		r = lend(holder, 1, secret, strlen(secret), &out->password, err);
	wipe_tree(root);
	return r < 0 ? r : out->username || out->identity_token;
}

int ociw_docker_helper_request(const char *host, const ociw_credential *credential, char **out,
                               ociw_error **err)
{
	bool token = credential->identity_token && *credential->identity_token;
	const char *user = token ? TOKEN_USER : credential->username;
	const char *secret = token ? credential->identity_token : credential->password;
	*out = NULL;
	if (!user || !secret)
		return ociwp_fail(err, OCIW_ERR_INVALID, "there is nothing to store");
	OCIWP_AUTO(json)
	json_t *root = json_pack("{s:s, s:s, s:s}", "ServerURL", ociw_docker_config_server(host),
	                         "Username", user, "Secret", secret);
	if (root)
		*out = json_dumps(root, JSON_COMPACT);
	wipe_tree(root);
	return *out ? 0 : ociwp_nomem(err);
}
