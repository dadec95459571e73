/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of oci/memory: contents made of bytes, files and ranges, and files that change meanwhile.
 */
#include "oci/memory.h"
#include "base/str.h"
#include "io/stream.h"
#include "io/tmpblob.h"
#include "oci/descriptor.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static ociw_descriptor *describe(const char *text)
{
	ociw_descriptor *desc = NULL;
	cr_assert_eq(ociwp_descriptor_of_bytes("text/plain", (ociw_span){text, strlen(text)}, &desc,
	                                       NULL),
	             0);
	return desc;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

/* Reads a blob through the verifying front: 0 and its text, or the code and the message. */
static int read_blob(ociw_content *content, const ociw_descriptor *desc, char *out, size_t size)
{
	ociw_error *err = NULL;
	void *bytes = NULL;
	size_t len = 0;
	int r = ociw_content_read(content, desc, 1 << 20, NULL, &bytes, &len, &err);
	snprintf(out, size, "%s", r < 0 ? ociw_error_message(err) : (const char *)bytes);
	ociw_error_free(err);
	ociw_free(bytes);
	return r;
}

static char folder[64];

static void setup(void)
{
	strcpy(folder, "/tmp/ociw-memory-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
}

static void teardown(void)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/file", folder);
	unlink(path);
	rmdir(path);
	rmdir(folder);
}

TestSuite(memory, .init = setup, .fini = teardown);

Test(memory, gives_back_bytes_files_and_ranges)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/file", folder);
	write_file(path, "in a file");
	OCIWP_AUTO(fd) int spool = -1;
	cr_assert_eq(ociwp_tmpblob_open(NULL, &spool, NULL), 0);
	cr_assert_eq(ociwp_pwrite_full(spool, "..first.second", 14, 0), 0);

	OCIWP_AUTO(memory) ociwp_memory *memory = NULL;
	cr_assert_eq(ociwp_memory_new("test", &memory, NULL), 0);
	OCIWP_AUTO(descriptor) ociw_descriptor *bytes = describe("in memory");
	OCIWP_AUTO(descriptor) ociw_descriptor *file = describe("in a file");
	OCIWP_AUTO(descriptor) ociw_descriptor *first = describe("first");
	OCIWP_AUTO(descriptor) ociw_descriptor *second = describe("second");
	cr_assert_eq(ociwp_memory_add_bytes(memory, bytes, (ociw_span){"in memory", 9}, NULL), 0);
	cr_assert_eq(ociwp_memory_add_file(memory, file, path, NULL, NULL), 0);
	cr_assert_eq(ociwp_memory_add_range(memory, first, spool, 2, NULL), 0);
	cr_assert_eq(ociwp_memory_add_range(memory, second, spool, 8, NULL), 0);
	close(ociwp_steal_fd(&spool));
	OCIWP_AUTO(content) ociw_content *content = NULL;
	cr_assert_eq(ociwp_memory_publish(ociwp_steal(&memory), &content, NULL), 0);

	char text[256];
	cr_assert_eq(read_blob(content, bytes, text, sizeof(text)), 0);
	cr_assert_str_eq(text, "in memory");
	cr_assert_eq(read_blob(content, file, text, sizeof(text)), 0);
	cr_assert_str_eq(text, "in a file");
	cr_assert_eq(read_blob(content, first, text, sizeof(text)), 0);
	cr_assert_str_eq(text, "first");
	cr_assert_eq(read_blob(content, second, text, sizeof(text)), 0);
	cr_assert_str_eq(text, "second");
}

Test(memory, resolves_names_digests_and_the_first_named_image)
{
	OCIWP_AUTO(memory) ociwp_memory *memory = NULL;
	cr_assert_eq(ociwp_memory_new("test", &memory, NULL), 0);
	OCIWP_AUTO(descriptor) ociw_descriptor *plain = describe("{\"n\":0}");
	OCIWP_AUTO(descriptor) ociw_descriptor *spin = describe("{\"n\":1}");
	OCIWP_AUTO(descriptor) ociw_descriptor *node = describe("{\"n\":2}");
	cr_assert_eq(
	        ociwp_memory_add_manifest(memory, plain, (ociw_span){"{\"n\":0}", 7}, NULL, NULL),
	        0);
	cr_assert_eq(
	        ociwp_memory_add_manifest(memory, spin, (ociw_span){"{\"n\":1}", 7}, "spin", NULL),
	        0);
	cr_assert_eq(ociwp_memory_add_manifest(memory, node, (ociw_span){"{\"n\":2}", 7},
	                                       "spin-node", NULL),
	             0);
	cr_assert_eq(
	        ociwp_memory_add_manifest(memory, node, (ociw_span){"{\"n\":2}", 7}, "spin", NULL),
	        OCIW_ERR_EXISTS);
	OCIWP_AUTO(content) ociw_content *content = NULL;
	cr_assert_eq(ociwp_memory_publish(ociwp_steal(&memory), &content, NULL), 0);

	OCIWP_AUTO(descriptor) ociw_descriptor *got = NULL;
	cr_assert_eq(ociw_content_resolve(content, NULL, NULL, &got, NULL), 0);
	cr_assert_str_eq(got->digest, spin->digest);
	ociw_descriptor_free(ociwp_steal(&got));
	cr_assert_eq(ociw_content_resolve(content, "spin-node", NULL, &got, NULL), 0);
	cr_assert_str_eq(got->digest, node->digest);
	ociw_descriptor_free(ociwp_steal(&got));
	cr_assert_eq(ociw_content_resolve(content, plain->digest, NULL, &got, NULL), 0);
	cr_assert_str_eq(got->digest, plain->digest);
	ociw_descriptor_free(ociwp_steal(&got));
	cr_assert_eq(ociw_content_resolve(content, "other", NULL, &got, NULL), OCIW_ERR_NOTFOUND);
}

Test(memory, adding_a_digest_again_is_success_but_not_with_another_size)
{
	OCIWP_AUTO(memory) ociwp_memory *memory = NULL;
	cr_assert_eq(ociwp_memory_new("test", &memory, NULL), 0);
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = describe("same");
	cr_assert_eq(ociwp_memory_add_bytes(memory, desc, (ociw_span){"same", 4}, NULL), 0);
	cr_assert_eq(ociwp_memory_add_bytes(memory, desc, (ociw_span){"same", 4}, NULL), 0);
	desc->size = 5;
	cr_assert_eq(ociwp_memory_add_bytes(memory, desc, (ociw_span){"same!", 5}, NULL),
	             OCIW_ERR_SIZE);
}

/* A content with one file blob, whose file the test then changes. */
static ociw_content *file_content(const char *text, ociw_descriptor **desc, char path[128])
{
	snprintf(path, 128, "%s/file", folder);
	write_file(path, text);
	ociwp_memory *memory = NULL;
	ociw_content *content = NULL;
	*desc = describe(text);
	cr_assert_eq(ociwp_memory_new("test", &memory, NULL), 0);
	cr_assert_eq(ociwp_memory_add_file(memory, *desc, path, NULL, NULL), 0);
	cr_assert_eq(ociwp_memory_publish(memory, &content, NULL), 0);
	return content;
}

Test(memory, a_file_of_other_bytes_is_a_digest_error_that_names_it)
{
	char path[128], text[512];
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(content) ociw_content *content = file_content("before", &desc, path);
	unlink(path);
	write_file(path, "after.");
	cr_assert_eq(read_blob(content, desc, text, sizeof(text)), OCIW_ERR_DIGEST);
	cr_assert(strstr(text, path), "%s", text);
}

Test(memory, a_file_of_another_size_is_a_size_error_that_names_it)
{
	char path[128], text[512];
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(content) ociw_content *content = file_content("before", &desc, path);
	write_file(path, "longer than before");
	cr_assert_eq(read_blob(content, desc, text, sizeof(text)), OCIW_ERR_SIZE);
	cr_assert(strstr(text, path), "%s", text);
}

Test(memory, a_touched_file_of_the_same_bytes_is_fine)
{
	char path[128], text[512];
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(content) ociw_content *content = file_content("before", &desc, path);
	struct timespec times[2] = {{1000, 0}, {1000, 0}};
	cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
	cr_assert_eq(read_blob(content, desc, text, sizeof(text)), 0);
	cr_assert_str_eq(text, "before");
}

Test(memory, a_removed_file_or_a_fifo_in_its_place_is_an_error)
{
	char path[128], text[512];
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(content) ociw_content *content = file_content("before", &desc, path);
	unlink(path);
	cr_assert_eq(read_blob(content, desc, text, sizeof(text)), OCIW_ERR_NOTFOUND);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(read_blob(content, desc, text, sizeof(text)), OCIW_ERR_DIGEST);
	cr_assert(strstr(text, "no regular file"), "%s", text);
}

Test(memory, resuming_a_changed_file_is_refused)
{
	char path[128];
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(content) ociw_content *content = file_content("before", &desc, path);
	unlink(path);
	write_file(path, "after.");
	OCIWP_AUTO(reader) ociw_reader *reader = NULL;
	cr_assert_eq(ociwp_content_open_raw(content, desc, 2, NULL, &reader, NULL),
	             OCIW_ERR_DIGEST);
}

Test(memory, foreign_blobs_are_read_from_the_other_content)
{
	OCIWP_AUTO(memory) ociwp_memory *inner = NULL, *outer = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = describe("elsewhere");
	OCIWP_AUTO(content) ociw_content *source = NULL;
	OCIWP_AUTO(content) ociw_content *content = NULL;
	cr_assert_eq(ociwp_memory_new("inner", &inner, NULL), 0);
	cr_assert_eq(ociwp_memory_add_bytes(inner, desc, (ociw_span){"elsewhere", 9}, NULL), 0);
	cr_assert_eq(ociwp_memory_publish(ociwp_steal(&inner), &source, NULL), 0);
	cr_assert_eq(ociwp_memory_new("outer", &outer, NULL), 0);
	cr_assert_eq(ociwp_memory_add_foreign(outer, desc, source, NULL), 0);
	cr_assert_eq(ociwp_memory_publish(ociwp_steal(&outer), &content, NULL), 0);
	char text[64];
	cr_assert_eq(read_blob(content, desc, text, sizeof(text)), 0);
	cr_assert_str_eq(text, "elsewhere");
	bool has = false;
	cr_assert_eq(ociwp_content_has(content, desc, NULL, &has, NULL), 0);
	cr_assert(has);
}

Test(memory, an_unknown_blob_is_not_found)
{
	OCIWP_AUTO(memory) ociwp_memory *memory = NULL;
	OCIWP_AUTO(content) ociw_content *content = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = describe("nowhere");
	cr_assert_eq(ociwp_memory_new("test", &memory, NULL), 0);
	cr_assert_eq(ociwp_memory_publish(ociwp_steal(&memory), &content, NULL), 0);
	char text[256];
	cr_assert_eq(read_blob(content, desc, text, sizeof(text)), OCIW_ERR_NOTFOUND);
}

Test(memory, a_view_shows_what_is_added_after_it)
{
	OCIWP_AUTO(content) ociw_content *view = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = describe("later");
	ociwp_memory *memory = NULL;
	char text[256];
	bool there = true;
	cr_assert_eq(ociwp_memory_new("m", &memory, NULL), 0);
	cr_assert_eq(ociwp_memory_view(memory, &view, NULL), 0);
	cr_expect_eq(ociwp_content_has(view, desc, NULL, &there, NULL), 0);
	cr_expect_not(there);
	cr_assert_eq(ociwp_memory_add_bytes(memory, desc, (ociw_span){"later", 5}, NULL), 0);
	cr_expect_eq(read_blob(view, desc, text, sizeof(text)), 0);
	cr_expect_str_eq(text, "later");
	ociw_content_free(ociwp_steal(&view));
	ociwp_memory_free(memory);
}

Test(memory, is_sure_of_its_own_blobs_but_not_of_those_of_others)
{
	OCIWP_AUTO(content) ociw_content *content = NULL, *other = NULL;
	OCIWP_AUTO(descriptor)
	ociw_descriptor *own = describe("own"),
	                *foreign = describe("foreign");
	ociwp_memory *memory = NULL, *others = NULL;
	cr_assert_eq(ociwp_memory_new("other", &others, NULL), 0);
	cr_assert_eq(ociwp_memory_add_bytes(others, foreign, (ociw_span){"foreign", 7}, NULL), 0);
	cr_assert_eq(ociwp_memory_publish(others, &other, NULL), 0);
	cr_assert_eq(ociwp_memory_new("m", &memory, NULL), 0);
	cr_assert_eq(ociwp_memory_add_bytes(memory, own, (ociw_span){"own", 3}, NULL), 0);
	cr_assert_eq(ociwp_memory_add_foreign(memory, foreign, other, NULL), 0);
	cr_assert_eq(ociwp_memory_publish(memory, &content, NULL), 0);
	cr_expect(ociwp_content_is_sure(content, own));
	cr_expect_not(ociwp_content_is_sure(content, foreign));
}

static struct stat stat_at(int64_t mtime, int64_t ctime)
{
	return (struct stat){.st_dev = 1,
	                     .st_ino = 2,
	                     .st_size = 3,
	                     .st_mtim = {mtime, 999999999},
	                     .st_ctim = {ctime, 5}};
}

Test(file_stamp, every_part_of_it_counts_and_so_does_the_size)
{
	struct stat st = stat_at(100, 200), other;
	ociwp_file_stamp stamp;
	ociwp_file_stamp_of(&st, &stamp);
	cr_expect(ociwp_file_stamp_fits(&stamp, 3, &st));
	cr_expect_not(ociwp_file_stamp_fits(&stamp, 4, &st));
	other = st;
	other.st_dev++;
	cr_expect_not(ociwp_file_stamp_fits(&stamp, 3, &other));
	other = st;
	other.st_ino++;
	cr_expect_not(ociwp_file_stamp_fits(&stamp, 3, &other));
	other = st;
	other.st_size++;
	cr_expect_not(ociwp_file_stamp_fits(&stamp, 3, &other));
	other = st;
	other.st_mtim.tv_nsec--;
	cr_expect_not(ociwp_file_stamp_fits(&stamp, 3, &other));
	other = st;
	other.st_ctim.tv_sec++;
	cr_expect_not(ociwp_file_stamp_fits(&stamp, 3, &other));
}

Test(file_stamp, before_a_second_means_both_times)
{
	static const struct {
		int64_t mtime, ctime, seconds;
		bool want;
	} rows[] = {
	        {100, 200, 201, true},
	        {100, 200, 200, false},
	        {200, 100, 200, false},
	        {-100, -200, 0, true},
	        {-100, -200, -100, false},
	        {INT64_MIN, 100, 200, true}, /* long ago: as long ago as can be said */
	        {INT64_MAX, 100, 200, false},
	        {100, INT64_C(10000000000), 200, false}, /* the year 2286 is beyond nanoseconds */
	        {100, 200, INT64_MAX, false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stat st = stat_at(rows[i].mtime, rows[i].ctime);
		ociwp_file_stamp stamp;
		ociwp_file_stamp_of(&st, &stamp);
		cr_expect_eq(ociwp_file_stamp_is_before(&stamp, rows[i].seconds), rows[i].want,
		             "%zu", i);
	}
}
