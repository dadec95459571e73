/* SPDX-License-Identifier: Apache-2.0
 *
 * Deflate in pieces that can be made in any order and joined to one stream: none but the last is final,
 * each ends on a byte boundary and refers to nothing before it. So one gzip member can use all
 * cores. Chunks of 8 KiB that look like noise are stored, all others deflated by libdeflate level 1,
 * or zlib 6 in a build without it (ADR 5).
 */
#ifndef OCIW_IO_DEFLATE_BLOCK_H
#define OCIW_IO_DEFLATE_BLOCK_H

#include "base/alloc.h"
#include "base/error.h"

typedef struct ociwp_block_deflater ociwp_block_deflater;

/* One for each thread. */
int ociwp_block_deflater_new(ociwp_block_deflater **out, ociw_error **err);
void ociwp_block_deflater_free(ociwp_block_deflater *deflater);
OCIWP_DEFINE_AUTO(block_deflater, ociwp_block_deflater *, ociwp_block_deflater_free)

/* Room that a piece of @p len bytes needs at most. */
size_t ociwp_deflate_block_bound(size_t len);
/* Deflates @p len bytes, which may be none in the last piece of a stream: the number of bytes in @p out,
 * or a code. The last piece is made faster than others. */
ptrdiff_t ociwp_deflate_block(ociwp_block_deflater *deflater, const void *data, size_t len, bool last,
                              uint8_t *out, size_t room, ociw_error **err);

#endif
