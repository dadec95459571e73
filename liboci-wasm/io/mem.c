/* SPDX-License-Identifier: Apache-2.0
 *
 * Streams over memory.
 */
#include "base/buf.h"
#include "io/stream.h"

#include <string.h>

typedef struct memory_reader {
	const char *at;
	size_t left;
} memory_reader;

static ptrdiff_t memory_read(void *self, void *buf, size_t len, ociw_error **err)
{
	memory_reader *m = self;
	size_t n = m->left < len ? m->left : len;

	(void)err;
	if (n)
		memcpy(buf, m->at, n);
	m->at += n;
	m->left -= n;
	return (ptrdiff_t)n;
}

static int memory_close(void *self, ociw_error **err)
{
	(void)err;
	free(self);
	return 0;
}

int ociw_reader_new_memory(ociw_span borrowed, ociw_reader **out, ociw_error **err)
{
	static const ociw_reader_ops ops = {sizeof(ops), memory_read, memory_close};
	memory_reader *m = ociwp_new(memory_reader);

	*out = NULL;
	if (!m)
		return ociwp_nomem(err);
	m->at = borrowed.len ? borrowed.data : "";
	m->left = borrowed.len;
	return ociw_reader_new(&ops, m, out, err);
}

typedef struct buf_writer {
	ociwp_buf *buf;
	uint64_t max;
} buf_writer;

static int buf_write(void *self, const void *data, size_t len, ociw_error **err)
{
	buf_writer *w = self;

	if (len > w->max || w->buf->len > w->max - len)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "more than %llu bytes",
				  (unsigned long long)w->max);
	ociwp_buf_append(w->buf, data, len);
	return ociwp_buf_check(w->buf, err);
}

static int buf_commit(void *self, ociw_error **err)
{
	(void)err;
	free(self);
	return 0;
}

int ociwp_writer_new_buf(ociwp_buf *borrowed, uint64_t max, ociw_writer **out, ociw_error **err)
{
	static const ociw_writer_ops ops = {sizeof(ops), buf_write, buf_commit, free};
	buf_writer *w = ociwp_new(buf_writer);

	*out = NULL;
	if (!w)
		return ociwp_nomem(err);
	w->buf = borrowed;
	w->max = max;
	return ociw_writer_new(&ops, w, out, err);
}
