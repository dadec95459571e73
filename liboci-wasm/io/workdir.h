/* SPDX-License-Identifier: Apache-2.0
 *
 * Folders that do not outlive the process that works in them for long: each is held by a flock while it
 * is in use, so that whoever makes the next one beside it can tell the dead ones and removes them.
 */
#ifndef OCIW_IO_WORKDIR_H
#define OCIW_IO_WORKDIR_H

#include "base/error.h"

#include <limits.h>

typedef struct ociwp_workdir {
	int parent, fd;          /* handles, ours; fd is opened for reading */
	bool odd_umask;          /* the umask takes bits even from 0700 */
	char name[NAME_MAX + 1]; /* ".WHAT.0123456789abcdef.partial", in the parent */
} ociwp_workdir;

#define OCIWP_WORKDIR_NONE ((ociwp_workdir){-1, -1, false, ""})

/* Removes what dead runs left in @p parent and makes a locked directory of mode 0700 there. Takes
 * @p parent when it succeeds. 0 or errno. */
int ociwp_workdir_make(int parent, const char *what, ociwp_workdir *out);
/* The same in the folder for temporary files: @p dir, or NULL: $TMPDIR or /tmp. *out_path is to be
 * freed. */
int ociwp_workdir_make_temp(const char *dir, ociwp_workdir *out, char **out_path, ociw_error **err);
/* Closes it and leaves it where it is, by whatever name. */
void ociwp_workdir_release(ociwp_workdir *workdir);
/* Removes it with all that is in it, and closes it. */
void ociwp_workdir_remove(ociwp_workdir *workdir);

/* Removes such folders in @p parent that no process holds. */
void ociwp_workdir_sweep(int parent);

#endif
