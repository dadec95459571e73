/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers that are gzipped tars (spin-node.md 3): made in parallel, each from its members alone, so
 * that the same members give the same blob on any machine. The blobs go to one spool.
 */
#ifndef OCIW_FORMAT_TAR_LAYER_H
#define OCIW_FORMAT_TAR_LAYER_H

#include "format/source.h"

/* A file of a layer: its name is dir + "/" + path, or just path. */
typedef struct ociwp_tar_member {
	const char *dir; /* borrowed, or NULL */
	const char *path; /* borrowed */
	const ociwp_source *source; /* borrowed, known */
	bool executable;
} ociwp_tar_member;

typedef struct ociwp_tar_layer {
	ociwp_tar_member *members; /* sorted by the bytes of their names; owned */
	size_t member_count;
	uint64_t plain; /* bytes of all members, for the choice of engine */
	/* what making it sets */
	ociw_digest digest, diff_id;
	uint64_t size;
	int fd;           /* where the blob is: borrowed spool, or a file of its own ... */
	bool own_fd;      /* ... which is closed with the layer */
	uint64_t offset;
} ociwp_tar_layer;

/* Blobs kept from earlier runs, by a key of everything that goes into them. Called from any thread. */
typedef struct ociwp_layer_cache {
	/* Fills in digest, diff_id, size and fd (its own); *found false: not there. */
	int (*find)(void *self, const uint8_t key[32], ociwp_tar_layer *layer, bool *found,
		    ociw_error **err);
	/* Offers a blob that was just made, readable from layer->fd. */
	int (*keep)(void *self, const uint8_t key[32], ociwp_tar_layer *layer, ociw_error **err);
	void *self;
} ociwp_layer_cache;

typedef struct ociwp_tar_settings {
	size_t threads;
	const char *temp_dir;
	uint64_t memory; /* plain bytes in memory at once, over all threads; 0: a default */
	const ociwp_layer_cache *cache; /* or NULL */
} ociwp_tar_settings;

/* Layers of more plain bytes than this are compressed in a stream. Part of what decides the bytes of
 * a blob: see docs/formats. */
#define OCIWP_TAR_WHOLE_MAX (12u << 20)

/* Makes all; @p spool (borrowed, at least as long-lived as the layers' use) takes the blobs. */
int ociwp_tar_layers_make(ociwp_tar_layer *layers, size_t count, int spool,
			  const ociwp_tar_settings *settings, const ociw_op *op, ociw_error **err);
/* Adds a made layer as a blob of @p media_type. */
int ociwp_tar_layer_add(const ociwp_tar_layer *layer, const char *media_type, ociwp_memory *memory,
			ociw_descriptor **out, ociw_error **err);
void ociwp_tar_layers_deinit(ociwp_tar_layer *layers, size_t count);

/* Compares full names without building them. */
int ociwp_tar_member_compare(const void *a, const void *b);

#endif
