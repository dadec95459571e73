/* SPDX-License-Identifier: Apache-2.0
 *
 * Request sequences of authentication: 401, token, again; what is cached, what is refused
 * (AUT-1..11; vectors V25, V27 re-expressed).
 */
#include "rig.h"

#include <pthread.h>

#define BEARER "WWW-Authenticate: Bearer realm=\"http://{self}/token\",service=\"reg\"\n"
#define BASIC "WWW-Authenticate: Basic realm=\"x\"\n"

static int resolve(rig *r, ociw_error **err)
{
	ociw_descriptor *desc = NULL;
	int code = ociwp_content_resolve_to_read(r->content, "v1", &r->op, &desc, err);
	ociw_descriptor_free(desc);
	return code;
}

static const char index_text[] = "{\"schemaVersion\":2,\"manifests\":[]}";
#define MANIFEST                                                                                   \
	{                                                                                          \
		.status = 200,                                                                     \
		.headers = "Content-Type: application/vnd.oci.image.index.v1+json\n",              \
		.body = index_text                                                                 \
	}
#define GET_V1 "GET /v2/a/b/manifests/v1"

static ociw_credential login(const char *user, const char *password)
{
	return (ociw_credential){.size = sizeof(ociw_credential),
	                         .username = user,
	                         .password = password,
	                         .source = "the test"};
}

Test(auth, an_open_registry_is_asked_once_and_nobody_for_credentials)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = GET_V1, .answer = MANIFEST}));
	rig_ok(resolve(&r, &err), &err);
	cr_assert_eq(fake_count(r.fake), 1);
	cr_assert_eq(r.asked, 0);
	cr_assert_null(fake_header(fake_at(r.fake, 0), "Authorization"));
	rig_close(&r);
}

Test(auth, an_anonymous_token_is_fetched_and_used_again)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r,
	         RULES({.match = GET_V1, .answer = {.status = 401, .headers = BEARER}, .times = 1},
	               {.match = "GET /token",
	                .answer = {.status = 200, .body = "{\"access_token\":\"abc\"}"}},
	               {.match = GET_V1, .answer = MANIFEST}));
	rig_ok(resolve(&r, &err), &err);
	rig_ok(resolve(&r, &err), &err);
	const fake_request *token = rig_request(&r, "GET /token", 0);
	cr_assert_str_eq(token->target,
	                 "/token?service=reg&scope=repository:a/b:pull&client_id=oci-wasm");
	cr_assert_null(fake_header(token, "Authorization"));
	cr_assert_eq(fake_matching(r.fake, "GET /token"), 1);
	cr_assert_eq(fake_matching(r.fake, GET_V1), 3);
	cr_assert_str_eq(fake_header(rig_request(&r, GET_V1, 2), "Authorization"), "Bearer abc");
	rig_close(&r);
}

Test(auth, a_password_goes_to_the_realm_alone)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r,
	         RULES({.match = GET_V1, .answer = {.status = 401, .headers = BEARER}, .times = 1},
	               {.match = "GET /token",
	                .answer = {.status = 200, .body = "{\"token\":\"abc\"}"}},
	               {.match = GET_V1, .answer = MANIFEST}));
	r.give = login("foo", "bar");
	rig_ok(resolve(&r, &err), &err);
	const fake_request *token = rig_request(&r, "GET /token", 0);
	cr_assert_str_eq(fake_header(token, "Authorization"), "Basic Zm9vOmJhcg==");
	cr_assert_not_null(strstr(token->target, "&account=foo"));
	cr_assert_null(fake_header(rig_request(&r, GET_V1, 0), "Authorization"));
	cr_assert_str_eq(fake_header(rig_request(&r, GET_V1, 1), "Authorization"), "Bearer abc");
	cr_assert_eq(r.asked, 1);
	rig_close(&r);
}

Test(auth, basic_goes_to_the_registry_and_is_kept)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r,
	         RULES({.match = GET_V1, .answer = {.status = 401, .headers = BASIC}, .times = 1},
	               {.match = GET_V1, .answer = MANIFEST}));
	r.give = login("foo", "bar");
	rig_ok(resolve(&r, &err), &err);
	rig_ok(resolve(&r, &err), &err);
	cr_assert_eq(fake_count(r.fake), 3);
	cr_assert_eq(r.asked, 1);
	cr_assert_str_eq(fake_header(fake_at(r.fake, 2), "Authorization"), "Basic Zm9vOmJhcg==");
	rig_close(&r);
}

Test(auth, a_key_file_as_password_survives)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r,
	         RULES({.match = GET_V1, .answer = {.status = 401, .headers = BASIC}, .times = 1},
	               {.match = GET_V1, .answer = MANIFEST}));
	r.give = login("_json_key", "{\n \"a\": \"b:c\"\n}");
	rig_ok(resolve(&r, &err), &err);
	cr_assert_str_eq(fake_header(fake_at(r.fake, 1), "Authorization"),
	                 "Basic X2pzb25fa2V5OnsKICJhIjogImI6YyIKfQ==");
	rig_close(&r);
}

Test(auth, without_credentials_the_error_names_the_next_step)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = GET_V1,
	                    .answer = {.status = 401,
	                               .headers = BASIC,
	                               .body = "{\"errors\":[{\"code\":\"UNAUTHORIZED\"}]}"}}));
	rig_expect(resolve(&r, &err), OCIW_ERR_AUTH, &err,
	           "(UNAUTHORIZED); log in with: oci-wasm login 127.0.0.1:");
	cr_assert_eq(fake_count(r.fake), 1);
	cr_assert_eq(r.asked, 1);
	rig_close(&r);
}

Test(auth, a_refused_password_is_an_error_that_names_its_source)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = GET_V1, .answer = {.status = 401, .headers = BASIC}}));
	r.give = login("foo", "hunter2");
	int code = resolve(&r, &err);
	cr_assert_null(strstr(ociw_error_message(err), "hunter2"));
	/* Who has credentials is not told to get some. */
	cr_assert_null(strstr(ociw_error_message(err), "log in with"));
	rig_expect(code, OCIW_ERR_AUTH, &err, "refused the credentials from the test");
	cr_assert_eq(fake_count(r.fake), 2);
	cr_assert_eq(r.asked_again, 1);
	rig_close(&r);
}

Test(auth, after_a_refused_password_nothing_is_asked_anonymously_AUT_11)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = GET_V1, .answer = {.status = 401, .headers = BASIC}}));
	r.give = login("foo", "hunter2");
	rig_expect(resolve(&r, &err), OCIW_ERR_AUTH, &err, "refused the credentials");
	rig_expect(resolve(&r, &err), OCIW_ERR_AUTH, &err, "refused the credentials from the test");
	cr_assert_eq(fake_count(r.fake), 3);
	cr_assert_not_null(fake_header(fake_at(r.fake, 2), "Authorization"));
	cr_assert_eq(r.asked, 1);
	cr_assert_eq(r.asked_again, 1);
	rig_close(&r);
}

Test(auth, a_second_password_is_asked_for_once)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r,
	         RULES({.match = GET_V1, .answer = {.status = 401, .headers = BASIC}, .times = 2},
	               {.match = GET_V1, .answer = MANIFEST}));
	r.give = login("foo", "old");
	r.give_next = login("foo", "new");
	rig_ok(resolve(&r, &err), &err);
	cr_assert_str_eq(fake_header(fake_at(r.fake, 2), "Authorization"), "Basic Zm9vOm5ldw==");
	rig_close(&r);
}

Test(auth, a_realm_that_refuses_the_password_is_not_asked_anonymously)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r,
	         RULES({.match = GET_V1, .answer = {.status = 401, .headers = BEARER}},
	               {.match = "GET /token",
	                .answer = {.status = 401,
	                           .body = "{\"details\":\"incorrect username or password\"}"}}));
	r.give = login("foo", "bar");
	rig_expect(resolve(&r, &err), OCIW_ERR_AUTH, &err, "refused the credentials from the test");
	cr_assert_eq(fake_matching(r.fake, "GET /token"), 1);
	rig_close(&r);
}

Test(auth, bearer_is_preferred_and_unknown_schemes_are_ignored)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = GET_V1,
	                    .answer = {.status = 401,
	                               .headers = "WWW-Authenticate: Negotiate\n" BASIC BEARER},
	                    .times = 1},
	                   {.match = "GET /token",
	                    .answer = {.status = 200, .body = "{\"token\":\"abc\"}"}},
	                   {.match = GET_V1, .answer = MANIFEST}));
	r.give = login("foo", "bar");
	rig_ok(resolve(&r, &err), &err);
	cr_assert_str_eq(fake_header(rig_request(&r, GET_V1, 1), "Authorization"), "Bearer abc");
	rig_close(&r);
}

Test(auth, only_unknown_schemes_are_an_error)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = GET_V1,
	                    .answer = {.status = 401, .headers = "WWW-Authenticate: NTLM\n"}}));
	rig_expect(resolve(&r, &err), OCIW_ERR_AUTH, &err, "neither Bearer nor Basic");
	rig_close(&r);
}

Test(auth, a_401_without_challenge_takes_the_one_of_the_ping)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = GET_V1, .answer = {.status = 401}, .times = 1},
	                   {.match = "GET /v2/$", .answer = {.status = 401, .headers = BEARER}},
	                   {.match = "GET /token",
	                    .answer = {.status = 200, .body = "{\"token\":\"abc\"}"}},
	                   {.match = GET_V1, .answer = MANIFEST}));
	rig_ok(resolve(&r, &err), &err);
	cr_assert_eq(fake_matching(r.fake, "GET /v2/$"), 1);
	rig_close(&r);
}

Test(auth, a_wider_scope_is_fetched_as_a_union)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r,
	         RULES({.match = GET_V1,
	                .answer = {.status = 401,
	                           .headers =
	                                   "WWW-Authenticate: Bearer "
	                                   "realm=\"http://{self}/token\",service=\"reg\","
	                                   "scope=\"repository:a/"
	                                   "b:pull,metadata_read\",error=\"insufficient_scope\"\n"},
	                .times = 1},
	               {.match = "GET /token",
	                .answer = {.status = 200, .body = "{\"token\":\"abc\"}"}},
	               {.match = GET_V1, .answer = MANIFEST}));
	rig_ok(resolve(&r, &err), &err);
	cr_assert_not_null(strstr(rig_request(&r, "GET /token", 0)->target,
	                          "scope=repository:a/b:metadata_read,pull&"));
	rig_close(&r);
}

Test(auth, a_refused_token_is_fetched_anew)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r,
	         RULES({.match = GET_V1, .answer = {.status = 401, .headers = BEARER}, .times = 1},
	               {.match = "GET /token",
	                .answer = {.status = 200, .body = "{\"token\":\"one\"}"},
	                .times = 1},
	               {.match = "GET /token",
	                .answer = {.status = 200, .body = "{\"token\":\"two\"}"}},
	               {.match = GET_V1, .answer = MANIFEST, .times = 1},
	               {.match = GET_V1, .answer = {.status = 401, .headers = BEARER}, .times = 1},
	               {.match = GET_V1, .answer = MANIFEST}));
	rig_ok(resolve(&r, &err), &err);
	rig_ok(resolve(&r, &err), &err);
	cr_assert_str_eq(fake_header(rig_request(&r, GET_V1, 3), "Authorization"), "Bearer two");
	rig_close(&r);
}

Test(auth, a_ready_token_is_used_as_it_is)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r,
	         RULES({.match = GET_V1, .answer = {.status = 401, .headers = BEARER}, .times = 1},
	               {.match = GET_V1, .answer = MANIFEST}));
	r.give = (ociw_credential){
	        .size = sizeof(r.give), .registry_token = "ready", .source = "the test"};
	rig_ok(resolve(&r, &err), &err);
	cr_assert_eq(fake_matching(r.fake, "GET /token"), 0);
	cr_assert_str_eq(fake_header(rig_request(&r, GET_V1, 1), "Authorization"), "Bearer ready");
	rig_close(&r);
}

Test(auth, a_callback_that_fails_stops_the_request)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = GET_V1, .answer = {.status = 401, .headers = BASIC}}));
	/* An answer of a future library: its unknown tail is not zero. */
	struct {
		ociw_credential known;
		char more;
	} future = {.known = {.size = sizeof(future)}, .more = 1};
	r.give = future.known;
	int code = resolve(&r, &err);
	cr_assert_lt(code, 0);
	ociw_error_free(err);
	rig_close(&r);
}

static void *resolve_thread(void *self)
{
	rig *r = self;
	ociw_descriptor *desc = NULL;
	int code = ociwp_content_resolve_to_read(r->content, "v1", NULL, &desc, NULL);
	ociw_descriptor_free(desc);
	return code == 0 ? self : NULL;
}

Test(auth, many_threads_fetch_one_token)
{
	rig r;
	ociw_error *err = NULL;
	pthread_t threads[8];
	void *good;
	rig_open(&r, RULES({.match = "GET /token",
	                    .answer = {.status = 200,
	                               .body = "{\"token\":\"abc\"}",
	                               .fault = FAKE_DRIP}},
	                   {.match = "GET /v2/a/b/manifests/first",
	                    .answer = {.status = 401, .headers = BEARER},
	                    .times = 1},
	                   {.match = GET_V1, .answer = MANIFEST}));
	ociw_descriptor *desc = NULL;
	/* Learns the challenge, and gets a 404 with the token. */
	cr_assert_eq(ociwp_content_resolve_to_read(r.content, "first", &r.op, &desc, &err),
	             OCIW_ERR_NOTFOUND);
	ociw_error_free(err);
	for (int i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, resolve_thread, &r), 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], &good);
		cr_assert_not_null(good);
	}
	cr_assert_eq(fake_matching(r.fake, "GET /token"), 1);
	rig_close(&r);
}
