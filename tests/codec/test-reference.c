/* SPDX-License-Identifier: Apache-2.0
 *
 * References (REF-1..17). Rows re-expressed after the cases of oras-go (registry/reference_test.go),
 * go-containerregistry (pkg/name) and distribution/reference (normalize_test.go), with our rulings
 * where those disagree.
 */
#include "base/alloc.h"
#include "base/buf.h"
#include <criterion/criterion.h>
#include <oci-wasm/reference.h>
#include <string.h>

#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define D256 "sha256:" HEX
#define D512 "sha512:" HEX HEX

struct good {
	const char *text, *canonical, *host, *repository, *tag, *digest;
};

static void expect_text(const char *got, const char *want, const char *text)
{
	cr_expect(got && want ? strcmp(got, want) == 0 : got == want, "%s: %s, not %s", text, got,
		  want);
}

/* Every accepted text also prints to something that parses to the same (REF-17). */
static void check_good(const struct good *row)
{
	ociw_reference *ref = NULL, *again = NULL;
	ociw_error *err = NULL;
	cr_assert_eq(ociw_reference_parse(row->text, &ref, &err), 0, "%s: %s", row->text,
		     ociw_error_message(err));
	expect_text(ociw_reference_text(ref), row->canonical, row->text);
	expect_text(ociw_reference_host(ref), row->host, row->text);
	expect_text(ociw_reference_repository(ref), row->repository, row->text);
	expect_text(ociw_reference_tag(ref), row->tag, row->text);
	expect_text(ociw_reference_digest(ref), row->digest, row->text);
	cr_assert_eq(ociw_reference_parse(ociw_reference_text(ref), &again, NULL), 0, "%s",
		     row->text);
	expect_text(ociw_reference_text(again), row->canonical, row->text);
	ociw_reference_free(again);
	ociw_reference_free(ref);
}

static void check_bad(const char *text, const char *message)
{
	ociw_reference *ref = NULL;
	ociw_error *err = NULL;
	cr_expect_eq(ociw_reference_parse(text, &ref, &err), OCIW_ERR_INVALID, "%s", text);
	cr_expect(err && strstr(ociw_error_message(err), message), "%s: %s", text,
		  ociw_error_message(err));
	ociw_error_free(err);
}

Test(reference, docker_hub_has_short_forms)
{
	static const struct good rows[] = {
		{"ubuntu", "docker.io/library/ubuntu", "docker.io", "library/ubuntu", NULL, NULL},
		{"ubuntu:22.04", "docker.io/library/ubuntu:22.04", "docker.io", "library/ubuntu",
		 "22.04", NULL},
		{"a/b", "docker.io/a/b", "docker.io", "a/b", NULL, NULL},
		{"library/debian", "docker.io/library/debian", "docker.io", "library/debian", NULL,
		 NULL},
		{"docker.io/debian", "docker.io/library/debian", "docker.io", "library/debian", NULL,
		 NULL},
		{"docker.io/a/b/c", "docker.io/a/b/c", "docker.io", "a/b/c", NULL, NULL},
		{"index.docker.io/debian:1", "docker.io/library/debian:1", "docker.io",
		 "library/debian", "1", NULL},
		{"registry-1.docker.io/a/b", "docker.io/a/b", "docker.io", "a/b", NULL, NULL},
		{"docker.io/" HEX, "docker.io/library/" HEX, "docker.io", "library/" HEX, NULL,
		 NULL},
		{"docker/docker", "docker.io/docker/docker", "docker.io", "docker/docker", NULL,
		 NULL},
		{"foo_bar", "docker.io/library/foo_bar", "docker.io", "library/foo_bar", NULL, NULL},
		{"test.com:5000", "docker.io/library/test.com:5000", "docker.io", "library/test.com",
		 "5000", NULL},
		{"192.168.1.1", "docker.io/library/192.168.1.1", "docker.io", "library/192.168.1.1",
		 NULL, NULL},
		{"foo/foo_bar.com:8080", "docker.io/foo/foo_bar.com:8080", "docker.io",
		 "foo/foo_bar.com", "8080", NULL},
		{"lowercase:Uppercase", "docker.io/library/lowercase:Uppercase", "docker.io",
		 "library/lowercase", "Uppercase", NULL},
		{"host:80", "docker.io/library/host:80", "docker.io", "library/host", "80", NULL},
		{"localhost", "docker.io/library/localhost", "docker.io", "library/localhost", NULL,
		 NULL},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++)
		check_good(&rows[i]);
}

Test(reference, the_first_part_is_a_host_when_it_looks_like_one)
{
	static const struct good rows[] = {
		{"localhost/hello", "localhost/hello", "localhost", "hello", NULL, NULL},
		{"localhost:5000/hello:v1", "localhost:5000/hello:v1", "localhost:5000", "hello",
		 "v1", NULL},
		{"registry.example.com/hello", "registry.example.com/hello", "registry.example.com",
		 "hello", NULL, NULL},
		{"127.0.0.1:5000/a/b:x", "127.0.0.1:5000/a/b:x", "127.0.0.1:5000", "a/b", "x", NULL},
		{"[::1]:5000/hello", "[::1]:5000/hello", "[::1]:5000", "hello", NULL, NULL},
		{"[2001:db8::1]/hello:1", "[2001:db8::1]/hello:1", "[2001:db8::1]", "hello", "1",
		 NULL},
		{"Foo/bar", "Foo/bar", "Foo", "bar", NULL, NULL},
		{"REGISTRY.io/a", "REGISTRY.io/a", "REGISTRY.io", "a", NULL, NULL},
		{"xn--n3h.com/a", "xn--n3h.com/a", "xn--n3h.com", "a", NULL, NULL},
		{"192.168.1.1:5000/repo:5050", "192.168.1.1:5000/repo:5050", "192.168.1.1:5000", "repo",
		 "5050", NULL},
		{"[2001:db8::]:5000/repo", "[2001:db8::]:5000/repo", "[2001:db8::]:5000", "repo", NULL,
		 NULL},
		{"[2001:db8::1]:5000/repo:tag@" D256, "[2001:db8::1]:5000/repo:tag@" D256,
		 "[2001:db8::1]:5000", "repo", "tag", D256},
		{"b.gcr.io/test.example.com/my-app:test.example.com",
		 "b.gcr.io/test.example.com/my-app:test.example.com", "b.gcr.io",
		 "test.example.com/my-app", "test.example.com", NULL},
		{"host:5000/a", "host:5000/a", "host:5000", "a", NULL, NULL},
		{"h.io:65535/a", "h.io:65535/a", "h.io:65535", "a", NULL, NULL},
		{"gcr.io/a", "gcr.io/a", "gcr.io", "a", NULL, NULL},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++)
		check_good(&rows[i]);
}

Test(reference, keeps_tag_and_digest)
{
	static const struct good rows[] = {
		{"h.io/a@" D256, "h.io/a@" D256, "h.io", "a", NULL, D256},
		{"h.io/a:v1@" D256, "h.io/a:v1@" D256, "h.io", "a", "v1", D256},
		{"a@" D512, "docker.io/library/a@" D512, "docker.io", "library/a", NULL, D512},
		{"localhost:5000/a@" D256, "localhost:5000/a@" D256, "localhost:5000", "a", NULL,
		 D256},
		{"oci://h.io/a:1", "h.io/a:1", "h.io", "a", "1", NULL},
		{"docker://a/b", "docker.io/a/b", "docker.io", "a/b", NULL, NULL},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++)
		check_good(&rows[i]);
}

Test(reference, repository_grammar)
{
	static const char *const good[] = {"h.io/a__b", "h.io/a---b", "h.io/a.b_c-d/e9",
					   "h.io/0/1", "h.io/a/b/c/d/e/f"};
	static const char *const bad[] = {
		"h.io/a___b", "h.io/a..b",  "h.io/a._b", "h.io/-a", "h.io/a-", "h.io/a/_b",
		"h.io/a.",    "h.io/a//b",  "h.io/a/",   "h.io//a", "/a",      "a/",
		"//",         "a//b",       "h.io/a*b",  "h.io/a~b", "h.io/",   "_a",
		"a/b/../c",   "h.io/a%20b", "h.io/.a",   "-foo/bar", "aa/../b", "a&b",
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(good); i++) {
		ociw_reference *ref = NULL;
		cr_expect_eq(ociw_reference_parse(good[i], &ref, NULL), 0, "%s", good[i]);
		ociw_reference_free(ref);
	}
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(bad); i++)
		check_bad(bad[i], "reference");
}

Test(reference, refusals_say_why)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"", "empty"},
		{"a b", "printable ASCII"},
		{"a\tb", "printable ASCII"},
		{"h.io/\xc3\xa9", "printable ASCII"},
		{"h.io/Hello", "lower case"},
		{"docker.io/Debian", "lower case"},
		{"Ubuntu", "lower case"},
		{"test:5000/Uppercase/lowercase:tag", "lower case"},
		{":justtag", "invalid repository name"},
		{"@" D256, "invalid repository name"},
		{"aa/asdf$$^/aa", "invalid repository name"},
		{"[2001:db8::1]", "reference"},
		{"[2001:db8::1]:5000", "reference"},
		{"[2001:db8::1]:tag", "reference"},
		{"h.io/a:", "tag is empty"},
		{"a:@" D256, "tag is empty"},
		{"h.io/a:.b", "invalid tag"},
		{"h.io/a:-b", "invalid tag"},
		{"h.io/a:b+c", "invalid tag"},
		{"h.io/a@", "not a digest"},
		{"h.io/a@sha256:abc", "not a digest"},
		{"h.io/a@" HEX, "not a digest"},
		{"h.io/a@sha256:44136FA355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
		 "not a digest"},
		{"h.io/a@" D256 "@" D256, "not a digest"},
		{"h.io/a@" D256 ":t", "not a digest"},
		{"h.io/a:sha256:" HEX, "invalid"},
		{HEX, "image id"},
		{"localhost:5000", "registry alone"},
		{"127.0.0.1:5000", "registry alone"},
		{"10.1.2.3:443", "registry alone"},
		{"h.io:0/a", "port"},
		{"h.io:65536/a", "port"},
		{"h.io:99999/a", "port"},
		{"h.io:/a", "port"},
		{"h.io:08x/a", "port"},
		{"h.io:5000:5000/a", "port"},
		{"h.io./a", "invalid registry host"},
		{".h.io/a", "invalid registry host"},
		{"h_x.io/a", "invalid registry host"},
		{"-h.io/a", "invalid registry host"},
		{"h-.io/a", "invalid registry host"},
		{"user@h.io/a", "not a digest"},
		{"[::1/a", "invalid registry host"},
		{"[1::2::3]/a", "invalid registry host"},
		{"[fe80::1%eth0]/a", "invalid registry host"},
		{"[::1]5000/a", "port"},
		{"[]:5/a", "invalid registry host"},
		{"http://h.io/a", "leave out the http://"},
		{"https://h.io/a", "leave out the https://"},
		{"ftp://h.io/a", "scheme \"ftp\" is not known"},
		{"OCI://h.io/a", "scheme"},
		{"oci://", "invalid repository name"},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++)
		check_bad(rows[i].text, rows[i].message);
	check_bad(NULL, "empty");
}

static const char *repeated(ociwp_buf *buf, const char *prefix, char c, size_t count)
{
	ociwp_buf_clear(buf);
	ociwp_buf_puts(buf, prefix);
	for (size_t i = 0; i < count; i++)
		ociwp_buf_putc(buf, c);
	return buf->data;
}

Test(reference, lengths_are_bounded)
{
	OCIWP_AUTO(buf) ociwp_buf buf = OCIWP_BUF_INIT;
	ociw_reference *ref = NULL;
	cr_expect_eq(ociw_reference_parse(repeated(&buf, "h.io/a:", 't', 128), &ref, NULL), 0);
	ociw_reference_free(ref);
	check_bad(repeated(&buf, "h.io/a:", 't', 129), "longer than 128");
	cr_expect_eq(ociw_reference_parse(repeated(&buf, "h.io/", 'r', 250), &ref, NULL), 0);
	ociw_reference_free(ref);
	check_bad(repeated(&buf, "h.io/", 'r', 251), "longer than 255");
}

Test(reference, a_digest_of_an_unknown_algorithm_is_unsupported)
{
	ociw_reference *ref = NULL;
	cr_expect_eq(ociw_reference_parse("h.io/a@blake3:" HEX, &ref, NULL), OCIW_ERR_UNSUPPORTED);
}

Test(reference, docker_hub_is_called_by_another_name)
{
	ociw_reference *ref = NULL;
	cr_assert_eq(ociw_reference_parse("a", &ref, NULL), 0);
	cr_expect_str_eq(ociw_reference_host(ref), "docker.io");
	cr_expect_str_eq(ociw_reference_api_host(ref), "registry-1.docker.io");
	ociw_reference_free(ref);
	cr_assert_eq(ociw_reference_parse("ghcr.io/a", &ref, NULL), 0);
	cr_expect_str_eq(ociw_reference_api_host(ref), "ghcr.io");
	ociw_reference_free(ref);
}

Test(reference, the_name_on_the_wire_is_digest_then_tag_then_latest)
{
	static const char *const rows[][2] = {
		{"h.io/a", "latest"},
		{"h.io/a:1", "1"},
		{"h.io/a:1@" D256, D256},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		ociw_reference *ref = NULL;
		cr_assert_eq(ociw_reference_parse(rows[i][0], &ref, NULL), 0);
		cr_expect_str_eq(ociw_reference_name(ref), rows[i][1]);
		ociw_reference_free(ref);
	}
}

Test(reference, with_replaces_tag_and_digest)
{
	ociw_reference *ref = NULL, *other = NULL;
	cr_assert_eq(ociw_reference_parse("h.io/a:1@" D256, &ref, NULL), 0);
	cr_assert_eq(ociw_reference_with(ref, "2", NULL, &other, NULL), 0);
	cr_expect_str_eq(ociw_reference_text(other), "h.io/a:2");
	ociw_reference_free(other);
	cr_assert_eq(ociw_reference_with(ref, NULL, D512, &other, NULL), 0);
	cr_expect_str_eq(ociw_reference_text(other), "h.io/a@" D512);
	ociw_reference_free(other);
	cr_expect_eq(ociw_reference_with(ref, "a b", NULL, &other, NULL), OCIW_ERR_INVALID);
	cr_expect_eq(ociw_reference_with(ref, NULL, "sha256:1", &other, NULL), OCIW_ERR_INVALID);
	ociw_reference_free(ref);
	ociw_reference_free(NULL);
}
