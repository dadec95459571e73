/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoding and archiving with every allocation failing once: the answer is OCIW_ERR_NOMEM or the
 * right one, never a crash, a leak (sanitizer build) or half a result.
 */
#include "../support/failing-alloc.h"
#include "../support/test-streams.h"
#include "archive/tar-reader.h"
#include "archive/tar-writer.h"
#include "io/compress.h"
#include "tar-builder.h"

struct sample {
	ociwp_buf bytes;
	ociwp_buf out;
	ociw_error *err;
};

typedef int (*flow)(struct sample *sample);

/* Fails allocation 1, 2, ... of the flow, until it needs no more. */
static void run_with_failures(flow run, struct sample *sample)
{
	for (unsigned long n = 1;; n++) {
		cr_assert_lt(n, 5000, "the flow never ends");
		ociwp_buf_deinit(&sample->out);
		failing_alloc_failed = 0;
		failing_alloc_countdown = n;
		int r = run(sample);
		failing_alloc_countdown = 0;
		cr_assert_eq((int)ociw_error_code(sample->err), r);
		if (failing_alloc_failed == 0) {
			test_expect(r, 0, &sample->err, "");
			break;
		}
		/* Making an error may be what failed: then the real one is lost, never made into
		 * success. */
		if (r != 0)
			test_expect(r, OCIW_ERR_NOMEM, &sample->err, "");
	}
	ociwp_buf_deinit(&sample->bytes);
	ociwp_buf_deinit(&sample->out);
}

static ociw_reader *memory(const struct sample *sample)
{
	/* Not part of the flow. */
	unsigned long kept = failing_alloc_countdown;
	failing_alloc_countdown = 0;
	ociw_reader *reader = test_reader(sample->bytes.data, sample->bytes.len, TEST_WHOLE);
	failing_alloc_countdown = kept;
	return reader;
}

static int walk(struct sample *sample)
{
	ociw_reader *reader = NULL;
	ociwp_compression found;
	OCIWP_AUTO(tar_reader) ociwp_tar_reader *tar = NULL;
	const ociwp_tar_entry *entry;
	const void *data;
	int r = ociwp_reader_decode(memory(sample), NULL, &found, &reader, &sample->err);
	if (r >= 0)
		r = ociwp_tar_reader_new(reader, NULL, &tar, &sample->err);
	while (r >= 0 && (r = ociwp_tar_reader_next(tar, &entry, &sample->err)) > 0) {
		ptrdiff_t n;
		while ((n = ociwp_tar_reader_peek(tar, &data, &sample->err)) > 0) {
		}
		if (n < 0)
			r = (int)n;
	}
	return r < 0 ? r : ociwp_tar_reader_close(ociwp_steal(&tar), &sample->err);
}

static void make_tar(struct test_tar *tar)
{
	test_tar_text(tar, "g", 'g', "15 comment=hey\n");
	test_tar_text(tar, "x", 'x', "12 path=pax\n22 SCHILY.xattr.u.y=b\n");
	test_tar_text(tar, "f", '0', "data");
	test_tar_text(tar, "L", 'L', "long");
	test_tar_text(tar, "K", 'K', "target");
	test_tar_link(tar, "l", '2', "t");
	test_tar_end(tar);
}

Test(oom, a_gzip_layer_is_read_or_memory_ran_out)
{
	struct sample sample = {OCIWP_BUF_INIT, OCIWP_BUF_INIT, NULL};
	struct test_tar tar = TEST_TAR_INIT;
	make_tar(&tar);
	cr_assert_eq(ociwp_gzip_bytes(tar.buf.data, tar.buf.len, &sample.bytes, NULL), 0);
	test_tar_deinit(&tar);
	run_with_failures(walk, &sample);
}

Test(oom, a_plain_layer_is_read_or_memory_ran_out)
{
	struct sample sample = {OCIWP_BUF_INIT, OCIWP_BUF_INIT, NULL};
	struct test_tar tar = TEST_TAR_INIT;
	make_tar(&tar);
	sample.bytes = tar.buf;
	run_with_failures(walk, &sample);
}

Test(oom, a_zstd_layer_is_read_or_memory_ran_out)
{
	struct sample sample = {OCIWP_BUF_INIT, OCIWP_BUF_INIT, NULL};
	size_t len;
	char *data = test_load("corpus/cases/framing-zstd-frames.tar.zst", &len);
	ociwp_buf_append(&sample.bytes, data, len);
	free(data);
	int r = walk(&sample);
	if (r == OCIW_ERR_UNSUPPORTED)
		cr_skip("built without zstd");
	cr_assert_eq(r, 0);
	run_with_failures(walk, &sample);
}

/* A name for each form of header that the writer has. */
static int archive(struct sample *sample)
{
	OCIWP_AUTO(writer) ociw_writer *gzip = NULL;
	OCIWP_AUTO(tar_writer) ociwp_tar_writer *tar = NULL;
	ociw_writer *sink = NULL;
	char path[160], binary[160];
	memset(path, 'n', sizeof(path) - 1);
	memset(binary, 0xc3, sizeof(binary) - 1);
	path[sizeof(path) - 1] = binary[sizeof(binary) - 1] = '\0';
	int r = ociwp_writer_new_buf(&sample->out, 1 << 20, &sink, &sample->err);
	if (r >= 0)
		r = ociwp_writer_gzip(sink, &gzip, &sample->err);
	if (r >= 0)
		r = ociwp_tar_writer_new(gzip, &tar, &sample->err);
	if (r >= 0)
		r = ociwp_tar_writer_directory(tar, "d", 0755, &sample->err);
	if (r >= 0)
		r = ociwp_tar_writer_file(tar, path, 0644, 1, &sample->err);
	if (r >= 0)
		r = ociwp_tar_writer_data(tar, "x", 1, &sample->err);
	if (r >= 0)
		r = ociwp_tar_writer_file(tar, binary, 0644, 0, &sample->err);
	if (r >= 0)
		r = ociwp_tar_writer_finish(ociwp_steal(&tar), &sample->err);
	return r < 0 ? r : ociw_writer_commit(ociwp_steal(&gzip), &sample->err);
}

Test(oom, an_archive_is_written_or_memory_ran_out)
{
	struct sample sample = {OCIWP_BUF_INIT, OCIWP_BUF_INIT, NULL};
	run_with_failures(archive, &sample);
}
