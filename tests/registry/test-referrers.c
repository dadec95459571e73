/* SPDX-License-Identifier: Apache-2.0
 *
 * Listing referrers by API and by tag, and what a push and a deletion do to the list (RFR-1..8,
 * PUL-11; vector V38 re-expressed).
 */
#include "registry/referrers.h"
#include "rig.h"

#define INDEX "application/vnd.oci.image.index.v1+json"
#define MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define TYPE "Content-Type: " INDEX "\n"
#define SUBJECT "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TAG "sha256-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define API "GET /v2/a/b/referrers/" SUBJECT
#define GET_TAG "GET /v2/a/b/manifests/" TAG
#define PUT_TAG "PUT /v2/a/b/manifests/" TAG
#define ENTRY(digit, type)                                                                         \
	"{\"mediaType\":\"" MANIFEST                                                               \
	"\",\"digest\":\"sha256:" digit digit digit digit digit digit digit digit                  \
	"\",\"size\":7,\"artifactType\":\"" type "\"}"
#define ONE "11111111"
#define TWO "22222222"
#define LIST(entries)                                                                              \
	"{\"schemaVersion\":2,\"mediaType\":\"" INDEX "\",\"manifests\":[" entries "]}"

typedef struct seen {
	char types[128];
} seen;

static int collect(const ociw_descriptor *desc, void *user_data)
{
	seen *s = user_data;
	const char *type = ociw_descriptor_artifact_type(desc);
	strcat(s->types, type ? type : "-");
	strcat(s->types, " ");
	return 0;
}

static int list(rig *r, const char *type, seen *s, ociw_error **err)
{
	s->types[0] = 0;
	return ociw_content_referrers(r->content, SUBJECT, type, &r->op, collect, s, err);
}

Test(referrers, the_api_is_paged_and_an_empty_list_is_an_answer)
{
	rig r;
	ociw_error *err = NULL;
	seen s;
	rig_open(
	        &r,
	        RULES({.match = API "$",
	               .answer = {.status = 200,
	                          .headers = TYPE "Link: </next>; rel=next\n",
	                          .body = LIST(ENTRY(ONE, "a/a"))},
	               .times = 1},
	              {.match = "GET /next",
	               .answer = {.status = 200, .headers = TYPE, .body = LIST(ENTRY(TWO, "b/b"))}},
	              {.match = API "$",
	               .answer = {.status = 200, .headers = TYPE, .body = LIST("")}}));
	rig_ok(list(&r, NULL, &s, &err), &err);
	cr_assert_str_eq(s.types, "a/a b/b ");
	rig_ok(list(&r, NULL, &s, &err), &err);
	cr_assert_str_eq(s.types, "");
	cr_assert_eq(fake_matching(r.fake, GET_TAG), 0);
	rig_close(&r);
}

Test(referrers, a_filter_is_asked_for_and_done_here_unless_it_was_applied)
{
	static const struct {
		const char *headers, *types;
	} rows[] = {
	        {TYPE, "a/a "},
	        {TYPE "OCI-Filters-Applied: artifactType\n", "a/a b/b "},
	        {TYPE "OCI-Filters-Applied: annotations, artifactType\n", "a/a b/b "},
	        {TYPE "OCI-Filters-Applied: annotations\n", "a/a "},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		rig r;
		ociw_error *err = NULL;
		seen s;
		fake_rule rule = {
		        .match = API "?artifactType=a/a$",
		        .answer = {.status = 200,
		                   .headers = rows[i].headers,
		                   .body = LIST(ENTRY(ONE, "a/a") "," ENTRY(TWO, "b/b"))}};
		rig_open(&r, &rule, 1);
		rig_ok(list(&r, "a/a", &s, &err), &err);
		cr_assert_str_eq(s.types, rows[i].types, "row %zu", i);
		rig_close(&r);
	}
}

static const struct {
	fake_answer api;
	int code; /* 0: the tag is read */
} apis[] = {
        {{.status = 404}, 0},
        {{.status = 400}, 0},
        {{.status = 405}, 0},
        {{.status = 406}, 0},
        {{.status = 501}, 0},
        {{.status = 200, .headers = "Content-Type: text/html\n", .body = "<html>"}, 0},
        {{.status = 403}, OCIW_ERR_DENIED},
        {{.status = 500}, OCIW_ERR_NETWORK},
};

Test(referrers, without_the_api_the_tag_is_read)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(apis); i++) {
		rig r;
		ociw_error *err = NULL;
		seen s;
		fake_rule rules[] = {
		        {.match = API, .answer = apis[i].api},
		        {.match = GET_TAG "$",
		         .answer = {.status = 200,
		                    .headers = TYPE,
		                    .body = LIST(ENTRY(ONE, "a/a") "," ENTRY(TWO, "b/b"))}}};
		rig_open(&r, rules, 2);
		int code = list(&r, "b/b", &s, &err);
		cr_assert_eq(code, apis[i].code, "row %zu", i);
		ociw_error_free(err);
		cr_assert_str_eq(s.types, code ? "" : "b/b ");
		if (code == 0) {
			/* What was learnt is not asked again. */
			size_t before = fake_matching(r.fake, API);
			err = NULL;
			rig_ok(list(&r, NULL, &s, &err), &err);
			cr_assert_eq(fake_matching(r.fake, API), before);
		}
		rig_close(&r);
	}
}

static const struct {
	fake_answer tag;
	int code;
} tags[] = {
        {{.status = 404}, 0},
        {{.status = 200,
          .headers = "Content-Type: " MANIFEST "\n",
          .body = "{\"schemaVersion\":2,\"config\":{},\"layers\":[]}"},
         0},
        {{.status = 200, .headers = "Content-Type: text/plain\n", .body = "x"}, 0},
        {{.status = 200, .headers = TYPE, .body = "x"}, OCIW_ERR_FORMAT},
        {{.status = 200, .headers = TYPE, .body = LIST("{\"digest\":1}")}, OCIW_ERR_FORMAT},
};

Test(referrers, a_tag_that_is_no_index_means_none)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(tags); i++) {
		rig r;
		ociw_error *err = NULL;
		seen s;
		fake_rule rule = {.match = GET_TAG, .answer = tags[i].tag};
		rig_open(&r, &rule, 1);
		int code = list(&r, NULL, &s, &err);
		cr_assert_eq(code, tags[i].code, "row %zu: %d %s", i, code,
		             err ? ociw_error_message(err) : "");
		ociw_error_free(err);
		cr_assert_str_eq(s.types, "");
		rig_close(&r);
	}
}

Test(referrers, an_unknown_repository_is_told_when_the_tag_says_so_too)
{
	static const char unknown[] = "{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]}";
	rig r;
	ociw_error *err = NULL;
	seen s;
	rig_open(&r, RULES({.match = API, .answer = {.status = 404, .body = unknown}},
	                   {.match = GET_TAG, .answer = {.status = 404, .body = unknown}}));
	rig_expect(list(&r, NULL, &s, &err), OCIW_ERR_NOTFOUND, &err, "NAME_UNKNOWN");
	rig_close(&r);
}

static const struct {
	const char *digest, *tag;
} forms[] = {
        {SUBJECT, TAG},
        {"sha512:"
         "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
         "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
         "sha512-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"},
        {"test+algorithm+using+algorithm+separators+and+lots+of+characters+to+excercise+overall+"
         "truncation:"
         "alsoSome="
         "InTheEncodedSectionToShowHyphenReplacementAndLotsAndLotsOfCharactersToExcerciseEncodedTru"
         "ncation",
         "test-algorithm-using-algorithm-s-alsoSome-"
         "InTheEncodedSectionToShowHyphenReplacementAndLotsAndLot"},
};

Test(referrers, the_tag_follows_from_the_digest)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(forms); i++) {
		char *tag = ociwp_referrers_tag(forms[i].digest);
		cr_assert_str_eq(tag, forms[i].tag);
		free(tag);
	}
}

/* ---- pushing ---- */

#define DOCUMENT                                                                                   \
	"{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST                                           \
	"\",\"artifactType\":\"a/a\",\"config\":{\"mediaType\":"                                   \
	"\"application/vnd.oci.empty.v1+json\",\"digest\":\"" EMPTY_DIGEST                         \
	"\",\"size\":2},\"layers\":[],\"subject\":"                                                \
	"{\"mediaType\":\"" MANIFEST "\",\"digest\":\"" SUBJECT                                    \
	"\",\"size\":9},\"annotations\":{\"k\":\"v\"}}"

static int push(rig *r, ociw_error **err)
{
	return ociw_content_put_manifest(r->content, NULL, (ociw_span){DOCUMENT, strlen(DOCUMENT)},
	                                 NULL, &r->op, NULL, err);
}

Test(referrers, a_registry_that_confirms_the_subject_needs_no_more)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "PUT /v2/a/b/manifests/sha256:",
	                    .answer = {.status = 201, .headers = "OCI-Subject: " SUBJECT "\n"}}));
	rig_ok(push(&r, &err), &err);
	cr_assert_eq(fake_count(r.fake), 1);
	rig_close(&r);
}

Test(referrers, a_subject_has_the_size_of_its_manifest_whatever_head_says)
{
	rig r;
	ociw_error *err = NULL;
	ociw_attach_options options = OCIW_ATTACH_OPTIONS_INIT;
	ociw_digest digest;
	char name[OCIW_DIGEST_TEXT_MAX], headers[512], size[64];
	cr_assert_eq(ociw_digest_bytes(OCIW_DIGEST_SHA256, (ociw_span){DOCUMENT, strlen(DOCUMENT)},
	                               &digest, NULL),
	             0);
	/* As seen on Harbor's proxies (PUL-11); what is attached is signed, and stays. */
	snprintf(headers, sizeof(headers),
	         "Content-Type: " MANIFEST "\nDocker-Content-Digest: %s\nContent-Length: 5\n",
	         ociw_digest_format(&digest, name));
	fake_rule rules[] = {
	        {.match = "HEAD /v2/a/b/manifests/v1", .answer = {.status = 200, .headers = headers}},
	        {.match = "GET /v2/a/b/manifests/v1",
	         .answer = {.status = 200, .headers = "Content-Type: " MANIFEST "\n", .body = DOCUMENT}},
	        {.match = "HEAD /v2/a/b/blobs/", .answer = {.status = 200}},
	        {.match = "PUT /v2/a/b/manifests/sha256:", .answer = {.status = 201}},
	        {.match = "GET /v2/a/b/referrers/",
	         .answer = {.status = 200, .headers = TYPE, .body = LIST("")}}};
	rig_open(&r, rules, OCIWP_ARRAY_LEN(rules));
	options.op = &r.op;
	options.artifact_type = "a/a";
	rig_ok(ociw_attach(r.content, "v1", &options, NULL, &err), &err);
	const char *subject = strstr(rig_request(&r, "PUT ", 0)->body, "\"subject\"");
	cr_assert_not_null(subject);
	snprintf(size, sizeof(size), "\"size\":%zu}", strlen(DOCUMENT));
	cr_expect_not_null(strstr(subject, name), "%s", subject);
	cr_expect_not_null(strstr(subject, size), "%s", subject);
	cr_expect_eq(fake_matching(r.fake, "GET /v2/a/b/manifests/") +
	                     fake_matching(r.fake, "HEAD /v2/a/b/manifests/"),
	             1);
	rig_close(&r);
}

Test(referrers, an_api_that_forgot_the_header_is_asked)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "PUT /v2/a/b/manifests/sha256:", .answer = {.status = 201}},
	                   {.match = API,
	                    .answer = {.status = 200, .headers = TYPE, .body = LIST("")}}));
	rig_ok(push(&r, &err), &err);
	cr_assert_eq(fake_matching(r.fake, PUT_TAG), 0);
	rig_close(&r);
}

/* A registry with one tag, which is what was put there last. */
typedef struct shelf {
	char body[4096];
	bool lose_first; /* another writer is faster once */
	unsigned puts;
} shelf;

static void put_tag(const fake_request *request, fake_answer *answer, void *user_data)
{
	shelf *s = user_data;
	(void)answer;
	s->puts++;
	snprintf(s->body, sizeof(s->body), "%s",
	         s->lose_first && s->puts == 1 ? LIST(ENTRY(TWO, "b/b")) : request->body);
}

static void get_tag(const fake_request *request, fake_answer *answer, void *user_data)
{
	shelf *s = user_data;
	(void)request;
	answer->status = *s->body ? 200 : 404;
	answer->headers = TYPE;
	answer->body = s->body;
}

#define SHELF(s)                                                                                   \
	{.match = PUT_TAG, .answer = {.status = 201}, .handler = put_tag, .user_data = (s)},       \
	        {.match = GET_TAG, .handler = get_tag, .user_data = (s)},                          \
	{                                                                                          \
		.match = "PUT /v2/a/b/manifests/sha256:", .answer = {.status = 201 }               \
	}

Test(referrers, without_the_api_the_tag_gets_an_entry)
{
	rig r;
	ociw_error *err = NULL;
	static shelf s;
	fake_rule rules[] = {SHELF(&s)};
	rig_open(&r, rules, 3);
	rig_ok(push(&r, &err), &err);
	cr_assert_not_null(strstr(s.body, "\"artifactType\":\"a/a\""), "%s", s.body);
	cr_assert_not_null(strstr(s.body, "\"annotations\":{\"k\":\"v\"}"), "%s", s.body);
	cr_assert_str_eq(fake_header(rig_request(&r, PUT_TAG, 0), "Content-Type"), INDEX);
	rig_ok(push(&r, &err), &err); /* there already */
	cr_assert_eq(s.puts, 1);
	rig_close(&r);
}

Test(referrers, other_entries_stay)
{
	rig r;
	ociw_error *err = NULL;
	static shelf s = {.body = LIST(ENTRY(TWO, "b/b"))};
	fake_rule rules[] = {SHELF(&s)};
	rig_open(&r, rules, 3);
	rig_ok(push(&r, &err), &err);
	cr_assert_not_null(strstr(s.body, "b/b"));
	cr_assert_not_null(strstr(s.body, "a/a"));
	rig_close(&r);
}

Test(referrers, a_faster_writer_is_noticed)
{
	rig r;
	ociw_error *err = NULL;
	static shelf s = {.lose_first = true};
	fake_rule rules[] = {SHELF(&s)};
	rig_open(&r, rules, 3);
	rig_ok(push(&r, &err), &err);
	cr_assert_eq(s.puts, 2);
	cr_assert_not_null(strstr(s.body, "b/b"));
	cr_assert_not_null(strstr(s.body, "a/a"));
	rig_close(&r);
}

Test(referrers, an_etag_guards_the_change)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "PUT /v2/a/b/manifests/sha256:", .answer = {.status = 201}},
	                   {.match = GET_TAG,
	                    .answer = {.status = 200,
	                               .headers = TYPE "ETag: \"e1\"\n",
	                               .body = LIST("")},
	                    .times = 1},
	                   {.match = PUT_TAG, .answer = {.status = 412}, .times = 1},
	                   {.match = GET_TAG,
	                    .answer = {.status = 200,
	                               .headers = TYPE "ETag: \"e2\"\n",
	                               .body = LIST(ENTRY(TWO, "b/b"))},
	                    .times = 1},
	                   {.match = PUT_TAG, .answer = {.status = 403}}));
	int code = push(&r, &err);
	rig_expect(code, OCIW_ERR_DENIED, &err, "not listed as a referrer");
	cr_assert_str_eq(fake_header(rig_request(&r, PUT_TAG, 0), "If-Match"), "\"e1\"");
	cr_assert_str_eq(fake_header(rig_request(&r, PUT_TAG, 1), "If-Match"), "\"e2\"");
	rig_close(&r);
}

/* Nothing is listed in what is no index, so there is nothing to remove (RFR-5, RFR-8). */
Test(referrers, a_referrer_is_deleted_beside_a_tag_that_is_no_index)
{
	rig r;
	ociw_error *err = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = rig_blob(DOCUMENT, strlen(DOCUMENT));
	char path[160];
	snprintf(path, sizeof(path), "GET /v2/a/b/manifests/%s", desc->digest);
	rig_open(&r,
	         RULES({.match = GET_TAG,
	                .answer = {.status = 200,
	                           .headers = "Content-Type: " MANIFEST "\n",
	                           .body = "{\"schemaVersion\":2,\"config\":{},\"layers\":[]}"}},
	               {.match = path,
	                .answer = {.status = 200,
	                           .headers = "Content-Type: " MANIFEST "\n",
	                           .body = DOCUMENT}},
	               {.match = "DELETE /v2/a/b/manifests/sha256:", .answer = {.status = 202}}));
	rig_ok(ociw_content_delete(r.content, desc->digest, &r.op, &err), &err);
	cr_assert_eq(fake_matching(r.fake, PUT_TAG), 0);
	rig_close(&r);
}

Test(referrers, a_tag_that_is_something_else_is_not_overwritten)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r,
	         RULES({.match = "PUT /v2/a/b/manifests/sha256:", .answer = {.status = 201}},
	               {.match = GET_TAG,
	                .answer = {.status = 200,
	                           .headers = "Content-Type: " MANIFEST "\n",
	                           .body = "{\"schemaVersion\":2,\"config\":{},\"layers\":[]}"}}));
	rig_expect(push(&r, &err), OCIW_ERR_EXISTS, &err, "is no image index");
	cr_assert_eq(fake_matching(r.fake, PUT_TAG), 0);
	rig_close(&r);
}

Test(referrers, a_deleted_referrer_leaves_the_tag)
{
	rig r;
	ociw_error *err = NULL;
	static shelf s;
	ociw_digest digest;
	char name[OCIW_DIGEST_TEXT_MAX], path[160];
	cr_assert_eq(ociw_digest_bytes(OCIW_DIGEST_SHA256, (ociw_span){DOCUMENT, strlen(DOCUMENT)},
	                               &digest, NULL),
	             0);
	ociw_digest_format(&digest, name);
	snprintf(s.body, sizeof(s.body),
	         LIST("{\"mediaType\":\"" MANIFEST
	              "\",\"digest\":\"%s\",\"size\":7}," ENTRY(TWO, "b/b")),
	         name);
	snprintf(path, sizeof(path), "GET /v2/a/b/manifests/%s", name);
	fake_rule rules[] = {
	        SHELF(&s),
	        {.match = path,
	         .answer = {.status = 200,
	                    .headers = "Content-Type: " MANIFEST "\n",
	                    .body = DOCUMENT}},
	        {.match = "DELETE /v2/a/b/manifests/sha256:", .answer = {.status = 202}}};
	rig_open(&r, rules, 5);
	rig_ok(ociw_content_delete(r.content, name, &r.op, &err), &err);
	cr_assert_null(strstr(s.body, name), "%s", s.body);
	cr_assert_not_null(strstr(s.body, "b/b"));
	rig_close(&r);
}
