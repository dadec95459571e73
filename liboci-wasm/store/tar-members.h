/* SPDX-License-Identifier: Apache-2.0
 *
 * Where each file of a tar lies: an index of offsets over a plain tar, or over a spooled copy of a
 * compressed or streamed one (LAY-7: members come in any order). Knows nothing about images.
 */
#ifndef OCIW_STORE_TAR_MEMBERS_H
#define OCIW_STORE_TAR_MEMBERS_H

#include "base/map.h"
#include "base/op.h"
#include "io/stream.h"

typedef struct ociwp_tar_member {
	uint64_t offset, size; /* of the body, in fd */
	char *link;            /* what it stands for instead, from the top; NULL for files */
} ociwp_tar_member;

typedef struct ociwp_tar_members {
	int fd;
	ociwp_map *by_path; /* normal relative path -> ociwp_tar_member */
} ociwp_tar_members;

/* Reads the headers of a tar, which may be compressed, and need not be seekable. Takes @p fd. */
int ociwp_tar_members_open(int take_fd, const ociw_op *op, ociwp_tar_members *out,
                           ociw_error **err);
void ociwp_tar_members_close(ociwp_tar_members *members);

/* The file of a path, links inside the archive followed; NULL when there is none. */
const ociwp_tar_member *ociwp_tar_members_find(const ociwp_tar_members *members, const char *path);
/* A whole small file; NOTFOUND, LIMIT. @p out is to be freed. */
int ociwp_tar_members_read(const ociwp_tar_members *members, const char *path, uint64_t max,
                           char **out, size_t *out_len, ociw_error **err);

#endif
