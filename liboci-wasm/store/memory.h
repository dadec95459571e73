/* SPDX-License-Identifier: Apache-2.0
 *
 * A content put together by the library: blobs in memory, ranges of files, spooled temporary files,
 * and named manifests. What pack and convert return. Immutable once published.
 */
#ifndef OCIW_STORE_MEMORY_H
#define OCIW_STORE_MEMORY_H

#include "oci/content.h"

typedef struct ociwp_memory ociwp_memory;

/* An empty one; @p label for messages. free only before publish. */
int ociwp_memory_new(const char *label, ociwp_memory **out, ociw_error **err);
void ociwp_memory_free(ociwp_memory *memory);
OCIWP_DEFINE_AUTO(memory, ociwp_memory *, ociwp_memory_free)

/* A blob of bytes, copied. Adding a digest that is there already is success. */
int ociwp_memory_add_bytes(ociwp_memory *memory, const ociw_descriptor *desc, ociw_span bytes,
			   ociw_error **err);
/* A blob that is a file on disk; opened at each use, verified by size and digest as it is read (a
 * file changed in between is OCIW_ERR_DIGEST or SIZE with the path in the message). */
int ociwp_memory_add_file(ociwp_memory *memory, const ociw_descriptor *desc, const char *path,
			  ociw_error **err);
/* A blob that is a range of an open file, such as a tmpblob shared by many blobs. The descriptor is
 * duplicated, so one spool can serve all. */
int ociwp_memory_add_range(ociwp_memory *memory, const ociw_descriptor *desc, int fd,
			   uint64_t offset, ociw_error **err);
/* A blob that lives in another content, which must outlive this one (convert). */
int ociwp_memory_add_foreign(ociwp_memory *memory, const ociw_descriptor *desc,
			     ociw_content *borrowed, ociw_error **err);
/* A manifest or index with a name; the first named one is what NULL resolves to. */
int ociwp_memory_add_manifest(ociwp_memory *memory, const ociw_descriptor *desc, ociw_span bytes,
			      const char *name, ociw_error **err);
/* Turns it into a content; taken in any case. */
int ociwp_memory_publish(ociwp_memory *take_memory, ociw_content **out, ociw_error **err);

#endif
