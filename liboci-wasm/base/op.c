/* SPDX-License-Identifier: Apache-2.0
 *
 * Options, limits, events, cancellation.
 */
#include "base/op.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

struct ociw_cancel {
	atomic_bool triggered; /* lock-free, so trigger is async-signal-safe */
	uint64_t end_ms;       /* counts as triggered from then on; 0: never */
};

ociw_cancel *ociw_cancel_new(void)
{
	return ociwp_new(ociw_cancel);
}

ociw_cancel *ociwp_cancel_new_after(uint64_t ms)
{
	ociw_cancel *cancel = ociw_cancel_new();

	if (cancel)
		cancel->end_ms = ociwp_monotonic_ms() + ms;
	return cancel;
}

void ociw_cancel_free(ociw_cancel *cancel)
{
	free(cancel);
}

void ociw_cancel_trigger(ociw_cancel *cancel)
{
	atomic_store_explicit(&cancel->triggered, true, memory_order_relaxed);
}

bool ociw_cancel_triggered(const ociw_cancel *cancel)
{
	if (!cancel)
		return false;
	return atomic_load_explicit(&((ociw_cancel *)cancel)->triggered, memory_order_relaxed) ||
	       (cancel->end_ms && ociwp_monotonic_ms() >= cancel->end_ms);
}

int ociwp_options_read(void *dst, size_t dst_size, const void *src, ociw_error **err)
{
	size_t size = 0;

	memset(dst, 0, dst_size);
	if (!src)
		return 0;
	memcpy(&size, src, sizeof(size));
	if (size < sizeof(size))
		return ociwp_fail(err, OCIW_ERR_INVALID,
				  "options have no size; start from their _INIT macro");
	for (size_t i = dst_size; i < size; i++) {
		if (((const unsigned char *)src)[i])
			return ociwp_fail(err, OCIW_ERR_INVALID,
					  "an option of a newer library is set (size %zu, known %zu)",
					  size, dst_size);
	}
	memcpy(dst, src, size < dst_size ? size : dst_size);
	memcpy(dst, &dst_size, sizeof(dst_size));
	return 0;
}

static void set_default(uint64_t *limit, uint64_t value)
{
	if (!*limit)
		*limit = value;
}

void ociwp_limits_get(const ociw_op *op, ociw_limits *out)
{
	const ociw_limits *given = op ? op->limits : NULL;
	const uint64_t mib = UINT64_C(1) << 20, gib = UINT64_C(1) << 30;

	memset(out, 0, sizeof(*out));
	if (given) /* an unknown tail was the caller's to see: limits only ever tighten or loosen */
		memcpy(out, given, given->size < sizeof(*out) ? given->size : sizeof(*out));
	out->size = sizeof(*out);
	set_default(&out->max_manifest_bytes, 4 * mib);
	set_default(&out->max_lock_bytes, 64 * mib);
	set_default(&out->max_json_depth, 64);
	set_default(&out->max_layers, 512);
	set_default(&out->max_blob_bytes, 16 * gib);
	set_default(&out->max_unpacked_bytes, 16 * gib);
	set_default(&out->max_entries, 1000000);
	set_default(&out->max_ratio, 1000);
	set_default(&out->max_path_bytes, 4096);
	set_default(&out->max_path_depth, 256);
	set_default(&out->max_zstd_window, 128 * mib);
	set_default(&out->max_index_depth, 8);
	set_default(&out->max_redirects, 10);
	set_default(&out->max_tries, 5);
	set_default(&out->retry_budget_ms, 300000);
}

int ociwp_check_cancel(const ociw_op *op, ociw_error **err)
{
	if (op && ociw_cancel_triggered(op->cancel))
		return ociwp_fail(err, OCIW_ERR_CANCELLED, "interrupted");
	return 0;
}

int ociwp_emit(const ociw_op *op, const ociw_event *event, ociw_error **err)
{
	if (op && op->event && op->event(event, op->user_data) != 0)
		return ociwp_fail(err, OCIW_ERR_CANCELLED, "stopped by the caller");
	return 0;
}

__attribute__((format(printf, 4, 0)))
static int emit_text(const ociw_op *op, ociw_event_kind kind, ociw_error **err, const char *fmt,
		     va_list args)
{
	OCIWP_AUTO(buf) ociwp_buf escaped = OCIWP_BUF_INIT;
	char text[2048];

	if (!op || !op->event)
		return 0;
	int len = vsnprintf(text, sizeof(text), fmt, args);
	if (len < 0)
		return 0;
	ociwp_escape(&escaped, text, strnlen(text, sizeof(text)));
	int r = ociwp_buf_check(&escaped, err);
	if (r < 0)
		return r;
	ociw_event event = {.size = sizeof(event),
			    .kind = kind,
			    .message = escaped.data ? escaped.data : ""};
	return ociwp_emit(op, &event, err);
}

int ociwp_warn(const ociw_op *op, ociw_error **err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int r = emit_text(op, OCIW_EVENT_WARNING, err, fmt, args);
	va_end(args);
	return r;
}

int ociwp_note(const ociw_op *op, ociw_error **err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int r = emit_text(op, OCIW_EVENT_NOTE, err, fmt, args);
	va_end(args);
	return r;
}
