/* SPDX-License-Identifier: Apache-2.0
 *
 * What inspect has found, as one JSON value: the stable output, and what the tree for people is drawn
 * from. Running out of memory is sticky, so that values are put without a check of each.
 */
#ifndef OCIW_OPS_INSPECT_MODEL_H
#define OCIW_OPS_INSPECT_MODEL_H

#include "oci/manifest.h"
#include "spin/lock.h"
#include <oci-wasm/inspect.h>

typedef struct ociwp_inspect {
	ociw_content *content;
	const ociw_op *op;
	ociw_limits limits;
	ociw_format format;
	json_t *root;     /* the findings */
	json_t *warnings; /* borrowed from root */
	bool nomem;
} ociwp_inspect;

int ociwp_inspect_init(ociwp_inspect *i, ociw_content *content, const ociw_op *op,
		       ociw_error **err);
void ociwp_inspect_deinit(ociwp_inspect *i);

/* Puts a new value, which is taken; nothing at all for a NULL text. */
void ociwp_inspect_put(ociwp_inspect *i, json_t *object, const char *name, json_t *take_value);
void ociwp_inspect_put_text(ociwp_inspect *i, json_t *object, const char *name, const char *text);
void ociwp_inspect_put_size(ociwp_inspect *i, json_t *object, const char *name, uint64_t size);
/* A copy of a JSON value; nothing for NULL, null, and an empty object or array. */
void ociwp_inspect_put_copy(ociwp_inspect *i, json_t *object, const char *name, const json_t *value);
/* A NULL-terminated list as an array; nothing for NULL. */
void ociwp_inspect_put_list(ociwp_inspect *i, json_t *object, const char *name, char *const *list);
void ociwp_inspect_put_annotations(ociwp_inspect *i, json_t *object, const char *name,
				   const ociwp_annotations *annotations);
/* New empty values, borrowed; NULL without memory, which every function here takes as a parent. */
json_t *ociwp_inspect_object(ociwp_inspect *i, json_t *parent, const char *name);
json_t *ociwp_inspect_array(ociwp_inspect *i, json_t *parent, const char *name);
json_t *ociwp_inspect_append(ociwp_inspect *i, json_t *array);
/* mediaType, digest, size, and what else a descriptor has. */
void ociwp_inspect_put_descriptor(ociwp_inspect *i, json_t *object, const ociw_descriptor *desc);
/* A trap that a person should know. Text from outside needs no escape here: printing does it. */
void ociwp_inspect_warn(ociwp_inspect *i, const char *fmt, ...) OCIW_PRINTF(2, 3);

/* The parts (one file each): the app of a lock; traps of the whole; the tree for people. */
void ociwp_inspect_app(ociwp_inspect *i, const ociwp_lock *lock, const ociwp_manifest *manifest);
void ociwp_inspect_traps(ociwp_inspect *i, const ociwp_manifest *manifest,
			 const ociwp_config *config);
int ociwp_inspect_text(const json_t *root, struct ociwp_buf *out, ociw_error **err);

#endif
