/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls for a content that only takes blobs: it holds nothing and names nothing. Header only.
 */
#ifndef OCIW_TESTS_FAR_END_H
#define OCIW_TESTS_FAR_END_H

#include "base/error.h"
#include "io/stream.h"
#include "oci/content.h"

static int far_resolve(void *self, const char *name, const ociw_op *op, ociw_descriptor **out,
                       ociw_error **err)
{
	(void)self;
	(void)name;
	(void)op;
	(void)out;
	return ociwp_fail(err, OCIW_ERR_NOTFOUND, "nothing is kept");
}

static int far_open(void *self, const ociw_descriptor *desc, uint64_t offset, const ociw_op *op,
                    ociw_reader **out, ociw_error **err)
{
	(void)self;
	(void)desc;
	(void)offset;
	(void)op;
	(void)out;
	return ociwp_fail(err, OCIW_ERR_NOTFOUND, "nothing is kept");
}

/* Reads a blob to its end, as a registry does. */
static int far_take(const ociwp_blob_source *source, const ociw_op *op, ociw_error **err)
{
	ociw_reader *reader = NULL;
	int r = source->open(source->self, 0, op, &reader, err);
	return r < 0 ? r : ociwp_reader_drain(reader, err);
}

static void far_free(void *self)
{
	(void)self;
}

#endif
