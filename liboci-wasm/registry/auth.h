/* SPDX-License-Identifier: Apache-2.0
 *
 * Credentials, challenges and tokens of one host (AUT-1..13).
 */
#ifndef OCIW_REGISTRY_AUTH_H
#define OCIW_REGISTRY_AUTH_H

#include "registry/request.h"

typedef struct ociwp_auth ociwp_auth;

int ociwp_auth_new(ociwp_auth **out, ociw_error **err);
void ociwp_auth_free(ociwp_auth *auth);

/* The Authorization value for a request that needs @p scopes; NULL in *out for none. Before the
 * first challenge that is always none; afterwards a token may be fetched. *out:
 * ociwp_secret_free(). */
int ociwp_auth_header(ociwp_host *host, const ociwp_scopes *scopes, const ociw_op *op, char **out,
                      ociw_error **err);
/* Learns from a 401. @p used: the value that was refused, or NULL. What the challenge asks is added
 * to
 * @p scopes. 0: worth another try; else why not. */
int ociwp_auth_refused(ociwp_host *host, ociwp_response *response, const char *used,
                       ociwp_scopes *scopes, const ociw_op *op, ociw_error **err);

#endif
