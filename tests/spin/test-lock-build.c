/* SPDX-License-Identifier: Apache-2.0 */
#include "spin/lock-build.h"
#include "apps.h"

Test(lock_build, file_urls_quote_what_urls_quote)
{
	static const char *const rows[][2] = {{"/a/b.wasm", "file:///a/b.wasm"},
	                                      {"/a b", "file:///a%20b"},
	                                      {"/\xc3\xa9", "file:///%C3%A9"},
	                                      {"/%#?", "file:///%25%23%3F"},
	                                      {"/a[1]~'()!", "file:///a[1]~'()!"}};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		char *url = ociwp_file_url(rows[i][0]);
		cr_assert_str_eq(url, rows[i][1]);
		free(url);
	}
}

/* spin.md 2.4, the worked example, without what packing adds. */
Test(lock_build, the_worked_example_comes_out)
{
	static const char toml[] =
	        "spin_manifest_version = 2\n[application]\nname = \"shop\"\nversion = \"1.2.3\"\n"
	        "description = \"Tiny shop\"\nauthors = [\"Ana <ana@example.org>\", \"Bo\"]\n"
	        "[application.trigger.http]\nbase = \"/\"\n[variables]\n"
	        "token = { required = true, secret = true }\ngreeting = { default = \"hi\" }\n"
	        "[[trigger.http]]\nroute = \"/api/...\"\ncomponent = \"api\"\n"
	        "[[trigger.http]]\nid = \"front\"\nroute = \"/...\"\ncomponent = { source = "
	        "\"front.wasm\" }\n"
	        "[component.api]\nsource = \"api.wasm\"\ndescription = \"JSON API\"\n"
	        "environment = { MODE = \"prod\", A = \"1\" }\n"
	        "allowed_outbound_hosts = [\"https://{{ greeting }}.example.com\", "
	        "\"http://front-component.spin.internal\"]\nkey_value_stores = [\"default\"]\n"
	        "sqlite_databases = [\"main-db\"]\nai_models = [\"llama2-chat\"]\n"
	        "variables = { tok = \"{{ token }}\" }\n[component.api.build]\ncommand = \"make "
	        "api\"\n"
	        "workdir = \"api\"\nwatch = [\"src/*.c\"]\n";
	char *text = lock_of(toml, 0);
	cr_assert_str_eq(
	        text,
	        "{\"spin_lock_version\":1,\"must_understand\":[\"component_host_requirements\"],"
	        "\"metadata\":{"
	        "\"authors\":[\"Ana <ana@example.org>\",\"Bo\"],\"description\":\"Tiny "
	        "shop\",\"name\":"
	        "\"shop\",\"trigger\":{\"base\":\"/"
	        "\",\"type\":\"http\"},\"triggers\":{\"http\":{\"base\":"
	        "\"/"
	        "\"}},\"version\":\"1.2.3\"},\"variables\":{\"greeting\":{\"default\":\"hi\"},"
	        "\"token\":{"
	        "\"secret\":true}},\"triggers\":[{\"id\":\"api-http-trigger\",\"trigger_type\":"
	        "\"http\","
	        "\"trigger_config\":{\"component\":\"api\",\"route\":\"/api/"
	        "...\"}},{\"id\":\"front\","
	        "\"trigger_type\":\"http\",\"trigger_config\":{\"component\":\"front-component\","
	        "\"route\":"
	        "\"/"
	        "...\"}}],\"components\":[{\"id\":\"api\",\"metadata\":{\"ai_models\":[\"llama2-"
	        "chat\"],"
	        "\"allowed_outbound_hosts\":[\"https://{{ greeting }}.example.com\","
	        "\"http://front-component.spin.internal\"],\"build\":{\"command\":\"make "
	        "api\",\"watch\":["
	        "\"src/"
	        "*.c\"],\"workdir\":\"api\"},\"databases\":[\"main-db\"],\"description\":\"JSON "
	        "API\","
	        "\"key_value_stores\":[\"default\"]},\"source\":{\"content_type\":\"application/"
	        "wasm\"},"
	        "\"env\":{\"A\":\"1\",\"MODE\":\"prod\"},\"config\":{\"tok\":\"{{ token }}\"},"
	        "\"host_requirements\":{\"local_service_chaining\":\"required\"}},{\"id\":\"front-"
	        "component\","
	        "\"source\":{\"content_type\":\"application/wasm\"}}]}");
	free(text);
}

Test(lock_build, sources_are_seen_from_the_app)
{
	ociwp_app *app = NULL;
	cr_assert_eq(
	        load(APP "[trigger]\n[component.a]\nsource = \"../x/./a.wasm\"\n", 0, &app, NULL),
	        0);
	cr_assert_str_eq(app->components[0].source.path, "/x/a.wasm");
	ociwp_app_free(app);
}

Test(lock_build, files_are_known_before_they_are_found)
{
	ociwp_app *app = NULL;
	cr_assert_eq(load(ONE "files = [\"x\"]\n", OCIWP_APP_NO_FILES, &app, NULL), 0);
	cr_assert(app->lock->components[0].has_files);
	cr_assert_eq(app->lock->components[0].file_count, 0);
	ociwp_app_free(app);
}
