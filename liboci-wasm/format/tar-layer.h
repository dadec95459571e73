/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers that are gzipped tars (spin-node.md 3): made in parallel, each from its members alone, so
 * that the same members give the same blob on any machine. The blobs go to spools.
 */
#ifndef OCIW_FORMAT_TAR_LAYER_H
#define OCIW_FORMAT_TAR_LAYER_H

#include "format/source.h"

/* A file of a layer: its name is dir + "/" + path, or just path. */
typedef struct ociwp_tar_member {
	const char *dir;            /* borrowed, or NULL */
	const char *path;           /* borrowed */
	const ociwp_source *source; /* borrowed, known */
} ociwp_tar_member;

typedef struct ociwp_tar_layer {
	ociwp_tar_member *members; /* sorted by the bytes of their names; owned */
	size_t member_count;
	uint64_t plain; /* bytes of all members */
	/* what making it sets */
	ociw_digest digest, diff_id; /* the latter empty where it is not wanted */
	uint64_t size;
	int fd;      /* where the blob is: a borrowed spool, or a file of its own ... */
	bool own_fd; /* ... which is closed with the layer */
	uint64_t offset;
} ociwp_tar_layer;

/* Blobs kept from earlier runs, by a key of everything that goes into them. Called from any thread.
 */
typedef struct ociwp_layer_cache {
	/* Fills in digest, diff_id, size and fd (its own); *found false: not there, or @p diff_id is
	 * wanted and not known. */
	int (*find)(void *self, const uint8_t key[32], bool diff_id, ociwp_tar_layer *layer, bool *found,
	            ociw_error **err);
	/* Offers a blob that was just made, readable from layer->fd. */
	int (*keep)(void *self, const uint8_t key[32], ociwp_tar_layer *layer, ociw_error **err);
	void *self;
} ociwp_layer_cache;

/* Whoever wants each layer as soon as it is made. */
typedef struct ociwp_layer_sink {
	int (*made)(void *self, const ociwp_tar_layer *layer, ociw_error **err); /* any thread */
	int (*turn)(void *self, ociw_error **err); /* now and then, on the calling thread */
	void *self;
} ociwp_layer_sink;

typedef struct ociwp_tar_settings {
	size_t threads;
	bool no_diff_ids; /* nobody wants them: a hash less */
	const char *temp_dir;
	const ociwp_layer_cache *cache; /* or NULL */
	const ociwp_layer_sink *sink;   /* or NULL */
} ociwp_tar_settings;

/* Threads that make layers at most: each takes some 2 MiB. */
#define OCIWP_TAR_THREADS_MAX 16

/* Temporary files that blobs are appended to, one for each thread; all zero: none yet. */
typedef struct ociwp_spools {
	int fds[OCIWP_TAR_THREADS_MAX];
	size_t count;
} ociwp_spools;
void ociwp_spools_deinit(ociwp_spools *spools);

/* Makes all, in parallel; the blobs go to @p spools, which live as long as the layers are used. */
int ociwp_tar_layers_make(ociwp_tar_layer *layers, size_t count, ociwp_spools *spools,
                          const ociwp_tar_settings *settings, const ociw_op *op, ociw_error **err);
/* Adds a made layer as a blob of @p media_type. */
int ociwp_tar_layer_add(const ociwp_tar_layer *layer, const char *media_type, ociwp_memory *memory,
                        ociw_descriptor **out, ociw_error **err);
void ociwp_tar_layers_deinit(ociwp_tar_layer *layers, size_t count);

/* Compares full names without building them. */
int ociwp_tar_member_compare(const void *a, const void *b);

#endif
