/* SPDX-License-Identifier: Apache-2.0
 *
 * Registries: a client with its settings, and repositories as contents (oci-client.md section A).
 */
#ifndef OCIW_REGISTRY_H
#define OCIW_REGISTRY_H

#include <oci-wasm/content.h>
#include <oci-wasm/reference.h>

OCIW_BEGIN_DECLS

/** Connections, tokens and settings shared by the repositories made from it. Thread-safe. */
typedef struct ociw_client ociw_client;

/** Answer to a question for credentials. Strings are copied by the library and wiped after use. */
typedef struct ociw_credential {
	size_t size;                /**< sizeof(ociw_credential) */
	const char *username;       /**< or NULL */
	const char *password;       /**< or NULL */
	const char *identity_token; /**< OAuth2 refresh token, or NULL */
	const char *registry_token; /**< used as bearer directly, or NULL */
	const char *source;         /**< where it was found, for messages; no secret */
} ociw_credential;

/** The question; only valid during the callback. */
typedef struct ociw_credential_request ociw_credential_request;
/** Asked once per repository, when a registry wants credentials, and again at most once with
 * @p rejected = true. Hand what you find to ociw_credential_answer() before returning. May be called
 * from several threads, but for one host by one at a time.
 * @return 1 answered, 0 none (anonymous), < 0 a code to fail with */
typedef int (*ociw_credential_cb)(const char *host, bool rejected, ociw_credential_request *request,
				  void *user_data, ociw_error **err);
OCIW_API OCIW_NODISCARD int ociw_credential_answer(ociw_credential_request *request,
						   const ociw_credential *give);

/** The repository the request is about, "" for the registry as a whole. Borrowed. */
OCIW_API const char *ociw_credential_request_repository(const ociw_credential_request *request);

OCIW_API OCIW_NODISCARD int ociw_client_new(ociw_client **out, ociw_error **err);
/** Frees a client; repositories made from it must be freed before. NULL is fine. */
OCIW_API void ociw_client_free(ociw_client *client);
OCIW_API void ociw_client_set_credentials(ociw_client *client, ociw_credential_cb cb,
					  void *user_data);
OCIW_API OCIW_NODISCARD int ociw_client_set_user_agent(ociw_client *client, const char *text,
						       ociw_error **err);
/** Plain HTTP for every host (true) or only as TLS-2 allows it for loopback (false, the default). */
OCIW_API void ociw_client_set_plain_http(ociw_client *client, bool on);
/** Skip verification of TLS certificates. Off by default. */
OCIW_API void ociw_client_set_insecure(ociw_client *client, bool on);
/** PEM bundle that replaces the system's CA certificates. */
OCIW_API OCIW_NODISCARD int ociw_client_set_ca_file(ociw_client *client, const char *path,
						    ociw_error **err);
/** Client certificate and key, PEM. */
OCIW_API OCIW_NODISCARD int ociw_client_set_certificate(ociw_client *client, const char *cert_path,
							const char *key_path, ociw_error **err);

/** Adds a folder of folders named HOST[:PORT] that hold *.crt (authorities) and X.cert with X.key (client
 * pairs), as containers-certs.d(5) has it. The first added folder that has the host counts. Call it
 * before the first repository is made. */
OCIW_API OCIW_NODISCARD int ociw_client_add_certs_dir(ociw_client *client, const char *path,
						      ociw_error **err);

/** Reads a registries.conf of version 2 (containers-registries.conf(5)): locations, mirrors, blocked
 * registries. Of several files the later one overrides. Call it before the first repository is made.
 * @return 0; OCIW_ERR_NOTFOUND when there is no such file; OCIW_ERR_FORMAT */
OCIW_API OCIW_NODISCARD int ociw_client_add_registries_conf(ociw_client *client, const char *path,
							    ociw_error **err);

/** How one host is called, whatever the client's general settings are. */
enum ociw_host_flags {
	OCIW_HOST_PLAIN_HTTP = 1 << 0, /**< http, never https */
	OCIW_HOST_INSECURE = 1 << 1    /**< https, certificates not verified */
};
/** Settings of one host ("localhost:5000", "docker.io"). */
OCIW_API OCIW_NODISCARD int ociw_client_set_host(ociw_client *client, const char *host,
						 unsigned flags, ociw_error **err);
/** Time limits in milliseconds, 0 for the default: to connect (30,000), without a byte while a body
 * moves (60,000), and for the answer once an upload is sent (300,000). Before the first request. */
OCIW_API void ociw_client_set_timeouts(ociw_client *client, uint64_t connect_ms, uint64_t stall_ms,
				       uint64_t answer_ms);
/** Uploads go in chunks of this size (at least what the registry asks for); 0, the default: each blob
 * in one request, which most registries like best (PSH-10). */
OCIW_API void ociw_client_set_chunk_size(ociw_client *client, uint64_t bytes);
/** Uploads of 1 MiB and more that a registry has not finished are noted in this folder, so that a
 * process after this one goes on where it got to, if the registry still has the bytes. The folder is
 * made when it is needed, for the user alone; a note is locked while it is in use, ends with its
 * upload and counts for a week. An upload that is cancelled or loses its line is then not given up.
 *
 * @param path  absolute; NULL, the default: nothing is noted
 * @return 0; OCIW_ERR_INVALID for a relative path
 * @since 0.1 */
OCIW_API OCIW_NODISCARD int ociw_client_set_uploads_dir(ociw_client *client, const char *path,
							ociw_error **err);

/** Asks a registry for nothing in particular: it is there, and takes our credentials (CRD-8).
 * @return 0; OCIW_ERR_NOTFOUND when it is no registry; OCIW_ERR_AUTH; others */
OCIW_API OCIW_NODISCARD int ociw_client_ping(ociw_client *client, const char *host,
					     const ociw_op *op, ociw_error **err);

/** Fetches a file over http or https into a writer: with the client's rules for redirects, proxies,
 * certificates, retries and time limits, but with no credentials whatever the host. An http URL is
 * called as http, and is for the caller to refuse. Nothing is verified but the length the server said.
 * A body that breaks off is gone on with when the server names the file's version by a strong ETag;
 * else it is asked for again only while nothing of it was written.
 *
 * @param url   absolute, without user name
 * @param op    its max_blob_bytes is the most that is taken; NULL: defaults
 * @param into  borrowed; not committed
 * @return 0; OCIW_ERR_NOTFOUND, OCIW_ERR_LIMIT, OCIW_ERR_UNSAFE, OCIW_ERR_NETWORK and others of a request
 * @since 0.1 */
OCIW_API OCIW_NODISCARD int ociw_client_get(ociw_client *client, const char *url, const ociw_op *op,
					    ociw_writer *into, ociw_error **err);

/** A repository of a registry as an end. No request is made before it is used. The tag and digest of
 * @p ref only serve as the default name. */
OCIW_API OCIW_NODISCARD int ociw_client_repository(ociw_client *client, const ociw_reference *ref,
						   ociw_content **out, ociw_error **err);

/** How to list tags or repositories; zero is the default. */
typedef struct ociw_tags_options {
	size_t size;               /**< sizeof(ociw_tags_options) */
	const ociw_op *op;         /**< NULL: defaults */
	const char *last;          /**< begin behind this name; NULL: at the start */
	uint32_t page_size;        /**< names a page; 0: the registry's own choice (ECR: <= 1000) */
	uint32_t hide_digest_tags; /**< leave out tags such as sha256-<hex>.sig (TAG-4) */
} ociw_tags_options;

#define OCIW_TAGS_OPTIONS_INIT { sizeof(ociw_tags_options), NULL, NULL, 0, 0 }

/** Lists the tags of a repository made by ociw_client_repository(), in the registry's order.
 * @return 0, the callback's non-zero value, or a code */
OCIW_API OCIW_NODISCARD int ociw_repository_tags(ociw_content *repository,
						 const ociw_tags_options *options, ociw_name_cb cb,
						 void *user_data, ociw_error **err);

/** Lists the repositories of a registry, where it lets one.
 * @param host  "localhost:5000", "docker.io"
 * @return 0, the callback's non-zero value, or a code */
OCIW_API OCIW_NODISCARD int ociw_client_catalog(ociw_client *client, const char *host,
						const ociw_tags_options *options, ociw_name_cb cb,
						void *user_data, ociw_error **err);

OCIW_END_DECLS

#endif
