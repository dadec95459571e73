/* SPDX-License-Identifier: Apache-2.0
 *
 * Version 1 manifests, converted to the shape of version 2 while they are read
 * (specs/spin.md 1.5, 1.6).
 */
#include "spin/model.h"
#include "base/buf.h"
#include "base/str.h"
#include "spin/hosts.h"

static const char *const top_keys[] = {"spin_manifest_version",
                                       "spin_version",
                                       "name",
                                       "version",
                                       "description",
                                       "authors",
                                       "trigger",
                                       "variables",
                                       "component",
                                       NULL};
static const char *const component_keys[] = {"id",
                                             "source",
                                             "trigger",
                                             "description",
                                             "config",
                                             "environment",
                                             "files",
                                             "exclude_files",
                                             "allowed_http_hosts",
                                             "allowed_outbound_hosts",
                                             "key_value_stores",
                                             "sqlite_databases",
                                             "ai_models",
                                             "build",
                                             NULL};

static int text_or_empty(const ociwp_fields *f, const char *key, char **out, ociw_error **err)
{
	int r = ociwp_fields_string(f, key, out, err);
	if (r == 0 && !*out && !(*out = ociwp_strdup("")))
		return ociwp_nomem(err);
	return r;
}

/* trigger minus type becomes application.trigger.TYPE, even when empty. */
static int parse_trigger(const ociwp_fields *top, ociwp_spin_manifest *manifest, char **type,
                         ociw_error **err)
{
	const ociwp_toml_member *member;
	int r = ociwp_fields_need(top, "trigger", &member, err);
	if (r < 0)
		return r;
	ociwp_fields f = {top->report, NULL, "[trigger]", NULL};
	if ((r = ociwp_fields_open(&f, &member->value, NULL, err)) < 0 ||
	    (r = ociwp_fields_need_string(&f, "type", type, err)) < 0)
		return r;
	manifest->trigger_globals = json_object();
	json_t *rest = manifest->trigger_globals ? ociwp_toml_to_json(&member->value) : NULL;
	if (rest)
		json_object_del(rest, "type");
	if (!manifest->trigger_globals ||
	    json_object_set_new(manifest->trigger_globals, *type, rest) < 0)
		return ociwp_nomem(err);
	return 0;
}

/* An id that is not valid gets '_' as '-' and lower case before it is judged. */
static int convert_id(const ociwp_fields *f, ociwp_component *component, ociw_error **err)
{
	const ociwp_toml_member *member;
	int r = ociwp_fields_need(f, "id", &member, err);
	if (r < 0 || (r = ociwp_fields_string(f, "id", &component->id, err)) < 0)
		return r;
	if (ociwp_kebab_id_valid(component->id, NULL))
		return 0;
	for (char *c = component->id; *c; c++)
		*c = *c == '_' ? '-' : ociwp_to_lower(*c);
	ociwp_name_error why = {""};
	if (ociwp_kebab_id_valid(component->id, &why))
		return 0;
	return ociwp_report_fail(f->report, (ociwp_where){member->value.at, NULL, "id"},
	                         OCIW_ERR_FORMAT, err, "component id %s: %s",
	                         ociwp_quote(component->id), why.text);
}

static int parse_config(const ociwp_fields *f, ociwp_component *component, ociw_error **err)
{
	const ociwp_toml_member *member = ociwp_fields_get(f, "config");
	for (size_t i = 0;
	     member && member->value.type == OCIWP_TOML_TABLE && i < member->value.count; i++) {
		const ociwp_toml_member *entry = &member->value.u.members[i];
		ociwp_name_error why = {""};
		if (!ociwp_snake_lower_id_valid(entry->key, &why))
			return ociwp_report_fail(f->report,
			                         (ociwp_where){entry->at, f->component, "variable"},
			                         OCIW_ERR_FORMAT, err, "variable %s: %s",
			                         ociwp_quote(entry->key), why.text);
	}
	return ociwp_fields_string_map(f, "config", &component->variables, err);
}

/* Version 1 apps could reach databases everywhere, unless they said which hosts they want. */
static int convert_hosts(const ociwp_fields *f, ociwp_component *component, ociw_error **err)
{
	static const char *const databases[] = {"redis://*:*", "mysql://*:*", "postgres://*:*"};
	int r = 0;
	for (size_t i = 0; r == 0 && i < 3 && !ociwp_fields_get(f, "allowed_outbound_hosts"); i++)
		r = ociwp_strings_add(&component->outbound_hosts, databases[i], component->at, err);
	if (r < 0)
		return r;
	return ociwp_hosts_convert_http(component, f->report, err);
}

static int add_trigger(const ociwp_fields *f, const char *type, const ociwp_component *component,
                       ociwp_spin_manifest *manifest, ociw_error **err)
{
	const ociwp_toml_member *member;
	int r = ociwp_fields_need(f, "trigger", &member, err);
	if (r < 0)
		return r;
	if (member->value.type != OCIWP_TOML_TABLE)
		return ociwp_fields_wrong_type(f, &member->value, "trigger", "a table", err);
	ociwp_trigger *trigger = ociwp_spin_manifest_add_trigger(manifest);
	if (!trigger)
		return ociwp_nomem(err);
	OCIWP_AUTO(buf) ociwp_buf id = OCIWP_BUF_INIT;
	ociwp_buf_printf(&id, "trigger-%s", component->id);
	trigger->at = member->at;
	trigger->type = ociwp_strdup(type);
	trigger->id = ociwp_buf_steal(&id);
	trigger->config = ociwp_toml_to_json(&member->value);
	trigger->has_component = true;
	trigger->component.reference = ociwp_strdup(component->id);
	trigger->component.at = component->at;
	if (!trigger->type || !trigger->id || !trigger->config || !trigger->component.reference)
		return ociwp_nomem(err);
	return 0;
}

/* The last of several with one id wins, at the place of the first (1.6); stricter unless asked. */
static int add_component(ociwp_spin_manifest *manifest, ociwp_component **take,
                         ociwp_report *report, ociw_error **err)
{
	for (size_t i = 0; i < manifest->component_count; i++) {
		if (!ociwp_streq(manifest->components[i]->id, (*take)->id))
			continue;
		if (!(report->flags & OCIWP_APP_COMPAT_SPIN))
			return ociwp_report_fail(
			        report, (ociwp_where){(*take)->at, (*take)->id, "duplicate"},
			        OCIW_ERR_FORMAT, err, "another component has this id, in line %u",
			        manifest->components[i]->at.line);
		ociwp_component_free(manifest->components[i]);
		manifest->components[i] = ociwp_steal(take);
		return 0;
	}
	return ociwp_spin_manifest_add(manifest, ociwp_steal(take), err);
}

static int parse_component(const ociwp_toml *value, const char *type, ociwp_report *report,
                           ociwp_spin_manifest *manifest, ociw_error **err)
{
	OCIWP_AUTO(component) ociwp_component *component = ociwp_new(ociwp_component);
	if (!component)
		return ociwp_nomem(err);
	component->at = value->at;
	ociwp_fields f = {report, NULL, "[[component]]", NULL};
	int r;
	if ((r = ociwp_fields_open(&f, value, component_keys, err)) < 0 ||
	    (r = convert_id(&f, component, err)) < 0)
		return r;
	f.component = component->id;
	if ((r = ociwp_component_parse_common(&f, 1, component, err)) < 0 ||
	    (r = parse_config(&f, component, err)) < 0 ||
	    (r = convert_hosts(&f, component, err)) < 0 ||
	    (r = add_trigger(&f, type, component, manifest, err)) < 0)
		return r;
	return add_component(manifest, &component, report, err);
}

static int parse_components(const ociwp_fields *top, const char *type,
                            ociwp_spin_manifest *manifest, ociw_error **err)
{
	const ociwp_toml_member *member = ociwp_fields_get(top, "component");
	if (!member || member->value.count == 0)
		return 0;
	if (member->value.type != OCIWP_TOML_ARRAY)
		return ociwp_fields_wrong_type(top, &member->value, "component",
		                               "an array of tables ([[component]])", err);
	if (member->value.count > OCIWP_MANIFEST_MAX_ITEMS)
		return ociwp_report_fail(top->report, (ociwp_where){member->at, NULL, "limit"},
		                         OCIW_ERR_LIMIT, err, "%zu components, at most %d are read",
		                         member->value.count, OCIWP_MANIFEST_MAX_ITEMS);
	int r = ociwp_strings_add(&manifest->trigger_types, type, member->at, err);
	for (size_t i = 0; r == 0 && i < member->value.count; i++)
		r = parse_component(&member->value.u.items[i], type, top->report, manifest, err);
	return r;
}

int ociwp_spin_manifest_parse_v1(const ociwp_toml *root, ociwp_report *report,
                                 ociwp_spin_manifest *manifest, ociw_error **err)
{
	ociwp_fields top = {report, NULL, "the manifest", NULL};
	OCIWP_AUTO(str) char *type = NULL;
	int r;
	if ((r = ociwp_fields_open(&top, root, top_keys, err)) < 0 ||
	    (r = ociwp_fields_need_string(&top, "name", &manifest->name, err)) < 0 ||
	    (r = text_or_empty(&top, "version", &manifest->version_text, err)) < 0 ||
	    (r = text_or_empty(&top, "description", &manifest->description, err)) < 0 ||
	    (r = ociwp_fields_strings(&top, "authors", &manifest->authors, err)) < 0 ||
	    (r = parse_trigger(&top, manifest, &type, err)) < 0 ||
	    (r = ociwp_spin_manifest_parse_variables(&top, manifest, err)) < 0)
		return r;
	return parse_components(&top, type, manifest, err);
}
