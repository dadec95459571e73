/* SPDX-License-Identifier: Apache-2.0
 *
 * Platforms: text, normalisation, matching (IDX-4..8; vectors after go-containerregistry's platform
 * and regclient's compare tests).
 */
#include "base/alloc.h"
#include "codec/platform.h"
#include <criterion/criterion.h>
#include <string.h>

static ociw_platform *parse(const char *text)
{
	ociw_platform *platform = NULL;
	cr_assert_eq(ociw_platform_parse(text, &platform, NULL), 0, "%s", text);
	return platform;
}

Test(platform, parses_and_normalises)
{
	static const struct {
		const char *text, *out, *os, *architecture, *variant;
	} rows[] = {
		{"linux/amd64", "linux/amd64", "linux", "amd64", NULL},
		{"linux/x86_64", "linux/amd64", "linux", "amd64", NULL},
		{"Linux/AARCH64", "linux/arm64", "linux", "arm64", NULL},
		{"linux/arm64/v8", "linux/arm64/v8", "linux", "arm64", "v8"},
		{"linux/arm/v7", "linux/arm/v7", "linux", "arm", "v7"},
		{"wasip1/wasm", "wasip1/wasm", "wasip1", "wasm", NULL},
		{"wasi/wasm32", "wasi/wasm32", "wasi", "wasm32", NULL},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		OCIWP_AUTO(platform) ociw_platform *p = parse(rows[i].text);
		cr_expect_str_eq(ociw_platform_text(p), rows[i].out);
		cr_expect_str_eq(ociw_platform_os(p), rows[i].os);
		cr_expect_str_eq(ociw_platform_architecture(p), rows[i].architecture);
		if (rows[i].variant)
			cr_expect_str_eq(ociw_platform_variant(p), rows[i].variant);
		else
			cr_expect_null(ociw_platform_variant(p));
	}
}

Test(platform, refuses_other_text)
{
	static const char *const bad[] = {"",       "linux",    "linux/",         "/amd64",
					  "a/b/c/d", "a/b/c/",   "a//b",           "lin ux/amd64",
					  "a/b\n",   "a/b/\xc3", "linux/amd64:10"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(bad); i++) {
		ociw_platform *p = NULL;
		ociw_error *err = NULL;
		cr_expect_eq(ociw_platform_parse(bad[i], &p, &err), OCIW_ERR_INVALID, "%s", bad[i]);
		cr_expect(strstr(ociw_error_message(err), "os/architecture"));
		ociw_error_free(err);
	}
	cr_expect_eq(ociw_platform_parse(NULL, &(ociw_platform *){NULL}, NULL), OCIW_ERR_INVALID);
}

Test(platform, matches_as_hosts_run_images)
{
	static const struct {
		const char *want, *have;
		bool match;
	} rows[] = {
		{"linux/amd64", "linux/amd64", true},
		{"linux/amd64", "linux/arm64", false},
		{"linux/amd64", "windows/amd64", false},
		{"linux/amd64", "linux/amd64/v1", true},
		{"linux/amd64", "linux/amd64/v3", false},
		{"linux/amd64/v3", "linux/amd64", true},
		{"linux/amd64/v3", "linux/amd64/v2", true},
		{"linux/arm64", "linux/arm64/v8", true},
		{"linux/arm64/v8", "linux/arm64", true},
		{"linux/arm64", "linux/arm64/v9", false},
		{"linux/arm64/v8.2", "linux/arm64/v8.1", true},
		{"linux/arm", "linux/arm/v7", true},
		{"linux/arm/v7", "linux/arm/v6", true},
		{"linux/arm/v6", "linux/arm/v7", false},
		{"linux/arm/v6", "linux/arm", false},
		{"linux/riscv64", "linux/riscv64/rva22", true},
		{"linux/mips/a", "linux/mips/b", false},
		{"wasip1/wasm", "wasip1/wasm", true},
		{"wasip1/wasm", "wasip2/wasm", false},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		OCIWP_AUTO(platform) ociw_platform *want = parse(rows[i].want);
		OCIWP_AUTO(platform) ociw_platform *have = parse(rows[i].have);
		cr_expect_eq(ociw_platform_matches(want, have), rows[i].match, "%s for %s",
			     rows[i].have, rows[i].want);
	}
}

Test(platform, windows_builds_are_compared_by_three_parts)
{
	OCIWP_AUTO(platform) ociw_platform *want = NULL;
	OCIWP_AUTO(platform) ociw_platform *same = NULL;
	OCIWP_AUTO(platform) ociw_platform *other = NULL;
	cr_assert_eq(ociwp_platform_new("windows", "amd64", NULL, "10.0.17763.1", &want, NULL), 0);
	cr_assert_eq(ociwp_platform_new("windows", "amd64", "", "10.0.17763.99", &same, NULL), 0);
	cr_assert_eq(ociwp_platform_new("windows", "amd64", NULL, "10.0.20348.1", &other, NULL), 0);
	cr_expect(ociw_platform_matches(want, same));
	cr_expect_not(ociw_platform_matches(want, other));
}

Test(platform, documents_keep_their_spelling_but_match_in_any_case)
{
	OCIWP_AUTO(platform) ociw_platform *have = NULL;
	OCIWP_AUTO(platform) ociw_platform *copy = NULL;
	OCIWP_AUTO(platform) ociw_platform *want = parse("wasip1/wasm");
	cr_assert_eq(ociwp_platform_new("Wasip1", "wasm", NULL, NULL, &have, NULL), 0);
	cr_expect_str_eq(ociw_platform_os(have), "Wasip1");
	cr_expect(ociw_platform_matches(want, have));
	cr_assert_eq(ociwp_platform_dup(have, &copy, NULL), 0);
	cr_expect_str_eq(ociw_platform_text(copy), "Wasip1/wasm");
}

Test(platform, unknown_is_what_attestations_have)
{
	OCIWP_AUTO(platform) ociw_platform *unknown = parse("unknown/unknown");
	OCIWP_AUTO(platform) ociw_platform *host = NULL;
	cr_expect(ociwp_platform_is_unknown(unknown));
	cr_assert_eq(ociwp_platform_host(&host, NULL), 0);
	cr_expect_not(ociwp_platform_is_unknown(host));
	cr_expect_str_eq(ociw_platform_os(host), "linux");
	ociw_platform_free(NULL);
}
