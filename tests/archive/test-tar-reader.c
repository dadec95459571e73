/* SPDX-License-Identifier: Apache-2.0
 *
 * The tar reader over the corpus of recorded cases: what is decided by the reader, and with which
 * words.
 */
#include "../support/test-streams.h"
#include "archive/tar-reader.h"
#include "io/compress.h"
#include "tar-builder.h"

#include <criterion/parameterized.h>

/* Walks a whole archive; the names go into @p names, one a line. The verdict. */
static int walk(ociw_reader *take_from, const ociw_op *op, ociwp_buf *names, ociw_error **err)
{
	ociwp_tar_reader *tar = NULL;
	const ociwp_tar_entry *entry;
	int r = ociwp_tar_reader_new(take_from, op, &tar, err);
	cr_assert_eq(r, 0);
	while ((r = ociwp_tar_reader_next(tar, &entry, err)) > 0) {
		ociwp_buf_append(names, entry->path, entry->path_len);
		ociwp_buf_putc(names, '\n');
	}
	if (r < 0) {
		ociwp_tar_reader_free(tar);
		return r;
	}
	return ociwp_tar_reader_close(tar, err);
}

static int walk_case(const char *name, const ociw_op *op, ociwp_buf *names, ociw_error **err)
{
	char path[256];
	size_t len;
	snprintf(path, sizeof(path), "corpus/cases/%s", name);
	char *data = test_load(path, &len);
	ociw_reader *reader = NULL;
	ociwp_compression found;
	int r = ociwp_reader_decode(test_reader(data, len, TEST_WHOLE), NULL, &found, &reader, err);
	if (r >= 0)
		r = walk(reader, op, names, err);
	free(data);
	return r;
}

struct corpus_case {
	char file[64];
	int code;
	char part[96]; /* of the message, or all names when accepted */
};

ParameterizedTestParameters(tar_reader, corpus_case_is_judged_as_recorded)
{
	static struct corpus_case cases[] = {
	        {"confusion-7zip.tar", OCIW_ERR_FORMAT, "no tar archive"},
	        {"confusion-cpio.tar", OCIW_ERR_FORMAT, ""},
	        {"confusion-mtree.tar", OCIW_ERR_FORMAT, ""},
	        {"confusion-wasm.tar", OCIW_ERR_FORMAT, ""},
	        {"confusion-zip.tar", OCIW_ERR_FORMAT, ""},
	        {"framing-double-gzip.tar.gz", OCIW_ERR_FORMAT, ""},
	        {"framing-end-only.tar", 0, ""},
	        {"framing-gzip-bad-crc.tar.gz", OCIW_ERR_DIGEST, "CRC"},
	        {"framing-gzip-members.tar.gz", 0, "a.txt\nb.txt\n"},
	        {"framing-gzip-truncated.tar.gz", OCIW_ERR_SIZE, "trailer"},
	        {"framing-no-end.tar", 0, "a.txt\nb.txt\n"},
	        {"framing-truncated-data.tar", OCIW_ERR_SIZE, "before the end of the data"},
	        {"framing-truncated-header.tar", OCIW_ERR_SIZE, "ends in a header"},
	        {"framing-zero-block-then-more.tar", OCIW_ERR_FORMAT, "one zero block"},
	        {"framing-zero-bytes.tar", 0, ""},
	        {"framing-zstd-frames.tar.zst", 0, "a.txt\nb.txt\n"},
	        {"framing-zstd-truncated.tar.zst", OCIW_ERR_SIZE, "zstd stream ends"},
	        {"headers-bad-checksum.tar", OCIW_ERR_FORMAT, "checksum"},
	        {"headers-base256-size.tar", 0, "b.txt\nc.txt\n"},
	        {"headers-gnu-long-name-twice.tar", OCIW_ERR_FORMAT, "second GNU long name"},
	        {"headers-gnu-sparse-old.tar", OCIW_ERR_UNSUPPORTED, "sparse"},
	        {"headers-negative-size.tar", OCIW_ERR_FORMAT, "below 0"},
	        {"headers-pax-global.tar", 0, "a.txt\n"},
	        {"headers-pax-overrides.tar", 0, "real/name.txt\nlnk\nplain.txt\n"},
	        {"headers-pax-size-wins.tar", 0, "nested.bin\nzz-last.txt\n"},
	        {"headers-pax-wrong-length.tar", OCIW_ERR_FORMAT, "longer than the header"},
	        {"headers-pax-zero-length.tar", OCIW_ERR_FORMAT, "shorter than a record"},
	        {"headers-size-past-end.tar", OCIW_ERR_SIZE, "before the end of the data"},
	        {"headers-v7-header.tar", 0, "old.txt\nolddir/\noldlink\n"},
	        {"limits-link-target-1-mib.tar.gz", OCIW_ERR_LIMIT, ""},
	        {"limits-pax-64-mib.tar.gz", OCIW_ERR_LIMIT, "extension header"},
	        {"links-hardlink-with-body.tar", OCIW_ERR_FORMAT, "expected 0"},
	        {"names-component-256.tar", OCIW_ERR_LIMIT, "256 bytes, the limit is 255"},
	        {"names-empty-name.tar", OCIW_ERR_FORMAT, "without a name"},
	        {"names-path-over-4096.tar", OCIW_ERR_LIMIT, "the limit is 4096"},
	        {"names-pax-path-nul.tar", OCIW_ERR_FORMAT, "a name without NUL"},
	        {"special-unknown-type.tar", OCIW_ERR_UNSUPPORTED, "unknown entry type"},
	        {"special-volume-header.tar", OCIW_ERR_UNSUPPORTED, "volume"},
	};
	return cr_make_param_array(struct corpus_case, cases, OCIWP_ARRAY_LEN(cases));
}

ParameterizedTest(struct corpus_case *c, tar_reader, corpus_case_is_judged_as_recorded)
{
	ociwp_buf names = OCIWP_BUF_INIT;
	ociw_error *err = NULL;
	int r = walk_case(c->file, NULL, &names, &err);
	if (r == OCIW_ERR_UNSUPPORTED && strstr(ociw_error_message(err), "this build cannot"))
		cr_skip("built without zstd");
	if (c->code == 0)
		cr_expect_str_eq(names.data ? names.data : "", c->part, "%s", c->file);
	test_expect(r, c->code, &err, c->part);
	ociwp_buf_deinit(&names);
}

/* What only an extractor can judge is no business of the reader's. */
ParameterizedTestParameters(tar_reader, other_corpus_case_is_accepted)
{
	static char cases[][64] = {
	        "duplicates-dir-over-file.tar",
	        "duplicates-file-over-dir.tar",
	        "duplicates-file-twice.tar",
	        "duplicates-missing-parents.tar",
	        "headers-gnu-long-name-and-link.tar",
	        "headers-gnu-long-name-no-nul.tar",
	        "links-alias-inside.tar",
	        "links-dir-becomes-symlink.tar",
	        "links-hardlink-absolute.tar",
	        "links-hardlink-existing.tar",
	        "links-hardlink-missing.tar",
	        "links-hardlink-to-dir.tar",
	        "links-hardlink-via-symlink.tar",
	        "links-overwrite-one-name.tar",
	        "links-symlink-becomes-dir.tar",
	        "links-symlink-becomes-file.tar",
	        "links-symlink-kept-as-data.tar",
	        "links-through-absolute.tar",
	        "metadata-modes.tar",
	        "metadata-mtime-fractional.tar",
	        "metadata-mtime-negative.tar",
	        "metadata-setid-bits.tar",
	        "metadata-xattr-capability.tar",
	        "names-component-255.tar",
	        "names-dot-and-double-slash.tar",
	        "names-dotdot-end.tar",
	        "names-dotdot-middle.tar",
	        "names-dotdot-start.tar",
	        "names-leading-slash.tar",
	        "names-odd-bytes.tar",
	        "special-devices.tar",
	        "special-fifo-replaced.tar",
	        "whiteouts-dir-part-dotdot.tar",
	        "whiteouts-directory.tar",
	        "whiteouts-dot.tar",
	        "whiteouts-missing-target.tar",
	        "whiteouts-no-name.tar",
	        "whiteouts-opaque-after.tar",
	        "whiteouts-opaque-before.tar",
	        "whiteouts-plain.tar",
	        "whiteouts-symlink.tar",
	        "whiteouts-then-add.tar",
	        "whiteouts-through-symlink.tar",
	};
	return cr_make_param_array(char[64], cases, OCIWP_ARRAY_LEN(cases));
}

ParameterizedTest(char *file, tar_reader, other_corpus_case_is_accepted)
{
	ociwp_buf names = OCIWP_BUF_INIT;
	ociw_error *err = NULL;
	int r = walk_case(file, NULL, &names, &err);
	test_expect(r, 0, &err, "");
	ociwp_buf_deinit(&names);
}

Test(tar_reader, entries_over_the_limit_are_refused)
{
	ociw_limits limits = OCIW_LIMITS_INIT;
	ociw_op op = OCIW_OP_INIT;
	ociwp_buf names = OCIWP_BUF_INIT;
	ociw_error *err = NULL;
	limits.max_entries = 1000;
	op.limits = &limits;
	int r = walk_case("limits-million-entries.tar.gz", &op, &names, &err);
	test_expect(r, OCIW_ERR_LIMIT, &err, "more than 1000 tar headers");
	ociwp_buf_deinit(&names);
}

Test(tar_reader, a_set_cancel_flag_stops_it)
{
	ociw_cancel *cancel = ociw_cancel_new();
	ociw_op op = OCIW_OP_INIT;
	ociwp_buf names = OCIWP_BUF_INIT;
	ociw_error *err = NULL;
	op.cancel = cancel;
	ociw_cancel_trigger(cancel);
	int r = walk_case("headers-v7-header.tar", &op, &names, &err);
	test_expect(r, OCIW_ERR_CANCELLED, &err, "");
	ociw_cancel_free(cancel);
	ociwp_buf_deinit(&names);
}

static int first_entry(const struct test_tar *tar, ociwp_tar_reader **reader,
                       const ociwp_tar_entry **entry, ociw_error **err)
{
	cr_assert_eq(ociwp_tar_reader_new(test_reader(tar->buf.data, tar->buf.len, 0), NULL, reader,
	                                  NULL),
	             0);
	return ociwp_tar_reader_next(*reader, entry, err);
}

/* Type flag, whether there is a target, type of the entry. */
Test(tar_reader, every_type_is_told_from_its_flag)
{
	static const struct {
		char flag;
		const char *name;
		ociwp_tar_type type;
	} rows[] = {
	        {'0', "f", OCIWP_TAR_FILE},      {'\0', "f", OCIWP_TAR_FILE},
	        {'7', "f", OCIWP_TAR_FILE},      {'\0', "d/", OCIWP_TAR_DIRECTORY},
	        {'5', "d", OCIWP_TAR_DIRECTORY}, {'5', "d/", OCIWP_TAR_DIRECTORY},
	        {'1', "l", OCIWP_TAR_HARDLINK},  {'2', "l", OCIWP_TAR_SYMLINK},
	        {'3', "c", OCIWP_TAR_CHARACTER}, {'4', "b", OCIWP_TAR_BLOCK},
	        {'6', "p", OCIWP_TAR_FIFO},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		struct test_tar tar = TEST_TAR_INIT;
		ociwp_tar_reader *reader = NULL;
		const ociwp_tar_entry *entry = NULL;
		test_tar_link(&tar, rows[i].name, rows[i].flag, "target");
		cr_assert_eq(first_entry(&tar, &reader, &entry, NULL), 1);
		cr_expect_eq(entry->type, rows[i].type, "flag %c", rows[i].flag);
		bool link = rows[i].flag == '1' || rows[i].flag == '2';
		cr_expect_str_eq(entry->target ? entry->target : "-", link ? "target" : "-");
		ociwp_tar_reader_free(reader);
		test_tar_deinit(&tar);
	}
}

/* One archive, the code and a part of the message. */
static void expect_walk(struct test_tar *tar, int code, const char *part)
{
	for (size_t step = 0; step < 2; step++) {
		ociwp_buf names = OCIWP_BUF_INIT;
		ociw_error *err = NULL;
		int r = walk(test_reader(tar->buf.data, tar->buf.len, step ? TEST_WHOLE : 0), NULL,
		             &names, &err);
		if (code == 0)
			cr_expect_str_eq(names.data ? names.data : "", part);
		test_expect(r, code, &err, part);
		ociwp_buf_deinit(&names);
	}
	test_tar_deinit(tar);
}

/* L6, and the same question for other kinds: is there data or not? */
Test(tar_reader, only_files_may_have_a_size)
{
	static const char flags[] = "123456";
	for (const char *flag = flags; *flag; flag++) {
		struct test_tar tar = TEST_TAR_INIT;
		test_tar_header(&tar, "x", *flag, 512);
		test_tar_patch(&tar, 157, "target", 6);
		test_tar_text(&tar, "smuggled", '0', "");
		expect_walk(&tar, OCIW_ERR_FORMAT,
		            "\"x\" at byte 0: size is 512 for an entry that is no regular file");
	}
}

Test(tar_reader, a_slash_behind_a_regular_file_is_refused)
{
	struct test_tar tar = TEST_TAR_INIT;
	test_tar_text(&tar, "f/", '0', "data");
	expect_walk(&tar, OCIW_ERR_FORMAT, "ends in a slash");
}

/* H1 */
Test(tar_reader, pax_wins_over_gnu_and_both_over_ustar)
{
	struct test_tar tar = TEST_TAR_INIT;
	test_tar_text(&tar, "L", 'L', "gnu");
	test_tar_text(&tar, "x", 'x', "12 path=pax\n");
	test_tar_text(&tar, "ustar", '0', "");
	test_tar_text(&tar, "x", 'x', "12 path=pax\n");
	test_tar_text(&tar, "L", 'L', "gnu");
	test_tar_text(&tar, "ustar", '0', "");
	test_tar_text(&tar, "L", 'L', "gnu");
	test_tar_text(&tar, "ustar", '0', "");
	test_tar_text(&tar, "ustar", '0', "");
	test_tar_end(&tar);
	expect_walk(&tar, 0, "pax\npax\ngnu\nustar\n");
}

Test(tar_reader, two_headers_of_a_kind_for_one_entry_are_refused)
{
	struct test_tar tar = TEST_TAR_INIT;
	test_tar_text(&tar, "x", 'x', "9 path=a\n");
	test_tar_text(&tar, "x", 'x', "9 path=b\n");
	test_tar_text(&tar, "f", '0', "");
	expect_walk(&tar, OCIW_ERR_FORMAT, "second pax header for one entry");
}

/* H4 */
Test(tar_reader, a_global_header_changes_nothing)
{
	struct test_tar tar = TEST_TAR_INIT;
	test_tar_text(&tar, "g", 'g', "9 path=a\n10 size=0\n");
	test_tar_text(&tar, "f", '0', "data");
	test_tar_text(&tar, "h", '0', "");
	expect_walk(&tar, 0, "f\nh\n");
}

/* Go forgets the first header here, others apply it: two names for one entry. */
Test(tar_reader, a_global_header_between_an_extension_and_its_entry_is_refused)
{
	static const struct {
		char flag;
		const char *text;
	} rows[] = {{'x', "9 path=a\n"}, {'L', "a"}, {'K', "a"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct test_tar tar = TEST_TAR_INIT;
		test_tar_text(&tar, "x", rows[i].flag, rows[i].text);
		test_tar_text(&tar, "g", 'g', "13 comment=x\n");
		test_tar_text(&tar, "f", '0', "");
		expect_walk(&tar, OCIW_ERR_FORMAT, "global pax header between");
	}
}

/* H3 */
Test(tar_reader, an_extension_without_an_entry_is_refused)
{
	struct test_tar tar = TEST_TAR_INIT, at_end = TEST_TAR_INIT;
	test_tar_text(&tar, "x", 'x', "9 path=a\n");
	test_tar_end(&tar);
	expect_walk(&tar, OCIW_ERR_FORMAT, "extension header that has no entry");
	test_tar_text(&at_end, "L", 'L', "name");
	expect_walk(&at_end, OCIW_ERR_FORMAT, "extension header that has no entry");
}

Test(tar_reader, an_empty_long_name_is_refused)
{
	struct test_tar tar = TEST_TAR_INIT;
	test_tar_text(&tar, "L", 'L', "");
	test_tar_text(&tar, "f", '0', "");
	expect_walk(&tar, OCIW_ERR_FORMAT, "GNU long name is empty");
}

/* extraction.md section 3: 1 MiB each, 4 MiB together. */
Test(tar_reader, extension_headers_are_limited)
{
	struct test_tar one = TEST_TAR_INIT, many = TEST_TAR_INIT;
	size_t len = (1 << 20) + 1;
	char *text = (char *)ociwp_malloc(len);
	memset(text, 'n', len);
	test_tar_member(&one, "L", 'L', text, len);
	expect_walk(&one, OCIW_ERR_LIMIT, "1048577 bytes, the limit is 1048576");
	int n = snprintf(text, 32, "%zu comment=", len - 1);
	memset(text + n, 'n', 1);
	text[len - 2] = '\n';
	for (int i = 0; i < 5; i++)
		test_tar_member(&many, "g", 'g', text, len - 1);
	expect_walk(&many, OCIW_ERR_LIMIT, "before one entry have over 4194304 bytes");
	free(text);
}

/* F1; anchors of peers: umoci 0.4.7 writes no padding behind the last entry. */
Test(tar_reader, an_archive_may_end_behind_the_data)
{
	struct test_tar tar = TEST_TAR_INIT, cut = TEST_TAR_INIT;
	test_tar_text(&tar, "f", '0', "data");
	tar.buf.len = 512 + 4;
	expect_walk(&tar, 0, "f\n");
	test_tar_text(&cut, "f", '0', "data");
	cut.buf.len = 512 + 5;
	expect_walk(&cut, OCIW_ERR_SIZE, "\"f\": stream ends in the padding");
}

Test(tar_reader, one_zero_block_may_be_the_end)
{
	struct test_tar tar = TEST_TAR_INIT, cut = TEST_TAR_INIT;
	test_tar_text(&tar, "f", '0', "");
	test_tar_end(&tar);
	tar.buf.len = 1024;
	expect_walk(&tar, 0, "f\n");
	test_tar_text(&cut, "f", '0', "");
	test_tar_end(&cut);
	cut.buf.len = 1025;
	expect_walk(&cut, OCIW_ERR_SIZE, "ends in a header");
}

/* F3 */
Test(tar_reader, what_follows_the_end_is_read_and_means_nothing)
{
	struct test_tar tar = TEST_TAR_INIT;
	ociw_digest whole, seen = {0};
	ociw_reader *hashed = NULL;
	ociwp_buf names = OCIWP_BUF_INIT;
	test_tar_text(&tar, "f", '0', "");
	test_tar_end(&tar);
	test_tar_text(&tar, "hidden", '0', "x");
	ociwp_buf_puts(&tar.buf, "odd end");
	cr_assert_eq(ociw_digest_bytes(OCIW_DIGEST_SHA256, ociwp_buf_span(&tar.buf), &whole, NULL),
	             0);
	cr_assert_eq(ociwp_reader_hash(test_reader(tar.buf.data, tar.buf.len, 0),
	                               OCIW_DIGEST_SHA256, &seen, NULL, &hashed, NULL),
	             0);
	cr_assert_eq(walk(hashed, NULL, &names, NULL), 0);
	cr_expect_str_eq(names.data, "f\n");
	cr_expect(ociw_digest_equal(&whole, &seen));
	ociwp_buf_deinit(&names);
	test_tar_deinit(&tar);
}

/* Bodies by peek and by read in several sizes are the same bytes; large ones pass by the buffer. */
Test(tar_reader, bodies_are_read_in_any_way)
{
	static const size_t steps[] = {0, 1000, 300000};
	struct test_tar tar = TEST_TAR_INIT;
	ociwp_buf body = OCIWP_BUF_INIT;
	for (unsigned i = 0; body.len < 1500000; i++)
		ociwp_buf_printf(&body, "%u;", i * 2654435761u);
	test_tar_member(&tar, "big", '0', body.data, body.len);
	test_tar_text(&tar, "small", '0', "x");
	test_tar_end(&tar);
	char *piece = (char *)ociwp_malloc(300000);
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(steps); i++) {
		ociwp_tar_reader *reader = NULL;
		const ociwp_tar_entry *entry = NULL;
		ociwp_buf got = OCIWP_BUF_INIT;
		ptrdiff_t n;
		cr_assert_eq(first_entry(&tar, &reader, &entry, NULL), 1);
		cr_expect_eq(entry->data_offset, 512);
		do {
			const void *data = piece;
			n = steps[i] ? ociwp_tar_reader_read(reader, piece, steps[i], NULL)
			             : ociwp_tar_reader_peek(reader, &data, NULL);
			if (n > 0)
				ociwp_buf_append(&got, data, (size_t)n);
		} while (n > 0);
		cr_assert_eq(got.len, body.len);
		cr_expect_eq(memcmp(got.data, body.data, body.len), 0);
		cr_assert_eq(ociwp_tar_reader_next(reader, &entry, NULL), 1);
		cr_expect_str_eq(entry->path, "small");
		ociwp_tar_reader_free(reader);
		ociwp_buf_deinit(&got);
	}
	free(piece);
	ociwp_buf_deinit(&body);
	test_tar_deinit(&tar);
}

Test(tar_reader, a_failed_reader_stays_failed)
{
	struct test_tar tar = TEST_TAR_INIT;
	ociwp_tar_reader *reader = NULL;
	const ociwp_tar_entry *entry = NULL;
	ociw_error *err = NULL;
	char byte;
	test_tar_text(&tar, "\x1b[31m", 'V', "");
	test_tar_text(&tar, "f", '0', "");
	test_expect(first_entry(&tar, &reader, &entry, &err), OCIW_ERR_UNSUPPORTED, &err,
	            "\"\\x1b[31m\"");
	test_expect(ociwp_tar_reader_next(reader, &entry, &err), OCIW_ERR_UNSUPPORTED, &err,
	            "volume");
	test_expect((int)ociwp_tar_reader_read(reader, &byte, 1, &err), OCIW_ERR_UNSUPPORTED, &err,
	            "volume");
	test_expect(ociwp_tar_reader_close(reader, &err), OCIW_ERR_UNSUPPORTED, &err, "volume");
	test_tar_deinit(&tar);
}

Test(tar_reader, close_gives_the_verdict_of_the_stream)
{
	struct test_tar tar = TEST_TAR_INIT;
	ociw_digest digest;
	ociw_reader *verified = NULL;
	ociw_error *err = NULL;
	ociwp_buf names = OCIWP_BUF_INIT;
	test_tar_text(&tar, "f", '0', "");
	test_tar_end(&tar);
	cr_assert_eq(ociw_digest_bytes(OCIW_DIGEST_SHA256, (ociw_span){"", 0}, &digest, NULL), 0);
	cr_assert_eq(ociwp_reader_verify(test_reader(tar.buf.data, tar.buf.len, 0), &digest,
	                                 tar.buf.len, &verified, NULL),
	             0);
	test_expect(walk(verified, NULL, &names, &err), OCIW_ERR_DIGEST, &err, "");
	ociwp_buf_deinit(&names);
	test_tar_deinit(&tar);
}

/* D13: nothing of a declared size is allocated, nothing is read that is not there. */
Test(tar_reader, a_size_that_is_not_there_costs_nothing)
{
	struct test_tar tar = TEST_TAR_INIT;
	ociwp_tar_reader *reader = NULL;
	const ociwp_tar_entry *entry = NULL;
	const void *data;
	ociw_error *err = NULL;
	test_tar_header(&tar, "huge", '0', 0);
	test_tar_patch(&tar, 124, "\x80\0\0\0\x40\0\0\0\0\0\0\0", 12);
	ociwp_buf_puts(&tar.buf, "xyz");
	cr_assert_eq(first_entry(&tar, &reader, &entry, NULL), 1);
	cr_expect_eq(entry->size, (uint64_t)1 << 62);
	cr_expect_eq(ociwp_tar_reader_peek(reader, &data, NULL), 3);
	test_expect((int)ociwp_tar_reader_peek(reader, &data, &err), OCIW_ERR_SIZE, &err,
	            "stream ends 4611686018427387901 bytes before the end of the data");
	ociwp_tar_reader_free(reader);
	test_tar_deinit(&tar);
}
