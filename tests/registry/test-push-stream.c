/* SPDX-License-Identifier: Apache-2.0
 *
 * Blobs of unknown length on their way into a registry: as one PATCH while they are read, then what is missing
 * after a break, and in one piece where that does not work (PSH-7a, PSH-9..12, PSH-18, PSH-20).
 */
#include "rig.h"

#include "base/str.h"

#define POST "POST /v2/a/b/blobs/uploads/"
#define OPEN                                                                                       \
	{                                                                                          \
		.match = POST, .answer = {.status = 202, .headers = "Location: /u/0\n" }           \
	}
#define TAKEN                                                                                      \
	{                                                                                          \
		.match = "PATCH /u/0", .answer = {                                                 \
			.status = 202,                                                             \
			.headers = "Location: /u/1\nRange: 0-3145727\n"                            \
		}                                                                                  \
	}

static char big[3 * 1024 * 1024];

static void fill(void)
{
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 2654435761u >> 13);
}

TestSuite(push_stream, .init = fill);

static int put(rig *r, const char *data, size_t len, ociw_descriptor **out, ociw_error **err)
{
	ociw_reader *reader = NULL;
	cr_assert_eq(ociw_reader_new_memory((ociw_span){data, len}, &reader, NULL), 0);
	return ociw_content_put_stream(r->content, "a/b", reader, &r->op, out, err);
}

/* What a request brought is all of the big blob, in chunked coding or with its length. */
static void is_big(const fake_request *request, bool chunked)
{
	cr_assert_eq(request->body_len, sizeof(big));
	cr_assert_eq(memcmp(request->body, big, sizeof(big)), 0);
	cr_assert_null(fake_header(request, "Content-Range"));
	cr_assert_eq(fake_header(request, "Content-Length") == NULL, chunked);
	cr_assert_eq(fake_header(request, "Transfer-Encoding") != NULL, chunked);
}

/* The digest in the target of a PUT is that of the big blob. */
static void names_big(const fake_request *request)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = rig_blob(big, sizeof(big));
	cr_assert_not_null(strstr(request->target, desc->digest + strlen("sha256:")), "%s",
	                   request->target);
}

Test(push_stream, a_blob_of_unknown_length_is_one_patch_without_a_range_and_a_put_PSH_7a)
{
	rig r;
	bool there;
	ociw_error *err = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	rig_open(&r, RULES(OPEN, TAKEN, {.match = "PUT /u/1", .answer = {.status = 201}}));
	rig_ok(put(&r, big, sizeof(big), &desc, &err), &err);
	cr_assert_eq(desc->size, sizeof(big));
	cr_assert_str_eq(desc->media_type, "a/b");
	cr_assert_eq(fake_count(r.fake), 3);
	const fake_request *patch = rig_request(&r, "PATCH", 0);
	is_big(patch, true);
	cr_assert_str_eq(fake_header(patch, "Content-Type"), "application/octet-stream");
	names_big(rig_request(&r, "PUT", 0));
	cr_assert_str_eq(fake_header(rig_request(&r, "PUT", 0), "Content-Length"), "0");
	/* It is known to be there now. */
	rig_ok(ociwp_content_has(r.content, desc, &r.op, &there, &err), &err);
	cr_assert(there);
	cr_assert_eq(fake_count(r.fake), 3);
	rig_close(&r);
}

Test(push_stream, a_short_or_empty_blob_is_sent_in_one_piece_as_its_length_is_soon_known_PSH_10)
{
	static const size_t lengths[] = {0, 5, 1000};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(lengths); i++) {
		rig r;
		ociw_error *err = NULL;
		rig_open(&r, RULES(OPEN, {.match = "PUT /u/0", .answer = {.status = 201}}));
		rig_ok(put(&r, big, lengths[i], NULL, &err), &err);
		cr_assert_eq(fake_matching(r.fake, "HEAD"), 1);
		cr_assert_eq(fake_matching(r.fake, "PATCH"), 0);
		cr_assert_eq(rig_request(&r, "PUT", 0)->body_len, lengths[i]);
		rig_close(&r);
	}
}

/* How registries, and what stands in front of them, say that they do not take it. */
static const fake_answer refusals[] = {
        {.status = 400},
        {.status = 403},
        {.status = 404},
        {.status = 405},
        {.status = 411, .fault = FAKE_MIDWAY, .at = 1},
        {.status = 411, .fault = FAKE_EARLY},
        {.status = 413, .fault = FAKE_MIDWAY, .at = 1000000},
        {.status = 416},
        {.status = 500},
        {.status = 501},
        {.status = 501, .fault = FAKE_MIDWAY, .at = 100000},
        {.fault = FAKE_HANG_UP},
        {.fault = FAKE_CUT, .at = 1},
        {.fault = FAKE_CUT, .at = 1500000},
        {.fault = FAKE_GARBAGE, .body = "no HTTP"},
};

Test(push_stream, what_is_refused_or_breaks_goes_on_in_one_piece_PSH_7a)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(refusals); i++) {
		rig r;
		ociw_error *err = NULL;
		OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
		fake_rule rules[] = {OPEN,
		                     {.match = "PATCH /u/0", .answer = refusals[i]},
		                     {.match = "DELETE /u/0", .answer = {.status = 204}},
		                     {.match = "PUT /u/0", .answer = {.status = 201}}};
		rig_open(&r, rules, OCIWP_ARRAY_LEN(rules));
		rig_ok(put(&r, big, sizeof(big), &desc, &err), &err);
		cr_assert_eq(desc->size, sizeof(big));
		cr_assert_eq(fake_matching(r.fake, "PATCH"), 1, "row %zu", i);
		cr_assert_eq(fake_matching(r.fake, POST), 2, "row %zu", i);
		cr_assert_eq(fake_matching(r.fake, "DELETE /u/0"), 1, "row %zu", i);
		cr_assert_eq(fake_matching(r.fake, "PUT"), 1, "row %zu", i);
		is_big(rig_request(&r, "PUT", 0), false);
		names_big(rig_request(&r, "PUT", 0));
		rig_close(&r);
	}
}

/* A connection that dies while bytes are streamed, and what the registry says that it kept of them. */
static const struct {
	const char *state;
	size_t kept; /* 0: all is sent again in a new session */
} breaks[] = {
        {"Location: /u/9\nRange: 0-1499999\n", 1500000}, {"Location: /u/9\nRange: bytes=0-1499999\n", 1500000},
        {"Location: /u/9\nRange: 0-3145727\n", sizeof(big)}, {"Location: /u/9\nRange: 0-0\n", 0},
        {"Location: /u/9\nRange: 0-99999999\n", 0},      {"Location: /u/9\n", 0},
};

Test(push_stream, after_a_break_only_what_is_missing_is_sent_PSH_9)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(breaks); i++) {
		rig r;
		ociw_error *err = NULL;
		size_t kept = breaks[i].kept;
		const char *there = kept ? "PUT /u/9" : "PUT /u/0";
		fake_rule rules[] = {
		        OPEN,
		        {.match = "PATCH /u/0", .answer = {.fault = FAKE_CUT, .at = 1500000}},
		        {.match = "GET /u/0", .answer = {.status = 204, .headers = breaks[i].state}},
		        {.match = there, .answer = {.status = 201}}};
		rig_open(&r, rules, OCIWP_ARRAY_LEN(rules));
		rig_ok(put(&r, big, sizeof(big), NULL, &err), &err);
		const fake_request *rest = rig_request(&r, there, 0);
		names_big(rest);
		cr_assert_eq(rest->body_len, sizeof(big) - kept, "row %zu", i);
		cr_assert_eq(memcmp(rest->body, big + kept, rest->body_len), 0);
		cr_assert_eq(fake_header(rest, "Content-Range") != NULL, kept && kept < sizeof(big));
		cr_assert_eq(fake_matching(r.fake, POST), kept ? 1 : 2, "row %zu", i);
		cr_assert_eq(fake_matching(r.fake, "DELETE"), kept ? 0 : 1, "row %zu", i);
		cr_assert_eq(fake_matching(r.fake, "PATCH"), 1, "row %zu", i);
		rig_close(&r);
	}
}

Test(push_stream, what_was_kept_of_a_broken_stream_may_be_wrong_and_begins_anew_once)
{
	rig r;
	ociw_error *err = NULL;
	fake_rule rules[] = {
	        {.match = POST,
	         .answer = {.status = 202, .headers = "Location: /u/0\n"},
	         .times = 1},
	        {.match = POST, .answer = {.status = 202, .headers = "Location: /u/1\n"}},
	        {.match = "PATCH /u/0", .answer = {.fault = FAKE_CUT, .at = 1500000}},
	        {.match = "GET /u/0", .answer = {.status = 204, .headers = "Range: 0-1499999\n"}},
	        {.match = "PUT /u/0",
	         .answer = {.status = 400, .body = "{\"errors\":[{\"code\":\"DIGEST_INVALID\"}]}"}},
	        {.match = "PUT /u/1", .answer = {.status = 201}}};
	rig_open(&r, rules, OCIWP_ARRAY_LEN(rules));
	rig_ok(put(&r, big, sizeof(big), NULL, &err), &err);
	is_big(rig_request(&r, "PUT /u/1", 0), false);
	rig_close(&r);
}

/* What a registry refuses was not broken: how far it got is not asked. */
Test(push_stream, a_refused_stream_is_not_asked_how_far_it_got)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES(OPEN, {.match = "PATCH /u/0", .answer = {.status = 411}},
	                   {.match = "PUT /u/0", .answer = {.status = 201}}));
	rig_ok(put(&r, big, sizeof(big), NULL, &err), &err);
	cr_assert_eq(fake_matching(r.fake, "GET /u/0"), 0);
	rig_close(&r);
}

Test(push_stream, a_blob_that_turns_out_to_be_there_is_not_sent_again)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES(OPEN, {.match = "PATCH", .answer = {.status = 501}},
	                   {.match = "HEAD /v2/a/b/blobs/", .answer = {.status = 200}}));
	rig_ok(put(&r, big, sizeof(big), NULL, &err), &err);
	cr_assert_eq(fake_matching(r.fake, "PUT"), 0);
	rig_close(&r);
}

#define CHALLENGE                                                                                  \
	.status = 401, .headers = "WWW-Authenticate: Bearer realm=\"http://{self}/token\"\n"

static const fake_answer expiries[] = {
        {CHALLENGE},
        {CHALLENGE, .fault = FAKE_MIDWAY, .at = 1},
        {CHALLENGE, .fault = FAKE_MIDWAY, .at = 2000000},
};

Test(push_stream, a_token_that_expires_midway_is_renewed_and_all_is_sent_from_what_was_kept_PSH_20)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(expiries); i++) {
		rig r;
		ociw_error *err = NULL;
		fake_rule rules[] = {{.match = "GET /token",
		                      .answer = {.status = 200, .body = "{\"token\":\"t\"}"}},
		                     OPEN,
		                     {.match = "PATCH", .answer = expiries[i], .times = 1},
		                     TAKEN,
		                     {.match = "PUT /u/1", .answer = {.status = 201}}};
		rig_open(&r, rules, OCIWP_ARRAY_LEN(rules));
		rig_ok(put(&r, big, sizeof(big), NULL, &err), &err);
		cr_assert_eq(fake_matching(r.fake, "PATCH"), 2, "row %zu", i);
		is_big(rig_request(&r, "PATCH", 1), true);
		cr_assert_str_eq(fake_header(rig_request(&r, "PATCH", 1), "Authorization"),
		                 "Bearer t");
		names_big(rig_request(&r, "PUT", 0));
		rig_close(&r);
	}
}

Test(push_stream, a_redirected_patch_brings_all_of_it)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES(OPEN,
	                   {.match = "PATCH /u/0",
	                    .answer = {.status = 307,
	                               .headers = "Location: /elsewhere\n",
	                               .fault = FAKE_MIDWAY,
	                               .at = 500000}},
	                   {.match = "PATCH /elsewhere",
	                    .answer = {.status = 202, .headers = "Location: /u/1\n"}},
	                   {.match = "PUT /u/1", .answer = {.status = 201}}));
	rig_ok(put(&r, big, sizeof(big), NULL, &err), &err);
	is_big(rig_request(&r, "PATCH /elsewhere", 0), true);
	rig_close(&r);
}

Test(push_stream, an_empty_closing_put_that_fails_ends_in_one_piece_PSH_12)
{
	static const int statuses[] = {500, 400, 404, 405, 411, 501, 505};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(statuses); i++) {
		rig r;
		ociw_error *err = NULL;
		fake_rule rules[] = {OPEN,
		                     TAKEN,
		                     {.match = "GET /u/1",
		                      .answer = {.status = 204, .headers = "Range: 0-3145727\n"}},
		                     {.match = "PUT /u/1", .answer = {.status = statuses[i]}},
		                     {.match = "PUT /u/0", .answer = {.status = 201}}};
		rig_open(&r, rules, OCIWP_ARRAY_LEN(rules));
		r.limits.max_tries = 5;
		rig_ok(put(&r, big, sizeof(big), NULL, &err), &err);
		is_big(rig_request(&r, "PUT /u/0", 0), false);
		rig_close(&r);
	}
}

Test(push_stream, an_answer_before_the_end_is_not_taken_for_the_whole)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES(OPEN,
	                   {.match = "PATCH /u/0",
	                    .answer = {.status = 202,
	                               .headers = "Location: /u/1\nConnection: close\n",
	                               .fault = FAKE_EARLY}},
	                   {.match = "PUT /u/1", .answer = {.status = 400}},
	                   {.match = "PUT /u/0", .answer = {.status = 201}}));
	rig_ok(put(&r, big, sizeof(big), NULL, &err), &err);
	is_big(rig_request(&r, "PUT /u/0", 0), false);
	rig_close(&r);
}

Test(push_stream, credentials_that_are_refused_are_an_error_at_once)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES(OPEN, {.match = "PATCH", .answer = {.status = 401}}));
	rig_expect(put(&r, big, sizeof(big), NULL, &err), OCIW_ERR_AUTH, &err, "PATCH");
	cr_assert_eq(fake_matching(r.fake, POST), 1);
	cr_assert_eq(fake_matching(r.fake, "HEAD"), 0);
	rig_close(&r);
}

/* ---- what is wrong with the input ---- */

typedef struct bad_input {
	size_t left;
	ociw_cancel *cancel; /* triggered where the bytes end */
	bool bad_verdict;
} bad_input;

static ptrdiff_t bad_read(void *self, void *buf, size_t len, ociw_error **err)
{
	bad_input *b = self;
	size_t n = b->left < len ? b->left : len;
	if (n == 0 && b->bad_verdict)
		return 0;
	if (n == 0 && !b->cancel)
		return ociw_error_set(err, OCIW_ERR_IO, "the pipe is broken");
	if (n == 0) {
		ociw_cancel_trigger(b->cancel);
		n = 1;
	} else {
		b->left -= n;
	}
	memset(buf, 'x', n);
	return (ptrdiff_t)n;
}

static int bad_close(void *self, ociw_error **err)
{
	const bad_input *b = self;
	return b->bad_verdict ? ociw_error_set(err, OCIW_ERR_DIGEST, "other bytes were promised")
	                      : 0;
}

static int put_bad(rig *r, bad_input *input, ociw_error **err)
{
	static const ociw_reader_ops ops = {sizeof(ops), bad_read, bad_close};
	ociw_reader *reader = NULL;
	cr_assert_eq(ociw_reader_new(&ops, input, &reader, NULL), 0);
	return ociw_content_put_stream(r->content, "a/b", reader, &r->op, NULL, err);
}

Test(push_stream, an_input_that_fails_or_is_not_what_it_should_be_never_becomes_a_blob)
{
	ociw_cancel *cancel = ociw_cancel_new();
	const struct {
		bad_input input;
		int code;
		const char *text;
	} rows[] = {
	        {{.left = 100}, OCIW_ERR_IO, "the pipe is broken"},
	        {{.left = 1000000}, OCIW_ERR_IO, "the pipe is broken"},
	        {{.left = 1000000, .bad_verdict = true}, OCIW_ERR_DIGEST, "promised"},
	        {{.left = 1000000, .cancel = cancel}, OCIW_ERR_CANCELLED, "interrupted"},
	        {{.left = 3000000}, OCIW_ERR_LIMIT, "more than 2000000 bytes"},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		rig r;
		ociw_error *err = NULL;
		bad_input input = rows[i].input;
		rig_open(&r, RULES(OPEN, TAKEN, {.match = "DELETE", .answer = {.status = 204}}));
		r.limits.max_blob_bytes = 2000000;
		r.op.cancel = input.cancel;
		rig_expect(put_bad(&r, &input, &err), rows[i].code, &err, rows[i].text);
		cr_assert_eq(fake_matching(r.fake, "PUT"), 0);
		cr_assert_eq(fake_matching(r.fake, "DELETE"), fake_matching(r.fake, POST));
		rig_close(&r);
	}
	ociw_cancel_free(cancel);
}
