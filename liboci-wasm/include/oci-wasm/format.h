/* SPDX-License-Identifier: Apache-2.0
 *
 * The ways a wasm app is packaged (specs/spin.md, specs/spin-node.md, specs/wasm-formats.md 1.1).
 */
#ifndef OCIW_FORMAT_H
#define OCIW_FORMAT_H

#include <oci-wasm/error.h>

OCIW_BEGIN_DECLS

/** Formats of images. */
typedef enum ociw_format {
	OCIW_FORMAT_UNKNOWN = 0,
	OCIW_FORMAT_SPIN = 1,      /**< Spin artifact: lock, wasm, files or bundles */
	OCIW_FORMAT_SPIN_NODE = 2, /**< the same blobs for nodes; starts in constant time */
	OCIW_FORMAT_ROOTFS = 3,    /**< a scratch image that holds the app's files */
	OCIW_FORMAT_WASM = 4,      /**< CNCF artifact: one component or module (F1) */
	OCIW_FORMAT_RUNWASI = 5,   /**< image config with wasm layers (F2) */
	OCIW_FORMAT_HYBRID = 6,    /**< F2 with OCI layers for the files */
	OCIW_FORMAT_LEGACY = 7,    /**< wasm-to-oci (F4) */
	OCIW_FORMAT_SOLO = 8,      /**< Solo / Istio, two layers (F5) */
	OCIW_FORMAT_ISTIO = 9,     /**< Istio compat: plugin.wasm in a tar layer (F6) */
	OCIW_FORMAT_WASMCLOUD = 10, /**< old wasmCloud (F7), read only */
	OCIW_FORMAT_ARTIFACT = 11, /**< any other artifact with wasm layers */
	OCIW_FORMAT_IMAGE = 12,    /**< a container image without any wasm that we can see */
	OCIW_FORMAT_INDEX = 13     /**< an image index */
} ociw_format;

/** Name as --format takes it: "spin", "spin-node", "rootfs", "wasm" ... Static. */
OCIW_API const char *ociw_format_name(ociw_format format);
/** The format of a name; OCIW_FORMAT_UNKNOWN when there is none such. */
OCIW_API ociw_format ociw_format_parse(const char *name);

OCIW_END_DECLS

#endif
