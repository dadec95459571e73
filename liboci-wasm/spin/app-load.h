/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading an app with one's own listener for findings, or from text: for spin check, tests,
 * fuzzing.
 */
#ifndef OCIW_SPIN_APP_LOAD_H
#define OCIW_SPIN_APP_LOAD_H

#include "spin/app.h"
#include "spin/report.h"

/* As ociwp_app_load(); `file` of @p report is set for the time of the call. */
int ociwp_app_load_report(const char *path, const char *profile, ociwp_report *report,
                          ociwp_app **out, ociw_error **err);
/* The text of a manifest that would stand at @p manifest_path (absolute). `file` is set before. */
int ociwp_app_load_text(ociw_span text, const char *manifest_path, const char *profile,
                        ociwp_report *report, ociwp_app **out, ociw_error **err);

#endif
