/* SPDX-License-Identifier: Apache-2.0
 *
 * A `blobs` directory, <algorithm>/<encoded> files reached by directory descriptors only (LAY-2):
 * OCI layouts and containerd's content store have the same. Knows neither names nor indexes.
 */
#ifndef OCIW_OCI_BLOBDIR_H
#define OCIW_OCI_BLOBDIR_H

#include "oci/content.h"

/* Opens <algorithm>; made when absent and @p create. *encoded points into @p digest.
 * INVALID: no digest; NOTFOUND; UNSAFE: there, but not a directory. */
int ociwp_blobdir_open_algorithm(int blobs_fd, const char *digest, bool create, int *out_fd,
                                 const char **encoded, ociw_error **err);
/* Opens a blob, which must be a plain file. NOTFOUND when absent, UNSAFE for anything else. */
int ociwp_blobdir_open(int blobs_fd, const char *digest, int *out_fd, uint64_t *out_size,
                       ociw_error **err);
/* True when the blob is there with this size. */
int ociwp_blobdir_has(int blobs_fd, const char *digest, uint64_t size, bool *out, ociw_error **err);
/* Raw bytes from @p offset; OCIW_ERR_SIZE when the file is not as long as the descriptor says. */
int ociwp_blobdir_reader(int blobs_fd, const ociw_descriptor *desc, uint64_t offset,
                         ociw_reader **out, ociw_error **err);
/* A whole small blob, verified; at most the manifest limit of @p op. @p out is to be freed. */
int ociwp_blobdir_read(int blobs_fd, const ociw_descriptor *desc, const ociw_op *op, char **out,
                       size_t *out_len, ociw_error **err);
/* The descriptor of a manifest or index known by digest alone: its size is the file's, its media
 * type what the verified bytes say. */
int ociwp_blobdir_describe(int blobs_fd, const char *digest, const ociw_op *op,
                           ociw_descriptor **out, ociw_error **err);

/* The size of a blob; NOTFOUND, UNSAFE as open. */
int ociwp_blobdir_stat(int blobs_fd, const char *digest, uint64_t *out_size, ociw_error **err);

/* A file below the blobs directory whose place is that of a digest. */
typedef struct ociwp_blobdir_entry {
	const char *digest;
	uint64_t size;
	int64_t mtime_seconds;
	int dir_fd; /* its folder, and its name there: to remove it */
	const char *name;
} ociwp_blobdir_entry;
/* Calls for each; other names are passed over (LAY-5). Non-zero stops and is the result. */
typedef int (*ociwp_blobdir_each_cb)(const ociwp_blobdir_entry *entry, void *user_data,
                                     ociw_error **err);
int ociwp_blobdir_each(int blobs_fd, ociwp_blobdir_each_cb cb, void *user_data, ociw_error **err);

/* Digest grammar, and the strict form for algorithms that are verified (DIG-1, DIG-5). */
bool ociwp_blobdir_name_is_safe(const char *digest);

#endif
