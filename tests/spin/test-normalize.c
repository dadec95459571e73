/* SPDX-License-Identifier: Apache-2.0 */
#include "apps.h"

#define A "[component.a]\nsource = \"a.wasm\"\n"
#define HTTP "[[trigger.http]]\n"

static char *profile_lock(const char *toml, const char *profile, unsigned flags, int want)
{
	ociwp_report report = report_for(flags);
	ociwp_app *app = NULL;
	int r = ociwp_app_load_text((ociw_span){toml, strlen(toml)}, "/nowhere/spin.toml", profile,
	                            &report, &app, NULL);
	cr_assert_eq(r, want);
	char *text = r == 0 ? lock_text(app->lock, false) : NULL;
	ociwp_app_free(app);
	return text;
}

/* spin.md 1.4 item 1 */
Test(normalize, trigger_ids_are_natural_then_counted)
{
	char *text = lock_of(APP HTTP "component = \"a\"\n" HTTP "component = \"a\"\n" HTTP
	                              "id = \"http-trigger2\"\ncomponent = \"a\"\n" HTTP
	                              "component = \"a\"\n" A,
	                     0);
	cr_assert_not_null(strstr(text, "\"id\":\"a-http-trigger\""));
	cr_assert_not_null(strstr(text, "\"id\":\"http-trigger1\""));
	cr_assert_not_null(strstr(text, "\"id\":\"http-trigger3\""));
	free(text);
}

Test(normalize, numbers_start_again_with_each_type)
{
	char *text = lock_of(APP HTTP "x = 1\n[[trigger.redis]]\nchannel = \"c\"\n" A, 0);
	cr_assert_not_null(strstr(text, "\"id\":\"http-trigger1\""));
	cr_assert_not_null(strstr(text, "\"id\":\"redis-trigger1\""));
	free(text);
}

Test(normalize, twins_are_refused_unless_spin_is_followed)
{
	static const char text[] =
	        APP HTTP "id = \"x\"\ncomponent = \"a\"\n" HTTP "id = \"x\"\ncomponent = \"a\"\n" A;
	assert_refused(text, 0, OCIW_ERR_FORMAT, "another trigger has the id \"x\"");
	assert_lock(text, OCIWP_APP_COMPAT_SPIN, "\"id\":\"x\"");
}

/* item 2 */
Test(normalize, inline_components_are_named_after_their_trigger)
{
	assert_lock(APP HTTP "id = \"front\"\ncomponent = { source = \"f.wasm\" }\n", 0,
	            "\"id\":\"front-component\"");
	assert_lock(
	        APP HTTP
	        "id = \"front\"\ncomponent = { source = \"f.wasm\" }\n[component.front-component]\n"
	        "source = \"x\"\n",
	        0, "\"id\":\"inline-component1\"");
	assert_lock(APP HTTP "id = \"no kebab\"\ncomponent = { source = \"f.wasm\" }\n", 0,
	            "\"id\":\"inline-component1\"");
}

Test(normalize, inline_numbers_skip_what_is_taken)
{
	assert_lock(
	        APP HTTP
	        "id = \"!\"\ncomponent = { source = \"f.wasm\" }\n[component.inline-component1]\n"
	        "source = \"x\"\n",
	        0, "\"component\":\"inline-component2\"");
}

/* item 3 */
Test(normalize, a_profile_replaces_and_merges)
{
	static const char toml[] =
	        ONE "environment = { K = \"1\", L = \"1\" }\n[component.a.profile.dbg]\n"
	            "source = \"d.wasm\"\nenvironment = { K = \"2\" }\nbuild.command = \"mk\"\n"
	            "dependencies = { \"x:y\" = { path = \"p.wasm\" } }\n";
	char *text = profile_lock(toml, "dbg", 0, 0);
	cr_assert_not_null(strstr(text, "\"env\":{\"K\":\"2\",\"L\":\"1\"}"));
	cr_assert_not_null(strstr(text, "\"build\":{\"command\":\"mk\"}"));
	cr_assert_not_null(strstr(text, "\"x:y\""));
	cr_assert_not_null(strstr(text, "\"profile\":\"dbg\""));
	free(text);
	text = profile_lock(toml, NULL, 0, 0);
	cr_assert_null(strstr(text, "\"x:y\""));
	free(text);
}

Test(normalize, a_profile_that_nobody_has_is_a_mistake)
{
	profile_lock(ONE, "dbg", 0, OCIW_ERR_NOTFOUND);
	char *text = profile_lock(ONE, "dbg", OCIWP_APP_COMPAT_SPIN, 0);
	cr_assert_not_null(strstr(rules, "profile"));
	free(text);
}

/* item 4 */
Test(normalize, inheriting_by_component_or_by_dependency_but_not_both)
{
	assert_refused(ONE
	               "dependencies_inherit_configuration = false\n[component.a.dependencies]\n"
	               "\"a:b\" = { path = \"x\", inherit_configuration = true }\n",
	               0, OCIW_ERR_FORMAT, "exclude each other");
	char *text = lock_of(
	        ONE "dependencies_inherit_configuration = true\n[component.a.dependencies]\n"
	            "\"a:b\" = { path = \"x\" }\n\"a:c\" = \"1\"\n",
	        0);
	cr_assert_not_null(strstr(text, "\"export\":null,\"inherit\":\"All\"},\"a:c\""), "%s",
	                   text);
	cr_assert_not_null(strstr(text, "\"export\":null}}"), "no effect on a bare version: %s",
	                   text);
	free(text);
}

/* item 5 */
Test(normalize, a_component_may_be_a_dependency_when_it_has_nothing_else)
{
	static const char *const rows[] = {"ai_models = [\"m\"]",
	                                   "allowed_http_hosts = [\"h\"]",
	                                   "allowed_outbound_hosts = [\"http://h\"]",
	                                   "dependencies = { \"q:r\" = { path = \"x\" } }",
	                                   "environment = { A = \"1\" }",
	                                   "files = [\"x\"]",
	                                   "key_value_stores = [\"s\"]",
	                                   "sqlite_databases = [\"s\"]",
	                                   "variables = { v = \"x\" }"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		char text[600];
		snprintf(text, sizeof(text),
		         ONE "[component.a.dependencies]\n\"x:y\" = { component = \"b\" "
		             "}\n[component.b]\n"
		             "source = \"b.wasm\"\n%s\n",
		         rows[i]);
		char key[64];
		snprintf(key, sizeof(key), "because it has %.*s", (int)strcspn(rows[i], " "),
		         rows[i]);
		assert_refused(text, 0, OCIW_ERR_FORMAT, key);
	}
}

Test(normalize, an_unknown_component_is_no_dependency)
{
	assert_refused(ONE "[component.a.dependencies]\n\"x:y\" = { component = \"zz\" }\n", 0,
	               OCIW_ERR_FORMAT, "dependency ID \"zz\" does not exist");
}

Test(normalize, the_component_stays_in_the_app)
{
	assert_lock(ONE
	            "[component.a.dependencies]\n\"x:y\" = { component = \"b\" }\n[component.b]\n"
	            "source = { package = \"p:q\", version = \"1.0.0\" }\n",
	            0, "{\"id\":\"b\"");
}
