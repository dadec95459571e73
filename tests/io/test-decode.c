/* SPDX-License-Identifier: Apache-2.0
 *
 * Sniffing: bytes decide (LYR-2), one level only (F6), limits hold without compression too (R1).
 */
#include "../support/test-streams.h"
#include "io/decode-guard.h"

static int decode(const void *data, size_t len, const ociwp_decode_options *options,
                  ociwp_compression *found, char **out, size_t *out_len, ociw_error **err)
{
	ociw_reader *reader = NULL;
	*out = NULL;
	int r = ociwp_reader_decode(test_reader(data, len, 1), options, found, &reader, err);
	return r < 0 ? r : ociwp_read_all(reader, 1 << 20, out, out_len, err);
}

Test(decode, plain_bytes_pass_whole)
{
	for (size_t len = 0; len <= 9; len++) {
		ociwp_compression found;
		char *out;
		size_t out_len;
		cr_assert_eq(decode("123456789", len, NULL, &found, &out, &out_len, NULL), 0);
		cr_expect_eq(found, OCIWP_COMPRESSION_NONE);
		cr_expect_eq(out_len, len);
		cr_expect_eq(memcmp(out, "123456789", len), 0);
		free(out);
	}
}

Test(decode, gzip_in_gzip_is_decoded_once)
{
	ociwp_buf inner = OCIWP_BUF_INIT, outer = OCIWP_BUF_INIT;
	ociwp_compression found;
	char *out;
	size_t out_len;
	cr_assert_eq(ociwp_gzip_bytes("text", 4, &inner, NULL), 0);
	cr_assert_eq(ociwp_gzip_bytes(inner.data, inner.len, &outer, NULL), 0);
	cr_assert_eq(decode(outer.data, outer.len, NULL, &found, &out, &out_len, NULL), 0);
	cr_expect_eq(found, OCIWP_COMPRESSION_GZIP);
	cr_assert_eq(out_len, inner.len);
	cr_expect_eq(memcmp(out, inner.data, out_len), 0);
	free(out);
	ociwp_buf_deinit(&inner);
	ociwp_buf_deinit(&outer);
}

Test(decode, magic_bytes_are_told_apart)
{
	cr_expect_eq(ociwp_compression_sniff("\x1f\x8b", 2), OCIWP_COMPRESSION_GZIP);
	cr_expect_eq(ociwp_compression_sniff("\x28\xb5\x2f\xfd", 4), OCIWP_COMPRESSION_ZSTD);
	cr_expect_eq(ociwp_compression_sniff("\x5a\x2a\x4d\x18", 4), OCIWP_COMPRESSION_ZSTD);
	cr_expect_eq(ociwp_compression_sniff("\x28\xb5\x2f", 3), OCIWP_COMPRESSION_NONE);
	cr_expect_eq(ociwp_compression_sniff("\x1f", 1), OCIWP_COMPRESSION_NONE);
	cr_expect_eq(ociwp_compression_sniff("", 0), OCIWP_COMPRESSION_NONE);
}

Test(decode, the_byte_limit_holds_for_plain_streams)
{
	ociwp_decode_options options = {.max_bytes = 8};
	ociwp_compression found;
	ociw_error *err = NULL;
	char *out;
	size_t out_len;
	int r = decode("123456789", 9, &options, &found, &out, &out_len, &err);
	test_expect(r, OCIW_ERR_LIMIT, &err, "more than 8 decoded bytes");
	options.max_bytes = 9;
	cr_expect_eq(decode("123456789", 9, &options, &found, &out, &out_len, NULL), 0);
	free(out);
}

Test(decode, the_ratio_counts_only_past_64_mib)
{
	ociwp_decode_guard guard;
	ociw_error *err = NULL;
	ociwp_decode_guard_init(&guard, NULL);
	guard.total_in = 1;
	cr_expect_eq(ociwp_decode_guard_count(&guard, (size_t)64 << 20, NULL), 0);
	test_expect(ociwp_decode_guard_count(&guard, 1, &err), OCIW_ERR_LIMIT, &err,
	            "more than 1000 : 1");
	guard.total_in = (64 << 20) / 1000 + 1;
	cr_expect_eq(ociwp_decode_guard_count(&guard, 1, NULL), 0);
}
