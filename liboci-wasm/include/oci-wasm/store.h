/* SPDX-License-Identifier: Apache-2.0
 *
 * Local ends: OCI layout directories and layout archives (oci-client.md LAY-1..8).
 */
#ifndef OCIW_STORE_H
#define OCIW_STORE_H

#include <oci-wasm/content.h>

OCIW_BEGIN_DECLS

/** How to open a layout. */
enum ociw_layout_flags {
	OCIW_LAYOUT_READ = 0,        /**< must exist; nothing is ever written */
	OCIW_LAYOUT_WRITE = 1 << 0,  /**< blobs and names may be added */
	OCIW_LAYOUT_CREATE = 1 << 1, /**< with WRITE: made when the first manifest is put, if absent */
	OCIW_LAYOUT_NO_SYNC = 1 << 2 /**< with WRITE: no fsync, for throw-away layouts */
};

/** Opens an OCI layout directory. Any number of processes may read and write one at a time.
 * @return 0; OCIW_ERR_NOTFOUND; OCIW_ERR_FORMAT when it is no layout; OCIW_ERR_IO */
OCIW_API OCIW_NODISCARD int ociw_layout_open(const char *path, unsigned flags, ociw_content **out,
					     ociw_error **err);
/** Opens a layout tar, or an image tar of docker save, for reading; it may be compressed, and need not
 * be seekable (a pipe is spooled). Members come in any order. A docker archive is given Docker
 * manifests made up from its configs; its images are found by their full names and by their tags.
 * @return 0; OCIW_ERR_NOTFOUND; OCIW_ERR_FORMAT when it is no such tar; OCIW_ERR_UNSUPPORTED for
 * another layout version or layers that are no tar; OCIW_ERR_LIMIT; OCIW_ERR_IO */
OCIW_API OCIW_NODISCARD int ociw_archive_open(const char *path, const ociw_op *op,
					      ociw_content **out, ociw_error **err);
/** Begins a layout tar; nothing is at @p path before the first manifest with a name was put, and
 * then all of it. An existing file is replaced. The same content gives the same bytes. A name that is
 * a whole reference is kept for containerd, and its tag is the name in the layout.
 * @return 0; OCIW_ERR_NOTFOUND when the folder is missing; OCIW_ERR_UNSAFE when something else than
 * a plain file is at @p path; OCIW_ERR_IO */
OCIW_API OCIW_NODISCARD int ociw_archive_create(const char *path, ociw_content **out,
						ociw_error **err);

/** What verify and gc find out about a layout directory. */
typedef enum ociw_finding_kind {
	OCIW_FINDING_GOOD = 1,     /**< a blob whose bytes are right */
	OCIW_FINDING_DAMAGED,      /**< a blob whose bytes or size are wrong */
	OCIW_FINDING_MISSING,      /**< something refers to it, and it is not there */
	OCIW_FINDING_BROKEN,       /**< the bytes are right, but it is no manifest */
	OCIW_FINDING_UNREFERENCED, /**< nothing refers to it: removed, or would be */
	OCIW_FINDING_YOUNG,        /**< nothing refers to it, but it is too young to be removed */
	OCIW_FINDING_LEFTOVER,     /**< of a writer that was stopped: removed, or would be */
	OCIW_FINDING_UNNAMED       /**< an entry without a name: dropped from the index, or would be */
} ociw_finding_kind;

/** One finding. Strings are borrowed for the time of the callback. */
typedef struct ociw_finding {
	size_t size;         /**< sizeof(ociw_finding) of the library */
	ociw_finding_kind kind;
	const char *digest;  /**< of the blob; the name of the file for leftovers */
	const char *message; /**< what is wrong, or NULL */
	uint64_t bytes;      /**< size of the file, 0 when it is missing */
} ociw_finding;

/** Receives findings. Non-zero stops the work (OCIW_ERR_CANCELLED). */
typedef int (*ociw_finding_cb)(const ociw_finding *finding, void *user_data);

/** Reads every blob of a layout directory and everything the index leads to, and checks size, digest
 * and form. Changes nothing.
 * @param cb  may be NULL
 * @return 0 when all is right; OCIW_ERR_DIGEST when something is damaged, else OCIW_ERR_FORMAT when
 * a manifest is broken, else OCIW_ERR_NOTFOUND when something is missing; OCIW_ERR_INVALID when
 * @p layout is no layout directory; others */
OCIW_API OCIW_NODISCARD int ociw_layout_verify(ociw_content *layout, const ociw_op *op,
					       ociw_finding_cb cb, void *user_data,
					       ociw_error **err);

/** Flags of a garbage collection. */
enum ociw_gc_flags {
	OCIW_GC_DELETE = 1 << 0,  /**< really remove; without it the findings say what would be */
	OCIW_GC_UNNAMED = 1 << 1, /**< entries without a name go too, unless they refer to one kept */
	OCIW_GC_ANY_AGE = 1 << 2  /**< also what is younger than `min_age_seconds` */
};

/** Options of a garbage collection; zero is the default. */
typedef struct ociw_gc_options {
	size_t size;              /**< sizeof(ociw_gc_options) */
	const ociw_op *op;        /**< NULL: defaults */
	uint32_t flags;           /**< enum ociw_gc_flags */
	uint32_t min_age_seconds; /**< younger files stay, for writers that take no lock: 600 */
} ociw_gc_options;

#define OCIW_GC_OPTIONS_INIT { sizeof(ociw_gc_options), NULL, 0, 0 }

/** Removes the blobs of a layout directory that nothing in its index leads to, by way of indexes,
 * manifests, subjects and their referrers (LAY-8), and what stopped writers left.
 * @param cb           may be NULL
 * @param freed_bytes  what was, or would be, freed; may be NULL
 * @return 0; OCIW_ERR_BUSY while this library writes to the layout elsewhere; OCIW_ERR_INVALID when
 * it was opened for reading and is to be changed; an error, and nothing removed, when a manifest
 * cannot be read */
OCIW_API OCIW_NODISCARD int ociw_layout_gc(ociw_content *layout, const ociw_gc_options *options,
					   ociw_finding_cb cb, void *user_data,
					   uint64_t *freed_bytes, ociw_error **err);

OCIW_END_DECLS

#endif
