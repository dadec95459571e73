/* SPDX-License-Identifier: Apache-2.0
 *
 * spin.toml from text to lock, file patterns left alone. What loads is written as JSON that reads
 * back.
 */
#include "base/buf.h"
#include "codec/json.h"
#include "io/stream.h"
#include "spin/app-load.h"

static int ignore(void *user_data, ociwp_severity severity, const ociwp_where *where,
                  const char *message, ociw_error **err)
{
	(void)user_data;
	(void)severity;
	(void)where;
	(void)message;
	(void)err;
	return 0;
}

static void load(ociw_span text, unsigned flags, const char *profile)
{
	ociwp_report report = {
	        .file = "spin.toml", .flags = flags | OCIWP_APP_NO_FILES, .cb = ignore};
	OCIWP_AUTO(app) ociwp_app *app = NULL;
	OCIWP_AUTO(buf) ociwp_buf lock = OCIWP_BUF_INIT;
	OCIWP_AUTO(json) json_t *json = NULL;
	ociw_writer *writer = NULL;
	ociw_error *err = NULL;
	ociwp_limits_get(NULL, &report.limits);
	if (ociwp_app_load_text(text, "/nowhere/spin.toml", profile, &report, &app, &err) < 0) {
		if (!err || !*ociw_error_message(err))
			__builtin_trap();
		ociw_error_free(err);
		return;
	}
	if (ociwp_writer_new_buf(&lock, 1 << 26, &writer, NULL) < 0)
		return;
	if (ociwp_lock_write(app->lock, false, writer, NULL) < 0 ||
	    ociw_writer_commit(writer, NULL) < 0 ||
	    ociwp_json_parse(ociwp_buf_span(&lock), "lock", 200, &json, NULL) < 0)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	load((ociw_span){data, size}, 0, NULL);
	load((ociw_span){data, size}, OCIWP_APP_COMPAT_SPIN, "debug");
	return 0;
}
