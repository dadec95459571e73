/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds certificate files by name and reads none: libcurl does that. Layout of certs.d as in
 * containers-certs.d(5): *.crt is an authority, X.cert with X.key a client pair. TLS-3, TLS-4.
 */
#include "registry/tls.h"

#include "base/path.h"
#include "base/str.h"
#include "registry/url.h"
#include <dirent.h>
#include <errno.h>
#include <unistd.h>

static int add_dir(ociw_client *client, const char *path, ociw_error **err)
{
	char *copy = ociwp_strdup(path);
	char **grown = copy ? ociwp_realloc_array(client->certs_dirs, client->certs_dir_count + 1,
	                                          sizeof(*grown))
	                    : NULL;
	if (!grown) {
		free(copy);
		return ociwp_nomem(err);
	}
	client->certs_dirs = grown;
	grown[client->certs_dir_count++] = copy;
	return 0;
}

int ociw_client_add_certs_dir(ociw_client *client, const char *path, ociw_error **err)
{
	return add_dir(client, path, err);
}

/* Takes the first of a kind by name, so that the folder's order does not matter. */
static int keep(char **member, const char *dir, const char *name, ociw_error **err)
{
	char *path = ociwp_path_join(dir, name);
	if (!path)
		return ociwp_nomem(err);
	if (*member && strcmp(*member, path) <= 0) {
		free(path);
		return 0;
	}
	free(*member);
	*member = path;
	return 0;
}

/* The other half of a client pair: X.key for X.cert. */
static int need_twin(const char *path, const char *from, const char *to, char **out,
                     ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf twin = OCIWP_BUF_INIT;
	ociwp_buf_append(&twin, path, strlen(path) - strlen(from));
	ociwp_buf_puts(&twin, to);
	int r = ociwp_buf_check(&twin, err);
	if (r < 0)
		return r;
	if (access(twin.data, F_OK) != 0)
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s has no %s beside it",
		                  ociwp_quote(path), to);
	if (!out)
		return 0;
	*out = ociwp_buf_steal(&twin);
	return *out ? 0 : ociwp_nomem(err);
}

static int take_entry(ociwp_host *host, const char *dir, const char *name, ociw_error **err)
{
	if (name[0] == '.')
		return 0;
	if (ociwp_ends_with(name, ".crt"))
		return keep(&host->ca_file, dir, name, err);
	if (ociwp_ends_with(name, ".cert"))
		return keep(&host->cert_file, dir, name, err);
	if (!ociwp_ends_with(name, ".key"))
		return 0;
	OCIWP_AUTO(str) char *path = ociwp_path_join(dir, name);
	return path ? need_twin(path, ".key", ".cert", NULL, err) : ociwp_nomem(err);
}

/* A listing that breaks off is an error: without an authority that it did not show, the host would be called
 * with those of the system. */
static const struct dirent *next_entry(DIR *handle, const char *dir, int *r, ociw_error **err)
{
	errno = 0;
	const struct dirent *entry = readdir(handle);
	if (!entry && errno)
		*r = ociwp_fail_errno(err, errno, "list %s", ociwp_quote(dir));
	return entry;
}

static int read_dir(ociwp_host *host, const char *dir, bool *found, ociw_error **err)
{
	DIR *handle = opendir(dir);
	if (!handle) {
		if (errno == ENOENT || errno == ENOTDIR || errno == EACCES)
			return 0;
		return ociwp_fail_errno(err, errno, "open %s", ociwp_quote(dir));
	}
	*found = true;
	int r = 0;
	for (const struct dirent *entry; r == 0 && (entry = next_entry(handle, dir, &r, err));)
		r = take_entry(host, dir, entry->d_name, err);
	closedir(handle);
	if (r == 0 && host->cert_file)
		r = need_twin(host->cert_file, ".cert", ".key", &host->key_file, err);
	return r;
}

int ociwp_tls_find_certs(ociwp_host *host, ociw_error **err)
{
	const ociw_client *client = host->client;
	bool found = false;
	/* The authority came through a URL or reference parser, but a path is made of it here. */
	if (!ociwp_path_is_component(host->authority, strlen(host->authority)))
		return 0;
	for (size_t i = 0; i < client->certs_dir_count && !found; i++) {
		OCIWP_AUTO(str) char *dir = ociwp_path_join(client->certs_dirs[i], host->authority);
		int r = dir ? read_dir(host, dir, &found, err) : ociwp_nomem(err);
		if (r < 0)
			return r;
	}
	return 0;
}

ociwp_tls ociwp_tls_of(const ociwp_host *host, bool own)
{
	const ociw_client *client = host->client;
	ociwp_tls tls = {
	        .insecure = host->insecure,
	        .ca_file = host->ca_file ? host->ca_file : client->ca_file,
	        .cert_file = host->cert_file,
	        .key_file = host->key_file,
	        .proxy_ca_file = client->ca_file,
	};
	if (own && !tls.cert_file) {
		tls.cert_file = client->cert_file;
		tls.key_file = client->key_file;
	}
	return tls;
}

/* "example.org:5000", ".example.org:5000" or "[::1]:5000" against a host and its port. */
static bool entry_matches(const char *entry, size_t len, const char *host, const char *port)
{
	const char *colon = NULL;
	for (size_t i = len; i > 0 && !colon; i--) {
		if (entry[i - 1] == ':')
			colon = entry + i - 1;
	}
	if (!colon || strlen(port) != len - (size_t)(colon + 1 - entry) ||
	    memcmp(colon + 1, port, strlen(port)) != 0)
		return false;
	size_t name_len = (size_t)(colon - entry), host_len = strlen(host);
	if (name_len > 1 && entry[0] == '[' && entry[name_len - 1] == ']') {
		entry++;
		name_len -= 2;
	}
	if (name_len && entry[0] == '.') {
		entry++;
		name_len--;
	}
	if (name_len == 0 || name_len > host_len ||
	    strncasecmp(host + host_len - name_len, entry, name_len) != 0)
		return false;
	return name_len == host_len || host[host_len - name_len - 1] == '.';
}

bool ociwp_tls_no_proxy(const char *host, const char *port, const char *no_proxy)
{
	if (ociwp_host_is_loopback(host))
		return true;
	while (no_proxy && *no_proxy) {
		no_proxy += strspn(no_proxy, ", \t");
		size_t len = strcspn(no_proxy, ", \t");
		if (entry_matches(no_proxy, len, host, port))
			return true;
		no_proxy += len;
	}
	return false;
}
