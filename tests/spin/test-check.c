/* SPDX-License-Identifier: Apache-2.0 */
#include "apps.h"

#include <oci-wasm/spin.h>

static char found[4000];
static char texts[4000];

static int note(const ociw_spin_finding *finding, void *user_data)
{
	cr_assert_eq(finding->size, sizeof(*finding));
	snprintf(found + strlen(found), sizeof(found) - strlen(found), "%u:%s:%u:%s|",
	         finding->severity, finding->rule, finding->line,
	         finding->component ? finding->component : "");
	snprintf(texts + strlen(texts), sizeof(texts) - strlen(texts), "%s:%u:%u: %s\n",
	         finding->file + strlen(scratch), finding->line, finding->column, finding->message);
	return user_data != NULL;
}

static int check(const char *toml, uint32_t flags)
{
	ociw_spin_options options = OCIW_SPIN_OPTIONS_INIT;
	ociw_error *err = NULL;
	options.flags = flags;
	put("spin.toml", toml);
	found[0] = texts[0] = '\0';
	int r = ociw_spin_check(scratch, &options, note, NULL, &err);
	cr_assert_geq(r, 0, "%s", err ? ociw_error_message(err) : "");
	return r;
}

static void put_wasm(const char *name)
{
	FILE *file = fopen(in_scratch(name), "w");
	cr_assert_not_null(file);
	cr_assert_eq(fwrite("\0asm\1\0\0", 1, 8, file), 8);
	fclose(file);
}

static void make_app(void)
{
	scratch_make();
	put_wasm("a.wasm");
}

TestSuite(check, .init = make_app, .fini = scratch_remove);

Test(check, a_good_app_gives_nothing)
{
	cr_assert_eq(check(ONE, 0), 0);
	cr_assert_str_eq(found, "");
}

Test(check, a_broken_manifest_is_one_finding_with_its_place)
{
	cr_assert_eq(check(ONE "filez = 1\n", 0), 1);
	cr_assert_str_eq(found, "1:unknown-key:9:a|");
	cr_assert_eq(check("x = \n", 0), 1);
	cr_assert_str_eq(found, "1:toml:1:|");
}

Test(check, traps_are_warnings)
{
	put("d/f", "x");
	cr_assert_eq(check(ONE "files = [\"d\"]\n", 0), 0);
	cr_assert_str_eq(found, "2:files-doubled:9:a|");
	cr_assert_eq(check(ONE "files = [\"d\"]\n", OCIW_SPIN_QUIET_TRAPS), 0);
	cr_assert_str_eq(found, "");
	cr_assert_eq(check(ONE "files = [\"d\"]\n", OCIW_SPIN_WERROR), 1);
	cr_assert_str_eq(found, "1:files-doubled:9:a|");
}

Test(check, missing_sources_are_errors)
{
	cr_assert_eq(
	        check(ONE
	              "[component.a.dependencies]\n\"x:y\" = { path = \"d.wasm\" }\n[component.b]\n"
	              "source = \"b.wasm\"\n",
	              0),
	        2);
	cr_assert_str_eq(found, "1:source-missing:10:a|2:dependencies:7:a|1:source-missing:12:b|"
	                        "2:unused-component:11:b|");
}

Test(check, what_is_no_wasm_is_an_error)
{
	put("a.wasm", "(module)");
	cr_assert_eq(check(ONE, 0), 1);
	cr_assert_str_eq(found, "1:source-wasm:8:a|");
	cr_assert_not_null(strstr(texts, "is wasm text: convert it first"), "%s", texts);
	put("a.wasm", "\177ELF\2\1\1");
	check(ONE, 0);
	cr_assert_not_null(strstr(texts, "is native or precompiled code"), "%s", texts);
	put("a.wasm", "");
	check(ONE, 0);
	cr_assert_not_null(strstr(texts, "is no wasm binary"), "%s", texts);
	cr_assert_eq(remove(in_scratch("a.wasm")), 0);
	cr_assert_eq(mkfifo(in_scratch("a.wasm"), 0600), 0);
	check(ONE, 0);
	cr_assert_not_null(strstr(texts, "is not a file: build the app first"), "%s", texts);
}

Test(check, findings_name_the_manifest_with_its_place)
{
	check(APP "[[trigger.http]]\nrout = \"/\"\ncomponent = \"a\"\n[component.a]\nsource = "
	          "\"a.wasm\"\n",
	      0);
	cr_assert_str_eq(texts,
	                 "/spin.toml:4:1: trigger \"a-http-trigger\": `route` is not there: it "
	                 "is text that begins with '/', or { private = true }\n");
	check(ONE "[component.b]\nsource = \"a.wasm\"\n", 0);
	cr_assert_str_eq(texts,
	                 "/spin.toml:9:12: no trigger names it, and it is packed all the same\n");
	check(ONE "filez = 1\n", 0);
	cr_assert_eq(strncmp(texts, "/spin.toml:9:1: unknown key", 27), 0, "%s", texts);
}

Test(check, triggers_that_the_shim_refuses)
{
	check(APP "[[trigger.cron]]\ncomponent = \"a\"\n[component.a]\nsource = \"a.wasm\"\n", 0);
	cr_assert_str_eq(found, "2:shim-trigger:4:|");
	check(APP "[trigger]\n", 0);
	cr_assert_str_eq(found, "2:no-triggers:0:|");
}

Test(check, what_the_http_trigger_wants)
{
	check(APP "[[trigger.http]]\nroute = \"x\"\ncomponent = \"a\"\n[component.a]\nsource = "
	          "\"a.wasm\"\n",
	      0);
	cr_assert_str_eq(found, "1:http-route:4:|");
	check(APP "[[trigger.http]]\nroute = { private = true }\ncomponent = \"a\"\n[component.a]\n"
	          "source = \"a.wasm\"\n",
	      0);
	cr_assert_str_eq(found, "");
	check(APP "[[trigger.http]]\nroute = \"/\"\n", 0);
	cr_assert_str_eq(found, "1:http-handler:4:|");
	check(APP "[[trigger.http]]\nroute = \"/\"\nstatic_response = { body = \"x\" }\n", 0);
	cr_assert_str_eq(found, "");
	check(APP "[[trigger.redis]]\ncomponent = \"a\"\n[component.a]\nsource = \"a.wasm\"\n", 0);
	cr_assert_str_eq(found, "1:redis-channel:4:|");
}

Test(check, middleware_is_too_new_for_the_shim)
{
	check(APP "[[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\ndependencies.middleware = "
	          "[{ path = "
	          "\"a.wasm\" }]\n[component.a]\nsource = \"a.wasm\"\n",
	      0);
	cr_assert_str_eq(found, "2:shim-middleware:8:a|");
}

Test(check, many_files_cost_at_each_start)
{
	for (int i = 0; i < 101; i++) {
		char name[32];
		snprintf(name, sizeof(name), "d/%d", i);
		put(name, "x");
	}
	cr_assert_eq(check(ONE "files = [\"d/*\"]\n", 0), 0);
	cr_assert_str_eq(found, "3:start-cost:7:a|");
}

Test(check, no_manifest_is_no_finding)
{
	ociw_error *err = NULL;
	cr_assert_eq(ociw_spin_check(in_scratch("nope"), NULL, note, NULL, &err),
	             OCIW_ERR_NOTFOUND);
	ociw_error_free(err);
}

Test(check, the_listener_can_stop_it)
{
	put("spin.toml", ONE "filez = 1\n");
	cr_assert_eq(ociw_spin_check(scratch, NULL, note, found, NULL), OCIW_ERR_CANCELLED);
	put("spin.toml", APP "[trigger]\n");
	cr_assert_eq(ociw_spin_check(scratch, NULL, note, found, NULL), OCIW_ERR_CANCELLED);
}
