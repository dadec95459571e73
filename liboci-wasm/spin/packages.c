/* SPDX-License-Identifier: Apache-2.0
 *
 * Where packages of components are: wkg's config.toml, what is built in, and what a registry says
 * of itself. Text in, names out; nothing is fetched here. specs/wasm-formats.md 1.3.
 */
#include <oci-wasm/package.h>

#include "base/buf.h"
#include "base/str.h"
#include "codec/json.h"
#include "spin/names.h"
#include "spin/toml.h"

struct ociw_packages {
	ociwp_toml *config; /* NULL: nothing but what is built in */
	char *path;         /* of it, for messages */
	/* Of the last settings asked for: "user\0password", and PEM texts. */
	char *secret;
	size_t secret_len;
	ociwp_buf certificates;
};

/* Where the packages of a registry are; NULL: not said. */
typedef struct place {
	const char *registry, *prefix, *protocol;
} place;

static const ociwp_toml *member(const ociwp_toml *table, const char *key, size_t len)
{
	if (!table || table->type != OCIWP_TOML_TABLE)
		return NULL;
	for (size_t i = 0; i < table->count; i++) {
		const char *name = table->u.members[i].key;
		if (strlen(name) == len && memcmp(name, key, len) == 0)
			return &table->u.members[i].value;
	}
	return NULL;
}

static const ociwp_toml *child(const ociwp_toml *table, const char *key)
{
	return member(table, key, strlen(key));
}

static const char *text_of(const ociwp_toml *value)
{
	return value && value->type == OCIWP_TOML_STRING ? value->u.string : NULL;
}

static int check_mapping(const ociwp_toml *root, const char *name, const char *path,
                         ociw_error **err)
{
	const ociwp_toml *table = child(root, name);
	if (!table)
		return 0;
	if (table->type != OCIWP_TOML_TABLE)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s:%u: \"%s\" is no table", path,
		                  table->at.line, name);
	for (size_t i = 0; i < table->count; i++) {
		const ociwp_toml *value = &table->u.members[i].value;
		const char *text =
		        text_of(value->type == OCIWP_TOML_TABLE ? child(value, "registry") : value);
		if (!text || !ociwp_registry_valid(text))
			return ociwp_fail(err, OCIW_ERR_FORMAT,
			                  "%s:%u: %s has no registry (host or "
			                  "host:port)",
			                  path, value->at.line,
			                  ociwp_quote(table->u.members[i].key));
	}
	return 0;
}

static int check_config(const ociwp_toml *root, const char *path, ociw_error **err)
{
	const ociwp_toml *standard = child(root, "default_registry");
	const char *text = text_of(standard);
	if (standard && (!text || !ociwp_registry_valid(text)))
		return ociwp_fail(err, OCIW_ERR_FORMAT,
		                  "%s:%u: default_registry is no registry (host or host:port)",
		                  path, standard->at.line);
	int r = check_mapping(root, "namespace_registries", path, err);
	return r < 0 ? r : check_mapping(root, "package_registry_overrides", path, err);
}

int ociw_packages_new(ociw_span config, const char *path, ociw_packages **out, ociw_error **err)
{
	OCIWP_AUTO(toml) ociwp_toml *root = NULL;
	ociwp_toml_problem problem;
	*out = NULL;
	if (config.len) {
		int r = ociwp_toml_parse(config, &root, &problem);
		if (r == OCIW_ERR_NOMEM)
			return ociwp_nomem(err);
		if (r < 0)
			return ociwp_fail(err, (ociw_code)r, "%s:%u:%u: %s", path, problem.at.line,
			                  problem.at.column, problem.text);
		r = check_config(root, path, err);
		if (r < 0)
			return r;
	}
	ociw_packages *packages = ociwp_new(ociw_packages);
	if (!packages)
		return ociwp_nomem(err);
	packages->config = ociwp_steal(&root);
	packages->path = ociwp_strdup(path);
	if (!packages->path) {
		ociw_packages_free(packages);
		return ociwp_nomem(err);
	}
	*out = packages;
	return 0;
}

/* The whole tree: what is secret in it is not worth finding out. */
static void wipe(ociwp_toml *value)
{
	if (value->type == OCIWP_TOML_STRING)
		explicit_bzero(value->u.string, strlen(value->u.string));
	for (size_t i = 0; value->type == OCIWP_TOML_TABLE && i < value->count; i++)
		wipe(&value->u.members[i].value);
	for (size_t i = 0; value->type == OCIWP_TOML_ARRAY && i < value->count; i++)
		wipe(&value->u.items[i]);
}

static void forget(ociw_packages *packages)
{
	if (packages->secret)
		explicit_bzero(packages->secret, packages->secret_len);
	free(packages->secret);
	packages->secret = NULL;
	packages->secret_len = 0;
	ociwp_buf_deinit(&packages->certificates);
}

void ociw_packages_free(ociw_packages *packages)
{
	if (!packages)
		return;
	forget(packages);
	if (packages->config)
		wipe(packages->config);
	ociwp_toml_free(packages->config);
	free(packages->path);
	free(packages);
}

/* The config's entry for a package: its own, else its namespace's. */
static const ociwp_toml *entry_of(const ociw_packages *packages, const char *package)
{
	const ociwp_toml *entry =
	        child(child(packages->config, "package_registry_overrides"), package);
	if (!entry)
		entry = member(child(packages->config, "namespace_registries"), package,
		               strcspn(package, ":"));
	return entry;
}

const char *ociw_packages_registry(const ociw_packages *packages, const char *package)
{
	const ociwp_toml *entry = entry_of(packages, package);
	const char *text = text_of(
	        entry && entry->type == OCIWP_TOML_TABLE ? child(entry, "registry") : entry);
	if (!text)
		text = text_of(child(packages->config, "default_registry"));
	if (!text && ociwp_starts_with(package, "wasi:"))
		text = "wasi.dev";
	if (!text && ociwp_starts_with(package, "ba:"))
		text = "bytecodealliance.org";
	return text;
}

/* What the config itself says about the registry of a package; all NULL: nothing. */
static place place_in_config(const ociw_packages *packages, const char *package,
                             const char *registry)
{
	const ociwp_toml *entry = entry_of(packages, package);
	if (!entry || entry->type != OCIWP_TOML_TABLE ||
	    !ociwp_streq(text_of(child(entry, "registry")), registry))
		return (place){0};
	const ociwp_toml *metadata = child(entry, "metadata"), *oci = child(metadata, "oci");
	return (place){text_of(child(oci, "registry")), text_of(child(oci, "namespacePrefix")),
	               text_of(child(metadata, "preferredProtocol"))};
}

bool ociw_packages_wants_metadata(const ociw_packages *packages, const char *package,
                                  const char *registry)
{
	place given = place_in_config(packages, package, registry);
	return !given.registry && !given.prefix && !given.protocol;
}

static const char *json_text(const json_t *object, const char *name, const char *old_name,
                             const json_t *root)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : json_string_value(json_object_get(root, old_name));
}

static int read_metadata(ociw_span text, json_t **out, place *out_place, ociw_error **err)
{
	int r = ociwp_json_parse(text, "registry.json", 0, out, err);
	if (r < 0)
		return r;
	if (!json_is_object(*out))
		return ociwp_fail(err, OCIW_ERR_FORMAT, "registry.json is no object");
	const json_t *oci = json_object_get(*out, "oci");
	out_place->registry = json_text(oci, "registry", "ociRegistry", *out);
	out_place->prefix = json_text(oci, "namespacePrefix", "ociNamespacePrefix", *out);
	out_place->protocol = json_string_value(json_object_get(*out, "preferredProtocol"));
	/* One protocol alone is the one that is meant. */
	if (!out_place->protocol && !oci && !out_place->registry && json_object_get(*out, "warg"))
		out_place->protocol = "warg";
	return 0;
}

/* "localhost" or an address instead of a name. */
static bool is_local(const char *registry)
{
	size_t len = strcspn(registry, ":");
	return (len == 9 && memcmp(registry, "localhost", 9) == 0) ||
	       strspn(registry, "0123456789.") == len;
}

/* A public registry must not make us call what only this machine or network can reach. */
static int judge_place(const place *where, const char *registry, bool foreign, ociw_error **err)
{
	if (where->protocol && !ociwp_streq(where->protocol, "oci"))
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
		                  "registry %s speaks the protocol %s, not oci",
		                  ociwp_quote(registry), ociwp_quote(where->protocol));
	if (where->registry && !ociwp_registry_valid(where->registry))
		return ociwp_fail(err, OCIW_ERR_FORMAT,
		                  "registry %s leads to %s, which is no registry",
		                  ociwp_quote(registry), ociwp_quote(where->registry));
	if (foreign && where->registry && is_local(where->registry) && !is_local(registry))
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "registry %s leads to the local address %s",
		                  ociwp_quote(registry), ociwp_quote(where->registry));
	return 0;
}

int ociw_packages_repository(const ociw_packages *packages, const char *registry,
                             const char *package, ociw_span metadata, char **out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	OCIWP_AUTO(json) json_t *root = NULL;
	*out = NULL;
	if (!ociwp_package_valid(package, strlen(package)))
		return ociwp_fail(err, OCIW_ERR_INVALID,
		                  "%s is no package name (namespace:name in "
		                  "lower kebab-case)",
		                  ociwp_quote(package));
	place where = place_in_config(packages, package, registry);
	if (ociw_packages_wants_metadata(packages, package, registry) && metadata.len) {
		int r = read_metadata(metadata, &root, &where, err);
		if (r < 0)
			return ociwp_wrap(err, r, "registry %s", ociwp_quote(registry));
	}
	int r = judge_place(&where, registry, root != NULL, err);
	if (r < 0)
		return r;
	const char *colon = strchr(package, ':');
	ociwp_buf_printf(&text, "%s/%s%.*s/%s", where.registry ? where.registry : registry,
	                 where.prefix ? where.prefix : "", (int)(colon - package), package,
	                 colon + 1);
	r = ociwp_buf_check(&text, err);
	if (r == 0)
		*out = ociwp_buf_steal(&text);
	return r;
}

/* --- how a registry is called --- */

/* A value that makes no sense; what it is may be secret. */
static int bad_setting(const ociw_packages *packages, const ociwp_toml *value, const char *key,
                       const char *want, ociw_error **err)
{
	return ociwp_fail(err, OCIW_ERR_FORMAT, "%s:%u: %s is not %s", packages->path,
	                  value->at.line, key, want);
}

static int take_base64(ociw_packages *packages, const ociwp_toml *auth, ociw_package_settings *out,
                       ociw_error **err)
{
	size_t len = strlen(auth->u.string);
	packages->secret = ociwp_malloc(len + 1);
	if (!packages->secret)
		return ociwp_nomem(err);
	packages->secret_len = len + 1;
	ptrdiff_t n = ociwp_base64_decode((uint8_t *)packages->secret, auth->u.string, len);
	char *colon = n < 0 ? NULL : memchr(packages->secret, ':', (size_t)n);
	if (!colon || memchr(packages->secret, '\0', (size_t)n))
		return bad_setting(packages, auth, "auth", "base64 of USER:PASSWORD", err);
	packages->secret[n] = '\0';
	*colon = '\0';
	out->username = packages->secret;
	out->password = colon + 1;
	return 0;
}

static int take_auth(ociw_packages *packages, const ociwp_toml *oci, ociw_package_settings *out,
                     ociw_error **err)
{
	const ociwp_toml *auth = child(oci, "auth");
	if (!auth)
		return 0;
	if (auth->type == OCIWP_TOML_STRING)
		return take_base64(packages, auth, out, err);
	out->username = text_of(child(auth, "username"));
	out->password = text_of(child(auth, "password"));
	if (!out->username || !out->password)
		return bad_setting(packages, auth, "auth",
		                   "a table of username and password, or base64 of both", err);
	return 0;
}

static int take_certificates(ociw_packages *packages, const ociwp_toml *oci,
                             ociw_package_settings *out, ociw_error **err)
{
	const ociwp_toml *list = child(oci, "extra_root_certificates");
	if (list && list->type != OCIWP_TOML_ARRAY)
		return bad_setting(packages, list, "extra_root_certificates", "an array", err);
	for (size_t i = 0; list && i < list->count; i++) {
		const ociwp_toml *item = &list->u.items[i];
		const char *encoding = text_of(child(item, "encoding"));
		const char *data = text_of(child(item, "data"));
		if (!encoding || !data)
			return bad_setting(packages, item, "a certificate",
			                   "a table of encoding and data", err);
		/* DER is no text, so it cannot be in this file whole. */
		if (!ociwp_streq(encoding, "pem"))
			return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
			                  "%s:%u: a certificate's encoding is not pem",
			                  packages->path, item->at.line);
		ociwp_buf_printf(&packages->certificates, "%s\n", data);
	}
	int r = ociwp_buf_check(&packages->certificates, err);
	if (r == 0 && packages->certificates.len)
		out->certificates = packages->certificates.data;
	return r;
}

int ociw_packages_settings(ociw_packages *packages, const char *registry,
                           ociw_package_settings *out, ociw_error **err)
{
	const ociwp_toml *oci = child(child(child(packages->config, "registry"), registry), "oci");
	*out = (ociw_package_settings){.size = sizeof(*out)};
	forget(packages);
	if (!oci)
		return 0;
	const ociwp_toml *protocol = child(oci, "protocol");
	const ociwp_toml *accept = child(oci, "accept_invalid_certificates");
	out->protocol = text_of(protocol);
	if (protocol && !ociwp_streq(out->protocol, "http") && !ociwp_streq(out->protocol, "https"))
		return bad_setting(packages, protocol, "protocol", "\"http\" or \"https\"", err);
	if (accept && accept->type != OCIWP_TOML_BOOLEAN)
		return bad_setting(packages, accept, "accept_invalid_certificates", "true or false",
		                   err);
	out->accept_invalid_certificates = accept && accept->u.boolean;
	int r = take_auth(packages, oci, out, err);
	if (r == 0)
		r = take_certificates(packages, oci, out, err);
	return r < 0 ? r : 1;
}

int ociw_package_tag(const char *version, char **out, ociw_error **err)
{
	*out = ociwp_strdup(version);
	if (!*out)
		return ociwp_nomem(err);
	char *plus = strchr(*out, '+');
	if (plus)
		*plus = '_';
	return 0;
}

/* The version that a tag stands for; @p storage is its text. */
static bool version_of(const char *tag, char storage[256], ociwp_semver *out)
{
	size_t len = strlen(tag);
	if (len >= 256)
		return false;
	memcpy(storage, tag, len + 1);
	char *underscore = strchr(storage, '_');
	if (underscore)
		*underscore = '+';
	return ociwp_semver_parse(storage, len, out);
}

bool ociw_package_tag_better(const char *requirement, const char *tag, const char *best)
{
	char tag_text[256], best_text[256];
	ociwp_semver version, so_far;
	if (!ociwp_semver_requirement_valid(requirement) || !version_of(tag, tag_text, &version) ||
	    !ociwp_semver_matches(requirement, &version))
		return false;
	return !best || !version_of(best, best_text, &so_far) ||
	       ociwp_semver_compare(&version, &so_far) > 0;
}
