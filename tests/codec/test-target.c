/* SPDX-License-Identifier: Apache-2.0
 *
 * Targets by their explicit grammar (REF-15, REF-16).
 */
#include "base/alloc.h"
#include <criterion/criterion.h>
#include <oci-wasm/reference.h>
#include <string.h>

#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

struct row {
	const char *text;
	ociw_target_kind kind;
	const char *path, *name, *reference;
};

static void expect_text(const char *got, const char *want, const char *text)
{
	cr_expect(got && want ? strcmp(got, want) == 0 : got == want, "%s: %s, not %s", text, got,
		  want);
}

static void check(const struct row *row)
{
	ociw_target *t = NULL;
	ociw_error *err = NULL;
	cr_assert_eq(ociw_target_parse(row->text, &t, &err), 0, "%s: %s", row->text,
		     ociw_error_message(err));
	cr_expect_eq(ociw_target_get_kind(t), row->kind, "%s", row->text);
	cr_expect_str_eq(ociw_target_text(t), row->text);
	expect_text(ociw_target_path(t), row->path, row->text);
	expect_text(ociw_target_name(t), row->name, row->text);
	const ociw_reference *ref = ociw_target_reference(t);
	expect_text(ref ? ociw_reference_text(ref) : NULL, row->reference, row->text);
	ociw_target_free(t);
}

Test(target, each_kind_has_its_form)
{
	static const struct row rows[] = {
		{"app", OCIW_TARGET_REGISTRY, NULL, NULL, "docker.io/library/app"},
		{"ghcr.io/a/b:1", OCIW_TARGET_REGISTRY, NULL, "1", "ghcr.io/a/b:1"},
		{"oci://ghcr.io/a/b:1", OCIW_TARGET_REGISTRY, NULL, "1", "ghcr.io/a/b:1"},
		{"docker://a/b", OCIW_TARGET_REGISTRY, NULL, NULL, "docker.io/a/b"},
		{"h.io/a:1@sha256:" HEX, OCIW_TARGET_REGISTRY, NULL, "sha256:" HEX,
		 "h.io/a:1@sha256:" HEX},
		{"oci:dir", OCIW_TARGET_LAYOUT, "dir", NULL, NULL},
		{"oci:/var/lib/x:1.2", OCIW_TARGET_LAYOUT, "/var/lib/x", "1.2", NULL},
		{"oci:a:b/c", OCIW_TARGET_LAYOUT, "a", "b/c", NULL},
		{"oci:a:h.io/b:c", OCIW_TARGET_LAYOUT, "a", "h.io/b:c", NULL},
		{"oci:a:5000/hello", OCIW_TARGET_LAYOUT, "a", "5000/hello", NULL},
		{"oci:a@b@sha256:" HEX, OCIW_TARGET_LAYOUT, "a@b", "sha256:" HEX, NULL},
		{"oci:a:b@sha256:" HEX, OCIW_TARGET_LAYOUT, "a", "b@sha256:" HEX, NULL},
		{"oci:d@sha256:" HEX, OCIW_TARGET_LAYOUT, "d", "sha256:" HEX, NULL},
		{"oci:d@x", OCIW_TARGET_LAYOUT, "d@x", NULL, NULL},
		{"oci:.", OCIW_TARGET_LAYOUT, ".", NULL, NULL},
		{"oci-archive:x.tar:v1", OCIW_TARGET_ARCHIVE, "x.tar", "v1", NULL},
		{"oci-archive:/x y.tar", OCIW_TARGET_ARCHIVE, "/x y.tar", NULL, NULL},
		{"store:ghcr.io/a/b", OCIW_TARGET_STORE, NULL, "ghcr.io/a/b:latest",
		 "ghcr.io/a/b:latest"},
		{"store:a:1", OCIW_TARGET_STORE, NULL, "docker.io/library/a:1",
		 "docker.io/library/a:1"},
		{"containerd:docker.io/library/a:1", OCIW_TARGET_CONTAINERD, NULL,
		 "docker.io/library/a:1", NULL},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++)
		check(&rows[i]);
}

Test(target, refuses_what_has_no_meaning)
{
	static const char *const bad[] = {"",           "oci:",          "oci::x",
					  "oci:d:",     "oci-archive:",  "oci-archive:f:",
					  "containerd:", "oci:d:a b",    "http://h/x",
					  "oci://",     "containerd:\n", "a b"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(bad); i++) {
		ociw_target *t = NULL;
		ociw_error *err = NULL;
		cr_expect_eq(ociw_target_parse(bad[i], &t, &err), OCIW_ERR_INVALID, "%s", bad[i]);
		cr_expect_not_null(err);
		ociw_error_free(err);
	}
	cr_expect_eq(ociw_target_parse(NULL, &(ociw_target *){NULL}, NULL), OCIW_ERR_INVALID);
	ociw_target_free(NULL);
}

Test(target, a_bare_path_is_told_its_prefix)
{
	ociw_target *t = NULL;
	ociw_error *err = NULL;
	cr_expect_eq(ociw_target_parse("./out", &t, &err), OCIW_ERR_INVALID);
	cr_expect(strstr(ociw_error_message(err), "oci:DIR"), "%s", ociw_error_message(err));
	ociw_error_free(err);
}
