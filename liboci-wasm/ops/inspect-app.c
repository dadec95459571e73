/* SPDX-License-Identifier: Apache-2.0
 *
 * The app of a Spin image: triggers, components, files with sizes, variables. Sizes come from the
 * layers that hold the bytes; no layer is read. specs/spin.md 2.1-2.3.
 */
#include "base/map.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "ops/inspect-model.h"

struct app {
	ociwp_inspect *i;
	ociwp_map *layers; /* digest to descriptor */
	bool bundled;      /* there are bundles or tar layers, which may hold any file */
};

static void put_source(struct app *app, json_t *object, const ociwp_lock_ref *ref)
{
	ociwp_inspect_put_text(app->i, object, "digest", ref->digest);
	ociwp_inspect_put_text(app->i, object, "source", ref->source);
	const ociw_descriptor *layer = ref->digest ? ociwp_map_get(app->layers, ref->digest) : NULL;
	if (ref->bytes)
		ociwp_inspect_put_size(app->i, object, "size", ref->bytes_len);
	else if (layer)
		ociwp_inspect_put_size(app->i, object, "size", layer->size);
	if (ref->bytes)
		ociwp_inspect_put(app->i, object, "inline", json_true());
}

/* True when nothing in this image has the bytes. */
static bool is_missing(const struct app *app, const ociwp_lock_ref *ref)
{
	return !ref->bytes && !ref->source && ref->digest &&
	       !ociwp_map_contains(app->layers, ref->digest);
}

static void put_files(struct app *app, json_t *object, const ociwp_lock_component *c)
{
	uint64_t bytes = 0;
	size_t missing = 0;

	if (c->file_count == 0)
		return;
	json_t *files = ociwp_inspect_array(app->i, object, "files");
	for (size_t n = 0; n < c->file_count && !app->i->nomem; n++) {
		const ociwp_lock_file *file = &c->files[n];
		json_t *item = ociwp_inspect_append(app->i, files);
		ociwp_inspect_put_text(app->i, item, "path", file->path);
		put_source(app, item, &file->content);
		bytes += (uint64_t)json_integer_value(json_object_get(item, "size"));
		missing += is_missing(app, &file->content);
	}
	ociwp_inspect_put_size(app->i, object, "fileCount", c->file_count);
	ociwp_inspect_put_size(app->i, object, "fileBytes", bytes);
	if (missing > 0 && !app->bundled)
		ociwp_inspect_warn(app->i, "component %s: no layer holds %zu of its %zu files",
				   c->id, missing, c->file_count);
}

static void put_dependencies(struct app *app, json_t *object, const ociwp_lock_component *c)
{
	if (c->dependency_count == 0)
		return;
	json_t *list = ociwp_inspect_array(app->i, object, "dependencies");
	for (size_t n = 0; n < c->dependency_count; n++) {
		const ociwp_lock_dependency *dependency = &c->dependencies[n];
		json_t *item = ociwp_inspect_append(app->i, list);
		ociwp_inspect_put_text(app->i, item, "name", dependency->name);
		put_source(app, item, &dependency->content);
		ociwp_inspect_put_text(app->i, item, "export", dependency->export_name);
	}
}

static void put_component(struct app *app, json_t *list, const ociwp_lock_component *c)
{
	static const char *const granted[][2] = {
		{"description", "description"},
		{"allowed_outbound_hosts", "allowedOutboundHosts"},
		{"key_value_stores", "keyValueStores"},
		{"databases", "sqliteDatabases"},
		{"ai_models", "aiModels"},
	};
	json_t *object = ociwp_inspect_append(app->i, list);

	ociwp_inspect_put_text(app->i, object, "id", c->id);
	for (size_t n = 0; n < OCIWP_ARRAY_LEN(granted); n++)
		ociwp_inspect_put_copy(app->i, object, granted[n][1],
				       json_object_get(c->metadata, granted[n][0]));
	json_t *source = ociwp_inspect_object(app->i, object, "source");
	ociwp_inspect_put_text(app->i, source, "contentType", c->content_type);
	put_source(app, source, &c->source);
	ociwp_inspect_put_copy(app->i, object, "environment", c->env);
	ociwp_inspect_put_copy(app->i, object, "variables", c->config);
	put_dependencies(app, object, c);
	put_files(app, object, c);
	if (is_missing(app, &c->source))
		ociwp_inspect_warn(app->i, "component %s: no layer holds its wasm %s", c->id,
				   c->source.digest);
}

/* What a trigger listens to: its route, channel, topic or other first text of its own. */
static const json_t *trigger_address(const json_t *config)
{
	static const char *const names[] = {"route", "channel", "topic", "address", "cron_expression",
					    "queue_url"};
	for (size_t n = 0; n < OCIWP_ARRAY_LEN(names); n++) {
		const json_t *value = json_object_get(config, names[n]);
		if (value)
			return value;
	}
	return NULL;
}

static void put_trigger(ociwp_inspect *i, json_t *list, const json_t *trigger)
{
	const json_t *config = json_object_get(trigger, "trigger_config");
	json_t *object = ociwp_inspect_append(i, list);

	ociwp_inspect_put_copy(i, object, "id", json_object_get(trigger, "id"));
	ociwp_inspect_put_copy(i, object, "type", json_object_get(trigger, "trigger_type"));
	ociwp_inspect_put_copy(i, object, "address", trigger_address(config));
	ociwp_inspect_put_copy(i, object, "component", json_object_get(config, "component"));
	ociwp_inspect_put_copy(i, object, "config", config);
}

/* The default of a secret is not shown: people paste what inspect prints. */
static void put_variable(ociwp_inspect *i, json_t *list, const char *name, const json_t *variable)
{
	json_t *object = ociwp_inspect_append(i, list);
	bool secret = json_is_true(json_object_get(variable, "secret"));
	const json_t *fallback = json_object_get(variable, "default");

	ociwp_inspect_put_text(i, object, "name", name);
	ociwp_inspect_put_copy(i, object, "description", json_object_get(variable, "description"));
	ociwp_inspect_put(i, object, "required", json_boolean(!fallback));
	ociwp_inspect_put(i, object, "secret", json_boolean(secret));
	if (fallback && !secret)
		ociwp_inspect_put_copy(i, object, "default", fallback);
	if (fallback && secret)
		ociwp_inspect_warn(i, "variable %s: a secret has its default in the image, for all "
				   "to read", name);
}

static void put_variables(ociwp_inspect *i, json_t *object, const json_t *variables)
{
	const char *name;
	json_t *variable;

	if (json_object_size(variables) == 0)
		return;
	json_t *list = ociwp_inspect_array(i, object, "variables");
	json_object_foreach ((json_t *)variables, name, variable)
		put_variable(i, list, name, variable);
}

static void put_metadata(ociwp_inspect *i, json_t *object, const json_t *metadata)
{
	static const char *const names[] = {"name", "version", "description", "authors"};
	for (size_t n = 0; n < OCIWP_ARRAY_LEN(names); n++)
		ociwp_inspect_put_copy(i, object, names[n], json_object_get(metadata, names[n]));
}

static bool index_layers(struct app *app, const ociwp_manifest *manifest)
{
	app->layers = ociwp_map_new(NULL);
	for (size_t n = 0; app->layers && n < manifest->layer_count; n++) {
		const char *type = manifest->layers[n]->media_type;
		app->bundled |= ociwp_streq(type, OCIWP_MT_SPIN_BUNDLE) ||
				ociwp_mediatype_is_layer(type);
		if (!ociwp_map_set(app->layers, manifest->layers[n]->digest, manifest->layers[n]))
			return false;
	}
	return app->layers != NULL;
}

void ociwp_inspect_app(ociwp_inspect *i, const ociwp_lock *lock, const ociwp_manifest *manifest)
{
	struct app app = {.i = i};
	json_t *trigger;
	size_t n;

	if (!index_layers(&app, manifest))
		i->nomem = true;
	json_t *object = ociwp_inspect_object(i, i->root, "app");
	if (!i->nomem) {
		put_metadata(i, object, lock->metadata);
		ociwp_inspect_put(i, object, "lockVersion", json_integer(lock->version));
		ociwp_inspect_put_copy(i, object, "mustUnderstand", lock->must_understand);
		json_t *triggers = ociwp_inspect_array(i, object, "triggers");
		json_array_foreach (lock->triggers, n, trigger)
			put_trigger(i, triggers, trigger);
		json_t *components = ociwp_inspect_array(i, object, "components");
		for (n = 0; n < lock->component_count; n++)
			put_component(&app, components, &lock->components[n]);
		put_variables(i, object, lock->variables);
	}
	ociwp_map_free(app.layers);
}
