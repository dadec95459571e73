/* SPDX-License-Identifier: Apache-2.0
 *
 * What extraction must remember: the names this layer made, and how directories are to look in the
 * end. Both hold a fixed number of bytes an entry, never a path (specs/extraction.md W1, M1, D13).
 */
#ifndef OCIW_OPS_EXTRACT_SETS_H
#define OCIW_OPS_EXTRACT_SETS_H

#include "base/alloc.h"
#include "base/error.h"

/* Names, each as the inode of its directory and the last part: the same name is the same whatever
 * links led there. Kept as 128-bit keyed hashes, at most 64 bytes an entry while growing. */
typedef struct ociwp_seen ociwp_seen;
int ociwp_seen_new(ociwp_seen **out, ociw_error **err);
void ociwp_seen_free(ociwp_seen *seen);
OCIWP_DEFINE_AUTO(seen, ociwp_seen *, ociwp_seen_free)
void ociwp_seen_clear(ociwp_seen *seen); /* gives the memory back */
bool ociwp_seen_add(ociwp_seen *seen, uint64_t parent_inode, const char *name);
bool ociwp_seen_has(const ociwp_seen *seen, uint64_t parent_inode, const char *name);
size_t ociwp_seen_count(const ociwp_seen *seen);

/* Final look of a directory. */
typedef struct ociwp_dir_look {
	uint32_t mode;
	uint32_t nanoseconds;
	int64_t seconds;
} ociwp_dir_look;

/* Directories by inode. An inode that is freed and used again gets a new look when its new owner is
 * made, so a record never outlives its directory. */
typedef struct ociwp_dirs ociwp_dirs;
int ociwp_dirs_new(ociwp_dirs **out, ociw_error **err);
void ociwp_dirs_free(ociwp_dirs *dirs);
OCIWP_DEFINE_AUTO(dirs, ociwp_dirs *, ociwp_dirs_free)
bool ociwp_dirs_set(ociwp_dirs *dirs, uint64_t inode, const ociwp_dir_look *look);
const ociwp_dir_look *ociwp_dirs_get(const ociwp_dirs *dirs, uint64_t inode);

#endif
