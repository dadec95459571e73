/* SPDX-License-Identifier: Apache-2.0
 *
 * Blobs by digest inside an opened tar: ranges of its file, or bytes that were made up from it (the
 * manifest of a docker archive). What layout-tar serves and docker-archive fills.
 */
#ifndef OCIW_STORE_TAR_BLOBS_H
#define OCIW_STORE_TAR_BLOBS_H

#include "oci/manifest.h"
#include "store/tar-members.h"

typedef struct ociwp_tar_blobs {
	ociwp_tar_members members;
	ociwp_map *by_digest; /* -> private record */
	ociwp_index *index;   /* what index.json says, or would say */
} ociwp_tar_blobs;

int ociwp_tar_blobs_init(ociwp_tar_blobs *blobs, ociw_error **err); /* members are set */
void ociwp_tar_blobs_deinit(ociwp_tar_blobs *blobs);
/* One digest twice is fine when the size is the same; OCIW_ERR_SIZE otherwise. */
int ociwp_tar_blobs_add_range(ociwp_tar_blobs *blobs, const char *digest, uint64_t offset,
                              uint64_t size, ociw_error **err);
int ociwp_tar_blobs_add_bytes(ociwp_tar_blobs *blobs, const char *digest, char *take_bytes,
                              size_t len, ociw_error **err);
/* Raw bytes from an offset. NOTFOUND, SIZE when the descriptor says another size. */
int ociwp_tar_blobs_open(const ociwp_tar_blobs *blobs, const ociw_descriptor *desc, uint64_t offset,
                         ociw_reader **out, ociw_error **err);
/* A manifest, verified: for ociwp_graph. @p self is the ociwp_tar_blobs. */
int ociwp_tar_blobs_read(void *self, const ociw_descriptor *desc, const ociw_op *op, char **out,
                         size_t *out_len, ociw_error **err);
/* The size of a blob; false when it is not there. */
bool ociwp_tar_blobs_size(const ociwp_tar_blobs *blobs, const char *digest, uint64_t *out);

#endif
