/* SPDX-License-Identifier: Apache-2.0 */
#include "apps.h"

#define DEP(text) ONE "[component.a.dependencies]\n" text "\n"

/* spin.md 1.3, the five forms. */
Test(dependency, all_forms_are_read)
{
	ociwp_app *app = NULL;
	ociw_error *err = NULL;
	cr_assert_eq(load(ONE
	                  "[component.a.dependencies]\n\"ns:v\" = \">=1.0\"\n"
	                  "\"ns:p\" = { version = \"1\", registry = \"r.io\", package = \"o:p\" }\n"
	                  "\"ns:l\" = { path = \"l.wasm\" }\n"
	                  "\"ns:u\" = { url = \"https://u\", digest = \"sha256:00\" }\n"
	                  "\"ns:c\" = { component = \"b\" }\n[component.b]\nsource = \"b.wasm\"\n",
	                  0, &app, &err),
	             0, "%s", err ? ociw_error_message(err) : "");
	const ociwp_app_source *s = app->components[0].dependency_sources;
	cr_assert_eq(app->lock->components[0].dependency_count, 5);
	cr_assert_str_eq(s[0].path, "/nowhere/b.wasm");
	cr_assert_str_eq(s[1].path, "/nowhere/l.wasm");
	cr_assert_str_eq(s[2].package, "o:p");
	cr_assert_str_eq(s[2].registry, "r.io");
	cr_assert_str_eq(s[3].url, "https://u");
	cr_assert_str_eq(s[4].package, "ns:v");
	cr_assert_str_eq(s[4].version, ">=1.0");
	ociwp_app_free(app);
}

Test(dependency, mixed_forms_are_refused)
{
	assert_refused(DEP("\"a:b\" = { path = \"x\", version = \"1\" }"), 0, OCIW_ERR_FORMAT,
	               "a dependency with \"path\" cannot have \"version\" [dependency]");
	assert_refused(DEP("\"a:b\" = { component = \"x\", url = \"y\", digest = \"z\" }"), 0,
	               OCIW_ERR_FORMAT, "cannot have");
	assert_refused(DEP("\"a:b\" = {}"), 0, OCIW_ERR_FORMAT, "lacks the key \"version\"");
	assert_refused(DEP("\"a:b\" = { url = \"x\", sha256 = \"y\" }"), 0, OCIW_ERR_FORMAT,
	               "unknown key \"sha256\"");
	assert_refused(DEP("\"a:b\" = 1"), 0, OCIW_ERR_FORMAT, "a version requirement or a table");
	assert_refused(DEP("\"a:b\" = \"latest\""), 0, OCIW_ERR_FORMAT, "no version requirement");
	assert_refused(DEP("\"A:b\" = \"1\""), 0, OCIW_ERR_FORMAT, "dependency \"A:b\"");
}

Test(dependency, a_plain_name_must_name_its_package)
{
	assert_refused(DEP("plain = \"1\""), 0, OCIW_ERR_FORMAT,
	               "dependency \"plain\" must specify a package name");
	assert_refused(DEP("plain = { version = \"1\" }"), 0, OCIW_ERR_FORMAT,
	               "must specify a package");
	assert_lock(DEP("plain = { version = \"1\", package = \"a:b\" }"), 0, "\"plain\"");
}

Test(dependency, a_package_as_a_whole_has_no_export)
{
	assert_refused(DEP("\"a:b\" = { path = \"x\", export = \"e\" }"), 0, OCIW_ERR_FORMAT,
	               "`export`");
	assert_lock(DEP("\"a:b/i\" = { path = \"x\", export = \"e\" }"), 0, "\"export\":\"e\"");
	assert_lock(DEP("\"a:b\" = { url = \"u\", digest = \"sha256:0\", export = \"e\" }"), 0,
	            "\"export\":\"e\"");
}

Test(dependency, overlapping_names_conflict)
{
	assert_refused(
	        DEP("\"e:d\" = { path = \"x\" }\n\"e:d/i\" = { path = \"x\" }"), 0, OCIW_ERR_FORMAT,
	        "spin.toml:11:1: component \"a\": dependency \"e:d\" conflicts with \"e:d/i\"");
}

/* spin.md 2.1: export is always written, inherit only when something is inherited. */
Test(dependency, what_is_inherited)
{
	assert_lock(DEP("\"a:b\" = { path = \"x\", inherit_configuration = true }"), 0,
	            "\"export\":null,\"inherit\":\"All\"");
	assert_lock(DEP("\"a:b\" = { path = \"x\", inherit_configuration = [\"ai_models\"] }"), 0,
	            "\"export\":null,\"inherit\":{\"Some\":[\"ai_models\"]}");
	assert_lock(DEP("\"a:b\" = { path = \"x\", inherit_configuration = false }"), 0,
	            "\"export\":null}}");
	assert_lock(DEP("\"a:b\" = { path = \"x\", inherit_configuration = [] }"), 0,
	            "\"export\":null}}");
	assert_refused(DEP("\"a:b\" = { path = \"x\", inherit_configuration = \"all\" }"), 0,
	               OCIW_ERR_FORMAT, "true, false or an array of strings");
}

Test(dependency, they_are_written_by_structure)
{
	assert_lock(
	        DEP("\"b:a\" = { path = \"x\" }\n\"a:z\" = { path = \"x\" }\nq = { path = \"x\" }"),
	        0,
	        "\"dependencies\":{\"q\":{\"source\":{\"content_type\":\"application/"
	        "wasm\"},\"export\":"
	        "null},\"a:z\":");
}

Test(dependency, keys_of_spins_own_texts_are_told)
{
	assert_refused(ONE "[component.a.dependencies]\n\"a:b\" = { url = \"https://x\", sha256 = "
	                   "\"00\" }\n",
	               0, OCIW_ERR_FORMAT,
	               "spin.toml:10:30: component \"a\": unknown key \"sha256\" in "
	               "the dependency: write digest = \"sha256:...\" [unknown-key]");
}

Test(dependency, the_nearest_component_is_named)
{
	assert_refused(
	        ONE "dependencies.x = { component = \"help\" }\n[component.helper]\nsource = "
	            "\"h.wasm\"\n",
	        0, OCIW_ERR_FORMAT,
	        "dependency ID \"help\" does not exist, did you mean \"helper\"? [dependency]");
	assert_refused(APP
	               "[[trigger.http]]\nroute = \"/\"\ncomponent = \"frnot\"\n[component.front]\n"
	               "source = \"a.wasm\"\n",
	               0, OCIW_ERR_FORMAT,
	               "names component \"frnot\", which does not exist, did you mean "
	               "\"front\"? [trigger-component]");
}
