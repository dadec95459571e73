/* SPDX-License-Identifier: Apache-2.0
 *
 * A growing byte buffer. Running out of memory is sticky: append at will, check once at the end.
 */
#ifndef OCIW_BASE_BUF_H
#define OCIW_BASE_BUF_H

#include "base/alloc.h"
#include "base/error.h"

typedef struct ociwp_buf {
	char *data; /* followed by a NUL whenever not NULL */
	size_t len;
	size_t cap;
	bool failed; /* memory ran out; content is not to be used */
} ociwp_buf;

#define OCIWP_BUF_INIT { NULL, 0, 0, false }

void ociwp_buf_deinit(ociwp_buf *buf);
void ociwp_buf_clear(ociwp_buf *buf); /* keeps the memory */
bool ociwp_buf_reserve(ociwp_buf *buf, size_t more);
void ociwp_buf_append(ociwp_buf *buf, const void *data, size_t len);
void ociwp_buf_puts(ociwp_buf *buf, const char *text);
void ociwp_buf_putc(ociwp_buf *buf, char c);
void ociwp_buf_printf(ociwp_buf *buf, const char *fmt, ...) OCIW_PRINTF(2, 3);
/* 0, or OCIW_ERR_NOMEM when an append failed. */
int ociwp_buf_check(const ociwp_buf *buf, ociw_error **err);
/* The text (never NULL unless failed), buffer emptied. */
char *ociwp_buf_steal(ociwp_buf *buf);
static inline ociw_span ociwp_buf_span(const ociwp_buf *buf)
{
	return (ociw_span){buf->data, buf->len};
}

static inline void ociwp_cleanup_buf(ociwp_buf *buf)
{
	ociwp_buf_deinit(buf);
}

#endif
