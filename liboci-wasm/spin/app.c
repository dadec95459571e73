/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads an app: reads spin.toml, runs the steps of specs/spin.md 1 and 2.3 in order, and builds the
 * lock with everything that needs no content. Opens no wasm and no static file.
 */
#include "spin/app.h"
#include "base/buf.h"
#include "base/path.h"
#include "base/str.h"
#include "io/parallel.h"
#include "io/stream.h"
#include "spin/app-load.h"
#include "spin/files.h"
#include "spin/hosts.h"
#include "spin/lock-build.h"
#include "spin/trigger-deps.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void files_deinit(ociwp_app_component *component)
{
	free(component->files);
	component->files = NULL;
	component->file_count = 0;
	ociwp_pool_deinit(&component->names);
}

static void app_component_deinit(ociwp_app_component *component)
{
	ociwp_app_source_deinit(&component->source);
	for (size_t i = 0; i < component->dependency_count; i++)
		ociwp_app_source_deinit(&component->dependency_sources[i]);
	free(component->dependency_sources);
	for (size_t i = 0; i < component->trigger_source_count; i++)
		ociwp_app_source_deinit(&component->trigger_sources[i]);
	free(component->trigger_sources);
	files_deinit(component);
}

ociwp_file *ociwp_app_steal_files(ociwp_app_component *component, size_t *count)
{
	*count = component->file_count;
	component->file_count = 0;
	return ociwp_steal(&component->files);
}

void ociwp_app_free(ociwp_app *app)
{
	if (!app)
		return;
	for (size_t i = 0; i < app->component_count; i++)
		app_component_deinit(&app->components[i]);
	free(app->components);
	free(app->trigger_places);
	ociwp_lock_free(app->lock);
	free(app->manifest_path);
	free(app->shown);
	json_decref(app->annotations);
	free(app->root);
	free(app);
}

/* Absolute path of the manifest (a folder stands for the spin.toml in it) and of its folder. */
static int find_manifest(const char *path, ociwp_app *app, ociw_error **err)
{
	OCIWP_AUTO(str) char *cwd = getcwd(NULL, 0);
	if (!cwd)
		return ociwp_fail_errno(err, errno, "working directory");
	OCIWP_AUTO(str) char *absolute = ociwp_path_absolute(cwd, path);
	if (!absolute)
		return ociwp_nomem(err);
	struct stat st;
	if (stat(absolute, &st) != 0)
		return ociwp_fail_errno(err, errno, "manifest %s", ociwp_quote(path));
	app->manifest_path = S_ISDIR(st.st_mode) ? ociwp_path_join(absolute, "spin.toml")
	                                         : ociwp_steal(&absolute);
	if (!app->manifest_path)
		return ociwp_nomem(err);
	size_t folder = (size_t)(ociwp_path_basename(app->manifest_path) - app->manifest_path);
	app->root = ociwp_strndup(app->manifest_path, folder > 1 ? folder - 1 : 1);
	return app->root ? 0 : ociwp_nomem(err);
}

static int read_manifest(const char *path, char **text, size_t *len, ociw_error **err)
{
	OCIWP_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0)
		return ociwp_fail_errno(err, errno, "manifest %s", ociwp_quote(path));
	if (!S_ISREG(st.st_mode))
		return ociwp_fail(err, OCIW_ERR_INVALID, "manifest %s is no file",
		                  ociwp_quote(path));
	ociw_reader *reader = NULL;
	int r = ociw_reader_new_fd(ociwp_steal_fd(&fd), &reader, err);
	if (r == 0)
		r = ociwp_read_all(reader, OCIWP_TOML_MAX_BYTES, text, len, err);
	return r < 0 ? ociwp_wrap(err, r, "manifest %s", ociwp_quote(path)) : 0;
}

/* Spin takes a trigger that names nothing, and finds out at run time (7.3 item 2). */
static int check_triggers(const ociwp_spin_manifest *manifest, ociwp_report *report,
                          ociw_error **err)
{
	for (size_t i = 0; i < manifest->trigger_count; i++) {
		const ociwp_trigger *trigger = &manifest->triggers[i];
		const char *id = trigger->component.reference;
		ociwp_where where = {trigger->component.at.line ? trigger->component.at
		                                                : trigger->at,
		                     NULL, "trigger-component"};
		if (!id || ociwp_spin_manifest_find(manifest, id))
			continue;
		char hint[128];
		ociwp_spin_manifest_hint(manifest, id, hint);
		int r = report->flags & OCIWP_APP_COMPAT_SPIN
		                ? ociwp_report_warn(
		                          report, where, err,
		                          "trigger %s names component %s, which does not exist%s",
		                          ociwp_quote(trigger->id), ociwp_quote(id), hint)
		                : ociwp_report_fail(
		                          report, where, OCIW_ERR_FORMAT, err,
		                          "trigger %s names component %s, which does not exist%s",
		                          ociwp_quote(trigger->id), ociwp_quote(id), hint);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- files of several components at once --- */

struct ahead {
	const ociwp_spin_manifest *manifest;
	const ociwp_report *report;
	ociwp_app *app;
	uint64_t *found; /* of each component: how many files, or NOT_DONE */
};
#define NOT_DONE UINT64_MAX

static int refuse_finding(void *user_data, ociwp_severity severity, const ociwp_where *where,
                          const char *message, ociw_error **err)
{
	(void)user_data;
	(void)severity;
	return ociwp_fail(err, OCIW_ERR_INVALID, "%s: %s", where->rule, message);
}

static int do_beside(const ociwp_report *report, const ociwp_app *app, ociw_error **err)
{
	const ociwp_beside *beside = report->beside;
	return beside ? beside->work(beside->context, app->root, err) : 0;
}

/* Whoever has anything to say is asked again, in turn, with somebody listening. What is to be done beside
 * comes last: components of one size leave cores idle at their end. */
static int resolve_ahead(void *context, size_t worker, size_t index, ociw_error **err)
{
	struct ahead *ahead = context;
	const ociw_op *op = ahead->report->op;
	ociw_op quiet = {.size = sizeof(quiet), .cancel = op ? op->cancel : NULL};
	ociwp_report report = *ahead->report;
	ociw_error *why = NULL;
	uint64_t files = 0;
	(void)worker;
	if (index == ahead->manifest->component_count)
		return do_beside(ahead->report, ahead->app, err);
	report.op = &quiet;
	report.cb = refuse_finding;
	int r = ociwp_files_resolve(ahead->manifest->components[index], ahead->app->root, &report,
	                            &files, &ahead->app->components[index], &why);
	if (r == OCIW_ERR_NOMEM || r == OCIW_ERR_CANCELLED)
		return ociwp_error_move(err, why);
	ociw_error_free(why);
	ahead->found[index] = r == 0 ? files : NOT_DONE;
	return 0;
}

static int resolve_all_ahead(struct ahead *ahead, ociw_error **err)
{
	size_t count = ahead->manifest->component_count;
	ahead->found = ociwp_calloc(count, sizeof(*ahead->found));
	if (!ahead->found)
		return ociwp_nomem(err);
	for (size_t i = 0; i < count; i++)
		ahead->found[i] = NOT_DONE;
	if (count < 2 || ahead->report->flags & OCIWP_APP_NO_FILES)
		return do_beside(ahead->report, ahead->app, err);
	ociwp_parallel_job job = {count + 1, ociwp_parallel_threads(0), resolve_ahead, ahead, false};
	return ociwp_parallel_run(&job, NULL, err);
}

static int take_files(struct ahead *ahead, size_t index, ociwp_report *report, uint64_t *files,
                      ociw_error **err)
{
	ociwp_app_component *to = &ahead->app->components[index];
	uint64_t found = ahead->found[index];
	if (report->flags & OCIWP_APP_NO_FILES)
		return 0;
	if (found != NOT_DONE && found <= report->limits.max_entries - *files) {
		*files += found;
		return 0;
	}
	files_deinit(to);
	return ociwp_files_resolve(ahead->manifest->components[index], ahead->app->root, report,
	                           files, to, err);
}

static int keep_trigger_places(const ociwp_spin_manifest *manifest, ociwp_app *app,
                               ociw_error **err)
{
	app->trigger_places = ociwp_calloc(manifest->trigger_count, sizeof(*app->trigger_places));
	if (!app->trigger_places)
		return ociwp_nomem(err);
	for (size_t i = 0; i < manifest->trigger_count; i++)
		app->trigger_places[i] = manifest->triggers[i].at;
	return 0;
}

/* One normalised manifest to app and lock. */
static int build(const ociwp_spin_manifest *manifest, const char *profile, ociwp_report *report,
                 ociwp_app *app, ociw_error **err)
{
	struct ahead ahead = {manifest, report, app, NULL};
	uint64_t files = 0;
	int r = ociwp_lock_build_app(manifest, profile, app->lock, err);
	if (r == 0)
		r = keep_trigger_places(manifest, app, err);
	if (r < 0 || manifest->component_count == 0)
		return r;
	app->lock->components =
	        ociwp_calloc(manifest->component_count, sizeof(*app->lock->components));
	app->components = ociwp_calloc(manifest->component_count, sizeof(*app->components));
	if (!app->lock->components || !app->components)
		return ociwp_nomem(err);
	app->component_count = manifest->component_count;
	r = resolve_all_ahead(&ahead, err);
	for (size_t i = 0; r == 0 && i < manifest->component_count; i++) {
		ociwp_component *component = manifest->components[i];
		app->lock->component_count = i + 1;
		app->components[i].at = component->at;
		r = ociwp_lock_build_component(manifest, component, app, i, report, err);
		if (r == 0)
			r = take_files(&ahead, i, report, &files, err);
		if (r == 0)
			r = ociwp_check_cancel(report->op, err);
	}
	free(ahead.found);
	return r < 0 ? r : ociwp_lock_build_end(app->lock, err);
}

static int load_text(ociw_span text, const char *profile, ociwp_report *report, ociwp_app *app,
                     ociw_error **err)
{
	OCIWP_AUTO(toml) ociwp_toml *root = NULL;
	OCIWP_AUTO(spin_manifest) ociwp_spin_manifest *manifest = NULL;
	ociwp_toml_problem problem;
	int r = ociwp_toml_parse(text, &root, &problem);
	if (r == OCIW_ERR_NOMEM)
		return ociwp_nomem(err);
	if (r < 0)
		return ociwp_report_fail(report, (ociwp_where){problem.at, NULL, "toml"},
		                         (ociw_code)r, err, "%s", problem.text);
	if ((r = ociwp_spin_manifest_parse(root, report, &manifest, err)) < 0)
		return r;
	/* The tree has done its work: what follows may need the memory. */
	ociwp_toml_free(ociwp_steal(&root));
	if ((r = ociwp_spin_manifest_normalize(manifest, profile, report, err)) < 0)
		return r;
	for (size_t i = 0; i < manifest->component_count; i++)
		if ((r = ociwp_dependencies_validate(manifest->components[i], report, err)) < 0 ||
		    (r = ociwp_hosts_convert_http(manifest->components[i], report, err)) < 0)
			return r;
	if ((r = check_triggers(manifest, report, err)) < 0 ||
	    (r = ociwp_trigger_deps_split(manifest, err)) < 0)
		return r;
	app->annotations = json_incref(manifest->annotations);
	return build(manifest, profile, report, app, err);
}

static ociwp_app *app_new(void)
{
	ociwp_app *app = ociwp_new(ociwp_app);
	if (app && !(app->lock = ociwp_new(ociwp_lock))) {
		free(app);
		app = NULL;
	}
	return app;
}

int ociwp_app_load_text(ociw_span text, const char *manifest_path, const char *profile,
                        ociwp_report *report, ociwp_app **out, ociw_error **err)
{
	OCIWP_AUTO(app) ociwp_app *app = app_new();
	if (!app)
		return ociwp_nomem(err);
	app->manifest_path = ociwp_strdup(manifest_path);
	size_t folder = (size_t)(ociwp_path_basename(manifest_path) - manifest_path);
	app->root = ociwp_strndup(manifest_path, folder > 1 ? folder - 1 : 1);
	if (!app->manifest_path || !app->root)
		return ociwp_nomem(err);
	int r = load_text(text, profile, report, app, err);
	if (r == 0)
		*out = ociwp_steal(&app);
	return r;
}

int ociwp_app_load_report(const char *path, const char *profile, ociwp_report *report,
                          ociwp_app **out, ociw_error **err)
{
	OCIWP_AUTO(app) ociwp_app *app = app_new();
	OCIWP_AUTO(str) char *text = NULL;
	size_t len = 0;
	if (!app)
		return ociwp_nomem(err);
	int r;
	if ((r = find_manifest(path, app, err)) < 0 ||
	    (r = read_manifest(app->manifest_path, &text, &len, err)) < 0)
		return r;
	/* As it was given, so that a person finds it: the folder's own spin.toml included. */
	app->shown = ociwp_ends_with(path, ociwp_path_basename(app->manifest_path))
	                     ? ociwp_strdup(path)
	                     : ociwp_path_join(path, "spin.toml");
	if (!app->shown)
		return ociwp_nomem(err);
	report->file = app->shown;
	r = load_text((ociw_span){text, len}, profile, report, app, err);
	report->file = NULL;
	if (r == 0)
		*out = ociwp_steal(&app);
	return r;
}

int ociwp_app_load(const char *path, const char *profile, unsigned flags, const ociw_op *op,
                   ociwp_app **out, ociw_error **err)
{
	ociwp_report report = {.flags = flags, .op = op};
	ociwp_limits_get(op, &report.limits);
	return ociwp_app_load_report(path, profile, &report, out, err);
}
