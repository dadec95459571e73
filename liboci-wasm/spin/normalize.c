/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalisation (specs/spin.md 1.4), in Spin's order: trigger ids, inline components, profile,
 * inherited configuration, dependencies on components of the app.
 */
#include "spin/model.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/str.h"

/* PREFIX + N for the first N from *counter on that is not in the set; it is put there. */
static char *next_free(ociwp_map *seen, const char *prefix, size_t *counter)
{
	for (;; ++*counter) {
		OCIWP_AUTO(buf) ociwp_buf id = OCIWP_BUF_INIT;
		ociwp_buf_printf(&id, "%s%zu", prefix, *counter);
		if (id.failed)
			return NULL;
		if (ociwp_map_contains(seen, id.data))
			continue;
		return ociwp_map_set(seen, id.data, NULL) ? ociwp_buf_steal(&id) : NULL;
	}
}

/* "<component>-<type>-trigger" while unused, else "<type>-trigger<N>". */
static char *make_trigger_id(ociwp_map *seen, const ociwp_trigger *trigger, size_t *counter)
{
	OCIWP_AUTO(buf) ociwp_buf id = OCIWP_BUF_INIT;
	if (trigger->component.reference) {
		ociwp_buf_printf(&id, "%s-%s-trigger", trigger->component.reference, trigger->type);
		if (id.failed)
			return NULL;
		if (!ociwp_map_contains(seen, id.data))
			return ociwp_map_set(seen, id.data, NULL) ? ociwp_buf_steal(&id) : NULL;
		ociwp_buf_clear(&id);
	}
	ociwp_buf_printf(&id, "%s-trigger", trigger->type);
	return id.failed ? NULL : next_free(seen, id.data, counter);
}

static int name_triggers(ociwp_spin_manifest *manifest, ociwp_report *report, ociw_error **err)
{
	OCIWP_AUTO(map) ociwp_map *seen = ociwp_map_new(NULL);
	if (!seen)
		return ociwp_nomem(err);
	for (size_t i = 0; i < manifest->trigger_count; i++) {
		const ociwp_trigger *trigger = &manifest->triggers[i];
		if (*trigger->id && ociwp_map_contains(seen, trigger->id) &&
		    !(report->flags & OCIWP_APP_COMPAT_SPIN))
			return ociwp_report_fail(
			        report, (ociwp_where){trigger->at, NULL, "duplicate"},
			        OCIW_ERR_FORMAT, err, "another trigger has the id %s",
			        ociwp_quote(trigger->id));
		if (!ociwp_map_set(seen, trigger->id, NULL))
			return ociwp_nomem(err);
	}
	size_t counter = 1;
	for (size_t i = 0; i < manifest->trigger_count; i++) {
		ociwp_trigger *trigger = &manifest->triggers[i];
		/* Entries of a type stand together: N starts again with each type. */
		if (i == 0 || !ociwp_streq(trigger->type, manifest->triggers[i - 1].type))
			counter = 1;
		if (*trigger->id)
			continue;
		char *id = make_trigger_id(seen, trigger, &counter);
		if (!id)
			return ociwp_nomem(err);
		free(trigger->id);
		trigger->id = id;
	}
	return 0;
}

static int place_inline(ociwp_spin_manifest *manifest, ociwp_map *ids, const ociwp_trigger *trigger,
                        ociwp_component_spec *spec, size_t *counter, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf natural = OCIWP_BUF_INIT;
	ociwp_buf_printf(&natural, "%s-component", trigger->id);
	if (ociwp_buf_check(&natural, err) < 0)
		return OCIW_ERR_NOMEM;
	size_t specs = trigger->other_count + trigger->has_component;
	char *id;
	if (specs == 1 && ociwp_kebab_id_valid(natural.data, NULL) &&
	    !ociwp_map_contains(ids, natural.data))
		id = ociwp_map_set(ids, natural.data, NULL) ? ociwp_buf_steal(&natural) : NULL;
	else
		id = next_free(ids, "inline-component", counter);
	if (!id)
		return ociwp_nomem(err);
	ociwp_component *component = ociwp_steal(&spec->inline_component);
	component->id = id;
	int r = ociwp_spin_manifest_add(manifest, component, err);
	if (r < 0)
		return r;
	spec->reference = ociwp_strdup(id);
	return spec->reference ? 0 : ociwp_nomem(err);
}

static int lift_inline(ociwp_spin_manifest *manifest, ociw_error **err)
{
	OCIWP_AUTO(map) ociwp_map *ids = ociwp_map_new(NULL);
	if (!ids)
		return ociwp_nomem(err);
	for (size_t i = 0; i < manifest->component_count; i++)
		if (!ociwp_map_set(ids, manifest->components[i]->id, NULL))
			return ociwp_nomem(err);
	for (size_t i = 0; i < manifest->trigger_count; i++) {
		ociwp_trigger *trigger = &manifest->triggers[i];
		size_t counter = 1;
		int r = 0;
		if (trigger->component.inline_component)
			r = place_inline(manifest, ids, trigger, &trigger->component, &counter,
			                 err);
		for (size_t k = 0; r == 0 && k < trigger->other_count; k++)
			if (trigger->others[k].inline_component)
				r = place_inline(manifest, ids, trigger, &trigger->others[k],
				                 &counter, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int merge_dependency(ociwp_component *component, ociwp_dependency *from, ociw_error **err)
{
	ociwp_dependencies *all = &component->dependencies;
	ociwp_dependency *to = NULL;
	for (size_t i = 0; i < all->count; i++)
		if (ociwp_streq(all->items[i].name.text, from->name.text))
			to = &all->items[i];
	if (to)
		ociwp_dependency_deinit(to);
	else if (!(to = ociwp_dependencies_add(all)))
		return ociwp_nomem(err);
	*to = *from; /* moved: a profile is applied once */
	*from = (ociwp_dependency){0};
	return 0;
}

static int apply_profile(ociwp_component *component, ociwp_profile *profile, ociw_error **err)
{
	if (profile->build_command) {
		if (!component->build && !(component->build = json_object()))
			return ociwp_nomem(err);
		if (json_object_set(component->build, "command", profile->build_command) < 0)
			return ociwp_nomem(err);
	}
	if (profile->has_source) {
		ociwp_app_source_deinit(&component->source);
		component->source = profile->source;
		profile->source = (ociwp_app_source){0};
		component->source_at = profile->at;
	}
	if (profile->environment) {
		if (!component->environment && !(component->environment = json_object()))
			return ociwp_nomem(err);
		if (json_object_update(component->environment, profile->environment) < 0)
			return ociwp_nomem(err);
	}
	int r = 0;
	for (size_t i = 0; r == 0 && i < profile->dependencies.count; i++)
		r = merge_dependency(component, &profile->dependencies.items[i], err);
	return r;
}

/* A profile that no component has does nothing, silently in Spin: here with a word (spin.md 3). */
static int apply_profiles(ociwp_spin_manifest *manifest, const char *name, ociwp_report *report,
                          ociw_error **err)
{
	bool found = false;
	for (size_t i = 0; i < manifest->component_count; i++) {
		ociwp_component *component = manifest->components[i];
		for (size_t k = 0; k < component->profile_count; k++) {
			if (!ociwp_streq(component->profiles[k].name, name))
				continue;
			found = true;
			int r = apply_profile(component, &component->profiles[k], err);
			if (r < 0)
				return r;
			break;
		}
	}
	if (found)
		return 0;
	if (!(report->flags & OCIWP_APP_COMPAT_SPIN))
		return ociwp_report_fail(report, (ociwp_where){{0, 0}, NULL, "profile"},
		                         OCIW_ERR_NOTFOUND, err, "no component has the profile %s",
		                         ociwp_quote(name));
	return ociwp_report_warn(report, (ociwp_where){{0, 0}, NULL, "profile"}, err,
	                         "no component has the profile %s", ociwp_quote(name));
}

static int inherit(ociwp_component *component, ociwp_report *report, ociw_error **err)
{
	if (!component->has_inherit_all)
		return 0;
	for (size_t i = 0; i < component->dependencies.count; i++) {
		ociwp_dependency *dependency = &component->dependencies.items[i];
		if (dependency->has_inherit)
			return ociwp_report_fail(
			        report,
			        (ociwp_where){component->inherit_all_at, component->id,
			                      "dependency"},
			        OCIW_ERR_FORMAT, err,
			        "dependencies_inherit_configuration and "
			        "inherit_configuration of dependency %s exclude each other",
			        ociwp_quote(dependency->name.text));
		if (!component->inherit_all || dependency->form == OCIWP_DEPENDENCY_VERSION)
			continue;
		dependency->inherit = json_string("All");
		if (!dependency->inherit)
			return ociwp_nomem(err);
	}
	return 0;
}

/* What a component may not have when it is used as a dependency: it would be lost. */
static const char *surprise(const ociwp_component *component)
{
	if (component->ai_models.count)
		return "ai_models";
	if (component->http_hosts.count)
		return "allowed_http_hosts";
	if (component->outbound_hosts.count)
		return "allowed_outbound_hosts";
	if (component->dependencies.count)
		return "dependencies";
	if (component->environment)
		return "environment";
	if (component->file_count)
		return "files";
	if (component->key_value_stores.count)
		return "key_value_stores";
	if (component->sqlite_databases.count)
		return "sqlite_databases";
	return component->variables ? "variables" : NULL;
}

static int resolve_dependency(const ociwp_spin_manifest *manifest, const char *owner,
                              ociwp_dependency *dependency, ociwp_report *report, ociw_error **err)
{
	if (dependency->form != OCIWP_DEPENDENCY_COMPONENT)
		return 0;
	ociwp_where where = {dependency->at, owner, "dependency"};
	const ociwp_component *target = ociwp_spin_manifest_find(manifest, dependency->component);
	char hint[128];
	if (!target)
		return ociwp_report_fail(
		        report, where, OCIW_ERR_FORMAT, err, "dependency ID %s does not exist%s",
		        ociwp_quote(dependency->component),
		        ociwp_spin_manifest_hint(manifest, dependency->component, hint));
	const char *has = surprise(target);
	if (has)
		return ociwp_report_fail(report, where, OCIW_ERR_FORMAT, err,
		                         "component %s cannot be a dependency, because it has %s",
		                         ociwp_quote(dependency->component), has);
	dependency->form = target->source.path  ? OCIWP_DEPENDENCY_PATH
	                   : target->source.url ? OCIWP_DEPENDENCY_URL
	                                        : OCIWP_DEPENDENCY_PACKAGE;
	return ociwp_app_source_copy(&target->source, &dependency->source, err);
}

/* Judged on the manifest as it was before: a component that is used may use none itself, so the
 * order makes no difference. */
static int resolve_dependencies(ociwp_spin_manifest *manifest, ociwp_report *report,
                                ociw_error **err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < manifest->component_count; i++) {
		ociwp_component *component = manifest->components[i];
		for (size_t k = 0; r == 0 && k < component->dependencies.count; k++)
			r = resolve_dependency(manifest, component->id,
			                       &component->dependencies.items[k], report, err);
	}
	for (size_t i = 0; r == 0 && i < manifest->trigger_count; i++) {
		ociwp_trigger *trigger = &manifest->triggers[i];
		for (size_t k = 0; r == 0 && k < trigger->role_count; k++) {
			ociwp_dependencies *all = &trigger->roles[k].dependencies;
			for (size_t j = 0; r == 0 && j < all->count; j++)
				r = resolve_dependency(manifest, trigger->component.reference,
				                       &all->items[j], report, err);
		}
	}
	return r;
}

int ociwp_spin_manifest_normalize(ociwp_spin_manifest *manifest, const char *profile,
                                  ociwp_report *report, ociw_error **err)
{
	int r;
	if ((r = name_triggers(manifest, report, err)) < 0 ||
	    (r = lift_inline(manifest, err)) < 0 ||
	    (profile && (r = apply_profiles(manifest, profile, report, err)) < 0))
		return r;
	for (size_t i = 0; i < manifest->component_count; i++)
		if ((r = inherit(manifest->components[i], report, err)) < 0)
			return r;
	return resolve_dependencies(manifest, report, err);
}
