/* SPDX-License-Identifier: Apache-2.0
 *
 * The trigger table of a version 2 manifest (specs/spin.md 1.3): entries by type, their component,
 * inline or by name, and everything else kept as opaque configuration.
 */
#include "spin/model.h"
#include "base/str.h"

static int parse_spec(const ociwp_fields *f, const ociwp_toml *value, const char *key,
                      ociwp_component_spec *spec, ociw_error **err)
{
	spec->at = value->at;
	if (value->type == OCIWP_TOML_TABLE)
		return ociwp_component_parse(value, NULL, value->at, f->report,
		                             &spec->inline_component, err);
	if (value->type != OCIWP_TOML_STRING)
		return ociwp_fields_wrong_type(f, value, key, "a component id or a table", err);
	ociwp_name_error why = {""};
	if (!ociwp_kebab_id_valid(value->u.string, &why))
		return ociwp_report_fail(f->report, (ociwp_where){value->at, NULL, "id"},
		                         OCIW_ERR_FORMAT, err, "component id %s: %s",
		                         ociwp_quote(value->u.string), why.text);
	spec->reference = ociwp_strdup(value->u.string);
	return spec->reference ? 0 : ociwp_nomem(err);
}

static int add_other(const ociwp_fields *f, const ociwp_toml *value, const char *key,
                     ociwp_trigger *trigger, ociw_error **err)
{
	ociwp_component_spec *grown =
	        ociwp_grow_array(trigger->others, trigger->other_count, sizeof(*grown));
	if (!grown)
		return ociwp_nomem(err);
	trigger->others = grown;
	return parse_spec(f, value, key, &grown[trigger->other_count++], err);
}

/* `components.ROLE` = one or an array of specs. */
static int parse_others(const ociwp_fields *f, const ociwp_toml *value, ociwp_trigger *trigger,
                        ociw_error **err)
{
	if (value->type != OCIWP_TOML_TABLE)
		return ociwp_fields_wrong_type(f, value, "components", "a table", err);
	int r = 0;
	for (size_t i = 0; r == 0 && i < value->count; i++) {
		const ociwp_toml_member *role = &value->u.members[i];
		if (role->value.type != OCIWP_TOML_ARRAY) {
			r = add_other(f, &role->value, role->key, trigger, err);
			continue;
		}
		for (size_t k = 0; r == 0 && k < role->value.count; k++)
			r = add_other(f, &role->value.u.items[k], role->key, trigger, err);
	}
	return r;
}

static int add_opaque(ociwp_trigger *trigger, const ociwp_toml_member *member, ociw_error **err)
{
	if (json_object_set_new(trigger->config, member->key, ociwp_toml_to_json(&member->value)) <
	    0)
		return ociwp_nomem(err);
	return 0;
}

static int parse_member(const ociwp_fields *f, const ociwp_toml_member *member,
                        ociwp_trigger *trigger, ociw_error **err)
{
	if (ociwp_streq(member->key, "id"))
		return ociwp_fields_string(f, "id", &trigger->id, err);
	if (ociwp_streq(member->key, "component")) {
		trigger->has_component = true;
		return parse_spec(f, &member->value, "component", &trigger->component, err);
	}
	if (ociwp_streq(member->key, "components"))
		return parse_others(f, &member->value, trigger, err);
	if (ociwp_streq(member->key, "dependencies"))
		return ociwp_trigger_roles_parse(f, trigger, err);
	return add_opaque(trigger, member, err);
}

static int parse_trigger(const ociwp_toml *value, const char *type, ociwp_report *report,
                         ociwp_spin_manifest *manifest, ociw_error **err)
{
	ociwp_trigger *trigger = ociwp_spin_manifest_add_trigger(manifest);
	if (!trigger)
		return ociwp_nomem(err);
	trigger->at = value->at;
	trigger->type = ociwp_strdup(type);
	trigger->id = ociwp_strdup("");
	trigger->config = json_object();
	if (!trigger->type || !trigger->id || !trigger->config)
		return ociwp_nomem(err);
	ociwp_fields f = {report, NULL, "a trigger", NULL};
	int r = ociwp_fields_open(&f, value, NULL, err);
	for (size_t i = 0; r == 0 && i < value->count; i++)
		r = parse_member(&f, &value->u.members[i], trigger, err);
	return r;
}

static int parse_type(const ociwp_fields *f, const ociwp_toml_member *member,
                      ociwp_spin_manifest *manifest, ociw_error **err)
{
	int r = ociwp_strings_add(&manifest->trigger_types, member->key, member->at, err);
	if (r < 0)
		return r;
	if (member->value.type != OCIWP_TOML_ARRAY)
		return ociwp_fields_wrong_type(f, &member->value, member->key,
		                               "an array of tables ([[trigger.TYPE]])", err);
	if (member->value.count > OCIWP_MANIFEST_MAX_ITEMS - manifest->trigger_count)
		return ociwp_report_fail(f->report, (ociwp_where){member->at, NULL, "limit"},
		                         OCIW_ERR_LIMIT, err, "more than %d triggers",
		                         OCIWP_MANIFEST_MAX_ITEMS);
	for (size_t i = 0; r == 0 && i < member->value.count; i++)
		r = parse_trigger(&member->value.u.items[i], member->key, f->report, manifest, err);
	return r;
}

int ociwp_triggers_parse(const ociwp_fields *top, ociwp_spin_manifest *manifest, ociw_error **err)
{
	const ociwp_toml_member *member;
	int r = ociwp_fields_need(top, "trigger", &member, err);
	if (r < 0)
		return r;
	ociwp_fields f = {top->report, NULL, "[trigger]", NULL};
	r = ociwp_fields_open(&f, &member->value, NULL, err);
	for (size_t i = 0; r == 0 && i < f.table->count; i++)
		r = parse_type(&f, &f.table->u.members[i], manifest, err);
	return r;
}
