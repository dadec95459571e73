/* SPDX-License-Identifier: Apache-2.0
 *
 * What fuzz targets of streams share: a reader over the input in pieces, and assertions that stay
 * in release builds.
 */
#ifndef OCIW_FUZZ_STREAMS_H
#define OCIW_FUZZ_STREAMS_H

#include "fuzz-assert.h"
#include "base/buf.h"
#include "io/stream.h"

#include <string.h>

struct fuzz_source {
	const uint8_t *data;
	size_t left, step;
};

static inline ptrdiff_t fuzz_source_read(void *self, void *buf, size_t len, ociw_error **err)
{
	struct fuzz_source *s = (struct fuzz_source *)self;
	(void)err;
	size_t n = s->left < s->step ? s->left : s->step;
	n = n < len ? n : len;
	memcpy(buf, s->data, n);
	s->data += n;
	s->left -= n;
	return (ptrdiff_t)n;
}

static inline int fuzz_source_close(void *self, ociw_error **err)
{
	(void)err;
	free(self);
	return 0;
}

/* At most @p step bytes a read. */
static inline ociw_reader *fuzz_reader(const uint8_t *data, size_t size, size_t step)
{
	static const ociw_reader_ops ops = {sizeof(ociw_reader_ops), fuzz_source_read,
	                                    fuzz_source_close};
	struct fuzz_source *s = ociwp_new(struct fuzz_source);
	ociw_reader *reader = NULL;
	FUZZ_ASSERT(s);
	*s = (struct fuzz_source){data, size, step};
	FUZZ_ASSERT(ociw_reader_new(&ops, s, &reader, NULL) == 0);
	return reader;
}

/* Reads to the end in pieces of @p step and closes; everything that came is in @p out. */
static inline int fuzz_read_all(ociw_reader *reader, size_t step, ociwp_buf *out)
{
	char piece[16384];
	size_t len = step < sizeof(piece) ? step : sizeof(piece);
	ptrdiff_t n;
	while ((n = ociw_reader_read(reader, piece, len, NULL)) > 0) {
		FUZZ_ASSERT((size_t)n <= len);
		ociwp_buf_append(out, piece, (size_t)n);
	}
	int closed = ociw_reader_close(reader, NULL);
	FUZZ_ASSERT(!out->failed);
	return n < 0 ? (int)n : closed;
}

#endif
