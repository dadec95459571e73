/* SPDX-License-Identifier: Apache-2.0
 *
 * The directory of a layout: made late, locked, its few files read and replaced whole. Everything
 * by directory descriptors; nothing below the root is reached through a symbolic link.
 */
#ifndef OCIW_STORE_LAYOUT_ROOT_H
#define OCIW_STORE_LAYOUT_ROOT_H

#include "base/buf.h"
#include "base/op.h"
#include "oci/content.h"
#include <oci-wasm/store.h>
#include <pthread.h>

typedef struct ociwp_layout {
	unsigned flags;        /* enum ociw_layout_flags */
	int parent_fd;         /* where to make the root; -1 when it was there */
	char *base;            /* its name there */
	pthread_mutex_t mutex; /* of everything below */
	int root_fd;           /* -1 until made */
	int blobs_fd;          /* -1 while there is no blobs directory */
	bool made_root;        /* by us: removed again if nothing came of it */
	bool writing;          /* holds the shared lock on blobs, which keeps gc away */
	bool published;        /* index.json is there */
	bool no_tmpfile;       /* set by tests: as on file systems without O_TMPFILE */
} ociwp_layout;

/* Opens; the root may be absent with CREATE. Checks oci-layout, not index.json. */
int ociwp_layout_root_open(const char *path, unsigned flags, ociwp_layout **out, ociw_error **err);
/* Lets go of everything; what was made for nothing is removed. NULL is fine. */
void ociwp_layout_root_free(ociwp_layout *layout);

/* The blobs directory for reading, or -1. */
int ociwp_layout_blobs(ociwp_layout *layout);
/* Before anything is written or its presence relied upon: makes root and blobs, takes the shared
 * lock. Waits while a garbage collection runs. 1 the first time, 0 and cheap once done. */
int ociwp_layout_begin_write(ociwp_layout *layout, const ociw_op *op, ociw_error **err);

/* The lock around index.json (LAY-6): `index.json.lock`, gone again after unlock. */
int ociwp_layout_lock(ociwp_layout *layout, const ociw_op *op, int *out_fd, ociw_error **err);
void ociwp_layout_unlock(ociwp_layout *layout, int fd);
/* flock with cancellation. OCIW_ERR_BUSY at once with @p wait false. */
int ociwp_layout_flock(int fd, int how, bool wait, const ociw_op *op, ociw_error **err);

/* A whole small file of the root; NOTFOUND when absent. @p out is to be freed. */
int ociwp_layout_read_file(ociwp_layout *layout, const char *name, uint64_t max, char **out,
                           size_t *out_len, ociw_error **err);
/* Replaces a file of the root: temporary file, fsync, rename. Under the lock. */
int ociwp_layout_replace_file(ociwp_layout *layout, const char *name, ociw_span bytes,
                              ociw_error **err);
/* fsync of a directory, unless the layout was opened with NO_SYNC. */
int ociwp_layout_sync_dir(const ociwp_layout *layout, int fd, const char *what, ociw_error **err);

/* {"imageLayoutVersion":"1.0.0"} and nothing else counts (LAY-1). */
int ociwp_layout_check_version(ociw_span text, ociw_error **err);
extern const char ociwp_layout_version_text[]; /* what is written to oci-layout */

#endif
