/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known about authentication at one host: the last challenge, the credential, the tokens.
 * It sends nothing itself but the ping of AUT-8. Tokens live in memory alone. AUT-1, AUT-5..8,
 * AUT-10, 11.
 */
#include "registry/auth.h"

#include "base/str.h"
#include "base/time.h"
#include "codec/www-authenticate.h"
#include "registry/token.h"

/* A token is not used in its last seconds: a request takes time to arrive. */
#define MARGIN_MS 10000
#define TOKENS_MAX 64

struct ociwp_auth {
	/* The host's lock. */
	ociwp_challenge challenge; /* scheme OTHER: none yet */
	ociwp_token *tokens;
	size_t token_count;
	/* Whoever holds the host's busy flag. By repository, as auth.json may tell them apart
	 * (CRD-3);
	 * "" for requests to the registry as a whole. */
	ociwp_map *logins; /* repository -> login */
};

typedef struct login {
	ociwp_credential credential;
	bool asked, asked_again;
} login;

static void free_login(void *self)
{
	login *l = self;
	ociwp_credential_deinit(&l->credential);
	free(l);
}

int ociwp_auth_new(ociwp_auth **out, ociw_error **err)
{
	ociwp_auth *auth = ociwp_new(ociwp_auth);
	*out = NULL;
	if (!auth)
		return ociwp_nomem(err);
	auth->logins = ociwp_map_new(free_login);
	if (!auth->logins) {
		free(auth);
		return ociwp_nomem(err);
	}
	*out = auth;
	return 0;
}

void ociwp_auth_free(ociwp_auth *auth)
{
	if (!auth)
		return;
	for (size_t i = 0; i < auth->token_count; i++)
		ociwp_token_deinit(&auth->tokens[i]);
	free(auth->tokens);
	ociwp_challenge_deinit(&auth->challenge);
	ociwp_map_free(auth->logins);
	free(auth);
}

/* ---- tokens, under the host's lock ---- */

static void drop_token(ociwp_auth *auth, size_t i)
{
	ociwp_token_deinit(&auth->tokens[i]);
	auth->tokens[i] = auth->tokens[--auth->token_count];
}

static const ociwp_token *find_token(ociwp_auth *auth, const ociwp_scopes *scopes)
{
	uint64_t now = ociwp_monotonic_ms();
	const ociwp_challenge *c = &auth->challenge;
	for (size_t i = auth->token_count; i > 0; i--) {
		ociwp_token *token = &auth->tokens[i - 1];
		if (token->expires_ms < now + MARGIN_MS) {
			drop_token(auth, i - 1);
			continue;
		}
		if (ociwp_streq(token->realm, c->realm) &&
		    ociwp_streq(token->service, c->service) &&
		    ociwp_scopes_cover(&token->scopes, scopes))
			return token;
	}
	return NULL;
}

static int keep_token(ociwp_auth *auth, ociwp_token *take_token, ociw_error **err)
{
	if (auth->token_count == TOKENS_MAX)
		drop_token(auth, 0);
	ociwp_token *grown =
	        ociwp_realloc_array(auth->tokens, auth->token_count + 1, sizeof(*grown));
	if (!grown) {
		ociwp_token_deinit(take_token);
		return ociwp_nomem(err);
	}
	auth->tokens = grown;
	grown[auth->token_count++] = *take_token;
	return 0;
}

static int bearer(const char *token, char **out, ociw_error **err)
{
	size_t len = strlen(token);
	*out = ociwp_malloc(len + 8);
	if (!*out)
		return ociwp_nomem(err);
	memcpy(*out, "Bearer ", 7);
	memcpy(*out + 7, token, len + 1);
	return 0;
}

/* A copy of what is needed of the challenge, as it may change while no lock is held. */
typedef struct wanted {
	ociwp_auth_scheme scheme;
	char *realm;
	char *service;
} wanted;

static void wanted_deinit(wanted *w)
{
	free(w->realm);
	free(w->service);
}

/* *out when a token is there already; else what to ask for. */
static int look(ociwp_host *host, const ociwp_scopes *scopes, wanted *want, char **out,
                ociw_error **err)
{
	ociwp_auth *auth = host->auth;
	int r = 0;
	pthread_mutex_lock(&host->mutex);
	const ociwp_challenge *c = &auth->challenge;
	want->scheme = c->scheme;
	if (c->scheme == OCIWP_AUTH_BEARER) {
		const ociwp_token *token = find_token(auth, scopes);
		if (token) {
			r = bearer(token->value, out, err);
		} else {
			want->realm = ociwp_strdup(c->realm);
			want->service = c->service ? ociwp_strdup(c->service) : NULL;
			if (!want->realm || (c->service && !want->service))
				r = ociwp_nomem(err);
		}
	}
	pthread_mutex_unlock(&host->mutex);
	return r;
}

/* ---- credentials, holding the busy flag ---- */

/* The repository that a request is about: the first one of its scopes. */
static const char *repository_of(const ociwp_scopes *scopes)
{
	static const char prefix[] = "repository:";
	for (size_t i = 0; i < scopes->count; i++) {
		if (ociwp_starts_with(scopes->items[i].resource, prefix))
			return scopes->items[i].resource + sizeof(prefix) - 1;
	}
	return "";
}

static int need_login(ociwp_host *host, const ociwp_scopes *scopes, login **out, ociw_error **err)
{
	ociwp_auth *auth = host->auth;
	const char *repository = repository_of(scopes);
	login *l = ociwp_map_get(auth->logins, repository);
	if (!l) {
		l = ociwp_new(login);
		if (!l || !ociwp_map_set(auth->logins, repository, l)) {
			free(l);
			return ociwp_nomem(err);
		}
	}
	*out = l;
	if (l->asked)
		return 0;
	int r = ociwp_credential_ask(host, repository, false, &l->credential, err);
	if (r < 0)
		return r;
	l->asked = true;
	return 0;
}

/* After a rejection: 1 there is another one, 0 there is not. Then the refused one stays: without any, the
 * next request would go out anonymously, and nobody would be told (AUT-11). */
static int another_credential(ociwp_host *host, const ociwp_scopes *scopes, login *l,
                              ociw_error **err)
{
	ociwp_credential next = {0};
	if (l->asked_again || !l->credential.source)
		return 0;
	l->asked_again = true;
	int r = ociwp_credential_ask(host, repository_of(scopes), true, &next, err);
	if (r > 0) {
		ociwp_credential_deinit(&l->credential);
		l->credential = next;
		return r;
	}
	ociwp_credential_deinit(&next);
	return r;
}

static int fetch(ociwp_host *host, const wanted *want, const ociwp_scopes *scopes, login *l,
                 const ociw_op *op, char **out, ociw_error **err)
{
	ociwp_auth *auth = host->auth;
	if (l->credential.registry_token)
		return bearer(l->credential.registry_token, out, err);
	for (;;) {
		ociwp_token token;
		bool rejected;
		ociw_error *why = NULL;
		int r = ociwp_token_fetch(host, want->realm, want->service, scopes, &l->credential,
		                          op, &token, &rejected, &why);
		if (r < 0 && rejected) {
			int more = another_credential(host, scopes, l, err);
			if (more != 0) {
				ociw_error_free(why);
				if (more < 0)
					return more;
				continue;
			}
		}
		if (r < 0)
			return ociwp_error_move(err, why);
		r = bearer(token.value, out, err);
		pthread_mutex_lock(&host->mutex);
		int kept = keep_token(auth, &token, r == 0 ? err : NULL);
		pthread_mutex_unlock(&host->mutex);
		return r < 0 ? r : kept;
	}
}

static int make_header(ociwp_host *host, const wanted *want, const ociwp_scopes *scopes,
                       const ociw_op *op, char **out, ociw_error **err)
{
	login *l;
	int r = need_login(host, scopes, &l, err);
	if (r < 0)
		return r;
	if (want->scheme == OCIWP_AUTH_BEARER)
		return fetch(host, want, scopes, l, op, out, err);
	if (ociwp_credential_has_password(&l->credential)) {
		*out = ociwp_credential_basic(&l->credential);
		return *out ? 0 : ociwp_nomem(err);
	}
	return 0;
}

int ociwp_auth_header(ociwp_host *host, const ociwp_scopes *scopes, const ociw_op *op, char **out,
                      ociw_error **err)
{
	wanted want = {0}, now = {0};
	*out = NULL;
	int r = look(host, scopes, &want, out, err);
	if (r == 0 && !*out && want.scheme != OCIWP_AUTH_OTHER) {
		r = ociwp_host_begin(host, op, err);
		if (r == 0) {
			/* Another thread may have fetched it while this one waited. */
			r = look(host, scopes, &now, out, err);
			if (r == 0 && !*out)
				r = make_header(host, &now, scopes, op, out, err);
			ociwp_host_done(host);
		}
	}
	wanted_deinit(&want);
	wanted_deinit(&now);
	return r;
}

/* ---- 401 ---- */

static int read_challenges(const ociwp_response *response, ociwp_challenges *out, ociw_error **err)
{
	const char *value;
	for (size_t i = 0;
	     (value = ociwp_exchange_header(response->exchange, "WWW-Authenticate", i)); i++) {
		int r = ociwp_challenges_parse(value, strlen(value), out, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* AUT-8: some paths answer 401 with no challenge; the ping has one. */
static int ping_challenges(ociwp_host *host, const ociw_op *op, ociwp_challenges *out,
                           ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
	ociwp_request ping = {.method = "GET", .url = "/v2/", .anonymous = true};
	int r = ociwp_request_run(host, &ping, op, &answer, NULL, err);
	if (r == 0 && answer.status == 401)
		r = read_challenges(&answer, out, err);
	if (r == 0)
		ociwp_response_drain(&answer, op);
	return r;
}

static int set_challenge(ociwp_host *host, const ociwp_challenge *c, const char *used,
                         ociw_error **err)
{
	ociwp_auth *auth = host->auth;
	ociwp_challenge copy = {
	        .scheme = c->scheme,
	        .realm = c->realm ? ociwp_strdup(c->realm) : NULL,
	        .service = c->service ? ociwp_strdup(c->service) : NULL,
	};
	if ((c->realm && !copy.realm) || (c->service && !copy.service)) {
		ociwp_challenge_deinit(&copy);
		return ociwp_nomem(err);
	}
	pthread_mutex_lock(&host->mutex);
	ociwp_challenge_deinit(&auth->challenge);
	auth->challenge = copy;
	/* The token that was refused is not offered again. */
	for (size_t i = auth->token_count; used && i > 0; i--) {
		if (strncmp(used, "Bearer ", 7) == 0 &&
		    strcmp(auth->tokens[i - 1].value, used + 7) == 0)
			drop_token(auth, i - 1);
	}
	pthread_mutex_unlock(&host->mutex);
	return 0;
}

/* Basic, holding the busy flag: 1 there is a credential to try, 0 there is none. *source: where the
 * refused one came from. */
static int next_basic(ociwp_host *host, const char *used, const ociwp_scopes *scopes, char **source,
                      ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_secret))) char *now = NULL;
	login *l;
	int r = need_login(host, scopes, &l, err);
	if (r < 0 || !ociwp_credential_has_password(&l->credential))
		return r;
	now = ociwp_credential_basic(&l->credential);
	if (!now)
		return ociwp_nomem(err);
	/* Another thread may have got a new one meanwhile: only what was sent was refused. */
	if (!used || strcmp(now, used) != 0)
		return 1;
	*source = ociwp_strdup(l->credential.source);
	return *source ? another_credential(host, scopes, l, err) : ociwp_nomem(err);
}

static int check_basic(ociwp_host *host, ociwp_response *response, const char *used,
                       const ociwp_scopes *scopes, const ociw_op *op, ociw_error **err)
{
	OCIWP_AUTO(str) char *source = NULL;
	int r = ociwp_host_begin(host, op, err);
	if (r < 0)
		return r;
	r = next_basic(host, used, scopes, &source, err);
	ociwp_host_done(host);
	if (r != 0)
		return r < 0 ? r : 0;
	if (source)
		response->host = NULL; /* no hint to log in: that was done */
	r = ociwp_response_fail(response, op, err);
	if (source)
		r = ociwp_wrap(err, r, "%s refused the credentials from %s", host->name, source);
	return r;
}

int ociwp_auth_refused(ociwp_host *host, ociwp_response *response, const char *used,
                       ociwp_scopes *scopes, const ociw_op *op, ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_challenges))) ociwp_challenges all = {0};
	int r = read_challenges(response, &all, err);
	if (r == 0 && all.count == 0)
		r = ping_challenges(host, op, &all, err);
	if (r < 0)
		return r;
	const ociwp_challenge *c = ociwp_challenges_pick(&all);
	if (!c) {
		r = ociwp_response_fail(response, op, err);
		return all.count ? ociwp_wrap(err, r,
		                              "%s wants a kind of authentication that is "
		                              "neither Bearer nor Basic",
		                              host->name)
		                 : r;
	}
	r = set_challenge(host, c, used, err);
	if (r == 0 && c->scheme == OCIWP_AUTH_BEARER && c->scope)
		r = ociwp_scopes_add(scopes, c->scope, err);
	if (r == 0 && c->scheme == OCIWP_AUTH_BASIC)
		r = check_basic(host, response, used, scopes, op, err);
	if (r == 0)
		ociwp_response_drain(response, op);
	return r;
}
