/* SPDX-License-Identifier: Apache-2.0 */
#include "spin/hosts.h"
#include "apps.h"

/* spin.md 1.7, grammar, one row each. */
Test(hosts, well_formed_entries_are_taken)
{
	static const char *const good[] = {"http://example.com",
	                                   "https://example.com/",
	                                   "https://x:8080",
	                                   "https://x:8080/",
	                                   "*://*:*",
	                                   "http://*",
	                                   "redis://*:*",
	                                   "mysql://h",
	                                   "postgres://h",
	                                   "mqtt://h",
	                                   "ftp://h:21",
	                                   "http://*.example.com",
	                                   "https://self",
	                                   "http://self.alt",
	                                   "http://10.0.0.0/8",
	                                   "http://127.0.0.1:80",
	                                   "http://[::1]",
	                                   "http://[::1]:8080",
	                                   "http://::1",
	                                   "http://fe80::/10",
	                                   "https://x:1..65535",
	                                   " https://x ",
	                                   "http://a_b.c",
	                                   "*://x:1",
	                                   "http://*.spin.internal",
	                                   "http://x.spin.internal:80",
	                                   "http://example.com."};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(good); i++) {
		ociwp_host_error why = {""};
		cr_assert(ociwp_host_valid(good[i], &why), "%s: %s", good[i], why.text);
	}
}

static void assert_bad(const char *entry, const char *part)
{
	ociwp_host_error why = {""};
	cr_assert_not(ociwp_host_valid(entry, &why), "%s", entry);
	cr_assert_not_null(strstr(why.text, part), "%s: %s", entry, why.text);
}

Test(hosts, each_broken_entry_has_its_reason)
{
	assert_bad("example.com", "does not contain a scheme");
	assert_bad("", "does not contain a scheme");
	assert_bad("h2://x:1", "only have letters");
	assert_bad("{a,b}://x:1", "scheme lists");
	assert_bad("ftp://x", "no port was provided");
	assert_bad("*://x", "no port was provided");
	assert_bad("https://x:y", "is not a number");
	assert_bad("https://x:65536", "is not a number");
	assert_bad("https://x:1..y", "contains a non-number");
	assert_bad("https://x:{1,2}", "port lists");
	assert_bad("https://{a,b}", "host lists");
	assert_bad("https://x/path", "paths");
	assert_bad("https://x:80/path", "path");
	assert_bad("https://a.*.b", "wildcard");
	assert_bad("https://*a", "wildcard");
	assert_bad("https://*.*.b", "wildcard");
	assert_bad("https://", "is no host");
	assert_bad("https://a b", "is no host");
	assert_bad("https://u@h", "is no host");
	assert_bad("http://10.0.0.0/33", "paths");
}

Test(hosts, other_components_of_the_app_are_recognised)
{
	cr_assert(ociwp_host_chains("http://back.spin.internal"));
	cr_assert(ociwp_host_chains("http://back.spin.internal:80"));
	cr_assert(ociwp_host_chains("http://*.spin.internal"));
	cr_assert(ociwp_host_chains("http://*.spin.internal/"));
	cr_assert_not(ociwp_host_chains("http://spin.internal"));
	cr_assert_not(ociwp_host_chains("http://*.a.spin.internal"));
	cr_assert_not(ociwp_host_chains("http://x.spin.internal.example"));
	cr_assert_not(ociwp_host_chains("http://*"));
}

static void assert_http(const char *entry, const char *want)
{
	char *got = NULL;
	ociwp_host_error why = {""};
	cr_assert_eq(ociwp_http_host_parse(entry, &got, &why), 0, "%s: %s", entry, why.text);
	cr_assert_str_eq(got, want);
	free(got);
}

/* spin.md 1.6: entry grammar of allowed_http_hosts. */
Test(hosts, old_entries_are_hosts_or_http_urls)
{
	assert_http("spin.example", "spin.example");
	assert_http("Spin.Example:7777", "spin.example:7777");
	assert_http("http://b.example:80", "b.example");
	assert_http("https://b.example:443", "b.example");
	assert_http("https://b.example:80", "b.example:80");
	assert_http("b.example:80", "b.example");
	assert_http("b.example:443", "b.example:443");
	assert_http("https://c.example:444/", "c.example:444");
	assert_http("localhost:3001", "localhost:3001");
	assert_http("[::1]", "[::1]");
	assert_http("http://[::1]:8001", "[::1]:8001");
	assert_http("self", "self");
}

Test(hosts, other_old_entries_are_refused)
{
	static const char *const bad[] = {"x.example/path", "ftp://y", "http://x/a", "http://",
	                                  "junk//",         "a b",     "h:x",        "h:99999"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(bad); i++) {
		char *got = NULL;
		ociwp_host_error why;
		cr_assert_eq(ociwp_http_host_parse(bad[i], &got, &why), OCIW_ERR_FORMAT, "%s",
		             bad[i]);
	}
}

Test(hosts, all_bad_old_entries_are_listed)
{
	assert_refused(ONE "allowed_http_hosts = [\"x/p\", \"good\", \"ftp://y\"]\n", 0,
	               OCIW_ERR_FORMAT,
	               "\"x/p\" contains a path, should be host and optional port only; "
	               "\"ftp://y\" isn't");
}

Test(hosts, the_old_word_for_everything_becomes_three_entries)
{
	assert_lock(ONE "allowed_http_hosts = [\"junk//\", \"insecure:allow-all\"]\n", 0,
	            "\"allowed_outbound_hosts\":[\"http://*:*\",\"https://*:*\",\"http://self\"]");
}

Test(hosts, old_entries_follow_the_new_ones)
{
	assert_lock(ONE "allowed_http_hosts = [\"self\", \"h\"]\nallowed_outbound_hosts = "
	                "[\"redis://r\"]\n",
	            0, "[\"redis://r\",\"http://self\",\"http://h\",\"https://h\"]");
}

Test(hosts, the_old_word_alone_is_no_new_entry)
{
	assert_refused(ONE "allowed_outbound_hosts = [\"insecure:allow-all\"]\n", 0,
	               OCIW_ERR_FORMAT, "use '*://*:*'");
}

#define WITH_VARIABLES                                                                             \
	"[variables]\nhost = { default = \"example.com\" }\nr = { required = true }\ne = { "       \
	"default = \"\" }\nbad = { default = \"a b\" }\n"

Test(hosts, templates_are_judged_with_defaults_only)
{
	assert_lock(ONE "allowed_outbound_hosts = [\"https://{{ host }}\"]\n" WITH_VARIABLES, 0,
	            "{{ host }}");
	assert_lock(ONE "allowed_outbound_hosts = [\"{{ r }}\"]\n" WITH_VARIABLES, 0, "{{ r }}");
	assert_lock(ONE "allowed_outbound_hosts = [\"x{{ unknown }}\"]\n" WITH_VARIABLES, 0,
	            "unknown");
	assert_lock(ONE "allowed_outbound_hosts = [\"https://{{ e }}\"]\n" WITH_VARIABLES, 0,
	            "{{ e }}");
	assert_lock(ONE "allowed_outbound_hosts = [\"{{ e }}\"]\n" WITH_VARIABLES, 0, "{{ e }}");
	assert_refused(ONE "allowed_outbound_hosts = [\"https://{{ bad }}\"]\n" WITH_VARIABLES, 0,
	               OCIW_ERR_FORMAT, "is no host [host]");
}

Test(hosts, an_unmatched_template_is_an_error)
{
	assert_refused(ONE "allowed_outbound_hosts = [\"https://{{ x\"]\n", 0, OCIW_ERR_FORMAT,
	               "spin.toml:9:27: component \"a\": allowed_outbound_hosts: \"https://{{ x\": "
	               "unmatched "
	               "'{{' in template [host]");
}

Test(hosts, a_templated_host_never_chains)
{
	assert_lock(
	        ONE
	        "allowed_outbound_hosts = [\"http://{{ host }}\"]\n[variables]\nhost = { default = "
	        "\"b.spin.internal\" }\n",
	        0, "\"spin_lock_version\":0");
	assert_lock(ONE "allowed_outbound_hosts = [\"http://b.spin.internal\"]\n", 0,
	            "\"host_requirements\":{\"local_service_chaining\":\"required\"}");
}
