/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the wasm of an app comes from: local paths and fetched sources (spin.md 1.3). What is
 * fetched or composed lives in a workspace that pack removes at its end.
 */
#ifndef OCIW_OPS_PACK_SOURCES_H
#define OCIW_OPS_PACK_SOURCES_H

#include "io/workdir.h"
#include "ops/pack-private.h"
#include "spin/app.h"

/* A file in the workspace, or in the cache: then it stays. Open as long as the workspace. */
typedef struct ociwp_work_file {
	char *path;
	int fd;
} ociwp_work_file;

typedef struct ociwp_workspace {
	char *dir; /* made when first needed */
	ociwp_workdir folder;
	ociwp_work_file *files;
	size_t count;
} ociwp_workspace;

void ociwp_workspace_deinit(ociwp_workspace *workspace);
/* A slot with a path of its own that ends in @p suffix; the file is not there yet. The pointer is
 * good until the next slot. */
int ociwp_workspace_slot(ociwp_workspace *workspace, const char *temp_dir, const char *suffix,
                         ociwp_work_file **out, ociw_error **err);
/* Where the file of a source is; NULL for sources that are no whole file. */
const char *ociwp_workspace_path(const ociwp_workspace *workspace, const ociwp_source *source);

/* Fills in the wasm and dependency sources of @p draft from @p app, fetching what is remote. The
 * draft borrows from both app and workspace. */
int ociwp_pack_sources(const ociwp_pack *pack, const ociwp_app *app, ociwp_workspace *workspace,
                       ociwp_draft *draft, ociw_error **err);

/* "spin.toml:8:10: component "a": wasm source" in front of an error @p r, as the loader of manifests has
 * it; 0 when it is none. */
int ociwp_pack_in_manifest(const ociwp_app *app, ociwp_place at, const char *id, const char *what,
                           int r, ociw_error **err);

#endif
