/* SPDX-License-Identifier: Apache-2.0
 *
 * An end of an operation: a registry repository, a layout directory, a layout archive, containerd's
 * store, or what pack made in memory. Every operation goes from one content to another.
 */
#ifndef OCIW_CONTENT_H
#define OCIW_CONTENT_H

#include <oci-wasm/descriptor.h>
#include <oci-wasm/io.h>
#include <oci-wasm/op.h>

OCIW_BEGIN_DECLS

/** One end. Read calls may come from several threads at once. */
typedef struct ociw_content ociw_content;

/** Closes an end and frees it. NULL is fine. */
OCIW_API void ociw_content_free(ociw_content *content);
/** What it is, for messages: "oci:/path", "localhost:5000/app". Borrowed. */
OCIW_API const char *ociw_content_label(const ociw_content *content);

/** Finds what @p name (tag, layout name or digest; NULL: the only one) stands for. A registry is asked by
 * HEAD (PUL-4), and by GET when its answer does not say all. What HEAD says of the size is wrong on some
 * proxies (PUL-11): who needs it, or reads the manifest next, is better served by ociw_content_read_name().
 * @return 0; OCIW_ERR_NOTFOUND; OCIW_ERR_INVALID when the name is ambiguous (LAY-4); others of the end */
OCIW_API OCIW_NODISCARD int ociw_content_resolve(ociw_content *content, const char *name,
						 const ociw_op *op, ociw_descriptor **out,
						 ociw_error **err);

/** A descriptor of a blob that is known by digest alone: its size comes from the end, its media type
 * is application/octet-stream.
 * @return 0; OCIW_ERR_NOTFOUND; OCIW_ERR_INVALID when @p digest is none; others of the end */
OCIW_API OCIW_NODISCARD int ociw_content_stat(ociw_content *content, const char *digest,
					      const ociw_op *op, ociw_descriptor **out,
					      ociw_error **err);

/** Opens a blob or manifest. The reader gives its end only after size and digest are right; closing
 * it early is OCIW_ERR_SIZE. */
OCIW_API OCIW_NODISCARD int ociw_content_open(ociw_content *content, const ociw_descriptor *desc,
					      const ociw_op *op, ociw_reader **out,
					      ociw_error **err);

/** Reads a whole small blob (manifest, config, lock) of at most @p max bytes, verified.
 * @param out  bytes, to be freed with ociw_free(); a NUL follows them
 * @return 0, OCIW_ERR_LIMIT when it is larger, others as ociw_content_open() */
OCIW_API OCIW_NODISCARD int ociw_content_read(ociw_content *content, const ociw_descriptor *desc,
					      uint64_t max, const ociw_op *op, void **out,
					      size_t *out_len, ociw_error **err);

/** ociw_content_resolve() and ociw_content_read() of a manifest in one, by one request to a registry.
 * @param out_desc  what the name stands for, to be freed; may be NULL
 * @return as those two; nothing is given on failure */
OCIW_API OCIW_NODISCARD int ociw_content_read_name(ociw_content *content, const char *name, uint64_t max,
						   const ociw_op *op, ociw_descriptor **out_desc,
						   void **out, size_t *out_len, ociw_error **err);

/** Gives what @p from stands for more names at the same end; no blob moves. Several tags go to a registry in
 * one request where it knows how (PSH-17), else one by one: then those before the one that failed are set.
 * A tag that a registry does not let be moved is all right when it stands for that already.
 * @param from   tag, layout name or digest; NULL: the only one
 * @param names  tags or layout names, @p count of them
 * @param out    what they stand for now, to be freed; may be NULL
 * @return as ociw_content_resolve() and ociw_content_put_manifest() */
OCIW_API OCIW_NODISCARD int ociw_content_tag(ociw_content *content, const char *from,
					     const char *const *names, size_t count, const ociw_op *op,
					     ociw_descriptor **out, ociw_error **err);

/** Receives a name of a content. Non-zero stops the listing. */
typedef int (*ociw_name_cb)(const char *name, const ociw_descriptor *desc, void *user_data);

/** Lists the names (tags, layout names) of an end; @p desc is NULL where listing does not tell it,
 * and name is NULL for layout entries without one.
 * @return 0, the callback's non-zero value, or a code */
OCIW_API OCIW_NODISCARD int ociw_content_list(ociw_content *content, const ociw_op *op,
					      ociw_name_cb cb, void *user_data, ociw_error **err);

/** Receives a referrer. Non-zero stops the listing. */
typedef int (*ociw_referrer_cb)(const ociw_descriptor *desc, void *user_data);

/** Lists the manifests whose subject is @p digest (RFR-1..5): registries by their API or the tag
 * fallback, layouts by their index.
 * @param artifact_type  only these; NULL: all
 * @return 0, the callback's non-zero value, or a code */
OCIW_API OCIW_NODISCARD int ociw_content_referrers(ociw_content *content, const char *digest,
						   const char *artifact_type, const ociw_op *op,
						   ociw_referrer_cb cb, void *user_data,
						   ociw_error **err);

/** Stores bytes as a blob; what is there already is success.
 * @param out  its descriptor; may be NULL */
OCIW_API OCIW_NODISCARD int ociw_content_put_bytes(ociw_content *content, const char *media_type,
						   ociw_span bytes, const ociw_op *op,
						   ociw_descriptor **out, ociw_error **err);

/** Stores a file as a blob: hashed first, then sent, verified again while it is read.
 * @param out  its descriptor; may be NULL */
OCIW_API OCIW_NODISCARD int ociw_content_put_file(ociw_content *content, const char *media_type,
						  const char *path, const ociw_op *op,
						  ociw_descriptor **out, ociw_error **err);

/** The same for what an open file holds from its offset on, which stays where it is.
 * @param fd   of a regular file, borrowed; others are OCIW_ERR_INVALID, see ociw_content_put_stream()
 * @param out  its descriptor; may be NULL */
OCIW_API OCIW_NODISCARD int ociw_content_put_fd(ociw_content *content, const char *media_type, int fd,
						const ociw_op *op, ociw_descriptor **out,
						ociw_error **err);

/** Stores what a reader gives as a blob, whatever its length. A registry is sent the bytes while they are
 * read (PSH-7a). They are also kept in a temporary file (in $TMPDIR or /tmp, without a name), so that the
 * blob gets there in one piece when the registry refuses that, and what is missing when the connection
 * breaks.
 * @param take_reader  closed in any case; its verdict counts. Nothing interrupts a read that waits
 * @param op           its max_blob_bytes is the most that is taken; NULL: defaults
 * @param out          its descriptor; may be NULL
 * @return 0; OCIW_ERR_LIMIT when more comes; a code of the reader; others of the end */
OCIW_API OCIW_NODISCARD int ociw_content_put_stream(ociw_content *content, const char *media_type,
						    ociw_reader *take_reader, const ociw_op *op,
						    ociw_descriptor **out, ociw_error **err);

/** Stores exactly these bytes as a manifest or index. Its blobs must be there (PSH-1).
 * @param media_type  NULL: what the document says it is
 * @param name        tag or layout name; NULL: by digest only
 * @param out         its descriptor; may be NULL
 * @return 0; OCIW_ERR_FORMAT when the bytes are no manifest; others of the end */
OCIW_API OCIW_NODISCARD int ociw_content_put_manifest(ociw_content *content, const char *media_type,
						      ociw_span bytes, const char *name,
						      const ociw_op *op, ociw_descriptor **out,
						      ociw_error **err);

/** Deletes a manifest by tag, layout name or digest (DEL-1, DEL-2: a tag is never turned into a
 * digest behind the caller's back). */
OCIW_API OCIW_NODISCARD int ociw_content_delete(ociw_content *content, const char *name,
						const ociw_op *op, ociw_error **err);
/** Deletes a blob by digest. */
OCIW_API OCIW_NODISCARD int ociw_content_delete_blob(ociw_content *content, const char *digest,
						     const ociw_op *op, ociw_error **err);

/** Frees memory that the library handed out as plain bytes or text. NULL is fine. */
OCIW_API void ociw_free(void *memory);

OCIW_END_DECLS

#endif
