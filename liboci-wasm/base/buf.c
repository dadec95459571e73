/* SPDX-License-Identifier: Apache-2.0
 *
 * Growing byte buffer with a sticky out-of-memory state.
 */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void ociwp_buf_deinit(ociwp_buf *buf)
{
	free(buf->data);
	*buf = (ociwp_buf)OCIWP_BUF_INIT;
}

void ociwp_buf_clear(ociwp_buf *buf)
{
	buf->len = 0;
	buf->failed = false;
	if (buf->data)
		buf->data[0] = '\0';
}

bool ociwp_buf_reserve(ociwp_buf *buf, size_t more)
{
	size_t need;

	if (buf->failed)
		return false;
	if (!ociwp_add_ok(buf->len, more, &need) || !ociwp_add_ok(need, 1U, &need)) {
		buf->failed = true;
		return false;
	}
	if (need <= buf->cap)
		return true;
	size_t cap = buf->cap ? buf->cap : 64;
	while (cap < need) {
		if (!ociwp_add_ok(cap, cap / 2 + 1, &cap))
			cap = need;
	}
	char *data = ociwp_realloc(buf->data, cap);
	if (!data) {
		buf->failed = true;
		return false;
	}
	buf->data = data;
	buf->cap = cap;
	return true;
}

void ociwp_buf_append(ociwp_buf *buf, const void *data, size_t len)
{
	if (!ociwp_buf_reserve(buf, len))
		return;
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void ociwp_buf_puts(ociwp_buf *buf, const char *text)
{
	ociwp_buf_append(buf, text, strlen(text));
}

void ociwp_buf_putc(ociwp_buf *buf, char c)
{
	ociwp_buf_append(buf, &c, 1);
}

void ociwp_buf_printf(ociwp_buf *buf, const char *fmt, ...)
{
	va_list args, again;

	va_start(args, fmt);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, fmt, args);
	if (len < 0)
		buf->failed = true;
	else if (ociwp_buf_reserve(buf, (size_t)len)) {
		(void)vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, again);
		buf->len += (size_t)len;
	}
	va_end(again);
	va_end(args);
}

int ociwp_buf_check(const ociwp_buf *buf, ociw_error **err)
{
	return buf->failed ? ociwp_nomem(err) : 0;
}

char *ociwp_buf_steal(ociwp_buf *buf)
{
	if (!buf->data)
		(void)ociwp_buf_reserve(buf, 0);
	if (buf->failed) {
		ociwp_buf_deinit(buf);
		return NULL;
	}
	char *data = buf->data;
	assert(data); /* or reserving it has failed */
	data[buf->len] = '\0';
	*buf = (ociwp_buf)OCIWP_BUF_INIT;
	return data;
}
