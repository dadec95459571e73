/* SPDX-License-Identifier: Apache-2.0
 *
 * Extract: an image's content as files, staged and renamed once (specs/extraction.md).
 */
#ifndef OCIW_EXTRACT_H
#define OCIW_EXTRACT_H

#include <oci-wasm/content.h>
#include <oci-wasm/format.h>

OCIW_BEGIN_DECLS

/** What the tree looks like. */
typedef enum ociw_extract_mode {
	OCIW_EXTRACT_AUTO = 0,       /**< rootfs for images, spin-files for Spin apps */
	OCIW_EXTRACT_ROOTFS = 1,     /**< layers applied over one another */
	OCIW_EXTRACT_SPIN_FILES = 2, /**< assets/<component>/..., wasm files, a lock with file:// */
	OCIW_EXTRACT_SPIN_CACHE = 3  /**< /spin.json and /.cache/registry as the Spin shim writes them */
} ociw_extract_mode;

/** Flags of extract. */
enum ociw_extract_flags {
	OCIW_EXTRACT_SAME_OWNER = 1 << 0,    /**< uid and gid of the layer (as root) */
	OCIW_EXTRACT_SPECIAL_FILES = 1 << 1, /**< make device nodes and fifos (as root) */
	OCIW_EXTRACT_KEEP_SETID = 1 << 2,    /**< keep setuid, setgid and file capabilities */
	OCIW_EXTRACT_XATTRS = 1 << 3,        /**< set user.* xattrs */
	OCIW_EXTRACT_NO_SYNC = 1 << 4,       /**< no syncfs before the rename */
	OCIW_EXTRACT_VERIFY_FIRST = 1 << 5,  /**< check a whole blob before decoding any of it */
	OCIW_EXTRACT_NO_OPENAT2 = 1 << 6,    /**< use the portable walker (for tests) */
	OCIW_EXTRACT_ABSOLUTE_NAMES = 1 << 7, /**< contain absolute names instead of refusing (N1) */
	OCIW_EXTRACT_SERIAL = 1 << 8         /**< one thread */
};

/** Options of extract; zero is the default. */
typedef struct ociw_extract_options {
	size_t size;                    /**< sizeof(ociw_extract_options) */
	const ociw_op *op;              /**< NULL: defaults; limits count per image as op.h says */
	const ociw_platform *platform;  /**< which image of an index; NULL: IDX-7 */
	uint32_t mode;                  /**< enum ociw_extract_mode */
	uint32_t flags;                 /**< enum ociw_extract_flags */
	const char *const *components;  /**< only these Spin components; NULL: all */
	size_t component_count;
	const char *file_url_root;      /**< directory that file:// URLs of the lock start with; NULL: DEST */
} ociw_extract_options;

#define OCIW_EXTRACT_OPTIONS_INIT { sizeof(ociw_extract_options), NULL, NULL, 0, 0, NULL, 0, NULL }

/** What was extracted. */
typedef struct ociw_extract_result ociw_extract_result;
OCIW_API void ociw_extract_result_free(ociw_extract_result *result);
/** One JSON object: manifest digest, format, mode, entrypoint, wasm files, counts. Borrowed. */
OCIW_API const char *ociw_extract_result_json(const ociw_extract_result *result);
/** Digest text of the image's manifest. Borrowed. */
OCIW_API const char *ociw_extract_result_digest(const ociw_extract_result *result);

/** Extracts @p name of @p content to @p destination, which must not exist or be an empty directory.
 * One rename at the end: on any failure the destination is as before and nothing is left beside it.
 * @param result  may be NULL */
OCIW_API OCIW_NODISCARD int ociw_extract(ociw_content *content, const char *name,
					 const char *destination,
					 const ociw_extract_options *options,
					 ociw_extract_result **result, ociw_error **err);

OCIW_END_DECLS

#endif
