/* SPDX-License-Identifier: Apache-2.0
 *
 * Raw deflate decoding (RFC 1951) by ISA-L where the build has it, by zlib otherwise. Knows nothing
 * of gzip framing; the caller finds headers and trailers.
 */
#ifndef OCIW_IO_RAW_INFLATE_H
#define OCIW_IO_RAW_INFLATE_H

#include "base/error.h"

typedef enum ociwp_inflate_engine {
	OCIWP_INFLATE_AUTO = 0, /* the fastest of this build */
	OCIWP_INFLATE_ZLIB = 1, /* always there; tests compare with it */
	OCIWP_INFLATE_ISAL = 2  /* OCIW_ERR_UNSUPPORTED in a build without it */
} ociwp_inflate_engine;

typedef struct ociwp_inflate ociwp_inflate;

/* What AUTO stands for in this build. */
ociwp_inflate_engine ociwp_inflate_default_engine(void);
int ociwp_inflate_new(ociwp_inflate_engine engine, ociwp_inflate **out, ociw_error **err);
void ociwp_inflate_free(ociwp_inflate *inflate);
/* Ready for the next stream. */
void ociwp_inflate_reset(ociwp_inflate *inflate);

/* Decodes from *in (advanced, *in_len lowered) into @p out: the number of bytes produced, or
 * OCIW_ERR_FORMAT. *ended: the stream is over and everything was handed out. Less than @p out_len
 * without *ended means that more input is needed. */
ptrdiff_t ociwp_inflate_run(ociwp_inflate *inflate, const uint8_t **in, size_t *in_len,
                            uint8_t *out, size_t out_len, bool *ended, ociw_error **err);

/* Most bytes that an engine takes in past the end of its stream. */
#define OCIWP_INFLATE_LEFTOVER_MAX 8
/* After *ended: the bytes behind the stream that the engine had taken in; how many. */
size_t ociwp_inflate_leftover(const ociwp_inflate *inflate,
                              uint8_t out[OCIWP_INFLATE_LEFTOVER_MAX]);

/* Running CRC-32 of gzip; starts with 0. */
uint32_t ociwp_crc32(uint32_t crc, const void *data, size_t len);

#endif
