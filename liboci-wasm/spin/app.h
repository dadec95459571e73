/* SPDX-License-Identifier: Apache-2.0
 *
 * From spin.toml to a locked app whose files are still local (specs/spin.md 1, 2.3): parse v1 or
 * v2, normalise, resolve file patterns. No content is read here: packing hashes what this names.
 */
#ifndef OCIW_SPIN_APP_H
#define OCIW_SPIN_APP_H

#include "base/pool.h"
#include "oci/source.h"
#include "spin/lock.h"
#include "spin/toml.h"

/* Where the bytes of a wasm come from. */
typedef struct ociwp_app_source {
	char *path;                         /* absolute path of a local file, or NULL */
	char *url, *digest;                 /* url form */
	char *registry, *package, *version; /* registry form; registry may be NULL */
	bool range;     /* `version` is a requirement such as ">=1.2", not a version */
	ociwp_place at; /* in the manifest; 0:0 when it is not there */
} ociwp_app_source;

typedef struct ociwp_app_component {
	const char *id; /* borrowed from lock->components[i] */
	ociwp_place at; /* in the manifest */
	ociwp_app_source source;
	ociwp_app_source *dependency_sources; /* index-parallel with lock dependencies */
	size_t dependency_count;
	ociwp_app_source *trigger_sources; /* of trigger_dependencies: by role as in the lock, then
	                                      in order */
	size_t trigger_source_count;
	ociwp_file *files; /* sorted by bytes of `path`, each path once (last definition wins);
	                      their sources are absolute local paths, looked at by the walk */
	size_t file_count;
	ociwp_pool names; /* of files, also when somebody took them over */
} ociwp_app_component;

/* A loaded app. `lock` is complete but for the digests, sizes and inline bytes of sources and
 * files, which pack fills in (its components have no files yet); components are index-parallel. */
typedef struct ociwp_app {
	char *manifest_path; /* absolute */
	char *shown; /* the same as it was given, for messages; NULL when there was only text */
	char *root;          /* its folder */
	ociwp_lock *lock;
	json_t *annotations; /* that the manifest has for the image: key -> string, or NULL */
	ociwp_place *trigger_places; /* index-parallel with lock->triggers */
	ociwp_app_component *components;
	size_t component_count;
} ociwp_app;

enum ociwp_app_flags {
	OCIWP_APP_COMPAT_SPIN = 1 << 0,   /* accept what Spin accepts (7.3 item 2) */
	OCIWP_APP_ALLOW_OUTSIDE = 1 << 1, /* `..` and symlinks may leave the root */
	OCIWP_APP_QUIET_TRAPS = 1 << 2,
	OCIWP_APP_WERROR = 1 << 3,
	OCIWP_APP_NO_FILES = 1 << 4 /* do not resolve file patterns (spin lock --no-files) */
};

/* The files of a component, for who fills them in; their names stay as long as the app. */
ociwp_file *ociwp_app_steal_files(ociwp_app_component *component, size_t *count);

/* @p path: spin.toml, or a folder (spin.toml in it). Warnings go through op. Errors name file,
 * line, column, component and rule. */
int ociwp_app_load(const char *path, const char *profile, unsigned flags, const ociw_op *op,
                   ociwp_app **out, ociw_error **err);
void ociwp_app_free(ociwp_app *app);
OCIWP_DEFINE_AUTO(app, ociwp_app *, ociwp_app_free)

#endif
