/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/str.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(error, frames_join_outermost_first)
{
	ociw_error *err = NULL;
	int r = ociwp_fail(&err, OCIW_ERR_DIGEST, "digest is %s", "x");

	r = ociwp_wrap(&err, r, "layer %d", 2);
	r = ociwp_wrap(&err, r, "pull a:1");
	cr_assert_eq(r, OCIW_ERR_DIGEST);
	cr_assert_eq(ociw_error_code(err), OCIW_ERR_DIGEST);
	cr_assert_str_eq(ociw_error_message(err), "pull a:1: layer 2: digest is x");
	cr_assert_str_eq(ociw_error_frame(err, 0), "pull a:1");
	cr_assert_str_eq(ociw_error_frame(err, 2), "digest is x");
	cr_assert_null(ociw_error_frame(err, 3));
	ociw_error_free(err);
}

Test(error, control_bytes_never_reach_the_message)
{
	ociw_error *err = NULL;

	ociwp_fail(&err, OCIW_ERR_INVALID, "name \033[31m\n\xff");
	cr_assert_str_eq(ociw_error_message(err), "name \\x1b[31m\\x0a\\xff");
	ociw_error_free(err);
}

Test(error, errno_gives_text_and_code)
{
	ociw_error *err = NULL;

	cr_assert_eq(ociwp_fail_errno(&err, ENOENT, "open %s", ociwp_quote("a b")),
		     OCIW_ERR_NOTFOUND);
	cr_assert_eq(ociw_error_errno(err), ENOENT);
	cr_assert_str_eq(ociw_error_message(err), "open \"a b\": No such file or directory");
	ociw_error_free(err);
	cr_assert_eq(ociwp_fail_errno(NULL, EEXIST, "x"), OCIW_ERR_EXISTS);
	cr_assert_eq(ociwp_fail_errno(NULL, ENOSPC, "x"), OCIW_ERR_IO);
}

Test(error, callers_who_only_branch_pass_null)
{
	cr_assert_eq(ociwp_fail(NULL, OCIW_ERR_LIMIT, "x"), OCIW_ERR_LIMIT);
	cr_assert_eq(ociwp_wrap(NULL, OCIW_ERR_LIMIT, "x"), OCIW_ERR_LIMIT);
	cr_assert_eq(ociwp_nomem(NULL), OCIW_ERR_NOMEM);
	ociw_error_free(NULL);
}

Test(error, out_of_memory_is_static_and_can_be_freed)
{
	ociw_error *err = NULL;

	ociwp_nomem(&err);
	cr_assert_str_eq(ociw_error_message(err), "out of memory");
	cr_assert_eq(ociwp_wrap(&err, OCIW_ERR_NOMEM, "frame"), OCIW_ERR_NOMEM);
	ociw_error_free(err);
	ociw_error_free(err);
}

Test(error, dup_keeps_everything)
{
	ociw_error *err = NULL;

	ociwp_fail(&err, OCIW_ERR_REGISTRY, "a");
	ociwp_error_set_http(err, 404, "MANIFEST_UNKNOWN\n");
	ociwp_wrap(&err, OCIW_ERR_REGISTRY, "b");
	ociw_error *copy = ociwp_error_dup(err);
	ociw_error_free(err);
	cr_assert_eq(ociw_error_http_status(copy), 404);
	cr_assert_str_eq(ociw_error_registry_code(copy), "MANIFEST_UNKNOWN\\x0a");
	cr_assert_str_eq(ociw_error_message(copy), "b: a");
	ociw_error_free(copy);
}

Test(error, a_chain_without_end_stays_bounded)
{
	ociw_error *err = NULL;

	ociwp_fail(&err, OCIW_ERR_LIMIT, "deep");
	for (int i = 0; i < 100; i++)
		ociwp_wrap(&err, OCIW_ERR_LIMIT, "frame %d", i);
	cr_assert_null(ociw_error_frame(err, 16));
	cr_assert_eq(ociw_error_code(err), OCIW_ERR_LIMIT);
	ociw_error_free(err);
}

Test(error, every_code_has_a_name)
{
	for (int code = 0; code >= OCIW_ERR_BUSY; code--)
		cr_assert_str_neq(ociw_code_name((ociw_code)code), "UNKNOWN");
	cr_assert_str_eq(ociw_code_name((ociw_code)-99), "UNKNOWN");
}
