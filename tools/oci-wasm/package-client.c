/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings of config.toml hold for packages only, so they never touch the command's own client.
 * Credentials: the environment, config.toml, then where they always are.
 */
#include "package-client.h"
#include "credentials.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct package_client {
	ociw_client *client;
	bool own; /* to be freed with this */
	struct credentials *fallback;
	char *host;
	char *username, *password, *bearer;
	const char *source;
	char *certs_dir, *certs_host_dir, *certs_file; /* as containers-certs.d(5) has it */
};

static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void package_client_free(struct package_client *client)
{
	if (!client)
		return;
	if (client->own)
		ociw_client_free(client->client);
	if (client->certs_file)
		unlink(client->certs_file);
	if (client->certs_host_dir)
		rmdir(client->certs_host_dir);
	if (client->certs_dir)
		rmdir(client->certs_dir);
	free(client->certs_file);
	free(client->certs_host_dir);
	free(client->certs_dir);
	free(client->host);
	wipe(client->username);
	wipe(client->password);
	wipe(client->bearer);
	free(client);
}

ociw_client *package_client_get(const struct package_client *client)
{
	return client->client;
}

/* WKG_REGISTRY_<NAME>_AUTH_BEARER; borrowed. */
static const char *bearer_of(const char *name)
{
	char *variable = NULL;
	const char *value = NULL;

	if (asprintf(&variable, "WKG_REGISTRY_%s_AUTH_BEARER", name) < 0)
		return NULL;
	for (char *c = variable; *c; c++)
		*c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
	value = getenv(variable);
	free(variable);
	return value && *value ? value : NULL;
}

static int find_credentials(const char *host, bool rejected, ociw_credential_request *request,
                            void *user_data, ociw_error **err)
{
	struct package_client *client = user_data;
	ociw_credential give = {.size = sizeof(give),
	                        .username = client->username,
	                        .password = client->password,
	                        .registry_token = client->bearer,
	                        .source = client->source};

	if (!client->source || strcmp(host, client->host) != 0)
		return credentials_find(host, rejected, request, client->fallback, err);
	if (rejected)
		return 0;
	int r = ociw_credential_answer(request, &give);
	return r < 0 ? r : 1;
}

static int no_memory(ociw_error **err)
{
	return ociw_error_set(err, OCIW_ERR_NOMEM, "out of memory");
}

static int take_credentials(struct package_client *client, const char *bearer,
                            const ociw_package_settings *settings, ociw_error **err)
{
	if (bearer) {
		client->source = "WKG_REGISTRY_..._AUTH_BEARER";
		client->bearer = strdup(bearer);
		return client->bearer ? 0 : no_memory(err);
	}
	if (!settings->username)
		return 0;
	client->source = "wasm-pkg/config.toml";
	client->username = strdup(settings->username);
	client->password = strdup(settings->password);
	return client->username && client->password ? 0 : no_memory(err);
}

/* The client reads authorities of a host from a folder of folders: this one has one. */
static int add_certificates(struct package_client *client, const char *pem, ociw_error **err)
{
	const char *temp = getenv("TMPDIR");
	char *dir = NULL;

	if (asprintf(&dir, "%s/oci-wasm-certs-XXXXXX", temp && *temp ? temp : "/tmp") < 0)
		return no_memory(err);
	if (!mkdtemp(dir)) {
		free(dir);
		return ociw_error_set(err, OCIW_ERR_IO, "make a temporary folder: %s",
		                      strerror(errno));
	}
	client->certs_dir = dir;
	if (asprintf(&client->certs_host_dir, "%s/%s", dir, client->host) < 0) {
		client->certs_host_dir = NULL;
		return no_memory(err);
	}
	if (asprintf(&client->certs_file, "%s/wkg.crt", client->certs_host_dir) < 0) {
		client->certs_file = NULL;
		return no_memory(err);
	}
	FILE *file =
	        mkdir(client->certs_host_dir, 0700) == 0 ? fopen(client->certs_file, "wxe") : NULL;
	bool failed = !file || fputs(pem, file) == EOF;
	if (file)
		failed |= fclose(file) != 0;
	if (failed)
		return ociw_error_set(err, OCIW_ERR_IO, "write a temporary file: %s",
		                      strerror(errno));
	return ociw_client_add_certs_dir(client->client, client->certs_dir, err);
}

static int set_up(struct tool *tool, struct package_client *client,
                  const ociw_package_settings *settings, const char *bearer, ociw_error **err)
{
	unsigned flags = 0;

	int r = tool_client_new(tool, &client->client, err);
	if (r < 0)
		return r;
	client->own = true;
	client->fallback = tool->credentials;
	r = take_credentials(client, bearer, settings, err);
	ociw_client_set_credentials(client->client, find_credentials, client);
	if (settings->protocol && strcmp(settings->protocol, "http") == 0)
		flags |= OCIW_HOST_PLAIN_HTTP;
	if (settings->accept_invalid_certificates)
		flags |= OCIW_HOST_INSECURE;
	if (r >= 0 && flags)
		r = ociw_client_set_host(client->client, client->host, flags, err);
	if (r >= 0 && settings->certificates)
		r = add_certificates(client, settings->certificates, err);
	return r;
}

int package_client_new(struct tool *tool, ociw_packages *packages, const char *registry,
                       const char *host, struct package_client **out, ociw_error **err)
{
	ociw_package_settings settings = {0};
	struct package_client *client = calloc(1, sizeof(*client));
	const char *bearer = bearer_of(registry);

	*out = NULL;
	if (!client)
		return no_memory(err);
	if (!bearer)
		bearer = bearer_of(host);
	client->host = strdup(host);
	int r = client->host ? ociw_packages_settings(packages, registry, &settings, err)
	                     : no_memory(err);
	if (r > 0 || (r == 0 && bearer)) {
		r = set_up(tool, client, &settings, bearer, err);
	} else if (r == 0) {
		client->client = tool_client(tool);
		if (!client->client)
			r = ociw_error_set(err, OCIW_ERR_CANCELLED, "there is no client");
	}
	if (r < 0) {
		package_client_free(client);
		return r;
	}
	*out = client;
	return 0;
}
