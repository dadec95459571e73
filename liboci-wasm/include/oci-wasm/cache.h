/* SPDX-License-Identifier: Apache-2.0
 *
 * A cache of extracted images, shared by processes: each image is extracted once and then leased by
 * whoever needs it, for bind mounts, as the lower directory of an overlay, or to be copied from.
 */
#ifndef OCIW_CACHE_H
#define OCIW_CACHE_H

#include <oci-wasm/extract.h>

OCIW_BEGIN_DECLS

/** A directory of extracted images. For one thread at a time; any number of processes. */
typedef struct ociw_cache ociw_cache;
/** The right to use one extracted image: while it is held nobody removes the tree. It ends with the
 * process whatever happens (a file lock, no list of users). */
typedef struct ociw_lease ociw_lease;

/** Opens a cache, made when it is missing (mode 0700; its parent must be there). */
OCIW_API OCIW_NODISCARD int ociw_cache_open(const char *path, ociw_cache **out, ociw_error **err);
OCIW_API void ociw_cache_free(ociw_cache *cache);

/** Flags of get and find. */
enum ociw_cache_flags {
	OCIW_CACHE_CHECK_TREE = 1 << 0 /**< count names and bytes of the tree before it is trusted */
};

/** Leases @p name of @p content, extracted now unless the cache has it. When @p name is a digest that
 * the cache has, @p content is not looked at (and may be NULL).
 * A damaged entry is made anew; leases on it stay valid, and while one is held neither its tree nor the new
 * one, which has the same path, is removed. Waits for another process that extracts the same image.
 * @param extract  as for ociw_extract(); NULL: defaults. file_url_root NULL: the tree itself
 * @return 0 or what ociw_extract() gives */
OCIW_API OCIW_NODISCARD int ociw_cache_get(ociw_cache *cache, ociw_content *content,
					   const char *name, const ociw_extract_options *extract,
					   unsigned flags, ociw_lease **out, ociw_error **err);
/** The same without ever extracting: OCIW_ERR_NOTFOUND when the cache has no good entry. */
OCIW_API OCIW_NODISCARD int ociw_cache_find(ociw_cache *cache, const char *digest,
					    const ociw_extract_options *extract, unsigned flags,
					    ociw_lease **out, ociw_error **err);

/** Absolute path of the tree, which is not to be changed. Borrowed. */
OCIW_API const char *ociw_lease_path(const ociw_lease *lease);
/** As ociw_extract_result_json() at the time of extraction. Borrowed. */
OCIW_API const char *ociw_lease_json(const ociw_lease *lease);
/** The locked descriptor: a process that inherits it (close-on-exec is set) holds the lease too.
 * Borrowed. */
OCIW_API int ociw_lease_fd(const ociw_lease *lease);
/** Ends a lease. NULL is fine. */
OCIW_API void ociw_lease_release(ociw_lease *lease);

/** How a tree is copied out of the cache. */
typedef enum ociw_materialise {
	OCIW_MATERIALISE_COPY = 0,    /**< own files, sharing blocks where the file system can */
	OCIW_MATERIALISE_REFLINK = 1, /**< sharing blocks, or OCIW_ERR_UNSUPPORTED */
	OCIW_MATERIALISE_HARDLINK = 2 /**< the cache's own files under more names: for readers only,
				       * as a writer would change them for everybody */
} ociw_materialise;

/** Puts the leased tree at @p destination, which must not exist or be an empty directory; staged and
 * renamed once, as ociw_extract() does. Names that are one file in the tree are one in the copy too,
 * except where the links of very many files would take more than 16 MiB of memory to remember. */
OCIW_API OCIW_NODISCARD int ociw_lease_materialise(const ociw_lease *lease,
						   const char *destination,
						   ociw_materialise how, const ociw_op *op,
						   ociw_error **err);

/** What garbage collection keeps; zero is the default. */
typedef struct ociw_cache_gc_options {
	size_t size;              /**< sizeof(ociw_cache_gc_options) */
	const ociw_op *op;        /**< NULL: defaults */
	uint64_t max_age_seconds; /**< remove what was not used for longer; 0: no matter how old */
	uint64_t max_bytes;       /**< then the least recently used until this much is left; 0: all may stay */
	uint32_t dry_run;         /**< non-zero: only count */
} ociw_cache_gc_options;

#define OCIW_CACHE_GC_OPTIONS_INIT { sizeof(ociw_cache_gc_options), NULL, 0, 0, 0 }

/** What it did. */
typedef struct ociw_cache_gc_result {
	size_t size; /**< sizeof(ociw_cache_gc_result), set by the caller */
	uint64_t kept, kept_bytes;
	uint64_t removed, removed_bytes;
	uint64_t leased; /**< of those kept */
} ociw_cache_gc_result;

/** Removes old and damaged entries and what dead runs left; never what is leased.
 * @param result  may be NULL */
OCIW_API OCIW_NODISCARD int ociw_cache_gc(ociw_cache *cache, const ociw_cache_gc_options *options,
					  ociw_cache_gc_result *result, ociw_error **err);

OCIW_END_DECLS

#endif
