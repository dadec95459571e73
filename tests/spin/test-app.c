/* SPDX-License-Identifier: Apache-2.0 */
#include "apps.h"

TestSuite(app, .init = scratch_make, .fini = scratch_remove);

static char warned[1000];

static int on_event(const ociw_event *event, void *user_data)
{
	(void)user_data;
	snprintf(warned, sizeof(warned), "%s", event->message ? event->message : "");
	return 0;
}

Test(app, a_folder_stands_for_its_manifest)
{
	put("spin.toml", ONE);
	ociwp_app *app = NULL;
	cr_assert_eq(ociwp_app_load(scratch, NULL, 0, NULL, &app, NULL), 0);
	cr_assert_str_eq(app->root, scratch);
	cr_assert_str_eq(app->manifest_path, in_scratch("spin.toml"));
	cr_assert_str_eq(app->components[0].source.path, in_scratch("a.wasm"));
	cr_assert_str_eq(app->components[0].id, "a");
	ociwp_app_free(app);
}

Test(app, other_names_of_manifests_work)
{
	put("sub/other.toml", ONE "files = [\"f.txt\"]\n");
	put("sub/f.txt", "x");
	ociwp_app *app = NULL;
	cr_assert_eq(ociwp_app_load(in_scratch("sub/other.toml"), NULL, 0, NULL, &app, NULL), 0);
	cr_assert_eq(app->components[0].file_count, 1);
	ociwp_app_free(app);
}

Test(app, what_is_not_there_is_said)
{
	ociwp_app *app = NULL;
	ociw_error *err = NULL;
	cr_assert_eq(ociwp_app_load(in_scratch("nope.toml"), NULL, 0, NULL, &app, &err),
	             OCIW_ERR_NOTFOUND);
	cr_assert_not_null(strstr(ociw_error_message(err), "nope.toml"));
	ociw_error_free(err);
	err = NULL;
	cr_assert_eq(ociwp_app_load(scratch, NULL, 0, NULL, &app, &err), OCIW_ERR_NOTFOUND);
	ociw_error_free(err);
}

Test(app, only_files_are_read)
{
	cr_assert_eq(mkfifo(in_scratch("spin.toml"), 0600), 0);
	ociwp_app *app = NULL;
	cr_assert_eq(ociwp_app_load(scratch, NULL, 0, NULL, &app, NULL), OCIW_ERR_INVALID);
}

Test(app, messages_show_the_path_as_given)
{
	put("spin.toml", "spin_manifest_version = 2\nx = \n");
	ociwp_app *app = NULL;
	ociw_error *err = NULL;
	cr_assert_eq(ociwp_app_load(scratch, NULL, 0, NULL, &app, &err), OCIW_ERR_FORMAT);
	char want[100];
	snprintf(want, sizeof(want), "%s/spin.toml:2:", scratch);
	cr_assert_not_null(strstr(ociw_error_message(err), want), "%s", ociw_error_message(err));
	cr_assert_not_null(strstr(ociw_error_message(err), "[toml]"));
	ociw_error_free(err);
}

/* spin.md 7.3 item 2 */
Test(app, a_trigger_that_names_nothing_is_refused_unless_spin_is_followed)
{
	static const char text[] =
	        APP "[[trigger.http]]\ncomponent = \"zz\"\n[component.a]\nsource = \"a\"\n";
	assert_refused(text, 0, OCIW_ERR_FORMAT,
	               "trigger \"zz-http-trigger\" names component \"zz\", which does not exist");
	assert_lock(text, OCIWP_APP_COMPAT_SPIN, "\"component\":\"zz\"");
	cr_assert_str_eq(rules, "trigger-component ");
}

Test(app, warnings_are_events)
{
	put("spin.toml", ONE "files = [\"d\"]\n");
	put("d/f", "x");
	ociw_op op = OCIW_OP_INIT;
	op.event = on_event;
	ociwp_app *app = NULL;
	warned[0] = '\0';
	cr_assert_eq(ociwp_app_load(scratch, NULL, 0, &op, &app, NULL), 0);
	cr_assert_not_null(strstr(warned, "[files-doubled]"), "%s", warned);
	ociwp_app_free(app);
	cr_assert_eq(ociwp_app_load(scratch, NULL, OCIWP_APP_WERROR, &op, &app, NULL),
	             OCIW_ERR_INVALID);
}

Test(app, a_cancelled_load_ends)
{
	put("spin.toml", ONE);
	ociw_op op = OCIW_OP_INIT;
	ociw_cancel *cancel = ociw_cancel_new();
	ociw_cancel_trigger(cancel);
	op.cancel = cancel;
	ociwp_app *app = NULL;
	cr_assert_eq(ociwp_app_load(scratch, NULL, 0, &op, &app, NULL), OCIW_ERR_CANCELLED);
	ociw_cancel_free(cancel);
}

Test(app, a_huge_manifest_is_refused)
{
	FILE *file = fopen(in_scratch("spin.toml"), "w");
	for (int i = 0; i < 30000; i++)
		fputs("# a comment of forty bytes, more or less\n", file);
	fclose(file);
	ociwp_app *app = NULL;
	cr_assert_eq(ociwp_app_load(scratch, NULL, 0, NULL, &app, NULL), OCIW_ERR_LIMIT);
}

#define THREE_HEAD                                                                                 \
	"spin_manifest_version = 2\n[application]\nname = \"t\"\nversion = \"0.1.0\"\n"            \
	"[[trigger.http]]\nroute = \"/...\"\ncomponent = \"a\"\n"
#define COMPONENT(id, files) "[component." id "]\nsource = \"a.wasm\"\nfiles = [\"" files "\"]\n"

/* Files of several components are looked for at once; what there is to say comes in turn. */
Test(app, warnings_of_components_come_in_the_order_of_the_manifest)
{
	OCIWP_AUTO(app) ociwp_app *app = NULL;
	put("d/one", "1");
	put("d/two", "2");
	cr_assert_eq(load(THREE_HEAD COMPONENT("a", "nothing/*") COMPONENT("b", "d/*")
	                          COMPONENT("c", "d"),
	                  0, &app, NULL),
	             0);
	cr_expect_str_eq(rules, "files-nothing files-doubled ");
	cr_expect_eq(app->components[0].file_count, 0);
	cr_expect_eq(app->components[1].file_count, 2);
	cr_expect_str_eq(app->components[1].files[1].path, "d/two");
	cr_expect_eq(app->components[2].file_count, 2);
	cr_expect_str_eq(app->components[2].files[0].path, "d/d/one");
}

Test(app, the_first_component_that_fails_is_named_after_the_warnings_before_it)
{
	ociwp_app *app = NULL;
	ociw_error *err = NULL;
	put("d/one", "1");
	int r = load(THREE_HEAD COMPONENT("a", "d") COMPONENT("b", "missing")
	                     COMPONENT("c", "missing-too"),
	             0, &app, &err);
	cr_expect_eq(r, OCIW_ERR_NOTFOUND);
	cr_expect(strstr(ociw_error_message(err), "\"missing\""), "%s", ociw_error_message(err));
	cr_expect_str_eq(rules, "files-doubled ");
	ociw_error_free(err);
}

Test(app, the_limit_of_files_is_one_of_the_app)
{
	static const char text[] =
	        THREE_HEAD COMPONENT("a", "d/*") COMPONENT("b", "d/*") COMPONENT("c", "d/*");
	ociwp_report report = report_for(0);
	ociwp_app *app = NULL;
	ociw_error *err = NULL;
	put("d/one", "1");
	put("d/two", "2");
	report.limits.max_entries = 5;
	int r = ociwp_app_load_text((ociw_span){text, strlen(text)}, in_scratch("spin.toml"), NULL,
	                            &report, &app, &err);
	cr_expect_eq(r, OCIW_ERR_LIMIT);
	cr_expect(strstr(ociw_error_message(err), "component \"c\""), "%s",
	          ociw_error_message(err));
	ociw_error_free(err);
	report.limits.max_entries = 6;
	cr_expect_eq(ociwp_app_load_text((ociw_span){text, strlen(text)}, in_scratch("spin.toml"),
	                                 NULL, &report, &app, NULL),
	             0);
	ociwp_app_free(app);
}
