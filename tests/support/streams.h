/* SPDX-License-Identifier: Apache-2.0
 *
 * Readers for tests: bytes in small steps, and a failure after some of them.
 */
#ifndef OCIW_TESTS_STREAMS_H
#define OCIW_TESTS_STREAMS_H

#include "io/stream.h"

#include <string.h>

struct slow_reader {
	const char *at;
	size_t left, step;
	int fail_with; /* code at the end instead of an end; 0: none */
	int *closed;   /* counts closes; may be NULL */
};

static inline ptrdiff_t slow_read(void *self, void *buf, size_t len, ociw_error **err)
{
	struct slow_reader *s = self;
	size_t n = s->step < len ? s->step : len;

	n = s->left < n ? s->left : n;
	if (!n && s->fail_with)
		return ociwp_fail(err, (ociw_code)s->fail_with, "planned failure");
	if (n)
		memcpy(buf, s->at, n);
	s->at += n;
	s->left -= n;
	return (ptrdiff_t)n;
}

static inline int slow_close(void *self, ociw_error **err)
{
	struct slow_reader *s = self;

	(void)err;
	if (s->closed)
		++*s->closed;
	free(s);
	return 0;
}

/* Bytes (borrowed) in steps of at most @p step. */
static inline ociw_reader *slow_reader_new(const void *data, size_t len, size_t step, int fail_with,
					   int *closed)
{
	static const ociw_reader_ops ops = {sizeof(ops), slow_read, slow_close};
	struct slow_reader *s = ociwp_new(struct slow_reader);
	ociw_reader *reader = NULL;

	*s = (struct slow_reader){data, len, step, fail_with, closed};
	(void)!ociw_reader_new(&ops, s, &reader, NULL);
	return reader;
}

#endif
