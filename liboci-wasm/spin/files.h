/* SPDX-License-Identifier: Apache-2.0
 *
 * File patterns of a component to files (specs/spin.md 1.8): what Spin would copy, with a warning
 * where that is hardly what was meant, and a refusal where it leaves the app.
 */
#ifndef OCIW_SPIN_FILES_H
#define OCIW_SPIN_FILES_H

#include "spin/model.h"

/* Resolves `files` and `exclude_files` of @p from under @p root (absolute) into @p to: sorted by
 * path, each once. *total counts the files of all components against the limit. */
int ociwp_files_resolve(const ociwp_component *from, const char *root, ociwp_report *report,
                        uint64_t *total, ociwp_app_component *to, ociw_error **err);

#endif
