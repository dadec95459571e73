/* SPDX-License-Identifier: Apache-2.0
 *
 * The inflate engines alone: end of stream, bytes read too far, checksums.
 */
#include "../support/test-streams.h"
#include "io/raw-inflate.h"

/* "hello\n", then bytes that are not part of the stream. */
static const unsigned char stream[] = {0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xe7, 0x02, 0x00,
                                       0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};

static void expect_end(ociwp_inflate_engine engine)
{
	ociwp_inflate *inflate = NULL;
	const uint8_t *in = stream;
	size_t in_len = sizeof(stream);
	uint8_t out[64], leftover[OCIWP_INFLATE_LEFTOVER_MAX];
	bool ended = false;
	cr_assert_eq(ociwp_inflate_new(engine, &inflate, NULL), 0);
	for (int round = 0; round < 2; round++) {
		in = stream;
		in_len = sizeof(stream);
		cr_expect_eq(
		        ociwp_inflate_run(inflate, &in, &in_len, out, sizeof(out), &ended, NULL),
		        6);
		cr_expect(ended);
		cr_expect_eq(memcmp(out, "hello\n", 6), 0);
		size_t back = ociwp_inflate_leftover(inflate, leftover);
		cr_assert_eq(back + in_len, 8);
		cr_expect_eq(memcmp(leftover, stream + 8, back), 0);
		ociwp_inflate_reset(inflate);
	}
	ociwp_inflate_free(inflate);
}

Test(raw_inflate, zlib_ends_where_the_stream_ends)
{
	expect_end(OCIWP_INFLATE_ZLIB);
}

Test(raw_inflate, the_default_engine_gives_back_what_it_read_too_far)
{
	expect_end(OCIWP_INFLATE_AUTO);
}

Test(raw_inflate, an_engine_that_is_not_built_in_is_unsupported)
{
	ociwp_inflate *inflate = NULL;
	ociw_error *err = NULL;
	int r = ociwp_inflate_new(OCIWP_INFLATE_ISAL, &inflate, &err);
	if (ociwp_inflate_default_engine() == OCIWP_INFLATE_ZLIB)
		test_expect(r, OCIW_ERR_UNSUPPORTED, &err, "no ISA-L");
	else
		cr_expect_eq(r, 0);
	ociwp_inflate_free(inflate);
}

/* RFC 1952, 8; the value for "123456789" is the usual check value of this CRC. */
Test(raw_inflate, crc_of_the_check_string_is_right)
{
	cr_expect_eq(ociwp_crc32(0, "123456789", 9), 0xcbf43926u);
	cr_expect_eq(ociwp_crc32(ociwp_crc32(0, "1234", 4), "56789", 5), 0xcbf43926u);
	cr_expect_eq(ociwp_crc32(0, NULL, 0), 0u);
}
