/* SPDX-License-Identifier: Apache-2.0
 *
 * ociw_spin_check(): findings about a manifest, and about what the Spin shim of containerd would
 * make of the app (specs/spin.md 5, spin-node.md 1). Judges; changes nothing.
 */
#include "base/buf.h"
#include "base/op.h"
#include "base/str.h"
#include "codec/wasm-binary.h"
#include "spin/app-load.h"
#include <oci-wasm/spin.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the shim copies at each start without anybody noticing: below this, nothing is said. */
#define QUIET_FILES 100
#define QUIET_BYTES (8 * 1024 * 1024)

typedef struct checker {
	ociw_spin_finding_cb callback;
	void *user_data;
	const char *path; /* as messages name it */
	const ociwp_report *report;
	bool werror; /* warnings are errors */
	int errors;
} checker;

static int deliver(checker *c, ociwp_severity severity, const char *file, const ociwp_where *where,
                   const char *message, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf line = OCIWP_BUF_INIT;
	ociwp_escape(&line, message, strlen(message));
	if (ociwp_buf_check(&line, err) < 0)
		return OCIW_ERR_NOMEM;
	if (c->werror && severity == OCIWP_SEVERITY_WARNING)
		severity = OCIWP_SEVERITY_ERROR;
	ociw_spin_finding finding = {.size = sizeof(finding),
	                             .severity = severity,
	                             .line = where->at.line,
	                             .column = where->at.column,
	                             .file = file,
	                             .component = where->component,
	                             .rule = where->rule,
	                             .message = line.data ? line.data : ""};
	c->errors += severity == OCIWP_SEVERITY_ERROR;
	if (c->callback && c->callback(&finding, c->user_data) != 0)
		return ociwp_fail(err, OCIW_ERR_CANCELLED, "stopped by the caller");
	return 0;
}

static int on_report(void *user_data, ociwp_severity severity, const ociwp_where *where,
                     const char *message, ociw_error **err)
{
	checker *c = user_data;
	return deliver(c, severity, c->report->file, where, message, err);
}

static int OCIW_PRINTF(5, 6) find(checker *c, ociwp_severity severity, ociwp_where where,
                                  ociw_error **err, const char *fmt, ...)
{
	OCIWP_AUTO(str) char *message = NULL;
	va_list args;
	va_start(args, fmt);
	int n = vasprintf(&message, fmt, args);
	va_end(args);
	if (n < 0) {
		message = NULL;
		return ociwp_nomem(err);
	}
	return deliver(c, severity, c->path, &where, message, err);
}

static bool is_known_trigger(const char *type)
{
	static const char *const known[] = {"http", "redis", "mqtt", "sqs", "command"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(known); i++)
		if (ociwp_streq(type, known[i]))
			return true;
	return false;
}

/* What the http trigger wants of its entries, and says at run time only (1.3). */
static int check_http(checker *c, const json_t *trigger, ociwp_place at, ociw_error **err)
{
	const char *id = json_string_value(json_object_get(trigger, "id"));
	const json_t *config = json_object_get(trigger, "trigger_config");
	const json_t *route = json_object_get(config, "route");
	const char *text = json_string_value(route);
	bool component = json_object_get(config, "component") != NULL;
	bool fixed = json_object_get(config, "static_response") != NULL;
	if (!(text && text[0] == '/') && !json_is_true(json_object_get(route, "private")))
		return find(
		        c, OCIWP_SEVERITY_ERROR, (ociwp_where){at, NULL, "http-route"}, err,
		        "trigger %s: `route` %s: it is text that begins with '/', or { private = "
		        "true }",
		        ociwp_quote(id), route ? "is of no use" : "is not there");
	if (component == fixed)
		return find(c, OCIWP_SEVERITY_ERROR, (ociwp_where){at, NULL, "http-handler"}, err,
		            "trigger %s must have either a component or a static_response, and has "
		            "%s",
		            ociwp_quote(id), component ? "both" : "neither");
	return 0;
}

static int check_trigger(checker *c, const json_t *trigger, ociwp_place at, ociw_error **err)
{
	const char *type = json_string_value(json_object_get(trigger, "trigger_type"));
	const char *id = json_string_value(json_object_get(trigger, "id"));
	if (!is_known_trigger(type))
		return find(c, OCIWP_SEVERITY_WARNING, (ociwp_where){at, NULL, "shim-trigger"}, err,
		            "trigger %s has the type %s, which the Spin shim refuses at start: it "
		            "knows http, redis, mqtt, sqs and command",
		            ociwp_quote(id), ociwp_quote(type));
	if (ociwp_streq(type, "http"))
		return check_http(c, trigger, at, err);
	if (ociwp_streq(type, "redis") &&
	    !json_is_string(json_object_get(json_object_get(trigger, "trigger_config"), "channel")))
		return find(c, OCIWP_SEVERITY_ERROR, (ociwp_where){at, NULL, "redis-channel"}, err,
		            "trigger %s has no `channel`", ociwp_quote(id));
	return 0;
}

static bool is_used(const ociwp_app *app, const char *id)
{
	for (size_t i = 0; i < json_array_size(app->lock->triggers); i++) {
		const json_t *config =
		        json_object_get(json_array_get(app->lock->triggers, i), "trigger_config");
		if (ociwp_streq(json_string_value(json_object_get(config, "component")), id))
			return true;
	}
	return false;
}

/* What the first bytes of a file say; its whole is judged when it is packed. */
static int check_head(checker *c, ociwp_where where, const char *what, const char *path, int fd,
                      ociw_error **err)
{
	char head[64];
	ssize_t len = pread(fd, head, sizeof(head), 0);
	where.rule = "source-wasm";
	switch (ociwp_wasm_sniff(head, len > 0 ? (size_t)len : 0)) {
	case OCIWP_WASM_MODULE:
	case OCIWP_WASM_COMPONENT:
	case OCIWP_WASM_PACKAGE:
		return 0;
	case OCIWP_WASM_NATIVE:
		return find(c, OCIWP_SEVERITY_ERROR, where, err,
		            "%s %s is native or precompiled code: give the wasm binary it was "
		            "compiled from",
		            what, ociwp_quote(path));
	case OCIWP_WASM_TEXT:
		return find(c, OCIWP_SEVERITY_ERROR, where, err,
		            "%s %s is wasm text: convert it first, such as with wasm-tools parse "
		            "FILE -o FILE.wasm",
		            what, ociwp_quote(path));
	case OCIWP_WASM_NONE:
		break;
	}
	return find(c, OCIWP_SEVERITY_ERROR, where, err, "%s %s is no wasm binary", what,
	            ociwp_quote(path));
}

static int check_source(checker *c, const char *component, const char *what,
                        const ociwp_app_source *source, ociw_error **err)
{
	struct stat st;
	ociwp_where where = {source->at, component, "source-missing"};
	if (!source->path)
		return 0;
	OCIWP_AUTO(fd) int fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int errnum = fd < 0 ? errno : 0;
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return check_head(c, where, what, source->path, fd, err);
	if (errnum && errnum != ENOENT && errnum != ENOTDIR)
		return find(c, OCIWP_SEVERITY_ERROR, where, err, "%s %s cannot be opened: %s", what,
		            ociwp_quote(source->path), strerrordesc_np(errnum));
	return find(c, OCIWP_SEVERITY_ERROR, where, err, "%s %s is %s: build the app first", what,
	            ociwp_quote(source->path), fd < 0 ? "not there" : "not a file");
}

static int check_requirements(checker *c, const ociwp_app_component *component,
                              const ociwp_lock_component *locked, ociw_error **err)
{
	size_t count = locked->dependency_count;
	if (count) {
		int r = find(
		        c, OCIWP_SEVERITY_WARNING,
		        (ociwp_where){component->at, locked->id, "dependencies"}, err,
		        "has %zu %s, which the Spin shim ignores: compose them into it when the "
		        "app is packed (--compose=wac)",
		        count, count == 1 ? "dependency" : "dependencies");
		if (r < 0)
			return r;
	}
	if (json_object_get(locked->host_requirements, "middleware"))
		return find(c, OCIWP_SEVERITY_WARNING,
		            (ociwp_where){component->at, locked->id, "shim-middleware"}, err,
		            "needs the host feature \"middleware\", which Spin up to 4.0 and the "
		            "shim refuse");
	return 0;
}

/* 7.1, 5.3: the shim copies every file into the container at each start. */
static int check_start(checker *c, const ociwp_app_component *component, ociw_error **err)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < component->file_count; i++)
		if (!ociwp_add_ok(bytes, component->files[i].source.size, &bytes))
			bytes = UINT64_MAX;
	if (component->file_count <= QUIET_FILES && bytes <= QUIET_BYTES)
		return 0;
	return find(c, OCIWP_SEVERITY_NOTE,
	            (ociwp_where){component->at, component->id, "start-cost"}, err,
	            "the Spin shim copies its %zu files, %llu bytes, at each start of the \"spin\" "
	            "artifact; the format \"spin-node\" mounts them instead",
	            component->file_count, (unsigned long long)bytes);
}

static int check_component(checker *c, const ociwp_app *app, size_t i, ociw_error **err)
{
	const ociwp_app_component *component = &app->components[i];
	const ociwp_lock_component *locked = &app->lock->components[i];
	int r = check_source(c, locked->id, "source", &component->source, err);
	for (size_t k = 0; r == 0 && k < locked->dependency_count; k++)
		r = check_source(c, locked->id, "dependency", &component->dependency_sources[k],
		                 err);
	for (size_t k = 0; r == 0 && k < component->trigger_source_count; k++)
		r = check_source(c, locked->id, "trigger dependency",
		                 &component->trigger_sources[k], err);
	if (r == 0 && !is_used(app, locked->id))
		r = find(c, OCIWP_SEVERITY_WARNING,
		         (ociwp_where){component->at, locked->id, "unused-component"}, err,
		         "no trigger names it, and it is packed all the same");
	if (r < 0 || (r = check_requirements(c, component, locked, err)) < 0)
		return r;
	return check_start(c, component, err);
}

static int check_app(checker *c, const ociwp_app *app, ociw_error **err)
{
	int r = 0;
	size_t triggers = json_array_size(app->lock->triggers);
	if (triggers == 0)
		r = find(c, OCIWP_SEVERITY_WARNING, (ociwp_where){{0, 0}, NULL, "no-triggers"}, err,
		         "the app has no triggers: it does nothing");
	for (size_t i = 0; r == 0 && i < triggers; i++)
		r = check_trigger(c, json_array_get(app->lock->triggers, i), app->trigger_places[i],
		                  err);
	for (size_t i = 0; r == 0 && i < app->component_count; i++)
		r = check_component(c, app, i, err);
	return r;
}

/* Errors that are about the app, and not about the machine, are findings. */
static bool is_finding(int code)
{
	return code == OCIW_ERR_FORMAT || code == OCIW_ERR_UNSAFE || code == OCIW_ERR_LIMIT ||
	       code == OCIW_ERR_INVALID || code == OCIW_ERR_UNSUPPORTED;
}

int ociw_spin_check(const char *path, const ociw_spin_options *options,
                    ociw_spin_finding_cb callback, void *user_data, ociw_error **err)
{
	ociw_spin_options o;
	int r = ociwp_options_read(&o, sizeof(o), options, err);
	if (r < 0)
		return r;
	checker c = {.callback = callback, .user_data = user_data, .path = path};
	/* All warnings are wanted, not the first alone. */
	c.werror = o.flags & OCIW_SPIN_WERROR;
	o.flags &= ~(uint32_t)OCIW_SPIN_WERROR;
	ociwp_report report = {.flags = o.flags, .op = o.op, .cb = on_report, .user_data = &c};
	OCIWP_AUTO(app) ociwp_app *app = NULL;
	ociw_error *why = NULL;
	ociwp_limits_get(o.op, &report.limits);
	c.report = &report;
	r = ociwp_app_load_report(path, o.profile, &report, &app, &why);
	if (r == 0) {
		c.path = app->shown;
		r = check_app(&c, app, &why);
	} else if (r != OCIW_ERR_CANCELLED && !report.error_reported && is_finding(r)) {
		ociw_error *stopped = NULL;
		int said = find(&c, OCIWP_SEVERITY_ERROR, (ociwp_where){{0, 0}, NULL, "manifest"},
		                &stopped, "%s", ociw_error_message(why));
		if (said < 0) {
			ociw_error_free(why);
			return ociwp_error_move(err, stopped);
		}
		report.error_reported = true;
	}
	if (r == OCIW_ERR_NOMEM || (r < 0 && !report.error_reported))
		return ociwp_error_move(err, why);
	ociw_error_free(why);
	return c.errors;
}
