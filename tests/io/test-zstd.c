/* SPDX-License-Identifier: Apache-2.0
 *
 * The unzstd reader: frames, skippable frames, checksum, window, dictionary, truncation (F5).
 */
#include "../support/test-streams.h"
#include "io/compress.h"

/* One raw block with "hello\n": magic, descriptor, window 1 KiB, block header, data. */
static const unsigned char hello[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x00, 0x31, 0x00,
                                      0x00, 'h',  'e',  'l',  'l',  'o',  '\n'};
/* The same with the checksum flag: the low half of XXH64 of the content. */
static const unsigned char summed[] = {0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x00, 0x31, 0x00, 0x00, 'h',
                                       'e',  'l',  'l',  'o',  '\n', 0x53, 0x88, 0xbd, 0x91};
static const unsigned char skippable[] = {0x57, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'x', 'y', 'z'};

static int decode(const void *data, size_t len, size_t step, const ociwp_decode_options *options,
                  char **out, ociw_error **err)
{
	ociw_reader *reader = NULL;
	size_t out_len;
	*out = NULL;
	int r = ociwp_reader_unzstd(test_reader(data, len, step), options, &reader, err);
	if (r == OCIW_ERR_UNSUPPORTED && strstr(ociw_error_message(*err), "this build"))
		cr_skip("built without zstd");
	return r < 0 ? r : ociwp_read_all(reader, 1 << 20, out, &out_len, err);
}

static void expect(const void *data, size_t len, const ociwp_decode_options *options, int code,
                   const char *text)
{
	for (size_t step = 0; step <= 2; step++) {
		ociw_error *err = NULL;
		char *out;
		int r = decode(data, len, step == 2 ? TEST_WHOLE : step, options, &out, &err);
		test_expect(r, code, &err, text);
		if (code == 0)
			cr_expect_str_eq(out, text);
		free(out);
	}
}

Test(zstd, frames_and_skippable_frames_are_one_stream)
{
	ociwp_buf in = OCIWP_BUF_INIT;
	ociwp_buf_append(&in, skippable, sizeof(skippable));
	ociwp_buf_append(&in, hello, sizeof(hello));
	ociwp_buf_append(&in, skippable, sizeof(skippable));
	ociwp_buf_append(&in, hello, sizeof(hello));
	ociwp_buf_append(&in, skippable, sizeof(skippable));
	expect(in.data, in.len, NULL, 0, "hello\nhello\n");
	ociwp_buf_deinit(&in);
}

Test(zstd, a_stream_cut_anywhere_is_an_error)
{
	for (size_t len = 0; len < sizeof(hello); len++)
		expect(hello, len, NULL, len < 4 ? OCIW_ERR_FORMAT : OCIW_ERR_SIZE, "zstd stream");
	for (size_t len = 1; len < sizeof(skippable); len++)
		expect(skippable, len, NULL, len < 4 ? OCIW_ERR_FORMAT : OCIW_ERR_SIZE,
		       "zstd stream");
}

Test(zstd, truncation_is_an_error_even_where_gzip_may_be_cut)
{
	bool truncated = false;
	ociwp_decode_options options = {.truncated = &truncated};
	expect(hello, sizeof(hello) - 1, &options, OCIW_ERR_SIZE, "zstd stream ends in a frame");
	cr_expect_not(truncated);
}

Test(zstd, a_wrong_checksum_is_an_error)
{
	unsigned char bad[sizeof(summed)];
	memcpy(bad, summed, sizeof(bad));
	bad[sizeof(bad) - 1] ^= 1;
	expect(bad, sizeof(bad), NULL, OCIW_ERR_DIGEST, "checksum");
}

Test(zstd, other_bytes_after_the_last_frame_are_an_error)
{
	ociwp_buf in = OCIWP_BUF_INIT;
	ociwp_buf_append(&in, hello, sizeof(hello));
	ociwp_buf_append(&in, "\0\0\0\0", 4);
	expect(in.data, in.len, NULL, OCIW_ERR_FORMAT, "bytes after the end");
	ociwp_buf_deinit(&in);
}

Test(zstd, a_window_over_the_limit_is_refused)
{
	unsigned char wide[sizeof(hello)];
	memcpy(wide, hello, sizeof(wide));
	wide[5] = 17 << 3 | 1; /* 128 MiB and an eighth */
	expect(wide, sizeof(wide), NULL, OCIW_ERR_LIMIT,
	       "window of 150994944 bytes, the limit is 134217728");
	wide[5] = 17 << 3;
	expect(wide, sizeof(wide), NULL, 0, "hello\n");
	ociwp_decode_options options = {.max_zstd_window = 1023};
	expect(hello, sizeof(hello), &options, OCIW_ERR_LIMIT,
	       "window of 1024 bytes, the limit is 1023");
}

Test(zstd, a_single_segment_over_the_limit_is_refused)
{
	/* Content size of 8 bytes: 2^40. */
	static const unsigned char huge[] = {0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0,
	                                     0,    0,    1,    0,    0,    1, 0, 0};
	expect(huge, sizeof(huge), NULL, OCIW_ERR_LIMIT, "window of 1099511627776 bytes");
}

Test(zstd, a_dictionary_is_refused)
{
	static const unsigned char with_id[] = {0x28, 0xb5, 0x2f, 0xfd, 0x01,
	                                        0x00, 0x2a, 0x01, 0x00, 0x00};
	expect(with_id, sizeof(with_id), NULL, OCIW_ERR_UNSUPPORTED, "needs dictionary 42");
}

Test(zstd, a_reserved_bit_is_refused)
{
	unsigned char odd[sizeof(hello)];
	memcpy(odd, hello, sizeof(odd));
	odd[4] = 0x08;
	expect(odd, sizeof(odd), NULL, OCIW_ERR_FORMAT, "reserved bit");
}

Test(zstd, the_byte_limit_holds)
{
	ociwp_decode_options options = {.max_bytes = 5};
	expect(hello, sizeof(hello), &options, OCIW_ERR_LIMIT, "more than 5 decoded bytes");
}

/* Found by fuzzing: libzstd takes the empty last block for the end without looking at the size. */
Test(zstd, a_frame_with_less_than_its_header_says_is_an_error)
{
	static const unsigned char promises_256[] = {0x28, 0xb5, 0x2f, 0xfd, 0x40, 0x00,
	                                             0x00, 0x00, 0x01, 0x00, 0x00};
	expect(promises_256, sizeof(promises_256), NULL, OCIW_ERR_DIGEST, "its header says 256");
}

/* Longer than its header says, then a block of a type that does not exist: the pieces decide which of the two
 * is seen, so both must be the same error. */
Test(zstd, a_frame_that_is_damaged_twice_is_one_error_however_it_comes)
{
	static const unsigned char twice[] = {0x28, 0xb5, 0x2f, 0xfd, 0x60, 0x00, 0x00, 0x30, 0x00, 0x00,
	                                      'h',  'e',  'l',  'l',  'o',  '\n', 0x07, 0x00, 0x00};
	expect(twice, sizeof(twice), NULL, OCIW_ERR_DIGEST, "zstd data is damaged");
}
