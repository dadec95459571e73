/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths as text: judging and joining. No system call; walking is io/fsys.
 */
#ifndef OCIW_BASE_PATH_H
#define OCIW_BASE_PATH_H

#include <oci-wasm/export.h>

/* True for one proper file name: not empty, no '/', no NUL, not "." or "..", at most 255 bytes. */
bool ociwp_path_is_component(const char *name, size_t len);
/* True for "a/b/c": every part a proper component, no leading or final '/', within the limits. */
bool ociwp_path_is_relative_normal(const char *path, size_t max_bytes, size_t max_depth);
/* dir + "/" + name ('/' not doubled); NULL without memory. */
char *ociwp_path_join(const char *dir, const char *name);
/* Absolute form of @p path seen from @p cwd, "." and ".." and "//" removed by text alone. */
char *ociwp_path_absolute(const char *cwd, const char *path);
/* Points at the last component; "" for a path that ends in '/'. */
const char *ociwp_path_basename(const char *path);

#endif
