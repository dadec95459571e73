/* SPDX-License-Identifier: Apache-2.0 */
#include "apps.h"

/* spin.md 1.1 */
Test(manifest, the_version_is_the_string_one_or_the_number_two)
{
	assert_refused("", 0, OCIW_ERR_FORMAT, "lacks the key \"spin_manifest_version\"");
	assert_refused("spin_manifest_version = \"2\"\n", 0, OCIW_ERR_FORMAT,
	               "spin.toml:1:25: unknown manifest version");
	assert_refused("spin_manifest_version = 1\n", 0, OCIW_ERR_FORMAT,
	               "unknown manifest version");
	assert_refused("spin_manifest_version = 2.0\n", 0, OCIW_ERR_FORMAT,
	               "unknown manifest version");
	assert_refused("spin_manifest_version = 2\nspin_version = 2\n", 0, OCIW_ERR_FORMAT, "both");
	assert_refused(
	        "spin_version = 2\n", 0, OCIW_ERR_FORMAT,
	        "unknown key \"spin_version\": in version 2 it is \"spin_manifest_version\"");
}

Test(manifest, what_is_of_version_1_is_told_in_version_2)
{
	assert_refused(
	        "spin_manifest_version = 2\nname = \"t\"\n[trigger]\n", 0, OCIW_ERR_FORMAT,
	        "spin.toml:2:1: unknown key \"name\" in the manifest: in version 2 it belongs "
	        "in [application] [unknown-key]");
	assert_refused(APP "[trigger]\n[[component]]\nid = \"a\"\n", 0, OCIW_ERR_FORMAT,
	               "[[component]] is of version 1: in version 2 a component is [component.ID] "
	               "[wrong-type]");
}

Test(manifest, needed_tables_and_keys_are_missed)
{
	assert_refused("spin_manifest_version = 2\n[trigger]\n", 0, OCIW_ERR_FORMAT,
	               "\"application\"");
	assert_refused("spin_manifest_version = 2\n[application]\n", 0, OCIW_ERR_FORMAT,
	               "[application] lacks the key \"name\"");
	assert_refused(APP, 0, OCIW_ERR_FORMAT, "lacks the key \"trigger\"");
}

Test(manifest, an_empty_trigger_table_is_enough)
{
	assert_lock(APP "[trigger]\n", 0, "\"triggers\":[],\"components\":[]");
}

Test(manifest, metadata_is_left_out_where_empty)
{
	char *text =
	        lock_of(APP "version = \"\"\ndescription = \"\"\nauthors = []\n[trigger]\n", 0);
	cr_assert_str_eq(text,
	                 "{\"spin_lock_version\":0,\"metadata\":{\"name\":\"t\",\"triggers\":{}},"
	                 "\"triggers\":[],\"components\":[]}");
	free(text);
}

Test(manifest, targets_have_three_shapes)
{
	assert_lock(
	        APP
	        "targets = [\"spin-up:3\", {url = \"https://x\"}, {path = \"t.wit\"}]\n[trigger]\n",
	        0, "\"triggers\":{}");
	assert_refused(APP "targets = [{uri = \"x\"}]\n[trigger]\n", 0, OCIW_ERR_FORMAT,
	               "unknown key \"uri\"");
}

/* spin.md 1.3: exactly one of the two. */
Test(manifest, a_variable_is_required_or_has_a_default)
{
	assert_refused(
	        ONE "[variables]\nv = {}\n", 0, OCIW_ERR_FORMAT,
	        "spin.toml:10:1: variable \"v\" must be `required` or have a `default`, and has "
	        "neither [variable]");
	assert_refused(ONE "[variables]\nv = { required = true, default = \"\" }\n", 0,
	               OCIW_ERR_FORMAT, "not both");
	assert_refused(ONE "[variables]\nv = { default = 1 }\n", 0, OCIW_ERR_FORMAT,
	               "must be a string");
	assert_refused(ONE "[variables]\na-b = { default = \"\" }\n", 0, OCIW_ERR_FORMAT,
	               "words must be separated with '_', not '-'");
	assert_lock(
	        ONE
	        "[variables]\nb = { required = false, default = \"\" }\na = { required = true }\n",
	        0, "\"variables\":{\"a\":{},\"b\":{\"default\":\"\"}}");
}

Test(manifest, members_of_a_variable_keep_spins_order)
{
	assert_lock(ONE
	            "[variables]\nv = { secret = true, default = \"x\", description = \"d\" }\n",
	            0, "{\"v\":{\"description\":\"d\",\"default\":\"x\",\"secret\":true}}");
}

Test(manifest, component_ids_are_kebab)
{
	assert_refused(APP "[trigger]\n[component.a_b]\nsource = \"a\"\n", 0, OCIW_ERR_FORMAT,
	               "component id \"a_b\": words must be separated with '-', not '_' [id]");
}

Test(manifest, tool_tables_are_ignored)
{
	assert_lock(APP "[application.tool.x]\ny = 1\n[trigger]\n", 0,
	            "\"metadata\":{\"name\":\"t\"");
}

/* 7.1: the table that is ours, which Spin does not read */
Test(manifest, our_own_tool_table_is_checked_unless_spin_is_followed)
{
	static const struct {
		const char *table, *part;
	} rows[] = {
	        {"annotation = {}", "did you mean \"annotations\"?"},
	        {"annotations = 1", "\"annotations\""},
	        {"annotations = { a = 1 }", "\"a\""},
	        {"annotations = { \"\" = \"x\" }", "an annotation has no key"},
	};
	assert_lock(APP "[application.tool.oci-wasm]\nannotations = { a = \"b\" }\n[trigger]\n", 0,
	            "\"metadata\":{\"name\":\"t\"");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[256];
		snprintf(text, sizeof(text), APP "[application.tool.oci-wasm]\n%s\n[trigger]\n",
		         rows[i].table);
		assert_refused(text, 0, OCIW_ERR_FORMAT, rows[i].part);
		assert_lock(text, OCIWP_APP_COMPAT_SPIN, "\"metadata\":{\"name\":\"t\"");
	}
}

Test(manifest, thousands_of_components_are_refused)
{
	ociwp_buf text = OCIWP_BUF_INIT;
	ociwp_buf_puts(&text, APP "[trigger]\n");
	for (int i = 0; i <= OCIWP_MANIFEST_MAX_ITEMS; i++)
		ociwp_buf_printf(&text, "[component.a%d]\nsource = \"\"\n", i);
	assert_refused(text.data, 0, OCIW_ERR_LIMIT, "components");
	ociwp_buf_deinit(&text);
}
