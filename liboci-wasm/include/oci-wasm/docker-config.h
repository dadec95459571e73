/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of credentials: docker's config.json and the auth.json of podman and skopeo (CRD-2..4, CRD-7).
 * Text in, text out: which files there are and how helpers are run is the program's affair.
 */
#ifndef OCIW_DOCKER_CONFIG_H
#define OCIW_DOCKER_CONFIG_H

#include <oci-wasm/registry.h>

OCIW_BEGIN_DECLS

/** A parsed file. Unknown members and their order are kept. For one thread at a time. */
typedef struct ociw_docker_config ociw_docker_config;

/** Parses a file's text; empty text is an empty file.
 * @return 0; OCIW_ERR_FORMAT; OCIW_ERR_NOMEM */
OCIW_API OCIW_NODISCARD int ociw_docker_config_parse(ociw_span text, ociw_docker_config **out,
						     ociw_error **err);
/** Frees it and wipes the secrets in it. NULL is fine. */
OCIW_API void ociw_docker_config_free(ociw_docker_config *config);

/** The credential helper for a host: credHelpers, else credsStore; NULL when there is none. It is a
 * plain name, to be run as docker-credential-NAME. Borrowed.
 * @param named  set to whether the host itself is listed in credHelpers; may be NULL */
OCIW_API const char *ociw_docker_config_helper(const ociw_docker_config *config, const char *host,
					       bool *named);
/** What helpers know a host by: "https://index.docker.io/v1/" for Docker Hub, else the host. Borrowed. */
OCIW_API const char *ociw_docker_config_server(const char *host);

/** Looks a host up in auths: "host/repository" and its prefixes, longest first, then the host, then
 * keys with a scheme and path.
 * @param repository  "" or NULL: the host alone
 * @param out         strings borrowed until the next call with this config
 * @return 1 found; 0 none, or an empty entry; OCIW_ERR_FORMAT for an entry that makes no sense */
OCIW_API OCIW_NODISCARD int ociw_docker_config_find(ociw_docker_config *config, const char *host,
						    const char *repository, ociw_credential *out,
						    ociw_error **err);

/** Sets the entry of a host; @p credential NULL makes an empty one ("look in the helper"). */
OCIW_API OCIW_NODISCARD int ociw_docker_config_set(ociw_docker_config *config, const char *host,
						   const ociw_credential *credential,
						   ociw_error **err);
/** Removes every entry that is this host's. @return 1 removed, 0 there was none */
OCIW_API int ociw_docker_config_remove(ociw_docker_config *config, const char *host);
/** The file's text with a final newline, to be wiped and freed with ociw_free(). */
OCIW_API OCIW_NODISCARD int ociw_docker_config_format(const ociw_docker_config *config, char **out,
						      ociw_error **err);

/** What a helper printed for "get": {"ServerURL":..., "Username":..., "Secret":...}. A user name of
 * "<token>" makes the secret an identity token (CRD-5). The strings are borrowed from @p holder.
 * @return 1 found, 0 the helper has none, OCIW_ERR_FORMAT */
OCIW_API OCIW_NODISCARD int ociw_docker_helper_answer(ociw_docker_config *holder, ociw_span output,
						      ociw_credential *out, ociw_error **err);
/** What a helper is told for "store": JSON, to be wiped and freed with ociw_free(). */
OCIW_API OCIW_NODISCARD int ociw_docker_helper_request(const char *host,
						       const ociw_credential *credential,
						       char **out, ociw_error **err);

OCIW_END_DECLS

#endif
