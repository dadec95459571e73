/* SPDX-License-Identifier: Apache-2.0
 *
 * Fills in the lock from a manifest (specs/spin.md 2.3). Member order inside JSON values is Spin's
 * where it has one; maps are sorted when they are written.
 */
#include "spin/lock-build.h"
#include "base/buf.h"
#include "base/path.h"
#include "base/str.h"
#include "spin/hosts.h"
#include "spin/trigger-deps.h"

static int set_text(json_t *object, const char *key, const char *text, ociw_error **err)
{
	if (!text || !*text)
		return 0;
	return json_object_set_new(object, key, json_string(text)) < 0 ? ociwp_nomem(err) : 0;
}

static int set_strings(json_t *object, const char *key, const ociwp_strings *strings,
                       ociw_error **err)
{
	if (strings->count == 0)
		return 0;
	return json_object_set_new(object, key, ociwp_strings_to_json(strings)) < 0
	               ? ociwp_nomem(err)
	               : 0;
}

/* Where one type is in use, its settings stand a second time under `trigger`, with the type. */
static int set_single_trigger(const ociwp_spin_manifest *manifest, json_t *metadata,
                              ociw_error **err)
{
	if (manifest->trigger_types.count != 1)
		return 0;
	const char *type = manifest->trigger_types.items[0];
	const json_t *global = json_object_get(manifest->trigger_globals, type);
	json_t *single = global ? json_copy((json_t *)global) : json_object();
	if (!single || json_object_set_new(single, "type", json_string(type)) < 0) {
		json_decref(single);
		return ociwp_nomem(err);
	}
	return json_object_set_new(metadata, "trigger", single) < 0 ? ociwp_nomem(err) : 0;
}

static int build_metadata(const ociwp_spin_manifest *manifest, const char *profile,
                          ociwp_lock *lock, ociw_error **err)
{
	json_t *metadata = lock->metadata = json_object();
	if (!metadata || json_object_set(metadata, "triggers", manifest->trigger_globals) < 0)
		return ociwp_nomem(err);
	int r;
	if ((r = set_text(metadata, "name", manifest->name, err)) < 0 ||
	    (r = set_text(metadata, "version", manifest->version_text, err)) < 0 ||
	    (r = set_text(metadata, "description", manifest->description, err)) < 0 ||
	    (r = set_text(metadata, "profile", profile, err)) < 0 ||
	    (r = set_strings(metadata, "authors", &manifest->authors, err)) < 0)
		return r;
	return set_single_trigger(manifest, metadata, err);
}

static int build_variables(const ociwp_spin_manifest *manifest, ociwp_lock *lock, ociw_error **err)
{
	if (manifest->variable_count == 0)
		return 0;
	lock->variables = json_object();
	if (!lock->variables)
		return ociwp_nomem(err);
	for (size_t i = 0; i < manifest->variable_count; i++) {
		const ociwp_variable *variable = &manifest->variables[i];
		json_t *value = json_object();
		if (json_object_set_new(lock->variables, variable->name, value) < 0)
			return ociwp_nomem(err);
		if ((variable->description &&
		     json_object_set_new(value, "description", json_string(variable->description)) <
		             0) ||
		    (variable->default_value &&
		     json_object_set_new(value, "default", json_string(variable->default_value)) <
		             0) ||
		    (variable->secret && json_object_set_new(value, "secret", json_true()) < 0))
			return ociwp_nomem(err);
	}
	return 0;
}

static int build_trigger(const ociwp_trigger *trigger, json_t *to, ociw_error **err)
{
	json_t *config = json_copy(trigger->config);
	if (!config)
		return ociwp_nomem(err);
	if (trigger->has_component &&
	    json_object_set_new(config, "component", json_string(trigger->component.reference)) <
	            0) {
		json_decref(config);
		return ociwp_nomem(err);
	}
	if (json_object_set_new(to, "id", json_string(trigger->id)) < 0 ||
	    json_object_set_new(to, "trigger_type", json_string(trigger->type)) < 0) {
		json_decref(config);
		return ociwp_nomem(err);
	}
	return json_object_set_new(to, "trigger_config", config) < 0 ? ociwp_nomem(err) : 0;
}

int ociwp_lock_build_app(const ociwp_spin_manifest *manifest, const char *profile, ociwp_lock *lock,
                         ociw_error **err)
{
	int r;
	if ((r = build_metadata(manifest, profile, lock, err)) < 0 ||
	    (r = build_variables(manifest, lock, err)) < 0)
		return r;
	lock->triggers = json_array();
	if (!lock->triggers)
		return ociwp_nomem(err);
	for (size_t i = 0; i < manifest->trigger_count; i++) {
		json_t *trigger = json_object();
		if (json_array_append_new(lock->triggers, trigger) < 0)
			return ociwp_nomem(err);
		if ((r = build_trigger(&manifest->triggers[i], trigger, err)) < 0)
			return r;
	}
	return 0;
}

/* A copy whose path is absolute, seen from the app's folder. */
static int resolve_source(const ociwp_app_source *from, const char *root, ociwp_app_source *to,
                          ociw_error **err)
{
	int r = ociwp_app_source_copy(from, to, err);
	if (r < 0 || !to->path)
		return r;
	char *absolute = ociwp_path_absolute(root, to->path);
	if (!absolute)
		return ociwp_nomem(err);
	free(to->path);
	to->path = absolute;
	return 0;
}

/* A dependency without a package of its own is fetched as the package it is named after. */
static int resolve_dependency(const ociwp_dependency *from, const char *root, ociwp_app_source *to,
                              ociw_error **err)
{
	int r = resolve_source(&from->source, root, to, err);
	to->at = from->at;
	bool package =
	        from->form == OCIWP_DEPENDENCY_VERSION || from->form == OCIWP_DEPENDENCY_PACKAGE;
	if (r < 0 || !package || to->package || !from->name.package)
		return r;
	to->package = ociwp_strndup(from->name.package, from->name.package_len);
	return to->package ? 0 : ociwp_nomem(err);
}

static int by_structure(const void *a, const void *b)
{
	const ociwp_dependency *const *x = a, *const *y = b;
	return ociwp_dependency_name_compare(&(*x)->name, &(*y)->name);
}

static int build_dependency(const ociwp_dependency *from, ociwp_lock_dependency *to,
                            ociw_error **err)
{
	to->name = ociwp_strdup(from->name.text);
	to->content_type = ociwp_strdup("application/wasm");
	to->export_name = from->export_name ? ociwp_strdup(from->export_name) : NULL;
	to->inherit = json_incref(from->inherit);
	if (!to->name || !to->content_type || (from->export_name && !to->export_name))
		return ociwp_nomem(err);
	return 0;
}

static int build_dependencies(const ociwp_component *component, ociwp_app *app, size_t index,
                              ociw_error **err)
{
	size_t count = component->dependencies.count;
	if (count == 0)
		return 0;
	ociwp_lock_component *locked = &app->lock->components[index];
	OCIWP_AUTO(mem) const ociwp_dependency **order = ociwp_calloc(count, sizeof(*order));
	locked->dependencies = ociwp_calloc(count, sizeof(*locked->dependencies));
	app->components[index].dependency_sources = ociwp_calloc(count, sizeof(ociwp_app_source));
	if (!order || !locked->dependencies || !app->components[index].dependency_sources)
		return ociwp_nomem(err);
	for (size_t i = 0; i < count; i++)
		order[i] = &component->dependencies.items[i];
	qsort(order, count, sizeof(*order), by_structure);
	for (size_t i = 0; i < count; i++) {
		locked->dependency_count = i + 1;
		app->components[index].dependency_count = i + 1;
		int r = build_dependency(order[i], &locked->dependencies[i], err);
		if (r == 0)
			r = resolve_dependency(order[i], app->root,
			                       &app->components[index].dependency_sources[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* {"source":{"content_type":...,"source":...},"export":null[,"inherit":...]}: Spin leaves the file
 * URL of a trigger's dependency in what it pushes (3.2). */
static json_t *trigger_dependency_json(const ociwp_app_source *source, const ociwp_dependency *from)
{
	OCIWP_AUTO(str) char *url = source->path ? ociwp_file_url(source->path) : NULL;
	OCIWP_AUTO(json) json_t *object = json_object();
	json_t *content = json_object();
	if (json_object_set_new(object, "source", content) < 0 ||
	    json_object_set_new(content, "content_type", json_string("application/wasm")) < 0 ||
	    (source->path &&
	     (!url || json_object_set_new(content, "source", json_string(url)) < 0)) ||
	    (source->digest &&
	     json_object_set_new(content, "digest", json_string(source->digest)) < 0) ||
	    json_object_set_new(object, "export", json_null()) < 0 ||
	    (from->inherit && json_object_set(object, "inherit", from->inherit) < 0))
		return NULL;
	return ociwp_steal(&object);
}

static int build_role(const ociwp_role *role, ociwp_app *app, size_t index, ociw_error **err)
{
	json_t *list = json_array();
	ociwp_app_component *to = &app->components[index];
	if (json_object_set_new(app->lock->components[index].trigger_dependencies, role->name,
	                        list) < 0)
		return ociwp_nomem(err);
	for (size_t i = 0; i < role->dependencies.count; i++) {
		ociwp_app_source *grown = ociwp_grow_array(
		        to->trigger_sources, to->trigger_source_count, sizeof(*grown));
		if (!grown)
			return ociwp_nomem(err);
		to->trigger_sources = grown;
		ociwp_app_source *source = &grown[to->trigger_source_count++];
		int r = resolve_dependency(&role->dependencies.items[i], app->root, source, err);
		if (r < 0)
			return r;
		if (json_array_append_new(list, trigger_dependency_json(
		                                        source, &role->dependencies.items[i])) < 0)
			return ociwp_nomem(err);
	}
	return 0;
}

static int build_trigger_dependencies(const ociwp_spin_manifest *manifest,
                                      const ociwp_component *component, ociwp_app *app,
                                      size_t index, ociw_error **err)
{
	const ociwp_trigger *trigger = ociwp_trigger_deps_of(manifest, component);
	if (!trigger)
		return 0;
	ociwp_lock_component *locked = &app->lock->components[index];
	locked->trigger_dependencies = json_object();
	if (!locked->trigger_dependencies)
		return ociwp_nomem(err);
	for (size_t i = 0; i < trigger->role_count; i++) {
		int r = build_role(&trigger->roles[i], app, index, err);
		if (r < 0)
			return r;
		if (ociwp_streq(trigger->roles[i].name, "middleware") &&
		    json_object_set_new(locked->host_requirements, "middleware",
		                        json_string("required")) < 0)
			return ociwp_nomem(err);
	}
	return set_text(locked->metadata, "resolve-trigger-dependencies-using", trigger->type, err);
}

static int build_component_metadata(const ociwp_component *component, json_t *metadata,
                                    ociw_error **err)
{
	int r;
	if ((r = set_text(metadata, "description", component->description, err)) < 0 ||
	    (r = set_strings(metadata, "allowed_outbound_hosts", &component->outbound_hosts, err)) <
	            0 ||
	    (r = set_strings(metadata, "key_value_stores", &component->key_value_stores, err)) <
	            0 ||
	    (r = set_strings(metadata, "databases", &component->sqlite_databases, err)) < 0 ||
	    (r = set_strings(metadata, "ai_models", &component->ai_models, err)) < 0)
		return r;
	if (component->build && json_object_set(metadata, "build", component->build) < 0)
		return ociwp_nomem(err);
	return 0;
}

int ociwp_lock_build_component(const ociwp_spin_manifest *manifest,
                               const ociwp_component *component, ociwp_app *app, size_t index,
                               ociwp_report *report, ociw_error **err)
{
	ociwp_lock_component *locked = &app->lock->components[index];
	bool chains;
	int r = ociwp_hosts_check(component, manifest, report, &chains, err);
	if (r < 0)
		return r;
	locked->id = ociwp_strdup(component->id);
	locked->content_type = ociwp_strdup("application/wasm");
	locked->metadata = json_object();
	locked->host_requirements = json_object();
	locked->env = json_incref(component->environment);
	locked->config = json_incref(component->variables);
	locked->has_files = component->file_count > 0;
	if (!locked->id || !locked->content_type || !locked->metadata || !locked->host_requirements)
		return ociwp_nomem(err);
	app->components[index].id = locked->id;
	if (chains && json_object_set_new(locked->host_requirements, "local_service_chaining",
	                                  json_string("required")) < 0)
		return ociwp_nomem(err);
	if ((r = build_component_metadata(component, locked->metadata, err)) < 0 ||
	    (r = resolve_source(&component->source, app->root, &app->components[index].source,
	                        err)) < 0 ||
	    (r = build_dependencies(component, app, index, err)) < 0)
		return r;
	app->components[index].source.at = component->source_at;
	return build_trigger_dependencies(manifest, component, app, index, err);
}

int ociwp_lock_build_end(ociwp_lock *lock, ociw_error **err)
{
	bool needed = false;
	for (size_t i = 0; i < lock->component_count; i++)
		needed |= json_object_size(lock->components[i].host_requirements) > 0;
	if (!needed)
		return 0;
	lock->version = 1;
	lock->must_understand = json_array();
	if (!lock->must_understand ||
	    json_array_append_new(lock->must_understand,
	                          json_string("component_host_requirements")) < 0)
		return ociwp_nomem(err);
	return 0;
}

/* What a URL's path quotes, so that the text is what Spin's own URL type makes of it. */
char *ociwp_file_url(const char *path)
{
	static const char quoted[] = " \"#<>?`{}%\\";
	OCIWP_AUTO(buf) ociwp_buf url = OCIWP_BUF_INIT;
	ociwp_buf_puts(&url, "file://");
	for (const unsigned char *c = (const unsigned char *)path; *c; c++) {
		if (*c <= 0x20 || *c >= 0x7f || strchr(quoted, *c))
			ociwp_buf_printf(&url, "%%%02X", *c);
		else
			ociwp_buf_putc(&url, (char)*c);
	}
	return url.failed ? NULL : ociwp_buf_steal(&url);
}
