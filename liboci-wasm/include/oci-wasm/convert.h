/* SPDX-License-Identifier: Apache-2.0
 *
 * Convert: an image as another format, with no source at hand. Blobs that both share are not copied.
 */
#ifndef OCIW_CONVERT_H
#define OCIW_CONVERT_H

#include <oci-wasm/content.h>
#include <oci-wasm/format.h>
#include <oci-wasm/pack.h>

OCIW_BEGIN_DECLS

/** Options of convert; zero is the default, but a format is needed. */
typedef struct ociw_convert_options {
	size_t size;                       /**< sizeof(ociw_convert_options) */
	const ociw_op *op;                 /**< NULL: defaults */
	const ociw_platform *platform;     /**< which image of an index; NULL: IDX-7 */
	const ociw_format *formats;        /**< wanted: spin, spin-node, rootfs */
	size_t format_count;
	const char *rootfs_platform;       /**< of rootfs images; NULL: linux/amd64 */
	const char *temp_dir;              /**< for spooled files; NULL: $TMPDIR or /tmp */
	uint32_t layers;                   /**< enum ociw_pack_layers, of spin images */
	uint32_t flags;                    /**< OCIW_PACK_COMPAT_SPIN, OCIW_PACK_NO_ENTRYPOINT */
	uint32_t parallel;                 /**< threads: one a core */
	uint32_t max_content_layers;       /**< 499 by default */
} ociw_convert_options;

#define OCIW_CONVERT_OPTIONS_INIT                                                                    \
	{ sizeof(ociw_convert_options), NULL, NULL, NULL, 0, NULL, NULL, 0, 0, 0, 0 }

/** Converts a Spin app (spin, spin-node or rootfs image, whoever made it). In @p out each image has the
 * name of its format, as after ociw_pack(). @p source must outlive @p out: blobs are read from it.
 * @return 0; OCIW_ERR_UNSUPPORTED, with the name of what cannot be carried; others as for reading */
OCIW_API OCIW_NODISCARD int ociw_convert(ociw_content *source, const char *name,
					 const ociw_convert_options *options, ociw_content **out,
					 ociw_error **err);

OCIW_END_DECLS

#endif
