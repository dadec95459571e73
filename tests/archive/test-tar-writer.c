/* SPDX-License-Identifier: Apache-2.0
 *
 * Reproducible tar: exact header bytes, pax only where needed (LYR-3), two end blocks, no locale.
 */
#include "../support/test-streams.h"
#include "archive/tar-reader.h"
#include "archive/tar-writer.h"

#include <locale.h>

static ociwp_tar_writer *begin(ociwp_buf *out, ociw_writer **sink)
{
	ociwp_tar_writer *tar = NULL;
	cr_assert_eq(ociwp_writer_new_buf(out, 64 << 20, sink, NULL), 0);
	cr_assert_eq(ociwp_tar_writer_new(*sink, &tar, NULL), 0);
	return tar;
}

static void end(ociwp_tar_writer *tar, ociw_writer *sink)
{
	ociw_error *err = NULL;
	test_expect(ociwp_tar_writer_finish(tar, &err), 0, &err, "");
	cr_assert_eq(ociw_writer_commit(sink, NULL), 0);
}

static void write_sample(ociwp_buf *out)
{
	ociw_writer *sink = NULL;
	ociwp_tar_writer *tar = begin(out, &sink);
	cr_assert_eq(ociwp_tar_writer_directory(tar, "assets", 0755, NULL), 0);
	cr_assert_eq(ociwp_tar_writer_file(tar, "assets/a.txt", 0644, 5, NULL), 0);
	cr_assert_eq(ociwp_tar_writer_data(tar, "he", 2, NULL), 0);
	cr_assert_eq(ociwp_tar_writer_data(tar, "llo", 3, NULL), 0);
	cr_assert_eq(ociwp_tar_writer_file(tar, "assets/b", 0755, 0, NULL), 0);
	end(tar, sink);
}

Test(tar_writer, headers_are_exact)
{
	ociwp_buf out = OCIWP_BUF_INIT;
	char expected[512] = {0};
	write_sample(&out);
	cr_assert_eq(out.len, 512 * 4 + 1024);
	memcpy(expected, "assets/a.txt", 12);
	memcpy(expected + 100,
	       "000644 \0"
	       "000000 \0"
	       "000000 \0"
	       "00000000005 "
	       "00000000000 ",
	       48);
	memcpy(expected + 148, "        ", 8);
	expected[156] = '0';
	memcpy(expected + 257, "ustar\00000", 8);
	memcpy(expected + 329,
	       "000000 \0"
	       "000000 \0",
	       16);
	unsigned sum = 0;
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)expected[i];
	snprintf(expected + 148, 8, "%06o", sum);
	for (int i = 0; i < 512; i++)
		cr_expect_eq(out.data[512 + i], expected[i], "byte %d is %02x, expected %02x", i,
		             (unsigned char)out.data[512 + i], (unsigned char)expected[i]);
	cr_expect_str_eq(out.data, "assets/");
	cr_expect_eq(out.data[156], '5');
	ociwp_buf_deinit(&out);
}

Test(tar_writer, the_same_entries_give_the_same_bytes_in_any_locale)
{
	ociwp_buf one = OCIWP_BUF_INIT, two = OCIWP_BUF_INIT;
	static const char *const locales[] = {"C", "C.UTF-8"};
	ociwp_buf *outs[] = {&one, &two};
	for (int i = 0; i < 2; i++) {
		ociw_writer *sink = NULL;
		setlocale(LC_ALL, locales[i]);
		ociwp_tar_writer *tar = begin(outs[i], &sink);
		cr_assert_eq(ociwp_tar_writer_file(tar, "d/\xc3\xa4.txt", 0644, 0, NULL), 0);
		cr_assert_eq(ociwp_tar_writer_file(tar, "d/\xff.txt", 0644, 0, NULL), 0);
		end(tar, sink);
	}
	cr_assert_eq(one.len, two.len);
	cr_expect_eq(memcmp(one.data, two.data, one.len), 0);
	ociwp_buf_deinit(&one);
	ociwp_buf_deinit(&two);
}

static void expect_read_back(const ociwp_buf *out, const char *path, uint64_t size)
{
	ociwp_tar_reader *tar = NULL;
	const ociwp_tar_entry *entry = NULL;
	ociw_error *err = NULL;
	cr_assert_eq(ociwp_tar_reader_new(test_reader(out->data, out->len, TEST_WHOLE), NULL, &tar,
	                                  NULL),
	             0);
	test_expect(ociwp_tar_reader_next(tar, &entry, &err), 1, &err, "");
	cr_expect_str_eq(entry->path, path);
	cr_expect_eq(entry->size, size);
	cr_expect_eq(entry->mtime_seconds, 0);
	cr_expect_eq(entry->uid, 0);
	cr_expect_eq(entry->gid, 0);
	test_expect(ociwp_tar_reader_next(tar, &entry, &err), 0, &err, "");
	test_expect(ociwp_tar_reader_close(tar, &err), 0, &err, "");
}

/* Length of an archive with one empty file of that name; checks that it reads back. */
static size_t length_with(const char *path)
{
	ociwp_buf out = OCIWP_BUF_INIT;
	ociw_writer *sink = NULL;
	ociwp_tar_writer *tar = begin(&out, &sink);
	ociw_error *err = NULL;
	test_expect(ociwp_tar_writer_file(tar, path, 0644, 0, &err), 0, &err, "");
	end(tar, sink);
	size_t len = out.len;
	expect_read_back(&out, path, 0);
	ociwp_buf_deinit(&out);
	return len;
}

Test(tar_writer, pax_headers_are_written_only_where_ustar_does_not_fit)
{
	char path[400];
	cr_expect_eq(length_with("short"), 512 + 1024);
	memset(path, 'n', sizeof(path));
	path[100] = '\0';
	cr_expect_eq(length_with(path), 512 + 1024); /* just fits the name field */
	path[100] = 'n';
	path[101] = '\0';
	cr_expect_eq(length_with(path), 512 * 3 + 1024);
	memset(path, 'n', sizeof(path));
	path[150] = '/';
	path[250] = '\0';
	cr_expect_eq(length_with(path), 512 + 1024); /* prefix and name */
	memset(path, 'n', sizeof(path));
	path[200] = '/';
	path[399] = '\0';
	cr_expect_eq(length_with(path), 512 * 4 + 1024 - 512);
}

Test(tar_writer, what_cannot_be_read_back_is_refused)
{
	static const char *const names[] = {"", "/abs", "a/../b", "..", ".", "./a", "a//b", "a/"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(names); i++) {
		ociwp_buf out = OCIWP_BUF_INIT;
		ociw_writer *sink = NULL;
		ociw_error *err = NULL;
		ociwp_tar_writer *tar = begin(&out, &sink);
		int r = ociwp_tar_writer_file(tar, names[i], 0644, 0, &err);
		test_expect(r, OCIW_ERR_INVALID, &err, "cannot be stored");
		ociwp_tar_writer_free(tar);
		ociw_writer_abort(sink);
		ociwp_buf_deinit(&out);
	}
}

Test(tar_writer, a_short_file_is_an_error)
{
	ociwp_buf out = OCIWP_BUF_INIT;
	ociw_writer *sink = NULL;
	ociw_error *err = NULL;
	ociwp_tar_writer *tar = begin(&out, &sink);
	cr_assert_eq(ociwp_tar_writer_file(tar, "f", 0644, 5, NULL), 0);
	cr_assert_eq(ociwp_tar_writer_data(tar, "1234", 4, NULL), 0);
	test_expect(ociwp_tar_writer_directory(tar, "d", 0755, &err), OCIW_ERR_SIZE, &err,
	            "1 bytes short");
	test_expect(ociwp_tar_writer_finish(tar, &err), OCIW_ERR_SIZE, &err, "1 bytes short");
	ociw_writer_abort(sink);
	ociwp_buf_deinit(&out);
}

Test(tar_writer, a_long_file_is_an_error)
{
	ociwp_buf out = OCIWP_BUF_INIT;
	ociw_writer *sink = NULL;
	ociw_error *err = NULL;
	ociwp_tar_writer *tar = begin(&out, &sink);
	cr_assert_eq(ociwp_tar_writer_file(tar, "f", 0644, 5, NULL), 0);
	test_expect(ociwp_tar_writer_data(tar, "123456", 6, &err), OCIW_ERR_SIZE, &err,
	            "more than its size");
	ociwp_tar_writer_free(tar);
	ociw_writer_abort(sink);
	ociwp_buf_deinit(&out);
}

Test(tar_writer, the_reason_of_the_sink_comes_through)
{
	ociwp_buf out = OCIWP_BUF_INIT;
	ociw_writer *sink = NULL;
	ociwp_tar_writer *tar = NULL;
	ociw_error *err = NULL;
	cr_assert_eq(ociwp_writer_new_buf(&out, 700, &sink, NULL), 0);
	cr_assert_eq(ociwp_tar_writer_new(sink, &tar, NULL), 0);
	cr_assert_eq(ociwp_tar_writer_file(tar, "a", 0644, 0, NULL), 0);
	int r = ociwp_tar_writer_file(tar, "b", 0644, 0, &err);
	test_expect(r, OCIW_ERR_LIMIT, &err, "");
	r = ociwp_tar_writer_finish(tar, &err);
	test_expect(r, OCIW_ERR_LIMIT, &err, "");
	ociw_writer_abort(sink);
	ociwp_buf_deinit(&out);
}

/* 9 GiB do not fit an octal field of 11 digits. */
Test(tar_writer, a_size_over_8_gib_goes_to_pax)
{
	ociwp_buf out = OCIWP_BUF_INIT;
	ociw_writer *sink = NULL;
	ociwp_tar_writer *tar = begin(&out, &sink);
	cr_assert_eq(ociwp_tar_writer_file(tar, "big", 0644, (uint64_t)9 << 30, NULL), 0);
	ociwp_tar_writer_free(tar);
	cr_expect(out.len >= 1536);
	ociwp_tar_reader *reader = NULL;
	const ociwp_tar_entry *entry = NULL;
	cr_assert_eq(ociwp_tar_reader_new(test_reader(out.data, out.len, TEST_WHOLE), NULL, &reader,
	                                  NULL),
	             0);
	cr_assert_eq(ociwp_tar_reader_next(reader, &entry, NULL), 1);
	cr_expect_eq(entry->size, (uint64_t)9 << 30);
	ociwp_tar_reader_free(reader);
	ociw_writer_abort(sink);
	ociwp_buf_deinit(&out);
}
