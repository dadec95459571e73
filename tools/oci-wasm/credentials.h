/* SPDX-License-Identifier: Apache-2.0
 *
 * Where credentials of registries come from and go to (CRD-1..8): options, files of docker and
 * podman, credential helpers. The library only asks; this is the answer of the tool.
 */
#ifndef OCI_WASM_CREDENTIALS_H
#define OCI_WASM_CREDENTIALS_H

#include <oci-wasm/oci-wasm.h>

struct credentials;

/* @p config_path: --registry-config, or NULL. Strings are copied. NULL when memory ran out. */
struct credentials *credentials_new(const char *config_path);
/* Wipes and frees. NULL is fine. */
void credentials_free(struct credentials *credentials);
/* From --username and --password-stdin: used for this host alone, before anything else. False when
 * memory ran out. */
bool credentials_use(struct credentials *credentials, const char *host, const char *username,
                     const char *password);

/* An ociw_credential_cb; user_data is the struct credentials. */
int credentials_find(const char *host, bool rejected, ociw_credential_request *request,
                     void *user_data, ociw_error **err);

/* Keeps a credential in the helper that is configured for the host, else in the file. *where tells
 * which, for a message, to be freed; it may be NULL. */
int credentials_store(struct credentials *credentials, const char *host,
                      const ociw_credential *credential, char **where, ociw_error **err);
/* Removes a host everywhere credentials_find() looks but for options and environment.
 * 1 removed something, 0 there was nothing, < 0 code. */
int credentials_erase(struct credentials *credentials, const char *host, ociw_error **err);

#endif
