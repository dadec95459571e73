/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening files that must lie below one folder, at the moment they are read: what was judged when
 * patterns were resolved may be a link to elsewhere by then. Links are followed as long as they
 * stay inside. Unlike io/fsys the folder is the user's own, and absolute links in it are real.
 */
#ifndef OCIW_FORMAT_BENEATH_H
#define OCIW_FORMAT_BENEATH_H

#include "base/error.h"

typedef struct ociwp_beneath {
	int fd;
	char *root, *real; /* the folder as paths name it, and where it really is */
} ociwp_beneath;

#define OCIWP_BENEATH_INIT                                                                         \
	{                                                                                          \
		-1, NULL, NULL                                                                     \
	}

int ociwp_beneath_init(ociwp_beneath *beneath, const char *root, ociw_error **err);
void ociwp_beneath_deinit(ociwp_beneath *beneath);
/* Opens @p path (absolute, as made from `root`) for reading. OCIW_ERR_UNSAFE when it is elsewhere.
 */
int ociwp_beneath_open(const ociwp_beneath *beneath, const char *path, int *out_fd,
                       ociw_error **err);

#endif
