/* SPDX-License-Identifier: Apache-2.0
 *
 * Running out of memory anywhere between spin.toml, lock and findings is OCIW_ERR_NOMEM, and leaks
 * nothing. (toml++ takes its memory from the C++ library, which is not made to fail.)
 */
#include "../spin/apps.h"
#include "fail-alloc.h"
#include <oci-wasm/spin.h>

static const char manifest[] =
        APP "version = \"1\"\nauthors = [\"a\"]\n[application.trigger.http]\nbase = \"/\"\n"
            "[variables]\nv = { default = \"h\", description = \"d\", secret = true }\n"
            "[[trigger.http]]\nid = \"one\"\nroute = \"/\"\ncomponent = \"a\"\n"
            "dependencies.middleware = [{ path = \"m.wasm\", inherit_configuration = true }]\n"
            "[[trigger.http]]\nroute = \"/2\"\ncomponent = \"a\"\n"
            "[[trigger.http]]\nroute = \"/3\"\ncomponent = { source = \"i.wasm\" }\n"
            "[component.a]\nsource = \"a.wasm\"\ndescription = \"d\"\nenvironment = { A = \"1\" }\n"
            "allowed_outbound_hosts = [\"http://{{ v }}\", \"http://b.spin.internal\"]\n"
            "allowed_http_hosts = [\"x\"]\nkey_value_stores = [\"s\"]\n"
            "variables = { k = \"{{ v }}\" }\n"
            "files = [\"d/*\", { source = \"d\", destination = \"/e\" }, \"f\"]\n"
            "exclude_files = [\"*.c\"]\ndependencies_inherit_configuration = true\n"
            "[component.a.build]\ncommand = [\"x\"]\nwatch = [\"y\"]\nworkdir = \"z\"\n"
            "[component.a.dependencies]\n\"x:y/z@1.0.0\" = { path = \"d.wasm\" }\n"
            "plain = { component = \"b\" }\n"
            "[component.a.profile.p]\nsource = \"p.wasm\"\nenvironment = { B = \"2\" }\n"
            "build.command = \"mk\"\ndependencies = { \"q:r\" = \"1\" }\n"
            "[component.b]\nsource = { url = \"u\", digest = \"sha256:0\" }\n";

static const char manifest_v1[] =
        V1 "[[component]]\nid = \"A_B\"\nsource = \"a\"\nallowed_http_hosts = [\"h:81\"]\n"
           "trigger = { route = \"/\" }\n[component.config]\nk = \"v\"\n";

static int run_load(void *data, ociw_error **err)
{
	ociwp_report report = {.file = "spin.toml"};
	ociwp_app *app = NULL;
	const char *text = data;
	char path[128];
	ociwp_limits_get(NULL, &report.limits);
	snprintf(path, sizeof(path), "%s/spin.toml", scratch);
	int r = ociwp_app_load_text((ociw_span){text, strlen(text)}, path,
	                            text == manifest ? "p" : NULL, &report, &app, err);
	ociwp_app_free(app);
	return r;
}

static int run_lock(void *data, ociw_error **err)
{
	ociwp_buf buf = OCIWP_BUF_INIT;
	ociw_writer *writer = NULL;
	ociwp_lock *lock = NULL;
	int r = ociwp_lock_parse((ociw_span){data, strlen(data)}, NULL, &lock, err);
	if (r == 0)
		r = ociwp_writer_new_buf(&buf, 1 << 20, &writer, err);
	if (r == 0)
		r = ociwp_lock_write(lock, true, writer, err);
	if (r == 0) {
		r = ociw_writer_commit(writer, err);
		writer = NULL;
	}
	ociw_writer_abort(writer);
	ociwp_lock_free(lock);
	ociwp_buf_deinit(&buf);
	return r;
}

static int run_check(void *data, ociw_error **err)
{
	(void)data;
	int r = ociw_spin_check(scratch, NULL, NULL, NULL, err);
	return r > 0 ? 0 : r;
}

static void make_app(void)
{
	scratch_make();
	put("d/x.txt", "x");
	put("d/y.c", "y");
	put("f", "f");
	link_to("x.txt", "d/link");
}

TestSuite(nomem_spin, .init = make_app, .fini = scratch_remove);

Test(nomem_spin, manifests)
{
	cr_assert_gt(fail_alloc_each("version 2", run_load, (void *)manifest), 100);
	cr_assert_gt(fail_alloc_each("version 1", run_load, (void *)manifest_v1), 20);
}

#define D "sha256:8f130c368901b6a1a48ad421cf506120ab51333017be8b95dce9f6462a505035"

Test(nomem_spin, locks)
{
	static const char text[] =
	        "{\"spin_lock_version\":1,\"must_understand\":[\"host_requirements\"],\"metadata\":"
	        "{"
	        "\"a\":{\"b\":1}},\"host_requirements\":{\"middleware\":1},\"variables\":{\"v\":{}}"
	        ","
	        "\"triggers\":[{\"id\":\"t\",\"trigger_type\":\"http\",\"trigger_config\":{}}],"
	        "\"components\":[{\"id\":\"a\",\"source\":{\"content_type\":\"w\",\"inline\":"
	        "\"AA\",\"digest\":\"" D "\"},\"env\":{\"E\":\"1\"},\"files\":[{\"digest\":\"" D
	        "\",\"path\":\"p\"},{\"digest\":\"" D "\",\"path\":\"\\u0070q\"}],"
	        "\"dependencies\":{\"x\":{\"source\":{\"content_type\":\"w\",\"source\":\"u\"},"
	        "\"export\":\"e\",\"inherit\":\"All\"}},\"trigger_dependencies\":{\"m\":[{"
	        "\"source\":{\"content_type\":\"w\",\"source\":\"u\"}}]}}]}";
	cr_assert_gt(fail_alloc_each("lock", run_lock, (void *)text), 50);
}

Test(nomem_spin, findings)
{
	put("spin.toml", ONE "files = [\"d\"]\nfilez = 1\n");
	cr_assert_gt(fail_alloc_each("check", run_check, NULL), 20);
}
