/* SPDX-License-Identifier: Apache-2.0
 *
 * A strict tar reader (specs/extraction.md N*, H*, F*, L6, S2): ustar, pax, GNU long names;
 * whatever readers disagree about is refused. Takes decoded bytes. Makes no policy about paths
 * beyond N4, N5 and the limits: names come as they are, judged by ops/extract.
 */
#ifndef OCIW_ARCHIVE_TAR_READER_H
#define OCIW_ARCHIVE_TAR_READER_H

#include "io/stream.h"

typedef enum ociwp_tar_type {
	OCIWP_TAR_FILE = 1,
	OCIWP_TAR_DIRECTORY,
	OCIWP_TAR_SYMLINK,
	OCIWP_TAR_HARDLINK,
	OCIWP_TAR_CHARACTER,
	OCIWP_TAR_BLOCK,
	OCIWP_TAR_FIFO
} ociwp_tar_type;

typedef struct ociwp_tar_xattr {
	const char *name;
	const void *value;
	size_t value_len;
} ociwp_tar_xattr;

typedef struct ociwp_tar_entry {
	ociwp_tar_type type;
	const char *path; /* after pax and GNU overrides; no NUL inside; not empty */
	size_t path_len;
	const char *target;   /* of links, else NULL */
	uint64_t size;        /* of the body; 0 for everything but files */
	uint64_t data_offset; /* of the body in the decoded stream */
	uint32_t mode;        /* permission bits incl. setid and sticky */
	uint64_t uid, gid;
	int64_t mtime_seconds;
	uint32_t mtime_nanoseconds;
	uint32_t device_major, device_minor;
	const ociwp_tar_xattr *xattrs;
	size_t xattr_count;
} ociwp_tar_entry;

typedef struct ociwp_tar_reader ociwp_tar_reader;

/* Takes @p take_from in any case. @p op gives limits (entries, path, ...) and cancellation, and must
 * outlive the reader. */
int ociwp_tar_reader_new(ociw_reader *take_from, const ociw_op *op, ociwp_tar_reader **out,
                         ociw_error **err);
/* 1: *entry is the next one, borrowed until the next call; 0: end; < 0: code. An unread body is
 * skipped. */
int ociwp_tar_reader_next(ociwp_tar_reader *reader, const ociwp_tar_entry **entry,
                          ociw_error **err);
/* Body of the current entry: > 0, 0 at its end, < 0. OCIW_ERR_FORMAT when the stream ends in it. */
ptrdiff_t ociwp_tar_reader_read(ociwp_tar_reader *reader, void *buf, size_t len, ociw_error **err);
/* The same without a copy: points *data at the next bytes of the body inside the reader's buffer,
 * valid until the next call; returns their number. */
ptrdiff_t ociwp_tar_reader_peek(ociwp_tar_reader *reader, const void **data, ociw_error **err);
/* Reads the stream to its end (F3: trailing bytes count for digests only), closes it: the verdict.
 */
int ociwp_tar_reader_close(ociwp_tar_reader *take_reader, ociw_error **err);
void ociwp_tar_reader_free(ociwp_tar_reader *reader); /* gives up early, no verdict */
OCIWP_DEFINE_AUTO(tar_reader, ociwp_tar_reader *, ociwp_tar_reader_free)

#endif
