/* SPDX-License-Identifier: Apache-2.0
 *
 * The locked app (specs/spin.md 2): read strictly from bytes, written as a stream. Reader and
 * writer meet in this model; what the model does not know is kept as JSON.
 */
#ifndef OCIW_SPIN_LOCK_H
#define OCIW_SPIN_LOCK_H

#include "codec/json-writer.h"
#include "codec/json.h"
#include "oci/content.h"

/* Content reference (2.1): any of the three. */
typedef struct ociwp_lock_ref {
	char *source; /* URL, or NULL */
	char *digest; /* "sha256:..." checked when read, or NULL */
	void *bytes;  /* decoded inline, or NULL (an empty inline is a non-NULL pointer) */
	size_t bytes_len;
} ociwp_lock_ref;

typedef struct ociwp_lock_file {
	ociwp_lock_ref content;
	char *path; /* checked when read: relative normal components only */
} ociwp_lock_file;

typedef struct ociwp_lock_dependency {
	char *name;
	char *content_type;
	ociwp_lock_ref content;
	char *export_name; /* or NULL */
	json_t *inherit;   /* "All", {"Some":[...]}, or NULL */
} ociwp_lock_dependency;

typedef struct ociwp_lock_component {
	char *id;         /* checked when read: one normal path component */
	json_t *metadata; /* object or NULL; same for the other json_t below */
	char *content_type;
	ociwp_lock_ref source;
	json_t *env;
	ociwp_lock_file *files;
	size_t file_count;
	bool has_files; /* the key is there, even when empty */
	json_t *config;
	ociwp_lock_dependency *dependencies; /* in the order of 2.1 */
	size_t dependency_count;
	json_t *trigger_dependencies;
	json_t *host_requirements;
} ociwp_lock_component;

typedef struct ociwp_lock {
	int64_t version;         /* spin_lock_version */
	json_t *must_understand; /* array or NULL */
	json_t *metadata;
	json_t *host_requirements;
	json_t *variables;
	json_t *triggers; /* array of objects, keys in Spin's order */
	ociwp_lock_component *components;
	size_t component_count;
} ociwp_lock;

/* Parses and validates (2.2, and the safety rules of 7.3 item 5): ids, digests, paths, padded or
 * unpadded inline. FORMAT, UNSUPPORTED (host requirements), UNSAFE, LIMIT. */
int ociwp_lock_parse(ociw_span json, const ociw_op *op, ociwp_lock **out, ociw_error **err);
void ociwp_lock_free(ociwp_lock *lock);
OCIWP_DEFINE_AUTO(lock, ociwp_lock *, ociwp_lock_free)

/* Parts, for those who build or change a lock. */
void ociwp_lock_dependency_deinit(ociwp_lock_dependency *dependency);
void ociwp_lock_component_deinit(ociwp_lock_component *component);
void ociwp_lock_files_free(ociwp_lock_file *files, size_t count);

/* A writer that indents compact JSON by two spaces, as serde_json does. Takes @p inner; commit
 * commits it. */
int ociwp_writer_pretty_json(ociw_writer *take_inner, ociw_writer **out, ociw_error **err);

/* Compact, in Spin's order and escapes, without a final newline (2.1); streams. @p pretty: 2 spaces
 * as Spin's local files. */
int ociwp_lock_write(const ociwp_lock *lock, bool pretty, ociw_writer *to, ociw_error **err);

/* Files that are not in the lock but come from elsewhere, one by one while it is written. */
typedef struct ociwp_lock_feed {
	size_t (*count)(void *context, size_t component);
	/* In order; what *out points to lasts until the next call. */
	void (*file)(void *context, size_t component, size_t index, ociwp_lock_file *out);
	void *context;
} ociwp_lock_feed;

/* Compact; the files are those of @p feed, not the lock's. */
int ociwp_lock_write_fed(const ociwp_lock *lock, const ociwp_lock_feed *feed, ociw_writer *to,
                         ociw_error **err);

#endif
