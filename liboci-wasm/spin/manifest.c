/* SPDX-License-Identifier: Apache-2.0
 *
 * Which version a manifest is (specs/spin.md 1.1), and version 2 down to variables and triggers
 * (1.3). Components are component.c and dependency.c; version 1 is manifest-v1.c.
 */
#include "spin/model.h"
#include "base/str.h"

static const char *const top_keys[] = {
        "spin_manifest_version", "application", "variables", "trigger", "component", NULL};
static const char *const application_keys[] = {"name",    "version", "description", "authors",
                                               "targets", "trigger", "tool",        NULL};
static const char *const own_keys[] = {"annotations", NULL};
static const char *const variable_keys[] = {"description", "required", "default", "secret", NULL};

static int text_or_empty(const ociwp_fields *f, const char *key, char **out, ociw_error **err)
{
	int r = ociwp_fields_string(f, key, out, err);
	if (r == 0 && !*out && !(*out = ociwp_strdup("")))
		return ociwp_nomem(err);
	return r;
}

/* `targets` is not used when packing, but a misspelt one is better found here. */
static int check_targets(const ociwp_fields *f, ociw_error **err)
{
	static const char *const keys[] = {"url", "path", "registry", "id", NULL};
	const ociwp_toml_member *member = ociwp_fields_get(f, "targets");
	if (!member)
		return 0;
	if (member->value.type != OCIWP_TOML_ARRAY)
		return ociwp_fields_wrong_type(f, &member->value, "targets", "an array", err);
	for (size_t i = 0; i < member->value.count; i++) {
		const ociwp_toml *item = &member->value.u.items[i];
		if (item->type == OCIWP_TOML_STRING)
			continue;
		ociwp_fields target = {f->report, NULL, "an entry of \"targets\"", f->component};
		int r = ociwp_fields_open(&target, item, keys, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The table that is ours (7.1). Spin reads no tool's table, so neither does who follows Spin. */
static int parse_own_tool(const ociwp_fields *application, ociwp_spin_manifest *manifest,
                          ociw_error **err)
{
	const ociwp_toml_member *tool = ociwp_fields_get(application, "tool");
	if (!tool || application->report->flags & OCIWP_APP_COMPAT_SPIN)
		return 0;
	ociwp_fields tools = {application->report, &tool->value, "[application.tool]", NULL};
	const ociwp_toml_member *own = ociwp_fields_get(&tools, "oci-wasm");
	if (!own)
		return 0;
	ociwp_fields f = {application->report, NULL, "[application.tool.oci-wasm]", NULL};
	int r = ociwp_fields_open(&f, &own->value, own_keys, err);
	if (r == 0)
		r = ociwp_fields_string_map(&f, "annotations", &manifest->annotations, err);
	if (r == 0 && json_object_get(manifest->annotations, ""))
		r = ociwp_report_fail(f.report, (ociwp_where){own->at, NULL, "annotation"},
		                      OCIW_ERR_FORMAT, err, "an annotation has no key");
	return r;
}

static int parse_application(const ociwp_fields *top, ociwp_spin_manifest *manifest,
                             ociw_error **err)
{
	const ociwp_toml_member *member;
	int r = ociwp_fields_need(top, "application", &member, err);
	if (r < 0)
		return r;
	ociwp_fields f = {top->report, NULL, "[application]", NULL};
	if ((r = ociwp_fields_open(&f, &member->value, application_keys, err)) < 0 ||
	    (r = ociwp_fields_need_string(&f, "name", &manifest->name, err)) < 0 ||
	    (r = text_or_empty(&f, "version", &manifest->version_text, err)) < 0 ||
	    (r = text_or_empty(&f, "description", &manifest->description, err)) < 0 ||
	    (r = ociwp_fields_strings(&f, "authors", &manifest->authors, err)) < 0 ||
	    (r = check_targets(&f, err)) < 0 ||
	    (r = ociwp_fields_table_map(&f, "trigger", &manifest->trigger_globals, err)) < 0 ||
	    (r = ociwp_fields_table_map(&f, "tool", NULL, err)) < 0)
		return r;
	return parse_own_tool(&f, manifest, err);
}

static int parse_variable(const ociwp_fields *top, const ociwp_toml_member *member,
                          ociwp_variable *variable, ociw_error **err)
{
	ociwp_fields f = {top->report, NULL, "a variable", NULL};
	ociwp_where where = {member->at, NULL, "variable"};
	ociwp_name_error why = {""};
	variable->at = member->at;
	if (!ociwp_snake_lower_id_valid(member->key, &why))
		return ociwp_report_fail(top->report, where, OCIW_ERR_FORMAT, err,
		                         "variable %s: %s", ociwp_quote(member->key), why.text);
	variable->name = ociwp_strdup(member->key);
	if (!variable->name)
		return ociwp_nomem(err);
	int r;
	if ((r = ociwp_fields_open(&f, &member->value, variable_keys, err)) < 0 ||
	    (r = ociwp_fields_string(&f, "description", &variable->description, err)) < 0 ||
	    (r = ociwp_fields_string(&f, "default", &variable->default_value, err)) < 0 ||
	    (r = ociwp_fields_bool(&f, "required", &variable->required, err)) < 0 ||
	    (r = ociwp_fields_bool(&f, "secret", &variable->secret, err)) < 0)
		return r;
	if (variable->required == (variable->default_value != NULL))
		return ociwp_report_fail(top->report, where, OCIW_ERR_FORMAT, err,
		                         "variable %s must be `required` or have a `default`, %s",
		                         ociwp_quote(member->key),
		                         variable->required ? "not both" : "and has neither");
	return 0;
}

int ociwp_spin_manifest_parse_variables(const ociwp_fields *top, ociwp_spin_manifest *manifest,
                                        ociw_error **err)
{
	const ociwp_toml_member *member = ociwp_fields_get(top, "variables");
	if (!member)
		return 0;
	ociwp_fields f = {top->report, NULL, "[variables]", NULL};
	int r = ociwp_fields_open(&f, &member->value, NULL, err);
	for (size_t i = 0; r == 0 && i < f.table->count; i++) {
		ociwp_variable *grown = ociwp_grow_array(manifest->variables,
		                                         manifest->variable_count, sizeof(*grown));
		if (!grown)
			return ociwp_nomem(err);
		manifest->variables = grown;
		r = parse_variable(&f, &f.table->u.members[i], &grown[manifest->variable_count++],
		                   err);
	}
	return r;
}

static int parse_components(const ociwp_fields *top, ociwp_spin_manifest *manifest,
                            ociw_error **err)
{
	const ociwp_toml_member *member = ociwp_fields_get(top, "component");
	if (!member)
		return 0;
	ociwp_fields f = {top->report, NULL, "[component]", NULL};
	if (member->value.type == OCIWP_TOML_ARRAY)
		return ociwp_report_fail(
		        top->report, (ociwp_where){member->value.at, NULL, "wrong-type"},
		        OCIW_ERR_FORMAT, err,
		        "[[component]] is of version 1: in version 2 a component is [component.ID]");
	int r = ociwp_fields_open(&f, &member->value, NULL, err);
	if (r == 0 && f.table->count > OCIWP_MANIFEST_MAX_ITEMS)
		return ociwp_report_fail(top->report, (ociwp_where){member->at, NULL, "limit"},
		                         OCIW_ERR_LIMIT, err, "%zu components, at most %d are read",
		                         f.table->count, OCIWP_MANIFEST_MAX_ITEMS);
	for (size_t i = 0; r == 0 && i < f.table->count; i++) {
		const ociwp_toml_member *entry = &f.table->u.members[i];
		ociwp_name_error why = {""};
		if (!ociwp_kebab_id_valid(entry->key, &why))
			return ociwp_report_fail(top->report, (ociwp_where){entry->at, NULL, "id"},
			                         OCIW_ERR_FORMAT, err, "component id %s: %s",
			                         ociwp_quote(entry->key), why.text);
		ociwp_component *component = NULL;
		r = ociwp_component_parse(&entry->value, entry->key, entry->at, top->report,
		                          &component, err);
		if (r == 0)
			r = ociwp_spin_manifest_add(manifest, component, err);
	}
	return r;
}

/* What version 1 has at the top. */
static int check_moved(const ociwp_toml *root, ociwp_report *report, ociw_error **err)
{
	static const char *const moved[] = {"name", "version", "description", "authors"};
	ociwp_fields top = {report, root, NULL, NULL};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(moved); i++) {
		const ociwp_toml_member *member = ociwp_fields_get(&top, moved[i]);
		if (member)
			return ociwp_report_fail(
			        report, (ociwp_where){member->at, NULL, "unknown-key"},
			        OCIW_ERR_FORMAT, err,
			        "unknown key \"%s\" in the manifest: in version 2 it belongs in "
			        "[application]",
			        moved[i]);
	}
	return 0;
}

static int parse_v2(const ociwp_toml *root, ociwp_report *report, ociwp_spin_manifest *manifest,
                    ociw_error **err)
{
	ociwp_fields top = {report, NULL, "the manifest", NULL};
	int r;
	if ((r = check_moved(root, report, err)) < 0 ||
	    (r = ociwp_fields_open(&top, root, top_keys, err)) < 0 ||
	    (r = parse_application(&top, manifest, err)) < 0 ||
	    (r = ociwp_spin_manifest_parse_variables(&top, manifest, err)) < 0 ||
	    (r = ociwp_triggers_parse(&top, manifest, err)) < 0)
		return r;
	return parse_components(&top, manifest, err);
}

/* 1.1: the string "1", or the integer 2; `spin_version` is the old name, of version 1 only. */
static int detect_version(const ociwp_toml *root, ociwp_report *report, int *version,
                          ociw_error **err)
{
	ociwp_fields top = {report, root, "the manifest", NULL};
	const ociwp_toml_member *member = ociwp_fields_get(&top, "spin_manifest_version");
	const ociwp_toml_member *alias = ociwp_fields_get(&top, "spin_version");
	if (member && alias)
		return ociwp_report_fail(report, (ociwp_where){alias->at, NULL, "manifest-version"},
		                         OCIW_ERR_FORMAT, err,
		                         "both spin_manifest_version and spin_version are there");
	if (!member && !alias)
		return ociwp_fields_need(&top, "spin_manifest_version", &member, err);
	const ociwp_toml *value = member ? &member->value : &alias->value;
	if (value->type == OCIWP_TOML_STRING && ociwp_streq(value->u.string, "1")) {
		*version = 1;
		return 0;
	}
	if (value->type == OCIWP_TOML_INTEGER && value->u.integer == 2) {
		if (alias)
			return ociwp_report_fail(report,
			                         (ociwp_where){alias->at, NULL, "unknown-key"},
			                         OCIW_ERR_FORMAT, err,
			                         "unknown key \"spin_version\": in version 2 it is "
			                         "\"spin_manifest_version\"");
		*version = 2;
		return 0;
	}
	return ociwp_report_fail(
	        report, (ociwp_where){value->at, NULL, "manifest-version"}, OCIW_ERR_FORMAT, err,
	        "unknown manifest version: it is either \"1\", a string, or 2, a number");
}

int ociwp_spin_manifest_parse(const ociwp_toml *root, ociwp_report *report,
                              ociwp_spin_manifest **out, ociw_error **err)
{
	OCIWP_AUTO(spin_manifest) ociwp_spin_manifest *manifest = ociwp_new(ociwp_spin_manifest);
	if (!manifest)
		return ociwp_nomem(err);
	int r = detect_version(root, report, &manifest->version, err);
	if (r < 0)
		return r;
	r = manifest->version == 1 ? ociwp_spin_manifest_parse_v1(root, report, manifest, err)
	                           : parse_v2(root, report, manifest, err);
	if (r < 0)
		return r;
	if (!manifest->trigger_globals && !(manifest->trigger_globals = json_object()))
		return ociwp_nomem(err);
	*out = ociwp_steal(&manifest);
	return 0;
}
