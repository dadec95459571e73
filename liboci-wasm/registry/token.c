/* SPDX-License-Identifier: Apache-2.0
 *
 * Two ways to a token: GET with Basic or without, and the OAuth2 POST for refresh tokens. Tokens
 * are opaque: never parsed. distribution, "Token Authentication"; AUT-2..4, AUT-9, AUT-12.
 */
#include "registry/token.h"

#include "base/str.h"
#include "base/time.h"
#include "codec/json.h"

#define BODY_MAX (128u * 1024)
#define LIFETIME_MIN_S 60
/* Even a token that says it never ends is fetched anew now and then. */
#define LIFETIME_MAX_S (24 * 3600)
#define CLIENT_ID "oci-wasm"

void ociwp_token_deinit(ociwp_token *token)
{
	ociwp_secret_free(token->value);
	free(token->realm);
	free(token->service);
	ociwp_scopes_deinit(&token->scopes);
	*token = (ociwp_token){0};
}

int ociwp_token_parse(ociw_span body, uint64_t now_ms, ociwp_token *out, char **refresh_token,
                      ociw_error **err)
{
	OCIWP_AUTO(json) json_t *root = NULL;
	const char *token = NULL, *access = NULL, *refresh = NULL;
	int r = ociwp_json_parse(body, "token answer", 0, &root, err);
	if (r == 0 && !json_is_object(root))
		r = ociwp_fail(err, OCIW_ERR_FORMAT, "the token answer is no object");
	if (r == 0)
		r = ociwp_json_opt_string(root, "token answer", "token", &token, err);
	if (r == 0)
		r = ociwp_json_opt_string(root, "token answer", "access_token", &access, err);
	if (r == 0)
		r = ociwp_json_opt_string(root, "token answer", "refresh_token", &refresh, err);
	if (r < 0)
		return r;
	if (!token || !*token)
		token = access;
	if (!token || !*token)
		return ociwp_fail(err, OCIW_ERR_AUTH, "the token answer holds no token");
	/* Some servers send numbers as text or fractions: anything odd is the default. */
	const json_t *lifetime = json_object_get(root, "expires_in");
	json_int_t seconds =
	        json_is_integer(lifetime) ? json_integer_value(lifetime) : LIFETIME_MIN_S;
	if (seconds < LIFETIME_MIN_S)
		seconds = LIFETIME_MIN_S;
	if (seconds > LIFETIME_MAX_S)
		seconds = LIFETIME_MAX_S;
	out->expires_ms = now_ms + (uint64_t)seconds * 1000;
	out->value = ociwp_strdup(token);
	if (!out->value)
		return ociwp_nomem(err);
	if (refresh && *refresh) {
		*refresh_token = ociwp_strdup(refresh);
		if (!*refresh_token)
			return ociwp_nomem(err);
	}
	return 0;
}

/* The realm as a URL, judged (AUT-9). */
static int parse_realm(ociwp_host *host, const char *realm, const ociw_op *op, ociwp_url *out,
                       ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_url))) ociwp_url base = {0};
	int r = ociwp_host_base(host, op, &base, err);
	if (r == 0)
		r = ociwp_url_parse(realm, &base, out, err);
	if (r < 0)
		return r;
	if (base.https && !out->https)
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "the token server of %s is not https: %s",
		                  host->name, ociwp_quote(out->host));
	if (!host->private_literal && ociwp_host_is_private(out->host))
		return ociwp_fail(err, OCIW_ERR_UNSAFE,
		                  "the token server of %s is the private address %s", host->name,
		                  ociwp_quote(out->host));
	return 0;
}

static int add_scopes(ociwp_buf *url, const ociwp_scopes *scopes, ociw_error **err)
{
	for (size_t i = 0; i < scopes->count; i++) {
		OCIWP_AUTO(str) char *text = ociwp_scope_text(&scopes->items[i]);
		if (!text)
			return ociwp_nomem(err);
		ociwp_url_add_query(url, "scope", text);
	}
	return 0;
}

static int get_token(ociwp_host *host, const ociwp_url *realm, const char *service,
                     const ociwp_scopes *scopes, const ociwp_credential *credential,
                     const ociw_op *op, ociwp_response *out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf url = OCIWP_BUF_INIT;
	__attribute__((cleanup(ociwp_cleanup_secret))) char *basic = NULL;
	bool known = ociwp_credential_has_password(credential);
	ociwp_buf_puts(&url, realm->text);
	if (service)
		ociwp_url_add_query(&url, "service", service);
	int r = add_scopes(&url, scopes, err);
	if (r < 0)
		return r;
	if (known) {
		ociwp_url_add_query(&url, "account", credential->username);
		basic = ociwp_credential_basic(credential);
		if (!basic)
			return ociwp_nomem(err);
	}
	ociwp_url_add_query(&url, "client_id", CLIENT_ID);
	r = ociwp_buf_check(&url, err);
	if (r < 0)
		return r;
	ociwp_request request = {
	        .method = "GET",
	        .url = url.data,
	        .accept = "application/json",
	        .authorization = basic,
	        .anonymous = !known,
	};
	return ociwp_request_run(host, &request, op, out, NULL, err);
}

static void form_add(ociwp_buf *form, const char *name, const char *value)
{
	ociwp_buf part = OCIWP_BUF_INIT;
	ociwp_url_add_query(&part, name, value);
	if (part.failed) {
		form->failed = true;
		return;
	}
	if (form->len)
		ociwp_buf_putc(form, '&');
	ociwp_buf_append(form, part.data + 1, part.len - 1); /* without the '?' */
	explicit_bzero(part.data, part.len);
	ociwp_buf_deinit(&part);
}

static int post_token(ociwp_host *host, const ociwp_url *realm, const char *service,
                      const ociwp_scopes *scopes, const ociwp_credential *credential,
                      const ociw_op *op, ociwp_response *out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf form = OCIWP_BUF_INIT;
	OCIWP_AUTO(buf) ociwp_buf joined = OCIWP_BUF_INIT;
	for (size_t i = 0; i < scopes->count; i++) {
		OCIWP_AUTO(str) char *text = ociwp_scope_text(&scopes->items[i]);
		if (!text)
			return ociwp_nomem(err);
		ociwp_buf_printf(&joined, "%s%s", i ? " " : "", text);
	}
	/* Room for all of it at once: growing would leave copies of the secret behind. */
	ociwp_buf_reserve(&form, 1024 + 3 * (strlen(credential->identity_token) + joined.len));
	form_add(&form, "grant_type", "refresh_token");
	if (service)
		form_add(&form, "service", service);
	if (joined.len)
		form_add(&form, "scope", joined.data);
	form_add(&form, "client_id", CLIENT_ID);
	form_add(&form, "refresh_token", credential->identity_token);
	int r = joined.failed ? ociwp_nomem(err) : ociwp_buf_check(&form, err);
	if (r == 0) {
		ociwp_request request = {
		        .method = "POST",
		        .url = realm->text,
		        .accept = "application/json",
		        .content_type = "application/x-www-form-urlencoded",
		        .bytes = {form.data, form.len},
		        .has_bytes = true,
		        .anonymous = true,
		        .stay = true, /* the form holds the secret: it goes to the realm alone */
		};
		r = ociwp_request_run(host, &request, op, out, NULL, err);
	}
	if (form.data)
		explicit_bzero(form.data, form.cap);
	return r;
}

static int read_token(ociwp_response *answer, const ociw_op *op, ociwp_token *out,
                      ociwp_credential *credential, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf body = OCIWP_BUF_INIT;
	__attribute__((cleanup(ociwp_cleanup_secret))) char *refresh = NULL;
	uint64_t now = ociwp_monotonic_ms();
	int r = ociwp_response_read(answer, BODY_MAX, "the token answer", op, &body, NULL, err);
	if (r == 0) {
		r = ociwp_token_parse(ociwp_buf_span(&body), now, out, &refresh, err);
		if (r < 0)
			r = ociwp_wrap(err, r, "%s", answer->what);
	}
	if (body.data)
		explicit_bzero(body.data, body.len);
	if (r == 0 && refresh && credential->identity_token) {
		ociwp_secret_free(credential->identity_token);
		credential->identity_token = ociwp_steal(&refresh);
	}
	return r;
}

/* The realm said no: in words that name where the credential came from (AUT-11). */
static int refuse(ociwp_host *host, ociwp_response *answer, const ociwp_credential *credential,
                  const ociw_op *op, bool *rejected, ociw_error **err)
{
	bool known = credential->source != NULL;
	bool refused = answer->status == 401 || answer->status == 403;
	*rejected = known && answer->status == 401;
	answer->host = NULL; /* the hint to log in is here, as the token server may be elsewhere */
	int r = ociwp_response_fail(answer, op, err);
	if (known && refused)
		return ociwp_wrap(err, r, "%s refused the credentials from %s", host->name,
		                  credential->source);
	if (refused)
		return ociwp_wrap(err, r,
		                  "no token for %s without credentials; log in with: oci-wasm login %s",
		                  host->name, host->name);
	return ociwp_wrap(err, r, "no token for %s", host->name);
}

int ociwp_token_fetch(ociwp_host *host, const char *realm, const char *service,
                      const ociwp_scopes *scopes, ociwp_credential *credential, const ociw_op *op,
                      ociwp_token *out, bool *rejected, ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_url))) ociwp_url url = {0};
	__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
	*out = (ociwp_token){0};
	*rejected = false;
	int r = parse_realm(host, realm, op, &url, err);
	bool posted = false;
	if (r == 0 && credential->identity_token) {
		posted = true;
		r = post_token(host, &url, service, scopes, credential, op, &answer, err);
		int status = answer.status;
		/* No OAuth2 there: the other form, if there is something to say in it (AUT-4). */
		if (r == 0 && (status == 404 || status == 405 || status == 401) &&
		    ociwp_credential_has_password(credential)) {
			ociwp_response_deinit(&answer);
			posted = false;
		}
	}
	if (r == 0 && !posted)
		r = get_token(host, &url, service, scopes, credential, op, &answer, err);
	if (r < 0)
		return ociwp_wrap(err, r, "token for %s", host->name);
	if (answer.status != 200)
		return refuse(host, &answer, credential, op, rejected, err);
	r = read_token(&answer, op, out, credential, err);
	if (r == 0)
		r = ociwp_scopes_merge(&out->scopes, scopes, err);
	out->realm = r == 0 ? ociwp_strdup(realm) : NULL;
	out->service = r == 0 && service ? ociwp_strdup(service) : NULL;
	if (r == 0 && (!out->realm || (service && !out->service)))
		r = ociwp_nomem(err);
	if (r < 0)
		ociwp_token_deinit(out);
	return r;
}
