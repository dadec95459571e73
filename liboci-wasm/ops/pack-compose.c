/* SPDX-License-Identifier: Apache-2.0
 *
 * Component dependencies: told, left as they are, or composed by a program that the caller runs on
 * local files. How things are wired is said in ops/compose-script.
 */
#include "ops/pack-compose.h"
#include "base/str.h"
#include "format/wasm.h"
#include "ops/compose-script.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* One component and what it is composed of, in the order of the parts. */
struct job {
	const ociwp_pack *pack;
	ociwp_lock_component *locked;
	ociwp_draft_component *component;
	ociwp_workspace *workspace;
	ociwp_wasm_info *main, *deny; /* deny: NULL without an adapter */
	ociwp_compose_member *members;
	ociw_compose_part *parts; /* main, dependencies, adapter */
	size_t part_count;
	char (*packages)[40];
	ociwp_buf script;
};

static void job_deinit(struct job *job)
{
	ociwp_wasm_info_free(job->main);
	ociwp_wasm_info_free(job->deny);
	for (size_t i = 0; job->members && i < job->component->dependency_count; i++)
		ociwp_wasm_info_free((ociwp_wasm_info *)job->members[i].info);
	free(job->members);
	free(job->parts);
	free(job->packages);
	ociwp_buf_deinit(&job->script);
}

static int inspect(const char *path, const char *what, ociwp_wasm_info **out, ociw_error **err)
{
	OCIWP_AUTO(wasm_info) ociwp_wasm_info *info = NULL;
	int r = ociwp_wasm_inspect(path, &info, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s", what);
	if (info->kind != OCIWP_WASM_COMPONENT)
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
		                  "%s %s is a %s, and only components can be composed", what,
		                  ociwp_quote(path),
		                  info->kind == OCIWP_WASM_MODULE ? "core module" : "WIT package");
	if (info->not_introspectable)
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
		                  "%s %s has types of a kind that is not understood: its imports "
		                  "and exports are not known",
		                  what, ociwp_quote(path));
	*out = ociwp_steal(&info);
	return 0;
}

/* Nothing, everything, or a part, which no composer does yet: neither does Spin's. */
static int judge_inherit(const ociwp_lock_dependency *dependency, bool *all, ociw_error **err)
{
	const json_t *some = json_object_get(dependency->inherit, "Some");
	*all = json_is_string(dependency->inherit);
	if (json_array_size(some) == 0)
		return 0;
	return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
	                  "dependency %s inherits a part of the configuration, which cannot be "
	                  "composed: set inherit_configuration to true or false",
	                  ociwp_quote(dependency->name));
}

/* Without the adapter a dependency gets what its component has. Spin would deny it. */
static int warn_open(const struct job *job, const ociwp_compose_member *m, ociw_error **err)
{
	size_t count = m->info->import_count;
	if (count == 0)
		return 0;
	return ociwp_warn(job->pack->op, err,
	                  "component %s: dependency %s inherits no configuration, but its %zu "
	                  "import%s (%s%s) will be the host's, as the component's are: deny them "
	                  "with Spin's adapter (--compose-deny), or set inherit_configuration",
	                  ociwp_quote(job->locked->id), ociwp_quote(m->name), count,
	                  count == 1 ? "" : "s", ociwp_quote(m->info->imports[0]),
	                  count == 1 ? "" : " ...");
}

static int add_member(struct job *job, size_t i, ociw_error **err)
{
	const ociwp_lock_dependency *dependency = &job->locked->dependencies[i];
	ociwp_compose_member *m = &job->members[i];
	ociwp_wasm_info *info = NULL;
	bool all = false;
	const char *path = ociwp_workspace_path(job->workspace, &job->component->dependencies[i]);
	int r = judge_inherit(dependency, &all, err);
	if (r == 0)
		r = inspect(path, "dependency", &info, err);
	if (r < 0)
		return r;
	*m = (ociwp_compose_member){dependency->name, dependency->export_name, info,
	                            !all && job->deny};
	snprintf(job->packages[i], sizeof(job->packages[i]), OCIWP_COMPOSE_DEPENDENCY "%zu", i);
	job->parts[job->part_count++] = (ociw_compose_part){job->packages[i], path};
	return all || job->deny ? 0 : warn_open(job, m, err);
}

static int prepare(struct job *job, ociw_error **err)
{
	const char *deny = job->pack->options.compose_deny;
	const char *path = ociwp_workspace_path(job->workspace, &job->component->wasm);
	size_t count = job->component->dependency_count;
	job->members = ociwp_calloc(count, sizeof(*job->members));
	job->parts = ociwp_calloc(count + 2, sizeof(*job->parts));
	job->packages = ociwp_calloc(count, sizeof(*job->packages));
	if (!job->members || !job->parts || !job->packages)
		return ociwp_nomem(err);
	int r = inspect(path, "wasm source", &job->main, err);
	if (r == 0 && deny)
		r = inspect(deny, "deny adapter", &job->deny, err);
	job->parts[job->part_count++] = (ociw_compose_part){OCIWP_COMPOSE_MAIN, path};
	for (size_t i = 0; r == 0 && i < count; i++)
		r = add_member(job, i, err);
	if (r == 0 && deny)
		job->parts[job->part_count++] = (ociw_compose_part){OCIWP_COMPOSE_DENY, deny};
	return r < 0 ? r
	             : ociwp_compose_script(job->main, job->members, count, job->deny, &job->script,
	                                    err);
}

/* A path in the workspace, free for a while: slots move when there are more. */
static int slot(const struct job *job, const char *suffix, size_t *out, ociw_error **err)
{
	ociwp_work_file *file = NULL;
	*out = job->workspace->count;
	return ociwp_workspace_slot(job->workspace, job->pack->options.temp_dir, suffix, &file,
	                            err);
}

static int call(struct job *job, ociwp_work_file **out, ociw_error **err)
{
	const ociw_pack_options *options = &job->pack->options;
	size_t script = 0, made = 0;
	int r = slot(job, ".wac", &script, err);
	if (r == 0)
		r = slot(job, ".wasm", &made, err);
	if (r < 0)
		return r;
	*out = &job->workspace->files[made];
	ociw_composition what = {.size = sizeof(what),
	                         .component_id = job->component->id,
	                         .parts = job->parts,
	                         .part_count = job->part_count,
	                         .script = job->script.data,
	                         .script_path = job->workspace->files[script].path,
	                         .out_path = (*out)->path};
	return options->compose_cb(&what, options->compose_data, err);
}

static void drop_dependencies(ociwp_lock_component *locked, ociwp_draft_component *component)
{
	for (size_t i = 0; i < locked->dependency_count; i++) {
		ociwp_lock_dependency *dependency = &locked->dependencies[i];
		free(dependency->name);
		free(dependency->content_type);
		free(dependency->content.source);
		free(dependency->content.digest);
		free(dependency->content.bytes);
		free(dependency->export_name);
		json_decref(dependency->inherit);
	}
	free(locked->dependencies);
	locked->dependencies = NULL;
	locked->dependency_count = 0;
	for (size_t i = 0; i < component->dependency_count; i++)
		ociwp_source_deinit(&component->dependencies[i]);
	component->dependency_count = 0;
}

static int compose_one(struct job *job, ociw_error **err)
{
	ociwp_work_file *file = NULL;
	struct stat st;
	int r = prepare(job, err);
	if (r == 0)
		r = call(job, &file, err);
	if (r < 0 || !file)
		return r;
	file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (file->fd < 0 || fstat(file->fd, &st) < 0)
		return ociwp_fail_errno(err, errno, "open what was composed");
	ociwp_source_deinit(&job->component->wasm);
	job->component->wasm = (ociwp_source){
	        .kind = OCIWP_SOURCE_RANGE, .fd = file->fd, .size = (uint64_t)st.st_size};
	return 0;
}

static int refuse(const char *id, const char *what, uint32_t how, ociw_error **err)
{
	if (how == OCIW_COMPOSE_CALLBACK)
		return ociwp_fail(
		        err, OCIW_ERR_UNSUPPORTED,
		        "component %s has %s, which only Spin itself can compose: pack it as "
		        "it is (--no-compose)",
		        ociwp_quote(id), what);
	return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
	                  "component %s has %s, which nodes ignore: compose it first "
	                  "(--compose=wac), or pack it as it is (--no-compose)",
	                  ociwp_quote(id), what);
}

int ociwp_pack_compose(const ociwp_pack *pack, const ociwp_app *app, ociwp_workspace *workspace,
                       ociwp_draft *draft, ociw_error **err)
{
	uint32_t how = pack->options.compose;
	if (how == OCIW_COMPOSE_NONE)
		return 0;
	for (size_t i = 0; i < app->component_count; i++) {
		ociwp_lock_component *locked = &app->lock->components[i];
		if (json_object_size(locked->trigger_dependencies) > 0)
			return refuse(locked->id, "trigger dependencies", how, err);
		if (locked->dependency_count == 0)
			continue;
		if (how == OCIW_COMPOSE_REFUSE)
			return refuse(locked->id, "dependencies", how, err);
		struct job job = {.pack = pack,
		                  .locked = locked,
		                  .component = &draft->components[i],
		                  .workspace = workspace,
		                  .script = OCIWP_BUF_INIT};
		int r = compose_one(&job, err);
		job_deinit(&job);
		if (r < 0)
			return ociwp_wrap(err, r, "compose component %s", ociwp_quote(locked->id));
		drop_dependencies(locked, &draft->components[i]);
	}
	return 0;
}
