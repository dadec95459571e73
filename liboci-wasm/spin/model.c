/* SPDX-License-Identifier: Apache-2.0
 *
 * Ownership of the manifest model: freeing, growing, copying. No rules.
 */
#include "spin/model.h"
#include "base/str.h"

void *ociwp_grow_array(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) == 0) {
		array = ociwp_realloc_array(array, count ? 2 * count : 1, size);
		if (!array)
			return NULL;
	}
	memset((char *)array + count * size, 0, size);
	return array;
}

void ociwp_app_source_deinit(ociwp_app_source *source)
{
	free(source->path);
	free(source->url);
	free(source->digest);
	free(source->registry);
	free(source->package);
	free(source->version);
	*source = (ociwp_app_source){0};
}

static int copy_text(const char *from, char **to, ociw_error **err)
{
	*to = from ? ociwp_strdup(from) : NULL;
	return from && !*to ? ociwp_nomem(err) : 0;
}

int ociwp_app_source_copy(const ociwp_app_source *from, ociwp_app_source *to, ociw_error **err)
{
	ociwp_app_source copy = {0};
	if (copy_text(from->path, &copy.path, err) < 0 ||
	    copy_text(from->url, &copy.url, err) < 0 ||
	    copy_text(from->digest, &copy.digest, err) < 0 ||
	    copy_text(from->registry, &copy.registry, err) < 0 ||
	    copy_text(from->package, &copy.package, err) < 0 ||
	    copy_text(from->version, &copy.version, err) < 0) {
		ociwp_app_source_deinit(&copy);
		return OCIW_ERR_NOMEM;
	}
	copy.range = from->range;
	copy.at = from->at;
	ociwp_app_source_deinit(to);
	*to = copy;
	return 0;
}

void ociwp_dependency_deinit(ociwp_dependency *dependency)
{
	ociwp_dependency_name_deinit(&dependency->name);
	ociwp_app_source_deinit(&dependency->source);
	free(dependency->component);
	free(dependency->export_name);
	json_decref(dependency->inherit);
	*dependency = (ociwp_dependency){0};
}

ociwp_dependency *ociwp_dependencies_add(ociwp_dependencies *dependencies)
{
	ociwp_dependency *grown =
	        ociwp_grow_array(dependencies->items, dependencies->count, sizeof(*grown));
	if (!grown)
		return NULL;
	dependencies->items = grown;
	return &grown[dependencies->count++];
}

void ociwp_dependencies_deinit(ociwp_dependencies *dependencies)
{
	for (size_t i = 0; i < dependencies->count; i++)
		ociwp_dependency_deinit(&dependencies->items[i]);
	free(dependencies->items);
	*dependencies = (ociwp_dependencies){0};
}

static void profile_deinit(ociwp_profile *profile)
{
	free(profile->name);
	ociwp_app_source_deinit(&profile->source);
	json_decref(profile->environment);
	json_decref(profile->build_command);
	ociwp_dependencies_deinit(&profile->dependencies);
}

void ociwp_component_free(ociwp_component *component)
{
	if (!component)
		return;
	free(component->id);
	ociwp_app_source_deinit(&component->source);
	free(component->description);
	json_decref(component->variables);
	json_decref(component->environment);
	for (size_t i = 0; i < component->file_count; i++) {
		free(component->files[i].source);
		free(component->files[i].destination);
	}
	free(component->files);
	ociwp_strings_deinit(&component->exclude_files);
	ociwp_strings_deinit(&component->outbound_hosts);
	ociwp_strings_deinit(&component->http_hosts);
	ociwp_strings_deinit(&component->key_value_stores);
	ociwp_strings_deinit(&component->sqlite_databases);
	ociwp_strings_deinit(&component->ai_models);
	json_decref(component->build);
	ociwp_dependencies_deinit(&component->dependencies);
	for (size_t i = 0; i < component->profile_count; i++)
		profile_deinit(&component->profiles[i]);
	free(component->profiles);
	free(component);
}

static void spec_deinit(ociwp_component_spec *spec)
{
	free(spec->reference);
	ociwp_component_free(spec->inline_component);
}

static void trigger_deinit(ociwp_trigger *trigger)
{
	free(trigger->type);
	free(trigger->id);
	json_decref(trigger->config);
	spec_deinit(&trigger->component);
	for (size_t i = 0; i < trigger->other_count; i++)
		spec_deinit(&trigger->others[i]);
	free(trigger->others);
	for (size_t i = 0; i < trigger->role_count; i++) {
		free(trigger->roles[i].name);
		ociwp_dependencies_deinit(&trigger->roles[i].dependencies);
	}
	free(trigger->roles);
}

void ociwp_spin_manifest_free(ociwp_spin_manifest *manifest)
{
	if (!manifest)
		return;
	free(manifest->name);
	free(manifest->version_text);
	free(manifest->description);
	ociwp_strings_deinit(&manifest->authors);
	json_decref(manifest->annotations);
	json_decref(manifest->trigger_globals);
	for (size_t i = 0; i < manifest->variable_count; i++) {
		free(manifest->variables[i].name);
		free(manifest->variables[i].description);
		free(manifest->variables[i].default_value);
	}
	free(manifest->variables);
	ociwp_strings_deinit(&manifest->trigger_types);
	for (size_t i = 0; i < manifest->trigger_count; i++)
		trigger_deinit(&manifest->triggers[i]);
	free(manifest->triggers);
	for (size_t i = 0; i < manifest->component_count; i++)
		ociwp_component_free(manifest->components[i]);
	free(manifest->components);
	free(manifest);
}

ociwp_component *ociwp_spin_manifest_find(const ociwp_spin_manifest *manifest, const char *id)
{
	for (size_t i = 0; i < manifest->component_count; i++)
		if (ociwp_streq(manifest->components[i]->id, id))
			return manifest->components[i];
	return NULL;
}

const char *ociwp_spin_manifest_hint(const ociwp_spin_manifest *manifest, const char *id,
                                     char storage[128])
{
	OCIWP_AUTO(mem)
	const char **ids = ociwp_calloc(manifest->component_count + 1, sizeof(*ids));
	for (size_t i = 0; ids && i < manifest->component_count; i++)
		ids[i] = manifest->components[i]->id;
	const char *near = ids ? ociwp_nearest_word(id, ids) : NULL;
	storage[0] = '\0';
	if (near)
		snprintf(storage, 128, ", did you mean \"%s\"?", near);
	return storage;
}

int ociwp_spin_manifest_add(ociwp_spin_manifest *manifest, ociwp_component *take_component,
                            ociw_error **err)
{
	ociwp_component **grown =
	        ociwp_grow_array(manifest->components, manifest->component_count, sizeof(*grown));
	if (!grown) {
		ociwp_component_free(take_component);
		return ociwp_nomem(err);
	}
	manifest->components = grown;
	grown[manifest->component_count++] = take_component;
	return 0;
}

ociwp_trigger *ociwp_spin_manifest_add_trigger(ociwp_spin_manifest *manifest)
{
	ociwp_trigger *grown =
	        ociwp_grow_array(manifest->triggers, manifest->trigger_count, sizeof(*grown));
	if (!grown)
		return NULL;
	manifest->triggers = grown;
	return &grown[manifest->trigger_count++];
}
