/* SPDX-License-Identifier: Apache-2.0
 *
 * The tar reader: promises about entries hold, and what it says does not depend on how the stream
 * comes or on which of its ways the bodies are read.
 */
#include "fuzz-tar.h"
#include "archive/tar-reader.h"

static void check_entry(const ociwp_tar_entry *entry)
{
	bool link = entry->type == OCIWP_TAR_SYMLINK || entry->type == OCIWP_TAR_HARDLINK;
	FUZZ_ASSERT(entry->path_len > 0 && entry->path_len <= 4096);
	FUZZ_ASSERT(strlen(entry->path) == entry->path_len);
	FUZZ_ASSERT(!!entry->target == link);
	FUZZ_ASSERT(!link || (strlen(entry->target) > 0 && strlen(entry->target) <= 4095));
	FUZZ_ASSERT(entry->size == 0 || entry->type == OCIWP_TAR_FILE);
	FUZZ_ASSERT(entry->size <= (uint64_t)1 << 62);
	FUZZ_ASSERT((entry->mode & ~07777u) == 0);
	FUZZ_ASSERT(entry->mtime_nanoseconds < 1000000000);
	FUZZ_ASSERT(entry->xattr_count <= 64);
	for (size_t i = 0; i < entry->xattr_count; i++)
		FUZZ_ASSERT(entry->xattrs[i].name[0] && entry->xattrs[i].value_len <= 65536);
}

static ptrdiff_t read_some(ociwp_tar_reader *tar, size_t step, ociwp_buf *out)
{
	char piece[256];
	const void *data = piece;
	ptrdiff_t n = step ? ociwp_tar_reader_read(tar, piece, step, NULL)
	                   : ociwp_tar_reader_peek(tar, &data, NULL);
	if (n > 0)
		ociwp_buf_append(out, data, (size_t)n);
	return n;
}

/* Everything that the reader says, as text. @p step 0 peeks. */
static int transcribe(const uint8_t *data, size_t size, size_t in_step, size_t step, ociwp_buf *out)
{
	ociw_limits limits = OCIW_LIMITS_INIT;
	ociw_op op = OCIW_OP_INIT;
	ociwp_tar_reader *tar = NULL;
	const ociwp_tar_entry *entry;
	limits.max_entries = 500;
	op.limits = &limits;
	FUZZ_ASSERT(ociwp_tar_reader_new(fuzz_reader(data, size, in_step), &op, &tar, NULL) == 0);
	int r;
	while ((r = ociwp_tar_reader_next(tar, &entry, NULL)) > 0) {
		check_entry(entry);
		ociwp_buf_printf(out, "%d %s %s %llu %llu\n", (int)entry->type, entry->path,
		                 entry->target ? entry->target : "",
		                 (unsigned long long)entry->size,
		                 (unsigned long long)entry->data_offset);
		size_t before = out->len;
		ptrdiff_t n;
		/* Every third body is left for next to skip. */
		while (entry->data_offset / 512 % 3 && (n = read_some(tar, step, out)) > 0) {
		}
		FUZZ_ASSERT(out->len - before <= entry->size);
	}
	int closed = ociwp_tar_reader_close(tar, NULL);
	FUZZ_ASSERT(r == 0 || closed == r);
	return closed;
}

static void test_one(const uint8_t *data, size_t size)
{
	ociwp_buf whole = OCIWP_BUF_INIT, pieces = OCIWP_BUF_INIT;
	int first = transcribe(data, size, SIZE_MAX, 0, &whole);
	int second = transcribe(data, size, 513, 256, &pieces);
	FUZZ_ASSERT(first == second);
	FUZZ_ASSERT(whole.len == pieces.len);
	FUZZ_ASSERT(whole.len == 0 || memcmp(whole.data, pieces.data, whole.len) == 0);
	ociwp_buf_deinit(&whole);
	ociwp_buf_deinit(&pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_tar_both(data, size, test_one);
	return 0;
}
