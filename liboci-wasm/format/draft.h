/* SPDX-License-Identifier: Apache-2.0
 *
 * An app about to become images: its lock, and for each component the sources of its wasm and
 * files. Made by ops/pack from spin.toml and by convert from other images; each format writes from
 * it.
 */
#ifndef OCIW_FORMAT_DRAFT_H
#define OCIW_FORMAT_DRAFT_H

#include "format/notes.h"
#include "format/tar-layer.h"
#include "oci/descriptor.h"
#include "spin/lock.h"

/* Index-parallel with lock->components. */
typedef struct ociwp_draft_component {
	const char *id; /* borrowed from the lock */
	char *dir;      /* "assets/<id>" */
	ociwp_source wasm;
	ociwp_source *dependencies; /* index-parallel with the lock's dependencies */
	size_t dependency_count;
	ociwp_source *triggers; /* of trigger dependencies: by role as in the lock, then in order */
	size_t trigger_count;
	ociwp_file *files; /* sorted by bytes of `path`, each once */
	size_t file_count;
} ociwp_draft_component;

typedef struct ociwp_draft {
	ociwp_lock *lock; /* borrowed; writers fill in contents and take them out again */
	ociwp_draft_component *components;
	size_t component_count;
	const ociwp_annotations *annotations; /* of the manifests; borrowed, sorted */
	const ociwp_notes *notes;             /* on config and layers; borrowed, or NULL */
	bool compat_spin;                     /* bytes as Spin writes them */
	bool no_entrypoint;
	bool no_diff_ids; /* no format of this draft has them */
	bool has_created;
	int64_t created;
	const char *temp_dir; /* or NULL */
	ociwp_memory *memory; /* borrowed; where blobs and manifests go */
	ociwp_spools spools;  /* of gzipped layers */
	size_t threads;
	const ociwp_layer_cache *cache; /* or NULL */
	const ociwp_layer_sink *sink;   /* or NULL */
	ociwp_tar_layer *bundles;       /* shared by the formats once they are made */
	size_t bundle_count;
	bool bundled;
} ociwp_draft;

/* Components with ids and "assets/<id>" from a lock; sources are still empty. */
int ociwp_draft_init(ociwp_draft *draft, ociwp_lock *lock, ociw_error **err);
void ociwp_draft_deinit(ociwp_draft *draft);

/* True when a part of @p path begins with ".wh.": a whiteout to whoever unpacks layers
 * (spin-node.md 3 rule 3). */
bool ociwp_draft_is_whiteout(const char *path);

/* Makes draft->bundles by the prefix tree of spin-node.md 3, once. */
int ociwp_draft_bundle(ociwp_draft *draft, const ociw_op *op, ociw_error **err);
/* The settings for layers made beside the bundles. */
ociwp_tar_settings ociwp_draft_tar_settings(const ociwp_draft *draft);

#endif
