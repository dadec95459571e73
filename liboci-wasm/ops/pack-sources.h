/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the wasm of an app comes from: local paths, fetched sources (spin.md 1.3), composed
 * components (3.7). Fetched and composed files live in a workspace that pack removes at its end.
 */
#ifndef OCIW_OPS_PACK_SOURCES_H
#define OCIW_OPS_PACK_SOURCES_H

#include "ops/pack-private.h"
#include "spin/app.h"

/* A file we made: open as long as the workspace, removed with it unless it went into the cache. */
typedef struct ociwp_work_file {
	char *path;
	int fd;
	bool keep;
} ociwp_work_file;

typedef struct ociwp_workspace {
	char *dir; /* made when first needed */
	ociwp_work_file *files;
	size_t count;
} ociwp_workspace;

void ociwp_workspace_deinit(ociwp_workspace *workspace);

/* Fills in the wasm and dependency sources of @p draft from @p app, fetching what is remote. The
 * draft borrows from both app and workspace. */
int ociwp_pack_sources(const ociwp_pack *pack, const ociwp_app *app, ociwp_workspace *workspace,
                       ociwp_draft *draft, ociw_error **err);
/* Applies the policy for component dependencies (spin.md 3.7, issue rule 4): refuses, leaves them
 * as layers, or has them composed by the callback. Sources are set; afterwards some are new. */
int ociwp_pack_compose(const ociwp_pack *pack, const ociwp_app *app, ociwp_workspace *workspace,
                       ociwp_draft *draft, ociw_error **err);

#endif
