/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever our tar reader accepts, libarchive must read as the same entries: names, kinds, link
 * targets, sizes and bytes. It may accept more. Differences that are known and meant are named
 * below.
 */
#include "fuzz-tar.h"
#include "archive/tar-reader.h"

#include <archive.h>
#include <archive_entry.h>

struct walk {
	ociwp_tar_reader *ours;
	struct archive *theirs;
	struct archive_entry *entry;
};

/* False when libarchive does not take it for tar: it looks at fields that do not matter. */
static bool open_theirs(struct walk *w, const uint8_t *data, size_t size)
{
	w->theirs = archive_read_new();
	FUZZ_ASSERT(w->theirs);
	archive_read_support_filter_none(w->theirs);
	archive_read_support_format_tar(w->theirs);
	return archive_read_open_memory(w->theirs, data, size) == ARCHIVE_OK;
}

static unsigned kind_of(ociwp_tar_type type)
{
	switch (type) {
	case OCIWP_TAR_DIRECTORY:
		return AE_IFDIR;
	case OCIWP_TAR_SYMLINK:
		return AE_IFLNK;
	case OCIWP_TAR_CHARACTER:
		return AE_IFCHR;
	case OCIWP_TAR_BLOCK:
		return AE_IFBLK;
	case OCIWP_TAR_FIFO:
		return AE_IFIFO;
	case OCIWP_TAR_FILE:
	case OCIWP_TAR_HARDLINK:
		break;
	}
	return AE_IFREG;
}

static bool is_ascii(const char *text)
{
	while (*text && !(*text & 0x80))
		text++;
	return !*text;
}

/* Equal but for repeated slashes: the prefix of a header may end in one. */
static bool same_name(const char *a, const char *b)
{
	while (*a && *b) {
		if (*a != *b)
			return false;
		if (*a == '/') {
			a += strspn(a, "/");
			b += strspn(b, "/");
		} else {
			a++;
			b++;
		}
	}
	return *a == *b;
}

static void compare_names(const ociwp_tar_entry *ours, struct archive_entry *theirs)
{
	/* libarchive converts others between character sets, with loss. */
	if (is_ascii(ours->path)) {
		const char *path = archive_entry_pathname(theirs);
		FUZZ_ASSERT(path && same_name(path, ours->path));
	}
	if (ours->target && is_ascii(ours->target)) {
		const char *target = ours->type == OCIWP_TAR_HARDLINK
		                             ? archive_entry_hardlink(theirs)
		                             : archive_entry_symlink(theirs);
		FUZZ_ASSERT(target && strcmp(target, ours->target) == 0);
	}
}

static void compare_bodies(struct walk *w)
{
	const void *ours, *theirs;
	size_t theirs_len = 0;
	la_int64_t offset;
	ptrdiff_t ours_len;
	while ((ours_len = ociwp_tar_reader_peek(w->ours, &ours, NULL)) > 0) {
		const char *at = (const char *)ours;
		while (ours_len > 0) {
			if (theirs_len == 0)
				FUZZ_ASSERT(archive_read_data_block(w->theirs, &theirs, &theirs_len,
				                                    &offset) == ARCHIVE_OK);
			size_t n = theirs_len < (size_t)ours_len ? theirs_len : (size_t)ours_len;
			FUZZ_ASSERT(memcmp(at, theirs, n) == 0);
			at += n;
			theirs = (const char *)theirs + n;
			theirs_len -= n;
			ours_len -= (ptrdiff_t)n;
		}
	}
	FUZZ_ASSERT(theirs_len == 0);
}

/* Whether our reader takes the whole stream: only then has anything to be equal. */
static bool accepted(const uint8_t *data, size_t size)
{
	ociwp_tar_reader *tar = NULL;
	const ociwp_tar_entry *entry;
	int r;
	FUZZ_ASSERT(ociwp_tar_reader_new(fuzz_reader(data, size, SIZE_MAX), NULL, &tar, NULL) == 0);
	while ((r = ociwp_tar_reader_next(tar, &entry, NULL)) > 0) {
	}
	ociwp_tar_reader_free(tar);
	return r == 0;
}

static void test_one(const uint8_t *data, size_t size)
{
	struct walk w = {0};
	const ociwp_tar_entry *entry;
	/* libarchive refuses to open nothing. */
	if (size == 0 || !accepted(data, size))
		return;
	if (!open_theirs(&w, data, size)) {
		archive_read_free(w.theirs);
		return;
	}
	FUZZ_ASSERT(ociwp_tar_reader_new(fuzz_reader(data, size, SIZE_MAX), NULL, &w.ours, NULL) ==
	            0);
	bool any = false;
	while (ociwp_tar_reader_next(w.ours, &entry, NULL) > 0) {
		any = true;
		int r = archive_read_next_header(w.theirs, &w.entry);
		FUZZ_ASSERT(r == ARCHIVE_OK || r == ARCHIVE_WARN);
		compare_names(entry, w.entry);
		if (entry->type != OCIWP_TAR_HARDLINK)
			FUZZ_ASSERT(archive_entry_filetype(w.entry) == kind_of(entry->type));
		FUZZ_ASSERT((uint64_t)archive_entry_size(w.entry) == entry->size);
		compare_bodies(&w);
	}
	/* An archive without entries may be nothing that libarchive knows; and it does not take one
	 * that ends behind the data, as umoci writes it (F1). */
	int r = archive_read_next_header(w.theirs, &w.entry);
	FUZZ_ASSERT(r == ARCHIVE_EOF || !any || size % 512 != 0);
	ociwp_tar_reader_free(w.ours);
	archive_read_free(w.theirs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_tar_both(data, size, test_one);
	return 0;
}
