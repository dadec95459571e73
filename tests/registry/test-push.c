/* SPDX-License-Identifier: Apache-2.0
 *
 * The plan of a blob's way into a registry: what is asked, what is sent, what happens after a break
 * (PSH-2..4, PSH-8..12, PSH-18..20, RET-4; vector V39 re-expressed).
 */
#include "rig.h"

#include "base/time.h"

#include "base/str.h"
#include "registry/upload-note.h"
#include <pthread.h>
#include <unistd.h>

#define HEAD_BLOB "HEAD /v2/a/b/blobs/"
#define POST "POST /v2/a/b/blobs/uploads/"
#define OPEN                                                                                       \
	{                                                                                          \
		.match = POST, .answer = {.status = 202, .headers = "Location: /u/0\n" }           \
	}

static int put(rig *r, const ociw_descriptor *desc, rig_source *bytes, ociw_error **err)
{
	ociwp_blob_source source = {rig_source_open, bytes};
	return ociwp_content_put(r->content, desc, &source, &r->op, err);
}

Test(push, a_blob_takes_three_requests)
{
	rig r;
	ociw_error *err = NULL;
	rig_source bytes = {"hello", 5, 0, 0};
	ociw_descriptor *desc = rig_blob("hello", 5);
	rig_open(&r, RULES(OPEN, {.match = "PUT /u/0?digest=sha256:", .answer = {.status = 201}}));
	rig_ok(put(&r, desc, &bytes, &err), &err);
	cr_assert_eq(fake_count(r.fake), 3);
	cr_assert_str_eq(fake_header(rig_request(&r, POST, 0), "Content-Length"), "0");
	rig_ok(put(&r, desc, &bytes, &err), &err);
	cr_assert_eq(fake_count(r.fake), 3); /* known to be there now */
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(push, an_empty_blob_is_sent_too)
{
	rig r;
	ociw_error *err = NULL;
	rig_source bytes = {"", 0, 0, 0};
	ociw_descriptor *desc = rig_blob("", 0);
	rig_open(&r, RULES(OPEN, {.match = "PUT /u/0?digest=sha256:e3b0c442",
	                          .answer = {.status = 204}}));
	rig_ok(put(&r, desc, &bytes, &err), &err);
	cr_assert_str_eq(fake_header(rig_request(&r, "PUT", 0), "Content-Length"), "0");
	ociw_descriptor_free(desc);
	rig_close(&r);
}

static const struct {
	int status;
	bool there;
} heads[] = {{200, true},  {307, true},  {302, true}, {404, false},
             {403, false}, {405, false}, {400, false}, {401, false}};

Test(push, a_blob_that_is_there_is_not_sent)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(heads); i++) {
		rig r;
		ociw_error *err = NULL;
		rig_source bytes = {"hello", 5, 0, 0};
		ociw_descriptor *desc = rig_blob("hello", 5);
		fake_rule rules[] = {{.match = HEAD_BLOB,
		                      .answer = {.status = heads[i].status,
		                                 .headers = "Location: http://192.0.2.1/\n"}},
		                     OPEN,
		                     {.match = "PUT /u/0", .answer = {.status = 201}}};
		rig_open(&r, rules, 3);
		rig_ok(put(&r, desc, &bytes, &err), &err);
		cr_assert_eq(fake_matching(r.fake, "PUT") == 0, heads[i].there, "%d",
		             heads[i].status);
		ociw_descriptor_free(desc);
		rig_close(&r);
	}
}

Test(push, asking_first_does_not_ask_twice)
{
	rig r;
	ociw_error *err = NULL;
	bool there = true;
	rig_source bytes = {"hello", 5, 0, 0};
	ociw_descriptor *desc = rig_blob("hello", 5);
	rig_open(&r, RULES(OPEN, {.match = "PUT /u/0", .answer = {.status = 201}}));
	rig_ok(ociwp_content_has(r.content, desc, &r.op, &there, &err), &err);
	cr_assert_not(there);
	rig_ok(put(&r, desc, &bytes, &err), &err);
	rig_ok(ociwp_content_has(r.content, desc, &r.op, &there, &err), &err);
	cr_assert(there);
	cr_assert_eq(fake_matching(r.fake, "HEAD"), 1);
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(push, a_lost_answer_is_looked_after)
{
	rig r;
	ociw_error *err = NULL;
	rig_source bytes = {"hello", 5, 0, 0};
	ociw_descriptor *desc = rig_blob("hello", 5);
	rig_open(&r, RULES({.match = HEAD_BLOB, .answer = {.status = 404}, .times = 1},
	                   {.match = HEAD_BLOB, .answer = {.status = 200}}, OPEN,
	                   {.match = "PUT /u/0", .answer = {.fault = FAKE_HANG_UP}}));
	rig_ok(put(&r, desc, &bytes, &err), &err);
	cr_assert_eq(fake_matching(r.fake, "PUT"), 1);
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(push, a_small_blob_is_sent_anew_after_a_break)
{
	rig r;
	ociw_error *err = NULL;
	rig_source bytes = {"hello", 5, 0, 0};
	ociw_descriptor *desc = rig_blob("hello", 5);
	rig_open(&r, RULES(OPEN, {.match = "PUT /u/0", .answer = {.status = 503}, .times = 1},
	                   {.match = "PUT /u/0", .answer = {.status = 201}},
	                   {.match = "DELETE /u/0", .answer = {.status = 204}}));
	rig_ok(put(&r, desc, &bytes, &err), &err);
	cr_assert_eq(fake_matching(r.fake, "PUT"), 2);
	cr_assert_eq(fake_matching(r.fake, POST), 2);
	cr_assert_eq(fake_matching(r.fake, "DELETE /u/0"), 1);
	cr_assert_eq(bytes.opened, 2);
	cr_assert_eq(r.retries, 1);
	cr_assert_not_null(strstr(r.retry, "503"), "%s", r.retry);
	cr_assert_not_null(strstr(r.retry, "; trying again in "), "%s", r.retry);
	ociw_descriptor_free(desc);
	rig_close(&r);
}

static char big[3 * 1024 * 1024];

Test(push, a_large_blob_goes_on_where_the_registry_got_to)
{
	rig r;
	ociw_error *err = NULL;
	rig_source bytes = {big, sizeof(big), 0, 0};
	ociw_descriptor *desc = rig_blob(big, sizeof(big));
	rig_open(&r,
	         RULES(OPEN, {.match = "PUT /u/0", .answer = {.status = 502}, .times = 1},
	               {.match = "GET /u/0",
	                .answer = {.status = 204, .headers = "Range: 0-2097151\nLocation: /u/1\n"}},
	               {.match = "PUT /u/1", .answer = {.status = 201}}));
	rig_ok(put(&r, desc, &bytes, &err), &err);
	const fake_request *rest = rig_request(&r, "PUT /u/1", 0);
	cr_assert_eq(rest->body_len, 1024 * 1024);
	cr_assert_str_eq(fake_header(rest, "Content-Range"), "2097152-3145727");
	cr_assert_eq(bytes.last_offset, 2097152);
	cr_assert_eq(fake_matching(r.fake, POST), 1);
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(push, without_progress_it_begins_anew)
{
	rig r;
	ociw_error *err = NULL;
	rig_source bytes = {big, sizeof(big), 0, 0};
	ociw_descriptor *desc = rig_blob(big, sizeof(big));
	rig_open(&r, RULES(OPEN, {.match = "PUT /u/0", .answer = {.status = 416}, .times = 1},
	                   {.match = "PUT /u/0", .answer = {.status = 201}},
	                   {.match = "GET /u/0",
	                    .answer = {.status = 204, .headers = "Range: 0-0\n"}}));
	rig_ok(put(&r, desc, &bytes, &err), &err);
	cr_assert_eq(fake_matching(r.fake, POST), 2);
	cr_assert_eq(rig_request(&r, "PUT /u/0", 1)->body_len, sizeof(big));
	cr_assert_null(fake_header(rig_request(&r, "PUT /u/0", 1), "Content-Range"));
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(push, chunks_are_sent_when_asked_for_and_as_large_as_the_registry_wants)
{
	rig r;
	ociw_error *err = NULL;
	rig_source bytes = {big, 250, 0, 0};
	ociw_descriptor *desc = rig_blob(big, 250);
	rig_open(&r, RULES({.match = POST,
	                    .answer = {.status = 202,
	                               .headers = "Location: /u/0\nOCI-Chunk-Min-Length: 100\n"}},
	                   {.match = "PATCH /u/0",
	                    .answer = {.status = 202, .headers = "Range: 0-99\n"}},
	                   {.match = "PUT /u/0", .answer = {.status = 201}}));
	ociw_client_set_chunk_size(r.client, 10);
	rig_ok(put(&r, desc, &bytes, &err), &err);
	cr_assert_eq(fake_matching(r.fake, "PATCH"), 2);
	cr_assert_eq(rig_request(&r, "PATCH", 1)->body_len, 100);
	cr_assert_eq(rig_request(&r, "PUT", 0)->body_len, 50);
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(push, refused_chunks_end_in_one_piece)
{
	rig r;
	ociw_error *err = NULL;
	rig_source bytes = {big, sizeof(big), 0, 0};
	ociw_descriptor *desc = rig_blob(big, sizeof(big));
	rig_open(&r, RULES(OPEN, {.match = "PATCH /u/0", .answer = {.status = 416}},
	                   {.match = "PUT /u/0", .answer = {.status = 201}},
	                   {.match = "GET /u/0", .answer = {.status = 404}}));
	r.limits.max_tries = 5;
	ociw_client_set_chunk_size(r.client, 1024 * 1024);
	rig_ok(put(&r, desc, &bytes, &err), &err);
	cr_assert_eq(rig_request(&r, "PUT /u/0", 0)->body_len, sizeof(big));
	ociw_descriptor_free(desc);
	rig_close(&r);
}

/* How a registry says that it takes no parts, or none in the closing PUT. */
static const struct {
	fake_answer patch, put;
	size_t patches;
} no_parts[] = {
        {{.status = 405}, {.status = 201}, 1},
        {{.status = 501}, {.status = 201}, 1},
        {{.status = 400}, {.status = 201}, 1},
        {{.status = 202}, {.status = 405}, 2},
        {{.status = 202}, {.status = 501}, 2},
        {{.status = 202}, {.status = 400}, 2},
        {{.status = 202}, {.status = 411}, 2},
};

Test(push, a_registry_that_knows_no_parts_gets_the_blob_in_one_piece_PSH_9_PSH_10)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(no_parts); i++) {
		rig r;
		ociw_error *err = NULL;
		const char text[] = "0123456789abcdefghijklmno";
		rig_source bytes = {text, 25, 0, 0};
		OCIWP_AUTO(descriptor) ociw_descriptor *desc = rig_blob(text, 25);
		fake_rule rules[] = {OPEN,
		                     {.match = "PATCH /u/0", .answer = no_parts[i].patch},
		                     {.match = "PUT /u/0", .answer = no_parts[i].put, .times = 1},
		                     {.match = "PUT /u/0", .answer = {.status = 201}}};
		rig_open(&r, rules, OCIWP_ARRAY_LEN(rules));
		ociw_client_set_chunk_size(r.client, 10);
		rig_ok(put(&r, desc, &bytes, &err), &err);
		cr_expect_eq(fake_matching(r.fake, "PATCH"), no_parts[i].patches, "row %zu", i);
		size_t puts = fake_matching(r.fake, "PUT");
		cr_expect_eq(puts, no_parts[i].patches, "row %zu", i);
		cr_expect_eq(rig_request(&r, "PUT", puts - 1)->body_len, 25);
		cr_expect_null(fake_header(rig_request(&r, "PUT", puts - 1), "Content-Range"));
		rig_close(&r);
	}
}

Test(push, a_whole_blob_that_is_refused_is_not_sent_again)
{
	static const int statuses[] = {400, 405, 411, 413, 501, 505};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(statuses); i++) {
		rig r;
		ociw_error *err = NULL;
		rig_source bytes = {"hello", 5, 0, 0};
		OCIWP_AUTO(descriptor) ociw_descriptor *desc = rig_blob("hello", 5);
		rig_open(&r, RULES(OPEN, {.match = "PUT", .answer = {.status = statuses[i]}}));
		ociw_client_set_chunk_size(r.client, 10);
		cr_assert_lt(put(&r, desc, &bytes, &err), 0);
		ociw_error_free(err);
		cr_expect_eq(fake_matching(r.fake, "PUT"), 1);
		rig_close(&r);
	}
}

Test(push, an_upload_waits_as_long_as_the_registry_asks_RET_3)
{
	rig r;
	ociw_error *err = NULL;
	rig_source bytes = {"hello", 5, 0, 0};
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = rig_blob("hello", 5);
	rig_open(&r, RULES(OPEN, {.match = "PUT",
	                          .answer = {.status = 429, .headers = "Retry-After: 2\n"},
	                          .times = 1},
	                   {.match = "PUT", .answer = {.status = 201}}));
	uint64_t start = ociwp_monotonic_ms();
	rig_ok(put(&r, desc, &bytes, &err), &err);
	cr_assert_geq(ociwp_monotonic_ms() - start, 1950);
	cr_assert_eq(fake_matching(r.fake, "PUT"), 2);
	rig_close(&r);
}

Test(push, an_upload_that_would_wait_too_long_fails_at_once_RET_3)
{
	rig r;
	ociw_error *err = NULL;
	rig_source bytes = {"hello", 5, 0, 0};
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = rig_blob("hello", 5);
	rig_open(&r, RULES(OPEN, {.match = "PUT",
	                          .answer = {.status = 503, .headers = "Retry-After: 3600\n"}}));
	rig_expect(put(&r, desc, &bytes, &err), OCIW_ERR_NETWORK, &err,
	           "come back later (Retry-After: 3600)");
	cr_assert_eq(fake_matching(r.fake, "PUT"), 1);
	rig_close(&r);
}

Test(push, a_token_that_expires_during_a_push_is_renewed)
{
	rig r;
	ociw_error *err = NULL;
	rig_source bytes = {"hello", 5, 0, 0};
	ociw_descriptor *desc = rig_blob("hello", 5);
	rig_open(
	        &r,
	        RULES({.match = "GET /token",
	               .answer = {.status = 200, .body = "{\"token\":\"t\"}"}},
	              OPEN,
	              {.match = "PUT /u/0",
	               .answer =
	                       {.status = 401,
	                        .headers =
	                                "WWW-Authenticate: Bearer realm=\"http://{self}/token\"\n"},
	               .times = 1},
	              {.match = "PUT /u/0", .answer = {.status = 201}}));
	rig_ok(put(&r, desc, &bytes, &err), &err);
	cr_assert_str_eq(fake_header(rig_request(&r, "PUT", 1), "Authorization"), "Bearer t");
	cr_assert_str_eq(rig_request(&r, "PUT", 1)->body, "hello");
	cr_assert_not_null(
	        strstr(rig_request(&r, "GET /token", 0)->target, "scope=repository:a/b:pull,push"));
	ociw_descriptor_free(desc);
	rig_close(&r);
}

static const struct {
	fake_answer answer;
	int code;
	const char *text;
} refusals[] = {
        {{.status = 400, .body = "{\"errors\":[{\"code\":\"DIGEST_INVALID\",\"message\":\"no\"}]}"},
         OCIW_ERR_REGISTRY,
         "the registry got other bytes than sha256:"},
        {{.status = 413}, OCIW_ERR_LIMIT, "takes nothing this large (5 bytes)"},
        {{.status = 403, .body = "{\"errors\":[{\"code\":\"DENIED\"}]}"},
         OCIW_ERR_DENIED,
         "DENIED"},
        {{.status = 500}, OCIW_ERR_NETWORK, "answer 500"},
};

Test(push, refusals_are_one_clear_error_and_the_session_is_given_up)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(refusals); i++) {
		rig r;
		ociw_error *err = NULL;
		rig_source bytes = {"hello", 5, 0, 0};
		ociw_descriptor *desc = rig_blob("hello", 5);
		fake_rule rules[] = {OPEN,
		                     {.match = "PUT /u/0", .answer = refusals[i].answer},
		                     {.match = "DELETE /u/0", .answer = {.status = 204}}};
		rig_open(&r, rules, 3);
		rig_expect(put(&r, desc, &bytes, &err), refusals[i].code, &err, refusals[i].text);
		cr_assert_geq(fake_matching(r.fake, "DELETE /u/0"), 1);
		ociw_descriptor_free(desc);
		rig_close(&r);
	}
}

Test(push, a_repository_that_must_exist_first_is_told)
{
	rig r;
	ociw_error *err = NULL;
	rig_source bytes = {"hello", 5, 0, 0};
	ociw_descriptor *desc = rig_blob("hello", 5);
	rig_open(&r, RULES({.match = POST,
	                    .answer = {.status = 404,
	                               .body = "{\"errors\":[{\"code\":\"NAME_UNKNOWN\","
	                                       "\"message\":\"create it\"}]}"}}));
	rig_expect(put(&r, desc, &bytes, &err), OCIW_ERR_NOTFOUND, &err, "NAME_UNKNOWN: create it");
	ociw_descriptor_free(desc);
	rig_close(&r);
}

/* ---- mount ---- */

static ociw_content *other_repository(rig *r, const char *name)
{
	char text[64];
	ociw_reference *ref = NULL;
	ociw_content *content = NULL;
	snprintf(text, sizeof(text), "%s/%s", fake_address(r->fake), name);
	cr_assert_eq(ociw_reference_parse(text, &ref, NULL), 0);
	cr_assert_eq(ociw_client_repository(r->client, ref, &content, NULL), 0);
	ociw_reference_free(ref);
	return content;
}

static const struct {
	int status;
	bool done;
	size_t posts; /* of the put that follows */
} mounts[] = {{201, true, 0},  {202, false, 0}, {401, false, 1}, {400, false, 1},
              {403, false, 1}, {404, false, 1}, {405, false, 1}};

Test(push, a_mount_is_tried_and_any_refusal_becomes_an_upload)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(mounts); i++) {
		rig r;
		ociw_error *err = NULL;
		bool done = false;
		rig_source bytes = {"hello", 5, 0, 0};
		ociw_descriptor *desc = rig_blob("hello", 5);
		fake_rule rules[] = {
		        {.match = POST "?mount=sha256:",
		         .answer = {.status = mounts[i].status, .headers = "Location: /u/0\n"}},
		        OPEN,
		        {.match = "PUT /u/0", .answer = {.status = 201}}};
		rig_open(&r, rules, 3);
		ociw_content *from = other_repository(&r, "c/d");
		rig_ok(ociwp_content_mount(r.content, desc, from, &r.op, &done, &err), &err);
		cr_assert_eq(done, mounts[i].done, "%d", mounts[i].status);
		cr_assert_not_null(strstr(rig_request(&r, POST, 0)->target, "&from=c/d"));
		rig_ok(put(&r, desc, &bytes, &err), &err);
		cr_assert_eq(fake_matching(r.fake, POST "$"), mounts[i].posts, "%d",
		             mounts[i].status);
		cr_assert_eq(fake_matching(r.fake, "PUT"), !mounts[i].done, "%d", mounts[i].status);
		ociw_content_free(from);
		ociw_descriptor_free(desc);
		rig_close(&r);
	}
}

Test(push, a_mount_asks_for_both_scopes_and_survives_a_refused_token)
{
	rig r;
	ociw_error *err = NULL;
	bool done = true;
	ociw_descriptor *desc = rig_blob("hello", 5);
	rig_open(&r,
	         RULES({.match = "GET "
	                         "/token?scope=repository:a/b:pull,push&scope=repository:c/d:pull",
	                .answer = {.status = 400}},
	               {.match = POST "?mount=",
	                .answer = {.status = 401,
	                           .headers = "WWW-Authenticate: Bearer "
	                                      "realm=\"http://{self}/token\"\n"}}));
	ociw_content *from = other_repository(&r, "c/d");
	rig_ok(ociwp_content_mount(r.content, desc, from, &r.op, &done, &err), &err);
	cr_assert_not(done);
	cr_assert_eq(fake_matching(r.fake, "GET /token"), 1);
	ociw_content_free(from);
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(push, nothing_is_mounted_from_elsewhere_or_itself)
{
	rig r, s;
	ociw_error *err = NULL;
	bool done = true;
	ociw_descriptor *desc = rig_blob("hello", 5);
	rig_open(&r, NULL, 0);
	rig_open(&s, NULL, 0);
	ociw_content *same = other_repository(&r, "a/b");
	rig_ok(ociwp_content_mount(r.content, desc, s.content, &r.op, &done, &err), &err);
	cr_assert_not(done);
	rig_ok(ociwp_content_mount(r.content, desc, same, &r.op, &done, &err), &err);
	cr_assert_not(done);
	cr_assert_eq(fake_count(r.fake) + fake_count(s.fake), 0);
	ociw_content_free(same);
	ociw_descriptor_free(desc);
	rig_close(&r);
	rig_close(&s);
}

/* ---- single flight ---- */

static void *put_thread(void *self)
{
	rig *r = self;
	rig_source bytes = {big, 100000, 0, 0};
	ociwp_blob_source source = {rig_source_open, &bytes};
	ociw_descriptor *desc = rig_blob(big, 100000);
	int code = ociwp_content_put(r->content, desc, &source, NULL, NULL);
	ociw_descriptor_free(desc);
	return code == 0 ? self : NULL;
}

Test(push, many_threads_send_a_blob_once)
{
	rig r;
	pthread_t threads[8];
	void *good;
	rig_open(&r, RULES(OPEN, {.match = "PUT /u/0", .answer = {.status = 201}}));
	for (int i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, put_thread, &r), 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], &good);
		cr_assert_not_null(good);
	}
	cr_assert_eq(fake_matching(r.fake, "PUT"), 1);
	cr_assert_eq(fake_matching(r.fake, POST), 1);
	rig_close(&r);
}

/* ---- what an earlier run left behind ---- */

static char uploads_dir[64] = "/tmp/ociw-uploads-XXXXXX";

/* A client that notes uploads; the note of @p desc says @p path on its server, if that is not NULL.
 */
static void leave_note(rig *r, const ociw_descriptor *desc, const char *path)
{
	ociwp_upload_note note;
	char location[128];
	cr_assert_not_null(mkdtemp(uploads_dir));
	cr_assert_eq(ociw_client_set_uploads_dir(r->client, uploads_dir, NULL), 0);
	if (!path)
		return;
	cr_assert(ociwp_upload_note_open(&note, uploads_dir, fake_address(r->fake), "a/b",
	                                 ociw_descriptor_digest(desc)));
	snprintf(location, sizeof(location), "http://%s%s", fake_address(r->fake), path);
	ociwp_upload_note_write(&note, location);
	ociwp_upload_note_close(&note, true);
}

/* What the note says now, to be freed. */
static char *noted(const rig *r, const ociw_descriptor *desc)
{
	ociwp_upload_note note;
	cr_assert(ociwp_upload_note_open(&note, uploads_dir, fake_address(r->fake), "a/b",
	                                 ociw_descriptor_digest(desc)));
	char *text = ociwp_upload_note_read(&note);
	ociwp_upload_note_close(&note, false);
	cr_assert_eq(rmdir(uploads_dir), 0);
	return text;
}

Test(push, an_upload_that_an_earlier_run_began_goes_on)
{
	rig r;
	ociw_error *err = NULL;
	rig_source bytes = {big, sizeof(big), 0, 0};
	ociw_descriptor *desc = rig_blob(big, sizeof(big));
	rig_open(&r, RULES({.match = "GET /u/old",
	                    .answer = {.status = 204,
	                               .headers = "Range: 0-2097151\nLocation: /u/new\n"}},
	                   {.match = "PUT /u/new?digest=", .answer = {.status = 201}}));
	leave_note(&r, desc, "/u/old");
	rig_ok(put(&r, desc, &bytes, &err), &err);
	cr_assert_eq(fake_matching(r.fake, POST), 0);
	const fake_request *rest = rig_request(&r, "PUT /u/new", 0);
	cr_assert_eq(rest->body_len, sizeof(big) - 2097152);
	cr_assert_str_eq(fake_header(rest, "Content-Range"), "2097152-3145727");
	cr_assert_null(noted(&r, desc));
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(push, an_earlier_upload_that_is_gone_or_elsewhere_begins_anew)
{
	static const char *const left[] = {"/u/gone", "@elsewhere.example/u/1"};
	for (size_t i = 0; i < 2; i++) {
		rig r;
		ociw_error *err = NULL;
		rig_source bytes = {big, sizeof(big), 0, 0};
		ociw_descriptor *desc = rig_blob(big, sizeof(big));
		strcpy(uploads_dir, "/tmp/ociw-uploads-XXXXXX");
		rig_open(&r, RULES(OPEN, {.match = "PUT /u/0", .answer = {.status = 201}}));
		leave_note(&r, desc, left[i]);
		rig_ok(put(&r, desc, &bytes, &err), &err);
		cr_assert_eq(rig_request(&r, "PUT /u/0", 0)->body_len, sizeof(big));
		cr_assert_null(noted(&r, desc));
		ociw_descriptor_free(desc);
		rig_close(&r);
	}
}

Test(push, an_earlier_upload_with_wrong_bytes_in_it_begins_anew_once)
{
	rig r;
	ociw_error *err = NULL;
	rig_source bytes = {big, sizeof(big), 0, 0};
	ociw_descriptor *desc = rig_blob(big, sizeof(big));
	rig_open(&r, RULES(OPEN,
	                   {.match = "GET /u/old",
	                    .answer = {.status = 204, .headers = "Range: 0-2097151\n"}},
	                   {.match = "PUT /u/old",
	                    .answer = {.status = 400,
	                               .body = "{\"errors\":[{\"code\":\"DIGEST_INVALID\"}]}"}},
	                   {.match = "PUT /u/0", .answer = {.status = 201}}));
	leave_note(&r, desc, "/u/old");
	rig_ok(put(&r, desc, &bytes, &err), &err);
	cr_assert_eq(fake_matching(r.fake, "DELETE /u/old"), 1);
	cr_assert_eq(rig_request(&r, "PUT /u/0", 0)->body_len, sizeof(big));
	cr_assert_null(noted(&r, desc));
	ociw_descriptor_free(desc);
	rig_close(&r);
}

static void cancel_it(const fake_request *request, fake_answer *answer, void *user_data)
{
	(void)request;
	(void)answer;
	ociw_cancel_trigger(user_data);
}

Test(push, a_cancelled_upload_is_kept_for_the_next_run_where_that_is_wanted)
{
	rig r;
	ociw_error *err = NULL;
	ociw_cancel *cancel = ociw_cancel_new();
	rig_source bytes = {big, sizeof(big), 0, 0};
	ociw_descriptor *desc = rig_blob(big, sizeof(big));
	cr_assert_not_null(cancel);
	rig_open(&r, RULES(OPEN, {.match = "PUT /u/0",
	                          .answer = {.status = 201, .fault = FAKE_HANG_UP},
	                          .handler = cancel_it,
	                          .user_data = cancel}));
	leave_note(&r, desc, NULL);
	r.op.cancel = cancel;
	cr_assert_eq(put(&r, desc, &bytes, &err), OCIW_ERR_CANCELLED);
	cr_assert_eq(fake_matching(r.fake, "DELETE"), 0);
	OCIWP_AUTO(str) char *location = noted(&r, desc);
	cr_assert(location && strstr(location, "/u/0"));
	ociw_error_free(err);
	ociw_cancel_free(cancel);
	ociw_descriptor_free(desc);
	rig_close(&r);
}
