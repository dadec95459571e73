/* SPDX-License-Identifier: Apache-2.0 */
#include "base/op.h"
#include <oci-wasm/copy.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(op, limits_have_defaults_and_take_what_is_given)
{
	ociw_limits given = OCIW_LIMITS_INIT, limits;
	ociw_op op = OCIW_OP_INIT;

	ociwp_limits_get(NULL, &limits);
	cr_assert_eq(limits.max_entries, 1000000);
	cr_assert_eq(limits.max_manifest_bytes, 4U << 20);
	given.max_entries = 5;
	given.max_ratio = OCIW_UNLIMITED;
	op.limits = &given;
	ociwp_limits_get(&op, &limits);
	cr_assert_eq(limits.max_entries, 5);
	cr_assert_eq(limits.max_ratio, UINT64_MAX);
	cr_assert_eq(limits.max_redirects, 10);
}

Test(op, options_of_an_older_caller_are_filled_with_zeros)
{
	struct { size_t size; const void *op; } old = {sizeof(old), (void *)1};
	ociw_copy_options options;

	cr_assert_eq(ociwp_options_read(&options, sizeof(options), &old, NULL), 0);
	cr_assert_eq(options.op, (const ociw_op *)1);
	cr_assert_eq(options.parallel, 0);
	cr_assert_eq(options.size, sizeof(options));
}

Test(op, an_unknown_option_that_is_set_is_refused_and_a_zero_one_is_not)
{
	struct { ociw_copy_options known; uint64_t newer; } given = {OCIW_COPY_OPTIONS_INIT, 0};
	ociw_copy_options options;
	ociw_error *err = NULL;

	given.known.size = sizeof(given);
	cr_assert_eq(ociwp_options_read(&options, sizeof(options), &given, NULL), 0);
	given.newer = 1;
	cr_assert_eq(ociwp_options_read(&options, sizeof(options), &given, &err),
		     OCIW_ERR_INVALID);
	ociw_error_free(err);
}

Test(op, options_without_size_are_refused)
{
	ociw_copy_options zero, options;

	memset(&zero, 0, sizeof(zero));
	cr_assert_eq(ociwp_options_read(&options, sizeof(options), &zero, NULL), OCIW_ERR_INVALID);
	cr_assert_eq(ociwp_options_read(&options, sizeof(options), NULL, NULL), 0);
}

Test(op, a_triggered_flag_stops_the_operation)
{
	ociw_cancel *cancel = ociw_cancel_new();
	ociw_op op = OCIW_OP_INIT;
	ociw_error *err = NULL;

	op.cancel = cancel;
	cr_assert_eq(ociwp_check_cancel(&op, &err), 0);
	ociw_cancel_trigger(cancel);
	cr_assert_eq(ociwp_check_cancel(&op, &err), OCIW_ERR_CANCELLED);
	ociw_error_free(err);
	ociw_cancel_free(cancel);
	cancel = ociwp_cancel_new_after(0);
	cr_assert(ociw_cancel_triggered(cancel));
	ociw_cancel_free(cancel);
	cancel = ociwp_cancel_new_after(60000);
	cr_assert_not(ociw_cancel_triggered(cancel));
	ociw_cancel_trigger(cancel);
	cr_assert(ociw_cancel_triggered(cancel));
	ociw_cancel_free(cancel);
}

static int keep(const ociw_event *event, void *user_data)
{
	snprintf(user_data, 64, "%d:%s", (int)event->kind, event->message);
	return strstr(event->message, "stop") != NULL;
}

Test(op, warnings_are_escaped_and_a_callback_can_stop)
{
	char text[64] = "";
	ociw_op op = OCIW_OP_INIT;

	op.event = keep;
	op.user_data = text;
	cr_assert_eq(ociwp_warn(&op, NULL, "a\n%s", "b"), 0);
	cr_assert_str_eq(text, "5:a\\x0ab");
	cr_assert_eq(ociwp_note(&op, NULL, "stop"), OCIW_ERR_CANCELLED);
	cr_assert_eq(ociwp_warn(NULL, NULL, "nobody listens"), 0);
}
