/* SPDX-License-Identifier: Apache-2.0
 *
 * Compact JSON out, members in the order they are written: the one serialisation of everything we
 * make (MAN-12, spin.md 2.1). Escapes: \" \\ \b \f \n \r \t, other C0 as \u00xx in lower case; '/',
 * DEL and non-ASCII raw. Writes to an ociw_writer through a small buffer, so a lock of any size
 * streams; errors are sticky and reported by finish.
 */
#ifndef OCIW_CODEC_JSON_WRITER_H
#define OCIW_CODEC_JSON_WRITER_H

#include "base/buf.h"
#include <jansson.h>
#include <oci-wasm/io.h>

typedef struct ociwp_json_writer ociwp_json_writer;

/* To a stream (borrowed) or to a buffer (borrowed): one of the two is NULL. */
int ociwp_json_writer_new(ociw_writer *to, ociwp_buf *buf, ociwp_json_writer **out,
			  ociw_error **err);
/* Flushes; the first error of all calls. Asserts that everything begun was ended. */
int ociwp_json_writer_finish(ociwp_json_writer *take_writer, ociw_error **err);
void ociwp_json_writer_free(ociwp_json_writer *writer); /* gives up */
OCIWP_DEFINE_AUTO(json_writer, ociwp_json_writer *, ociwp_json_writer_free)

/* For helpers that write values and run out of memory on the way: finish reports it. The value that
 * was due counts as written. */
void ociwp_json_writer_fail_nomem(ociwp_json_writer *w);

void ociwp_json_begin_object(ociwp_json_writer *w);
void ociwp_json_end_object(ociwp_json_writer *w);
void ociwp_json_begin_array(ociwp_json_writer *w);
void ociwp_json_end_array(ociwp_json_writer *w);
void ociwp_json_key(ociwp_json_writer *w, const char *name);
void ociwp_json_string(ociwp_json_writer *w, const char *text);
void ociwp_json_string_len(ociwp_json_writer *w, const char *text, size_t len);
void ociwp_json_u64(ociwp_json_writer *w, uint64_t value);
void ociwp_json_i64(ociwp_json_writer *w, int64_t value);
/* Shortest text that reads back equal, as Rust's serde_json prints it: 2.0, 1e+21, 1e-7, -0.0; null
 * for nan and inf (spin.md 2.5). */
void ociwp_json_double(ociwp_json_writer *w, double value);
void ociwp_json_bool(ociwp_json_writer *w, bool value);
void ociwp_json_null(ociwp_json_writer *w);
/* Standard base64 of bytes as a string, unpadded or padded. */
void ociwp_json_base64(ociwp_json_writer *w, const void *data, size_t len, bool pad);
/* A jansson value; @p sort_keys: object keys in byte order at every level, else as in the tree. */
void ociwp_json_value(ociwp_json_writer *w, const json_t *value, bool sort_keys);
/* key + string; nothing at all when @p text is NULL. */
void ociwp_json_member(ociwp_json_writer *w, const char *name, const char *text);

#endif
