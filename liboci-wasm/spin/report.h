/* SPDX-License-Identifier: Apache-2.0
 *
 * What the loader of manifests has to say: errors and warnings that name file, line, column,
 * component and rule, in one line. Rules have short fixed names; docs/formats/spin-manifest.md
 * lists them.
 */
#ifndef OCIW_SPIN_REPORT_H
#define OCIW_SPIN_REPORT_H

#include "base/op.h"
#include "spin/toml.h"

typedef enum ociwp_severity {
	OCIWP_SEVERITY_ERROR = 1,
	OCIWP_SEVERITY_WARNING = 2,
	OCIWP_SEVERITY_NOTE = 3
} ociwp_severity;

/* Where something is: a place (0:0 for none), a component id or NULL, and the broken rule. */
typedef struct ociwp_where {
	ociwp_place at;
	const char *component;
	const char *rule;
} ociwp_where;

/* Gets each finding instead of op's events; a negative result ends the load. */
typedef int (*ociwp_report_cb)(void *user_data, ociwp_severity severity, const ociwp_where *where,
                               const char *message, ociw_error **err);

/* Work for a core that the walk of an app's folders leaves idle. Needs the app's folder alone, which is
 * known by then; any thread. */
typedef struct ociwp_beside {
	int (*work)(void *context, const char *root, ociw_error **err);
	void *context;
} ociwp_beside;

typedef struct ociwp_report {
	const char *file; /* as the messages show it */
	unsigned flags;   /* enum ociwp_app_flags */
	const ociw_op *op;
	ociw_limits limits;
	ociwp_report_cb cb; /* NULL: warnings go to op, errors only to err */
	void *user_data;
	bool error_reported; /* cb got the error that is being returned */
	const ociwp_beside *beside; /* or NULL; done once, unless the load fails before its files or has no components */
} ociwp_report;

/* Makes the error "FILE:LINE:COLUMN: component "ID": MESSAGE [RULE]"; returns @p code. */
int ociwp_report_fail(ociwp_report *report, ociwp_where where, ociw_code code, ociw_error **err,
                      const char *fmt, ...) OCIW_PRINTF(5, 6);
/* The same as a warning: 0, or an error when warnings are errors or the listener stops. */
int ociwp_report_warn(ociwp_report *report, ociwp_where where, ociw_error **err, const char *fmt,
                      ...) OCIW_PRINTF(4, 5);
/* A warning about a pattern that surprises (7.3 item 3): silent under OCIWP_APP_QUIET_TRAPS. */
int ociwp_report_trap(ociwp_report *report, ociwp_where where, ociw_error **err, const char *fmt,
                      ...) OCIW_PRINTF(4, 5);

#endif
