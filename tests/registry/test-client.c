/* SPDX-License-Identifier: Apache-2.0
 *
 * The client object: settings, hosts, and their names (TLS-1, TLS-2, HTTP-2, REF-5).
 */
#include "rig.h"

Test(client, settings_are_checked)
{
	ociw_client *client = NULL;
	ociw_error *err = NULL;
	cr_assert_eq(ociw_client_new(&client, NULL), 0);
	rig_expect(ociw_client_set_user_agent(client, "", &err), OCIW_ERR_INVALID, &err,
	           "must not be empty");
	rig_expect(ociw_client_set_user_agent(client, "a\r\nb", &err), OCIW_ERR_INVALID, &err,
	           "control byte");
	rig_expect(ociw_client_set_certificate(client, "c", NULL, &err), OCIW_ERR_INVALID, &err,
	           "both");
	cr_assert_eq(ociw_client_set_certificate(client, NULL, NULL, NULL), 0);
	cr_assert_eq(ociw_client_set_user_agent(client, "mine/1", NULL), 0);
	ociw_client_free(client);
	ociw_client_free(NULL);
}

Test(client, the_user_agent_names_program_and_version)
{
	rig r;
	ociw_error *err = NULL;
	char want[64];
	rig_open(&r, RULES({.match = "GET /v2/$", .answer = {.status = 200}}));
	rig_ok(ociw_client_ping(r.client, fake_address(r.fake), &r.op, &err), &err);
	snprintf(want, sizeof(want), "oci-wasm/%s", ociw_version());
	cr_assert_str_eq(fake_header(fake_at(r.fake, 0), "User-Agent"), want);
	rig_close(&r);
}

static const struct {
	const char *authority;
	ociwp_scheme scheme;
	bool loopback;
} rows[] = {
        {"ghcr.io", OCIWP_SCHEME_HTTPS, false},
        {"localhost:5000", OCIWP_SCHEME_UNKNOWN, true},
        {"127.0.0.2:80", OCIWP_SCHEME_UNKNOWN, true},
        {"[::1]:5000", OCIWP_SCHEME_UNKNOWN, true},
        {"10.0.0.1:5000", OCIWP_SCHEME_HTTPS, false},
        {"registry.local", OCIWP_SCHEME_HTTPS, false},
};

Test(client, only_loopback_may_be_spoken_to_plainly_without_being_told)
{
	ociw_client *client = NULL;
	cr_assert_eq(ociw_client_new(&client, NULL), 0);
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		ociwp_host *host = NULL;
		cr_assert_eq(ociwp_client_host(client, rows[i].authority, NULL, &host, NULL), 0);
		cr_assert_eq(host->scheme, rows[i].scheme, "%s", rows[i].authority);
		cr_assert_eq(host->loopback, rows[i].loopback, "%s", rows[i].authority);
	}
	ociw_client_free(client);
}

Test(client, a_host_has_one_record)
{
	ociw_client *client = NULL;
	ociwp_host *a = NULL, *b = NULL;
	cr_assert_eq(ociw_client_new(&client, NULL), 0);
	cr_assert_eq(ociwp_client_find_host(client, "docker.io", &a, NULL), 0);
	cr_assert_eq(ociwp_client_find_host(client, "index.docker.io", &b, NULL), 0);
	cr_assert_eq(a, b);
	cr_assert_str_eq(a->name, "docker.io");
	cr_assert_str_eq(a->authority, "registry-1.docker.io");
	ociw_client_free(client);
}

Test(client, one_host_can_be_told_apart)
{
	ociw_client *client = NULL;
	ociwp_host *host = NULL;
	cr_assert_eq(ociw_client_new(&client, NULL), 0);
	cr_assert_eq(ociw_client_set_host(client, "a.io", OCIW_HOST_PLAIN_HTTP, NULL), 0);
	cr_assert_eq(ociwp_client_find_host(client, "a.io", &host, NULL), 0);
	cr_assert_eq(host->scheme, OCIWP_SCHEME_HTTP);
	cr_assert_eq(ociw_client_set_host(client, "a.io", OCIW_HOST_INSECURE, NULL), 0);
	cr_assert_eq(host->scheme, OCIWP_SCHEME_HTTPS);
	cr_assert(host->insecure);
	ociw_client_free(client);
}

Test(client, what_is_no_host_is_refused)
{
	static const char *const names[] = {"",      "a", "a.io/x", "a.io:99999", "https://a.io",
	                                    "a b.io"};
	ociw_client *client = NULL;
	cr_assert_eq(ociw_client_new(&client, NULL), 0);
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(names); i++)
		cr_assert_eq(ociw_client_set_host(client, names[i], 0, NULL), OCIW_ERR_INVALID,
		             "%s", names[i]);
	ociw_client_free(client);
}
