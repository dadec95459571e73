/* SPDX-License-Identifier: Apache-2.0
 *
 * Dependencies of components and triggers: their five forms and the rules between them
 * (specs/spin.md 1.3). Nothing is fetched or composed here.
 */
#include "spin/model.h"
#include "base/str.h"

static const char *const component_keys[] = {"version",   "registry", "package",
                                             "path",      "url",      "digest",
                                             "component", "export",   "inherit_configuration",
                                             NULL};
static const char *const trigger_keys[] = {
        "version", "registry", "package",   "path",
        "url",     "digest",   "component", "inherit_configuration",
        NULL};

static ociwp_where at(const ociwp_fields *f, ociwp_place place, const char *rule)
{
	return (ociwp_where){place, f->component, rule};
}

static int set_inherit_all(ociwp_dependency *dependency, ociw_error **err)
{
	json_decref(dependency->inherit);
	dependency->inherit = json_string("All");
	return dependency->inherit ? 0 : ociwp_nomem(err);
}

/* true: everything; a list: those; false or an empty list: nothing, which the lock leaves out. */
static int parse_inherit(const ociwp_fields *f, ociwp_dependency *dependency, ociw_error **err)
{
	const ociwp_toml_member *member = ociwp_fields_get(f, "inherit_configuration");
	if (!member)
		return 0;
	dependency->has_inherit = true;
	const ociwp_toml *value = &member->value;
	if (value->type == OCIWP_TOML_BOOLEAN)
		return value->u.boolean ? set_inherit_all(dependency, err) : 0;
	if (value->type != OCIWP_TOML_ARRAY)
		return ociwp_fields_wrong_type(f, value, member->key,
		                               "true, false or an array of strings", err);
	ociwp_strings names = {0};
	int r = ociwp_fields_strings(f, member->key, &names, err);
	if (r == 0 && names.count) {
		dependency->inherit = json_object();
		if (!dependency->inherit || json_object_set_new(dependency->inherit, "Some",
		                                                ociwp_strings_to_json(&names)) < 0)
			r = ociwp_nomem(err);
	}
	ociwp_strings_deinit(&names);
	return r;
}

/* Only the keys of one form may be there; @p form_keys ends with NULL. */
static int refuse_others(const ociwp_fields *f, const char *form, const char *const *form_keys,
                         ociw_error **err)
{
	for (size_t i = 0; i < f->table->count; i++) {
		const ociwp_toml_member *member = &f->table->u.members[i];
		bool known = ociwp_streq(member->key, "export") ||
		             ociwp_streq(member->key, "inherit_configuration");
		for (size_t k = 0; form_keys[k]; k++)
			known |= ociwp_streq(member->key, form_keys[k]);
		if (!known)
			return ociwp_report_fail(
			        f->report, at(f, member->at, "dependency"), OCIW_ERR_FORMAT, err,
			        "a dependency with \"%s\" cannot have \"%s\"", form, member->key);
	}
	return 0;
}

static int check_package(const ociwp_fields *f, ociwp_place place, const ociwp_app_source *source,
                         ociw_error **err)
{
	if (!ociwp_semver_requirement_valid(source->version))
		return ociwp_report_fail(f->report, at(f, place, "dependency"), OCIW_ERR_FORMAT,
		                         err, "%s is no version requirement",
		                         ociwp_quote(source->version));
	if (source->package && !ociwp_package_valid(source->package, strlen(source->package)))
		return ociwp_report_fail(
		        f->report, at(f, place, "dependency"), OCIW_ERR_FORMAT, err,
		        "%s is no package name (namespace:name in lower kebab-case)",
		        ociwp_quote(source->package));
	if (source->registry && !ociwp_registry_valid(source->registry))
		return ociwp_report_fail(f->report, at(f, place, "dependency"), OCIW_ERR_FORMAT,
		                         err, "%s is no registry (host or host:port)",
		                         ociwp_quote(source->registry));
	return 0;
}

static int parse_package(const ociwp_fields *f, bool trigger, ociwp_dependency *dependency,
                         ociw_error **err)
{
	static const char *const keys[] = {"version", "registry", "package", NULL};
	ociwp_app_source *source = &dependency->source;
	dependency->form = OCIWP_DEPENDENCY_PACKAGE;
	source->range = true;
	int r;
	if ((r = refuse_others(f, "version", keys, err)) < 0 ||
	    (r = ociwp_fields_need_string(f, "version", &source->version, err)) < 0 ||
	    (r = ociwp_fields_string(f, "registry", &source->registry, err)) < 0 ||
	    (r = trigger ? ociwp_fields_need_string(f, "package", &source->package, err)
	                 : ociwp_fields_string(f, "package", &source->package, err)) < 0)
		return r;
	return check_package(f, f->table->at, source, err);
}

static int parse_url(const ociwp_fields *f, ociwp_dependency *dependency, ociw_error **err)
{
	static const char *const keys[] = {"url", "digest", NULL};
	ociwp_app_source *source = &dependency->source;
	dependency->form = OCIWP_DEPENDENCY_URL;
	int r;
	if ((r = refuse_others(f, "url", keys, err)) < 0 ||
	    (r = ociwp_fields_need_string(f, "url", &source->url, err)) < 0 ||
	    (r = ociwp_fields_need_string(f, "digest", &source->digest, err)) < 0)
		return r;
	if (!ociwp_starts_with(source->digest, "sha256:"))
		return ociwp_report_fail(f->report, at(f, f->table->at, "source"), OCIW_ERR_FORMAT,
		                         err, "invalid `digest` %s; must start with 'sha256:'",
		                         ociwp_quote(source->digest));
	return 0;
}

static int parse_form(const ociwp_fields *f, bool trigger, ociwp_dependency *dependency,
                      ociw_error **err)
{
	static const char *const path_keys[] = {"path", NULL};
	static const char *const own_keys[] = {"component", NULL};
	int r;
	if (ociwp_fields_get(f, "path")) {
		dependency->form = OCIWP_DEPENDENCY_PATH;
		if ((r = refuse_others(f, "path", path_keys, err)) < 0)
			return r;
		return ociwp_fields_need_string(f, "path", &dependency->source.path, err);
	}
	if (ociwp_fields_get(f, "url") || ociwp_fields_get(f, "digest"))
		return parse_url(f, dependency, err);
	if (!ociwp_fields_get(f, "component"))
		return parse_package(f, trigger, dependency, err);
	dependency->form = OCIWP_DEPENDENCY_COMPONENT;
	if ((r = refuse_others(f, "component", own_keys, err)) < 0 ||
	    (r = ociwp_fields_need_string(f, "component", &dependency->component, err)) < 0)
		return r;
	ociwp_name_error why = {""};
	if (!ociwp_kebab_id_valid(dependency->component, &why))
		return ociwp_report_fail(f->report, at(f, f->table->at, "id"), OCIW_ERR_FORMAT, err,
		                         "component id %s: %s", ociwp_quote(dependency->component),
		                         why.text);
	return 0;
}

static int parse_table(const ociwp_fields *parent, const ociwp_toml *value, bool trigger,
                       ociwp_dependency *dependency, ociw_error **err)
{
	ociwp_fields f = {parent->report, value, "the dependency", parent->component};
	const ociwp_toml_member *sha256 =
	        value->type == OCIWP_TOML_TABLE ? ociwp_fields_get(&f, "sha256") : NULL;
	int r;
	if (sha256) /* Spin's own texts have it (spin.md 1.3) */
		return ociwp_report_fail(f.report, at(&f, sha256->at, "unknown-key"),
		                         OCIW_ERR_FORMAT, err,
		                         "unknown key \"sha256\" in the dependency: write digest = "
		                         "\"sha256:...\"");
	if ((r = ociwp_fields_open(&f, value, trigger ? trigger_keys : component_keys, err)) < 0 ||
	    (r = parse_form(&f, trigger, dependency, err)) < 0 ||
	    (r = ociwp_fields_string(&f, "export", &dependency->export_name, err)) < 0)
		return r;
	return parse_inherit(&f, dependency, err);
}

static int parse_named(const ociwp_fields *f, const ociwp_toml_member *member,
                       ociwp_dependency *dependency, ociw_error **err)
{
	ociwp_name_error why = {""};
	dependency->at = member->at;
	int r = ociwp_dependency_name_parse(member->key, &dependency->name, &why);
	if (r == OCIW_ERR_NOMEM)
		return ociwp_nomem(err);
	if (r < 0)
		return ociwp_report_fail(f->report, at(f, member->at, "dependency"),
		                         OCIW_ERR_FORMAT, err, "dependency %s: %s",
		                         ociwp_quote(member->key), why.text);
	if (member->value.type == OCIWP_TOML_TABLE)
		return parse_table(f, &member->value, false, dependency, err);
	if (member->value.type != OCIWP_TOML_STRING)
		return ociwp_fields_wrong_type(f, &member->value, member->key,
		                               "a version requirement or a table", err);
	dependency->form = OCIWP_DEPENDENCY_VERSION;
	dependency->source.range = true;
	dependency->source.version = ociwp_strdup(member->value.u.string);
	if (!dependency->source.version)
		return ociwp_nomem(err);
	return check_package(f, member->value.at, &dependency->source, err);
}

int ociwp_dependencies_parse(const ociwp_fields *f, ociwp_dependencies *out, ociw_error **err)
{
	const ociwp_toml_member *member = ociwp_fields_get(f, "dependencies");
	if (!member)
		return 0;
	ociwp_fields table = {f->report, NULL, "[dependencies]", f->component};
	int r = ociwp_fields_open(&table, &member->value, NULL, err);
	if (r == 0 && table.table->count > OCIWP_MANIFEST_MAX_DEPENDENCIES)
		return ociwp_report_fail(f->report, at(f, member->at, "limit"), OCIW_ERR_LIMIT, err,
		                         "more than %d dependencies",
		                         OCIWP_MANIFEST_MAX_DEPENDENCIES);
	for (size_t i = 0; r == 0 && i < table.table->count; i++) {
		ociwp_dependency *dependency = ociwp_dependencies_add(out);
		if (!dependency)
			return ociwp_nomem(err);
		r = parse_named(&table, &table.table->u.members[i], dependency, err);
	}
	return r;
}

static int parse_role(const ociwp_fields *f, const ociwp_toml_member *member, ociwp_role *role,
                      ociw_error **err)
{
	role->name = ociwp_strdup(member->key);
	if (!role->name)
		return ociwp_nomem(err);
	if (member->value.type != OCIWP_TOML_ARRAY)
		return ociwp_fields_wrong_type(f, &member->value, member->key, "an array of tables",
		                               err);
	if (member->value.count > OCIWP_MANIFEST_MAX_DEPENDENCIES)
		return ociwp_report_fail(f->report, at(f, member->at, "limit"), OCIW_ERR_LIMIT, err,
		                         "more than %d dependencies",
		                         OCIWP_MANIFEST_MAX_DEPENDENCIES);
	int r = 0;
	for (size_t i = 0; r == 0 && i < member->value.count; i++) {
		ociwp_dependency *dependency = ociwp_dependencies_add(&role->dependencies);
		if (!dependency)
			return ociwp_nomem(err);
		dependency->at = member->value.u.items[i].at;
		r = parse_table(f, &member->value.u.items[i], true, dependency, err);
	}
	return r;
}

int ociwp_trigger_roles_parse(const ociwp_fields *f, ociwp_trigger *trigger, ociw_error **err)
{
	const ociwp_toml_member *member = ociwp_fields_get(f, "dependencies");
	if (!member)
		return 0;
	ociwp_fields table = {f->report, NULL, "[dependencies] of a trigger", f->component};
	int r = ociwp_fields_open(&table, &member->value, NULL, err);
	for (size_t i = 0; r == 0 && i < table.table->count; i++) {
		ociwp_role *grown =
		        ociwp_grow_array(trigger->roles, trigger->role_count, sizeof(*grown));
		if (!grown)
			return ociwp_nomem(err);
		trigger->roles = grown;
		r = parse_role(&table, &table.table->u.members[i], &grown[trigger->role_count++],
		               err);
	}
	return r;
}

static int validate_one(const ociwp_component *component, const ociwp_dependency *dependency,
                        ociwp_report *report, ociw_error **err)
{
	ociwp_where where = {dependency->at, component->id, "dependency"};
	bool package = dependency->form == OCIWP_DEPENDENCY_PACKAGE;
	if (dependency->name.plain && (dependency->form == OCIWP_DEPENDENCY_VERSION ||
	                               (package && !dependency->source.package)))
		return ociwp_report_fail(report, where, OCIW_ERR_FORMAT, err,
		                         "dependency %s must specify a package name",
		                         ociwp_quote(dependency->name.text));
	if (!dependency->name.plain && !dependency->name.interface && dependency->export_name &&
	    (package || dependency->form == OCIWP_DEPENDENCY_PATH))
		return ociwp_report_fail(
		        report, where, OCIW_ERR_FORMAT, err,
		        "dependency %s names a package: it cannot have an `export`",
		        ociwp_quote(dependency->name.text));
	return 0;
}

int ociwp_dependencies_validate(const ociwp_component *component, ociwp_report *report,
                                ociw_error **err)
{
	const ociwp_dependencies *all = &component->dependencies;
	for (size_t i = 0; i < all->count; i++) {
		int r = validate_one(component, &all->items[i], report, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < all->count; i++) {
		for (size_t k = i + 1; k < all->count; k++) {
			if (ociwp_dependency_name_disjoint(&all->items[i].name,
			                                   &all->items[k].name))
				continue;
			ociwp_where where = {all->items[k].at, component->id, "dependency"};
			return ociwp_report_fail(report, where, OCIW_ERR_FORMAT, err,
			                         "dependency %s conflicts with %s",
			                         ociwp_quote(all->items[i].name.text),
			                         ociwp_quote(all->items[k].name.text));
		}
	}
	return 0;
}
