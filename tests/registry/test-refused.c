/* SPDX-License-Identifier: Apache-2.0
 *
 * Refused HEADs: their words are asked for by GET, and nothing else is asked twice (ERR-1, PSH-2).
 */
#include "rig.h"

#define WORDS(status_, code_)                                                                      \
	{                                                                                          \
		.status = (status_), .body = "{\"errors\":[{\"code\":\"" code_                     \
		                             "\",\"message\":\"not for you\"}]}"                  \
	}

/* An answer to HEAD has no body: only GET says why (ERR-1). The status counts, not what came of that. */
static const struct {
	fake_answer head, get;
	int code;
	size_t gets;
	const char *message;
} refused[] = {
        {{.status = 403}, WORDS(403, "DENIED"), OCIW_ERR_DENIED, 1, "DENIED: not for you"},
        {{.status = 401}, WORDS(401, "UNAUTHORIZED"), OCIW_ERR_AUTH, 1, "UNAUTHORIZED: not for you"},
        {{.status = 401}, WORDS(401, "UNAUTHORIZED"), OCIW_ERR_AUTH, 1, "log in with"},
        {{.status = 406}, WORDS(406, "MANIFEST_INVALID"), OCIW_ERR_REGISTRY, 1, "not for you"},
        {{.status = 403}, {.status = 200, .body = "never read"}, OCIW_ERR_DENIED, 1, "HEAD"},
        {{.status = 403}, WORDS(404, "NAME_UNKNOWN"), OCIW_ERR_DENIED, 1, "HEAD"},
        {{.status = 403}, {.fault = FAKE_GARBAGE, .body = "no HTTP"}, OCIW_ERR_DENIED, 1, "HEAD"},
        {{.status = 429}, WORDS(429, "TOOMANYREQUESTS"), OCIW_ERR_NETWORK, 0, "HEAD"},
        {{.status = 503}, WORDS(503, "UNAVAILABLE"), OCIW_ERR_NETWORK, 0, "HEAD"},
};

static void refuse(size_t nth, bool blob)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = NULL;
	fake_rule rules[] = {{.match = "HEAD /v2/a/b/", .answer = refused[nth].head},
	                     {.match = "GET /v2/a/b/", .answer = refused[nth].get}};
	rig_open(&r, rules, 2);
	r.limits.max_tries = 1;
	int code = blob ? ociw_content_stat(r.content, EMPTY_DIGEST, &r.op, &desc, &err)
	                : ociw_content_resolve(r.content, "v1", &r.op, &desc, &err);
	rig_expect(code, refused[nth].code, &err, refused[nth].message);
	cr_expect_eq(fake_matching(r.fake, "HEAD /v2/a/b/"), 1);
	cr_expect_eq(fake_matching(r.fake, "GET /v2/a/b/"), refused[nth].gets, "row %zu", nth);
	rig_close(&r);
}

Test(refused, why_head_was_refused_is_asked_by_get_once_ERR_1)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(refused); i++) {
		refuse(i, false);
		refuse(i, true);
	}
}

Test(refused, why_credentials_were_refused_for_head_is_asked_by_get)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = NULL;
	fake_answer words = WORDS(401, "UNAUTHORIZED");
	words.headers = "WWW-Authenticate: Basic realm=\"r\"\n";
	fake_rule rules[] = {{.match = "HEAD /v2/a/b/",
	                      .answer = {.status = 401, .headers = words.headers}},
	                     {.match = "GET /v2/a/b/", .answer = words}};
	rig_open(&r, rules, 2);
	r.give = (ociw_credential){sizeof(r.give), .username = "me", .password = "no", .source = "the test"};
	rig_expect(ociw_content_resolve(r.content, "v1", &r.op, &desc, &err), OCIW_ERR_AUTH, &err,
	           "not for you");
	cr_expect_eq(r.asked, 1);
	cr_expect_eq(r.asked_again, 1);
	cr_expect_eq(fake_matching(r.fake, "GET /v2/a/b/"), 1);
	rig_expect(ociw_content_resolve(r.content, "v1", &r.op, &desc, &err), OCIW_ERR_AUTH, &err,
	           "refused the credentials from the test");
	rig_close(&r);
}

Test(refused, a_push_that_may_not_look_has_the_words_of_the_upload_PSH_2)
{
	rig r;
	ociw_error *err = NULL;
	rig_source bytes = {"hello", 5, 0, 0};
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = rig_blob("hello", 5);
	ociwp_blob_source source = {rig_source_open, &bytes};
	rig_open(&r, RULES({.match = "HEAD", .answer = {.status = 401}},
	                   {.match = "POST", .answer = WORDS(401, "UNAUTHORIZED")}));
	rig_expect(ociwp_content_put(r.content, desc, &source, &r.op, &err), OCIW_ERR_AUTH, &err,
	           "UNAUTHORIZED: not for you");
	cr_expect_eq(fake_matching(r.fake, "HEAD"), 1);
	cr_expect_eq(fake_matching(r.fake, "GET /v2/a/b/"), 0);
	rig_close(&r);
}
