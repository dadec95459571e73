/* SPDX-License-Identifier: Apache-2.0
 *
 * URLs: origins, joining, redaction, and which hosts are private (HTTP-3, 4, 6, 7; ERR-4).
 */
#include "registry/url.h"

#include <criterion/criterion.h>

static const struct {
	const char *base, *text, *url, *origin;
} joins[] = {
        {NULL, "https://Ghcr.IO/v2/", "https://Ghcr.IO/v2/", "https://ghcr.io:443"},
        {NULL, "https://ghcr.io:443/v2/", "https://ghcr.io:443/v2/", "https://ghcr.io:443"},
        {NULL, "http://a.io", "http://a.io/", "http://a.io:80"},
        {NULL, "http://[::1]:5000/v2/", "http://[::1]:5000/v2/", "http://[::1]:5000"},
        {"https://a.io/v2/x/", "/v2/y?_state=a%2Fb", "https://a.io/v2/y?_state=a%2Fb",
         "https://a.io:443"},
        {"https://a.io/v2/x/uploads/", "abc", "https://a.io/v2/x/uploads/abc", "https://a.io:443"},
        {"https://a.io/v2/", "//b.io/z", "https://b.io/z", "https://b.io:443"},
        {"https://a.io/v2/", "http://b.io:81/z#frag", "http://b.io:81/z", "http://b.io:81"},
        {"https://a.io/v2/", "?digest=1", "https://a.io/v2/?digest=1", "https://a.io:443"},
};

Test(url, relative_and_absolute_forms_are_joined)
{
	for (size_t i = 0; i < sizeof(joins) / sizeof(joins[0]); i++) {
		ociwp_url base = {0}, url = {0};
		if (joins[i].base)
			cr_assert_eq(ociwp_url_parse(joins[i].base, NULL, &base, NULL), 0);
		cr_assert_eq(
		        ociwp_url_parse(joins[i].text, joins[i].base ? &base : NULL, &url, NULL), 0,
		        "%s", joins[i].text);
		cr_assert_str_eq(url.origin, joins[i].origin);
		cr_assert_str_eq(url.text, joins[i].url);
		ociwp_url_deinit(&base);
		ociwp_url_deinit(&url);
	}
}

static const struct {
	const char *text;
	int code;
} bad[] = {
        {"ftp://a.io/", OCIW_ERR_UNSAFE},        {"file:///etc/passwd", OCIW_ERR_UNSAFE},
        {"https://u:p@a.io/", OCIW_ERR_UNSAFE},  {"https://u@a.io/", OCIW_ERR_UNSAFE},
        {"gopher://a.io:70/x", OCIW_ERR_UNSAFE}, {"https://a.io:99999/", OCIW_ERR_REGISTRY},
        {"https://", OCIW_ERR_REGISTRY},         {"", OCIW_ERR_REGISTRY},
};

Test(url, what_must_not_be_called_is_refused)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ociwp_url url = {0};
		ociw_error *err = NULL;
		int r = ociwp_url_parse(bad[i].text, NULL, &url, &err);
		cr_assert_eq(r, bad[i].code, "%s: %d", bad[i].text, r);
		cr_assert_null(strstr(ociw_error_message(err), "u:p"));
		ociw_error_free(err);
	}
}

static const struct {
	const char *url, *shown;
} redactions[] = {
        {"https://a.io/v2/x?n=2&last=b", "https://a.io/v2/x?n=2&last=b"},
        {"https://s3/x?X-Amz-Signature=abc&X-Amz-Date=1",
         "https://s3/x?X-Amz-Signature=...&X-Amz-Date=..."},
        {"https://a/t?service=s&scope=repository:a:pull&x=y",
         "https://a/t?service=s&scope=repository:a:pull&x=..."},
        {"https://u:p@s@a.io/x", "https://...@a.io/x"},
        {"https://a.io/\x1b[2J", "https://a.io/\\x1b[2J"},
        {"/v2/a?_state=secret", "/v2/a?_state=..."},
};

Test(url, secrets_are_cut_for_messages)
{
	for (size_t i = 0; i < sizeof(redactions) / sizeof(redactions[0]); i++) {
		OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
		ociwp_url_redact(redactions[i].url, &out);
		cr_assert_str_eq(out.data, redactions[i].shown);
	}
}

Test(url, default_ports_are_the_same_origin)
{
	ociwp_url a = {0}, b = {0}, c = {0};
	cr_assert_eq(ociwp_url_parse("https://a.io/x", NULL, &a, NULL), 0);
	cr_assert_eq(ociwp_url_parse("https://A.io:443/y", NULL, &b, NULL), 0);
	cr_assert_eq(ociwp_url_parse("http://a.io/x", NULL, &c, NULL), 0);
	cr_assert(ociwp_url_same_origin(&a, &b));
	cr_assert_not(ociwp_url_same_origin(&a, &c));
	ociwp_url_deinit(&a);
	ociwp_url_deinit(&b);
	ociwp_url_deinit(&c);
}

static const struct {
	const char *host;
	bool loopback, private;
} hosts[] = {
        {"localhost", true, true},
        {"LocalHost.", true, true},
        {"x.localhost", true, true},
        {"127.0.0.1", true, true},
        {"127.9.9.9", true, true},
        {"::1", true, true},
        {"::ffff:127.0.0.1", true, true},
        {"0x7f.1", true, true},
        {"2130706433", true, true},
        {"0.0.0.0", false, true},
        {"10.1.2.3", false, true},
        {"172.16.0.1", false, true},
        {"172.31.255.255", false, true},
        {"172.32.0.1", false, false},
        {"192.168.1.1", false, true},
        {"169.254.169.254", false, true},
        {"100.64.0.1", false, true},
        {"100.128.0.1", false, false},
        {"fe80::1", false, true},
        {"fe80::1%eth0", false, true},
        {"fd00::1", false, true},
        {"::", false, true},
        {"::ffff:10.0.0.1", false, true},
        {"64:ff9b::a00:1", false, true},
        {"224.0.0.1", false, true},
        {"255.255.255.255", false, true},
        {"8.8.8.8", false, false},
        {"2001:4860:4860::8888", false, false},
        {"ghcr.io", false, false},
        {"localhost.example.org", false, false},
        {"127.0.0.1.example.org", false, false},
};

Test(url, private_hosts_are_known_by_their_text)
{
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		cr_assert_eq(ociwp_host_is_loopback(hosts[i].host), hosts[i].loopback, "%s",
		             hosts[i].host);
		cr_assert_eq(ociwp_host_is_private(hosts[i].host), hosts[i].private, "%s",
		             hosts[i].host);
	}
}

Test(url, query_parameters_are_added_and_encoded)
{
	OCIWP_AUTO(buf) ociwp_buf url = OCIWP_BUF_INIT;
	ociwp_buf_puts(&url, "https://a.io/up?_state=x%3D");
	ociwp_url_add_query(&url, "digest", "sha256:ab");
	ociwp_url_add_query(&url, "q", "a b&c=\xc3\xa9");
	cr_assert_str_eq(url.data,
	                 "https://a.io/up?_state=x%3D&digest=sha256:ab&q=a%20b%26c%3D%C3%A9");
}
