/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetching bearer tokens from a realm (AUT-2..4, AUT-9, AUT-12).
 */
#ifndef OCIW_REGISTRY_TOKEN_H
#define OCIW_REGISTRY_TOKEN_H

#include "registry/credential.h"
#include "registry/request.h"

typedef struct ociwp_token {
	char *value; /* secret */
	char *realm;
	char *service; /* or NULL */
	ociwp_scopes scopes;
	uint64_t expires_ms; /* monotonic */
} ociwp_token;

void ociwp_token_deinit(ociwp_token *token);

/* Asks @p realm (perhaps relative to the registry) for a token. A new refresh token is put into
 * @p credential; an empty one means anonymous. *rejected: the realm refused the credential itself.
 */
int ociwp_token_fetch(ociwp_host *host, const char *realm, const char *service,
                      const ociwp_scopes *scopes, ociwp_credential *credential, const ociw_op *op,
                      ociwp_token *out, bool *rejected, ociw_error **err);
/* The answer's JSON to a token; times count from @p now_ms. For tests. */
int ociwp_token_parse(ociw_span body, uint64_t now_ms, ociwp_token *out, char **refresh_token,
                      ociw_error **err);

#endif
