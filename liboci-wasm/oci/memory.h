/* SPDX-License-Identifier: Apache-2.0
 *
 * A content put together by the library: blobs in memory, files, ranges of spooled temporary files,
 * blobs of other contents, and named manifests. What pack and convert return. Immutable once
 * published, so it is read from any number of threads.
 */
#ifndef OCIW_OCI_MEMORY_H
#define OCIW_OCI_MEMORY_H

#include "oci/content.h"
#include <sys/stat.h>

typedef struct ociwp_memory ociwp_memory;

/* What a file of a known size looked like when it was hashed. A file that still looks so is trusted to
 * hold the same bytes until the reader of the content says otherwise; one that does not is hashed again,
 * so that the error can name it. Small, as packing keeps one for each file of an app. */
typedef struct ociwp_file_stamp {
	uint64_t device, inode;
	int64_t mtime, ctime; /* nanoseconds since 1970; the nearest there is for those beyond */
} ociwp_file_stamp;

void ociwp_file_stamp_of(const struct stat *st, ociwp_file_stamp *out);
bool ociwp_file_stamp_equal(const ociwp_file_stamp *a, const ociwp_file_stamp *b);
/* Is what @p st is of still the file that had this stamp and size? */
bool ociwp_file_stamp_fits(const ociwp_file_stamp *stamp, uint64_t size, const struct stat *st);
/* Did the file last change, in any way that shows, before this second? */
bool ociwp_file_stamp_is_before(const ociwp_file_stamp *stamp, int64_t seconds);

/* An empty one; @p label for messages. free only before publish. */
int ociwp_memory_new(const char *label, ociwp_memory **out, ociw_error **err);
void ociwp_memory_free(ociwp_memory *memory);
OCIWP_DEFINE_AUTO(memory, ociwp_memory *, ociwp_memory_free)

/* True when a blob of this digest is there already. */
bool ociwp_memory_has(ociwp_memory *memory, const char *digest);

/* Blobs may be added by any thread, also while others are read through a view; manifests and names
 * by one. Each add: a digest that is there already is success (OCIW_ERR_SIZE when its size is another). */

/* A blob of bytes, copied. */
int ociwp_memory_add_bytes(ociwp_memory *memory, const ociw_descriptor *desc, ociw_span bytes,
                           ociw_error **err);
/* A blob that is a file on disk; opened at each use, verified by size and digest as it is read (a
 * file changed in between is OCIW_ERR_DIGEST or SIZE with the path in the message). @p stamp: the
 * file as it was hashed, or NULL: as it is now. */
int ociwp_memory_add_file(ociwp_memory *memory, const ociw_descriptor *desc, const char *path,
                          const ociwp_file_stamp *stamp, ociw_error **err);
/* A blob that is a range of an open file, such as a tmpblob shared by many blobs. The file is kept
 * open by one duplicate for all ranges of it. */
int ociwp_memory_add_range(ociwp_memory *memory, const ociw_descriptor *desc, int fd,
                           uint64_t offset, ociw_error **err);
/* A blob that lives in another content, which must outlive this one (convert). */
int ociwp_memory_add_foreign(ociwp_memory *memory, const ociw_descriptor *desc,
                             ociw_content *borrowed, ociw_error **err);
/* A manifest or index with a name, or NULL; the first named one is what NULL resolves to. */
int ociwp_memory_add_manifest(ociwp_memory *memory, const ociw_descriptor *desc, ociw_span bytes,
                              const char *name, ociw_error **err);
/* Makes the image of this name the one that NULL resolves to; nothing when there is none. */
void ociwp_memory_prefer(ociwp_memory *memory, const char *name);
/* Has @p release called with @p owned when the content is freed, once, after its blobs are closed;
 * at once when @p content is no memory content. */
void ociwp_memory_hold(ociw_content *content, void *owned, void (*release)(void *owned));
/* A content over what is there and what will be, freed before the memory: for sending blobs while
 * others are still made. Its names are not to be used. */
int ociwp_memory_view(ociwp_memory *borrowed, ociw_content **out, ociw_error **err);
/* Turns it into a content; taken in any case. */
int ociwp_memory_publish(ociwp_memory *take_memory, ociw_content **out, ociw_error **err);

#endif
