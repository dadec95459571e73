/* SPDX-License-Identifier: Apache-2.0
 *
 * The requests of an upload session (PSH-5, PSH-7..14, HTTP-3, HTTP-7).
 */
#include "registry/upload.h"
#include "rig.h"

#include "base/time.h"

static const struct {
	const char *text;
	bool good;
	uint64_t count;
} ranges[] = {
        {"0-9", true, 10}, {"bytes=0-9", true, 10}, {"bytes 0-9", true, 10},
        {"0-0", true, 1},  {"9", true, 10},         {"0-9/20", true, 10},
        {"5-9", false, 0}, {"", false, 0},          {"0-", false, 0},
        {"a-b", false, 0}, {"-5", false, 0},        {"0-18446744073709551615", false, 0},
};

Test(upload, ranges_of_all_dialects_are_read)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(ranges); i++) {
		uint64_t got = 0;
		cr_assert_eq(ociwp_upload_parse_range(ranges[i].text, &got), ranges[i].good, "%s",
		             ranges[i].text);
		if (ranges[i].good)
			cr_assert_eq(got, ranges[i].count, "%s", ranges[i].text);
	}
}

static const struct {
	const char *location, *want; /* behind "http://self" */
} locations[] = {
        {"/v2/a/b/blobs/uploads/u1?_state=x%3D", "/v2/a/b/blobs/uploads/u1?_state=x%3D&digest="},
        {"u1", "/v2/a/b/blobs/uploads/u1?digest="},
        {"http://{self}/else/where", "/else/where?digest="},
};

Test(upload, a_location_is_opaque_and_perhaps_relative)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(locations); i++) {
		rig r;
		ociw_error *err = NULL;
		bool done;
		int status;
		ociwp_failure failure;
		char headers[128], match[160];
		rig_source bytes = {"hello", 5, 0, 0};
		ociwp_blob_source source = {rig_source_open, &bytes};
		ociw_descriptor *desc = rig_blob("hello", 5);
		snprintf(headers, sizeof(headers), "Location: %s\n", locations[i].location);
		fake_rule rules[] = {{.match = "POST /v2/a/b/blobs/uploads/$",
		                      .answer = {.status = 202, .headers = headers}},
		                     {.match = "PUT ", .answer = {.status = 201}}};
		rig_open(&r, rules, 2);
		ociwp_upload upload = {.repo = r.repo, .desc = desc, .source = &source};
		rig_ok(ociwp_upload_begin(&upload, NULL, &r.op, &done, &err), &err);
		rig_ok(ociwp_upload_finish(&upload, &r.op, &status, &failure, &err), &err);
		snprintf(match, sizeof(match), "PUT %s", locations[i].want);
		const fake_request *put = rig_request(&r, match, 0);
		cr_assert_str_eq(put->body, "hello");
		cr_assert_str_eq(fake_header(put, "Content-Type"), "application/octet-stream");
		cr_assert_null(fake_header(put, "Content-Range"));
		ociwp_upload_deinit(&upload);
		ociw_descriptor_free(desc);
		rig_close(&r);
	}
}

static int begin(rig *r, ociwp_upload *upload, ociw_error **err)
{
	bool done;
	return ociwp_upload_begin(upload, NULL, &r->op, &done, err);
}

Test(upload, a_session_without_a_location_or_to_a_private_place_is_refused)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = rig_blob("hello", 5);
	rig_open(&r, RULES({.match = "POST", .answer = {.status = 202}, .times = 1},
	                   {.match = "POST",
	                    .answer = {.status = 202, .headers = "Location: http://{self}/x\n"}}));
	ociwp_upload upload = {.repo = r.repo, .desc = desc};
	rig_expect(begin(&r, &upload, &err), OCIW_ERR_REGISTRY, &err, "202 without a Location");
	r.repo->host->private_literal = false;
	rig_expect(begin(&r, &upload, &err), OCIW_ERR_UNSAFE, &err, "private address");
	ociwp_upload_deinit(&upload);
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(upload, data_may_go_to_another_origin_but_credentials_may_not)
{
	rig r;
	ociw_error *err = NULL;
	int status;
	ociwp_failure failure;
	rig_source bytes = {"hello", 5, 0, 0};
	ociwp_blob_source source = {rig_source_open, &bytes};
	ociw_descriptor *desc = rig_blob("hello", 5);
	fake_registry *other =
	        fake_start(RULES({.match = "PUT /up?digest=", .answer = {.status = 201}}));
	rig_open(&r,
	         RULES({.match = "POST",
	                .answer = {.status = 401,
	                           .headers = "WWW-Authenticate: Basic realm=\"x\"\n"},
	                .times = 1},
	               {.match = "POST",
	                .answer = {.status = 202, .headers = "Location: http://{other}/up\n"}}));
	r.give = (ociw_credential){.size = sizeof(r.give), .username = "u", .password = "p"};
	fake_set_other(r.fake, fake_address(other));
	ociwp_upload upload = {.repo = r.repo, .desc = desc, .source = &source};
	rig_ok(begin(&r, &upload, &err), &err);
	rig_ok(ociwp_upload_finish(&upload, &r.op, &status, &failure, &err), &err);
	cr_assert_not_null(fake_header(rig_request(&r, "POST", 1), "Authorization"));
	cr_assert_null(fake_header(fake_at(other, 0), "Authorization"));
	fake_stop(other);
	ociwp_upload_deinit(&upload);
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(upload, chunks_carry_a_bare_range_and_the_newest_location_counts)
{
	rig r;
	ociw_error *err = NULL;
	int status;
	ociwp_failure failure;
	rig_source bytes = {"hello world", 11, 0, 0};
	ociwp_blob_source source = {rig_source_open, &bytes};
	ociw_descriptor *desc = rig_blob("hello world", 11);
	rig_open(&r, RULES({.match = "POST",
	                    .answer = {.status = 202,
	                               .headers = "Location: /u/0\nOCI-Chunk-Min-Length: 4\n"}},
	                   {.match = "PATCH /u/0$",
	                    .answer = {.status = 202, .headers = "Location: /u/1\nRange: 0-3\n"}},
	                   /* ECR: 201, a stale Range */
	                   {.match = "PATCH /u/1$",
	                    .answer = {.status = 201, .headers = "Location: /u/2\nRange: 0-3\n"}},
	                   {.match = "PUT /u/2?digest=", .answer = {.status = 201}}));
	ociwp_upload upload = {.repo = r.repo, .desc = desc, .source = &source};
	rig_ok(begin(&r, &upload, &err), &err);
	cr_assert_eq(upload.min_chunk, 4);
	rig_ok(ociwp_upload_chunk(&upload, 4, &r.op, &status, &failure, &err), &err);
	rig_ok(ociwp_upload_chunk(&upload, 4, &r.op, &status, &failure, &err), &err);
	rig_ok(ociwp_upload_finish(&upload, &r.op, &status, &failure, &err), &err);
	cr_assert_str_eq(fake_header(rig_request(&r, "PATCH", 0), "Content-Range"), "0-3");
	cr_assert_str_eq(rig_request(&r, "PATCH", 0)->body, "hell");
	cr_assert_str_eq(fake_header(rig_request(&r, "PATCH", 1), "Content-Range"), "4-7");
	/* The last chunk goes with the PUT (PSH-12). */
	cr_assert_str_eq(fake_header(rig_request(&r, "PUT", 0), "Content-Range"), "8-10");
	cr_assert_str_eq(rig_request(&r, "PUT", 0)->body, "rld");
	ociwp_upload_deinit(&upload);
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(upload, a_stream_has_neither_length_nor_range_and_the_newest_location_counts_PSH_7a)
{
	rig r;
	ociw_error *err = NULL;
	int status;
	ociwp_failure failure;
	rig_source bytes = {"hello world", 11, 0, 0};
	ociwp_blob_source source = {rig_source_open, &bytes};
	rig_open(&r,
	         RULES({.match = "POST", .answer = {.status = 202, .headers = "Location: /u/0\n"}},
	               {.match = "PATCH /u/0$",
	                .answer = {.status = 202, .headers = "Location: /u/1\nRange: 0-10\n"}},
	               {.match = "PATCH /u/1$", .answer = {.status = 411}}));
	ociwp_upload upload = {.repo = r.repo, .source = &source};
	rig_ok(begin(&r, &upload, &err), &err);
	cr_assert_null(strstr(rig_request(&r, "POST", 0)->target, "digest-algorithm"));
	rig_ok(ociwp_upload_stream(&upload, &r.op, &status, &failure, &err), &err);
	cr_assert_str_eq(rig_request(&r, "PATCH", 0)->body, "hello world");
	cr_assert_str_eq(fake_header(rig_request(&r, "PATCH", 0), "Transfer-Encoding"), "chunked");
	cr_assert_null(fake_header(rig_request(&r, "PATCH", 0), "Content-Length"));
	cr_assert_null(fake_header(rig_request(&r, "PATCH", 0), "Content-Range"));
	cr_assert_not_null(strstr(upload.location, "/u/1"));
	cr_assert_lt(ociwp_upload_stream(&upload, &r.op, &status, &failure, &err), 0);
	cr_assert_eq(status, 411);
	ociw_error_free(err);
	ociwp_upload_deinit(&upload);
	rig_close(&r);
}

static const struct {
	int status;
	const char *headers;
	bool known;
	uint64_t offset;
} states[] = {
        {204, "Range: 0-5\nLocation: /u/9\n", true, 6},
        {204, "Range: bytes=0-5\n", true, 6},
        {204, "Range: 0-0\n", true, 0},
        {202, "Range: 0-5\n", true, 6},
        {204, "Range: 0-500\n", false, 0},
        {204, NULL, false, 0},
        {404, NULL, false, 0},
};

Test(upload, the_state_of_a_session_is_asked_for)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(states); i++) {
		rig r;
		ociw_error *err = NULL;
		bool known;
		ociw_descriptor *desc = rig_blob("hello world", 11);
		fake_rule rules[] = {
		        {.match = "POST", .answer = {.status = 202, .headers = "Location: /u/0\n"}},
		        {.match = "GET /u/0",
		         .answer = {.status = states[i].status, .headers = states[i].headers}}};
		rig_open(&r, rules, 2);
		ociwp_upload upload = {.repo = r.repo, .desc = desc};
		rig_ok(begin(&r, &upload, &err), &err);
		rig_ok(ociwp_upload_ask(&upload, &r.op, &known, &err), &err);
		cr_assert_eq(known, states[i].known, "row %zu", i);
		cr_assert_eq(upload.offset, states[i].offset, "row %zu", i);
		ociwp_upload_deinit(&upload);
		ociw_descriptor_free(desc);
		rig_close(&r);
	}
}

Test(upload, giving_up_deletes_the_session)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = rig_blob("hello", 5);
	rig_open(&r,
	         RULES({.match = "POST", .answer = {.status = 202, .headers = "Location: /u/0\n"}},
	               {.match = "DELETE /u/0$", .answer = {.status = 500}}));
	ociwp_upload upload = {.repo = r.repo, .desc = desc};
	rig_ok(begin(&r, &upload, &err), &err);
	ociwp_upload_abort(&upload);
	ociwp_upload_abort(&upload);
	cr_assert_null(upload.location);
	cr_assert_eq(fake_matching(r.fake, "DELETE"), 1);
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(upload, giving_up_does_not_wait_long_for_who_says_nothing_PSH_13)
{
	static const fake_answer silent[] = {
	        {.status = 200, .body = "never all of it", .fault = FAKE_STALL, .at = 1},
	        {.status = 503, .headers = "Retry-After: 100\n", .body = "?", .fault = FAKE_STALL},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(silent); i++) {
		rig r;
		ociw_error *err = NULL;
		OCIWP_AUTO(descriptor) ociw_descriptor *desc = rig_blob("hello", 5);
		rig_open(&r, RULES({.match = "POST",
		                    .answer = {.status = 202, .headers = "Location: /u/0\n"}},
		                   {.match = "DELETE /u/0$", .answer = silent[i]}));
		ociwp_upload upload = {.repo = r.repo, .desc = desc};
		rig_ok(begin(&r, &upload, &err), &err);
		uint64_t start = ociwp_monotonic_ms();
		ociwp_upload_abort(&upload);
		cr_assert_lt(ociwp_monotonic_ms() - start, 10000, "row %zu", i);
		cr_assert_null(upload.location);
		rig_close(&r);
	}
}

Test(upload, another_algorithm_is_announced)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = NULL;
	char digest[OCIW_DIGEST_TEXT_MAX] = "sha512:";
	memset(digest + 7, 'a', 128);
	digest[135] = 0;
	cr_assert_eq(ociw_descriptor_new("a/b", digest, 5, &desc, NULL), 0);
	rig_open(&r, RULES({.match = "POST /v2/a/b/blobs/uploads/?digest-algorithm=sha512$",
	                    .answer = {.status = 202, .headers = "Location: /u/0\n"}}));
	ociwp_upload upload = {.repo = r.repo, .desc = desc};
	rig_ok(begin(&r, &upload, &err), &err);
	ociwp_upload_deinit(&upload);
	ociw_descriptor_free(desc);
	rig_close(&r);
}
