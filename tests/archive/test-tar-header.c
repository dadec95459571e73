/* SPDX-License-Identifier: Apache-2.0
 *
 * One header block: numbers in all their forms (H5), checksums (H6), which form has a prefix.
 */
#include "../support/test-streams.h"
#include "archive/tar-header.h"
#include "tar-builder.h"

static int parse(const struct test_tar *tar, ociwp_tar_header *out, ociw_error **err)
{
	return ociwp_tar_header_parse(tar->buf.data, out, err);
}

/* Puts @p bytes into a field of a good header: the size that comes out, or the code. */
static int64_t size_of(const void *bytes, size_t len, ociw_error **err)
{
	struct test_tar tar = TEST_TAR_INIT;
	ociwp_tar_header header;
	test_tar_header(&tar, "f", '0', 0);
	test_tar_patch(&tar, 124, bytes, len);
	int r = parse(&tar, &header, err);
	test_tar_deinit(&tar);
	return r < 0 ? r : (int64_t)header.size;
}

Test(tar_header, octal_numbers_take_spaces_and_nuls)
{
	cr_expect_eq(size_of("00000000017\0", 12, NULL), 15);
	cr_expect_eq(size_of("00000000017 ", 12, NULL), 15);
	cr_expect_eq(size_of("         17 ", 12, NULL), 15);
	cr_expect_eq(size_of("17 \0 \0\0\0\0\0\0\0", 12, NULL), 15);
	cr_expect_eq(size_of("17\0garbage!!", 12, NULL), 15);
	cr_expect_eq(size_of("\0\0\0\0\0\0\0\0\0\0\0\0", 12, NULL), 0);
	cr_expect_eq(size_of("            ", 12, NULL), 0);
	cr_expect_eq(size_of("777777777777", 12, NULL), 0xfffffffff);
}

Test(tar_header, what_is_no_number_is_refused)
{
	static const char fields[][13] = {"0000000008\0",       "-0000000001",
	                                  "17 17\0\0\0\0\0\0",  "\00017\0\0\0\0\0\0\0\0",
	                                  "0x10\0\0\0\0\0\0\0", "17 \0x\0\0\0\0\0\0"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(fields); i++) {
		ociw_error *err = NULL;
		int r = (int)size_of(fields[i], 12, &err);
		test_expect(r, OCIW_ERR_FORMAT, &err, "size is");
	}
}

Test(tar_header, base256_numbers_are_read_in_full)
{
	ociw_error *err = NULL;
	cr_expect_eq(size_of("\x80\0\0\0\0\0\0\0\0\0\x01\x02", 12, NULL), 0x102);
	cr_expect_eq(size_of("\x80\0\0\0\x40\0\0\0\0\0\0\0", 12, NULL), (int64_t)1 << 62);
	int r = (int)size_of("\x80\0\0\0\x40\0\0\0\0\0\0\x01", 12, &err);
	test_expect(r, OCIW_ERR_FORMAT, &err,
	            "size is 4611686018427387905, over 4611686018427387904");
	r = (int)size_of("\x80\0\0\0\x80\0\0\0\0\0\0\0", 12, &err);
	test_expect(r, OCIW_ERR_FORMAT, &err, "over 63 bits");
	r = (int)size_of("\x80\0\0\x01\0\0\0\0\0\0\0\0", 12, &err);
	test_expect(r, OCIW_ERR_FORMAT, &err, "over 64 bits");
	r = (int)size_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\x00", 12, &err);
	test_expect(r, OCIW_ERR_FORMAT, &err, "size is -512, below 0");
	r = (int)size_of("\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xfe\x00", 12, &err);
	test_expect(r, OCIW_ERR_FORMAT, &err, "over 64 bits");
}

Test(tar_header, a_time_may_be_negative)
{
	struct test_tar tar = TEST_TAR_INIT;
	ociwp_tar_header header;
	test_tar_header(&tar, "f", '0', 0);
	test_tar_patch(&tar, 136, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", 12);
	cr_assert_eq(parse(&tar, &header, NULL), 0);
	cr_expect_eq(header.mtime, -2);
	test_tar_deinit(&tar);
}

Test(tar_header, signed_and_unsigned_checksums_are_right)
{
	struct test_tar tar = TEST_TAR_INIT;
	ociwp_tar_header header;
	ociw_error *err = NULL;
	test_tar_header(&tar, "f\xc3\xa4\xff", '0', 0);
	cr_expect_eq(parse(&tar, &header, NULL), 0);
	test_tar_sum_signed(&tar);
	cr_expect_eq(parse(&tar, &header, NULL), 0);
	tar.buf.data[0] = 'g';
	test_expect(parse(&tar, &header, &err), OCIW_ERR_FORMAT, &err, "expected");
	test_tar_deinit(&tar);
}

Test(tar_header, the_type_in_the_mode_is_dropped)
{
	struct test_tar tar = TEST_TAR_INIT;
	ociwp_tar_header header;
	test_tar_header(&tar, "f", '0', 0);
	test_tar_patch(&tar, 100, "0104755\0", 8);
	cr_assert_eq(parse(&tar, &header, NULL), 0);
	cr_expect_eq(header.mode, 04755);
	test_tar_deinit(&tar);
}

static void expect_path(size_t magic_at, const char *magic, size_t magic_len, int code,
                        const char *expected)
{
	struct test_tar tar = TEST_TAR_INIT;
	ociwp_tar_header header;
	ociw_error *err = NULL;
	test_tar_header(&tar, "name", '0', 0);
	test_tar_patch(&tar, 345, "some/dir", 8);
	test_tar_patch(&tar, magic_at, magic, magic_len);
	int r = parse(&tar, &header, &err);
	test_expect(r, code, &err, expected);
	if (code == 0)
		cr_expect_str_eq(header.path, expected);
	test_tar_deinit(&tar);
}

Test(tar_header, the_prefix_counts_in_ustar_only)
{
	expect_path(257, "ustar\00000", 8, 0, "some/dir/name");
	expect_path(257, "\0\0\0\0\0\0\0\0", 8, 0, "name");
	expect_path(257, "ustar\0\0\0", 8, OCIW_ERR_FORMAT, "has a prefix but version");
	/* Go takes it for a prefix here, others for times. */
	expect_path(257, "ustar  \0", 8, OCIW_ERR_FORMAT, "access time");
}

Test(tar_header, a_prefix_longer_than_star_has_is_refused)
{
	struct test_tar tar = TEST_TAR_INIT;
	ociwp_tar_header header;
	ociw_error *err = NULL;
	char prefix[140];
	memset(prefix, 'p', sizeof(prefix));
	test_tar_header(&tar, "name", '0', 0);
	test_tar_patch(&tar, 345, prefix, sizeof(prefix));
	cr_expect_eq(parse(&tar, &header, NULL), 0);
	test_tar_patch(&tar, 508, "tar", 4);
	test_expect(parse(&tar, &header, &err), OCIW_ERR_FORMAT, &err, "star archive");
	test_tar_deinit(&tar);
}

Test(tar_header, full_fields_need_no_nul)
{
	struct test_tar tar = TEST_TAR_INIT;
	ociwp_tar_header header;
	char text[155];
	memset(text, 'x', sizeof(text));
	test_tar_header(&tar, "", '2', 0);
	test_tar_patch(&tar, 0, text, 100);
	test_tar_patch(&tar, 157, text, 100);
	test_tar_patch(&tar, 345, text, 155);
	cr_assert_eq(parse(&tar, &header, NULL), 0);
	cr_expect_eq(strlen(header.path), 256);
	cr_expect_eq(header.path[155], '/');
	cr_expect_eq(strlen(header.target), 100);
	test_tar_deinit(&tar);
}

Test(tar_header, devices_have_numbers)
{
	struct test_tar tar = TEST_TAR_INIT;
	ociwp_tar_header header;
	ociw_error *err = NULL;
	test_tar_header(&tar, "null", '3', 0);
	test_tar_patch(&tar, 329,
	               "0000001\0"
	               "0000003\0",
	               16);
	cr_assert_eq(parse(&tar, &header, NULL), 0);
	cr_expect_eq(header.device_major, 1);
	cr_expect_eq(header.device_minor, 3);
	test_tar_patch(&tar, 329, "\x80\0\0\x01\0\0\0\0", 8);
	test_expect(parse(&tar, &header, &err), OCIW_ERR_FORMAT, &err, "device major");
	test_tar_deinit(&tar);
}

Test(tar_header, only_512_zeros_are_a_zero_block)
{
	char block[512] = {0};
	cr_expect(ociwp_tar_block_is_zero(block));
	block[511] = 1;
	cr_expect_not(ociwp_tar_block_is_zero(block));
	block[511] = 0;
	block[0] = 1;
	cr_expect_not(ociwp_tar_block_is_zero(block));
}

/* Found by fuzzing: libarchive reads the fields of sparse files in every GNU header. */
Test(tar_header, sparse_fields_of_gnu_headers_are_refused_for_every_type)
{
	struct test_tar tar = TEST_TAR_INIT;
	ociwp_tar_header header;
	ociw_error *err = NULL;
	test_tar_header(&tar, "f", '0', 0);
	test_tar_patch(&tar, 257, "ustar  \0", 8);
	cr_expect_eq(parse(&tar, &header, NULL), 0);
	test_tar_patch(&tar, 483, "00000000001", 11);
	test_expect(parse(&tar, &header, &err), OCIW_ERR_UNSUPPORTED, &err, "sparse");
	test_tar_deinit(&tar);
}

Test(tar_header, device_fields_are_numbers_wherever_they_exist)
{
	struct test_tar tar = TEST_TAR_INIT;
	ociwp_tar_header header;
	ociw_error *err = NULL;
	test_tar_header(&tar, "f", '0', 0);
	test_tar_patch(&tar, 329, "what", 4);
	test_expect(parse(&tar, &header, &err), OCIW_ERR_FORMAT, &err, "device major");
	test_tar_patch(&tar, 257, "\0\0\0\0\0\0\0\0", 8);
	cr_expect_eq(parse(&tar, &header, NULL), 0);
	test_tar_deinit(&tar);
}
