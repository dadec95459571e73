/* SPDX-License-Identifier: Apache-2.0
 *
 * Tag lists and the catalog (TAG-1..4).
 */
#include "rig.h"

typedef struct names {
	char text[256];
	int stop_after;
} names;

static int collect(const char *name, const ociw_descriptor *desc, void *user_data)
{
	names *n = user_data;
	cr_assert_null(desc);
	strcat(n->text, name);
	strcat(n->text, " ");
	return n->stop_after && --n->stop_after == 0 ? 5 : 0;
}

#define LIST "GET /v2/a/b/tags/list"

Test(tags, all_pages_come_in_the_servers_order)
{
	rig r;
	ociw_error *err = NULL;
	names n = {0};
	rig_open(&r, RULES({.match = LIST "$",
	                    .answer = {.status = 200,
	                               .headers = "Link: </v2/a/b/tags/list?last=a>;rel=next\n",
	                               .body = "{\"name\":\"a/b\",\"tags\":[\"z\",\"a\"]}"}},
	                   {.match = LIST "?last=a$",
	                    .answer = {.status = 200, .body = "{\"tags\":[\"m\"]}"}}));
	rig_ok(ociw_content_list(r.content, &r.op, collect, &n, &err), &err);
	cr_assert_str_eq(n.text, "z a m ");
	rig_close(&r);
}

Test(tags, no_tags_may_be_null_or_absent)
{
	static const char *const bodies[] = {"{\"tags\":null}", "{\"name\":\"x\"}",
	                                     "{\"tags\":[]}"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(bodies); i++) {
		rig r;
		ociw_error *err = NULL;
		names n = {0};
		fake_rule rule = {.match = LIST, .answer = {.status = 200, .body = bodies[i]}};
		rig_open(&r, &rule, 1);
		rig_ok(ociw_content_list(r.content, &r.op, collect, &n, &err), &err);
		cr_assert_str_eq(n.text, "");
		rig_close(&r);
	}
}

Test(tags, options_become_parameters)
{
	rig r;
	ociw_error *err = NULL;
	names n = {0};
	rig_open(&r,
	         RULES({.match = LIST "?n=100&last=v1.0$",
	                .answer = {.status = 200,
	                           .body = "{\"tags\":[\"v2\",\"sha256-"
	                                   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	                                   "aaaaaaaaa.sig\",\"bad tag\\u001b\",\"v3\"]}"}}));
	ociw_tags_options options = OCIW_TAGS_OPTIONS_INIT;
	options.op = &r.op;
	options.page_size = 100;
	options.last = "v1.0";
	options.hide_digest_tags = 1;
	rig_ok(ociw_repository_tags(r.content, &options, collect, &n, &err), &err);
	cr_assert_str_eq(n.text, "v2 v3 ");
	rig_close(&r);
}

Test(tags, the_callback_can_stop)
{
	rig r;
	ociw_error *err = NULL;
	names n = {.stop_after = 2};
	rig_open(&r, RULES({.match = LIST,
	                    .answer = {.status = 200, .body = "{\"tags\":[\"a\",\"b\",\"c\"]}"}}));
	cr_assert_eq(ociw_content_list(r.content, &r.op, collect, &n, &err), 5);
	cr_assert_str_eq(n.text, "a b ");
	rig_close(&r);
}

Test(tags, tags_of_other_types_are_refused)
{
	rig r;
	ociw_error *err = NULL;
	names n = {0};
	rig_open(&r,
	         RULES({.match = LIST, .answer = {.status = 200, .body = "{\"tags\":[\"a\",1]}"}}));
	rig_expect(ociw_content_list(r.content, &r.op, collect, &n, &err), OCIW_ERR_FORMAT, &err,
	           "tags[1] is no string");
	rig_close(&r);
}

static const struct {
	const char *tag;
	bool digest;
} forms[] = {
        {"sha256-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", true},
        {"sha256-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.sig", true},
        {"sha512-0123456789abcdef0123456789abcdef", true},
        {"sha256-abc", false},
        {"v1-0", false},
        {"latest", false},
        {"-0123456789abcdef0123456789abcdef", false},
        {"sha256-0123456789abcdef0123456789abcdefx", false},
};

Test(tags, digest_tags_are_known)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(forms); i++)
		cr_assert_eq(ociwp_tag_is_digest(forms[i].tag), forms[i].digest, "%s",
		             forms[i].tag);
}

Test(tags, a_catalog_is_a_list_too)
{
	rig r;
	ociw_error *err = NULL;
	names n = {0};
	rig_open(&r,
	         RULES({.match = "GET /token?service=s&scope=registry:catalog:%2A&",
	                .answer = {.status = 200, .body = "{\"token\":\"t\"}"}},
	               {.match = "GET /v2/_catalog",
	                .answer = {.status = 401,
	                           .headers = "WWW-Authenticate: Bearer "
	                                      "realm=\"http://{self}/token\",service=\"s\"\n"},
	                .times = 1},
	               {.match = "GET /v2/_catalog$",
	                .answer = {.status = 200, .body = "{\"repositories\":[\"a/b\",\"c\"]}"}}));
	rig_ok(ociw_client_catalog(r.client, fake_address(r.fake), NULL, collect, &n, &err), &err);
	cr_assert_str_eq(n.text, "a/b c ");
	rig_close(&r);
}

Test(tags, a_layout_has_no_tags_of_a_registry)
{
	ociw_error *err = NULL;
	ociw_content *content = NULL;
	names n = {0};
	char dir[] = "/tmp/ociw-tags-XXXXXX";
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(ociw_layout_open(dir, OCIW_LAYOUT_WRITE | OCIW_LAYOUT_CREATE, &content, NULL),
	             0);
	rig_expect(ociw_repository_tags(content, NULL, collect, &n, &err), OCIW_ERR_INVALID, &err,
	           "no repository of a registry");
	ociw_content_free(content);
	remove(dir);
}
