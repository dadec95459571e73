/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of any web server (HTTP-3..7): no credentials, capped, redirects judged.
 */
#include "rig.h"

static char got[256];
static size_t got_len;

static int take(void *self, const void *buf, size_t len, ociw_error **err)
{
	(void)self;
	(void)err;
	cr_assert_leq(got_len + len, sizeof(got));
	memcpy(got + got_len, buf, len);
	got_len += len;
	return 0;
}

static int nothing_to_commit(void *self, ociw_error **err)
{
	(void)self;
	(void)err;
	return 0;
}

static void nothing_to_abort(void *self)
{
	(void)self;
}

static const ociw_writer_ops ops = {sizeof(ops), take, nothing_to_commit, nothing_to_abort};

static int get(rig *r, const char *path, ociw_error **err)
{
	ociw_writer *writer = NULL;
	char url[128];
	snprintf(url, sizeof(url), "http://%s%s", fake_address(r->fake), path);
	cr_assert_eq(ociw_writer_new(&ops, NULL, &writer, NULL), 0);
	int code = ociw_client_get(r->client, url, &r->op, writer, err);
	ociw_writer_abort(writer);
	return code;
}

Test(get, the_bytes_arrive)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "GET /x.wasm", .answer = {.status = 200, .body = "hello"}}));
	rig_ok(get(&r, "/x.wasm", &err), &err);
	cr_assert_eq(got_len, 5);
	cr_assert_eq(memcmp(got, "hello", 5), 0);
	rig_close(&r);
}

Test(get, credentials_are_never_asked_for_and_never_sent)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "GET /x",
	                    .answer = {.status = 401,
	                               .headers = "WWW-Authenticate: Basic realm=\"x\"\n"}}));
	r.give = (ociw_credential){.size = sizeof(r.give), .username = "u", .password = "p"};
	rig_expect(get(&r, "/x", &err), OCIW_ERR_AUTH, &err, "answer 401");
	cr_assert_eq(r.asked, 0);
	rig_close(&r);
}

Test(get, a_missing_file_is_not_found)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, NULL, 0);
	rig_expect(get(&r, "/x", &err), OCIW_ERR_NOTFOUND, &err, "/x: answer 404");
	cr_assert_eq(got_len, 0);
	rig_close(&r);
}

Test(get, too_many_bytes_are_refused)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "GET /x", .answer = {.status = 200, .body = "hello"}}));
	r.limits.max_blob_bytes = 4;
	rig_expect(get(&r, "/x", &err), OCIW_ERR_LIMIT, &err, "more than 4 bytes");
	rig_close(&r);
}

Test(get, redirects_are_followed)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r,
	         RULES({.match = "GET /x", .answer = {.status = 302, .headers = "Location: /y\n"}},
	               {.match = "GET /y", .answer = {.status = 200, .body = "there"}}));
	rig_ok(get(&r, "/x", &err), &err);
	cr_assert_eq(got_len, 5);
	rig_close(&r);
}

Test(get, other_schemes_are_refused)
{
	rig r;
	ociw_error *err = NULL;
	ociw_writer *writer = NULL;
	rig_open(&r, NULL, 0);
	cr_assert_eq(ociw_writer_new(&ops, NULL, &writer, NULL), 0);
	int code = ociw_client_get(r.client, "file:///etc/passwd", &r.op, writer, &err);
	ociw_writer_abort(writer);
	rig_expect(code, OCIW_ERR_UNSAFE, &err, "file");
	rig_close(&r);
}

#define FILE_TEXT "hello, world"
#define ETAG "ETag: \"1\"\n"

/* What comes after a body that broke off at byte 5, and what is made of it (RET-5). */
static const struct {
	const char *etag; /* of the first answer */
	fake_answer second;
	int code;
	const char *message;
	unsigned requests;
} breaks[] = {
        {ETAG,
         {.status = 206, .headers = ETAG "Content-Range: bytes 5-11/12\n", .body = ", world"},
         0,
         NULL,
         2},
        {ETAG, {.status = 206, .headers = "Content-Range: bytes 5-11/12\n", .body = ", world"}, 0,
         NULL, 2},
        {ETAG, {.status = 200, .headers = ETAG, .body = FILE_TEXT}, 0, NULL, 2},
        {ETAG, {.status = 200, .headers = "ETag: \"2\"\n", .body = "other bytes."},
         OCIW_ERR_NETWORK, "the file changed", 2},
        {ETAG, {.status = 200, .body = FILE_TEXT}, OCIW_ERR_NETWORK, "the file changed", 2},
        {ETAG, {.status = 206, .headers = "Content-Range: bytes 4-11/12\n", .body = "o, world"},
         OCIW_ERR_REGISTRY, "without the Content-Range", 2},
        {ETAG, {.status = 206, .headers = ETAG, .body = ", world"}, OCIW_ERR_REGISTRY,
         "without the Content-Range", 2},
        {ETAG, {.status = 404}, OCIW_ERR_NOTFOUND, "answer 404", 2},
        {"ETag: W/\"1\"\n", {.status = 200, .body = FILE_TEXT}, OCIW_ERR_NETWORK, "GET http", 1},
        {"", {.status = 200, .body = FILE_TEXT}, OCIW_ERR_NETWORK, "GET http", 1},
};

Test(get, a_file_that_breaks_off_goes_on_when_it_is_known_to_be_the_same)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(breaks); i++) {
		rig r;
		ociw_error *err = NULL;
		fake_rule rules[] = {{.match = "GET /x",
		                      .answer = {.status = 200,
		                                 .headers = breaks[i].etag,
		                                 .body = FILE_TEXT,
		                                 .fault = FAKE_TRUNCATE,
		                                 .at = 5},
		                      .times = 1},
		                     {.match = "GET /x", .answer = breaks[i].second}};
		rig_open(&r, rules, 2);
		got_len = 0;
		int code = get(&r, "/x", &err);
		cr_assert_eq(fake_count(r.fake), breaks[i].requests, "row %zu", i);
		if (breaks[i].code == 0) {
			rig_ok(code, &err);
			cr_assert_eq(got_len, strlen(FILE_TEXT), "row %zu", i);
			cr_assert_eq(memcmp(got, FILE_TEXT, got_len), 0, "row %zu", i);
		} else {
			rig_expect(code, breaks[i].code, &err, breaks[i].message);
		}
		if (breaks[i].requests == 2) {
			const fake_request *second = fake_at(r.fake, 1);
			cr_assert_str_eq(fake_header(second, "Range"), "bytes=5-");
			cr_assert_str_eq(fake_header(second, "If-Range"), "\"1\"");
		}
		rig_close(&r);
	}
}

Test(get, a_file_of_which_nothing_came_is_asked_for_again)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "GET /x",
	                    .answer = {.status = 200, .body = FILE_TEXT, .fault = FAKE_TRUNCATE},
	                    .times = 1},
	                   {.match = "GET /x", .answer = {.status = 200, .body = FILE_TEXT}}));
	rig_ok(get(&r, "/x", &err), &err);
	cr_assert_eq(got_len, strlen(FILE_TEXT));
	cr_assert_null(fake_header(fake_at(r.fake, 1), "Range"));
	rig_close(&r);
}
