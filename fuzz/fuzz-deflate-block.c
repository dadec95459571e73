/* SPDX-License-Identifier: Apache-2.0
 *
 * Pieces of deflate: whatever the data, two of them are one stream with the data twice, whether
 * the second is the last or an empty one comes behind.
 */
#include "fuzz-streams.h"
#include "io/deflate-block.h"
#include "io/raw-inflate.h"

static void expect_twice(ociwp_inflate_engine engine, const ociwp_buf *stream, const uint8_t *data,
                         size_t size)
{
	ociwp_inflate *inflate = NULL;
	const uint8_t *in = (const uint8_t *)stream->data;
	size_t left = stream->len;
	uint8_t *out = (uint8_t *)ociwp_malloc(2 * size + 1);
	bool ended = false;
	FUZZ_ASSERT(out && ociwp_inflate_new(engine, &inflate, NULL) == 0);
	ptrdiff_t n = ociwp_inflate_run(inflate, &in, &left, out, 2 * size + 1, &ended, NULL);
	FUZZ_ASSERT(n == (ptrdiff_t)(2 * size) && ended);
	FUZZ_ASSERT(memcmp(out, data, size) == 0 && memcmp(out + size, data, size) == 0);
	ociwp_inflate_free(inflate);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OCIWP_AUTO(block_deflater) ociwp_block_deflater *deflater = NULL;
	ociwp_buf stream = OCIWP_BUF_INIT;
	if (size == 0)
		return 0;
	size_t room = ociwp_deflate_block_bound(size);
	uint8_t *piece = (uint8_t *)ociwp_malloc(room);
	FUZZ_ASSERT(piece && ociwp_block_deflater_new(&deflater, NULL) == 0);
	bool empty = data[size - 1] & 1;
	for (int i = 0; i < 2 + empty; i++) {
		bool last = i == 1 + empty;
		ptrdiff_t n = ociwp_deflate_block(deflater, data, i < 2 ? size : 0, last, piece, room, NULL);
		FUZZ_ASSERT(n > 0);
		ociwp_buf_append(&stream, piece, (size_t)n);
	}
	FUZZ_ASSERT(!stream.failed);
	expect_twice(OCIWP_INFLATE_ZLIB, &stream, data, size);
	expect_twice(OCIWP_INFLATE_AUTO, &stream, data, size);
	ociwp_buf_deinit(&stream);
	free(piece);
	return 0;
}
