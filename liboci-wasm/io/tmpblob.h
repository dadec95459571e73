/* SPDX-License-Identifier: Apache-2.0
 *
 * A temporary file without a name (O_TMPFILE, else unlinked), for bytes that must be known whole
 * before they are used: spooled bundles, stdin archives. Gone with the process whatever happens.
 */
#ifndef OCIW_IO_TMPBLOB_H
#define OCIW_IO_TMPBLOB_H

#include "io/stream.h"

/* $TMPDIR where it is an absolute path, else /tmp. */
const char *ociwp_temp_dir(void);

/* @p dir NULL: $TMPDIR or /tmp. The descriptor is the caller's, O_CLOEXEC, mode 0600. */
int ociwp_tmpblob_open(const char *dir, int *out_fd, ociw_error **err);

#endif
