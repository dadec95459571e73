/* SPDX-License-Identifier: Apache-2.0
 *
 * The tar reader over the corpus of recorded cases: what is decided by the reader, and with which words.
 */
#include "../support/test-streams.h"
#include "archive/tar-reader.h"
#include "io/compress.h"

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
		{ "confusion-7zip.tar", OCIW_ERR_FORMAT, "no tar archive" },
		{ "confusion-cpio.tar", OCIW_ERR_FORMAT, "" },
		{ "confusion-mtree.tar", OCIW_ERR_FORMAT, "" },
		{ "confusion-wasm.tar", OCIW_ERR_FORMAT, "" },
		{ "confusion-zip.tar", OCIW_ERR_FORMAT, "" },
		{ "framing-double-gzip.tar.gz", OCIW_ERR_FORMAT, "" },
		{ "framing-end-only.tar", 0, "" },
		{ "framing-gzip-bad-crc.tar.gz", OCIW_ERR_FORMAT, "CRC" },
		{ "framing-gzip-members.tar.gz", 0, "a.txt\nb.txt\n" },
		{ "framing-gzip-truncated.tar.gz", OCIW_ERR_FORMAT, "trailer" },
		{ "framing-no-end.tar", 0, "a.txt\nb.txt\n" },
		{ "framing-truncated-data.tar", OCIW_ERR_FORMAT, "before the end of the data" },
		{ "framing-truncated-header.tar", OCIW_ERR_FORMAT, "ends in a header" },
		{ "framing-zero-block-then-more.tar", OCIW_ERR_FORMAT, "one zero block" },
		{ "framing-zero-bytes.tar", 0, "" },
		{ "framing-zstd-frames.tar.zst", 0, "a.txt\nb.txt\n" },
		{ "framing-zstd-truncated.tar.zst", OCIW_ERR_FORMAT, "zstd stream ends" },
		{ "headers-bad-checksum.tar", OCIW_ERR_FORMAT, "checksum" },
		{ "headers-base256-size.tar", 0, "b.txt\nc.txt\n" },
		{ "headers-gnu-long-name-twice.tar", OCIW_ERR_FORMAT, "second GNU long name" },
		{ "headers-gnu-sparse-old.tar", OCIW_ERR_UNSUPPORTED, "sparse" },
		{ "headers-negative-size.tar", OCIW_ERR_FORMAT, "below 0" },
		{ "headers-pax-global.tar", 0, "a.txt\n" },
		{ "headers-pax-overrides.tar", 0, "real/name.txt\nlnk\nplain.txt\n" },
		{ "headers-pax-size-wins.tar", 0, "nested.bin\nzz-last.txt\n" },
		{ "headers-pax-wrong-length.tar", OCIW_ERR_FORMAT, "longer than the header" },
		{ "headers-pax-zero-length.tar", OCIW_ERR_FORMAT, "shorter than a record" },
		{ "headers-size-past-end.tar", OCIW_ERR_FORMAT, "before the end of the data" },
		{ "headers-v7-header.tar", 0, "old.txt\nolddir/\noldlink\n" },
		{ "limits-link-target-1-mib.tar.gz", OCIW_ERR_LIMIT, "" },
		{ "limits-pax-64-mib.tar.gz", OCIW_ERR_LIMIT, "extension header" },
		{ "links-hardlink-with-body.tar", OCIW_ERR_FORMAT, "expected 0" },
		{ "names-component-256.tar", OCIW_ERR_LIMIT, "256 bytes, the limit is 255" },
		{ "names-empty-name.tar", OCIW_ERR_FORMAT, "without a name" },
		{ "names-path-over-4096.tar", OCIW_ERR_LIMIT, "the limit is 4096" },
		{ "names-pax-path-nul.tar", OCIW_ERR_FORMAT, "a name without NUL" },
		{ "special-unknown-type.tar", OCIW_ERR_UNSUPPORTED, "unknown entry type" },
		{ "special-volume-header.tar", OCIW_ERR_UNSUPPORTED, "volume" },
	};
	return cr_make_param_array(struct corpus_case, cases, OCIWP_ARRAY_LEN(cases));
}

ParameterizedTest(struct corpus_case *c, tar_reader, corpus_case_is_judged_as_recorded)
{
	ociwp_buf names = OCIWP_BUF_INIT;
	ociw_error *err = NULL;
	int r = walk_case(c->file, NULL, &names, &err);
	if (c->code == 0)
		cr_expect_str_eq(names.data ? names.data : "", c->part, "%s", c->file);
	test_expect(r, c->code, &err, c->part);
	ociwp_buf_deinit(&names);
}

/* What only an extractor can judge is no business of the reader's. */
ParameterizedTestParameters(tar_reader, other_corpus_case_is_accepted)
{
	static char cases[][64] = {
		"duplicates-dir-over-file.tar", "duplicates-file-over-dir.tar",
		"duplicates-file-twice.tar", "duplicates-missing-parents.tar",
		"headers-gnu-long-name-and-link.tar", "headers-gnu-long-name-no-nul.tar",
		"links-alias-inside.tar", "links-dir-becomes-symlink.tar",
		"links-hardlink-absolute.tar", "links-hardlink-existing.tar",
		"links-hardlink-missing.tar", "links-hardlink-to-dir.tar",
		"links-hardlink-via-symlink.tar", "links-overwrite-one-name.tar",
		"links-symlink-becomes-dir.tar", "links-symlink-becomes-file.tar",
		"links-symlink-kept-as-data.tar", "links-through-absolute.tar",
		"metadata-modes.tar", "metadata-mtime-fractional.tar",
		"metadata-mtime-negative.tar", "metadata-setid-bits.tar",
		"metadata-xattr-capability.tar", "names-component-255.tar",
		"names-dot-and-double-slash.tar", "names-dotdot-end.tar",
		"names-dotdot-middle.tar", "names-dotdot-start.tar",
		"names-leading-slash.tar", "names-odd-bytes.tar", "special-devices.tar",
		"special-fifo-replaced.tar", "whiteouts-dir-part-dotdot.tar",
		"whiteouts-directory.tar", "whiteouts-dot.tar", "whiteouts-missing-target.tar",
		"whiteouts-no-name.tar", "whiteouts-opaque-after.tar",
		"whiteouts-opaque-before.tar", "whiteouts-plain.tar", "whiteouts-symlink.tar",
		"whiteouts-then-add.tar", "whiteouts-through-symlink.tar",
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
