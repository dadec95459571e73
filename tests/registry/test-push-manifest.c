/* SPDX-License-Identifier: Apache-2.0
 *
 * Manifests into a registry, byte for byte (PSH-15, PSH-16, REF-11).
 */
#include "rig.h"

#define INDEX "application/vnd.oci.image.index.v1+json"
static const char text[] = "{\"schemaVersion\":2,\"mediaType\":\"" INDEX "\",\"manifests\":[]}";

static int put(rig *r, const char *name, ociw_error **err)
{
	return ociw_content_put_manifest(r->content, NULL, (ociw_span){text, strlen(text)}, name,
	                                 &r->op, NULL, err);
}

Test(push_manifest, exact_bytes_go_by_tag_with_the_plain_type)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "PUT /v2/a/b/manifests/v1$", .answer = {.status = 201}}));
	rig_ok(put(&r, "v1", &err), &err);
	const fake_request *request = fake_at(r.fake, 0);
	cr_assert_str_eq(request->body, text);
	cr_assert_str_eq(fake_header(request, "Content-Type"), INDEX);
	cr_assert_eq(fake_count(r.fake), 1);
	rig_close(&r);
}

Test(push_manifest, without_a_name_it_goes_by_digest)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "PUT /v2/a/b/manifests/sha256:", .answer = {.status = 201}}));
	rig_ok(put(&r, NULL, &err), &err);
	rig_close(&r);
}

Test(push_manifest, a_digest_as_name_must_be_the_right_one)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, NULL, 0);
	rig_expect(put(&r,
	               "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	               &err),
	           OCIW_ERR_DIGEST, &err, "the name says");
	cr_assert_eq(fake_count(r.fake), 0);
	rig_close(&r);
}

static const struct {
	int status;
	const char *headers, *body;
	int code;
	const char *text;
} rows[] = {
        {200, NULL, NULL, 0, NULL},
        {204, NULL, NULL, 0, NULL},
        {201,
         "Docker-Content-Digest: "
         "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\n",
         NULL, OCIW_ERR_DIGEST, "the registry made"},
        {201, "Docker-Content-Digest: nonsense\n", NULL, 0, NULL},
        {400, NULL, "{\"errors\":[{\"code\":\"MANIFEST_INVALID\",\"message\":\"no\"}]}",
         OCIW_ERR_REGISTRY, "MANIFEST_INVALID"},
        {404, NULL, "{\"errors\":[{\"code\":\"MANIFEST_BLOB_UNKNOWN\"}]}", OCIW_ERR_NOTFOUND,
         "MANIFEST_BLOB_UNKNOWN"},
        {413, NULL, NULL, OCIW_ERR_LIMIT, "nothing this large ("},
};

Test(push_manifest, answers_are_judged)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		rig r;
		ociw_error *err = NULL;
		fake_rule rule = {.match = "PUT ",
		                  .answer = {.status = rows[i].status,
		                             .headers = rows[i].headers,
		                             .body = rows[i].body}};
		rig_open(&r, &rule, 1);
		int code = put(&r, "v1", &err);
		if (rows[i].code)
			rig_expect(code, rows[i].code, &err, rows[i].text);
		else
			rig_ok(code, &err);
		rig_close(&r);
	}
}

Test(push_manifest, too_large_a_manifest_is_not_sent_at_all)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, NULL, 0);
	r.limits.max_manifest_bytes = 20;
	int code = put(&r, "v1", &err);
	cr_assert_eq(code, OCIW_ERR_LIMIT);
	ociw_error_free(err);
	cr_assert_eq(fake_count(r.fake), 0);
	rig_close(&r);
}

Test(push_manifest, a_lost_answer_is_no_harm)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "PUT ", .answer = {.fault = FAKE_HANG_UP}, .times = 1},
	                   {.match = "PUT ", .answer = {.status = 201}}));
	rig_ok(put(&r, "v1", &err), &err);
	cr_assert_eq(fake_count(r.fake), 2);
	rig_close(&r);
}

Test(push_manifest, a_blob_the_registry_misses_for_a_moment_is_waited_for)
{
	rig r;
	ociw_error *err = NULL;
	static const char missing[] =
	        "{\"errors\":[{\"code\":\"DIGEST_INVALID\"},{\"code\":\"MANIFEST_BLOB_UNKNOWN\"}]}";
	rig_open(&r,
	         RULES({.match = "PUT ", .answer = {.status = 400, .body = missing}, .times = 2},
	               {.match = "PUT ", .answer = {.status = 201}}));
	rig_ok(put(&r, "v1", &err), &err);
	cr_assert_eq(fake_count(r.fake), 3);
	rig_close(&r);
}

/* What a registry answers to two tags at once, and which it is then asked to set one by one (PSH-17). */
static const struct {
	int status;
	const char *headers;
	bool first, second;
} tag_rows[] = {
        {201, "OCI-Tag: a\nOCI-Tag: b\n", false, false},
        {201, "OCI-Tag: b,a\n", false, false},
        {201, "OCI-Tag: b ,\t a, c\n", false, false},
        {200, "OCI-Tag: a\n", false, true},
        {201, "OCI-Tag: aa, ab\n", true, true},
        {201, NULL, true, true},
        {414, NULL, true, true},
        {431, NULL, true, true},
        {404, NULL, true, true},
        {409, NULL, true, true},
        {412, NULL, true, true},
};

#define GOT                                                                                       \
	{                                                                                         \
		.match = "GET /v2/a/b/manifests/v1", .answer = {                                  \
			.status = 200,                                                            \
			.headers = "Content-Type: " INDEX "\n",                                   \
			.body = text                                                              \
		}                                                                                 \
	}

Test(push_manifest, several_tags_are_one_request_and_what_it_did_not_set_goes_one_by_one)
{
	static const char *const names[] = {"a", "b"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(tag_rows); i++) {
		rig r;
		ociw_error *err = NULL;
		ociw_descriptor *desc = NULL;
		fake_rule rules[] = {GOT,
		                     {.match = "PUT /v2/a/b/manifests/sha256:",
		                      .answer = {.status = tag_rows[i].status,
		                                 .headers = tag_rows[i].headers}},
		                     {.match = "PUT ", .answer = {.status = 201}}};
		rig_open(&r, rules, 3);
		rig_ok(ociw_content_tag(r.content, "v1", names, 2, &r.op, &desc, &err), &err);
		const fake_request *request = fake_at(r.fake, 1);
		cr_expect(ociwp_ends_with(request->target, "?tag=a&tag=b"), "%s", request->target);
		cr_expect_str_eq(request->body, text);
		cr_expect_eq(fake_matching(r.fake, "PUT /v2/a/b/manifests/a"), tag_rows[i].first, "row %zu", i);
		cr_expect_eq(fake_matching(r.fake, "PUT /v2/a/b/manifests/b"), tag_rows[i].second, "row %zu", i);
		cr_expect_eq(fake_count(r.fake), 2u + tag_rows[i].first + tag_rows[i].second);
		cr_expect_eq(ociw_descriptor_size(desc), strlen(text));
		ociw_descriptor_free(desc);
		rig_close(&r);
	}
}

Test(push_manifest, one_tag_is_set_by_its_own_name)
{
	static const char *const names[] = {"a"};
	rig r;
	ociw_error *err = NULL;
	fake_rule rules[] = {GOT, {.match = "PUT /v2/a/b/manifests/a$", .answer = {.status = 201}}};
	rig_open(&r, rules, 2);
	rig_ok(ociw_content_tag(r.content, "v1", names, 1, &r.op, NULL, &err), &err);
	cr_expect_eq(fake_count(r.fake), 2);
	rig_close(&r);
}

Test(push_manifest, tags_that_are_refused_are_an_error_and_not_tried_again)
{
	static const char *const names[] = {"a", "b"};
	rig r;
	ociw_error *err = NULL;
	fake_rule rules[] = {GOT, {.match = "PUT ", .answer = {.status = 403}}};
	rig_open(&r, rules, 2);
	rig_expect(ociw_content_tag(r.content, "v1", names, 2, &r.op, NULL, &err), OCIW_ERR_DENIED, &err, "403");
	cr_expect_eq(fake_count(r.fake), 2);
	rig_close(&r);
}

/* What registries answer where tags cannot be moved: a tag that is there already is all right (PSH-17). */
Test(push_manifest, a_tag_that_cannot_be_moved_but_is_there_already_is_no_error)
{
	static const int statuses[] = {400, 403, 405, 409, 412};
	static const char *const names[] = {"locked", "new"};
	ociw_digest digest;
	char name[OCIW_DIGEST_TEXT_MAX], headers[512];
	cr_assert_eq(ociw_digest_bytes(OCIW_DIGEST_SHA256, (ociw_span){text, strlen(text)}, &digest, NULL),
	             0);
	snprintf(headers, sizeof(headers), "Content-Type: " INDEX "\nDocker-Content-Digest: %s\nContent-Length: %zu\n",
	         ociw_digest_format(&digest, name), strlen(text));
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(statuses); i++) {
		rig r;
		ociw_error *err = NULL;
		fake_rule rules[] = {
		        GOT,
		        {.match = "PUT /v2/a/b/manifests/sha256:", .answer = {.status = 201}},
		        {.match = "PUT /v2/a/b/manifests/locked$", .answer = {.status = statuses[i]}},
		        {.match = "PUT /v2/a/b/manifests/new$", .answer = {.status = 201}},
		        {.match = "HEAD /v2/a/b/manifests/locked$",
		         .answer = {.status = 200, .headers = headers}}};
		rig_open(&r, rules, OCIWP_ARRAY_LEN(rules));
		rig_ok(ociw_content_tag(r.content, "v1", names, 2, &r.op, NULL, &err), &err);
		cr_expect_eq(fake_matching(r.fake, "PUT /v2/a/b/manifests/new"), 1);
		cr_expect_eq(fake_count(r.fake), 5, "row %zu", i);
		rig_ok(ociw_content_tag(r.content, "v1", names, 1, &r.op, NULL, &err), &err);
		cr_expect_eq(fake_count(r.fake), 8, "row %zu", i);
		rig_close(&r);
	}
}

Test(push_manifest, a_tag_that_cannot_be_moved_from_another_image_is_an_error)
{
	static const char *const names[] = {"locked"};
	rig r;
	ociw_error *err = NULL;
	fake_rule rules[] = {GOT,
	                     {.match = "PUT ", .answer = {.status = 412}},
	                     {.match = "HEAD /v2/a/b/manifests/locked$",
	                      .answer = {.status = 200,
	                                 .headers = "Content-Type: " INDEX "\nContent-Length: 5\n"
	                                            "Docker-Content-Digest: " EMPTY_DIGEST "\n"}}};
	rig_open(&r, rules, 3);
	rig_expect(ociw_content_tag(r.content, "v1", names, 1, &r.op, NULL, &err), OCIW_ERR_REGISTRY, &err,
	           "manifests/locked: answer 412");
	cr_expect_eq(fake_count(r.fake), 3);
	rig_close(&r);
}

#define SUBJECT "{\"mediaType\":\"" INDEX "\",\"digest\":\"" EMPTY_DIGEST "\",\"size\":2}"

Test(push_manifest, what_was_refused_is_listed_as_no_referrer)
{
	static const char referrer[] =
	        "{\"schemaVersion\":2,\"mediaType\":\"" INDEX "\",\"manifests\":[],\"subject\":" SUBJECT "}";
	static const char *const names[] = {"a", "b"};
	rig r;
	ociw_error *err = NULL;
	fake_rule rules[] = {
	        {.match = "GET /v2/a/b/manifests/v1",
	         .answer = {.status = 200, .headers = "Content-Type: " INDEX "\n", .body = referrer}},
	        {.match = "PUT ", .answer = {.status = 414}}};
	rig_open(&r, rules, 2);
	rig_expect(ociw_content_tag(r.content, "v1", names, 2, &r.op, NULL, &err), OCIW_ERR_REGISTRY, &err, "414");
	cr_expect_eq(fake_matching(r.fake, "GET /v2/a/b/referrers/"), 0);
	cr_expect_eq(fake_matching(r.fake, "PUT "), 2);
	rig_close(&r);
}

Test(push_manifest, names_that_are_no_tags_never_reach_a_url)
{
	static const char *const bad[] = {"../x", "a/b", "a?tag=b", "", "-a", "a b", "a#b", "sha256:../x"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(bad); i++) {
		const char *const names[] = {"a", bad[i]};
		rig r;
		ociw_error *err = NULL;
		rig_open(&r, RULES(GOT));
		rig_expect(put(&r, bad[i], &err), strchr(bad[i], ':') ? OCIW_ERR_DIGEST : OCIW_ERR_INVALID, &err,
		           strchr(bad[i], ':') ? "the name says" : "neither a tag nor a digest");
		cr_expect_eq(fake_count(r.fake), 0);
		rig_expect(ociw_content_tag(r.content, "v1", names, 2, &r.op, NULL, &err), OCIW_ERR_INVALID, &err,
		           "is no tag");
		cr_expect_eq(fake_count(r.fake), 1);
		rig_close(&r);
	}
}
