/* SPDX-License-Identifier: Apache-2.0
 *
 * Upload sessions: begin, send in one piece, in chunks or the rest, ask how far it got, give up
 * (PSH-5..12). push.c decides which.
 */
#ifndef OCIW_REGISTRY_UPLOAD_H
#define OCIW_REGISTRY_UPLOAD_H

#include "registry/repository.h"
#include "registry/upload-note.h"

/* Below this, sending again is cheaper than asking how far it got. */
#define OCIWP_RESUME_MIN (1024u * 1024)

typedef struct ociwp_upload {
	ociwp_repository *repo;
	const ociw_descriptor *desc; /* NULL while a blob of unknown length is read */
	const ociwp_blob_source *source;
	char *location;                /* the newest one, absolute; NULL: no session */
	uint64_t min_chunk;            /* OCI-Chunk-Min-Length, 0 when not said */
	uint64_t offset;               /* bytes the registry has acknowledged */
	const ociwp_upload_note *note; /* NULL, or where each new location is written */
} ociwp_upload;

void ociwp_upload_deinit(ociwp_upload *upload);
static inline void ociwp_cleanup_upload(ociwp_upload *upload)
{
	ociwp_upload_deinit(upload);
}
/* POST: opens a session. *done: the registry took the mount that @p mount_from asks for. */
int ociwp_upload_begin(ociwp_upload *upload, const ociwp_repository *mount_from, const ociw_op *op,
                       bool *done, ociw_error **err);
/* PUT from upload->offset to the end. *status: of the answer, 0 without one; 201 is done. Failing
 * answers are errors that the caller may look at before it passes them on. */
int ociwp_upload_finish(ociwp_upload *upload, const ociw_op *op, int *status,
                        ociwp_failure *failure, ociw_error **err);
/* PATCH of the next @p size bytes from upload->offset on. */
int ociwp_upload_chunk(ociwp_upload *upload, uint64_t size, const ociw_op *op, int *status,
                       ociwp_failure *failure, ociw_error **err);
/* PATCH of all that the source gives until its end, without a range; upload->offset stays. */
int ociwp_upload_stream(ociwp_upload *upload, const ociw_op *op, int *status,
                        ociwp_failure *failure, ociw_error **err);
/* Asks for the state: *known, and upload->offset is what the registry has. */
int ociwp_upload_ask(ociwp_upload *upload, const ociw_op *op, bool *known, ociw_error **err);
/* Takes up a location that an earlier run left behind, if it may be called at all. False: not. */
bool ociwp_upload_take_up(ociwp_upload *upload, const char *location, const ociw_op *op);
/* DELETE, any answer is fine (PSH-13). */
void ociwp_upload_abort(ociwp_upload *upload);
/* "0-N", "bytes=0-N", "0-0" for nothing or one byte (told apart by nobody): the count of bytes. */
bool ociwp_upload_parse_range(const char *text, uint64_t *out);

/* push.c: sends what is missing from upload->offset on, in as many tries as the limits allow: resumed, or
 * in a new session. Without upload->location it begins with one. */
int ociwp_push_send(ociwp_upload *upload, const ociw_op *op, ociw_error **err);
/* push.c: what is known about a blob from now on. */
void ociwp_push_note(ociwp_repository *repo, const char *digest, bool present);

#endif
