/* SPDX-License-Identifier: Apache-2.0
 *
 * Redirects and their guards, retries, pauses, warnings, 401 rounds (HTTP-4..8, RET-1..4, AUT-8).
 */
#include "rig.h"

#include "base/time.h"
#include <time.h>

static int get(rig *r, const char *path, ociwp_response *answer, ociw_error **err)
{
	ociwp_request request = {.method = "GET", .url = path, .scopes = &r->repo->pull};
	return ociwp_request_run(r->repo->host, &request, &r->op, answer, NULL, err);
}

static void expect_status(rig *r, const char *path, int status)
{
	ociwp_response answer = {0};
	ociw_error *err = NULL;
	rig_ok(get(r, path, &answer, &err), &err);
	cr_assert_eq(answer.status, status);
	ociwp_response_deinit(&answer);
}

/* A challenge with a token server on the same fake. */
#define CHALLENGE "WWW-Authenticate: Bearer realm=\"http://{self}/token\",service=\"s\"\n"
#define TOKEN                                                                                      \
	{                                                                                          \
		.match = "GET /token", .answer = {.status = 200, .body = "{\"token\":\"t1\"}" }    \
	}

Test(request, a_redirect_to_another_origin_gets_no_credentials)
{
	rig r;
	fake_registry *other =
	        fake_start(RULES({.match = "GET /there", .answer = {.status = 200}}));
	rig_open(&r, RULES(TOKEN,
	                   {.match = "GET /v2/x",
	                    .answer = {.status = 401, .headers = CHALLENGE},
	                    .times = 1},
	                   {.match = "GET /v2/x",
	                    .answer = {.status = 307,
	                               .headers = "Location: http://{other}/there?sig=1\n"}}));
	fake_set_other(r.fake, fake_address(other));
	expect_status(&r, "/v2/x", 200);
	cr_assert_str_eq(fake_header(rig_request(&r, "GET /v2/x", 1), "Authorization"),
	                 "Bearer t1");
	cr_assert_eq(fake_count(other), 1);
	cr_assert_null(fake_header(fake_at(other, 0), "Authorization"));
	fake_stop(other);
	rig_close(&r);
}

Test(request, a_redirect_on_the_same_origin_keeps_credentials)
{
	rig r;
	rig_open(&r, RULES(TOKEN,
	                   {.match = "GET /v2/x",
	                    .answer = {.status = 401, .headers = CHALLENGE},
	                    .times = 1},
	                   {.match = "GET /v2/x",
	                    .answer = {.status = 302, .headers = "Location: /v2/y\n"}},
	                   {.match = "GET /v2/y", .answer = {.status = 200}}));
	expect_status(&r, "/v2/x", 200);
	cr_assert_str_eq(fake_header(rig_request(&r, "GET /v2/y", 0), "Authorization"),
	                 "Bearer t1");
	rig_close(&r);
}

Test(request, credentials_once_dropped_are_not_taken_up_again)
{
	rig r;
	fake_registry *other = fake_start(
	        RULES({.match = "GET /back",
	               .answer = {.status = 302, .headers = "Location: http://{other}/v2/z\n"}}));
	rig_open(&r,
	         RULES(TOKEN,
	               {.match = "GET /v2/x",
	                .answer = {.status = 401, .headers = CHALLENGE},
	                .times = 1},
	               {.match = "GET /v2/x",
	                .answer = {.status = 302, .headers = "Location: http://{other}/back\n"}},
	               {.match = "GET /v2/z", .answer = {.status = 200}}));
	fake_set_other(r.fake, fake_address(other));
	fake_set_other(other, fake_address(r.fake));
	expect_status(&r, "/v2/x", 200);
	cr_assert_null(fake_header(rig_request(&r, "GET /v2/z", 0), "Authorization"));
	fake_stop(other);
	rig_close(&r);
}

Test(request, endless_redirects_end)
{
	rig r;
	ociwp_response answer = {0};
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "GET /v2/x",
	                    .answer = {.status = 301, .headers = "Location: /v2/x\n"}}));
	rig_expect(get(&r, "/v2/x", &answer, &err), OCIW_ERR_LIMIT, &err, "more than 10 redirects");
	cr_assert_eq(fake_count(r.fake), 11);
	rig_close(&r);
}

Test(request, a_redirect_without_or_with_a_bad_location_is_refused)
{
	rig r;
	ociwp_response answer = {0};
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "GET /v2/none", .answer = {.status = 302}},
	                   {.match = "GET /v2/ftp",
	                    .answer = {.status = 302, .headers = "Location: ftp://x/y\n"}},
	                   {.match = "GET /v2/user",
	                    .answer = {.status = 302,
	                               .headers = "Location: http://u:secret@{self}/\n"}}));
	rig_expect(get(&r, "/v2/none", &answer, &err), OCIW_ERR_REGISTRY, &err,
	           "302 without a Location");
	rig_expect(get(&r, "/v2/ftp", &answer, &err), OCIW_ERR_UNSAFE, &err,
	           "neither http nor https");
	int code = get(&r, "/v2/user", &answer, &err);
	cr_assert_null(strstr(ociw_error_message(err), "secret"));
	rig_expect(code, OCIW_ERR_UNSAFE, &err, "holds a user name");
	rig_close(&r);
}

Test(request, a_public_registry_may_not_point_into_private_networks)
{
	rig r;
	ociwp_response answer = {0};
	ociw_error *err = NULL;
	rig_open(&r,
	         RULES({.match = "GET /v2/x",
	                .answer = {.status = 302, .headers = "Location: http://{self}/v2/y\n"}}));
	r.repo->host->private_literal = false; /* as if it had a public name */
	rig_expect(get(&r, "/v2/x", &answer, &err), OCIW_ERR_UNSAFE, &err,
	           "private address \"127.0.0.1\"");
	cr_assert_eq(fake_count(r.fake), 1);
	rig_close(&r);
}

Test(request, an_upload_is_sent_again_to_where_it_is_redirected)
{
	rig r;
	ociwp_response answer = {0};
	ociw_error *err = NULL;
	rig_source data = {"hello", 5, 0, 0};
	ociwp_blob_source source = {rig_source_open, &data};
	rig_open(&r, RULES({.match = "PUT /v2/x",
	                    .answer = {.status = 307, .headers = "Location: /v2/y\n"}},
	                   {.match = "PUT /v2/y", .answer = {.status = 201}}));
	ociwp_request request = {.method = "PUT", .url = "/v2/x", .source = &source, .size = 5};
	rig_ok(ociwp_request_run(r.repo->host, &request, &r.op, &answer, NULL, &err), &err);
	cr_assert_eq(answer.status, 201);
	cr_assert_str_eq(rig_request(&r, "PUT /v2/y", 0)->body, "hello");
	cr_assert_eq(data.opened, 2);
	ociwp_response_deinit(&answer);
	rig_close(&r);
}

Test(request, see_other_becomes_a_get)
{
	rig r;
	ociwp_response answer = {0};
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "POST /v2/x",
	                    .answer = {.status = 303, .headers = "Location: /v2/y\n"}},
	                   {.match = "GET /v2/y", .answer = {.status = 200}}));
	ociwp_request request = {
	        .method = "POST", .url = "/v2/x", .bytes = {"abc", 3}, .has_bytes = true};
	rig_ok(ociwp_request_run(r.repo->host, &request, &r.op, &answer, NULL, &err), &err);
	cr_assert_eq(answer.status, 200);
	cr_assert_eq(rig_request(&r, "GET /v2/y", 0)->body_len, 0);
	ociwp_response_deinit(&answer);
	rig_close(&r);
}

Test(request, a_redirect_can_be_an_answer)
{
	rig r;
	ociwp_response answer = {0};
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "HEAD /v2/x",
	                    .answer = {.status = 307, .headers = "Location: /v2/y\n"}}));
	ociwp_request request = {.method = "HEAD", .url = "/v2/x", .stay = true};
	rig_ok(ociwp_request_run(r.repo->host, &request, &r.op, &answer, NULL, &err), &err);
	cr_assert_eq(answer.status, 307);
	cr_assert_eq(fake_count(r.fake), 1);
	ociwp_response_deinit(&answer);
	rig_close(&r);
}

Test(request, passing_faults_are_tried_again)
{
	static const fake_answer faults[] = {
	        {.status = 500},         {.status = 503}, {.status = 408},
	        {.fault = FAKE_HANG_UP}, {.status = 429},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(faults); i++) {
		rig r;
		fake_rule rules[] = {{.match = "GET /v2/x", .answer = faults[i], .times = 1},
		                     {.match = "GET /v2/x", .answer = {.status = 200}}};
		rig_open(&r, rules, 2);
		expect_status(&r, "/v2/x", 200);
		cr_assert_eq(fake_count(r.fake), 2, "row %zu", i);
		cr_assert_eq(r.retries, 1, "row %zu", i);
		rig_close(&r);
	}
}

Test(request, tries_are_counted)
{
	rig r;
	rig_open(&r, RULES({.match = "GET /v2/x", .answer = {.status = 502}}));
	expect_status(&r, "/v2/x", 502);
	cr_assert_eq(fake_count(r.fake), 3);
	rig_close(&r);
}

Test(request, lasting_faults_are_not_tried_again)
{
	static const int statuses[] = {400, 403, 404, 405, 409, 413, 416, 501};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(statuses); i++) {
		rig r;
		fake_rule rule = {.match = "GET /v2/x", .answer = {.status = statuses[i]}};
		rig_open(&r, &rule, 1);
		expect_status(&r, "/v2/x", statuses[i]);
		cr_assert_eq(fake_count(r.fake), 1, "%d", statuses[i]);
		rig_close(&r);
	}
}

Test(request, a_dead_server_is_one_clear_error)
{
	rig r;
	ociwp_response answer = {0};
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "GET /v2/x", .answer = {.fault = FAKE_HANG_UP}}));
	rig_expect(get(&r, "/v2/x", &answer, &err), OCIW_ERR_NETWORK, &err,
	           "gave up after 3 tries: GET http://127.0.0.1:");
	rig_close(&r);
}

Test(request, retry_after_is_waited_for_and_holds_for_the_host)
{
	rig r;
	rig_open(&r, RULES({.match = "GET /v2/x",
	                    .answer = {.status = 429, .headers = "Retry-After: 1\n"},
	                    .times = 1},
	                   {.match = "GET /v2/", .answer = {.status = 200}}));
	uint64_t start = ociwp_monotonic_ms();
	expect_status(&r, "/v2/x", 200);
	cr_assert_geq(ociwp_monotonic_ms() - start, 950);
	cr_assert_gt(r.repo->host->pause_until_ms, start + 900);
	rig_close(&r);
}

/* The second after next, so that at least one is left of it. */
static void come_back_at(const fake_request *request, fake_answer *answer, void *user_data)
{
	static char headers[64];
	time_t when = time(NULL) + 2;
	struct tm tm;
	(void)request;
	(void)user_data;
	strftime(headers, sizeof(headers), "Retry-After: %a, %d %b %Y %H:%M:%S GMT\n",
	         gmtime_r(&when, &tm));
	answer->headers = headers;
}

Test(request, retry_after_may_be_a_date_RET_3)
{
	rig r;
	rig_open(&r, RULES({.match = "GET /v2/x",
	                    .answer = {.status = 503},
	                    .times = 1,
	                    .handler = come_back_at},
	                   {.match = "GET /v2/", .answer = {.status = 200}}));
	uint64_t start = ociwp_monotonic_ms();
	expect_status(&r, "/v2/x", 200);
	cr_assert_geq(ociwp_monotonic_ms() - start, 950);
	cr_assert_eq(fake_count(r.fake), 2);
	rig_close(&r);
}

Test(request, a_very_long_retry_after_fails_at_once)
{
	rig r;
	ociwp_response answer = {0};
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "GET /v2/x",
	                    .answer = {.status = 429, .headers = "Retry-After: 3600\n"}}));
	rig_expect(get(&r, "/v2/x", &answer, &err), OCIW_ERR_NETWORK, &err,
	           "come back later (Retry-After: 3600)");
	cr_assert_eq(fake_count(r.fake), 1);
	rig_close(&r);
}

Test(request, one_that_is_to_be_sent_once_is_sent_once)
{
	rig r;
	ociwp_response answer = {0};
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "GET /v2/x", .answer = {.status = 500}}));
	ociwp_request request = {.method = "GET", .url = "/v2/x", .once = true};
	rig_ok(ociwp_request_run(r.repo->host, &request, &r.op, &answer, NULL, &err), &err);
	cr_assert_eq(fake_count(r.fake), 1);
	ociwp_response_deinit(&answer);
	rig_close(&r);
}

Test(request, warnings_are_passed_on_once)
{
	rig r;
	rig_open(&r, RULES({.match = "GET /v2/x",
	                    .answer = {.status = 200,
	                               .headers = "Warning: 299 - \"going \\\"away\\\" "
	                                          "soon\"\nWarning: 199 - \"no\"\n"
	                                          "Warning: 299 agent \"no\"\nWarning: 299 - "
	                                          "\"\"\nWarning: 299 - unquoted\n"}}));
	expect_status(&r, "/v2/x", 200);
	expect_status(&r, "/v2/x", 200);
	cr_assert_eq(r.warnings, 1);
	cr_assert_not_null(strstr(r.warning, "going \"away\" soon"), "%s", r.warning);
	rig_close(&r);
}

Test(request, warnings_have_a_cap)
{
	rig r;
	static char headers[6000];
	memcpy(headers, "Warning: 299 - \"", 16);
	memset(headers + 16, 'x', 5000);
	memcpy(headers + 5016, "\"\n", 3);
	fake_rule rule = {.match = "GET /v2/x", .answer = {.status = 200, .headers = headers}};
	rig_open(&r, &rule, 1);
	expect_status(&r, "/v2/x", 200);
	cr_assert_eq(r.warnings, 0);
	rig_close(&r);
}

Test(request, a_401_without_end_is_met_twice)
{
	rig r;
	rig_open(&r, RULES(TOKEN, {.match = "GET /v2/x",
	                           .answer = {.status = 401, .headers = CHALLENGE}}));
	expect_status(&r, "/v2/x", 401);
	cr_assert_eq(fake_matching(r.fake, "GET /v2/x"), 3);
	cr_assert_eq(fake_matching(r.fake, "GET /token"), 2);
	rig_close(&r);
}

Test(request, loopback_is_asked_for_tls_once_and_then_spoken_to_plainly)
{
	rig r;
	rig_open(&r, RULES({.match = "GET /v2/x", .answer = {.status = 200}}));
	ociw_client_set_plain_http(r.client, false);
	cr_assert_eq(ociw_client_set_host(r.client, fake_address(r.fake), 0, NULL), 0);
	cr_assert_eq(r.repo->host->scheme, OCIWP_SCHEME_UNKNOWN);
	expect_status(&r, "/v2/x", 200);
	cr_assert_eq(r.repo->host->scheme, OCIWP_SCHEME_HTTP);
	expect_status(&r, "/v2/x", 200);
	cr_assert_eq(rig_request(&r, "GET /v2/x", 1)->connection,
	             2); /* the first was the TLS try */
	rig_close(&r);
}

Test(request, cancelling_ends_the_backoff)
{
	rig r;
	ociwp_response answer = {0};
	ociw_error *err = NULL;
	ociw_cancel *cancel = ociw_cancel_new();
	rig_open(&r, RULES({.match = "GET /v2/x", .answer = {.status = 500}}));
	r.op.cancel = cancel;
	ociw_cancel_trigger(cancel);
	int code = get(&r, "/v2/x", &answer, &err);
	cr_assert_eq(code, OCIW_ERR_CANCELLED);
	ociw_error_free(err);
	rig_close(&r);
	ociw_cancel_free(cancel);
}
