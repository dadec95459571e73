/* SPDX-License-Identifier: Apache-2.0
 *
 * Offsets inside tars: plain, compressed and streamed; names, links, and what is refused (LAY-7).
 */
#include "../support/tars.h"
#include "store/tar-members.h"

TestSuite(tar_members, .init = scratch_make, .fini = scratch_remove);

static int open_tar(const char *path, ociwp_tar_members *members, ociw_error **err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	cr_assert(fd >= 0);
	return ociwp_tar_members_open(fd, NULL, members, err);
}

static void expect_text(const ociwp_tar_members *members, const char *path, const char *text)
{
	OCIWP_AUTO(str) char *bytes = NULL;
	ociw_error *err = NULL;
	size_t len = 0;

	expect_ok(ociwp_tar_members_read(members, path, 1000, &bytes, &len, &err), &err);
	cr_expect_str_eq(bytes, text);
	cr_expect_eq(len, strlen(text));
}

static void make_tar(ociwp_buf *tar)
{
	raw_entry(tar, "dir/", '5', NULL, "", 0);
	raw_file(tar, "./dir//one", "first");
	raw_file(tar, "two", "second");
	raw_entry(tar, "dir/link", '2', "../two", "", 0);
	raw_entry(tar, "hard", '1', "dir/one", "", 0);
	raw_entry(tar, "out", '2', "/etc/passwd", "", 0);
	raw_entry(tar, "loop", '2', "loop", "", 0);
	raw_file(tar, "../up", "outside");
	raw_file(tar, "/abs", "outside");
}

static void expect_members(const char *path)
{
	ociwp_tar_members members;
	ociw_error *err = NULL;

	expect_ok(open_tar(path, &members, &err), &err);
	expect_text(&members, "dir/one", "first");
	expect_text(&members, "two", "second");
	expect_text(&members, "dir/link", "second");
	expect_text(&members, "hard", "first");
	cr_expect_null(ociwp_tar_members_find(&members, "out"));
	cr_expect_null(ociwp_tar_members_find(&members, "loop"));
	cr_expect_null(ociwp_tar_members_find(&members, "up"));
	cr_expect_null(ociwp_tar_members_find(&members, "abs"));
	cr_expect_null(ociwp_tar_members_find(&members, "dir"));
	ociwp_tar_members_close(&members);
}

Test(tar_members, files_are_found_by_normal_paths_and_links_inside)
{
	OCIWP_AUTO(buf) ociwp_buf tar = OCIWP_BUF_INIT;

	make_tar(&tar);
	raw_finish(&tar, in_scratch("a.tar"));
	expect_members(in_scratch("a.tar"));
}

Test(tar_members, a_compressed_tar_is_the_same)
{
	OCIWP_AUTO(buf) ociwp_buf tar = OCIWP_BUF_INIT;
	OCIWP_AUTO(buf) ociwp_buf gzip = OCIWP_BUF_INIT;

	make_tar(&tar);
	raw_finish(&tar, in_scratch("a.tar"));
	cr_assert_eq(ociwp_gzip_bytes(tar.data, tar.len, &gzip, NULL), 0);
	write_file(in_scratch("a.tar.gz"), gzip.data, gzip.len);
	expect_members(in_scratch("a.tar.gz"));
}

Test(tar_members, a_stream_that_cannot_be_rewound_is_spooled)
{
	OCIWP_AUTO(buf) ociwp_buf tar = OCIWP_BUF_INIT;
	ociwp_tar_members members;
	ociw_error *err = NULL;
	int ends[2];

	raw_file(&tar, "one", "first");
	raw_finish(&tar, in_scratch("a.tar"));
	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], tar.data, tar.len), (ssize_t)tar.len);
	close(ends[1]);
	expect_ok(ociwp_tar_members_open(ends[0], NULL, &members, &err), &err);
	expect_text(&members, "one", "first");
	ociwp_tar_members_close(&members);
}

Test(tar_members, one_name_twice_is_refused)
{
	OCIWP_AUTO(buf) ociwp_buf tar = OCIWP_BUF_INIT;
	ociwp_tar_members members;
	ociw_error *err = NULL;

	raw_file(&tar, "one", "first");
	raw_file(&tar, "./one", "second");
	raw_finish(&tar, in_scratch("a.tar"));
	expect_error(open_tar(in_scratch("a.tar"), &members, &err), &err, OCIW_ERR_FORMAT,
	             "\"one\" is there twice");
}

/* 9000 links of 4000 bytes: a small compressed archive must not become much memory. */
Test(tar_members, targets_of_links_count_as_names)
{
	static char long_target[4000];
	OCIWP_AUTO(buf) ociwp_buf tar = OCIWP_BUF_INIT;
	ociwp_tar_members members;
	ociw_error *err = NULL;
	char name[16];

	memset(long_target, 't', sizeof(long_target) - 1);
	for (int i = 0; i < 9000; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		raw_entry(&tar, "K", 'K', NULL, long_target, sizeof(long_target));
		raw_entry(&tar, name, '2', "cut", "", 0);
	}
	raw_finish(&tar, in_scratch("a.tar"));
	expect_error(open_tar(in_scratch("a.tar"), &members, &err), &err, OCIW_ERR_LIMIT,
	             "bytes of names");
}

Test(tar_members, an_archive_cut_short_is_refused)
{
	OCIWP_AUTO(buf) ociwp_buf tar = OCIWP_BUF_INIT;
	ociwp_tar_members members;
	ociw_error *err = NULL;

	raw_file(&tar, "one", "first");
	write_file(in_scratch("a.tar"), tar.data, 514);
	cr_expect_eq(open_tar(in_scratch("a.tar"), &members, &err), OCIW_ERR_SIZE);
	ociw_error_free(err);
	err = NULL;
	write_text(in_scratch("b.tar"), "this is no tar");
	cr_expect_eq(open_tar(in_scratch("b.tar"), &members, &err), OCIW_ERR_FORMAT);
	ociw_error_free(err);
}

Test(tar_members, bodies_are_skipped_without_being_read)
{
	OCIWP_AUTO(buf) ociwp_buf tar = OCIWP_BUF_INIT;
	static char body[3 << 20];
	ociwp_tar_members members;
	ociw_error *err = NULL;

	memset(body, 'x', sizeof(body));
	raw_entry(&tar, "big", '0', NULL, body, sizeof(body));
	raw_file(&tar, "after", "still found");
	raw_entry(&tar, "big2", '0', NULL, body, 1000000);
	raw_file(&tar, "last", "too");
	raw_finish(&tar, in_scratch("a.tar"));
	expect_ok(open_tar(in_scratch("a.tar"), &members, &err), &err);
	expect_text(&members, "after", "still found");
	expect_text(&members, "last", "too");
	const ociwp_tar_member *big = ociwp_tar_members_find(&members, "big2");
	cr_assert_not_null(big);
	char *copy = malloc(1000000);
	cr_assert_eq(pread(members.fd, copy, 1000000, (off_t)big->offset), 1000000);
	cr_expect_eq(memcmp(copy, body, 1000000), 0);
	free(copy);
	ociwp_tar_members_close(&members);
}
