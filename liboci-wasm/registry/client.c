/* SPDX-License-Identifier: Apache-2.0
 *
 * The client object: settings and the table of hosts. It makes no request. Threads: settings are
 * made before the first request; everything after that is under locks. Requirements TLS-1..3,
 * HTTP-2.
 */
#include "registry/client.h"

#include "base/str.h"
#include "codec/registries-conf.h"
#include "registry/auth.h"
#include "registry/tls.h"
#include "registry/url.h"
#include <oci-wasm/version.h>
#include <time.h>

#define WARNINGS_MAX 4096

static void free_host(void *self)
{
	ociwp_host *host = self;
	if (!host)
		return;
	ociwp_auth_free(host->auth);
	pthread_cond_destroy(&host->cond);
	pthread_mutex_destroy(&host->mutex);
	free(host->name);
	free(host->authority);
	free(host->ca_file);
	free(host->cert_file);
	free(host->key_file);
	free(host);
}

int ociw_client_new(ociw_client **out, ociw_error **err)
{
	*out = NULL;
	ociw_client *client = ociwp_new(ociw_client);
	if (!client)
		return ociwp_nomem(err);
	pthread_mutex_init(&client->mutex, NULL);
	client->hosts = ociwp_map_new(free_host);
	client->warnings = ociwp_map_new(NULL);
	client->user_agent = ociwp_strdup("oci-wasm/" OCIW_VERSION_STRING);
	if (!client->hosts || !client->warnings || !client->user_agent) {
		ociw_client_free(client);
		return ociwp_nomem(err);
	}
	*out = client;
	return 0;
}

void ociw_client_free(ociw_client *client)
{
	if (!client)
		return;
	ociwp_transport_free(client->transport);
	ociwp_map_free(client->hosts);
	ociwp_map_free(client->warnings);
	for (size_t i = 0; i < client->certs_dir_count; i++)
		free(client->certs_dirs[i]);
	free(client->certs_dirs);
	if (client->conf)
		ociwp_registries_conf_deinit(client->conf);
	free(client->conf);
	free(client->uploads_dir);
	free(client->user_agent);
	free(client->ca_file);
	free(client->cert_file);
	free(client->key_file);
	pthread_mutex_destroy(&client->mutex);
	free(client);
}

void ociw_client_set_credentials(ociw_client *client, ociw_credential_cb cb, void *user_data)
{
	client->credentials = cb;
	client->credentials_data = user_data;
}

static int replace(char **member, const char *text, ociw_error **err)
{
	char *copy = text ? ociwp_strdup(text) : NULL;
	if (text && !copy)
		return ociwp_nomem(err);
	free(*member);
	*member = copy;
	return 0;
}

int ociw_client_set_user_agent(ociw_client *client, const char *text, ociw_error **err)
{
	if (!text || !*text)
		return ociwp_fail(err, OCIW_ERR_INVALID, "the user agent must not be empty");
	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7F)
			return ociwp_fail(err, OCIW_ERR_INVALID, "control byte in the user agent");
	}
	return replace(&client->user_agent, text, err);
}

void ociw_client_set_plain_http(ociw_client *client, bool on)
{
	client->plain_http = on;
}

void ociw_client_set_insecure(ociw_client *client, bool on)
{
	client->insecure = on;
}

int ociw_client_set_ca_file(ociw_client *client, const char *path, ociw_error **err)
{
	return replace(&client->ca_file, path, err);
}

int ociw_client_set_certificate(ociw_client *client, const char *cert_path, const char *key_path,
                                ociw_error **err)
{
	if (!cert_path != !key_path)
		return ociwp_fail(err, OCIW_ERR_INVALID,
		                  "a client certificate needs both certificate and key");
	int r = replace(&client->cert_file, cert_path, err);
	return r < 0 ? r : replace(&client->key_file, key_path, err);
}

int ociwp_client_transport(ociw_client *client, ociwp_transport **out, ociw_error **err)
{
	int r = 0;
	pthread_mutex_lock(&client->mutex);
	if (!client->transport)
		r = ociwp_transport_new(&client->transport_options, &client->transport, err);
	*out = client->transport;
	pthread_mutex_unlock(&client->mutex);
	return r;
}

/* The host without its port and brackets. */
static char *host_of(const char *authority)
{
	if (authority[0] == '[')
		return ociwp_strndup(authority + 1, strcspn(authority + 1, "]"));
	return ociwp_strndup(authority, strcspn(authority, ":"));
}

/* Loopback hosts alone are asked (TLS-2), unless somebody has said what they are. */
static ociwp_scheme first_scheme(const ociwp_host *host)
{
	if (host->plain_http)
		return OCIWP_SCHEME_HTTP;
	return host->loopback ? OCIWP_SCHEME_UNKNOWN : OCIWP_SCHEME_HTTPS;
}

static int make_host(ociw_client *client, const char *authority, const char *name, ociwp_host **out,
                     ociw_error **err)
{
	ociwp_host *host = ociwp_new(ociwp_host);
	if (!host)
		return ociwp_nomem(err);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&host->cond, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&host->mutex, NULL);
	host->client = client;
	host->name = ociwp_strdup(name);
	host->authority = ociwp_strdup(authority);
	OCIWP_AUTO(str) char *bare = host_of(authority);
	int r = host->name && host->authority && bare ? 0 : ociwp_nomem(err);
	if (r == 0) {
		host->loopback = ociwp_host_is_loopback(bare);
		host->private_literal = ociwp_host_is_private(bare);
		host->insecure = client->insecure;
		host->plain_http = client->plain_http;
		host->scheme = first_scheme(host);
		r = ociwp_tls_find_certs(host, err);
	}
	if (r == 0)
		r = ociwp_auth_new(&host->auth, err);
	if (r < 0) {
		free_host(host);
		return r;
	}
	*out = host;
	return 0;
}

int ociwp_client_host(ociw_client *client, const char *authority, const char *name,
                      ociwp_host **out, ociw_error **err)
{
	int r = 0;
	pthread_mutex_lock(&client->mutex);
	*out = ociwp_map_get(client->hosts, authority);
	if (!*out) {
		ociwp_host *host = NULL;
		r = make_host(client, authority, name ? name : authority, &host, err);
		if (r == 0 && !ociwp_map_set(client->hosts, authority, host)) {
			free_host(host);
			r = ociwp_nomem(err);
		} else if (r == 0) {
			*out = host;
		}
	}
	pthread_mutex_unlock(&client->mutex);
	return r;
}

int ociwp_client_find_host(ociw_client *client, const char *name, ociwp_host **out,
                           ociw_error **err)
{
	/* The reference parser knows what a host is, and the names of Docker Hub. */
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociw_reference *ref = NULL;
	ociwp_buf_printf(&text, "%s/a/b", name);
	int r = ociwp_buf_check(&text, err);
	if (r == 0)
		r = ociw_reference_parse(text.data, &ref, err);
	if (r == 0 && strcmp(ociw_reference_repository(ref), "a/b") != 0)
		r = ociwp_fail(err, OCIW_ERR_INVALID, "%s is no registry host", ociwp_quote(name));
	if (r == 0)
		r = ociwp_client_host(client, ociw_reference_api_host(ref),
		                      ociw_reference_host(ref), out, err);
	ociw_reference_free(ref);
	return r;
}

int ociw_client_set_host(ociw_client *client, const char *host, unsigned flags, ociw_error **err)
{
	ociwp_host *record;
	int r = ociwp_client_find_host(client, host, &record, err);
	if (r < 0)
		return r;
	pthread_mutex_lock(&record->mutex);
	record->plain_http = (flags & OCIW_HOST_PLAIN_HTTP) != 0;
	record->insecure = (flags & OCIW_HOST_INSECURE) != 0;
	record->scheme = first_scheme(record);
	pthread_mutex_unlock(&record->mutex);
	return 0;
}

void ociwp_host_set_insecure(ociwp_host *host)
{
	pthread_mutex_lock(&host->mutex);
	if (!host->insecure && !host->plain_http)
		host->scheme = OCIWP_SCHEME_UNKNOWN;
	host->insecure = true;
	pthread_mutex_unlock(&host->mutex);
}

void ociw_client_set_timeouts(ociw_client *client, uint64_t connect_ms, uint64_t stall_ms,
                              uint64_t answer_ms)
{
	client->transport_options = (ociwp_transport_options){connect_ms, stall_ms, answer_ms};
}

void ociw_client_set_chunk_size(ociw_client *client, uint64_t bytes)
{
	client->chunk_size = bytes;
}

int ociw_client_set_uploads_dir(ociw_client *client, const char *path, ociw_error **err)
{
	if (path && path[0] != '/')
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s is no absolute path",
		                  ociwp_quote(path));
	return replace(&client->uploads_dir, path, err);
}

bool ociwp_client_warn_once(ociw_client *client, const char *text)
{
	size_t len = strlen(text);
	pthread_mutex_lock(&client->mutex);
	bool fresh = len <= WARNINGS_MAX - client->warning_bytes &&
	             !ociwp_map_contains(client->warnings, text) &&
	             ociwp_map_set(client->warnings, text, NULL);
	if (fresh)
		client->warning_bytes += len;
	pthread_mutex_unlock(&client->mutex);
	return fresh;
}

void ociwp_host_wait(ociwp_host *host)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += 100 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	pthread_cond_timedwait(&host->cond, &host->mutex, &until);
}

int ociwp_host_begin(ociwp_host *host, const ociw_op *op, ociw_error **err)
{
	int r = 0;
	pthread_mutex_lock(&host->mutex);
	while (host->busy && r == 0) {
		ociwp_host_wait(host);
		r = ociwp_check_cancel(op, err);
	}
	if (r == 0)
		host->busy = true;
	pthread_mutex_unlock(&host->mutex);
	return r;
}

void ociwp_host_done(ociwp_host *host)
{
	pthread_mutex_lock(&host->mutex);
	host->busy = false;
	pthread_cond_broadcast(&host->cond);
	pthread_mutex_unlock(&host->mutex);
}
