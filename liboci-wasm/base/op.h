/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a caller's op: limits with their defaults, events, cancellation; and size-stamped options.
 */
#ifndef OCIW_BASE_OP_H
#define OCIW_BASE_OP_H

#include "base/error.h"
#include <oci-wasm/op.h>

/* Copies an options struct of the caller's time over zeros. An unknown tail must be zero:
 * OCIW_ERR_INVALID otherwise. @p src NULL gives all zeros. The first member of both is size_t size. */
int ociwp_options_read(void *dst, size_t dst_size, const void *src, ociw_error **err);

/* All limits with defaults filled in. @p op may be NULL. */
void ociwp_limits_get(const ociw_op *op, ociw_limits *out);

/* A flag that triggers itself after a time, for what must not wait longer than that. NULL: no memory. */
ociw_cancel *ociwp_cancel_new_after(uint64_t ms);

/* OCIW_ERR_CANCELLED once the op's flag was triggered, else 0. */
int ociwp_check_cancel(const ociw_op *op, ociw_error **err);

/* Deliver an event; OCIW_ERR_CANCELLED when the callback says stop. */
int ociwp_emit(const ociw_op *op, const ociw_event *event, ociw_error **err);
/* A warning or note; the message is escaped. */
int ociwp_warn(const ociw_op *op, ociw_error **err, const char *fmt, ...) OCIW_PRINTF(3, 4);
int ociwp_note(const ociw_op *op, ociw_error **err, const char *fmt, ...) OCIW_PRINTF(3, 4);

#endif
