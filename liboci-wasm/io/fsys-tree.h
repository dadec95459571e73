/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole trees by handle (specs/extraction.md D5): removal, sweeping with exceptions, a visit of all
 * directories from the leaves up. Never recursive in C, never following, never across a mount.
 */
#ifndef OCIW_IO_FSYS_TREE_H
#define OCIW_IO_FSYS_TREE_H

#include "base/error.h"

/* Removes the directory @p name of @p parent (a directory, not AT_FDCWD) with all that is in it, whatever
 * its depth and modes, with three descriptors. 0 or errno; ENOENT is success. */
int ociwp_tree_remove(int parent, const char *name);

/* What a sweep leaves. `keep`: true for a name that stays. `bare`: a directory that stays only for
 * what is in it. */
typedef struct ociwp_tree_sweep {
	bool (*keep)(void *data, uint64_t parent_inode, const char *name);
	void (*bare)(void *data, uint64_t inode);
	void *data;
} ociwp_tree_sweep;

/* Removes @p name of @p parent (@p self false: only what is in it) except what @p sweep keeps. A
 * directory that holds something kept stays. 0 or errno; nothing there is success. */
int ociwp_tree_sweep_name(int parent, uint64_t parent_inode, const char *name, bool self,
			  const ociwp_tree_sweep *sweep);
/* The same for all that is in an open directory. */
int ociwp_tree_sweep_in(int dir, const ociwp_tree_sweep *sweep);

/* Calls @p visit for every directory below and then for @p root itself, children first, with a
 * handle opened for reading. Its non-zero value (an errno) ends the visit and is returned. What is
 * ours and closed to us is opened up for good; with @p closed_stay it is left as it is, unvisited. */
typedef int (*ociwp_tree_visit)(void *data, int fd, uint64_t inode);
int ociwp_tree_directories(int root, bool closed_stay, ociwp_tree_visit visit, void *data);

#endif
