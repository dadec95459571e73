/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes tar through libarchive, so set up that its output depends on nothing but names, modes,
 * sizes and data: no locale (names are bytes), no times, no owners, no blocking.
 * docs/adr/0003-strict-tar-reader.md
 */
#include "archive/tar-writer.h"
#include "base/path.h"
#include "base/str.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>

/* What the reader takes (extraction.md N5): an archive we write is one we can read. */
#define PATH_BYTES_MAX 4096
#define PATH_DEPTH_MAX 256
#define FILE_SIZE_MAX ((uint64_t)1 << 62)

/* libarchive has no form that does what we want for every name: pax converts names from the charset
 * of the process's locale, unless it is told that they are binary, and then it puts a pax header in
 * front of every entry. So each entry takes the first of these that can hold it; all write to one
 * sink. */
enum form {
	FORM_USTAR,      /* names are bytes */
	FORM_PAX,        /* for ASCII names, which are the same in every locale */
	FORM_PAX_BINARY, /* for the rest; says hdrcharset=BINARY */
	FORM_COUNT
};

struct ociwp_tar_writer {
	ociw_writer *to;                      /* borrowed */
	struct archive *archives[FORM_COUNT]; /* made when first needed, the first at once */
	struct archive *current;              /* the one the last entry went to */
	struct archive_entry *entry;
	ociw_error *failed; /* of the sink, latched: libarchive can only carry a number */
	uint64_t left;      /* of the current file */
	bool given_up;      /* nothing goes to the sink any more */
};

/* Never tells libarchive of a failure: it would give up at once, and then leak what it holds. */
static la_ssize_t write_out(struct archive *archive, void *data, const void *buf, size_t len)
{
	ociwp_tar_writer *tar = data;
	(void)archive;
	if (!tar->failed && !tar->given_up &&
	    ociw_writer_write(tar->to, buf, len, &tar->failed) < 0 && !tar->failed)
		(void)ociwp_nomem(&tar->failed);
	return (la_ssize_t)len;
}

/* After each call of libarchive: what it said, or what the sink said. */
static int check(ociwp_tar_writer *tar, struct archive *archive, bool good, ociw_error **err)
{
	if (good && !tar->failed)
		return 0;
	if (!tar->failed) {
		const char *reason = archive ? archive_error_string(archive) : NULL;
		if (!archive || archive_errno(archive) == ENOMEM)
			(void)ociwp_nomem(&tar->failed);
		else
			(void)ociwp_fail(&tar->failed, OCIW_ERR_IO, "write tar: %s",
			                 reason ? reason : "no reason given");
	}
	return ociwp_error_move(err, ociwp_error_dup(tar->failed));
}

static int set_format(struct archive *archive, enum form form)
{
	if (form == FORM_USTAR)
		return archive_write_set_format_ustar(archive);
	int r = archive_write_set_format_pax_restricted(archive);
	if (r == ARCHIVE_OK && form == FORM_PAX_BINARY)
		r = archive_write_set_format_option(archive, "pax", "hdrcharset", "BINARY");
	return r;
}

static int open_form(ociwp_tar_writer *tar, enum form form, ociw_error **err)
{
	struct archive *archive = archive_write_new();
	tar->archives[form] = archive;
	bool good = archive && set_format(archive, form) == ARCHIVE_OK &&
	            archive_write_add_filter_none(archive) == ARCHIVE_OK &&
	            /* No blocking factor: two zero blocks end the archive, no more. */
	            archive_write_set_bytes_per_block(archive, 0) == ARCHIVE_OK &&
	            archive_write_set_bytes_in_last_block(archive, 1) == ARCHIVE_OK &&
	            archive_write_open(archive, tar, NULL, write_out, NULL) == ARCHIVE_OK;
	return check(tar, archive, good, err);
}

int ociwp_tar_writer_new(ociw_writer *to, ociwp_tar_writer **out, ociw_error **err)
{
	OCIWP_AUTO(tar_writer) ociwp_tar_writer *tar = ociwp_new(ociwp_tar_writer);
	if (!tar)
		return ociwp_nomem(err);
	tar->to = to;
	tar->entry = archive_entry_new();
	int r = tar->entry ? open_form(tar, FORM_USTAR, err) : ociwp_nomem(err);
	if (r < 0)
		return r;
	*out = ociwp_steal(&tar);
	return 0;
}

/* Ends the last entry with its padding. */
static int end_entry(ociwp_tar_writer *tar, ociw_error **err)
{
	int r = check(tar, NULL, true, err);
	if (r < 0)
		return r;
	if (tar->left > 0)
		return ociwp_fail(err, OCIW_ERR_SIZE, "tar member %s is %" PRIu64 " bytes short",
		                  ociwp_quote(archive_entry_pathname(tar->entry)), tar->left);
	struct archive *archive = tar->current;
	tar->current = NULL;
	bool good = !archive || archive_write_finish_entry(archive) == ARCHIVE_OK;
	return check(tar, archive, good, err);
}

static bool is_ascii(const char *text)
{
	while (*text && !(*text & 0x80))
		text++;
	return !*text;
}

/* Writes the header in the plainest form that holds it. */
static int put_entry(ociwp_tar_writer *tar, ociw_error **err)
{
	tar->current = tar->archives[FORM_USTAR];
	int written = archive_write_header(tar->current, tar->entry);
	/* FAILED: does not fit and nothing was written; anything else but OK is the end. */
	if (written == ARCHIVE_FAILED) {
		enum form form =
		        is_ascii(archive_entry_pathname(tar->entry)) ? FORM_PAX : FORM_PAX_BINARY;
		int r = tar->archives[form] ? 0 : open_form(tar, form, err);
		if (r < 0)
			return r;
		tar->current = tar->archives[form];
		written = archive_write_header(tar->current, tar->entry);
	}
	return check(tar, tar->current, written == ARCHIVE_OK, err);
}

static int put_header(ociwp_tar_writer *tar, const char *path, mode_t kind, uint32_t mode,
                      uint64_t size, ociw_error **err)
{
	int r = end_entry(tar, err);
	if (r < 0)
		return r;
	if (!ociwp_path_is_relative_normal(path, PATH_BYTES_MAX, PATH_DEPTH_MAX))
		return ociwp_fail(err, OCIW_ERR_INVALID, "name %s cannot be stored in an archive",
		                  ociwp_quote(path));
	if (size > FILE_SIZE_MAX)
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s: %" PRIu64 " bytes are too many",
		                  ociwp_quote(path), size);
	archive_entry_clear(tar->entry);
	archive_entry_copy_pathname(tar->entry, path);
	archive_entry_set_filetype(tar->entry, kind);
	archive_entry_set_perm(tar->entry, mode & 07777);
	archive_entry_set_size(tar->entry, (la_int64_t)size);
	archive_entry_set_mtime(tar->entry, 0, 0);
	archive_entry_set_uid(tar->entry, 0);
	archive_entry_set_gid(tar->entry, 0);
	r = put_entry(tar, err);
	if (r >= 0)
		tar->left = size;
	return r;
}

int ociwp_tar_writer_directory(ociwp_tar_writer *tar, const char *path, uint32_t mode,
                               ociw_error **err)
{
	return put_header(tar, path, AE_IFDIR, mode, 0, err);
}

int ociwp_tar_writer_file(ociwp_tar_writer *tar, const char *path, uint32_t mode, uint64_t size,
                          ociw_error **err)
{
	return put_header(tar, path, AE_IFREG, mode, size, err);
}

int ociwp_tar_writer_data(ociwp_tar_writer *tar, const void *data, size_t len, ociw_error **err)
{
	int r = check(tar, NULL, true, err);
	if (r < 0)
		return r;
	if (len > tar->left)
		return ociwp_fail(err, OCIW_ERR_SIZE, "tar member %s has more than its size",
		                  ociwp_quote(archive_entry_pathname(tar->entry)));
	tar->left -= len;
	bool good = len == 0 || archive_write_data(tar->current, data, len) == (la_ssize_t)len;
	return check(tar, tar->current, good, err);
}

int ociwp_tar_writer_finish(ociwp_tar_writer *take_tar, ociw_error **err)
{
	OCIWP_AUTO(tar_writer) ociwp_tar_writer *tar = take_tar;
	int r = end_entry(tar, err);
	if (r < 0)
		return r;
	/* The others wrote entries only. */
	struct archive *last = tar->archives[FORM_USTAR];
	return check(tar, last, archive_write_close(last) == ARCHIVE_OK, err);
}

void ociwp_tar_writer_free(ociwp_tar_writer *tar)
{
	if (!tar)
		return;
	/* Freeing closes, which writes end blocks: they go nowhere. */
	tar->given_up = true;
	for (int form = 0; form < FORM_COUNT; form++)
		archive_write_free(tar->archives[form]);
	archive_entry_free(tar->entry);
	ociw_error_free(tar->failed);
	free(tar);
}
