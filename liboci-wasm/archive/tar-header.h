/* SPDX-License-Identifier: Apache-2.0
 *
 * One 512-byte tar header as values: v7, ustar, star and GNU forms. No stream, no policy about
 * names.
 */
#ifndef OCIW_ARCHIVE_TAR_HEADER_H
#define OCIW_ARCHIVE_TAR_HEADER_H

#include "base/error.h"

#define OCIWP_TAR_BLOCK_SIZE ((size_t)512)
/* Largest size of anything: sums with it cannot overflow (H5). */
#define OCIWP_TAR_SIZE_MAX ((uint64_t)1 << 62)

typedef struct ociwp_tar_header {
	char type;                /* the flag as it stands, NUL for old files */
	char path[100 + 155 + 2]; /* prefix and name */
	char target[101];
	uint64_t size;
	uint32_t mode; /* permission bits */
	uint64_t uid, gid;
	int64_t mtime;
	uint32_t device_major, device_minor; /* of devices, else 0 */
} ociwp_tar_header;

/* True for 512 zero bytes. */
bool ociwp_tar_block_is_zero(const void *block);
/* Text of the name field alone, for messages about blocks that do not parse. At most 100 bytes. */
size_t ociwp_tar_header_raw_name(const void *block, const char **name);
/* Reads one block. OCIW_ERR_FORMAT says which field is wrong and how. */
int ociwp_tar_header_parse(const void *block, ociwp_tar_header *out, ociw_error **err);

#endif
