/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading what is packed: a local file, a range of a spool, bytes, or a blob of another content.
 * Judges wasm by format/wasm-check; knows no Spin.
 */
#ifndef OCIW_FORMAT_SOURCE_H
#define OCIW_FORMAT_SOURCE_H

#include "format/beneath.h"
#include "format/wasm-check.h"
#include "io/stream.h"
#include "oci/source.h"

/* Content of at most this many bytes is kept in memory and goes inline into a lock (spin.md 3.2).
 */
#define OCIWP_INLINE_MAX 128

/* Memory of one thread that reads sources. */
typedef struct ociwp_scratch {
	ociwp_hasher *hasher;
	const ociwp_beneath *beneath; /* where a FILE that is hashed must be; NULL: anywhere */
	unsigned char *buf;           /* OCIWP_SCRATCH_SIZE */
	bool idle;                    /* the hasher: what is read now is known */
} ociwp_scratch;
#define OCIWP_SCRATCH_SIZE (64u << 10)

int ociwp_scratch_init(ociwp_scratch *scratch, ociw_error **err);
void ociwp_scratch_deinit(ociwp_scratch *scratch);

void ociwp_source_deinit(ociwp_source *source);
/* A source of bytes, copied and hashed. */
int ociwp_source_of_bytes(ociw_span bytes, ociwp_source *out, ociw_error **err);

/* Reads a FILE or RANGE once: size, digest, stamp, small bytes. @p wasm 0: any bytes are fine, else
 * how it is checked to be wasm. A file that changes meanwhile is OCIW_ERR_DIGEST, one that is not where
 * the scratch wants it OCIW_ERR_UNSAFE. */
int ociwp_source_hash(ociwp_source *source, unsigned wasm, ociwp_scratch *scratch,
                      ociw_error **err);

/* "sha256:..." into @p out, which it returns. */
const char *ociwp_source_digest(const ociwp_source *source, char out[OCIW_DIGEST_TEXT_MAX]);
/* What to call it in messages. */
const char *ociwp_source_name(const ociwp_source *source);

/* A file changed within this many seconds may change again under the same times (FAT counts in twos). */
#define OCIWP_RACY_SECONDS 2

/* Gives all bytes to @p sink in order and judges them at the end: OCIW_ERR_DIGEST or SIZE when they
 * are not what was hashed. Settled files are judged by their stamps, all others by their digests. */
typedef int (*ociwp_source_sink)(void *context, const void *data, size_t len, ociw_error **err);
int ociwp_source_read(const ociwp_source *source, ociwp_scratch *scratch, const ociw_op *op,
                      ociwp_source_sink sink, void *context, ociw_error **err);

/* Adds it as a blob; *out (may be NULL) is its descriptor. */
int ociwp_source_add(const ociwp_source *source, const char *media_type, ociwp_memory *memory,
                     ociw_descriptor **out, ociw_error **err);

#endif
