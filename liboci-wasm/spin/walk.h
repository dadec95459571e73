/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks folders along a glob pattern, as Rust's glob crate does (specs/spin.md 1.8): results by
 * bytes of names, symbolic links followed, "**" any number of folders. Knows no manifest.
 */
#ifndef OCIW_SPIN_WALK_H
#define OCIW_SPIN_WALK_H

#include "base/op.h"
#include "spin/glob.h"
#include <sys/stat.h>

/* What a walk says on its way; all but `file` may be NULL. A negative result ends it. Paths are
 * relative to the root, without "." parts. */
typedef struct ociwp_walk_ops {
	/* A regular file that the pattern matches. */
	int (*file)(void *user_data, const char *path, const struct stat *st, ociw_error **err);
	/* A symbolic link that is about to be followed, and leads somewhere. */
	int (*link)(void *user_data, const char *path, bool is_folder, ociw_error **err);
	/* A name that is skipped: no UTF-8, or a link that leads nowhere. */
	int (*skipped)(void *user_data, const char *path, const char *why, ociw_error **err);
} ociwp_walk_ops;

/* @p pattern is relative to @p root_fd. FORMAT with *problem for a bad pattern (and no error made),
 * else IO, LIMIT, NOMEM or what the callbacks say. */
int ociwp_walk(int root_fd, const char *pattern, const ociw_limits *limits, const ociw_op *op,
               const ociwp_walk_ops *ops, void *user_data, const char **problem, ociw_error **err);

#endif
