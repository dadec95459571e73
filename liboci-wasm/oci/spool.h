/* SPDX-License-Identifier: Apache-2.0
 *
 * A blob that is read once, from a pipe perhaps, before its size and digest are known, as a source
 * that can be opened again all the same.
 *
 * What went down a connection is gone: neither the connection nor the pipe gives it back. So each
 * byte is kept in a file without a name before it is passed on, and every reader of the source gives
 * what is kept first and then what is still to come. A repeated request (new token, redirect) and the
 * whole blob in one piece (PSH-7a) come from there alike.
 */
#ifndef OCIW_OCI_SPOOL_H
#define OCIW_OCI_SPOOL_H

#include "io/stream.h"
#include "oci/content.h"

struct ociwp_spool {
	ociw_reader *input; /* NULL once it has ended well */
	ociwp_hasher *hasher;
	char *media_type;
	int fd;
	uint64_t size;         /* bytes kept so far */
	ociw_descriptor *desc; /* NULL before the end of the input */
};

/* At most max_blob_bytes of @p op are taken. @p take_input is closed whatever happens; when it ends,
 * its verdict counts. */
int ociwp_spool_open(ociw_reader *take_input, const char *media_type, const ociw_op *op,
                     ociwp_spool **out, ociw_error **err);
void ociwp_spool_free(ociwp_spool *spool); /* NULL is fine */
OCIWP_DEFINE_AUTO(spool, ociwp_spool *, ociwp_spool_free)

/* Reads on until @p size bytes are kept or the input has ended: then spool->desc is set. */
int ociwp_spool_fill(ociwp_spool *spool, uint64_t size, const ociw_op *op, ociw_error **err);
/* Reads on to the end: what the blob is, borrowed. */
int ociwp_spool_finish(ociwp_spool *spool, const ociw_op *op, const ociw_descriptor **out,
                       ociw_error **err);
/* For one thread at a time while the input has not ended. */
ociwp_blob_source ociwp_spool_source(ociwp_spool *spool);

#endif
