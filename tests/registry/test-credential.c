/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking credentials over from the program's callback (AUT-13).
 */
#include "registry/credential.h"
#include "registry/request.h"
#include "rig.h"

Test(credential, basic_is_base64_of_name_and_password)
{
	const struct {
		char *user, *password;
		const char *out;
	} rows[] = {
	        {(char[]){"foo"}, (char[]){"bar"}, "Basic Zm9vOmJhcg=="},
	        {(char[]){"u"}, (char[]){""}, "Basic dTo="},
	        {(char[]){"a"}, (char[]){"b:c"}, "Basic YTpiOmM="},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		ociwp_credential c = {.username = rows[i].user, .password = rows[i].password};
		char *basic = ociwp_credential_basic(&c);
		cr_assert_str_eq(basic, rows[i].out);
		ociwp_secret_free(basic);
	}
}

Test(credential, an_answer_is_copied_and_empty_text_counts_as_none)
{
	rig r;
	ociwp_credential got = {0};
	rig_open(&r, NULL, 0);
	r.give = (ociw_credential){.size = sizeof(r.give),
	                           .username = "u",
	                           .password = "p",
	                           .identity_token = "",
	                           .source = "here"};
	cr_assert_eq(ociwp_credential_ask(r.repo->host, "a/b", false, &got, NULL), 1);
	cr_assert_str_eq(got.username, "u");
	cr_assert_str_eq(got.source, "here");
	cr_assert_null(got.identity_token);
	ociwp_credential_deinit(&got);
	r.give.source = NULL;
	cr_assert_eq(ociwp_credential_ask(r.repo->host, "a/b", false, &got, NULL), 1);
	cr_assert_str_eq(got.source, "the program");
	ociwp_credential_deinit(&got);
	r.give = (ociw_credential){.size = sizeof(r.give), .username = "only a name"};
	cr_assert_eq(ociwp_credential_ask(r.repo->host, "a/b", false, &got, NULL), 0);
	ociwp_credential_deinit(&got);
	rig_close(&r);
}

static int tell_repository(const char *host, bool rejected, ociw_credential_request *request,
                           void *user_data, ociw_error **err)
{
	(void)host;
	(void)rejected;
	(void)err;
	snprintf(user_data, 16, "%s", ociw_credential_request_repository(request));
	return 0;
}

Test(credential, the_callback_learns_the_repository)
{
	rig r;
	char seen[16] = "";
	ociwp_credential got = {0};
	rig_open(&r, NULL, 0);
	ociw_client_set_credentials(r.client, tell_repository, seen);
	cr_assert_eq(ociwp_credential_ask(r.repo->host, "a/b", false, &got, NULL), 0);
	cr_assert_str_eq(seen, "a/b");
	ociw_client_set_credentials(r.client, NULL, NULL);
	cr_assert_eq(ociwp_credential_ask(r.repo->host, "a/b", false, &got, NULL), 0);
	rig_close(&r);
}
