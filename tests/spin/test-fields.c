/* SPDX-License-Identifier: Apache-2.0 */
#include "spin/fields.h"
#include "apps.h"

static const char *const keys[] = {"source", "files", "description", NULL};

Test(fields, the_nearest_word_is_near)
{
	cr_assert_str_eq(ociwp_nearest_word("sourze", keys), "source");
	cr_assert_str_eq(ociwp_nearest_word("file", keys), "files");
	cr_assert_str_eq(ociwp_nearest_word("descriXtion", keys), "description");
	cr_assert_null(ociwp_nearest_word("qqqq", keys));
	cr_assert_null(ociwp_nearest_word("", keys));
}

Test(fields, an_unknown_key_names_its_place_and_the_nearest_one)
{
	assert_refused(ONE "filez = []\n", 0, OCIW_ERR_FORMAT,
	               "spin.toml:9:1: component \"a\": unknown key \"filez\" in the component, "
	               "did you mean "
	               "\"files\"? [unknown-key]");
}

Test(fields, a_far_key_gets_the_whole_list)
{
	assert_refused("spin_manifest_version = 2\nwat = 1\n", 0, OCIW_ERR_FORMAT,
	               "expected one of spin_manifest_version, application, variables, trigger, "
	               "component");
}

Test(fields, a_missing_key_may_be_there_misspelt)
{
	assert_refused("spin_manifest_verson = 2\n", 0, OCIW_ERR_FORMAT,
	               "spin.toml:1:1: the manifest lacks the key \"spin_manifest_version\", is "
	               "\"spin_manifest_verson\" meant to be it? [missing-key]");
}

Test(fields, a_wrong_type_says_what_is_wanted)
{
	assert_refused(
	        APP "version = 1\n", 0, OCIW_ERR_FORMAT,
	        "spin.toml:4:11: \"version\" of [application] must be a string, not an integer "
	        "[wrong-type]");
	assert_refused(ONE "files = \"x\"\n", 0, OCIW_ERR_FORMAT, "must be an array, not a string");
	assert_refused(ONE "exclude_files = [1]\n", 0, OCIW_ERR_FORMAT,
	               "must be an array of strings, not an integer");
	assert_refused(
	        ONE "environment = { A = 1 }\n", 0, OCIW_ERR_FORMAT,
	        "\"A\" in \"environment\" of the component must be a string, not an integer");
	assert_refused(ONE "tool = { x = 1 }\n", 0, OCIW_ERR_FORMAT,
	               "\"x\" in \"tool\" of the component must be a table, not an integer");
	assert_refused(ONE "dependencies_inherit_configuration = 1\n", 0, OCIW_ERR_FORMAT,
	               "must be true or false");
}

/* spin.md 2.5. */
Test(fields, values_become_json)
{
	const char *text = "i = 9007199254740993\nf = 2.0\nn = nan\np = inf\nwhen = 1979-05-27\nl "
	                   "= [true, {k = 1}]\n";
	ociwp_toml *root = NULL;
	ociwp_toml_problem why;
	cr_assert_eq(ociwp_toml_parse((ociw_span){text, strlen(text)}, &root, &why), 0);
	json_t *json = ociwp_toml_to_json(root);
	char *got = json_dumps(json, JSON_COMPACT);
	cr_assert_str_eq(
	        got,
	        "{\"i\":9007199254740993,\"f\":2.0,\"n\":null,\"p\":null,\"when\":\"1979-05-27\","
	        "\"l\":[true,{\"k\":1}]}");
	free(got);
	json_decref(json);
	ociwp_toml_free(root);
}
