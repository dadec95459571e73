/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages joined by Link headers, and servers that never end (TAG-1, TAG-2).
 */
#include "registry/paging.h"
#include "rig.h"

static int count_page(const json_t *page, void *user_data, ociw_error **err)
{
	(void)page;
	(void)err;
	++*(int *)user_data;
	return 0;
}

static int read_pages(rig *r, const char *url, int *count, ociw_error **err)
{
	ociwp_pages pages = {.url = url, .what = "list", .scopes = &r->repo->pull};
	*count = 0;
	return ociwp_pages_read(r->repo->host, &pages, &r->op, count_page, count, err);
}

Test(paging, pages_are_read_until_there_is_no_next)
{
	rig r;
	ociw_error *err = NULL;
	int count;
	rig_open(
	        &r,
	        RULES({.match = "GET /p1$",
	               .answer = {.status = 200,
	                          .headers = "Link: </p2?last=a%2Fb>; rel=\"next\"\n",
	                          .body = "{}"}},
	              {.match = "GET /p2?last=a%2Fb$",
	               .answer =
	                       {.status = 200,
	                        .headers =
	                                "Link: <x>; rel=prev\nLink: <http://{self}/p3>; rel=next\n",
	                        .body = "{}"}},
	              {.match = "GET /p3$", .answer = {.status = 200, .body = "{}"}}));
	rig_ok(read_pages(&r, "/p1", &count, &err), &err);
	cr_assert_eq(count, 3);
	rig_close(&r);
}

static const struct {
	const char *headers, *body;
	int code;
	const char *text;
} rows[] = {
        {"Link: <http://192.0.2.1/p>; rel=next\n", "{}", OCIW_ERR_UNSAFE,
         "the next page is on another host"},
        {"Link: <ftp://x/p>; rel=next\n", "{}", OCIW_ERR_UNSAFE, "Link"},
        {"", "[]", OCIW_ERR_FORMAT, "the list is no object"},
        {"", "x", OCIW_ERR_FORMAT, "list"},
        {"Link: </p1>; rel=next\n", "{}", OCIW_ERR_REGISTRY, "goes in circles"},
};

Test(paging, bad_pages_are_refused)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		rig r;
		ociw_error *err = NULL;
		int count;
		fake_rule rule = {.match = "GET /p1",
		                  .answer = {.status = 200,
		                             .headers = rows[i].headers,
		                             .body = rows[i].body}};
		rig_open(&r, &rule, 1);
		int code = read_pages(&r, "/p1", &count, &err);
		if (code == 0)
			code = read_pages(&r, "/p1", &count, &err);
		rig_expect(code, rows[i].code, &err, rows[i].text);
		rig_close(&r);
	}
}

static void next_number(const fake_request *request, fake_answer *answer, void *user_data)
{
	static char headers[64];
	(void)user_data;
	snprintf(headers, sizeof(headers), "Link: </p%ld>; rel=next\n",
	         strtol(request->target + 2, NULL, 10) + 1);
	answer->headers = headers;
}

static int stop_at_500(const json_t *page, void *user_data, ociw_error **err)
{
	(void)page;
	(void)err;
	return ++*(int *)user_data == 500 ? 7 : 0;
}

Test(paging, a_callback_can_stop_endless_pages)
{
	rig r;
	ociw_error *err = NULL;
	int count = 0;
	fake_rule rule = {
	        .match = "GET /p", .answer = {.status = 200, .body = "{}"}, .handler = next_number};
	rig_open(&r, &rule, 1);
	ociwp_pages pages = {.url = "/p0", .what = "list"};
	cr_assert_eq(ociwp_pages_read(r.repo->host, &pages, &r.op, stop_at_500, &count, &err), 7);
	cr_assert_eq(fake_count(r.fake), 500);
	cr_assert_eq(fake_at(r.fake, 499)->connection, 1); /* kept alive throughout */
	rig_close(&r);
}

Test(paging, pages_without_end_end_TAG_2)
{
	rig r;
	ociw_error *err = NULL;
	int count = 0;
	fake_rule rule = {
	        .match = "GET /p", .answer = {.status = 200, .body = "{}"}, .handler = next_number};
	rig_open(&r, &rule, 1);
	int code = read_pages(&r, "/p0", &count, &err);
	rig_expect(code, OCIW_ERR_LIMIT, &err, "more than 10000 pages");
	cr_assert_eq(fake_count(r.fake), 10000);
	rig_close(&r);
}

/* The pages before it were passed on already: the callback must not see them twice (RET-1). */
Test(paging, a_page_that_breaks_off_is_asked_for_again)
{
	rig r;
	ociw_error *err = NULL;
	int count;
	rig_open(&r, RULES({.match = "GET /p1$",
	                    .answer = {.status = 200,
	                               .headers = "Link: </p2>; rel=next\n",
	                               .body = "{}"}},
	                   {.match = "GET /p2$",
	                    .answer = {.status = 200,
	                               .body = "{\"tags\":[]}",
	                               .fault = FAKE_TRUNCATE,
	                               .at = 4},
	                    .times = 1},
	                   {.match = "GET /p2$", .answer = {.status = 200, .body = "{}"}}));
	rig_ok(read_pages(&r, "/p1", &count, &err), &err);
	cr_assert_eq(count, 2);
	cr_assert_eq(fake_matching(r.fake, "GET /p1"), 1);
	cr_assert_eq(fake_matching(r.fake, "GET /p2"), 2);
	cr_assert_eq(r.retries, 1);
	rig_close(&r);
}
