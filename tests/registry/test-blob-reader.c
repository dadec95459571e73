/* SPDX-License-Identifier: Apache-2.0
 *
 * Blobs that break off and go on (PUL-6..8, RET-5), and servers that answer ranges in odd ways.
 */
#include "rig.h"

static char data[3 * 1024 * 1024];
static size_t len;

static ociw_descriptor *make(size_t size)
{
	len = size;
	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 31 + i / 251);
	return rig_blob(data, size);
}

static int read_blob(rig *r, const ociw_descriptor *desc, ociw_error **err)
{
	void *bytes = NULL;
	size_t got = 0;
	int code = ociw_content_read(r->content, desc, 1 << 30, &r->op, &bytes, &got, err);
	if (code == 0)
		cr_assert(got == len && memcmp(bytes, data, len) == 0);
	ociw_free(bytes);
	return code;
}

/* Answers Range as asked; used as long as the rule is. */
static void ranged(const fake_request *request, fake_answer *answer, void *user_data)
{
	static _Thread_local char headers[8][96];
	static _Thread_local int turn;
	const char *range = fake_header(request, "Range");
	size_t first = range ? strtoul(range + 6, NULL, 10) : 0;
	(void)user_data;
	answer->body = data + first;
	answer->body_len = len - first;
	answer->status = range ? 206 : 200;
	char *out = headers[turn++ % 8];
	snprintf(out, 96, "Content-Range: bytes %zu-%zu/%zu\n", first, len - 1, len);
	answer->headers = range ? out : NULL;
}

Test(blob_reader, a_broken_download_goes_on_where_it_broke)
{
	static const fake_fault faults[] = {FAKE_RESET, FAKE_TRUNCATE};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(faults); i++) {
		rig r;
		ociw_error *err = NULL;
		ociw_descriptor *desc = make(2000000);
		fake_rule rules[] = {{.match = "GET /v2/a/b/blobs/",
		                      .answer = {.fault = faults[i], .at = 500000},
		                      .times = 1,
		                      .handler = ranged},
		                     {.match = "GET /v2/a/b/blobs/",
		                      .answer = {.status = 200},
		                      .handler = ranged}};
		rig_open(&r, rules, 2);
		rig_ok(read_blob(&r, desc, &err), &err);
		cr_assert_eq(fake_count(r.fake), 2);
		size_t first = strtoul(fake_header(fake_at(r.fake, 1), "Range") + 6, NULL, 10);
		cr_assert(first > 0 && first <= 500000, "%zu", first);
		cr_assert_eq(r.retries, 1);
		cr_assert_not_null(strstr(r.retry, "; trying again in "), "%s", r.retry);
		ociw_descriptor_free(desc);
		rig_close(&r);
	}
}

Test(blob_reader, a_stall_is_a_break)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = make(100000);
	fake_rule rules[] = {
	        {.match = "GET /v2/a/b/blobs/",
	         .answer = {.fault = FAKE_STALL, .at = 50000},
	         .times = 1,
	         .handler = ranged},
	        {.match = "GET /v2/a/b/blobs/", .answer = {.status = 200}, .handler = ranged}};
	rig_open(&r, rules, 2);
	ociw_client_set_timeouts(r.client, 1000, 1000, 1000);
	rig_ok(read_blob(&r, desc, &err), &err);
	cr_assert_eq(fake_count(r.fake), 2);
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(blob_reader, a_server_without_ranges_is_read_past_what_is_there)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = make(300000);
	fake_rule rules[] = {{.match = "GET /v2/a/b/blobs/",
	                      .answer = {.status = 200,
	                                 .body = data,
	                                 .body_len = 300000,
	                                 .fault = FAKE_RESET,
	                                 .at = 100000},
	                      .times = 1},
	                     {.match = "GET /v2/a/b/blobs/",
	                      .answer = {.status = 200, .body = data, .body_len = 300000}}};
	rig_open(&r, rules, 2);
	rig_ok(read_blob(&r, desc, &err), &err);
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(blob_reader, a_refused_range_begins_at_the_start)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = make(300000);
	fake_rule rules[] = {{.match = "GET /v2/a/b/blobs/",
	                      .answer = {.status = 200,
	                                 .body = data,
	                                 .body_len = 300000,
	                                 .fault = FAKE_RESET,
	                                 .at = 100000},
	                      .times = 1},
	                     {.match = "GET /v2/a/b/blobs/", .answer = {.status = 416}, .times = 1},
	                     {.match = "GET /v2/a/b/blobs/",
	                      .answer = {.status = 200, .body = data, .body_len = 300000}}};
	rig_open(&r, rules, 3);
	rig_ok(read_blob(&r, desc, &err), &err);
	cr_assert_eq(fake_count(r.fake), 3);
	cr_assert_null(fake_header(fake_at(r.fake, 2), "Range"));
	ociw_descriptor_free(desc);
	rig_close(&r);
}

static const struct {
	const char *headers, *text;
} odd[] = {
        {NULL, "without one proper Content-Range"},
        {"Content-Range: bytes 5-299999/300000\n", "got Content-Range \"bytes 5-299999/300000\""},
        {"Content-Range: bytes 100000-299999/300001\n", "asked for bytes from"},
        {"Content-Range: bytes x-y/z\n", "without one proper Content-Range"},
        {"Content-Range: bytes 9-5/300000\n", "without one proper Content-Range"},
        {"Content-Range: bytes 100000-299999/300000\nContent-Range: bytes 1-2/3\n",
         "without one proper Content-Range"},
};

Test(blob_reader, a_range_that_was_not_asked_for_is_refused)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(odd); i++) {
		rig r;
		ociw_error *err = NULL;
		ociw_reader *reader = NULL;
		ociw_descriptor *desc = make(300000);
		fake_rule rule = {.match = "GET /v2/a/b/blobs/",
		                  .answer = {.status = 206,
		                             .headers = odd[i].headers,
		                             .body = data,
		                             .body_len = 200000}};
		rig_open(&r, &rule, 1);
		rig_expect(ociwp_blob_reader_open(r.repo, desc, 100000, &r.op, &reader, &err),
		           OCIW_ERR_REGISTRY, &err, odd[i].text);
		ociw_descriptor_free(desc);
		rig_close(&r);
	}
}

Test(blob_reader, an_unknown_total_is_fine)
{
	rig r;
	ociw_error *err = NULL;
	ociw_reader *reader = NULL;
	char back[16];
	ociw_descriptor *desc = make(10);
	rig_open(&r, RULES({.match = "GET /v2/a/b/blobs/",
	                    .answer = {.status = 206,
	                               .headers = "Content-Range: bytes 4-9/*\n",
	                               .body = data + 4,
	                               .body_len = 6}}));
	rig_ok(ociwp_blob_reader_open(r.repo, desc, 4, &r.op, &reader, &err), &err);
	cr_assert_eq(ociwp_read_full(reader, back, sizeof(back), &err), 6);
	cr_assert_eq(memcmp(back, data + 4, 6), 0);
	cr_assert_eq(ociw_reader_close(reader, NULL), 0);
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(blob_reader, opening_at_the_end_asks_nobody)
{
	rig r;
	ociw_error *err = NULL;
	ociw_reader *reader = NULL;
	char back[4];
	ociw_descriptor *desc = make(10);
	rig_open(&r, NULL, 0);
	rig_ok(ociwp_blob_reader_open(r.repo, desc, 10, &r.op, &reader, &err), &err);
	cr_assert_eq(ociw_reader_read(reader, back, sizeof(back), &err), 0);
	cr_assert_eq(ociw_reader_close(reader, NULL), 0);
	cr_assert_eq(fake_count(r.fake), 0);
	cr_assert_eq(ociwp_blob_reader_open(r.repo, desc, 11, &r.op, &reader, &err),
	             OCIW_ERR_INVALID);
	ociw_error_free(err);
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(blob_reader, wrong_bytes_are_an_integrity_error)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = make(1000);
	static char wrong[1000];
	rig_open(&r, RULES({.match = "GET /v2/a/b/blobs/",
	                    .answer = {.status = 200, .body = wrong, .body_len = 1000}}));
	rig_expect(read_blob(&r, desc, &err), OCIW_ERR_DIGEST, &err, "expected sha256:");
	cr_assert_eq(fake_count(r.fake), 1);
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(blob_reader, more_bytes_than_promised_are_an_integrity_error)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = make(1000);
	rig_open(&r, RULES({.match = "GET /v2/a/b/blobs/",
	                    .answer = {.status = 200, .body = data, .body_len = 2000}}));
	int code = read_blob(&r, desc, &err);
	cr_assert_eq(code, OCIW_ERR_SIZE, "%d", code);
	ociw_error_free(err);
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(blob_reader, a_body_that_ends_early_each_time_is_given_up)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = make(1000);
	rig_open(&r, RULES({.match = "GET /v2/a/b/blobs/",
	                    .answer = {.status = 200, .body = data, .body_len = 500}}));
	rig_expect(read_blob(&r, desc, &err), OCIW_ERR_SIZE, &err, "after 500 of 1000 bytes");
	cr_assert_leq(fake_count(r.fake), 4);
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(blob_reader, a_blob_that_is_gone_midway_is_an_error)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = make(200000);
	fake_rule rules[] = {{.match = "GET /v2/a/b/blobs/",
	                      .answer = {.fault = FAKE_RESET, .at = 100000},
	                      .times = 1,
	                      .handler = ranged}};
	rig_open(&r, rules, 1);
	rig_expect(read_blob(&r, desc, &err), OCIW_ERR_NOTFOUND, &err, "answer 404");
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(blob_reader, a_token_that_expired_midway_is_renewed)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = make(200000);
	fake_rule rules[] = {
	        {.match = "GET /token", .answer = {.status = 200, .body = "{\"token\":\"new\"}"}},
	        {.match = "GET /v2/a/b/blobs/",
	         .answer = {.fault = FAKE_RESET, .at = 100000},
	         .times = 1,
	         .handler = ranged},
	        {.match = "GET /v2/a/b/blobs/",
	         .answer = {.status = 401,
	                    .headers = "WWW-Authenticate: Bearer realm=\"http://{self}/token\"\n"},
	         .times = 1},
	        {.match = "GET /v2/a/b/blobs/", .answer = {.status = 200}, .handler = ranged}};
	rig_open(&r, rules, 4);
	rig_ok(read_blob(&r, desc, &err), &err);
	cr_assert_str_eq(fake_header(rig_request(&r, "GET /v2/a/b/blobs/", 2), "Authorization"),
	                 "Bearer new");
	cr_assert_not_null(fake_header(rig_request(&r, "GET /v2/a/b/blobs/", 2), "Range"));
	ociw_descriptor_free(desc);
	rig_close(&r);
}

Test(blob_reader, storage_on_another_origin_is_asked_through_the_registry_each_time)
{
	rig r;
	ociw_error *err = NULL;
	ociw_descriptor *desc = make(200000);
	fake_rule storage_rules[] = {
	        {.match = "GET /s?sig=1",
	         .answer = {.fault = FAKE_RESET, .at = 100000},
	         .times = 1,
	         .handler = ranged},
	        {.match = "GET /s?sig=2", .answer = {.status = 200}, .handler = ranged}};
	fake_registry *storage = fake_start(storage_rules, 2);
	fake_rule rules[] = {
	        {.match = "GET /v2/a/b/blobs/",
	         .answer = {.status = 307, .headers = "Location: http://{other}/s?sig=1\n"},
	         .times = 1},
	        {.match = "GET /v2/a/b/blobs/",
	         .answer = {.status = 307, .headers = "Location: http://{other}/s?sig=2\n"}}};
	rig_open(&r, rules, 2);
	fake_set_other(r.fake, fake_address(storage));
	rig_ok(read_blob(&r, desc, &err), &err);
	cr_assert_eq(fake_matching(storage, "GET /s?sig=2"), 1);
	cr_assert_not_null(fake_header(fake_at(storage, 1), "Range"));
	fake_stop(storage);
	ociw_descriptor_free(desc);
	rig_close(&r);
}
