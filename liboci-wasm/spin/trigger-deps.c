/* SPDX-License-Identifier: Apache-2.0
 *
 * Splits components that several triggers share, so that each set of trigger dependencies has a
 * component of its own (specs/spin.md 2.3). Spin's order with several such components follows a
 * hash map; ours follows the triggers, so that equal input gives equal bytes.
 */
#include "spin/trigger-deps.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/str.h"

static bool has_dependencies(const ociwp_trigger *trigger)
{
	for (size_t i = 0; i < trigger->role_count; i++)
		if (trigger->roles[i].dependencies.count)
			return true;
	return false;
}

static bool is_shared(const ociwp_spin_manifest *manifest, const char *id)
{
	size_t users = 0;
	for (size_t i = 0; i < manifest->trigger_count; i++)
		users += ociwp_streq(manifest->triggers[i].component.reference, id);
	return users > 1;
}

static int copy_strings(const ociwp_strings *from, ociwp_strings *to, ociw_error **err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < from->count; i++)
		r = ociwp_strings_add(to, from->items[i], from->places[i], err);
	return r;
}

static int copy_text(const char *from, char **to, ociw_error **err)
{
	*to = from ? ociwp_strdup(from) : NULL;
	return from && !*to ? ociwp_nomem(err) : 0;
}

static int copy_dependency(const ociwp_dependency *from, ociwp_dependency *to, ociw_error **err)
{
	to->form = from->form;
	to->at = from->at;
	to->has_inherit = from->has_inherit;
	to->inherit = json_incref(from->inherit);
	if (from->name.text) {
		ociwp_name_error why = {""};
		if (ociwp_dependency_name_parse(from->name.text, &to->name, &why) < 0)
			return ociwp_nomem(err); /* it was valid before */
	}
	if (copy_text(from->component, &to->component, err) < 0 ||
	    copy_text(from->export_name, &to->export_name, err) < 0)
		return OCIW_ERR_NOMEM;
	return ociwp_app_source_copy(&from->source, &to->source, err);
}

static int copy_files(const ociwp_component *from, ociwp_component *to, ociw_error **err)
{
	to->files = from->file_count ? ociwp_calloc(from->file_count, sizeof(*to->files)) : NULL;
	if (from->file_count && !to->files)
		return ociwp_nomem(err);
	for (; to->file_count < from->file_count; to->file_count++) {
		const ociwp_files_entry *entry = &from->files[to->file_count];
		ociwp_files_entry *copy = &to->files[to->file_count];
		copy->at = entry->at;
		copy->source = ociwp_strdup(entry->source);
		copy->destination = entry->destination ? ociwp_strdup(entry->destination) : NULL;
		if (!copy->source || (entry->destination && !copy->destination)) {
			to->file_count++;
			return ociwp_nomem(err);
		}
	}
	return 0;
}

static int clone(const ociwp_component *from, ociwp_component **out, ociw_error **err)
{
	OCIWP_AUTO(component) ociwp_component *to = ociwp_new(ociwp_component);
	if (!to)
		return ociwp_nomem(err);
	to->at = from->at;
	to->source_at = from->source_at;
	to->variables = json_incref(from->variables);
	to->environment = json_incref(from->environment);
	to->build = json_incref(from->build);
	int r;
	if ((r = ociwp_app_source_copy(&from->source, &to->source, err)) < 0 ||
	    (r = copy_text(from->description, &to->description, err)) < 0 ||
	    (r = copy_files(from, to, err)) < 0 ||
	    (r = copy_strings(&from->exclude_files, &to->exclude_files, err)) < 0 ||
	    (r = copy_strings(&from->outbound_hosts, &to->outbound_hosts, err)) < 0 ||
	    (r = copy_strings(&from->http_hosts, &to->http_hosts, err)) < 0 ||
	    (r = copy_strings(&from->key_value_stores, &to->key_value_stores, err)) < 0 ||
	    (r = copy_strings(&from->sqlite_databases, &to->sqlite_databases, err)) < 0 ||
	    (r = copy_strings(&from->ai_models, &to->ai_models, err)) < 0)
		return r;
	for (size_t i = 0; i < from->dependencies.count; i++) {
		ociwp_dependency *copy = ociwp_dependencies_add(&to->dependencies);
		if (!copy)
			return ociwp_nomem(err);
		if ((r = copy_dependency(&from->dependencies.items[i], copy, err)) < 0)
			return r;
	}
	*out = ociwp_steal(&to);
	return 0;
}

/* "<component>-for-<trigger-id>", made unlike those before by "-d<N>". */
static char *make_id(ociwp_map *seen, const char *component, const char *trigger, unsigned *number)
{
	OCIWP_AUTO(buf) ociwp_buf id = OCIWP_BUF_INIT;
	ociwp_buf_printf(&id, "%s-for-%s", component, trigger);
	if (!id.failed && ociwp_map_contains(seen, id.data))
		ociwp_buf_printf(&id, "-d%u", ++*number);
	if (id.failed || !ociwp_map_set(seen, id.data, NULL))
		return NULL;
	return ociwp_buf_steal(&id);
}

static int split_for(ociwp_spin_manifest *manifest, ociwp_trigger *trigger, ociwp_map *seen,
                     unsigned *number, ociw_error **err)
{
	const ociwp_component *shared =
	        ociwp_spin_manifest_find(manifest, trigger->component.reference);
	if (!shared)
		return 0; /* judged elsewhere */
	if (manifest->component_count >= 2 * OCIWP_MANIFEST_MAX_ITEMS)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "more than %d components after splitting",
		                  2 * OCIWP_MANIFEST_MAX_ITEMS);
	ociwp_component *copy = NULL;
	int r = clone(shared, &copy, err);
	if (r < 0)
		return r;
	copy->id = make_id(seen, shared->id, trigger->id, number);
	char *reference = copy->id ? ociwp_strdup(copy->id) : NULL;
	if (!reference) {
		ociwp_component_free(copy);
		return ociwp_nomem(err);
	}
	free(trigger->component.reference);
	trigger->component.reference = reference;
	return ociwp_spin_manifest_add(manifest, copy, err);
}

int ociwp_trigger_deps_split(ociwp_spin_manifest *manifest, ociw_error **err)
{
	OCIWP_AUTO(map) ociwp_map *seen = ociwp_map_new(NULL);
	OCIWP_AUTO(mem) bool *split = ociwp_calloc(manifest->trigger_count, sizeof(*split));
	if (!seen || !split)
		return ociwp_nomem(err);
	/* All are counted before the first is repointed. */
	bool any = false;
	for (size_t i = 0; i < manifest->trigger_count; i++) {
		const ociwp_trigger *trigger = &manifest->triggers[i];
		split[i] = has_dependencies(trigger) && trigger->component.reference &&
		           is_shared(manifest, trigger->component.reference);
		any |= split[i];
	}
	unsigned number = 0;
	for (size_t i = 0; any && i < manifest->trigger_count; i++) {
		if (!split[i])
			continue;
		int r = split_for(manifest, &manifest->triggers[i], seen, &number, err);
		if (r < 0)
			return r;
	}
	return 0;
}

const ociwp_trigger *ociwp_trigger_deps_of(const ociwp_spin_manifest *manifest,
                                           const ociwp_component *component)
{
	for (size_t i = 0; i < manifest->trigger_count; i++) {
		const ociwp_trigger *trigger = &manifest->triggers[i];
		if (has_dependencies(trigger) &&
		    ociwp_streq(trigger->component.reference, component->id))
			return trigger;
	}
	return NULL;
}
