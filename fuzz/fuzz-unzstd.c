/* SPDX-License-Identifier: Apache-2.0
 *
 * zstd streams: the result must not depend on how the input is cut or the output is asked for. The
 * first byte chooses piece sizes.
 */
#include "fuzz-streams.h"
#include "io/compress.h"

static int run(const uint8_t *data, size_t size, size_t in_step, size_t out_step, ociwp_buf *out)
{
	ociw_reader *reader = NULL;
	/* A small window keeps the fuzzer fast. */
	ociwp_decode_options options = {.max_bytes = 1 << 20, .max_zstd_window = 1 << 20};
	int r = ociwp_reader_unzstd(fuzz_reader(data, size, in_step), &options, &reader, NULL);
	return r < 0 ? r : fuzz_read_all(reader, out_step, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ociwp_buf whole = OCIWP_BUF_INIT, pieces = OCIWP_BUF_INIT;
	if (size == 0)
		return 0;
	int first = run(data + 1, size - 1, SIZE_MAX, SIZE_MAX, &whole);
	int second =
	        run(data + 1, size - 1, 1 + (data[0] & 0x1f), 1 + (data[0] >> 5) * 37u, &pieces);
	FUZZ_ASSERT(first == second);
	if (first == 0) {
		FUZZ_ASSERT(whole.len == pieces.len);
		FUZZ_ASSERT(whole.len == 0 || memcmp(whole.data, pieces.data, whole.len) == 0);
	}
	ociwp_buf_deinit(&whole);
	ociwp_buf_deinit(&pieces);
	return 0;
}
