/* SPDX-License-Identifier: Apache-2.0
 *
 * A reader that refuses the first byte over a limit.
 */
#include "io/stream.h"

typedef struct limit_reader {
	ociw_reader *inner;
	uint64_t left, max;
	const char *what;
} limit_reader;

static ptrdiff_t limit_read(void *self, void *buf, size_t len, ociw_error **err)
{
	limit_reader *l = self;
	/* One byte more than allowed is asked for, to tell "exactly at the limit" from "over". */
	size_t want = l->left < len ? (size_t)l->left + 1 : len;
	ptrdiff_t n = ociw_reader_read(l->inner, buf, want, err);

	if (n <= 0)
		return n;
	if ((uint64_t)n > l->left)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "%s: more than %llu bytes", l->what,
				  (unsigned long long)l->max);
	l->left -= (uint64_t)n;
	return n;
}

static int limit_close(void *self, ociw_error **err)
{
	limit_reader *l = self;
	int r = ociw_reader_close(l->inner, err);

	free(l);
	return r;
}

int ociwp_reader_limit(ociw_reader *take_inner, uint64_t max, const char *what, ociw_reader **out,
		       ociw_error **err)
{
	static const ociw_reader_ops ops = {sizeof(ops), limit_read, limit_close};
	OCIWP_AUTO(reader) ociw_reader *inner = take_inner;
	limit_reader *l = ociwp_new(limit_reader);

	*out = NULL;
	if (!l)
		return ociwp_nomem(err);
	*l = (limit_reader){ociwp_steal(&inner), max, max, what};
	return ociw_reader_new(&ops, l, out, err);
}
