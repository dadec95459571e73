/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of format/source: hashing once, judging at each later read.
 */
#include "format/source.h"
#include "base/buf.h"
#include "base/str.h"
#include "io/tmpblob.h"
#include "oci/descriptor.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

static char path[64];
static ociwp_scratch scratch;

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");
	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

static void setup(void)
{
	strcpy(path, "/tmp/ociw-source-XXXXXX");
	close(mkstemp(path));
	cr_assert_eq(ociwp_scratch_init(&scratch, NULL), 0);
}

static void teardown(void)
{
	unlink(path);
	rmdir(path);
	ociwp_scratch_deinit(&scratch);
}

TestSuite(source, .init = setup, .fini = teardown);

static ociwp_source of_file(void)
{
	return (ociwp_source){.kind = OCIWP_SOURCE_FILE, .fd = -1, .from.path = path};
}

static int collect(void *context, const void *data, size_t len, ociw_error **err)
{
	ociwp_buf_append(context, data, len);
	return ociwp_buf_check(context, err);
}

Test(source, a_small_file_is_kept)
{
	char digest[OCIW_DIGEST_TEXT_MAX];
	write_file("<svg/>\n");
	ociwp_source source = of_file();
	cr_assert_eq(ociwp_source_hash(&source, 0, &scratch, NULL), 0);
	cr_assert_eq(source.size, 7);
	cr_assert_str_eq(ociwp_source_digest(&source, digest),
	                 "sha256:cd1fafe3cc7f06f55ead3f0dce39300aca7a8911793e76fcdd327799c0709ac2");
	cr_assert_not_null(source.bytes);
	cr_assert_arr_eq(source.bytes, "<svg/>\n", 7);
	ociwp_source_deinit(&source);
}

Test(source, files_of_128_bytes_are_kept_and_of_129_not)
{
	char text[130];
	memset(text, 'x', 129);
	text[129] = '\0';
	write_file(text);
	ociwp_source source = of_file();
	cr_assert_eq(ociwp_source_hash(&source, 0, &scratch, NULL), 0);
	cr_assert_null(source.bytes);
	cr_assert_eq(truncate(path, 128), 0);
	cr_assert_eq(ociwp_source_hash(&source, 0, &scratch, NULL), 0);
	cr_assert_not_null(source.bytes);
	ociwp_source_deinit(&source);
}

Test(source, an_empty_file_is_kept_as_no_bytes)
{
	ociwp_source source = of_file();
	cr_assert_eq(ociwp_source_hash(&source, 0, &scratch, NULL), 0);
	cr_assert_eq(source.size, 0);
	cr_assert_not_null(source.bytes);
	ociwp_source_deinit(&source);
}

Test(source, reading_judges_the_bytes_again)
{
	char text[4096];
	OCIWP_AUTO(buf) ociwp_buf got = OCIWP_BUF_INIT;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	write_file(text);
	ociwp_source source = of_file();
	cr_assert_eq(ociwp_source_hash(&source, 0, &scratch, NULL), 0);
	cr_assert_eq(ociwp_source_read(&source, &scratch, NULL, collect, &got, NULL), 0);
	cr_assert_str_eq(got.data, text);
	text[100] = 'y';
	write_file(text);
	ociw_error *err = NULL;
	cr_assert_eq(ociwp_source_read(&source, &scratch, NULL, collect, &got, &err),
	             OCIW_ERR_DIGEST);
	cr_assert(strstr(ociw_error_message(err), path));
	ociw_error_free(err);
	write_file("shorter");
	cr_assert_eq(ociwp_source_read(&source, &scratch, NULL, collect, &got, NULL),
	             OCIW_ERR_SIZE);
}

Test(source, a_file_changed_just_now_is_judged_by_its_bytes)
{
	write_file("just now");
	ociwp_source source = of_file();
	cr_assert_eq(ociwp_source_hash(&source, 0, &scratch, NULL), 0);
	cr_expect_not(source.settled);
	ociwp_source_deinit(&source);
}

static int append_to_file(void *context, const void *data, size_t len, ociw_error **err)
{
	FILE *file = fopen(path, "a");
	(void)context;
	(void)data;
	(void)len;
	(void)err;
	cr_assert_not_null(file);
	fputs("more", file);
	fclose(file);
	return 0;
}

/* Nobody can give a file an old ctime, so the test says that it is settled. */
Test(source, a_settled_file_is_judged_by_its_stamp_before_and_after)
{
	char text[4096];
	OCIWP_AUTO(buf) ociwp_buf got = OCIWP_BUF_INIT;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	write_file(text);
	ociwp_source source = of_file();
	cr_assert_eq(ociwp_source_hash(&source, 0, &scratch, NULL), 0);
	source.settled = true;
	cr_assert_eq(ociwp_source_read(&source, &scratch, NULL, collect, &got, NULL), 0);
	cr_assert_str_eq(got.data, text);
	cr_expect_eq(ociwp_source_read(&source, &scratch, NULL, append_to_file, NULL, NULL),
	             OCIW_ERR_DIGEST);
	text[100] = 'y';
	usleep(20000); /* so that the clock of the file system has moved on */
	write_file(text);
	cr_expect_eq(ociwp_source_read(&source, &scratch, NULL, collect, &got, NULL),
	             OCIW_ERR_DIGEST);
	cr_expect_not(scratch.idle);
}

Test(source, what_is_no_regular_file_is_refused)
{
	ociw_error *err = NULL;
	unlink(path);
	ociwp_source source = of_file();
	cr_assert_eq(ociwp_source_hash(&source, 0, &scratch, NULL), OCIW_ERR_NOTFOUND);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert_eq(ociwp_source_hash(&source, 0, &scratch, &err), OCIW_ERR_INVALID);
	cr_assert(strstr(ociw_error_message(err), "a directory"), "%s", ociw_error_message(err));
	ociw_error_free(err);
	rmdir(path);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(ociwp_source_hash(&source, 0, &scratch, NULL), OCIW_ERR_INVALID);
}

Test(source, wasm_that_is_none_is_named)
{
	ociw_error *err = NULL;
	write_file("(component)");
	ociwp_source source = of_file();
	cr_assert_eq(ociwp_source_hash(&source, OCIWP_WASM_CHECK_HEAD, &scratch, &err),
	             OCIW_ERR_UNSUPPORTED);
	cr_assert(strstr(ociw_error_message(err), path), "%s", ociw_error_message(err));
	ociw_error_free(err);
}

Test(source, bytes_and_ranges_become_blobs)
{
	OCIWP_AUTO(memory) ociwp_memory *memory = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(fd) int fd = -1;
	ociwp_source bytes;
	cr_assert_eq(ociwp_memory_new("test", &memory, NULL), 0);
	cr_assert_eq(ociwp_source_of_bytes((ociw_span){"abc", 3}, &bytes, NULL), 0);
	cr_assert_eq(ociwp_source_add(&bytes, "text/plain", memory, &desc, NULL), 0);
	cr_assert_str_eq(desc->digest,
	                 "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	cr_assert(ociwp_memory_has(memory, desc->digest));
	ociwp_source_deinit(&bytes);

	cr_assert_eq(ociwp_tmpblob_open(NULL, &fd, NULL), 0);
	cr_assert_eq(ociwp_pwrite_full(fd, "??abc", 5, 0), 0);
	ociwp_source range = {.kind = OCIWP_SOURCE_RANGE, .fd = fd, .from.offset = 2, .size = 3};
	cr_assert_eq(ociwp_source_hash(&range, 0, &scratch, NULL), 0);
	cr_assert_arr_eq(range.bytes, "abc", 3);
	ociwp_source_deinit(&range);
}
