/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of ops/compose-script: Spin's rules for names of dependencies, row by row (spin.md 3.7).
 */
#include "ops/compose-script.h"
#include "base/str.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* One component that imports @p import and one dependency that exports @p export. */
static int script(const char *import, const char *name, const char *export_name, const char *export,
                  ociwp_buf *out, ociw_error **err)
{
	char *imports[] = {(char *)import}, *exports[] = {(char *)export};
	ociwp_wasm_info main = {.imports = imports, .import_count = 1};
	ociwp_wasm_info dependency = {.exports = exports, .export_count = 1};
	ociwp_compose_member member = {name, export_name, &dependency, false};
	return ociwp_compose_script(&main, &member, 1, NULL, out, err);
}

Test(compose_script, names_stand_for_imports_as_in_spin)
{
	static const struct {
		const char *name, *import;
		bool matches;
	} rows[] = {
	        {"foo:bar/baz@0.1.0", "foo:bar/baz@0.1.0", true},
	        {"foo:bar/baz", "foo:bar/baz@0.1.0", true},
	        {"foo:bar/baz", "foo:bar/baz", true},
	        {"foo:bar", "foo:bar/baz@0.1.0", true},
	        {"foo:bar", "foo:bar/baz", true},
	        {"foo:bar@0.1.0", "foo:bar/baz@0.1.0", true},
	        {"foo-bar", "foo-bar", true},
	        {"foo:bar/baz@0.1.0", "foo:bar/baz", false},
	        {"foo:bar/baz@0.1.0", "foo:bar/baz@0.1.1", false},
	        {"foo:bar/baz", "foo:bar/bub", false},
	        {"foo:bar/baz", "foo:bar/bub@0.1.0", false},
	        {"foo:bar", "foo:bub/bib", false},
	        {"foo:bar@0.1.0", "foo:bar/baz", false},
	        {"foo:bar/baz", "foo:bar/baz-bub", false},
	        {"foo:bar/baz", "foo-bar", false},
	        {"foo-bar", "foo:bar/baz", false},
	        {"foo-bar", "foo-ba", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
		ociw_error *err = NULL;
		int r = script(rows[i].import, rows[i].name, NULL, rows[i].import, &out, &err);
		cr_assert_eq(r, rows[i].matches ? 0 : OCIW_ERR_FORMAT, "%s %s", rows[i].name,
		             rows[i].import);
		if (!rows[i].matches)
			cr_assert(strstr(ociw_error_message(err), "none of its imports"));
		ociw_error_free(err);
	}
}

Test(compose_script, an_export_of_another_name_is_taken_when_it_is_named)
{
	OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
	cr_assert_eq(script("pick", "pick", "choose", "choose", &out, NULL), 0);
	cr_assert_str_eq(out.data, "package oci:composed;\n"
	                           "let dependency0 = new oci:dependency0 {\n    ...\n};\n"
	                           "let main = new oci:main {\n"
	                           "    \"pick\": dependency0[\"choose\"],\n"
	                           "    ...\n};\nexport main...;\n");
}

static void expect(int r, ociw_error *err, int code, const char *text)
{
	cr_assert_eq(r, code);
	cr_assert(strstr(ociw_error_message(err), text), "%s", ociw_error_message(err));
	ociw_error_free(err);
}

Test(compose_script, an_export_that_is_not_there_is_told_with_those_that_are)
{
	OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
	ociw_error *err = NULL;
	int r = script("pick", "pick", NULL, "choose", &out, &err);
	expect(r, err, OCIW_ERR_FORMAT, "it exports \"choose\": name the right one with export");
	err = NULL;
	r = script("pick", "pick", "chose", "choose", &out, &err);
	expect(r, err, OCIW_ERR_FORMAT, "does not export \"chose\"");
}

Test(compose_script, two_dependencies_for_one_import_are_refused)
{
	char *names[] = {(char *)"a:b/c@1.0.0"};
	ociwp_wasm_info info = {
	        .imports = names, .import_count = 1, .exports = names, .export_count = 1};
	ociwp_compose_member members[] = {{"a:b/c", NULL, &info, false},
	                                  {"a:b", NULL, &info, false}};
	OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
	ociw_error *err = NULL;
	int r = ociwp_compose_script(&info, members, 2, NULL, &out, &err);
	expect(r, err, OCIW_ERR_FORMAT, "both stand for the import \"a:b/c@1.0.0\"");
}

Test(compose_script, an_adapter_takes_what_it_exports_in_a_version_that_serves)
{
	static const struct {
		const char *import, *export;
		bool denied;
	} rows[] = {
	        {"wasi:cli/env@0.2.3", "wasi:cli/env@0.2.0", true},
	        {"wasi:cli/env@0.2.0", "wasi:cli/env@0.2.0", true},
	        {"plain", "plain", true},
	        {"wasi:cli/env@0.3.0", "wasi:cli/env@0.2.0", false},
	        {"wasi:cli/env", "wasi:cli/env@0.2.0", false},
	        {"wasi:cli/run@0.2.0", "wasi:cli/env@0.2.0", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *imports[] = {(char *)rows[i].import}, *denials[] = {(char *)rows[i].export};
		char *api[] = {(char *)"api"};
		char wire[200];
		ociwp_wasm_info main = {.imports = api, .import_count = 1};
		ociwp_wasm_info dependency = {
		        .imports = imports, .import_count = 1, .exports = api, .export_count = 1};
		ociwp_wasm_info deny = {.exports = denials, .export_count = 1};
		ociwp_compose_member members[] = {{"api", NULL, &dependency, true}};
		OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
		cr_assert_eq(ociwp_compose_script(&main, members, 1, &deny, &out, NULL), 0);
		snprintf(wire, sizeof(wire), "\"%s\": deny0[\"%s\"],", rows[i].import,
		         rows[i].export);
		cr_assert_eq(strstr(out.data, wire) != NULL, rows[i].denied, "%s", out.data);
		cr_assert_eq(strstr(out.data, "new oci:deny") != NULL, rows[i].denied);
	}
}

Test(compose_script, names_that_would_break_the_script_are_refused)
{
	OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
	ociw_error *err = NULL;
	int r = script("foo:bar/x\"]; export y", "foo:bar", NULL, "foo:bar/x\"]; export y", &out,
	               &err);
	expect(r, err, OCIW_ERR_UNSUPPORTED, "cannot be written down");
}
