/* SPDX-License-Identifier: Apache-2.0
 *
 * The ping behind login (HTTP-1, CRD-8).
 */
#include "rig.h"

static int ping(rig *r, ociw_error **err)
{
	return ociw_client_ping(r->client, fake_address(r->fake), &r->op, err);
}

Test(ping, a_registry_without_its_old_header_is_fine)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, RULES({.match = "GET /v2/$", .answer = {.status = 200, .body = "{}"}}));
	rig_ok(ping(&r, &err), &err);
	rig_close(&r);
}

Test(ping, a_web_server_is_no_registry)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, NULL, 0);
	rig_expect(ping(&r, &err), OCIW_ERR_NOTFOUND, &err, "is no registry");
	rig_close(&r);
}

Test(ping, credentials_are_tried)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r,
	         RULES({.match = "GET /token", .answer = {.status = 401}},
	               {.match = "GET /v2/$",
	                .answer = {.status = 401,
	                           .headers = "WWW-Authenticate: Bearer "
	                                      "realm=\"http://{self}/token\",service=\"s\"\n"}}));
	r.give = (ociw_credential){
	        .size = sizeof(r.give), .username = "u", .password = "p", .source = "the test"};
	rig_expect(ping(&r, &err), OCIW_ERR_AUTH, &err, "refused the credentials from the test");
	/* No scope is asked for. */
	cr_assert_null(strstr(rig_request(&r, "GET /token", 0)->target, "scope"));
	rig_close(&r);
}

Test(ping, a_name_that_is_no_host_is_refused)
{
	rig r;
	ociw_error *err = NULL;
	rig_open(&r, NULL, 0);
	int code = ociw_client_ping(r.client, "nohost", &r.op, &err);
	cr_assert_eq(code, OCIW_ERR_INVALID);
	ociw_error_free(err);
	rig_close(&r);
}
