/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of convert share. Private to ops/convert*.
 */
#ifndef OCIW_OPS_CONVERT_PRIVATE_H
#define OCIW_OPS_CONVERT_PRIVATE_H

#include "base/map.h"
#include "base/pool.h"
#include "oci/manifest.h"
#include "ops/pack-private.h"
#include <oci-wasm/convert.h>

/* A Spin app read from an image: its lock and a draft whose sources are blobs of the image, bytes in
 * the lock, and files spooled from its archives. */
typedef struct ociwp_convert_app {
	ociw_content *content; /* borrowed */
	const ociw_op *op;
	const ociwp_manifest *manifest; /* borrowed */
	bool node;             /* files come from OCI layers by name, not from the lock */
	ociwp_lock *lock;
	ociwp_draft draft;
	int spool;             /* files out of archives, one after another; -1: none yet */
	uint64_t spool_size;
	const char *temp_dir;
	ociwp_map *layers;     /* digest -> ociw_descriptor, borrowed from the manifest */
	ociwp_map *members;    /* "sha256:..." -> ociwp_source, of Spin's archives */
	ociwp_pool paths;      /* text that the draft's files borrow */
} ociwp_convert_app;

void ociwp_convert_app_deinit(ociwp_convert_app *app);
/* Reads lock, layers and archives into the draft, whose memory and settings are set by the caller. */
int ociwp_convert_read(ociwp_convert_app *app, ociw_error **err);

#endif
