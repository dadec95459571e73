/* SPDX-License-Identifier: Apache-2.0
 *
 * A credential in memory: copied from the callback's answer, wiped when it goes (AUT-13).
 */
#ifndef OCIW_REGISTRY_CREDENTIAL_H
#define OCIW_REGISTRY_CREDENTIAL_H

#include "registry/client.h"

typedef struct ociwp_credential {
	char *username;
	char *password;
	char *identity_token;
	char *registry_token;
	char *source; /* never NULL once it was asked for; no secret */
} ociwp_credential;

struct ociw_credential_request {
	const char *repository; /* "" for the registry as a whole */
	ociwp_credential answer;
};

void ociwp_credential_deinit(ociwp_credential *credential);
static inline bool ociwp_credential_has_password(const ociwp_credential *credential)
{
	return credential->username && credential->password;
}
/* Asks the client's callback: 1 *out is filled, 0 there is none, < 0 code. */
int ociwp_credential_ask(ociwp_host *host, const char *repository, bool rejected,
                         ociwp_credential *out, ociw_error **err);
/* "Basic ..." of username and password, to be freed by ociwp_secret_free(); NULL without memory. */
char *ociwp_credential_basic(const ociwp_credential *credential);

#endif
