/* SPDX-License-Identifier: Apache-2.0
 *
 * Spin manifests without packing: the locked app that a manifest stands for, and what is wrong or
 * surprising in it.
 */
#ifndef OCIW_SPIN_H
#define OCIW_SPIN_H

#include <oci-wasm/content.h>
#include <oci-wasm/op.h>

OCIW_BEGIN_DECLS

/** Flags of spin_lock and spin_check. */
enum ociw_spin_flags {
	OCIW_SPIN_COMPAT = 1 << 0,        /**< accept what Spin accepts */
	OCIW_SPIN_ALLOW_OUTSIDE = 1 << 1, /**< files and symlinks may lead out of the app's folder */
	OCIW_SPIN_QUIET_TRAPS = 1 << 2,   /**< no findings about patterns that surprise */
	OCIW_SPIN_WERROR = 1 << 3,        /**< warnings are errors */
	OCIW_SPIN_NO_FILES = 1 << 4,      /**< leave file patterns alone */
	OCIW_SPIN_COMPACT = 1 << 5,       /**< spin_lock: one line, not indented */
	OCIW_SPIN_FOR_SPIN = 1 << 6,      /**< check_image: it is for `spin up`, not for nodes */
	OCIW_SPIN_FOR_NODE = 1 << 7       /**< check_image: it is for nodes, and starts should be fast */
};

/** Options; zero is the default. */
typedef struct ociw_spin_options {
	size_t size;         /**< sizeof(ociw_spin_options) */
	const ociw_op *op;   /**< NULL: defaults */
	const char *profile; /**< build profile, or NULL */
	uint32_t flags;      /**< enum ociw_spin_flags */
} ociw_spin_options;

#define OCIW_SPIN_OPTIONS_INIT                                                                     \
	{                                                                                          \
		sizeof(ociw_spin_options), NULL, NULL, 0                                           \
	}

/** Writes the locked app of a manifest as JSON, with `file://` URLs where a push puts digests: one
 * for each wasm and each static file. Nothing but the manifest is read.
 *
 * @param path spin.toml, or a folder with one
 * @param options NULL for the defaults
 * @param into borrowed; not committed
 * @return 0; FORMAT, UNSAFE, NOTFOUND, LIMIT for what is wrong with the app, and IO, CANCELLED,
 * NOMEM
 * @since 0.1 */
OCIW_API OCIW_NODISCARD int ociw_spin_lock(const char *path, const ociw_spin_options *options,
                                           ociw_writer *into, ociw_error **err);

/** How bad a finding is. */
typedef enum ociw_spin_severity {
	OCIW_SPIN_ERROR = 1,   /**< the app cannot be packed, or cannot run */
	OCIW_SPIN_WARNING = 2, /**< works, but hardly as meant, or not everywhere */
	OCIW_SPIN_NOTE = 3     /**< good to know */
} ociw_spin_severity;

/** One finding. Strings are borrowed for the time of the callback. */
typedef struct ociw_spin_finding {
	size_t size;           /**< sizeof(ociw_spin_finding) of the library */
	uint32_t severity;     /**< ociw_spin_severity */
	uint32_t line;         /**< from 1; 0 when the finding has no place */
	uint32_t column;       /**< from 1; 0 when the finding has no place */
	const char *file;      /**< the manifest, as given; or the image */
	const char *component; /**< id, or NULL */
	const char *rule;      /**< fixed short name, such as "files-doubled" */
	const char *message;   /**< one line, untrusted text escaped */
} ociw_spin_finding;

/** Receives findings. Non-zero stops the check (OCIW_ERR_CANCELLED). */
typedef int (*ociw_spin_finding_cb)(const ociw_spin_finding *finding, void *user_data);

/** Looks for what is wrong with an app before it is packed, and for what the Spin shim of
 * containerd would make of it: trigger types, host requirements, missing wasm files, unused
 * components, dependencies, and what each start would copy.
 *
 * @param path spin.toml, or a folder with one
 * @param options NULL for the defaults
 * @param callback hears each finding
 * @return how many findings are errors, or a negative code when the check itself failed (IO, NOMEM,
 * CANCELLED, NOTFOUND for no manifest)
 * @since 0.1 */
OCIW_API OCIW_NODISCARD int ociw_spin_check(const char *path, const ociw_spin_options *options,
                                            ociw_spin_finding_cb callback, void *user_data,
                                            ociw_error **err);

/** Looks for what is wrong with an image of a Spin app for the Spin shim of containerd (or for Spin, under
 * OCIW_SPIN_FOR_SPIN): config, diff_ids and command, trigger types, host requirements, dependencies,
 * unused components, content that is missing or broken, and what each start copies. All of the image
 * but its data layers is read and verified.
 *
 * @param name      tag, layout name or digest; NULL: the only one
 * @param options   NULL for the defaults; of the flags WERROR and FOR_* count
 * @param callback  hears each finding
 * @return how many findings are errors, or a negative code when the check itself failed (IO, NETWORK,
 * NOMEM, CANCELLED, NOTFOUND for no image, and others of the end)
 * @since 0.1 */
OCIW_API OCIW_NODISCARD int ociw_spin_check_image(ociw_content *content, const char *name,
						  const ociw_spin_options *options,
						  ociw_spin_finding_cb callback, void *user_data,
						  ociw_error **err);

OCIW_END_DECLS

#endif
