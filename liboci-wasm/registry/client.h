/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's state, and one record for each host it talks to. Private to this layer.
 */
#ifndef OCIW_REGISTRY_CLIENT_H
#define OCIW_REGISTRY_CLIENT_H

#include "base/map.h"
#include "registry/transport.h"
#include <oci-wasm/registry.h>
#include <pthread.h>

struct ociwp_auth;
struct ociwp_registries_conf;

typedef enum ociwp_scheme {
	OCIWP_SCHEME_UNKNOWN = 0, /* a loopback host nobody has asked yet (TLS-2) */
	OCIWP_SCHEME_HTTPS,
	OCIWP_SCHEME_HTTP
} ociwp_scheme;

typedef enum ociwp_support {
	OCIWP_SUPPORT_UNKNOWN = 0,
	OCIWP_SUPPORT_YES,
	OCIWP_SUPPORT_NO
} ociwp_support;

/* A host, by what is called. Lives as long as the client. */
typedef struct ociwp_host {
	ociw_client *client;
	char *name;      /* for credentials and messages: "docker.io" */
	char *authority; /* what is called: "registry-1.docker.io", "localhost:5000" */
	bool loopback;
	bool private_literal; /* redirects into private networks are its own affair (HTTP-6) */
	char *ca_file, *cert_file, *key_file; /* from certs.d, or NULL */

	/* This lock; busy: one thread is asking the host about scheme or token, others wait. */
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool busy;
	ociwp_scheme scheme;
	bool insecure, plain_http;
	uint64_t pause_until_ms; /* monotonic (RET-3) */
	ociwp_support referrers_api;
	struct ociwp_auth *auth; /* auth.c */
} ociwp_host;

struct ociw_client {
	pthread_mutex_t mutex;
	ociwp_transport *transport; /* made with the first repository or request */
	ociwp_transport_options transport_options;
	ociwp_map *hosts;    /* authority -> ociwp_host */
	ociwp_map *warnings; /* texts of Warning headers that were passed on (HTTP-8) */
	size_t warning_bytes;
	char *user_agent;
	bool plain_http, insecure;
	char *ca_file, *cert_file, *key_file;
	char **certs_dirs;
	size_t certs_dir_count;
	struct ociwp_registries_conf *conf; /* NULL: none was read */
	uint64_t chunk_size;                /* 0: whole blobs in one PUT (PSH-10) */
	char *uploads_dir;                  /* NULL: unfinished uploads are not noted */
	ociw_credential_cb credentials;
	void *credentials_data;
};

/* The record of a host, made if need be. @p name NULL: the authority itself. */
int ociwp_client_host(ociw_client *client, const char *authority, const char *name,
                      ociwp_host **out, ociw_error **err);
/* The same for a host as a person names it: "docker.io", "localhost:5000". */
int ociwp_client_find_host(ociw_client *client, const char *name, ociwp_host **out,
                           ociw_error **err);
int ociwp_client_transport(ociw_client *client, ociwp_transport **out, ociw_error **err);
/* Certificates are not verified, and the host is asked whether it speaks TLS at all. */
void ociwp_host_set_insecure(ociwp_host *host);
/* True the first time a warning text is seen, within the cap on all of them. */
bool ociwp_client_warn_once(ociw_client *client, const char *text);

/* Takes the host's busy flag, or gives up when cancelled. Pairs with done. */
int ociwp_host_begin(ociwp_host *host, const ociw_op *op, ociw_error **err);
void ociwp_host_done(ociwp_host *host);
/* Waits on host->cond for at most 100 ms; the lock is held. */
void ociwp_host_wait(ociwp_host *host);

#endif
