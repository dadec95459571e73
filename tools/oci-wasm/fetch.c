/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetches what a Spin manifest names but does not hold: a url, or a package of a component registry
 * as wkg finds it (its config.toml, the registry's own registry.json, a tag for the version). The
 * library verifies. specs/wasm-formats.md 1.3.
 */
#include "fetch.h"
#include "package-client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_MAX (1024 * 1024)
#define METADATA_MAX (64 * 1024)

/* --- memory as a writer --- */

struct memory {
	char *bytes;
	size_t len, max;
};

static void memory_free(struct memory *memory)
{
	if (memory->bytes)
		explicit_bzero(memory->bytes, memory->len);
	free(memory->bytes);
}

static int memory_write(void *self, const void *buf, size_t len, ociw_error **err)
{
	struct memory *memory = self;

	if (len > memory->max - memory->len)
		return ociw_error_set(err, OCIW_ERR_LIMIT, "it has more than %zu bytes",
		                      memory->max);
	/* Not realloc(): what it leaves behind may be a password. */
	char *grown = malloc(memory->len + len);
	if (!grown)
		return ociw_error_set(err, OCIW_ERR_NOMEM, "out of memory");
	if (memory->bytes)
		memcpy(grown, memory->bytes, memory->len);
	memcpy(grown + memory->len, buf, len);
	memory_free(memory);
	memory->bytes = grown;
	memory->len += len;
	return 0;
}

static int memory_commit(void *self, ociw_error **err)
{
	(void)self;
	(void)err;
	return 0;
}

static void memory_abort(void *self)
{
	(void)self;
}

static const ociw_writer_ops memory_ops = {sizeof(memory_ops), memory_write, memory_commit,
                                           memory_abort};

/* --- where packages are --- */

/* $XDG_CONFIG_HOME/wasm-pkg/config.toml or ~/.config/wasm-pkg/config.toml; NULL without either. */
static char *config_path(void)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int n = -1;

	if (config && config[0] == '/')
		n = asprintf(&path, "%s/wasm-pkg/config.toml", config);
	else if (home && home[0] == '/')
		n = asprintf(&path, "%s/.config/wasm-pkg/config.toml", home);
	return n < 0 ? NULL : path;
}

static int read_config(const char *path, struct memory *out, ociw_error **err)
{
	char chunk[4096];
	int r = 0;
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;

	if (fd < 0 && (!path || errno == ENOENT || errno == ENOTDIR))
		return 0;
	for (ssize_t n = 1; fd >= 0 && r == 0 && n > 0;) {
		n = read(fd, chunk, sizeof(chunk));
		if (n > 0)
			r = memory_write(out, chunk, (size_t)n, err);
		else if (n < 0 && errno != EINTR)
			r = ociw_error_set(err, OCIW_ERR_IO, "read %s: %s", path, strerror(errno));
		else if (n < 0)
			n = 1;
	}
	if (fd < 0)
		return ociw_error_set(err, OCIW_ERR_IO, "open %s: %s", path, strerror(errno));
	explicit_bzero(chunk, sizeof(chunk));
	close(fd);
	return r;
}

static int load_packages(ociw_packages **out, ociw_error **err)
{
	struct memory text = {.max = CONFIG_MAX};
	char *path = config_path();
	int r = read_config(path, &text, err);

	if (r == 0)
		r = ociw_packages_new((ociw_span){text.bytes, text.len},
		                      path ? path : "config.toml", out, err);
	memory_free(&text);
	free(path);
	return r;
}

static bool is_loopback(const char *registry)
{
	size_t len = strcspn(registry, ":");

	return (len == 9 && memcmp(registry, "localhost", 9) == 0) ||
	       (len == 9 && memcmp(registry, "127.0.0.1", 9) == 0);
}

/* What a registry says of itself. One that has no such file, or cannot be asked, has its packages
 * in itself: that is what wkg takes it for, so the second case is only warned about. */
static int fetch_metadata(struct tool *tool, ociw_client *client, const char *registry,
                          struct memory *out, ociw_error **err)
{
	ociw_writer *writer = NULL;
	ociw_error *why = NULL;
	char *url = NULL;

	out->max = METADATA_MAX;
	if (asprintf(&url, "%s://%s/.well-known/wasm-pkg/registry.json",
	             is_loopback(registry) ? "http" : "https", registry) < 0)
		return ociw_error_set(err, OCIW_ERR_NOMEM, "out of memory");
	int r = ociw_writer_new(&memory_ops, out, &writer, err);
	if (r == 0) {
		int got = ociw_client_get(client, url, &tool->op, writer, &why);
		if (got < 0)
			out->len = 0;
		if (got == OCIW_ERR_CANCELLED || got == OCIW_ERR_NOMEM)
			r = ociw_error_set(err, (ociw_code)got, "%s", ociw_error_message(why));
		else if (got < 0 && got != OCIW_ERR_NOTFOUND && !tool->common.quiet)
			fprintf(stderr, "oci-wasm: warning: %s\n", ociw_error_message(why));
		ociw_error_free(why);
		ociw_writer_abort(writer);
	}
	free(url);
	return r;
}

/* --- the version --- */

struct choice {
	const char *requirement;
	char *best;
	bool no_memory;
};

static int consider(const char *tag, const ociw_descriptor *desc, void *user_data)
{
	struct choice *choice = user_data;

	(void)desc;
	if (!tag || !ociw_package_tag_better(choice->requirement, tag, choice->best))
		return 0;
	free(choice->best);
	choice->best = strdup(tag);
	choice->no_memory = !choice->best;
	return choice->no_memory;
}

/* The latest version that meets a requirement, as a tag. */
static int choose_tag(struct tool *tool, ociw_content *content, const char *requirement, char **out,
                      ociw_error **err)
{
	ociw_tags_options options = OCIW_TAGS_OPTIONS_INIT;
	struct choice choice = {.requirement = requirement};

	options.op = &tool->op;
	options.hide_digest_tags = 1;
	int r = ociw_repository_tags(content, &options, consider, &choice, err);
	if (choice.no_memory)
		r = ociw_error_set(err, OCIW_ERR_NOMEM, "out of memory");
	else if (r == 0 && !choice.best)
		r = ociw_error_set(err, OCIW_ERR_NOTFOUND, "%s has no version that meets \"%s\"",
		                   ociw_content_label(content), requirement);
	if (r < 0)
		free(choice.best);
	else
		*out = choice.best;
	return r;
}

/* --- packages --- */

/* Where a package is: the text of its repository. *registry may be NULL, and is found then. */
static int find_repository(struct tool *tool, ociw_client *client, ociw_packages *packages,
                           const char **registry, const char *package, char **out, ociw_error **err)
{
	struct memory metadata = {0};
	int r = 0;

	if (!*registry)
		*registry = ociw_packages_registry(packages, package);
	if (!*registry)
		return ociw_error_set(err, OCIW_ERR_NOTFOUND,
		                      "no registry is known for it: add `registry` to the source, "
		                      "or its namespace to wasm-pkg/config.toml");
	if (ociw_packages_wants_metadata(packages, package, *registry))
		r = fetch_metadata(tool, client, *registry, &metadata, err);
	if (r == 0)
		r = ociw_packages_repository(packages, *registry, package,
		                             (ociw_span){metadata.bytes, metadata.len}, out, err);
	memory_free(&metadata);
	return r;
}

/* An open repository and what it needs. */
struct source {
	ociw_packages *packages;
	struct package_client *client;
	ociw_content *content;
};

static void source_close(struct source *source)
{
	ociw_content_free(source->content);
	package_client_free(source->client);
	ociw_packages_free(source->packages);
}

static int open_repository(struct tool *tool, ociw_client *client, const char *registry,
                           const char *package, struct source *out, ociw_error **err)
{
	ociw_reference *ref = NULL;
	char *repository = NULL;

	int r = load_packages(&out->packages, err);
	if (r == 0)
		r = find_repository(tool, client, out->packages, &registry, package, &repository,
		                    err);
	if (r == 0)
		r = ociw_reference_parse(repository, &ref, err);
	if (r == 0)
		r = package_client_new(tool, out->packages, registry, ociw_reference_host(ref),
		                       &out->client, err);
	if (r == 0)
		r = ociw_client_repository(package_client_get(out->client), ref, &out->content, err);
	ociw_reference_free(ref);
	ociw_free(repository);
	return r;
}

static int fetch_package(struct tool *tool, ociw_client *client, const char *locator,
                         const char *version, bool range, ociw_writer *into, ociw_error **err)
{
	const char *slash = strrchr(locator, '/');
	char *registry = slash ? strndup(locator, (size_t)(slash - locator)) : NULL;
	struct source source = {0};
	char *tag = NULL;

	if (slash && !registry)
		return ociw_error_set(err, OCIW_ERR_NOMEM, "out of memory");
	int r = open_repository(tool, client, registry, slash ? slash + 1 : locator, &source, err);
	if (r == 0)
		r = range ? choose_tag(tool, source.content, version, &tag, err)
		          : ociw_package_tag(version, &tag, err);
	if (r == 0)
		r = ociw_package_read(source.content, tag, &tool->op, into, err);
	ociw_free(tag);
	source_close(&source);
	free(registry);
	return r;
}

int fetch_source(const char *kind, const char *locator, const char *version, const char *digest,
                 ociw_writer *into, void *user_data, ociw_error **err)
{
	struct tool *tool = user_data;
	ociw_client *client = tool_client(tool);

	if (!client)
		return ociw_error_set(err, OCIW_ERR_CANCELLED, "there is no client");
	if (strcmp(kind, "url") != 0)
		return fetch_package(tool, client, locator, version,
		                     strcmp(kind, "package-range") == 0, into, err);
	/* Without TLS anybody on the way can change the bytes: only a digest makes up for that. */
	if (!digest && strncmp(locator, "https:", 6) != 0)
		return ociw_error_set(err, OCIW_ERR_UNSAFE,
		                      "it is fetched without TLS and has no digest");
	return ociw_client_get(client, locator, &tool->op, into, err);
}
