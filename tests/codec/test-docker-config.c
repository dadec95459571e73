/* SPDX-License-Identifier: Apache-2.0
 *
 * config.json and auth.json (CRD-2..5, CRD-7; vectors V28, V31, V32, V33 re-expressed).
 */
#include <oci-wasm/docker-config.h>

#include "base/str.h"
#include <criterion/criterion.h>
#include <oci-wasm/content.h>

static ociw_docker_config *parse(const char *text)
{
	ociw_docker_config *config = NULL;
	ociw_error *err = NULL;
	int r = ociw_docker_config_parse((ociw_span){text, strlen(text)}, &config, &err);
	cr_assert_eq(r, 0, "%s", err ? ociw_error_message(err) : "");
	return config;
}

static const struct {
	const char *text, *host, *repository;
	int result;
	const char *user, *password, *identity, *registry;
} rows[] = {
        /* foo:bar, padded and not, with NULs at the end */
        {"{\"auths\":{\"a.io\":{\"auth\":\"Zm9vOmJhcg==\"}}}", "a.io", "", 1, "foo", "bar", NULL,
         NULL},
        {"{\"auths\":{\"a.io\":{\"auth\":\"Zm9vOmJhcg\"}}}", "a.io", "", 1, "foo", "bar", NULL,
         NULL},
        {"{\"auths\":{\"a.io\":{\"auth\":\"Zm9vOmJhcgAA\"}}}", "a.io", "", 1, "foo", "bar", NULL,
         NULL},
        /* split at the first colon: user:pa:ss */
        {"{\"auths\":{\"a.io\":{\"auth\":\"dXNlcjpwYTpzcw==\"}}}", "a.io", "", 1, "user", "pa:ss",
         NULL, NULL},
        {"{\"auths\":{\"a.io\":{\"username\":\"u\",\"password\":\"p\"}}}", "a.io", "", 1, "u", "p",
         NULL, NULL},
        {"{\"auths\":{\"a.io\":{\"identitytoken\":\"t\"}}}", "a.io", "", 1, NULL, NULL, "t", NULL},
        {"{\"auths\":{\"a.io\":{\"registrytoken\":\"t\"}}}", "a.io", "", 1, NULL, NULL, NULL, "t"},
        {"{\"auths\":{\"a.io\":{}}}", "a.io", "", 0, NULL, NULL, NULL, NULL},
        {"{\"auths\":{\"b.io\":{\"auth\":\"Zm9vOmJhcg==\"}}}", "a.io", "", 0, NULL, NULL, NULL,
         NULL},
        {"{}", "a.io", "", 0, NULL, NULL, NULL, NULL},
        {"", "a.io", "", 0, NULL, NULL, NULL, NULL},
        /* keys with scheme and path */
        {"{\"auths\":{\"https://a.io/v2/\":{\"auth\":\"Zm9vOmJhcg==\"}}}", "a.io", "", 1, "foo",
         "bar", NULL, NULL},
        {"{\"auths\":{\"http://a.io\":{\"auth\":\"Zm9vOmJhcg==\"}}}", "a.io", "", 1, "foo", "bar",
         NULL, NULL},
        /* Docker Hub by any of its names */
        {"{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"Zm9vOmJhcg==\"}}}", "docker.io",
         "", 1, "foo", "bar", NULL, NULL},
        {"{\"auths\":{\"docker.io\":{\"auth\":\"Zm9vOmJhcg==\"}}}", "docker.io", "", 1, "foo",
         "bar", NULL, NULL},
        /* the port belongs to the host */
        {"{\"auths\":{\"a.io\":{\"auth\":\"Zm9vOmJhcg==\"}}}", "a.io:5000", "", 0, NULL, NULL, NULL,
         NULL},
        /* prefixes, longest first; another repository's entry is not ours */
        {"{\"auths\":{\"a.io\":{\"auth\":\"Zm9vOmJhcg==\"},\"a.io/x\":{\"auth\":\"dTpw\"}}}",
         "a.io", "x/y", 1, "u", "p", NULL, NULL},
        {"{\"auths\":{\"a.io/z\":{\"auth\":\"dTpw\"},\"a.io\":{\"auth\":\"Zm9vOmJhcg==\"}}}",
         "a.io", "x/y", 1, "foo", "bar", NULL, NULL},
        {"{\"auths\":{\"a.io/xy\":{\"auth\":\"dTpw\"}}}", "a.io", "x", 0, NULL, NULL, NULL, NULL},
        {"{\"auths\":{\"a.io\":{\"auth\":\"!!\"}}}", "a.io", "", OCIW_ERR_FORMAT, NULL, NULL, NULL,
         NULL},
        {"{\"auths\":{\"a.io\":{\"auth\":\"Zm9v\"}}}", "a.io", "", OCIW_ERR_FORMAT, NULL, NULL,
         NULL, NULL},
};

Test(docker_config, entries_of_all_forms_are_found)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ociw_docker_config *config = parse(rows[i].text);
		ociw_credential found;
		int r = ociw_docker_config_find(config, rows[i].host, rows[i].repository, &found,
		                                NULL);
		cr_assert_eq(r, rows[i].result, "%s: %d", rows[i].text, r);
		cr_assert(r != 1 || (ociwp_streq(found.username, rows[i].user) &&
		                     ociwp_streq(found.password, rows[i].password) &&
		                     ociwp_streq(found.identity_token, rows[i].identity) &&
		                     ociwp_streq(found.registry_token, rows[i].registry)),
		          "%s", rows[i].text);
		ociw_docker_config_free(config);
	}
}

Test(docker_config, text_that_is_no_object_is_refused)
{
	static const char *const texts[] = {"[]", "{", "{\"a\":1,\"a\":2}", "x"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ociw_docker_config *config = NULL;
		ociw_span span = {texts[i], strlen(texts[i])};
		cr_assert_eq(ociw_docker_config_parse(span, &config, NULL), OCIW_ERR_FORMAT);
	}
}

Test(docker_config, helpers_of_a_host_come_before_the_store)
{
	ociw_docker_config *config =
	        parse("{\"credsStore\":\"pass\",\"credHelpers\":{\"a.io\":\"ecr-login\","
	              "\"https://index.docker.io/v1/\":\"hub\",\"evil.io\":\"../x\"}}");
	bool named = false;
	cr_assert_str_eq(ociw_docker_config_helper(config, "a.io", &named), "ecr-login");
	cr_assert(named);
	cr_assert_str_eq(ociw_docker_config_helper(config, "docker.io", &named), "hub");
	cr_assert_str_eq(ociw_docker_config_helper(config, "b.io", &named), "pass");
	cr_assert_not(named);
	cr_assert_null(ociw_docker_config_helper(config, "evil.io", NULL));
	ociw_docker_config_free(config);
}

Test(docker_config, a_change_keeps_what_it_does_not_know_and_its_order)
{
	ociw_docker_config *config =
	        parse("{\"zzz\":{\"k\":[1]},\"auths\":{\"b.io\":{\"auth\":\"dTpw\","
	              "\"email\":\"x\"}},\"aaa\":true}");
	ociw_credential give = {.size = sizeof(give), .username = "foo", .password = "bar"};
	char *text = NULL;
	cr_assert_eq(ociw_docker_config_set(config, "a.io", &give, NULL), 0);
	cr_assert_eq(ociw_docker_config_format(config, &text, NULL), 0);
	const char *zzz = strstr(text, "zzz"), *auths = strstr(text, "auths"),
	           *aaa = strstr(text, "aaa");
	cr_assert(zzz && auths && aaa && zzz < auths && auths < aaa);
	cr_assert_not_null(strstr(text, "Zm9vOmJhcg=="));
	cr_assert_not_null(strstr(text, "email"));
	cr_assert(ociwp_ends_with(text, "}\n"));
	ociw_free(text);
	cr_assert_eq(ociw_docker_config_remove(config, "a.io"), 1);
	cr_assert_eq(ociw_docker_config_remove(config, "a.io"), 0);
	ociw_docker_config_free(config);
}

Test(docker_config, an_entry_under_another_spelling_is_replaced)
{
	ociw_docker_config *config =
	        parse("{\"auths\":{\"https://a.io/v2/\":{\"auth\":\"dTpw\"}}}");
	ociw_credential give = {.size = sizeof(give), .username = "foo", .password = "bar"};
	char *text = NULL;
	cr_assert_eq(ociw_docker_config_set(config, "a.io", &give, NULL), 0);
	cr_assert_eq(ociw_docker_config_format(config, &text, NULL), 0);
	cr_assert_null(strstr(text, "dTpw"));
	cr_assert_not_null(strstr(text, "https://a.io/v2/"));
	ociw_free(text);
	ociw_docker_config_free(config);
}

Test(docker_config, docker_hub_is_kept_under_its_old_name)
{
	ociw_docker_config *config = parse("{}");
	char *text = NULL;
	cr_assert_eq(ociw_docker_config_set(config, "docker.io", NULL, NULL), 0);
	cr_assert_eq(ociw_docker_config_format(config, &text, NULL), 0);
	cr_assert_not_null(strstr(text, "\"https://index.docker.io/v1/\": {}"));
	ociw_free(text);
	ociw_docker_config_free(config);
	cr_assert_str_eq(ociw_docker_config_server("docker.io"), "https://index.docker.io/v1/");
	cr_assert_str_eq(ociw_docker_config_server("ghcr.io"), "ghcr.io");
}

static int answer(ociw_docker_config *config, const char *text, ociw_credential *out)
{
	return ociw_docker_helper_answer(config, (ociw_span){text, strlen(text)}, out, NULL);
}

Test(docker_config, answers_of_helpers_are_read)
{
	ociw_docker_config *config = parse("{}");
	ociw_credential found;
	cr_assert_eq(answer(config, "{\"ServerURL\":\"a\",\"Username\":\"u\",\"Secret\":\"s\"}\n",
	                    &found),
	             1);
	cr_assert(ociwp_streq(found.username, "u") && ociwp_streq(found.password, "s"));
	cr_assert_eq(answer(config, "{\"Username\":\"<token>\",\"Secret\":\"s\"}", &found), 1);
	cr_assert(!found.username && ociwp_streq(found.identity_token, "s"));
	cr_assert_eq(answer(config, "{\"Username\":\"\",\"Secret\":\"\"}", &found), 0);
	cr_assert_eq(answer(config, "{\"Username\":\"u\"}", &found), OCIW_ERR_FORMAT);
	cr_assert_eq(answer(config, "no", &found), OCIW_ERR_FORMAT);
	ociw_docker_config_free(config);
}

Test(docker_config, helpers_are_told_what_to_store)
{
	ociw_credential give = {.size = sizeof(give), .username = "u", .password = "s"};
	char *text = NULL;
	cr_assert_eq(ociw_docker_helper_request("docker.io", &give, &text, NULL), 0);
	cr_assert_str_eq(text, "{\"ServerURL\":\"https://index.docker.io/v1/\",\"Username\":\"u\","
	                       "\"Secret\":\"s\"}");
	ociw_free(text);
	give = (ociw_credential){.size = sizeof(give), .identity_token = "t"};
	cr_assert_eq(ociw_docker_helper_request("a.io", &give, &text, NULL), 0);
	cr_assert_str_eq(text,
	                 "{\"ServerURL\":\"a.io\",\"Username\":\"<token>\",\"Secret\":\"t\"}");
	ociw_free(text);
	give = (ociw_credential){.size = sizeof(give)};
	cr_assert_eq(ociw_docker_helper_request("a.io", &give, &text, NULL), OCIW_ERR_INVALID);
}
