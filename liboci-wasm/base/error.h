/* SPDX-License-Identifier: Apache-2.0
 *
 * Making errors. Exactly three ways: fail, fail_errno, wrap. Each returns the code, so that
 * `return ociwp_fail(...)` reads well. Messages: lower case, no final dot, no secret, untrusted text
 * through ociwp_quote(). docs/errors.md
 */
#ifndef OCIW_BASE_ERROR_H
#define OCIW_BASE_ERROR_H

#include <oci-wasm/error.h>

/* All take err == NULL. *err must be NULL for fail and fail_errno: errors are set once. */
int ociwp_fail(ociw_error **err, ociw_code code, const char *fmt, ...) OCIW_PRINTF(3, 4);
/* Adds ": <text of errnum>"; ENOMEM, ENOENT, EEXIST give their own codes, everything else is IO. */
int ociwp_fail_errno(ociw_error **err, int errnum, const char *fmt, ...) OCIW_PRINTF(3, 4);
/* Puts a frame in front of an error that has been made; returns @p code. */
int ociwp_wrap(ociw_error **err, int code, const char *fmt, ...) OCIW_PRINTF(3, 4);

/* Out of memory: a static object, cannot fail itself. */
int ociwp_nomem(ociw_error **err);

/* Moves an error; frees it when @p err is NULL. Returns its code. */
int ociwp_error_move(ociw_error **err, ociw_error *take_from);
/* A copy of an error for another thread or a latched stream; never NULL. */
ociw_error *ociwp_error_dup(const ociw_error *err);
/* Details of an HTTP answer; @p registry_code may be NULL, and is copied. No effect on NULL. */
void ociwp_error_set_http(ociw_error *err, int status, const char *registry_code);

/* clang's analyzer cannot see into error.c that these never return success, and would follow paths
 * on which a call failed and its output is used. Nothing is ever built with this. */
#if defined(__clang_analyzer__) && !defined(OCIW_BASE_ERROR_C)
#define ociwp_fail(err, code, ...) ((void)(ociwp_fail)((err), (code), __VA_ARGS__), (int)(code))
#define ociwp_fail_errno(err, ...) ((void)(ociwp_fail_errno)((err), __VA_ARGS__), (int)OCIW_ERR_IO)
#define ociwp_wrap(err, code, ...) ((void)(ociwp_wrap)((err), (code), __VA_ARGS__), (int)(code))
#define ociwp_nomem(err) ((void)(ociwp_nomem)(err), (int)OCIW_ERR_NOMEM)
#endif

#endif
