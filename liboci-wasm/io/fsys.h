/* SPDX-License-Identifier: Apache-2.0
 *
 * The one walker (specs/extraction.md D1-D5): names below a root handle, resolved as after a chroot,
 * by openat2 or part by part where that is missing. No path of the host is ever built. Paths given
 * here are relative and normal ("a/b/c"): judging names is the caller's work.
 */
#ifndef OCIW_IO_FSYS_H
#define OCIW_IO_FSYS_H

#include "base/alloc.h"
#include "base/error.h"
#include <sys/stat.h>

typedef struct ociwp_fsys ociwp_fsys;

enum ociwp_fsys_flags {
	OCIWP_FSYS_NO_OPENAT2 = 1 << 0,  /* the portable way, for tests and old kernels */
	OCIWP_FSYS_NO_SYMLINKS = 1 << 1, /* names that no layer made: never follow (UNP-1) */
	OCIWP_FSYS_FIX_MODES = 1 << 2    /* the umask takes bits of the owner: chmod after mkdir */
};

/* Told of every directory the walker makes: the inode, and that of its parent with the name. An
 * error of it ends the walk. */
typedef int (*ociwp_fsys_made_cb)(void *data, uint64_t parent_inode, const char *name,
				  uint64_t inode, ociw_error **err);

/* A tree below @p take_root_fd, a directory opened for reading; taken in any case. */
int ociwp_fsys_new(int take_root_fd, unsigned flags, ociwp_fsys **out, ociw_error **err);
void ociwp_fsys_free(ociwp_fsys *fs);
OCIWP_DEFINE_AUTO(fsys, ociwp_fsys *, ociwp_fsys_free)
void ociwp_fsys_on_made(ociwp_fsys *fs, ociwp_fsys_made_cb made, void *data);
int ociwp_fsys_root(const ociwp_fsys *fs); /* borrowed */
bool ociwp_fsys_uses_openat2(const ociwp_fsys *fs);

/* Where a name is: the handle of its directory, borrowed until the next call on @p fs, and the last
 * part, which points into the path that was given. */
typedef struct ociwp_fsys_at {
	int fd;
	uint64_t inode; /* of the directory */
	const char *name;
	const char *path; /* for messages */
} ociwp_fsys_at;

/* Resolves the directory part of @p path; the last part is never followed. @p make: missing
 * directories are made, 0700 (E2). UNSAFE for loops, dangling links and links where none may be;
 * FORMAT when a file stands where a directory is needed (E3); NOTFOUND. */
int ociwp_fsys_walk(ociwp_fsys *fs, const char *path, bool make, ociwp_fsys_at *at,
		    ociw_error **err);
/* The handle of a directory, all of @p path resolved ("" is the root); O_RDONLY, the caller's. */
int ociwp_fsys_open_dir(ociwp_fsys *fs, const char *path, int *out_fd, ociw_error **err);

/* Makers. What is there already is removed first, tree and all, except that a directory stays under
 * a directory (E1, L3, L7). */
int ociwp_fsys_file(ociwp_fsys *fs, const ociwp_fsys_at *at, int *out_fd, ociw_error **err);
int ociwp_fsys_directory(ociwp_fsys *fs, const ociwp_fsys_at *at, uint64_t *out_inode,
			 ociw_error **err);
int ociwp_fsys_symlink(ociwp_fsys *fs, const ociwp_fsys_at *at, const char *target,
		       ociw_error **err);
/* @p target as the walker found it; must be there and be no directory (L5). Its handle may be the
 * borrowed one of an earlier walk only if the caller duplicated it. */
int ociwp_fsys_link(ociwp_fsys *fs, const ociwp_fsys_at *target, const ociwp_fsys_at *at,
		    ociw_error **err);
int ociwp_fsys_node(ociwp_fsys *fs, const ociwp_fsys_at *at, mode_t type, dev_t device,
		    ociw_error **err);
/* Removes whatever has the name; nothing there is success (W6). */
int ociwp_fsys_remove(ociwp_fsys *fs, const ociwp_fsys_at *at, ociw_error **err);
/* Says who removes something by other means that handles kept by name are stale. */
void ociwp_fsys_forget(ociwp_fsys *fs);

#endif
