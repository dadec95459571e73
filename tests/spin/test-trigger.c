/* SPDX-License-Identifier: Apache-2.0 */
#include "apps.h"

#define TRIGGER(text) APP "[[trigger.http]]\n" text "\n[component.a]\nsource = \"a.wasm\"\n"

Test(trigger, unknown_keys_are_opaque_and_sorted)
{
	assert_lock(TRIGGER("z = 1\ncomponent = \"a\"\nm = { y = 2, x = [1.0, true] }"), 0,
	            "\"trigger_config\":{\"component\":\"a\",\"m\":{\"x\":[1.0,true],\"y\":2},"
	            "\"z\":1}");
}

/* spin.md 2.5 */
Test(trigger, odd_values_have_their_json)
{
	assert_lock(TRIGGER("d = 1979-05-27T07:32:00Z\nn = nan\np = -inf\nf = 1e21\ns = 1e-7\nz = "
	                    "-0.0"),
	            0,
	            "{\"d\":\"1979-05-27T07:32:00Z\",\"f\":1e+21,\"n\":null,\"p\":null,\"s\":1e-7,"
	            "\"z\":-0.0}");
}

Test(trigger, a_component_is_an_id_or_a_table)
{
	assert_refused(TRIGGER("component = 1"), 0, OCIW_ERR_FORMAT, "a component id or a table");
	assert_refused(TRIGGER("component = \"a_b\""), 0, OCIW_ERR_FORMAT, "component id \"a_b\"");
	assert_refused(TRIGGER("component = { sourze = \"x\" }"), 0, OCIW_ERR_FORMAT,
	               "unknown key \"sourze\" in the inline component, did you mean \"source\"?");
}

Test(trigger, a_type_is_an_array_of_tables)
{
	assert_refused(APP "[trigger.http]\nroute = \"/\"\n", 0, OCIW_ERR_FORMAT,
	               "an array of tables ([[trigger.TYPE]])");
	assert_lock(APP "[trigger]\nhttp = []\n", 0, "\"trigger\":{\"type\":\"http\"}");
}

/* spin.md 2.3, quirk. */
Test(trigger, the_role_map_is_not_written)
{
	char *text = lock_of(
	        TRIGGER("component = \"a\"\ncomponents.r = [\"a\", { source = \"i.wasm\" }]\n"
	                "components.s = { source = \"j.wasm\" }"),
	        0);
	cr_assert_null(strstr(text, "\"components\":{"));
	cr_assert_not_null(strstr(text, "\"id\":\"inline-component1\""), "%s", text);
	cr_assert_not_null(strstr(text, "\"id\":\"inline-component2\""));
	free(text);
}

Test(trigger, settings_of_a_single_type_stand_twice)
{
	assert_lock(ONE "[application.trigger.http]\nbase = \"/x\"\n", 0,
	            "\"trigger\":{\"base\":\"/"
	            "x\",\"type\":\"http\"},\"triggers\":{\"http\":{\"base\":\"/x\"}}");
	char *text = lock_of(ONE "[[trigger.redis]]\nchannel = \"c\"\ncomponent = \"a\"\n", 0);
	cr_assert_null(strstr(text, "\"trigger\":{"));
	free(text);
}

Test(trigger, roles_are_arrays_of_dependencies)
{
	assert_refused(TRIGGER("component = \"a\"\ndependencies.middleware = {}"), 0,
	               OCIW_ERR_FORMAT, "an array of tables");
	assert_refused(TRIGGER("component = \"a\"\ndependencies.middleware = [\"1\"]"), 0,
	               OCIW_ERR_FORMAT, "must be a table");
	assert_refused(
	        TRIGGER("component = \"a\"\ndependencies.middleware = [{ version = \"1\" }]"), 0,
	        OCIW_ERR_FORMAT, "lacks the key \"package\"");
	assert_refused(
	        TRIGGER("component = \"a\"\ndependencies.middleware = [{ path = \"x\", export = "
	                "\"e\" }]"),
	        0, OCIW_ERR_FORMAT, "unknown key \"export\"");
}
