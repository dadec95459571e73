/* SPDX-License-Identifier: Apache-2.0
 *
 * Differential: what zlib accepts, the build's inflate engine accepts with the same bytes, however
 * the stream is cut. The first byte chooses piece sizes and whether a cut stream is an error.
 */
#include "fuzz-streams.h"
#include "io/inflate.h"

struct outcome {
	int code;
	bool truncated;
	ociwp_buf bytes;
};

static void run(ociwp_inflate_engine engine, const uint8_t *data, size_t size, uint8_t mode,
                struct outcome *out)
{
	ociw_reader *reader = NULL;
	ociwp_decode_options options = {.max_bytes = 1 << 20};
	size_t step = (mode & 0x70) ? (size_t)1 << ((mode >> 4 & 7) * 2) : SIZE_MAX;
	*out = (struct outcome){0, false, OCIWP_BUF_INIT};
	if (mode & 1)
		options.truncated = &out->truncated;
	out->code =
	        ociwp_reader_gunzip_by(engine, fuzz_reader(data, size, (mode & 2) ? 7 : SIZE_MAX),
	                               &options, &reader, NULL);
	FUZZ_ASSERT(out->code == 0);
	out->code = fuzz_read_all(reader, step, &out->bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome fast, slow;
	if (size == 0)
		return 0;
	run(OCIWP_INFLATE_AUTO, data + 1, size - 1, data[0], &fast);
	run(OCIWP_INFLATE_ZLIB, data + 1, size - 1, data[0], &slow);
	/* ISA-L takes Huffman codes that are not complete, which zlib refuses. The bytes that such
	 * a stream gives are checked by its CRC all the same, so that is no way to anywhere. */
	if (slow.code == 0 && !slow.truncated) {
		FUZZ_ASSERT(fast.code == 0 && !fast.truncated);
		FUZZ_ASSERT(fast.bytes.len == slow.bytes.len);
		FUZZ_ASSERT(fast.bytes.len == 0 ||
		            memcmp(fast.bytes.data, slow.bytes.data, fast.bytes.len) == 0);
	}
	ociwp_buf_deinit(&fast.bytes);
	ociwp_buf_deinit(&slow.bytes);
	return 0;
}
