/* SPDX-License-Identifier: Apache-2.0
 *
 * From a normalised manifest to the lock (specs/spin.md 2.3), in three steps.
 */
#ifndef OCIW_SPIN_LOCK_BUILD_H
#define OCIW_SPIN_LOCK_BUILD_H

#include "spin/model.h"

/* Metadata, variables and triggers. */
int ociwp_lock_build_app(const ociwp_spin_manifest *manifest, const char *profile, ociwp_lock *lock,
                         ociw_error **err);
/* Component @p index of both halves of @p app, but for its files. Checks its hosts. */
int ociwp_lock_build_component(const ociwp_spin_manifest *manifest,
                               const ociwp_component *component, ociwp_app *app, size_t index,
                               ociwp_report *report, ociw_error **err);
/* `must_understand`, once all components are there. */
int ociwp_lock_build_end(ociwp_lock *lock, ociw_error **err);

/* "file://" URL of an absolute path; NULL without memory. */
char *ociwp_file_url(const char *path);

#endif
