/* SPDX-License-Identifier: Apache-2.0
 *
 * Where an unfinished upload is, kept in a file for the next run. A note is a help, not a promise:
 * whatever is wrong with it, the upload begins anew.
 */
#ifndef OCIW_REGISTRY_UPLOAD_NOTE_H
#define OCIW_REGISTRY_UPLOAD_NOTE_H

#include "base/alloc.h"

/* Registries drop unfinished uploads after a while, distribution after a week. */
#define OCIWP_UPLOAD_NOTE_DAYS 7

typedef struct ociwp_upload_note {
	int dir_fd, fd; /* -1: there is no note */
	char name[80];
} ociwp_upload_note;
#define OCIWP_UPLOAD_NOTE_INIT                                                                     \
	{                                                                                          \
		.dir_fd = -1, .fd = -1                                                             \
	}

/* Opens and locks the note for a blob, made if need be; folders are made too, for the user alone.
 * False when there is none: no @p dir, no right, or another process is sending the same blob. */
bool ociwp_upload_note_open(ociwp_upload_note *note, const char *dir, const char *host,
                            const char *repository, const char *digest);
/* The location that was written last, to be freed; NULL when there is none to be trusted. */
char *ociwp_upload_note_read(const ociwp_upload_note *note);
void ociwp_upload_note_write(const ociwp_upload_note *note, const char *location);
/* @p keep: for the next run; else the file goes. */
void ociwp_upload_note_close(ociwp_upload_note *note, bool keep);

#endif
