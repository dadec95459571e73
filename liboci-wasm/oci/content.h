/* SPDX-License-Identifier: Apache-2.0
 *
 * The vtable behind ociw_content: what an end must do. Layers 7 implement it, layer 8 uses it.
 *
 * Rules: `resolve`, `open`, `has`, `put`, `mount` may be called from several threads at once.
 * Bytes are never changed. `put` verifies before anything is visible; a blob that is there already
 * is success. The front (content.c) wraps `open` in size and digest verification, so back ends
 * return raw bytes.
 */
#ifndef OCIW_OCI_CONTENT_H
#define OCIW_OCI_CONTENT_H

#include "base/alloc.h"
#include "base/error.h"
#include <oci-wasm/content.h>

/* Where the bytes of a blob come from; can be opened again for a retry, or from an offset. */
typedef struct ociwp_blob_source {
	int (*open)(void *self, uint64_t offset, const ociw_op *op, ociw_reader **out,
		    ociw_error **err);
	void *self;
} ociwp_blob_source;

/* The bytes of a span, which must outlive it. */
ociwp_blob_source ociwp_blob_source_of_span(const ociw_span *borrowed);

/* A blob that is still to be read, spool.h. */
typedef struct ociwp_spool ociwp_spool;

typedef ociw_referrer_cb ociwp_referrer_cb;

typedef struct ociwp_content_ops {
	/* Names to descriptors. NULL name: the only entry or the end's default name. */
	int (*resolve)(void *self, const char *name, const ociw_op *op, ociw_descriptor **out,
		       ociw_error **err);
	/* Raw bytes of a blob or manifest from @p offset; the front verifies. */
	int (*open)(void *self, const ociw_descriptor *desc, uint64_t offset, const ociw_op *op,
		    ociw_reader **out, ociw_error **err);
	/* As `resolve`, for who wants the descriptor alone: by less than fetching the manifest. NULL: there
	 * is no such way. */
	int (*find)(void *self, const char *name, const ociw_op *op, ociw_descriptor **out,
		    ociw_error **err);
	/* Optional (NULL: unsupported) from here on. */
	int (*list)(void *self, const ociw_op *op, ociw_name_cb cb, void *user_data,
		    ociw_error **err);
	int (*has)(void *self, const ociw_descriptor *desc, const ociw_op *op, bool *out,
		   ociw_error **err);
	int (*put)(void *self, const ociw_descriptor *desc, const ociwp_blob_source *source,
		   const ociw_op *op, ociw_error **err);
	/* Stores a blob while it is read. NULL: it is read whole first, then `put`. */
	int (*put_stream)(void *self, ociwp_spool *spool, const ociw_op *op, ociw_error **err);
	/* Stores a manifest or index, and gives it @p name unless NULL. Its blobs are there already.
	 * NULL: it is a child of an index that comes later. Its own digest as the name: it stands
	 * alone without a tag (a registry PUTs by digest, a layout lists it without a name). */
	int (*put_manifest)(void *self, const ociw_descriptor *desc, ociw_span bytes,
			    const char *name, const ociw_op *op, ociw_error **err);
	/* Stores a manifest under several names by one request; done[i] tells which of them it has then.
	 * NULL: one by one. */
	int (*put_names)(void *self, const ociw_descriptor *desc, ociw_span bytes,
			 const char *const *names, size_t count, const ociw_op *op, bool *done,
			 ociw_error **err);
	/* Takes a blob from another content of the same kind without moving bytes (cross-repository
	 * mount, hardlink). *done false: not possible, go on with put. */
	int (*mount)(void *self, const ociw_descriptor *desc, ociw_content *from, const ociw_op *op,
		     bool *done, ociw_error **err);
	int (*referrers)(void *self, const char *digest, const char *artifact_type,
			 const ociw_op *op, ociwp_referrer_cb cb, void *user_data,
			 ociw_error **err);
	/* Deletes a manifest by name or digest (blob_only: a blob by digest). */
	int (*remove)(void *self, const char *name, bool blob_only, const ociw_op *op,
		      ociw_error **err);
	/* Size of a blob that is known by digest alone. */
	int (*stat)(void *self, const char *digest, const ociw_op *op, uint64_t *size,
		    ociw_error **err);
	/* Does `open` give exactly the bytes of this blob or fail, so that nobody needs to hash them
	 * again? */
	bool (*sure)(void *self, const ociw_descriptor *desc);
	void (*free)(void *self);
	/* Blobs leave this machine: layers that may not be distributed are not sent (LYR-8), what is
	 * sent is verified first, and a manifest that is there has all it points at. */
	bool remote;
} ociwp_content_ops;

/* ociw_content_resolve() for who reads the manifest next: a registry is asked once for both. */
int ociwp_content_resolve_to_read(ociw_content *content, const char *name, const ociw_op *op,
				  ociw_descriptor **out, ociw_error **err);

/* Makes a content; @p label is copied. On failure @p take_self is freed through ops->free. */
int ociwp_content_new(const ociwp_content_ops *ops, void *take_self, const char *label,
		      ociw_content **out, ociw_error **err);
/* The back end of a content when it has these ops, else NULL (for mount). */
void *ociwp_content_self(ociw_content *content, const ociwp_content_ops *ops);

bool ociwp_content_is_remote(const ociw_content *content);
bool ociwp_content_is_sure(const ociw_content *content, const ociw_descriptor *desc);

/* The front of each op: checks support (OCIW_ERR_UNSUPPORTED names what is missing). */
int ociwp_content_has(ociw_content *content, const ociw_descriptor *desc, const ociw_op *op,
		      bool *out, ociw_error **err);
int ociwp_content_put(ociw_content *content, const ociw_descriptor *desc,
		      const ociwp_blob_source *source, const ociw_op *op, ociw_error **err);
int ociwp_content_put_stream(ociw_content *content, ociwp_spool *spool, const ociw_op *op,
			     ociw_error **err);
int ociwp_content_put_bytes(ociw_content *content, const ociw_descriptor *desc, ociw_span bytes,
			    const ociw_op *op, ociw_error **err);
int ociwp_content_put_manifest(ociw_content *content, const ociw_descriptor *desc, ociw_span bytes,
			       const char *name, const ociw_op *op, ociw_error **err);
int ociwp_content_mount(ociw_content *content, const ociw_descriptor *desc, ociw_content *from,
			const ociw_op *op, bool *done, ociw_error **err);
int ociwp_content_referrers(ociw_content *content, const char *digest, const char *artifact_type,
			    const ociw_op *op, ociwp_referrer_cb cb, void *user_data,
			    ociw_error **err);
int ociwp_content_remove(ociw_content *content, const char *name, bool blob_only, const ociw_op *op,
			 ociw_error **err);
/* Raw bytes from an offset, not verified: for resuming by those who verify themselves. */
int ociwp_content_open_raw(ociw_content *content, const ociw_descriptor *desc, uint64_t offset,
			   const ociw_op *op, ociw_reader **out, ociw_error **err);

OCIWP_DEFINE_AUTO(content, ociw_content *, ociw_content_free)
OCIWP_DEFINE_AUTO(descriptor, ociw_descriptor *, ociw_descriptor_free)

#endif
