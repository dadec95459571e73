/* SPDX-License-Identifier: Apache-2.0
 *
 * The count of decoded bytes over several streams. Knows no image.
 */
#include "ops/extract-total.h"

typedef struct total_reader {
	ociw_reader *inner;
	uint64_t *total;
	uint64_t max;
} total_reader;

static ptrdiff_t total_read(void *self, void *buf, size_t len, ociw_error **err)
{
	total_reader *t = self;
	ptrdiff_t n = ociw_reader_read(t->inner, buf, len, err);
	if (n <= 0)
		return n;
	if (*t->total > t->max || (uint64_t)n > t->max - *t->total)
		return ociwp_fail(err, OCIW_ERR_LIMIT,
				  "the image unpacks to more than %llu bytes",
				  (unsigned long long)t->max);
	*t->total += (uint64_t)n;
	return n;
}

static int total_close(void *self, ociw_error **err)
{
	total_reader *t = self;
	int r = ociw_reader_close(t->inner, err);
	free(t);
	return r;
}

int ociwp_extract_total(ociw_reader *take_inner, uint64_t *total, uint64_t max, ociw_reader **out,
			ociw_error **err)
{
	static const ociw_reader_ops ops = {sizeof(ops), total_read, total_close};
	total_reader *t = ociwp_new(total_reader);
	*out = NULL;
	if (!t) {
		(void)ociw_reader_close(take_inner, NULL);
		return ociwp_nomem(err);
	}
	*t = (total_reader){take_inner, total, max};
	return ociw_reader_new(&ops, t, out, err);
}
