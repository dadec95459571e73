/* SPDX-License-Identifier: Apache-2.0
 *
 * Renders findings of the manifest loader and passes them on. Knows no manifest.
 */
#include "spin/report.h"
#include "base/buf.h"
#include "base/str.h"
#include "spin/app.h"

#include <stdarg.h>

static void put_place(ociwp_buf *out, const ociwp_report *report, const ociwp_where *where)
{
	ociwp_escape(out, report->file, strlen(report->file));
	if (where->at.line)
		ociwp_buf_printf(out, ":%u:%u", where->at.line, where->at.column);
	ociwp_buf_puts(out, ": ");
	if (where->component)
		ociwp_buf_printf(out, "component %s: ", ociwp_quote(where->component));
}

/* Text of the message alone; NULL without memory. */
static OCIW_PRINTF(1, 0) char *render(const char *fmt, va_list args)
{
	char *text = NULL;
	return vasprintf(&text, fmt, args) < 0 ? NULL : text;
}

static int tell(ociwp_report *report, ociwp_severity severity, const ociwp_where *where,
                const char *message, ociw_error **err)
{
	if (report->cb)
		return report->cb(report->user_data, severity, where, message, err);
	OCIWP_AUTO(buf) ociwp_buf line = OCIWP_BUF_INIT;
	put_place(&line, report, where);
	if (ociwp_buf_check(&line, err) < 0)
		return OCIW_ERR_NOMEM;
	return ociwp_warn(report->op, err, "%s%s [%s]", line.data, message, where->rule);
}

static int fail(ociwp_report *report, const ociwp_where *where, ociw_code code, const char *message,
                ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf line = OCIWP_BUF_INIT;
	put_place(&line, report, where);
	if (ociwp_buf_check(&line, err) < 0)
		return OCIW_ERR_NOMEM;
	if (report->cb) {
		int r = report->cb(report->user_data, OCIWP_SEVERITY_ERROR, where, message, err);
		if (r < 0)
			return r;
		report->error_reported = true;
	}
	return ociwp_fail(err, code, "%s%s [%s]", line.data, message, where->rule);
}

int ociwp_report_fail(ociwp_report *report, ociwp_where where, ociw_code code, ociw_error **err,
                      const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	OCIWP_AUTO(str) char *message = render(fmt, args);
	va_end(args);
	return message ? fail(report, &where, code, message, err) : ociwp_nomem(err);
}

static int warn(ociwp_report *report, const ociwp_where *where, const char *message,
                ociw_error **err)
{
	if (!message)
		return ociwp_nomem(err);
	if (report->flags & OCIWP_APP_WERROR)
		return fail(report, where, OCIW_ERR_INVALID, message, err);
	return tell(report, OCIWP_SEVERITY_WARNING, where, message, err);
}

int ociwp_report_warn(ociwp_report *report, ociwp_where where, ociw_error **err, const char *fmt,
                      ...)
{
	va_list args;
	va_start(args, fmt);
	OCIWP_AUTO(str) char *message = render(fmt, args);
	va_end(args);
	return warn(report, &where, message, err);
}

int ociwp_report_trap(ociwp_report *report, ociwp_where where, ociw_error **err, const char *fmt,
                      ...)
{
	if (report->flags & OCIWP_APP_QUIET_TRAPS)
		return 0;
	va_list args;
	va_start(args, fmt);
	OCIWP_AUTO(str) char *message = render(fmt, args);
	va_end(args);
	return warn(report, &where, message, err);
}
