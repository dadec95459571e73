/* SPDX-License-Identifier: Apache-2.0 */
#include "apps.h"

#define A "[component.a]\nsource = \"a.wasm\"\nenvironment = { K = \"v\" }\n"
#define T(id, rest) "[[trigger.http]]\nid = \"" id "\"\ncomponent = \"a\"\n" rest
#define MW "dependencies.middleware = [{ path = \"m.wasm\" }]\n"

/* spin.md 2.3 */
Test(trigger_deps, they_move_to_the_component)
{
	char *text = lock_of(APP T("t", MW) A, 0);
	cr_assert_not_null(
	        strstr(text,
	               "\"trigger_dependencies\":{\"middleware\":[{\"source\":{\"content_type\":"
	               "\"application/wasm\",\"source\":\"file:///nowhere/"
	               "m.wasm\"},\"export\":null}]},"
	               "\"host_requirements\":{\"middleware\":\"required\"}"),
	        "%s", text);
	cr_assert_not_null(strstr(text, "\"resolve-trigger-dependencies-using\":\"http\""));
	cr_assert_not_null(strstr(text, "\"must_understand\":[\"component_host_requirements\"]"));
	cr_assert_null(strstr(strstr(text, "\"triggers\":["),
	                      "\"trigger_dependencies\":{\"middleware\":[]"));
	free(text);
}

Test(trigger_deps, a_shared_component_is_split)
{
	char *text = lock_of(APP T("one", MW) T("two", "") T("three", MW) A, 0);
	cr_assert_not_null(strstr(text, "\"component\":\"a-for-one\""));
	cr_assert_not_null(strstr(text, "\"component\":\"a-for-three\""));
	cr_assert_not_null(strstr(text,
	                          "{\"id\":\"two\",\"trigger_type\":\"http\",\"trigger_config\":"
	                          "{\"component\":\"a\"}}"));
	const char *one = strstr(text, "{\"id\":\"a-for-one\""),
	           *three = strstr(text, "{\"id\":\"a-for-three\"");
	cr_assert(one && three && one < three);
	cr_assert_not_null(strstr(three, "\"env\":{\"K\":\"v\"}"));
	free(text);
}

Test(trigger_deps, a_component_of_one_trigger_is_not_split)
{
	char *text = lock_of(APP T("one", MW) A, 0);
	cr_assert_null(strstr(text, "-for-"));
	free(text);
}

Test(trigger_deps, sharing_without_dependencies_is_nothing)
{
	char *text = lock_of(APP T("one", "") T("two", "") A, 0);
	cr_assert_null(strstr(text, "-for-"));
	cr_assert_null(strstr(text, "must_understand"));
	free(text);
}

Test(trigger_deps, equal_ids_are_told_apart)
{
	assert_lock(APP T("x", MW) T("x", MW) A, OCIWP_APP_COMPAT_SPIN,
	            "\"component\":\"a-for-x-d1\"");
}

Test(trigger_deps, other_roles_need_no_feature)
{
	char *text = lock_of(
	        APP T("t", "dependencies.other = [{ path = \"m.wasm\", inherit_configuration = "
	                   "true }]\n") A,
	        0);
	cr_assert_null(strstr(text, "host_requirements"));
	cr_assert_not_null(strstr(text, "\"export\":null,\"inherit\":\"All\""));
	free(text);
}

Test(trigger_deps, their_sources_are_listed_for_packing)
{
	ociwp_app *app = NULL;
	cr_assert_eq(load(APP T("t", "dependencies.middleware = [{ path = \"m.wasm\" }, { url = "
	                             "\"u\", digest "
	                             "= \"sha256:0\" }]\n") A,
	                  0, &app, NULL),
	             0);
	cr_assert_eq(app->components[0].trigger_source_count, 2);
	cr_assert_str_eq(app->components[0].trigger_sources[0].path, "/nowhere/m.wasm");
	cr_assert_str_eq(app->components[0].trigger_sources[1].url, "u");
	ociwp_app_free(app);
}

Test(trigger_deps, a_named_component_is_resolved)
{
	assert_lock(APP T("t", "dependencies.middleware = [{ component = \"m\" }]\n") A
	            "[component.m]\nsource = \"mm.wasm\"\n",
	            0, "file:///nowhere/mm.wasm");
}
