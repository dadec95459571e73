/* SPDX-License-Identifier: Apache-2.0 */
#include "spin/report.h"
#include "apps.h"

static char last[500];

static int on_event(const ociw_event *event, void *user_data)
{
	(void)user_data;
	snprintf(last, sizeof(last), "%d %s", event->kind, event->message);
	return 0;
}

static const ociwp_where here = {{3, 4}, "api", "some-rule"};

Test(report, an_error_is_one_line_with_place_component_and_rule)
{
	ociwp_report report = {.file = "dir/spin.toml"};
	ociw_error *err = NULL;
	cr_assert_eq(ociwp_report_fail(&report, here, OCIW_ERR_FORMAT, &err, "bad %d", 1),
	             OCIW_ERR_FORMAT);
	cr_assert_str_eq(ociw_error_message(err),
	                 "dir/spin.toml:3:4: component \"api\": bad 1 [some-rule]");
	ociw_error_free(err);
}

Test(report, without_place_and_component_they_are_left_out)
{
	ociwp_report report = {.file = "spin.toml"};
	ociw_error *err = NULL;
	ociwp_report_fail(&report, (ociwp_where){{0, 0}, NULL, "r"}, OCIW_ERR_LIMIT, &err, "much");
	cr_assert_str_eq(ociw_error_message(err), "spin.toml: much [r]");
	ociw_error_free(err);
}

Test(report, warnings_go_to_the_events)
{
	ociw_op op = OCIW_OP_INIT;
	op.event = on_event;
	ociwp_report report = {.file = "spin.toml", .op = &op};
	last[0] = '\0';
	cr_assert_eq(ociwp_report_warn(&report, here, NULL, "odd"), 0);
	cr_assert_not_null(strstr(last, "spin.toml:3:4: component \"api\": odd [some-rule]"), "%s",
	                   last);
}

Test(report, quiet_silences_traps_only)
{
	ociw_op op = OCIW_OP_INIT;
	op.event = on_event;
	ociwp_report report = {.file = "f", .op = &op, .flags = OCIWP_APP_QUIET_TRAPS};
	last[0] = '\0';
	cr_assert_eq(ociwp_report_trap(&report, here, NULL, "trap"), 0);
	cr_assert_str_eq(last, "");
	cr_assert_eq(ociwp_report_warn(&report, here, NULL, "odd"), 0);
	cr_assert_str_neq(last, "");
}

Test(report, warnings_can_be_errors)
{
	ociwp_report report = {.file = "f", .flags = OCIWP_APP_WERROR};
	ociw_error *err = NULL;
	cr_assert_eq(ociwp_report_trap(&report, here, &err, "trap"), OCIW_ERR_INVALID);
	cr_assert_not_null(strstr(ociw_error_message(err), "trap [some-rule]"));
	ociw_error_free(err);
}
