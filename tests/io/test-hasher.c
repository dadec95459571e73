/* SPDX-License-Identifier: Apache-2.0 */
#include "../support/streams.h"
#include "base/buf.h"

#include <criterion/criterion.h>

#define EMPTY_OBJECT "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

static void digest_is(const ociw_digest *digest, const char *want)
{
	char text[OCIW_DIGEST_TEXT_MAX];

	cr_assert_str_eq(ociw_digest_format(digest, text), want);
}

Test(hasher, sha256_of_the_empty_object_is_the_spec_s)
{
	ociw_digest digest;

	cr_assert_eq(ociw_digest_bytes(OCIW_DIGEST_SHA256, (ociw_span){"{}", 2}, &digest, NULL), 0);
	digest_is(&digest, EMPTY_OBJECT); /* image-spec manifest.md, MAN-6 */
}

Test(hasher, sha512_works_and_none_is_refused)
{
	ociwp_hasher *hasher;
	ociw_digest digest;

	cr_assert_eq(ociw_digest_bytes(OCIW_DIGEST_SHA512, (ociw_span){"", 0}, &digest, NULL), 0);
	digest_is(&digest, "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
			   "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
	cr_assert_eq(ociwp_hasher_new(OCIW_DIGEST_NONE, &hasher, NULL), OCIW_ERR_UNSUPPORTED);
}

Test(hasher, a_reset_hasher_starts_anew)
{
	OCIWP_AUTO(hasher) ociwp_hasher *hasher = NULL;
	ociw_digest digest;

	cr_assert_eq(ociwp_hasher_new(OCIW_DIGEST_SHA256, &hasher, NULL), 0);
	ociwp_hasher_update(hasher, "junk", 4);
	ociwp_hasher_reset(hasher);
	ociwp_hasher_update(hasher, "{", 1);
	ociwp_hasher_update(hasher, "}", 1);
	ociwp_hasher_final(hasher, &digest);
	digest_is(&digest, EMPTY_OBJECT);
}

Test(hasher, a_hashing_reader_tells_at_the_end)
{
	ociw_reader *reader;
	ociw_digest digest = {0};
	uint64_t size = 0;

	cr_assert_eq(ociwp_reader_hash(slow_reader_new("{}", 2, 1, 0, NULL), OCIW_DIGEST_SHA256,
				       &digest, &size, &reader, NULL), 0);
	cr_assert_eq(ociwp_reader_drain(reader, NULL), 0);
	digest_is(&digest, EMPTY_OBJECT);
	cr_assert_eq(size, 2);
}

Test(hasher, a_hashing_writer_tells_at_commit_and_not_when_aborted)
{
	OCIWP_AUTO(buf) ociwp_buf buf = OCIWP_BUF_INIT;
	ociw_writer *inner, *writer;
	ociw_digest digest = {0};
	uint64_t size = 0;

	cr_assert_eq(ociwp_writer_new_buf(&buf, 10, &inner, NULL), 0);
	cr_assert_eq(ociwp_writer_hash(inner, OCIW_DIGEST_SHA256, &digest, &size, &writer, NULL), 0);
	cr_assert_eq(ociw_writer_write(writer, "{}", 2, NULL), 0);
	ociw_writer_abort(writer);
	digest_is(&digest, "");
	cr_assert_eq(ociwp_writer_new_buf(&buf, 10, &inner, NULL), 0);
	cr_assert_eq(ociwp_writer_hash(inner, OCIW_DIGEST_SHA256, &digest, &size, &writer, NULL), 0);
	cr_assert_eq(ociw_writer_write(writer, "{}", 2, NULL), 0);
	cr_assert_eq(ociw_writer_commit(writer, NULL), 0);
	digest_is(&digest, EMPTY_OBJECT);
	cr_assert_eq(size, 2);
}
