/* SPDX-License-Identifier: Apache-2.0
 *
 * Names to descriptors, manifests whole: the table of headers present, absent and wrong (PUL-1..5,
 * PUL-11; vector V34 re-expressed).
 */
#include "rig.h"

#define INDEX "application/vnd.oci.image.index.v1+json"
static const char text[] = "{\"schemaVersion\":2,\"mediaType\":\"" INDEX "\",\"manifests\":[]}";
#define BARE "{\"schemaVersion\":2,\"manifests\":[]}"
#define WRONG "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define TYPE "Content-Type: " INDEX "\n"

static char digest[OCIW_DIGEST_TEXT_MAX];

static void set_digest(const char *bytes)
{
	ociw_digest d;
	cr_assert_eq(
	        ociw_digest_bytes(OCIW_DIGEST_SHA256, (ociw_span){bytes, strlen(bytes)}, &d, NULL),
	        0);
	ociw_digest_format(&d, digest);
}

typedef struct row {
	const char *headers, *body;
	bool by_digest;
	int code;
	const char *message;
} row;

static const row gets[] = {
        {TYPE, text, false, 0, NULL},
        {TYPE "Docker-Content-Digest: {digest}\n", text, false, 0, NULL},
        {TYPE "Docker-Content-Digest: " WRONG "\n", text, false, OCIW_ERR_DIGEST,
         "expected " WRONG},
        {TYPE "Docker-Content-Digest: nonsense\n", text, false, OCIW_ERR_INVALID, "nonsense"},
        {TYPE, text, true, 0, NULL},
        /* A digest reference is checked by the bytes, whatever the header says (PUL-2). */
        {TYPE "Docker-Content-Digest: " WRONG "\n", text, true, 0, NULL},
        {TYPE, BARE, true, OCIW_ERR_DIGEST, "digest is"},
        /* Types: parameters cut, case folded, generic ones replaced by the document's (PUL-5). */
        {"Content-Type: " INDEX "; charset=utf-8\n", text, false, 0, NULL},
        {"Content-Type: Application/Vnd.Oci.Image.Index.V1+Json\n", text, false, 0, NULL},
        {"Content-Type: text/plain\n", text, false, 0, NULL},
        {"Content-Type: application/octet-stream\n", BARE, false, 0, NULL},
        {"", text, false, 0, NULL},
        {"Content-Type: text/plain\n", "hello", false, OCIW_ERR_UNSUPPORTED, "no image manifest"},
};

Test(pull, answers_to_get_are_judged)
{
	set_digest(text);
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(gets); i++) {
		rig r;
		ociw_error *err = NULL;
		ociw_descriptor *desc = NULL;
		char headers[512];
		const char *at = strstr(gets[i].headers, "{digest}");
		snprintf(headers, sizeof(headers), "%.*s%s%s",
		         at ? (int)(at - gets[i].headers) : 500, gets[i].headers, at ? digest : "",
		         at ? "\n" : "");
		fake_rule rule = {
		        .match = "GET /v2/a/b/manifests/",
		        .answer = {.status = 200, .headers = headers, .body = gets[i].body}};
		rig_open(&r, &rule, 1);
		int code = ociwp_content_resolve_to_read(r.content, gets[i].by_digest ? digest : "v1", &r.op,
		                                &desc, &err);
		cr_assert_eq(code, gets[i].code, "row %zu: %d %s", i, code,
		             err ? ociw_error_message(err) : "");
		if (code == 0) {
			cr_assert_str_eq(ociw_descriptor_media_type(desc), INDEX);
			cr_assert_eq(ociw_descriptor_size(desc), strlen(gets[i].body));
			cr_assert_str_eq(fake_header(fake_at(r.fake, 0), "Accept"),
			                 ociwp_accept_manifests);
		} else {
			rig_expect(code, code, &err, gets[i].message);
		}
		ociw_descriptor_free(desc);
		rig_close(&r);
	}
}

/* HEAD first, as on Docker Hub; what it does not say is asked by GET (PUL-4). */
static const struct {
	int status;
	const char *headers;
	bool get_follows;
} heads[] = {
        {200, TYPE "Content-Length: 5\nDocker-Content-Digest: " WRONG "\n", false},
        {200, TYPE "Content-Length: 5\n", true},
        {200, TYPE "Docker-Content-Digest: " WRONG "\nContent-Length: 0\n", true},
        {200, "Content-Length: 5\nDocker-Content-Digest: " WRONG "\n", true},
        {200, TYPE "Content-Length: 5\nDocker-Content-Digest: md5:abc\n", true},
        {404, "", true},
        {405, "", true},
};

/* Of Docker Hub always; of others where the descriptor alone is wanted. */
static void resolve_by_head(size_t nth, bool hub)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = NULL;
	fake_rule rules[] = {{.match = "HEAD /v2/a/b/manifests/v1",
	                      .answer = {.status = heads[nth].status, .headers = heads[nth].headers}},
	                     {.match = "GET /v2/a/b/manifests/v1",
	                      .answer = {.status = 200, .headers = TYPE, .body = text}}};
	rig_open(&r, rules, 2);
	if (hub) {
		free(r.repo->host->name);
		r.repo->host->name = ociwp_strdup("docker.io");
		rig_ok(ociwp_content_resolve_to_read(r.content, "v1", &r.op, &desc, &err), &err);
	} else {
		rig_ok(ociw_content_resolve(r.content, "v1", &r.op, &desc, &err), &err);
	}
	cr_assert_eq(fake_matching(r.fake, "HEAD "), 1);
	cr_assert_eq(fake_matching(r.fake, "GET ") > 0, heads[nth].get_follows, "row %zu", nth);
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(pull, answers_to_head_are_taken_when_they_say_all)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(heads); i++) {
		resolve_by_head(i, false);
		resolve_by_head(i, true);
	}
}

Test(pull, resolving_and_reading_in_one_is_one_request)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = NULL;
	void *bytes = NULL;
	size_t len = 0;
	fake_rule rules[] = {{.match = "GET /v2/a/b/manifests/v1",
	                      .answer = {.status = 200, .headers = TYPE, .body = text}}};
	rig_open(&r, rules, 1);
	rig_ok(ociw_content_read_name(r.content, "v1", 1000, &r.op, &desc, &bytes, &len, &err), &err);
	cr_expect_eq(fake_count(r.fake), 1);
	cr_expect_eq(len, ociw_descriptor_size(desc));
	cr_expect_str_eq(bytes, text);
	ociw_free(bytes);
	ociw_descriptor_free(desc);
	rig_expect(ociw_content_read_name(r.content, "v1", 1, &r.op, &desc, &bytes, &len, &err),
	           OCIW_ERR_LIMIT, &err, "limit");
	cr_expect_null(desc);
	cr_expect_null(bytes);
	rig_close(&r);
}

Test(pull, a_manifest_that_was_just_resolved_is_not_fetched_again)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = NULL;
	void *bytes = NULL;
	size_t len;
	rig_open(&r, RULES({.match = "GET /v2/a/b/manifests/v1",
	                    .answer = {.status = 200, .headers = TYPE, .body = text}}));
	rig_ok(ociwp_content_resolve_to_read(r.content, NULL, &r.op, &desc, &err), &err);
	rig_ok(ociw_content_read(r.content, desc, 1000, &r.op, &bytes, &len, &err), &err);
	cr_assert_str_eq(bytes, text);
	cr_assert_eq(fake_count(r.fake), 1);
	ociw_free(bytes);
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(pull, a_manifest_by_descriptor_comes_from_manifests_and_all_else_from_blobs)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *index = NULL, *blob = NULL;
	void *bytes = NULL;
	size_t len;
	set_digest(text);
	rig_open(&r, RULES({.match = "GET /v2/a/b/manifests/sha256:",
	                    .answer = {.status = 200, .headers = TYPE, .body = text}},
	                   {.match = "GET /v2/a/b/blobs/sha256:",
	                    .answer = {.status = 200, .body = text}}));
	cr_assert_eq(ociw_descriptor_new(INDEX, digest, strlen(text), &index, NULL), 0);
	cr_assert_eq(ociw_descriptor_new("text/x", digest, strlen(text), &blob, NULL), 0);
	rig_ok(ociw_content_read(r.content, index, 1000, &r.op, &bytes, &len, &err), &err);
	ociw_free(bytes);
	rig_ok(ociw_content_read(r.content, blob, 1000, &r.op, &bytes, &len, &err), &err);
	ociw_free(bytes);
	cr_assert_eq(fake_matching(r.fake, "GET /v2/a/b/manifests/"), 1);
	cr_assert_eq(fake_matching(r.fake, "GET /v2/a/b/blobs/"), 1);
	ociw_descriptor_free(index);
	ociw_descriptor_free(blob);
	rig_close(&r);
}

/* A Content-Length that promises more than comes, however the connection ends (RET-1). */
Test(pull, a_manifest_that_breaks_off_is_asked_for_again)
{
	static const fake_fault faults[] = {FAKE_TRUNCATE, FAKE_RESET};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(faults); i++) {
		rig r;
		ociw_error *err = NULL;
		ociw_descriptor *desc = NULL;
		fake_rule rules[] = {{.match = "GET /v2/a/b/manifests/v1",
		                      .answer = {.status = 200,
		                                 .headers = TYPE,
		                                 .body = text,
		                                 .fault = faults[i],
		                                 .at = 20},
		                      .times = 1},
		                     {.match = "GET /v2/a/b/manifests/v1",
		                      .answer = {.status = 200, .headers = TYPE, .body = text}}};
		rig_open(&r, rules, 2);
		rig_ok(ociwp_content_resolve_to_read(r.content, "v1", &r.op, &desc, &err), &err);
		cr_assert_eq(ociw_descriptor_size(desc), strlen(text));
		cr_assert_eq(fake_count(r.fake), 2, "row %zu", i);
		cr_assert_eq(r.retries, 1, "row %zu", i);
		ociw_descriptor_free(desc);
		rig_close(&r);
	}
}

Test(pull, a_manifest_that_breaks_off_each_time_is_given_up)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = NULL;
	rig_open(&r, RULES({.match = "GET /v2/a/b/manifests/v1",
	                    .answer = {.status = 200,
	                               .headers = TYPE,
	                               .body = text,
	                               .fault = FAKE_TRUNCATE,
	                               .at = 20}}));
	rig_expect(ociwp_content_resolve_to_read(r.content, "v1", &r.op, &desc, &err), OCIW_ERR_NETWORK,
	           &err, "gave up after 3 tries: GET http://127.0.0.1:");
	cr_assert_eq(fake_count(r.fake), 3);
	rig_close(&r);
}

Test(pull, a_manifest_cut_by_a_small_length_is_not_taken)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = NULL;
	set_digest(text);
	rig_open(&r, RULES({.match = "GET /v2/a/b/manifests/sha256:",
	                    .answer = {.status = 200,
	                               .headers = TYPE "Content-Length: 20\n",
	                               .body = text}}));
	rig_expect(ociwp_content_resolve_to_read(r.content, digest, &r.op, &desc, &err), OCIW_ERR_DIGEST,
	           &err, "digest is");
	cr_assert_eq(fake_count(r.fake), 1);
	rig_close(&r);
}

Test(pull, a_huge_manifest_is_cut_off)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = NULL;
	rig_open(&r, RULES({.match = "GET /v2/a/b/manifests/v1",
	                    .answer = {.status = 200, .headers = TYPE, .body = text}}));
	r.limits.max_manifest_bytes = 20;
	rig_expect(ociwp_content_resolve_to_read(r.content, "v1", &r.op, &desc, &err), OCIW_ERR_LIMIT, &err,
	           "the manifest is larger than 20 bytes");
	rig_close(&r);
}

Test(pull, a_digest_that_cannot_be_verified_is_not_fetched)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = NULL;
	rig_open(&r, NULL, 0);
	rig_expect(ociwp_content_resolve_to_read(r.content, "blake3:0123456789abcdef", &r.op, &desc, &err),
	           OCIW_ERR_UNSUPPORTED, &err, "blake3");
	cr_assert_eq(fake_count(r.fake), 0);
	rig_close(&r);
}

Test(pull, a_blob_that_is_gone_is_taken_from_its_descriptor)
{
	rig r;
	ociw_error *err = NULL;
	void *bytes = NULL;
	size_t len;
	ociw_descriptor *desc = rig_blob("hello", 5);
	rig_open(&r, NULL, 0);
	rig_expect(ociw_content_read(r.content, desc, 100, &r.op, &bytes, &len, &err),
		   OCIW_ERR_NOTFOUND, &err, "answer 404");
	desc->data = ociwp_memdup("hello", 5);
	rig_ok(ociw_content_read(r.content, desc, 100, &r.op, &bytes, &len, &err), &err);
	cr_assert(len == 5 && memcmp(bytes, "hello", 5) == 0);
	ociw_free(bytes);
	ociw_descriptor_free(desc);
	rig_close(&r);
}
