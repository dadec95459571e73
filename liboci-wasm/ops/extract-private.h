/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of extract share: one run's context. Not for anybody else.
 */
#ifndef OCIW_OPS_EXTRACT_PRIVATE_H
#define OCIW_OPS_EXTRACT_PRIVATE_H

#include "base/buf.h"
#include "base/op.h"
#include "base/str.h"
#include "io/fsys.h"
#include "oci/manifest.h"
#include "ops/extract-sets.h"
#include "ops/extract-staging.h"
#include <oci-wasm/extract.h>

typedef struct ociwp_extraction {
	ociw_extract_options options; /* read over zeros */
	const ociw_op *op;
	ociw_limits limits;
	ociw_content *content;
	bool root; /* the caller is the superuser */

	ociw_descriptor *image; /* of the manifest */
	ociwp_manifest *manifest;
	ociwp_config *config; /* NULL when the config is of a foreign type */

	ociwp_staging *staging;
	ociwp_fsys *fs;
	ociwp_dirs *dirs;
	ociwp_seen *seen; /* names of the layer at hand; NULL where nothing lies below it */

	bool root_owned; /* the layers give the top of the tree an owner */
	uint32_t root_uid, root_gid;
	uint64_t root_inode;

	uint64_t unpacked;     /* decoded bytes so far, against max_unpacked_bytes */
	uint64_t made;         /* names made in this layer, directories nobody named included */
	uint64_t files, directories, links, bytes;
	uint64_t warnings;     /* of this layer */
	uint64_t warnings_all;
	bool told_xattrs;
	ociwp_buf path, target; /* scratch */
	ociwp_buf wasm;         /* JSON array items of wasm files that were written */
} ociwp_extraction;

/* At most 20 warnings a layer reach the caller (D14). */
int ociwp_extract_warn(ociwp_extraction *x, ociw_error **err, const char *fmt, ...)
	OCIW_PRINTF(3, 4);
/* Begins to count anew; says how many were held back. */
int ociwp_extract_warnings_end(ociwp_extraction *x, ociw_error **err);

/* Counts one more name against the entry limit. */
int ociwp_extract_count(ociwp_extraction *x, ociw_error **err);
/* Tells who made a directory without an entry of its own. */
int ociwp_extract_made(void *extraction, uint64_t parent_inode, const char *name, uint64_t inode,
		       ociw_error **err);

/* How many of these layers are read at the same time. */
size_t ociwp_extract_lanes(const ociwp_extraction *x, const ociw_descriptor *const *layers,
			   size_t count);

/* Modes of extract: extract-rootfs.c, extract-artifact.c, extract-spin.c. */
int ociwp_extract_rootfs(ociwp_extraction *x, ociw_error **err);
int ociwp_extract_artifact(ociwp_extraction *x, ociw_error **err);
int ociwp_extract_spin(ociwp_extraction *x, ociw_extract_mode mode, ociw_error **err);

/* The layer of the lock in a manifest; NULL when this is no Spin app (spin.md 7.3 item 4). */
const ociw_descriptor *ociwp_extract_lock_layer(const ociwp_manifest *manifest);

/* extract-result.c */
int ociwp_extract_result_new(const ociwp_extraction *x, ociw_extract_mode mode,
			     ociw_extract_result **out, ociw_error **err);

#endif
