/* SPDX-License-Identifier: Apache-2.0
 *
 * The verifying reader fails closed (DIG-6).
 */
#include "../support/streams.h"

#include <criterion/criterion.h>

static ociw_reader *verifying(const char *bytes, const char *promised, uint64_t size, int *closed)
{
	ociw_reader *reader = NULL;
	ociw_digest digest;

	cr_assert_eq(ociw_digest_bytes(OCIW_DIGEST_SHA256,
				       (ociw_span){promised, strlen(promised)}, &digest, NULL), 0);
	cr_assert_eq(ociwp_reader_verify(slow_reader_new(bytes, strlen(bytes), 2, 0, closed),
					 &digest, size, &reader, NULL), 0);
	return reader;
}

Test(verify, right_bytes_pass)
{
	int closed = 0;

	cr_assert_eq(ociwp_reader_drain(verifying("hello", "hello", 5, &closed), NULL), 0);
	cr_assert_eq(closed, 1);
}

Test(verify, no_bytes_can_be_right_too)
{
	cr_assert_eq(ociwp_reader_drain(verifying("", "", 0, NULL), NULL), 0);
}

Test(verify, a_wrong_byte_is_a_digest_error_that_names_both)
{
	ociw_error *err = NULL;

	cr_assert_eq(ociwp_reader_drain(verifying("hellO", "hello", 5, NULL), &err),
		     OCIW_ERR_DIGEST);
	cr_assert_not_null(strstr(ociw_error_message(err), "expected sha256:2cf24dba"));
	ociw_error_free(err);
}

Test(verify, a_short_stream_is_a_size_error)
{
	cr_assert_eq(ociwp_reader_drain(verifying("hell", "hello", 5, NULL), NULL), OCIW_ERR_SIZE);
}

Test(verify, not_one_byte_past_the_size_is_given_out)
{
	OCIWP_AUTO(reader) ociw_reader *reader = verifying("hello, world", "hello", 5, NULL);
	char buf[64];
	ociw_error *err = NULL;

	cr_assert_eq(ociw_reader_read(reader, buf, 64, NULL), 2);
	cr_assert_eq(ociw_reader_read(reader, buf, 64, NULL), 2);
	cr_assert_eq(ociw_reader_read(reader, buf, 64, NULL), 1);
	cr_assert_eq(ociw_reader_read(reader, buf, 64, &err), OCIW_ERR_SIZE);
	ociw_error_free(err);
}

Test(verify, early_close_is_an_error)
{
	ociw_reader *reader = verifying("hello", "hello", 5, NULL);
	char buf[5];

	cr_assert_eq(ociwp_read_full(reader, buf, 5, NULL), 5);
	cr_assert_eq(ociw_reader_close(reader, NULL), OCIW_ERR_SIZE);
}

Test(verify, an_algorithm_that_cannot_be_verified_is_refused)
{
	ociw_digest none = {0};
	ociw_reader *reader;
	int closed = 0;

	cr_assert_eq(ociwp_reader_verify(slow_reader_new("", 0, 1, 0, &closed), &none, 0, &reader,
					 NULL), OCIW_ERR_UNSUPPORTED);
	cr_assert_eq(closed, 1);
}
