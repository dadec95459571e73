/* SPDX-License-Identifier: Apache-2.0 */
#include "apps.h"

#define FILES(text) ONE "files = " text "\n"

static char listed[4096];

static int resolve(const char *toml, unsigned flags, ociw_error **err)
{
	ociwp_app *app = NULL;
	int r = load(toml, flags, &app, err);
	listed[0] = '\0';
	for (size_t i = 0; r == 0 && i < app->components[0].file_count; i++)
		snprintf(listed + strlen(listed), sizeof(listed) - strlen(listed), "%s ",
		         app->components[0].files[i].path);
	ociwp_app_free(app);
	return r;
}

static const char *files(const char *toml, unsigned flags)
{
	ociw_error *err = NULL;
	int r = resolve(toml, flags, &err);
	cr_assert_eq(r, 0, "%s", err ? ociw_error_message(err) : "");
	return listed;
}

static void make_app(void)
{
	scratch_make();
	put("top.txt", "top");
	put("assets/x.txt", "x");
	put("assets/.dot", "dot");
	put("assets/sub/y.txt", "y");
	put("assets/sub/z.css", "z");
	put("other/o.txt", "o");
}

TestSuite(files, .init = make_app, .fini = scratch_remove);

/* spin.md 1.8, string entries */
Test(files, a_file_is_itself)
{
	cr_assert_str_eq(files(FILES("[\"top.txt\", \"./other/o.txt\"]"), 0),
	                 "other/o.txt top.txt ");
	cr_assert_str_eq(rules, "");
}

Test(files, a_folder_is_doubled_with_a_warning)
{
	cr_assert_str_eq(files(FILES("[\"assets\"]"), 0),
	                 "assets/assets/.dot assets/assets/sub/y.txt assets/assets/sub/z.css "
	                 "assets/assets/x.txt ");
	cr_assert_str_eq(rules, "files-doubled ");
	cr_assert_not_null(strstr(messages, "\"assets\" is packed as \"assets/assets/.dot\"; to "
	                                    "have it once, write \"assets/**/*\", or { source = "
	                                    "\"assets\", destination = \"/\" } "),
	                   "%s", messages);
	files(FILES("[\"assets/\"]"), 0);
	cr_assert_not_null(strstr(listed, "assets/assets/x.txt"));
	cr_assert_not_null(strstr(messages, "write \"assets/**/*\""), "%s", messages);
}

Test(files, the_apps_own_folder_cannot_be_doubled)
{
	static const char *const rows[] = {"[\"./\"]", "[\"\"]", "[\"assets/../\"]"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		char toml[300];
		snprintf(toml, sizeof(toml), FILES("%s"), rows[i]);
		cr_assert_not_null(strstr(files(toml, 0), "assets/x.txt"));
		cr_assert_str_eq(rules, "files-everything ", "%s: %s", rows[i], rules);
		cr_assert_not_null(strstr(messages, "write \"./**/*\""), "%s", messages);
	}
}

Test(files, patterns_keep_their_path)
{
	cr_assert_str_eq(files(FILES("[\"assets/*\"]"), 0), "assets/.dot assets/x.txt ");
	cr_assert_str_eq(files(FILES("[\"assets/**/*.txt\"]"), 0),
	                 "assets/sub/y.txt assets/x.txt ");
	cr_assert_str_eq(files(FILES("[\"assets/[xy].txt\", \"to?.txt\"]"), 0),
	                 "assets/x.txt top.txt ");
}

Test(files, two_stars_at_the_end_match_nothing_with_a_warning)
{
	cr_assert_str_eq(files(FILES("[\"assets/**\"]"), 0), "");
	cr_assert_str_eq(rules, "files-nothing ");
	cr_assert_not_null(strstr(messages, "folders only"), "%s", messages);
	cr_assert_not_null(strstr(messages, "write \"assets/**/*\""), "%s", messages);
	files(FILES("[\"nope*\"]"), 0);
	cr_assert_str_eq(rules, "files-nothing ");
	cr_assert_null(strstr(messages, "no folder"), "%s", messages);
	files(FILES("[\"asets/sub/**/*\"]"), 0);
	cr_assert_not_null(strstr(messages, "gives no files: there is no folder \"asets\""), "%s",
	                   messages);
	files(FILES("[\"assets/s/*\", \"assets/?/x/y\"]"), 0);
	cr_assert_str_eq(rules, "files-nothing files-nothing ");
	cr_assert_not_null(strstr(messages, "no folder \"assets/s\""), "%s", messages);
}

Test(files, the_whole_app_gets_spins_own_warning)
{
	files(FILES("[\"*\"]"), 0);
	cr_assert_str_eq(rules, "files-everything ");
	files(FILES("[\"./*\"]"), 0);
	cr_assert_str_eq(rules, "");
}

Test(files, dots_at_the_end_are_refused)
{
	static const char *const rows[] = {"[\".\"]", "[\"..\"]", "[\"assets/.\"]",
	                                   "[\"assets/..\"]"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		char toml[300];
		snprintf(toml, sizeof(toml), FILES("%s"), rows[i]);
		assert_refused(toml, OCIWP_APP_COMPAT_SPIN, OCIW_ERR_FORMAT, "cannot end in a");
	}
}

Test(files, a_name_that_is_not_there_is_an_error)
{
	assert_refused(FILES("[\"nope\"]"), 0, OCIW_ERR_NOTFOUND,
	               "spin.toml:9:10: component \"a\": \"nope\" does not exist and doesn't "
	               "appear to be a "
	               "glob pattern [files-missing]");
	assert_refused(FILES("[\"a**/x\"]"), 0, OCIW_ERR_FORMAT,
	               "pattern \"a**/x\": recursive wildcards must form a single path component");
}

/* placements */
Test(files, a_placed_folder_goes_below_its_destination)
{
	cr_assert_str_eq(files(FILES("[{ source = \"assets\", destination = \"/static\" }]"), 0),
	                 "static/.dot static/sub/y.txt static/sub/z.css static/x.txt ");
	cr_assert_str_eq(files(FILES("[{ source = \"./assets/\", destination = \"/\" }]"), 0),
	                 ".dot sub/y.txt sub/z.css x.txt ");
	cr_assert_str_eq(rules, "");
}

Test(files, a_placed_file_is_its_destination)
{
	cr_assert_str_eq(
	        files(FILES("[{ source = \"top.txt\", destination = \"//etc/t.conf\" }]"), 0),
	        "etc/t.conf ");
	assert_refused(FILES("[{ source = \"top.txt\", destination = \"/\" }]"), 0, OCIW_ERR_FORMAT,
	               "\"/\" is not a valid destination file name");
	assert_refused(FILES("[{ source = \"top.txt\", destination = \"x/\" }]"), 0,
	               OCIW_ERR_FORMAT, "not a valid destination file name");
	assert_refused(FILES("[{ source = \"top.txt\", destination = \"x/.\" }]"), 0,
	               OCIW_ERR_FORMAT, "not a valid destination file name");
	assert_refused(FILES("[{ source = \"nope\", destination = \"/x\" }]"), 0, OCIW_ERR_NOTFOUND,
	               "spin.toml:9:10: component \"a\": \"nope\" does not exist [files-missing]");
	assert_refused(FILES("[{ source = \"assets/*\", destination = \"/x\" }]"), 0,
	               OCIW_ERR_NOTFOUND,
	               "\"assets/*\" does not exist as it is written: only patterns without a "
	               "destination can have wildcards [files-missing]");
	assert_refused(FILES("[{ source = \"top.txt\", destination = \"x/../../y\" }]"), 0,
	               OCIW_ERR_UNSAFE,
	               "\"top.txt\" would land outside of the component's files, as \"x/../../y\"");
}

Test(files, a_link_to_nothing_is_told_as_one)
{
	link_to("nowhere", "assets/broken");
	assert_refused(FILES("[\"assets/broken\"]"), 0, OCIW_ERR_NOTFOUND,
	               "\"assets/broken\" is a symbolic link that leads nowhere [files-missing]");
	assert_refused(FILES("[{ source = \"assets/broken\", destination = \"/b\" }]"), 0,
	               OCIW_ERR_NOTFOUND, "is a symbolic link that leads nowhere [files-missing]");
	files(FILES("[\"assets/*\"]"), 0);
	cr_assert_str_eq(rules, "files-skipped ");
}

Test(files, the_last_definition_wins)
{
	ociwp_app *app = NULL;
	cr_assert_eq(load(FILES("[{ source = \"top.txt\", destination = \"/f\" }, { source = "
	                        "\"assets/x.txt\", destination = \"/f\" }]"),
	                  0, &app, NULL),
	             0);
	cr_assert_eq(app->components[0].file_count, 1);
	cr_assert_str_eq(app->components[0].files[0].source.from.path, in_scratch("assets/x.txt"));
	cr_assert_eq(app->components[0].files[0].source.size, 1);
	ociwp_app_free(app);
}

Test(files, a_path_is_not_file_and_folder)
{
	assert_refused(
	        FILES("[{ source = \"top.txt\", destination = \"f\" }, { source = \"top.txt\", "
	              "destination = \"f.b\" }, { source = \"assets\", destination = \"f\" }]"),
	        0, OCIW_ERR_FORMAT, "\"f\" is a file, and a folder of \"f/.dot\" [files-conflict]");
}

/* excludes */
Test(files, excludes_take_slashes_with_a_warning)
{
	cr_assert_str_eq(
	        files(FILES("[\"assets/**/*\", \"top.txt\"]") "exclude_files = [\"*.txt\"]\n", 0),
	        "assets/.dot assets/sub/z.css top.txt ");
	cr_assert_str_eq(rules, "files-exclude-single exclude-crossing ");
}

Test(files, excludes_that_keep_nothing_out_get_a_warning)
{
	files(FILES("[\"assets/**/*\"]") "exclude_files = [\"assets\", \"assets/\", "
	                                 "\"./assets/*\"]\n",
	      0);
	cr_assert_str_eq(rules, "exclude-nothing exclude-nothing exclude-nothing ");
	cr_assert_str_eq(files(FILES("[\"assets/**/*\"]") "exclude_files = [\"assets/*\"]\n", 0),
	                 "");
}

Test(files, excludes_must_be_patterns)
{
	assert_refused(FILES("[\"*\"]") "exclude_files = [\"[\"]\n", 0, OCIW_ERR_FORMAT,
	               "exclude_files: pattern \"[\": invalid range pattern");
}

/* 7.3: what leaves the app */
Test(files, parents_are_refused_unless_spin_is_followed)
{
	static const char text[] = FILES("[{ source = \"../shared\", destination = \"/s\" }]");
	char inner[80];
	put("app/spin.toml", "");
	put("shared/s.txt", "s");
	snprintf(inner, sizeof(inner), "%s/app", scratch);
	char outer[80];
	strcpy(outer, scratch);
	strcpy(scratch, inner);
	ociw_error *err = NULL;
	cr_assert_eq(resolve(text, 0, &err), OCIW_ERR_UNSAFE);
	cr_assert_not_null(strstr(ociw_error_message(err),
	                          "\"../shared\" leaves the app's folder: move it "
	                          "there, or allow that with --allow-outside"));
	ociw_error_free(err);
	cr_assert_str_eq(files(text, OCIWP_APP_ALLOW_OUTSIDE), "s/s.txt ");
	cr_assert_str_eq(files(text, OCIWP_APP_COMPAT_SPIN), "s/s.txt ");
	cr_assert_str_eq(files(FILES("[\"../shared/*\"]"), OCIWP_APP_COMPAT_SPIN), "");
	cr_assert_str_eq(rules, "files-outside files-nothing ");
	strcpy(scratch, outer);
}

Test(files, absolute_paths_are_refused)
{
	assert_refused(FILES("[\"/etc/host*\"]"), OCIWP_APP_COMPAT_SPIN, OCIW_ERR_UNSAFE,
	               "outside of the app's folder");
	assert_refused(FILES("[\"/etc/passwd\"]"), OCIWP_APP_ALLOW_OUTSIDE, OCIW_ERR_UNSAFE,
	               "outside of the app's folder");
}

Test(files, links_to_the_outside_are_refused_unless_spin_is_followed)
{
	link_to("/etc/passwd", "assets/p.txt");
	assert_refused(FILES("[\"assets/*\"]"), 0, OCIW_ERR_UNSAFE,
	               "symbolic link \"assets/p.txt\" leads out of the app's folder");
	assert_refused(FILES("[\"assets/p.txt\"]"), 0, OCIW_ERR_UNSAFE,
	               "symbolic link \"assets/p.txt\" leads out of the app's folder");
	cr_assert_not_null(
	        strstr(files(FILES("[\"assets/*\"]"), OCIWP_APP_COMPAT_SPIN), "assets/p.txt"));
	cr_assert_str_eq(files(FILES("[\"assets/*\"]") "exclude_files = [\"assets/p.txt\"]\n", 0),
	                 "assets/.dot assets/x.txt ");
}

Test(files, a_linked_folder_outside_is_not_even_walked)
{
	link_to("/etc", "assets/etc");
	ociw_error *err = NULL;
	cr_assert_eq(resolve(FILES("[\"assets/**/*\"]"), 0, &err), OCIW_ERR_UNSAFE);
	cr_assert_str_eq(
	        ociw_error_message(err),
	        "spin.toml:9:10: component \"a\": symbolic link \"assets/etc\" leads out of "
	        "the app's folder: put what it leads to in its place, or allow that with "
	        "--allow-outside [files-outside]");
	ociw_error_free(err);
}

Test(files, links_inside_are_followed)
{
	link_to("../top.txt", "assets/t.txt");
	link_to("sub", "assets/sub2");
	cr_assert_not_null(strstr(files(FILES("[\"assets/**/*\"]"), 0), "assets/sub2/y.txt"));
	cr_assert_not_null(strstr(listed, "assets/t.txt"));
}

Test(files, special_files_are_refused_by_name_and_skipped_by_pattern)
{
	cr_assert_eq(mkfifo(in_scratch("assets/pipe"), 0600), 0);
	cr_assert_null(strstr(files(FILES("[\"assets/*\"]"), 0), "pipe"));
	assert_refused(FILES("[\"assets/pipe\"]"), 0, OCIW_ERR_UNSAFE,
	               "neither a file nor a folder");
}

Test(files, the_owners_x_bit_is_noted)
{
	chmod(in_scratch("top.txt"), 0755);
	ociwp_app *app = NULL;
	cr_assert_eq(load(FILES("[\"top.txt\", \"other/o.txt\"]"), 0, &app, NULL), 0);
	cr_assert_not(app->components[0].files[0].source.executable);
	cr_assert(app->components[0].files[1].source.executable);
	ociwp_app_free(app);
}

Test(files, patterns_can_be_left_alone)
{
	cr_assert_str_eq(files(FILES("[\"nope\"]"), OCIWP_APP_NO_FILES), "");
}

Test(files, their_number_is_limited)
{
	ociwp_report report = report_for(0);
	ociwp_app *app = NULL;
	ociw_error *err = NULL;
	static const char toml[] = FILES("[\"assets/**/*\"]");
	char path[80];
	report.limits.max_entries = 3;
	snprintf(path, sizeof(path), "%s/spin.toml", scratch);
	cr_assert_eq(ociwp_app_load_text((ociw_span){toml, strlen(toml)}, path, NULL, &report, &app,
	                                 &err),
	             OCIW_ERR_LIMIT);
	cr_assert_not_null(strstr(ociw_error_message(err), "3"));
	ociw_error_free(err);
}
