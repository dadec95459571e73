/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of a pax extended header, parsed in place. Knows the keys that change an entry; ignores
 * others; refuses what would make the entry mean something else (sparse files, multi-volume).
 */
#ifndef OCIW_ARCHIVE_PAX_H
#define OCIW_ARCHIVE_PAX_H

#include "archive/tar-reader.h"

/* extraction.md section 3 */
#define OCIWP_TAR_XATTRS_MAX 64
#define OCIWP_TAR_XATTR_BYTES_MAX ((size_t)64 << 10)
#define OCIWP_TAR_XATTR_TOTAL_MAX ((size_t)128 << 10)

typedef struct ociwp_pax {
	const char *path, *target; /* NULL: not given; borrowed from the parsed bytes */
	bool has_size, has_uid, has_gid, has_mtime;
	uint64_t size, uid, gid;
	int64_t mtime_seconds;
	uint32_t mtime_nanoseconds;
	size_t xattr_count;
	size_t xattr_records; /* with those that a later one of the same name replaced */
	size_t xattr_bytes;
	ociwp_tar_xattr xattrs[OCIWP_TAR_XATTRS_MAX];
} ociwp_pax;

/* Parses all records of @p data, which is changed (NULs go behind keys and values) and has to live
 * as long as @p out. @p global: checks the form only, nothing in it applies to entries (H4). */
int ociwp_pax_parse(char *data, size_t len, bool global, ociwp_pax *out, ociw_error **err);

#endif
