/* SPDX-License-Identifier: Apache-2.0
 *
 * Blobs by digest below one directory: only plain files, only digests (LAY-2, DIG-5).
 */
#include "../support/layouts.h"
#include "oci/blobdir.h"

TestSuite(blobdir, .init = scratch_make, .fini = scratch_remove);

#define HELLO "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static int blobs_fd(void)
{
	int fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	cr_assert(fd >= 0);
	return fd;
}

static void make_blob(const char *text)
{
	char path[512];

	mkdir(in_scratch("sha256"), 0755);
	snprintf(path, sizeof(path), "%s/sha256/%s", scratch, &HELLO[7]);
	write_text(path, text);
}

static ociw_descriptor *hello(uint64_t size)
{
	ociw_descriptor *desc = NULL;

	cr_assert_eq(ociw_descriptor_new("text/plain", HELLO, size, &desc, NULL), 0);
	return desc;
}

Test(blobdir, names_are_digests_and_nothing_else)
{
	static const char *const bad[] = {"",           "sha256",
	                                  "sha256:",    ":x",
	                                  "sha256:ABC", "sha256:../../etc/passwd",
	                                  "..:x",       "sha256:2cf24dba",
	                                  "a/b:c",      "sha256:2cf24dba/x"};

	cr_expect(ociwp_blobdir_name_is_safe(HELLO));
	cr_expect(ociwp_blobdir_name_is_safe("blake3:abc")); /* not verified, but a name */
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(bad); i++)
		cr_expect_not(ociwp_blobdir_name_is_safe(bad[i]), "%s", bad[i]);
}

Test(blobdir, reads_whole_and_from_an_offset)
{
	OCIWP_AUTO(fd) int dir = blobs_fd();
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = hello(5);
	OCIWP_AUTO(str) char *bytes = NULL;
	ociw_reader *reader = NULL;
	char rest[8];
	size_t len = 0;

	make_blob("hello");
	cr_expect_eq(ociwp_blobdir_read(dir, desc, NULL, &bytes, &len, NULL), 0);
	cr_expect_eq(len, 5);
	cr_assert_eq(ociwp_blobdir_reader(dir, desc, 3, &reader, NULL), 0);
	cr_expect_eq(ociwp_read_full(reader, rest, sizeof(rest), NULL), 2);
	cr_expect_eq(memcmp(rest, "lo", 2), 0);
	cr_expect_eq(ociw_reader_close(reader, NULL), 0);
	cr_expect_eq(ociwp_blobdir_reader(dir, desc, 6, &reader, NULL), OCIW_ERR_INVALID);
}

Test(blobdir, a_blob_has_the_size_that_was_promised)
{
	OCIWP_AUTO(fd) int dir = blobs_fd();
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = hello(5);
	ociw_reader *reader = NULL;
	bool there = true;

	cr_expect_eq(ociwp_blobdir_has(dir, HELLO, 5, &there, NULL), 0);
	cr_expect_not(there);
	make_blob("hello!");
	cr_expect_eq(ociwp_blobdir_has(dir, HELLO, 5, &there, NULL), 0);
	cr_expect_not(there);
	cr_expect_eq(ociwp_blobdir_reader(dir, desc, 0, &reader, NULL), OCIW_ERR_SIZE);
	make_blob("hello");
	cr_expect_eq(ociwp_blobdir_has(dir, HELLO, 5, &there, NULL), 0);
	cr_expect(there);
}

Test(blobdir, links_fifos_and_folders_are_no_blobs)
{
	OCIWP_AUTO(fd) int dir = blobs_fd();
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = hello(5);
	ociw_reader *reader = NULL;
	char path[512];

	make_blob("hello");
	snprintf(path, sizeof(path), "%s/sha256/%s", scratch, &HELLO[7]);
	cr_assert_eq(rename(path, in_scratch("file")), 0);
	cr_assert_eq(symlink("../file", path), 0);
	cr_expect_eq(ociwp_blobdir_reader(dir, desc, 0, &reader, NULL), OCIW_ERR_UNSAFE);
	unlink(path);
	cr_assert_eq(mkfifo(path, 0644), 0);
	cr_expect_eq(ociwp_blobdir_reader(dir, desc, 0, &reader, NULL), OCIW_ERR_UNSAFE);
	unlink(path);
	cr_assert_eq(mkdir(path, 0755), 0);
	cr_expect_eq(ociwp_blobdir_reader(dir, desc, 0, &reader, NULL), OCIW_ERR_UNSAFE);
	cr_expect_null(reader);
}

Test(blobdir, an_algorithm_that_is_a_link_is_not_followed)
{
	OCIWP_AUTO(fd) int dir = blobs_fd();
	const char *encoded;
	int fd = -1;

	cr_assert_eq(symlink("/etc", in_scratch("sha256")), 0);
	cr_expect_eq(ociwp_blobdir_open_algorithm(dir, HELLO, true, &fd, &encoded, NULL),
	             OCIW_ERR_UNSAFE);
	cr_expect_eq(fd, -1);
}

Test(blobdir, describes_manifests_by_digest)
{
	OCIWP_AUTO(fd) int dir = blobs_fd();
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;

	expect_error(ociwp_blobdir_describe(dir, HELLO, NULL, &desc, &err), &err, OCIW_ERR_NOTFOUND,
	             HELLO);
	make_blob("hello");
	expect_error(ociwp_blobdir_describe(dir, HELLO, NULL, &desc, &err), &err, OCIW_ERR_FORMAT,
	             "no manifest");
	make_blob("hallo");
	expect_error(ociwp_blobdir_describe(dir, HELLO, NULL, &desc, &err), &err, OCIW_ERR_DIGEST,
	             HELLO);
}
