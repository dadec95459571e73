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
