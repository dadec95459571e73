/* SPDX-License-Identifier: Apache-2.0 */
#include "apps.h"

#define COMPONENT(id)                                                                              \
	"[[component]]\nid = \"" id "\"\nsource = \"a.wasm\"\n[component.trigger]\nroute = "       \
	                            "\"/\"\n"

/* spin.md 1.6 */
Test(manifest_v1, ids_are_mended_before_they_are_judged)
{
	assert_lock(V1 COMPONENT("Hello_World"), 0, "\"id\":\"trigger-hello-world\"");
	assert_lock(V1 COMPONENT("keep-ME"), 0, "\"id\":\"keep-ME\"");
	assert_refused(V1 COMPONENT("1x"), 0, OCIW_ERR_FORMAT, "component id \"1x\"");
}

Test(manifest_v1, the_trigger_type_is_taken_out_of_the_table)
{
	assert_lock(V1 COMPONENT("a"), 0,
	            "\"trigger\":{\"base\":\"/"
	            "\",\"type\":\"http\"},\"triggers\":{\"http\":{\"base\":\"/\"}}");
	assert_lock("spin_version = \"1\"\nname = \"x\"\ntrigger = { type = \"redis\" }\n", 0,
	            "\"triggers\":{\"redis\":{}}");
}

Test(manifest_v1, databases_are_open_unless_hosts_are_named)
{
	assert_lock(
	        V1 COMPONENT("a"), 0,
	        "\"allowed_outbound_hosts\":[\"redis://*:*\",\"mysql://*:*\",\"postgres://*:*\"]");
	char *text = lock_of(
	        V1 "[[component]]\nid = \"a\"\nsource = \"a\"\nallowed_outbound_hosts = []\n"
	           "trigger = {}\n",
	        0);
	cr_assert_null(strstr(text, "allowed_outbound_hosts"));
	free(text);
}

Test(manifest_v1, old_hosts_are_converted)
{
	assert_lock(V1
	            "[[component]]\nid = \"a\"\nsource = \"a\"\nallowed_http_hosts = [\"h:81\"]\n"
	            "allowed_outbound_hosts = [\"redis://r\"]\ntrigger = {}\n",
	            0, "[\"redis://r\",\"http://h:81\",\"https://h:81\"]");
}

Test(manifest_v1, config_becomes_the_components_variables)
{
	assert_lock(
	        V1
	        "[variables]\nv = { default = \"x\" }\n[[component]]\nid = \"a\"\nsource = \"a\"\n"
	        "trigger = {}\n[component.config]\nk = \"{{ v }}\"\n",
	        0, "\"config\":{\"k\":\"{{ v }}\"}");
	assert_refused(
	        V1 "[[component]]\nid = \"a\"\nsource = \"a\"\ntrigger = {}\n[component.config]\n"
	           "K = \"x\"\n",
	        0, OCIW_ERR_FORMAT, "variable \"K\"");
}

Test(manifest_v1, the_last_of_two_with_one_id_wins_in_spin_only)
{
	static const char text[] = V1 COMPONENT("a-b") COMPONENT(
	        "z") "[[component]]\nid = \"A_B\"\nsource = \"last.wasm\"\ndescription = \"last\"\n"
	             "[component.trigger]\nroute = \"/2\"\n";
	assert_refused(text, 0, OCIW_ERR_FORMAT, "another component has this id");
	char *lock = lock_of(text, OCIWP_APP_COMPAT_SPIN);
	const char *components = strstr(lock, "\"components\"");
	cr_assert_lt(strstr(components, "\"last\""), strstr(components, "\"id\":\"z\""));
	cr_assert_not_null(strstr(lock, "\"route\":\"/2\""));
	free(lock);
}

Test(manifest_v1, labels_are_free)
{
	assert_lock(V1 "[[component]]\nid = \"a\"\nsource = \"a\"\nkey_value_stores = "
	               "[\"a.b\"]\ntrigger = {}\n",
	            0, "\"key_value_stores\":[\"a.b\"]");
}

Test(manifest_v1, keys_of_version_two_are_unknown)
{
	assert_refused(V1 "[application]\nname = \"x\"\n", 0, OCIW_ERR_FORMAT, "unknown key");
	assert_refused(V1
	               "[[component]]\nid = \"a\"\nsource = \"a\"\nvariables = {}\ntrigger = {}\n",
	               0, OCIW_ERR_FORMAT, "unknown key \"variables\"");
	assert_refused(V1 "[[component]]\nid = \"a\"\nsource = \"a\"\n", 0, OCIW_ERR_FORMAT,
	               "lacks the key \"trigger\"");
}

Test(manifest_v1, a_remote_source_is_a_table)
{
	assert_lock(
	        V1
	        "[[component]]\nid = \"a\"\ntrigger = {}\n[component.source]\nurl = \"https://x\"\n"
	        "digest = \"sha256:00\"\n",
	        0, "\"id\":\"a\"");
}
