/* SPDX-License-Identifier: Apache-2.0
 *
 * Failed answers to errors: code by status, the registry's words, a next step (ERR-1..5, PSH-16).
 */
#include "rig.h"

#include "base/str.h"

static const struct {
	int status;
	const char *body, *headers;
	int code;
	const char *text;
} rows[] = {
        {400, "{\"errors\":[{\"code\":\"MANIFEST_INVALID\",\"message\":\"bad\"}]}", NULL,
         OCIW_ERR_REGISTRY, "MANIFEST_INVALID: bad"},
        {403, "{\"errors\":[{\"code\":\"DENIED\"}]}", NULL, OCIW_ERR_DENIED, "answer 403 (DENIED)"},
        {404, "nothing here", NULL, OCIW_ERR_NOTFOUND, "answer 404 (nothing here)"},
        {404, "", NULL, OCIW_ERR_NOTFOUND, "answer 404"},
        {405, "", NULL, OCIW_ERR_UNSUPPORTED, "answer 405"},
        {401, "", NULL, OCIW_ERR_AUTH, "log in with: oci-wasm login 127.0.0.1:"},
        {413, "", NULL, OCIW_ERR_LIMIT, "takes nothing this large"},
        {400, "{\"errors\":[{\"code\":\"UNAUTHORIZED\"}]}", NULL, OCIW_ERR_AUTH, "UNAUTHORIZED"},
        {400, "{\"errors\":[{\"code\":\"UNSUPPORTED\"}]}", NULL, OCIW_ERR_UNSUPPORTED,
         "UNSUPPORTED"},
        {409, "", NULL, OCIW_ERR_REGISTRY, "answer 409"},
        {416, "", NULL, OCIW_ERR_REGISTRY, "answer 416"},
        {404, "\x1b[31mred", NULL, OCIW_ERR_NOTFOUND, "\\x1b[31mred"},
};

Test(response, statuses_become_codes_with_the_registrys_words)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		rig r;
		ociw_error *err = NULL;
		ociwp_response answer = {0};
		fake_rule rule = {.match = "GET /v2/x",
		                  .answer = {.status = rows[i].status, .body = rows[i].body}};
		rig_open(&r, &rule, 1);
		ociwp_request request = {.method = "GET", .url = "/v2/x", .anonymous = true};
		rig_ok(ociwp_request_run(r.repo->host, &request, &r.op, &answer, NULL, &err), &err);
		int code = ociwp_response_fail(&answer, &r.op, &err);
		cr_assert_eq(ociw_error_http_status(err), rows[i].status);
		rig_expect(code, rows[i].code, &err, rows[i].text);
		ociwp_response_deinit(&answer);
		rig_close(&r);
	}
}

Test(response, a_rate_limit_is_told)
{
	rig r;
	ociw_error *err = NULL;
	ociwp_response answer = {0};
	rig_open(&r, RULES({.match = "GET /v2/x",
	                    .answer = {.status = 429,
	                               .headers = "RateLimit-Limit: 100;w=21600\n"
	                                          "RateLimit-Remaining: 0;w=21600\n",
	                               .body = "You have reached your pull rate limit."}}));
	ociwp_request request = {.method = "GET", .url = "/v2/x", .once = true};
	rig_ok(ociwp_request_run(r.repo->host, &request, &r.op, &answer, NULL, &err), &err);
	rig_expect(ociwp_response_fail(&answer, &r.op, &err), OCIW_ERR_NETWORK, &err,
	           "(You have reached your pull rate limit.); rate limit: 100;w=21600, remaining: 0;w=21600");
	ociwp_response_deinit(&answer);
	rig_close(&r);
}

Test(response, a_body_over_its_cap_is_refused)
{
	rig r;
	ociw_error *err = NULL;
	ociwp_response answer = {0};
	OCIWP_AUTO(buf) ociwp_buf body = OCIWP_BUF_INIT;
	rig_open(&r,
	         RULES({.match = "GET /v2/x", .answer = {.status = 200, .body = "0123456789"}}));
	ociwp_request request = {.method = "GET", .url = "/v2/x"};
	rig_ok(ociwp_request_run(r.repo->host, &request, &r.op, &answer, NULL, &err), &err);
	rig_expect(ociwp_response_read(&answer, 9, "the thing", &r.op, &body, NULL, &err), OCIW_ERR_LIMIT,
	           &err, "the thing is larger than 9 bytes");
	ociwp_response_deinit(&answer);
	rig_ok(ociwp_request_run(r.repo->host, &request, &r.op, &answer, NULL, &err), &err);
	ociwp_buf_clear(&body);
	rig_ok(ociwp_response_read(&answer, 10, "the thing", &r.op, &body, NULL, &err), &err);
	cr_assert_str_eq(body.data, "0123456789");
	ociwp_response_deinit(&answer);
	rig_close(&r);
}
