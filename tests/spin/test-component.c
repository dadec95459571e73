/* SPDX-License-Identifier: Apache-2.0 */
#include "apps.h"

#define WITH_SOURCE(text) APP "[trigger]\n[component.a]\nsource = " text "\n"

/* spin.md 1.3: the three shapes of a source. */
Test(component, sources_are_paths_urls_or_packages)
{
	ociwp_app *app = NULL;
	cr_assert_eq(load(WITH_SOURCE("\"bin/a.wasm\""), 0, &app, NULL), 0);
	cr_assert_str_eq(app->components[0].source.path, "/nowhere/bin/a.wasm");
	ociwp_app_free(app);
	cr_assert_eq(
	        load(WITH_SOURCE("{ url = \"https://x\", digest = \"sha256:ab\" }"), 0, &app, NULL),
	        0);
	cr_assert_str_eq(app->components[0].source.url, "https://x");
	ociwp_app_free(app);
	cr_assert_eq(load(WITH_SOURCE("{ package = \"a:b\", version = \"1.2.3\" }"), 0, &app, NULL),
	             0);
	cr_assert_str_eq(app->components[0].source.package, "a:b");
	cr_assert_null(app->components[0].source.registry);
	ociwp_app_free(app);
}

Test(component, other_sources_are_refused)
{
	assert_refused(
	        WITH_SOURCE("{ path = \"a.wasm\" }"), 0, OCIW_ERR_FORMAT,
	        "spin.toml:6:12: component \"a\": unknown key \"path\" in the source: a local path "
	        "is text alone, source = \"FILE\" [unknown-key]");
	assert_refused(WITH_SOURCE("{}"), 0, OCIW_ERR_FORMAT, "must be a path, {url, digest}");
	assert_refused(WITH_SOURCE("{ url = \"x\" }"), 0, OCIW_ERR_FORMAT,
	               "lacks the key \"digest\"");
	assert_refused(WITH_SOURCE("{ url = \"x\", digest = \"sha256:a\", package = \"a:b\" }"), 0,
	               OCIW_ERR_FORMAT, "must be a path, {url, digest}");
	assert_refused(WITH_SOURCE("{ url = \"x\", digest = \"md5:a\" }"), 0, OCIW_ERR_FORMAT,
	               "must start with 'sha256:'");
	assert_refused(WITH_SOURCE("{ package = \"a:b\", version = \"^1\" }"), 0, OCIW_ERR_FORMAT,
	               "no full version");
	assert_refused(WITH_SOURCE("{ package = \"ab\", version = \"1.0.0\" }"), 0, OCIW_ERR_FORMAT,
	               "no package name");
	assert_refused(
	        WITH_SOURCE("{ package = \"a:b\", version = \"1.0.0\", registry = \"h/x\" }"), 0,
	        OCIW_ERR_FORMAT, "no registry");
	assert_refused(WITH_SOURCE("1"), 0, OCIW_ERR_FORMAT, "a path or a table");
	assert_refused(WITH_SOURCE("{ path = \"x\" }"), 0, OCIW_ERR_FORMAT, "unknown key \"path\"");
}

Test(component, build_is_kept_in_metadata)
{
	assert_lock(ONE "[component.a.build]\nworkdir = \"w\"\ncommand = [\"a\", \"b\"]\nwatch = "
	                "[\"*.c\"]\n",
	            0,
	            "\"build\":{\"command\":[\"a\",\"b\"],\"watch\":[\"*.c\"],\"workdir\":\"w\"}");
	assert_refused(ONE "[component.a.build]\nworkdir = \"w\"\n", 0, OCIW_ERR_FORMAT,
	               "\"command\"");
	assert_refused(ONE "[component.a.build]\ncommand = [1]\n", 0, OCIW_ERR_FORMAT,
	               "a string or an array of strings");
}

Test(component, labels_and_variables_follow_their_grammars)
{
	assert_refused(ONE "sqlite_databases = [\"a.b\"]\n", 0, OCIW_ERR_FORMAT,
	               "sqlite_databases: expected kebab-case or snake_case, got \"a.b\" [label]");
	assert_refused(ONE "variables = { A = \"x\" }\n", 0, OCIW_ERR_FORMAT, "variable \"A\"");
	assert_lock(ONE "ai_models = [\"any thing\"]\n", 0, "\"ai_models\":[\"any thing\"]");
}

Test(component, databases_have_another_name_in_the_lock)
{
	assert_lock(ONE "sqlite_databases = [\"db\"]\n", 0, "\"databases\":[\"db\"]");
}

Test(component, maps_are_sorted_by_bytes)
{
	assert_lock(ONE "environment = { z = \"1\", a = \"2\", M = \"3\" }\n", 0,
	            "\"env\":{\"M\":\"3\",\"a\":\"2\",\"z\":\"1\"}");
}

Test(component, file_entries_have_two_shapes)
{
	assert_refused(ONE "files = [{ source = \"x\" }]\n", 0, OCIW_ERR_FORMAT, "\"destination\"");
	assert_refused(ONE "files = [1]\n", 0, OCIW_ERR_FORMAT,
	               "patterns or {source, destination}");
	assert_refused(ONE "files = [{ source = \"x\", dest = \"y\" }]\n", 0, OCIW_ERR_FORMAT,
	               "unknown key \"dest\"");
}

Test(component, profiles_may_change_four_things)
{
	assert_lock(
	        ONE
	        "[component.a.profile.p]\nsource = \"b\"\nenvironment = {}\nbuild.command = \"x\"\n"
	        "dependencies = {}\n",
	        0, "\"id\":\"a\"");
	assert_refused(ONE "[component.a.profile.p]\nfiles = []\n", 0, OCIW_ERR_FORMAT,
	               "unknown key \"files\" in a profile");
	assert_refused(ONE "[component.a.profile.p.build]\nworkdir = \"x\"\n", 0, OCIW_ERR_FORMAT,
	               "unknown key \"workdir\"");
}
