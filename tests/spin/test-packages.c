/* SPDX-License-Identifier: Apache-2.0
 *
 * Where packages are (specs/wasm-formats.md 1.3), row by row.
 */
#include "base/str.h"
#include "oci/content.h"
#include <criterion/criterion.h>
#include <oci-wasm/package.h>
#include <stdlib.h>

static const char config[] =
        "default_registry = \"default.example\"\n"
        "[namespace_registries]\n"
        "acme = \"acme.example:5000\"\n"
        "inner = { registry = \"inner.example\", metadata = { preferredProtocol = "
        "\"oci\", oci = { registry = \"ghcr.example\", namespacePrefix = "
        "\"me/\" } } }\n"
        "[package_registry_overrides]\n"
        "\"acme:special\" = \"other.example\"\n"
        "[registry.\"acme.example\".oci]\nprotocol = \"https\"\n";

static ociw_packages *packages_of(const char *text)
{
	ociw_packages *packages = NULL;
	ociw_error *err = NULL;
	cr_assert_eq(ociw_packages_new((ociw_span){text, strlen(text)}, "c.toml", &packages, &err),
	             0, "%s", err ? ociw_error_message(err) : "");
	return packages;
}

static void expect_repository(const char *text, const char *registry, const char *package,
                              const char *metadata, const char *want)
{
	ociw_packages *packages = packages_of(text);
	char *got = NULL;
	ociw_error *err = NULL;
	int r = ociw_packages_repository(packages, registry, package,
	                                 (ociw_span){metadata, strlen(metadata)}, &got, &err);
	cr_assert_eq(r, 0, "%s", err ? ociw_error_message(err) : "");
	cr_assert_str_eq(got, want);
	ociw_free(got);
	ociw_packages_free(packages);
}

static void expect_failure(const char *package, const char *metadata, int code, const char *message)
{
	ociw_packages *packages = packages_of("");
	char *got = NULL;
	ociw_error *err = NULL;
	int r = ociw_packages_repository(packages, "r.example", package,
	                                 (ociw_span){metadata, strlen(metadata)}, &got, &err);
	cr_assert_eq(r, code);
	cr_assert_null(got);
	cr_assert_not_null(strstr(ociw_error_message(err), message), "%s", ociw_error_message(err));
	ociw_error_free(err);
	ociw_packages_free(packages);
}

Test(packages, the_nearest_mapping_wins)
{
	ociw_packages *packages = packages_of(config);
	cr_assert_str_eq(ociw_packages_registry(packages, "acme:special"), "other.example");
	cr_assert_str_eq(ociw_packages_registry(packages, "acme:plain"), "acme.example:5000");
	cr_assert_str_eq(ociw_packages_registry(packages, "inner:x"), "inner.example");
	cr_assert_str_eq(ociw_packages_registry(packages, "wasi:http"), "default.example");
	ociw_packages_free(packages);
}

Test(packages, two_namespaces_are_built_in)
{
	ociw_packages *packages = packages_of("");
	cr_assert_str_eq(ociw_packages_registry(packages, "wasi:http"), "wasi.dev");
	cr_assert_str_eq(ociw_packages_registry(packages, "ba:x"), "bytecodealliance.org");
	cr_assert_null(ociw_packages_registry(packages, "acme:x"));
	ociw_packages_free(packages);
}

Test(packages, a_repository_is_prefix_namespace_and_name)
{
	expect_repository("", "r.example", "acme:x", "", "r.example/acme/x");
	expect_repository("", "r.example", "acme:x", "{}", "r.example/acme/x");
	expect_repository("", "r.example", "acme:x",
	                  "{\"oci\":{\"registry\":\"ghcr.example\",\"namespacePrefix\":\"web/\"}}",
	                  "ghcr.example/web/acme/x");
	expect_repository("", "r.example", "acme:x",
	                  "{\"ociRegistry\":\"old.example\",\"ociNamespacePrefix\":\"p-\"}",
	                  "old.example/p-acme/x");
}

Test(packages, the_config_may_say_where_a_registry_keeps_its_packages)
{
	ociw_packages *packages = packages_of(config);
	cr_assert_not(ociw_packages_wants_metadata(packages, "inner:x", "inner.example"));
	cr_assert(ociw_packages_wants_metadata(packages, "acme:x", "acme.example:5000"));
	cr_assert(ociw_packages_wants_metadata(packages, "inner:x", "elsewhere.example"));
	ociw_packages_free(packages);
	expect_repository(config, "inner.example", "inner:x",
	                  "{\"oci\":{\"registry\":\"no.example\"}}", "ghcr.example/me/inner/x");
}

Test(packages, hostile_metadata_is_refused)
{
	expect_failure("acme:x", "[]", OCIW_ERR_FORMAT, "no object");
	expect_failure("acme:x", "{", OCIW_ERR_FORMAT, "registry.json");
	expect_failure("acme:x", "{\"oci\":{\"registry\":\"a/b\"}}", OCIW_ERR_FORMAT,
	               "no registry");
	expect_failure("acme:x", "{\"oci\":{\"registry\":\"localhost:5000\"}}", OCIW_ERR_UNSAFE,
	               "local address");
	expect_failure("acme:x", "{\"oci\":{\"registry\":\"169.254.169.254\"}}", OCIW_ERR_UNSAFE,
	               "local address");
	expect_failure("acme:x", "{\"preferredProtocol\":\"local\"}", OCIW_ERR_UNSUPPORTED,
	               "local");
	expect_failure("acme:x", "{\"warg\":{\"url\":\"x\"}}", OCIW_ERR_UNSUPPORTED, "warg");
	expect_failure("../x:y", "", OCIW_ERR_INVALID, "no package name");
}

Test(packages, broken_configs_are_told_with_their_line)
{
	static const char *const bad[] = {"\n= 1", "\ndefault_registry = 3",
	                                  "\nnamespace_registries = 1",
	                                  "[namespace_registries]\na = \"x/y\"",
	                                  "[package_registry_overrides]\n\"a:b\" = {}"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(bad); i++) {
		ociw_packages *packages = NULL;
		ociw_error *err = NULL;
		cr_assert_eq(ociw_packages_new((ociw_span){bad[i], strlen(bad[i])}, "c.toml",
		                               &packages, &err),
		             OCIW_ERR_FORMAT, "%s", bad[i]);
		cr_assert_not_null(strstr(ociw_error_message(err), "c.toml:2"), "%s",
		                   ociw_error_message(err));
		ociw_error_free(err);
	}
}

Test(packages, tags_stand_for_versions)
{
	char *tag = NULL;
	cr_assert_eq(ociw_package_tag("1.0.0+build", &tag, NULL), 0);
	cr_assert_str_eq(tag, "1.0.0_build");
	ociw_free(tag);
	cr_assert(ociw_package_tag_better("^1", "1.2.0", NULL));
	cr_assert(ociw_package_tag_better("^1", "1.10.0", "1.9.0"));
	cr_assert(ociw_package_tag_better("^1", "1.0.0_b", "1.0.0_a"));
	cr_assert_not(ociw_package_tag_better("^1", "1.8.0", "1.9.0"));
	cr_assert_not(ociw_package_tag_better("^1", "2.0.0", NULL));
	cr_assert_not(ociw_package_tag_better("^1", "latest", NULL));
	cr_assert_not(ociw_package_tag_better("*", "sha256-00", NULL));
	cr_assert_not(ociw_package_tag_better("no", "1.0.0", NULL));
}

static int settings_of(ociw_packages **packages, const char *text, const char *registry,
                       ociw_package_settings *out, ociw_error **err)
{
	*packages = packages_of(text);
	return ociw_packages_settings(*packages, registry, out, err);
}

#define OCI "[registry.\"r.example\".oci]\n"

Test(packages, a_registry_has_credentials_in_both_forms)
{
	static const struct {
		const char *text, *username, *password;
	} rows[] = {
	        {OCI "auth = { username = \"open\", password = \"sesame\" }\n", "open", "sesame"},
	        {OCI "auth = \"cGluZzpwb25n\"\n", "ping", "pong"},
	        {OCI "auth = \"cDpxOnI\"\n", "p", "q:r"}, /* unpadded, cut at the first colon */
	        {OCI "auth = \"cDpxOnI=\"\n", "p", "q:r"},
	        {OCI "auth = \"cDo=\"\n", "p", ""},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ociw_packages *packages;
		ociw_package_settings got;
		cr_assert_eq(settings_of(&packages, rows[i].text, "r.example", &got, NULL), 1);
		cr_assert_str_eq(got.username, rows[i].username);
		cr_assert_str_eq(got.password, rows[i].password);
		cr_assert_eq(ociw_packages_settings(packages, "other", &got, NULL), 0);
		cr_assert(!got.username && !got.password && !got.protocol && !got.certificates);
		ociw_packages_free(packages);
	}
}

Test(packages, a_registry_has_a_protocol_and_authorities)
{
	ociw_packages *packages;
	ociw_package_settings got;
	int r = settings_of(&packages,
	                    "[registry.\"h:5000\"]\ntype = \"oci\"\n[registry.\"h:5000\".oci]\n"
	                    "protocol = \"http\"\naccept_invalid_certificates = true\n"
	                    "extra_root_certificates = [{ encoding = \"pem\", data = \"A\" }, "
	                    "{ encoding = \"pem\", data = \"B\" }]\n",
	                    "h:5000", &got, NULL);
	cr_assert_eq(r, 1);
	cr_assert_str_eq(got.protocol, "http");
	cr_assert_str_eq(got.certificates, "A\nB\n");
	cr_assert(got.accept_invalid_certificates);
	cr_assert_null(got.username);
	ociw_packages_free(packages);
}

Test(packages, settings_that_make_no_sense_are_told_without_the_secret)
{
	static const struct {
		const char *text;
		int code;
		const char *message;
	} rows[] = {
	        {OCI "protocol = \"ftp\"\n", OCIW_ERR_FORMAT, "c.toml:2: protocol is not"},
	        {OCI "protocol = 1\n", OCIW_ERR_FORMAT, "protocol is not"},
	        {OCI "auth = \"c2VjcmV0\"\n", OCIW_ERR_FORMAT, "auth is not base64 of USER:PASSWORD"},
	        {OCI "auth = \"secret!\"\n", OCIW_ERR_FORMAT, "auth is not base64"},
	        {OCI "auth = \"YToAYg==\"\n", OCIW_ERR_FORMAT, "auth is not base64"},
	        {OCI "auth = { username = \"secret\" }\n", OCIW_ERR_FORMAT, "auth is not a table"},
	        {OCI "auth = 7\n", OCIW_ERR_FORMAT, "auth is not a table"},
	        {OCI "accept_invalid_certificates = 1\n", OCIW_ERR_FORMAT, "true or false"},
	        {OCI "extra_root_certificates = \"x\"\n", OCIW_ERR_FORMAT, "is not an array"},
	        {OCI "extra_root_certificates = [{ data = \"x\" }]\n", OCIW_ERR_FORMAT,
	         "encoding and data"},
	        {OCI "extra_root_certificates = [{ encoding = \"der\", data = \"x\" }]\n",
	         OCIW_ERR_UNSUPPORTED, "is not pem"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ociw_packages *packages;
		ociw_package_settings got;
		ociw_error *err = NULL;
		int r = settings_of(&packages, rows[i].text, "r.example", &got, &err);
		cr_assert_eq(r, rows[i].code, "%s", rows[i].text);
		cr_assert(strstr(ociw_error_message(err), rows[i].message), "%s",
		          ociw_error_message(err));
		cr_assert_null(strstr(ociw_error_message(err), "secret"));
		ociw_error_free(err);
		ociw_packages_free(packages);
	}
}
