/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of format/spin-toml: a lock written back as a manifest with directory mounts.
 */
#include "format/spin-toml.h"
#include "fixture.h"

static char *toml_of(const char *json, bool with_file)
{
	ociwp_draft draft;
	ociwp_lock *lock = NULL;
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	draft_begin(&draft, &lock, json);
	if (with_file)
		add_file(&draft.components[0], "a", 5, 1);
	for (size_t i = 0; i < draft.component_count; i++) {
		ociwp_draft_component *component = &draft.components[i];
		component->dependency_count = lock->components[i].dependency_count;
		component->dependencies =
		        ociwp_calloc(component->dependency_count, sizeof(ociwp_source));
		for (size_t j = 0; j < component->dependency_count; j++)
			component->dependencies[j] = make_source(3, (unsigned)j);
	}
	ociw_error *err = NULL;
	cr_assert_eq(ociwp_spin_toml_write(&draft, &text, &err), 0, "%s",
	             err ? ociw_error_message(err) : "");
	ociw_content_free(draft_end(&draft, lock));
	return ociwp_buf_steal(&text);
}

Test(spin_toml, everything_a_lock_has_is_written_back)
{
	OCIWP_AUTO(str)
	char *text = toml_of(
	        "{\"spin_lock_version\":0,\"metadata\":{\"authors\":[\"A\",\"B\"],\"name\":\"t\","
	        "\"trigger\":{\"type\":\"http\"},\"triggers\":{\"http\":{\"base\":\"/\"}},"
	        "\"version\":\"1\"},\"variables\":{\"a\":{\"default\":\"\"},\"b\":{\"secret\":true}"
	        "},"
	        "\"triggers\":[{\"id\":\"one\",\"trigger_type\":\"http\",\"trigger_config\":"
	        "{\"component\":\"web\",\"n\":1.0,\"route\":{\"private\":true},\"x\":null}}],"
	        "\"components\":[{\"id\":\"web\",\"metadata\":{\"ai_models\":[\"m\"],"
	        "\"allowed_outbound_hosts\":[\"http://*:*\"],\"databases\":[\"d\"],"
	        "\"description\":\"a \\\"quoted\\\"\\n\\u0001 \\\\ text\",\"key_value_stores\":"
	        "[\"k\"],\"build\":{\"command\":\"make\",\"watch\":[\"*.c\"]}},\"source\":{"
	        "\"content_type\":\"application/wasm\",\"inline\":"
	        "\"AGFzbQ0AAQA\"},\"env\":{\"K K\":\"v\"},\"config\":{\"tok\":\"{{ b }}\"}}]}",
	        true);
	cr_assert_str_eq(text, "spin_manifest_version = 2\n"
	                       "\n[application]\n"
	                       "name = \"t\"\nversion = \"1\"\nauthors = [\"A\", \"B\"]\n"
	                       "\n[application.trigger.http]\nbase = \"/\"\n"
	                       "\n[variables.a]\ndefault = \"\"\n"
	                       "\n[variables.b]\nrequired = true\nsecret = true\n"
	                       "\n[[trigger.http]]\nid = \"one\"\ncomponent = \"web\"\nn = 1.0\n"
	                       "route = { private = true }\nx = nan\n"
	                       "\n[component.web]\nsource = \"wasm/web.wasm\"\n"
	                       "description = \"a \\\"quoted\\\"\\n\\u0001 \\\\ text\"\n"
	                       "allowed_outbound_hosts = [\"http://*:*\"]\n"
	                       "key_value_stores = [\"k\"]\nsqlite_databases = [\"d\"]\n"
	                       "ai_models = [\"m\"]\n"
	                       "files = [{ source = \"assets/web\", destination = \"/\" }]\n"
	                       "\n[component.web.environment]\n\"K K\" = \"v\"\n"
	                       "\n[component.web.variables]\ntok = \"{{ b }}\"\n"
	                       "\n[component.web.build]\ncommand = \"make\"\nwatch = [\"*.c\"]\n");
}

Test(spin_toml, no_files_and_no_triggers_are_left_out)
{
	OCIWP_AUTO(str)
	char *text =
	        toml_of("{\"spin_lock_version\":0,\"metadata\":{\"name\":\"t\"},\"triggers\":[],"
	                "\"components\":[{\"id\":\"web\",\"source\":{\"content_type\":"
	                "\"application/wasm\",\"inline\":\"AGFzbQ0AAQA\"}}]}",
	                false);
	cr_assert_str_eq(text, "spin_manifest_version = 2\n\n[application]\nname = \"t\"\n"
	                       "\n[trigger]\n\n[component.web]\nsource = \"wasm/web.wasm\"\n");
}

/* Before Spin 2.0 there was one trigger type, and a lock may have no name at all. */
Test(spin_toml, old_metadata_gives_a_whole_manifest)
{
	OCIWP_AUTO(str)
	char *text = toml_of("{\"spin_lock_version\":0,\"metadata\":{\"trigger\":{\"type\":\"http\","
	                     "\"base\":\"/x\"}},\"triggers\":[],\"components\":[]}",
	                     false);
	cr_assert_str_eq(text, "spin_manifest_version = 2\n\n[application]\nname = \"app\"\n"
	                       "\n[application.trigger.http]\nbase = \"/x\"\n\n[trigger]\n");
}

Test(spin_toml, dependencies_are_named_by_path)
{
	OCIWP_AUTO(str)
	char *text =
	        toml_of("{\"spin_lock_version\":0,\"metadata\":{\"name\":\"t\"},\"triggers\":[],"
	                "\"components\":[{\"id\":\"web\",\"source\":{\"content_type\":"
	                "\"application/wasm\",\"inline\":\"AGFzbQ0AAQA\"},"
	                "\"dependencies\":{\"plain\":{\"source\":{\"content_type\":\"application/"
	                "wasm\",\"inline\":\"AGFzbQ0AAQA\"},\"export\":"
	                "\"e\",\"inherit\":\"All\"},\"ex:dep/"
	                "i\":{\"source\":{\"content_type\":\"application/"
	                "wasm\",\"inline\":\"AGFzbQ0AAQA\"},"
	                "\"export\":null,\"inherit\":{\"Some\":[\"ai_models\"]}}}}]}",
	                false);
	cr_assert(strstr(text, "\n[component.web.dependencies]\nplain = { path = \"wasm/deps/"),
	          "%s", text);
	cr_assert(strstr(text, ".wasm\", export = \"e\", inherit_configuration = true }\n"
	                       "\"ex:dep/i\" = { path = \"wasm/deps/"),
	          "%s", text);
	cr_assert(strstr(text, ".wasm\", inherit_configuration = [\"ai_models\"] }\n"), "%s", text);
}
