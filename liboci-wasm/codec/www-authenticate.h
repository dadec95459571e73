/* SPDX-License-Identifier: Apache-2.0
 *
 * WWW-Authenticate headers to challenges (RFC 9110 11.6.1; oci-client.md AUT-1). Tolerant: what
 * cannot be read is left out, never an error.
 */
#ifndef OCIW_CODEC_WWW_AUTHENTICATE_H
#define OCIW_CODEC_WWW_AUTHENTICATE_H

#include "base/error.h"

typedef enum ociwp_auth_scheme {
	OCIWP_AUTH_OTHER = 0, /* Negotiate, NTLM, Digest, anything else: ignored by callers */
	OCIWP_AUTH_BASIC = 1,
	OCIWP_AUTH_BEARER = 2
} ociwp_auth_scheme;

/* One challenge; parameters that were not given are NULL. */
typedef struct ociwp_challenge {
	ociwp_auth_scheme scheme;
	char *realm;
	char *service;
	char *scope;
	char *error;
} ociwp_challenge;

typedef struct ociwp_challenges {
	ociwp_challenge *items;
	size_t count;
} ociwp_challenges;

/* At most this many challenges are kept of all headers together. */
#define OCIWP_CHALLENGES_MAX 16

/* Appends the challenges of one header value; the only error is OCIW_ERR_NOMEM. */
int ociwp_challenges_parse(const char *value, size_t len, ociwp_challenges *into, ociw_error **err);
void ociwp_challenge_deinit(ociwp_challenge *challenge);
void ociwp_challenges_deinit(ociwp_challenges *challenges);
/* The one to answer: the first Bearer with a realm, else the first Basic, else NULL. */
const ociwp_challenge *ociwp_challenges_pick(const ociwp_challenges *challenges);

static inline void ociwp_cleanup_challenges(ociwp_challenges *challenges)
{
	ociwp_challenges_deinit(challenges);
}

#endif
