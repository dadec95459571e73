/* SPDX-License-Identifier: Apache-2.0
 *
 * Token answers and the ways to them (AUT-2..4, AUT-9, AUT-12).
 */
#include "registry/token.h"
#include "rig.h"

static int parse(const char *text, ociwp_token *out, char **refresh, ociw_error **err)
{
	*out = (ociwp_token){0};
	*refresh = NULL;
	return ociwp_token_parse((ociw_span){text, strlen(text)}, 1000, out, refresh, err);
}

static const struct {
	const char *text, *value;
	uint64_t expires_ms;
} rows[] = {
        {"{\"token\":\"a\"}", "a", 61000},
        {"{\"access_token\":\"b\"}", "b", 61000},
        {"{\"token\":\"a\",\"access_token\":\"a\",\"expires_in\":300}", "a", 301000},
        {"{\"token\":\"\",\"access_token\":\"b\"}", "b", 61000},
        {"{\"token\":\"a\",\"expires_in\":5}", "a", 61000},
        {"{\"token\":\"a\",\"expires_in\":-1}", "a", 61000},
        {"{\"token\":\"a\",\"expires_in\":\"300\"}", "a", 61000},
        {"{\"token\":\"a\",\"expires_in\":9223372036854775807}", "a", 86401000},
        {"{\"token\":\"a\",\"issued_at\":\"2001-01-01T00:00:00Z\",\"expires_in\":120}", "a",
         121000},
};

Test(token, answers_are_read_whatever_they_call_it)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		ociwp_token token;
		char *refresh;
		cr_assert_eq(parse(rows[i].text, &token, &refresh, NULL), 0, "%s", rows[i].text);
		cr_assert_str_eq(token.value, rows[i].value);
		cr_assert_eq(token.expires_ms, rows[i].expires_ms, "%s", rows[i].text);
		ociwp_token_deinit(&token);
	}
}

Test(token, answers_without_a_token_are_errors)
{
	static const struct {
		const char *text;
		int code;
	} bad[] = {
	        {"{}", OCIW_ERR_AUTH},
	        {"[]", OCIW_ERR_FORMAT},
	        {"x", OCIW_ERR_FORMAT},
	        {"{\"token\":1}", OCIW_ERR_FORMAT},
	        {"{\"token\":null}", OCIW_ERR_AUTH},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(bad); i++) {
		ociwp_token token;
		char *refresh;
		cr_assert_eq(parse(bad[i].text, &token, &refresh, NULL), bad[i].code, "%s",
		             bad[i].text);
	}
}

typedef struct fetched {
	ociwp_token token;
	ociwp_credential credential;
	ociwp_scopes scopes;
	bool rejected;
} fetched;

static int fetch(rig *r, const char *realm, fetched *f, ociw_error **err)
{
	char text[128];
	cr_assert_eq(
	        ociwp_scopes_add(&f->scopes, "repository:a/b:pull,push repository:c:pull", NULL),
	        0);
	/* "/..." is relative to the registry, all else a path on the fake. */
	snprintf(text, sizeof(text), "%s%s%s", *realm == '/' ? "" : "http://",
	         *realm == '/' ? "" : fake_address(r->fake), *realm == '/' ? realm : "/token");
	return ociwp_token_fetch(r->repo->host, text, "reg", &f->scopes, &f->credential, &r->op,
	                         &f->token, &f->rejected, err);
}

static void forget(fetched *f)
{
	ociwp_token_deinit(&f->token);
	ociwp_credential_deinit(&f->credential);
	ociwp_scopes_deinit(&f->scopes);
}

Test(token, a_realm_may_be_relative_and_keeps_its_query)
{
	rig r;
	fetched f = {0};
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "GET /service/token",
	                    .answer = {.status = 200, .body = "{\"token\":\"t\"}"}}));
	rig_ok(fetch(&r, "/service/token?x=1", &f, &err), &err);
	cr_assert_str_eq(fake_at(r.fake, 0)->target,
	                 "/service/token?x=1&service=reg&scope=repository:a/"
	                 "b:pull,push&scope=repository:c:pull&client_id=oci-wasm");
	forget(&f);
	rig_close(&r);
}

Test(token, a_refresh_token_is_posted_and_a_new_one_is_kept)
{
	rig r;
	fetched f = {0};
	ociw_error *err = NULL;
	rig_open(&r,
	         RULES({.match = "POST /token$",
	                .answer = {.status = 200,
	                           .body = "{\"access_token\":\"t\",\"refresh_token\":\"new\"}"}}));
	f.credential.identity_token = ociwp_strdup("old&");
	rig_ok(fetch(&r, "absolute", &f, &err), &err);
	const fake_request *post = fake_at(r.fake, 0);
	cr_assert_str_eq(fake_header(post, "Content-Type"), "application/x-www-form-urlencoded");
	cr_assert_null(fake_header(post, "Authorization"));
	cr_assert_str_eq(post->body,
	                 "grant_type=refresh_token&service=reg&scope=repository:a/"
	                 "b:pull,push%20repository:c:pull&client_id=oci-wasm&refresh_token=old%26");
	cr_assert_str_eq(f.credential.identity_token, "new");
	forget(&f);
	rig_close(&r);
}

Test(token, without_oauth_a_password_is_used_instead)
{
	rig r;
	fetched f = {0};
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "POST /token$", .answer = {.status = 405}},
	                   {.match = "GET /token",
	                    .answer = {.status = 200, .body = "{\"token\":\"t\"}"}}));
	f.credential.identity_token = ociwp_strdup("old");
	f.credential.username = ociwp_strdup("foo");
	f.credential.password = ociwp_strdup("bar");
	rig_ok(fetch(&r, "absolute", &f, &err), &err);
	cr_assert_str_eq(fake_header(fake_at(r.fake, 1), "Authorization"), "Basic Zm9vOmJhcg==");
	forget(&f);
	rig_close(&r);
}

Test(token, the_secret_form_is_not_sent_to_where_it_is_redirected)
{
	rig r;
	fetched f = {0};
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "POST /token$",
	                    .answer = {.status = 307, .headers = "Location: /elsewhere\n"}}));
	f.credential.identity_token = ociwp_strdup("old");
	int code = fetch(&r, "absolute", &f, &err);
	cr_assert_lt(code, 0);
	cr_assert_eq(fake_count(r.fake), 1);
	ociw_error_free(err);
	forget(&f);
	rig_close(&r);
}

Test(token, a_password_does_not_follow_to_another_host)
{
	rig r;
	fetched f = {0};
	ociw_error *err = NULL;
	fake_registry *other = fake_start(
	        RULES({.match = "GET /t", .answer = {.status = 200, .body = "{\"token\":\"t\"}"}}));
	rig_open(&r, RULES({.match = "GET /token",
	                    .answer = {.status = 302, .headers = "Location: http://{other}/t\n"}}));
	fake_set_other(r.fake, fake_address(other));
	f.credential.username = ociwp_strdup("foo");
	f.credential.password = ociwp_strdup("bar");
	rig_ok(fetch(&r, "absolute", &f, &err), &err);
	cr_assert_null(fake_header(fake_at(other, 0), "Authorization"));
	fake_stop(other);
	forget(&f);
	rig_close(&r);
}

Test(token, a_busy_realm_is_asked_again)
{
	rig r;
	fetched f = {0};
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "GET /token", .answer = {.status = 429}, .times = 1},
	                   {.match = "GET /token",
	                    .answer = {.status = 200, .body = "{\"token\":\"t\"}"}}));
	rig_ok(fetch(&r, "absolute", &f, &err), &err);
	cr_assert_eq(fake_count(r.fake), 2);
	forget(&f);
	rig_close(&r);
}

Test(token, a_realm_that_wants_a_login_is_told_with_the_next_step)
{
	static const int statuses[] = {401, 403};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(statuses); i++) {
		rig r;
		fetched f = {0};
		ociw_error *err = NULL;
		rig_open(&r, RULES({.match = "GET /token", .answer = {.status = statuses[i]}}));
		rig_expect(fetch(&r, "absolute", &f, &err),
		           statuses[i] == 401 ? OCIW_ERR_AUTH : OCIW_ERR_DENIED, &err,
		           "no token for 127.0.0.1");
		forget(&f);
		rig_close(&r);
	}
	rig r;
	fetched f = {0};
	ociw_error *err = NULL;
	fake_registry *other = fake_start(RULES({.match = "GET /t", .answer = {.status = 401}}));
	rig_open(&r, RULES({.match = "GET /token",
	                    .answer = {.status = 302, .headers = "Location: http://{other}/t\n"}}));
	fake_set_other(r.fake, fake_address(other));
	rig_expect(fetch(&r, "absolute", &f, &err), OCIW_ERR_AUTH, &err,
	           "without credentials; log in with: oci-wasm login 127.0.0.1");
	fake_stop(other);
	forget(&f);
	rig_close(&r);
}

Test(token, an_endless_answer_is_cut)
{
	rig r;
	fetched f = {0};
	ociw_error *err = NULL;
	static char big[200 * 1024];
	memset(big, ' ', sizeof(big));
	rig_open(&r, RULES({.match = "GET /token",
	                    .answer = {.status = 200, .body = big, .body_len = sizeof(big)}}));
	rig_expect(fetch(&r, "absolute", &f, &err), OCIW_ERR_LIMIT, &err,
	           "the token answer is larger than 131072 bytes");
	forget(&f);
	rig_close(&r);
}

Test(token, a_private_or_weaker_realm_is_refused)
{
	rig r;
	fetched f = {0}, g = {0};
	ociw_error *err = NULL;
	rig_open(&r,
	         RULES({.match = "GET /", .answer = {.status = 200, .body = "{\"token\":\"t\"}"}}));
	r.repo->host->private_literal = false;
	rig_expect(fetch(&r, "absolute", &f, &err), OCIW_ERR_UNSAFE, &err, "private address");
	r.repo->host->private_literal = true;
	r.repo->host->scheme = OCIWP_SCHEME_HTTPS;
	rig_expect(fetch(&r, "absolute", &g, &err), OCIW_ERR_UNSAFE, &err, "is not https");
	cr_assert_eq(fake_count(r.fake), 0);
	forget(&f);
	forget(&g);
	rig_close(&r);
}
