/* SPDX-License-Identifier: Apache-2.0
 *
 * Streams for unit tests: readers that deliver in small or random pieces, files of testdata. Fails
 * the test instead of reporting.
 */
#ifndef OCIW_TESTS_TEST_STREAMS_H
#define OCIW_TESTS_TEST_STREAMS_H

#include "base/buf.h"
#include "io/stream.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* Contents of testdata/@p name; to be freed. */
static inline char *test_load(const char *name, size_t *len)
{
	char path[1024];
	const char *root = getenv("OCIW_TESTDATA");
	snprintf(path, sizeof(path), "%s/%s", root ? root : "testdata", name);
	FILE *file = fopen(path, "rb");
	cr_assert(file, "open %s", path);
	ociwp_buf buf = OCIWP_BUF_INIT;
	char step[65536];
	for (size_t n; (n = fread(step, 1, sizeof(step), file)) > 0;)
		ociwp_buf_append(&buf, step, n);
	fclose(file);
	*len = buf.len;
	return ociwp_buf_steal(&buf);
}

/* A reader over memory that gives @p step bytes at most, or 1..255 in a fixed random order when 0.
 */
struct test_dribble {
	const unsigned char *data;
	size_t len, pos, step;
	unsigned seed;
};

static inline ptrdiff_t test_dribble_read(void *self, void *buf, size_t len, ociw_error **err)
{
	struct test_dribble *d = (struct test_dribble *)self;
	(void)err;
	size_t step = d->step;
	if (step == 0) {
		d->seed = d->seed * 1103515245u + 12345u;
		step = 1 + (d->seed >> 16) % 255;
	}
	size_t n = d->len - d->pos;
	n = n < step ? n : step;
	n = n < len ? n : len;
	memcpy(buf, d->data + d->pos, n);
	d->pos += n;
	return (ptrdiff_t)n;
}

static inline int test_dribble_close(void *self, ociw_error **err)
{
	(void)err;
	free(self);
	return 0;
}

static inline ociw_reader *test_reader(const void *data, size_t len, size_t step)
{
	static const ociw_reader_ops ops = {sizeof(ociw_reader_ops), test_dribble_read,
	                                    test_dribble_close};
	struct test_dribble *d = ociwp_new(struct test_dribble);
	cr_assert(d);
	d->data = (const unsigned char *)data;
	d->len = len;
	d->step = step;
	ociw_reader *reader = NULL;
	cr_assert_eq(ociw_reader_new(&ops, d, &reader, NULL), 0);
	return reader;
}

#define TEST_WHOLE SIZE_MAX

/* Asserts code and a part of the message, frees the error. */
static inline void test_expect(int got, int code, ociw_error **err, const char *part)
{
	const char *message = *err ? ociw_error_message(*err) : "(no error)";
	cr_assert_eq(got, code, "code is %d, expected %d: %s", got, code, message);
	if (code < 0) {
		cr_assert_eq((int)ociw_error_code(*err), code);
		cr_assert(strstr(message, part), "message is \"%s\", expected \"%s\" in it",
		          message, part);
	}
	ociw_error_free(*err);
	*err = NULL;
}

#endif
