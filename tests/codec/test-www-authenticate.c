/* SPDX-License-Identifier: Apache-2.0
 *
 * WWW-Authenticate: challenges of real registries (vectors V21, V22 re-expressed) and broken ones.
 */
#include "codec/www-authenticate.h"

#include <criterion/criterion.h>
#include <string.h>

static ociwp_challenges parse(const char *value)
{
	ociwp_challenges all = {0};
	cr_assert_eq(ociwp_challenges_parse(value, strlen(value), &all, NULL), 0);
	return all;
}

static void same(const char *got, const char *want)
{
	if (!want)
		cr_assert_null(got);
	else
		cr_assert_str_eq(got ? got : "(none)", want);
}

typedef struct row {
	const char *value;
	size_t count;
	ociwp_auth_scheme scheme; /* of the picked one */
	const char *realm, *service, *scope;
} row;

static const row rows[] = {
        {"Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
         "scope=\"repository:library/busybox:pull\"",
         1, OCIWP_AUTH_BEARER, "https://auth.docker.io/token", "registry.docker.io",
         "repository:library/busybox:pull"},
        {"Bearer realm=\"https://a.example/token\",service=\"r\",scope=\"repository:b:pull,push\"",
         1, OCIWP_AUTH_BEARER, "https://a.example/token", "r", "repository:b:pull,push"},
        {"bEaReR realm=https://a.example/token,service=r", 1, OCIWP_AUTH_BEARER,
         "https://a.example/token", "r", NULL},
        {"Basic realm=\"Test Registry\"", 1, OCIWP_AUTH_BASIC, "Test Registry", NULL, NULL},
        {"bAsIc realm=\"x\"", 1, OCIWP_AUTH_BASIC, "x", NULL, NULL},
        {"Basic", 1, OCIWP_AUTH_BASIC, NULL, NULL, NULL},
        {"Basic realm=\"x\", Bearer realm=\"https://a/t\"", 2, OCIWP_AUTH_BEARER, "https://a/t",
         NULL, NULL},
        {"Bearer realm=\"https://a/t\", Basic realm=\"x\"", 2, OCIWP_AUTH_BEARER, "https://a/t",
         NULL, NULL},
        {"Bearer service=\"s\", Basic realm=\"x\"", 2, OCIWP_AUTH_BASIC, "x", NULL, NULL},
        {"Negotiate, Basic realm=\"x\"", 2, OCIWP_AUTH_BASIC, "x", NULL, NULL},
        {"Negotiate YIIabc==, Basic realm=\"x\"", 2, OCIWP_AUTH_BASIC, "x", NULL, NULL},
        {"Bearer  realm = \"https://a/t\" ,\tservice= \"s\"", 1, OCIWP_AUTH_BEARER, "https://a/t",
         "s", NULL},
        {"Bearer realm=\"say \\\"hi\\\"\"", 1, OCIWP_AUTH_BEARER, "say \"hi\"", NULL, NULL},
        {"Bearer realm=\"https://a/t?x=1,2\",scope=\"a:b:c d:e:f\"", 1, OCIWP_AUTH_BEARER,
         "https://a/t?x=1,2", NULL, "a:b:c d:e:f"},
        {"Bearer realm=\"one\",realm=\"two\"", 1, OCIWP_AUTH_BEARER, "one", NULL, NULL},
        {"Bearer realm=\"unfinished", 1, OCIWP_AUTH_BEARER, "unfinished", NULL, NULL},
};

Test(www_authenticate, challenges_of_real_registries_are_read)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ociwp_challenges all = parse(rows[i].value);
		const ociwp_challenge *c = ociwp_challenges_pick(&all);
		cr_assert_eq(all.count, rows[i].count, "%s", rows[i].value);
		cr_assert_not_null(c, "%s", rows[i].value);
		cr_assert_eq(c->scheme, rows[i].scheme, "%s", rows[i].value);
		same(c->realm, rows[i].realm);
		same(c->service, rows[i].service);
		same(c->scope, rows[i].scope);
		ociwp_challenges_deinit(&all);
	}
}

Test(www_authenticate, what_cannot_be_answered_is_not_picked)
{
	static const char *const values[] = {
	        "",       " , ,",        "Digest realm=\"x\", nonce=\"y\"",
	        "NTLM",   "realm=\"x\"", "Bearer",
	        "\"\"\"", "=,=;"};
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		ociwp_challenges all = parse(values[i]);
		cr_assert_null(ociwp_challenges_pick(&all), "%s", values[i]);
		ociwp_challenges_deinit(&all);
	}
}

Test(www_authenticate, several_headers_add_up_to_a_cap)
{
	ociwp_challenges all = {0};
	for (int i = 0; i < 40; i++)
		cr_assert_eq(ociwp_challenges_parse("Negotiate, NTLM", 15, &all, NULL), 0);
	cr_assert_eq(all.count, OCIWP_CHALLENGES_MAX);
	ociwp_challenges_deinit(&all);
}

Test(www_authenticate, the_error_of_a_challenge_is_kept)
{
	ociwp_challenges all = parse("Bearer realm=\"https://a/t\",error=\"insufficient_scope\"");
	cr_assert_str_eq(all.items[0].error, "insufficient_scope");
	ociwp_challenges_deinit(&all);
}
