/* SPDX-License-Identifier: Apache-2.0
 *
 * Blobs of an opened tar by digest: ranges and made-up bytes, verified before they are parsed.
 */
#include "../support/tars.h"
#include "store/tar-blobs.h"

TestSuite(tar_blobs, .init = scratch_make, .fini = scratch_remove);

#define HELLO "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static void make_blobs(ociwp_tar_blobs *blobs)
{
	write_text(in_scratch("file"), "--hello--");
	*blobs = (ociwp_tar_blobs){0};
	blobs->members.fd = open(in_scratch("file"), O_RDONLY | O_CLOEXEC);
	cr_assert_eq(ociwp_tar_blobs_init(blobs, NULL), 0);
}

static ociw_descriptor *hello(uint64_t size)
{
	ociw_descriptor *desc = NULL;

	cr_assert_eq(ociw_descriptor_new("text/plain", HELLO, size, &desc, NULL), 0);
	return desc;
}

static void expect_hello(ociwp_tar_blobs *blobs)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = hello(5);
	OCIWP_AUTO(str) char *bytes = NULL;
	ociw_reader *reader = NULL;
	char rest[8];
	size_t len = 0;

	cr_expect_eq(ociwp_tar_blobs_read(blobs, desc, NULL, &bytes, &len, NULL), 0);
	cr_expect_str_eq(bytes, "hello");
	cr_assert_eq(ociwp_tar_blobs_open(blobs, desc, 4, &reader, NULL), 0);
	cr_expect_eq(ociwp_read_full(reader, rest, sizeof(rest), NULL), 1);
	cr_expect_eq(rest[0], 'o');
	ociw_reader_close(reader, NULL);
	cr_expect_eq(ociwp_tar_blobs_open(blobs, desc, 6, &reader, NULL), OCIW_ERR_INVALID);
}

Test(tar_blobs, ranges_and_bytes_are_served)
{
	ociwp_tar_blobs blobs;

	make_blobs(&blobs);
	cr_expect_eq(ociwp_tar_blobs_add_range(&blobs, HELLO, 2, 5, NULL), 0);
	expect_hello(&blobs);
	ociwp_tar_blobs_deinit(&blobs);
	make_blobs(&blobs);
	cr_expect_eq(ociwp_tar_blobs_add_bytes(&blobs, HELLO, ociwp_strdup("hello"), 5, NULL), 0);
	expect_hello(&blobs);
	cr_expect_eq(ociwp_tar_blobs_add_bytes(&blobs, HELLO, ociwp_strdup("hello"), 5, NULL), 0);
	cr_expect_eq(ociwp_tar_blobs_add_range(&blobs, HELLO, 2, 6, NULL), OCIW_ERR_SIZE);
	ociwp_tar_blobs_deinit(&blobs);
}

Test(tar_blobs, wrong_bytes_and_sizes_are_refused)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = hello(5);
	OCIWP_AUTO(descriptor) ociw_descriptor *longer = hello(6);
	ociwp_tar_blobs blobs;
	ociw_reader *reader;
	char *bytes = NULL;
	size_t len;

	make_blobs(&blobs);
	cr_expect_eq(ociwp_tar_blobs_read(&blobs, desc, NULL, &bytes, &len, NULL),
	             OCIW_ERR_NOTFOUND);
	cr_expect_eq(ociwp_tar_blobs_add_range(&blobs, HELLO, 1, 5, NULL), 0);
	cr_expect_eq(ociwp_tar_blobs_read(&blobs, desc, NULL, &bytes, &len, NULL), OCIW_ERR_DIGEST);
	cr_expect_eq(ociwp_tar_blobs_open(&blobs, longer, 0, &reader, NULL), OCIW_ERR_SIZE);
	cr_expect_null(bytes);
	ociwp_tar_blobs_deinit(&blobs);
}
