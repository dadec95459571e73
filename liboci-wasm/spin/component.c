/* SPDX-License-Identifier: Apache-2.0
 *
 * A component table (specs/spin.md 1.3): every key but `dependencies`, which is dependency.c. Shape
 * only: hosts and file patterns are judged later.
 */
#include "spin/model.h"
#include "base/str.h"

static const char *const component_keys[] = {"source",
                                             "description",
                                             "variables",
                                             "environment",
                                             "files",
                                             "exclude_files",
                                             "allowed_outbound_hosts",
                                             "allowed_http_hosts",
                                             "key_value_stores",
                                             "sqlite_databases",
                                             "ai_models",
                                             "targets",
                                             "build",
                                             "tool",
                                             "dependencies_inherit_configuration",
                                             "dependencies",
                                             "profile",
                                             NULL};
static const char *const build_keys[] = {"command", "workdir", "watch", NULL};
static const char *const profile_build_keys[] = {"command", NULL};
static const char *const profile_keys[] = {"source", "environment", "dependencies", "build", NULL};
static const char *const placement_keys[] = {"source", "destination", NULL};
static const char *const source_keys[] = {"url", "digest", "registry", "package", "version", NULL};

static ociwp_where at(const ociwp_fields *f, ociwp_place place, const char *rule)
{
	return (ociwp_where){place, f->component, rule};
}

/* url + digest, or package + version (+ registry): other mixtures match no form. */
static int parse_source_table(const ociwp_fields *f, const ociwp_toml *value, ociwp_app_source *out,
                              ociw_error **err)
{
	ociwp_fields s = {f->report, value, "the source", f->component};
	const ociwp_toml_member *path = ociwp_fields_get(&s, "path");
	if (path) /* as dependencies have it */
		return ociwp_report_fail(f->report, at(f, path->at, "unknown-key"), OCIW_ERR_FORMAT,
		                         err,
		                         "unknown key \"path\" in the source: a local path is text "
		                         "alone, source = \"FILE\"");
	int r = ociwp_fields_open(&s, value, source_keys, err);
	if (r < 0)
		return r;
	bool url = ociwp_fields_get(&s, "url") || ociwp_fields_get(&s, "digest");
	bool package = ociwp_fields_get(&s, "package") || ociwp_fields_get(&s, "version") ||
	               ociwp_fields_get(&s, "registry");
	if (url == package)
		return ociwp_report_fail(f->report, at(f, value->at, "source"), OCIW_ERR_FORMAT,
		                         err,
		                         "the source must be a path, {url, digest}, or {registry, "
		                         "package, version}");
	if (url) {
		if ((r = ociwp_fields_need_string(&s, "url", &out->url, err)) < 0)
			return r;
		return ociwp_fields_need_string(&s, "digest", &out->digest, err);
	}
	if ((r = ociwp_fields_string(&s, "registry", &out->registry, err)) < 0 ||
	    (r = ociwp_fields_need_string(&s, "package", &out->package, err)) < 0 ||
	    (r = ociwp_fields_need_string(&s, "version", &out->version, err)) < 0)
		return r;
	ociwp_semver version;
	if (!ociwp_semver_parse(out->version, strlen(out->version), &version))
		return ociwp_report_fail(f->report, at(f, value->at, "source"), OCIW_ERR_FORMAT,
		                         err, "%s is no full version (1.2.3)",
		                         ociwp_quote(out->version));
	return 0;
}

/* The forms that need no look at the network (2.3, errors at load). */
static int check_source(const ociwp_fields *f, ociwp_place place, const ociwp_app_source *source,
                        ociw_error **err)
{
	ociwp_where where = at(f, place, "source");
	if (source->digest && !ociwp_starts_with(source->digest, "sha256:"))
		return ociwp_report_fail(f->report, where, OCIW_ERR_FORMAT, err,
		                         "invalid `digest` %s; must start with 'sha256:'",
		                         ociwp_quote(source->digest));
	if (source->package && !ociwp_package_valid(source->package, strlen(source->package)))
		return ociwp_report_fail(
		        f->report, where, OCIW_ERR_FORMAT, err,
		        "%s is no package name (namespace:name in lower kebab-case)",
		        ociwp_quote(source->package));
	if (source->registry && !ociwp_registry_valid(source->registry))
		return ociwp_report_fail(f->report, where, OCIW_ERR_FORMAT, err,
		                         "%s is no registry (host or host:port)",
		                         ociwp_quote(source->registry));
	return 0;
}

int ociwp_source_parse(const ociwp_fields *f, const ociwp_toml_member *member,
                       ociwp_app_source *out, ociw_error **err)
{
	const ociwp_toml *value = &member->value;
	if (value->type == OCIWP_TOML_STRING) {
		out->path = ociwp_strdup(value->u.string);
		return out->path ? 0 : ociwp_nomem(err);
	}
	if (value->type != OCIWP_TOML_TABLE)
		return ociwp_fields_wrong_type(f, value, member->key, "a path or a table", err);
	int r = parse_source_table(f, value, out, err);
	return r < 0 ? r : check_source(f, value->at, out, err);
}

static int parse_files_entry(const ociwp_fields *f, const ociwp_toml *value,
                             ociwp_files_entry *entry, ociw_error **err)
{
	entry->at = value->at;
	if (value->type == OCIWP_TOML_STRING) {
		entry->source = ociwp_strdup(value->u.string);
		return entry->source ? 0 : ociwp_nomem(err);
	}
	if (value->type != OCIWP_TOML_TABLE)
		return ociwp_fields_wrong_type(f, value, "files",
		                               "patterns or {source, destination} tables", err);
	ociwp_fields placement = {f->report, NULL, "an entry of \"files\"", f->component};
	int r;
	if ((r = ociwp_fields_open(&placement, value, placement_keys, err)) < 0 ||
	    (r = ociwp_fields_need_string(&placement, "source", &entry->source, err)) < 0)
		return r;
	return ociwp_fields_need_string(&placement, "destination", &entry->destination, err);
}

static int parse_files(const ociwp_fields *f, ociwp_component *component, ociw_error **err)
{
	const ociwp_toml_member *member = ociwp_fields_get(f, "files");
	if (!member)
		return 0;
	if (member->value.type != OCIWP_TOML_ARRAY)
		return ociwp_fields_wrong_type(f, &member->value, "files", "an array", err);
	int r = 0;
	for (size_t i = 0; r == 0 && i < member->value.count; i++) {
		ociwp_files_entry *grown =
		        ociwp_grow_array(component->files, component->file_count, sizeof(*grown));
		if (!grown)
			return ociwp_nomem(err);
		component->files = grown;
		r = parse_files_entry(f, &member->value.u.items[i], &grown[component->file_count++],
		                      err);
	}
	return r;
}

/* `command`: a string or an array of strings. */
static int parse_command(const ociwp_fields *f, json_t **out, ociw_error **err)
{
	const ociwp_toml_member *member;
	int r = ociwp_fields_need(f, "command", &member, err);
	if (r < 0)
		return r;
	const ociwp_toml *value = &member->value;
	bool good = value->type == OCIWP_TOML_STRING || value->type == OCIWP_TOML_ARRAY;
	for (size_t i = 0; value->type == OCIWP_TOML_ARRAY && i < value->count; i++)
		good &= value->u.items[i].type == OCIWP_TOML_STRING;
	if (!good)
		return ociwp_fields_wrong_type(f, value, "command",
		                               "a string or an array of strings", err);
	*out = ociwp_toml_to_json(value);
	return *out ? 0 : ociwp_nomem(err);
}

static int parse_build(const ociwp_fields *f, ociwp_component *component, ociw_error **err)
{
	const ociwp_toml_member *member = ociwp_fields_get(f, "build");
	if (!member)
		return 0;
	ociwp_fields b = {f->report, NULL, "[build]", f->component};
	OCIWP_AUTO(json) json_t *command = NULL;
	OCIWP_AUTO(str) char *workdir = NULL;
	ociwp_strings watch = {0};
	int r;
	if ((r = ociwp_fields_open(&b, &member->value, build_keys, err)) < 0 ||
	    (r = parse_command(&b, &command, err)) < 0 ||
	    (r = ociwp_fields_string(&b, "workdir", &workdir, err)) < 0 ||
	    (r = ociwp_fields_strings(&b, "watch", &watch, err)) < 0)
		goto out;
	r = OCIW_ERR_NOMEM;
	component->build = json_object();
	if (!component->build || json_object_set(component->build, "command", command) < 0 ||
	    (workdir &&
	     json_object_set_new(component->build, "workdir", json_string(workdir)) < 0) ||
	    (watch.count &&
	     json_object_set_new(component->build, "watch", ociwp_strings_to_json(&watch)) < 0))
		ociwp_nomem(err);
	else
		r = 0;
out:
	ociwp_strings_deinit(&watch);
	return r;
}

/* @p free: any text, as version 1 took it (1.2). */
static int parse_labels(const ociwp_fields *f, const char *key, bool free, ociwp_strings *out,
                        ociw_error **err)
{
	int r = ociwp_fields_strings(f, key, out, err);
	for (size_t i = 0; r == 0 && !free && i < out->count; i++)
		if (!ociwp_label_valid(out->items[i]))
			r = ociwp_report_fail(f->report, at(f, out->places[i], "label"),
			                      OCIW_ERR_FORMAT, err,
			                      "%s: expected kebab-case or snake_case, got %s", key,
			                      ociwp_quote(out->items[i]));
	return r;
}

int ociwp_component_parse_common(const ociwp_fields *f, int version, ociwp_component *component,
                                 ociw_error **err)
{
	bool v1 = version == 1;
	const ociwp_toml_member *source;
	int r = ociwp_fields_need(f, "source", &source, err);
	if (r < 0)
		return r;
	component->source_at = source->value.at;
	if ((r = ociwp_source_parse(f, source, &component->source, err)) < 0 ||
	    (r = ociwp_fields_string(f, "description", &component->description, err)) < 0 ||
	    (r = ociwp_fields_string_map(f, "environment", &component->environment, err)) < 0 ||
	    (r = parse_files(f, component, err)) < 0 ||
	    (r = ociwp_fields_strings(f, "exclude_files", &component->exclude_files, err)) < 0 ||
	    (r = ociwp_fields_strings(f, "allowed_outbound_hosts", &component->outbound_hosts,
	                              err)) < 0 ||
	    (r = ociwp_fields_strings(f, "allowed_http_hosts", &component->http_hosts, err)) < 0 ||
	    (r = parse_labels(f, "key_value_stores", v1, &component->key_value_stores, err)) < 0 ||
	    (r = parse_labels(f, "sqlite_databases", v1, &component->sqlite_databases, err)) < 0 ||
	    (r = ociwp_fields_strings(f, "ai_models", &component->ai_models, err)) < 0)
		return r;
	return parse_build(f, component, err);
}

static int parse_profile(const ociwp_fields *f, const ociwp_toml_member *member,
                         ociwp_profile *profile, ociw_error **err)
{
	ociwp_fields p = {f->report, NULL, "a profile", f->component};
	int r = ociwp_fields_open(&p, &member->value, profile_keys, err);
	if (r < 0)
		return r;
	profile->at = member->at;
	profile->name = ociwp_strdup(member->key);
	if (!profile->name)
		return ociwp_nomem(err);
	const ociwp_toml_member *source = ociwp_fields_get(&p, "source");
	profile->has_source = source != NULL;
	if ((source && (r = ociwp_source_parse(&p, source, &profile->source, err)) < 0) ||
	    (r = ociwp_fields_string_map(&p, "environment", &profile->environment, err)) < 0 ||
	    (r = ociwp_dependencies_parse(&p, &profile->dependencies, err)) < 0)
		return r;
	const ociwp_toml_member *build = ociwp_fields_get(&p, "build");
	if (!build)
		return 0;
	ociwp_fields b = {f->report, NULL, "[build] of a profile", f->component};
	r = ociwp_fields_open(&b, &build->value, profile_build_keys, err);
	return r < 0 ? r : parse_command(&b, &profile->build_command, err);
}

static int parse_profiles(const ociwp_fields *f, ociwp_component *component, ociw_error **err)
{
	const ociwp_toml_member *member = ociwp_fields_get(f, "profile");
	if (!member)
		return 0;
	ociwp_fields p = {f->report, NULL, "[profile]", f->component};
	int r = ociwp_fields_open(&p, &member->value, NULL, err);
	for (size_t i = 0; r == 0 && i < p.table->count; i++) {
		ociwp_profile *grown = ociwp_grow_array(component->profiles,
		                                        component->profile_count, sizeof(*grown));
		if (!grown)
			return ociwp_nomem(err);
		component->profiles = grown;
		r = parse_profile(f, &p.table->u.members[i], &grown[component->profile_count++],
		                  err);
	}
	return r;
}

static int parse_variables(const ociwp_fields *f, ociwp_component *component, ociw_error **err)
{
	const ociwp_toml_member *member = ociwp_fields_get(f, "variables");
	for (size_t i = 0;
	     member && member->value.type == OCIWP_TOML_TABLE && i < member->value.count; i++) {
		const ociwp_toml_member *entry = &member->value.u.members[i];
		ociwp_name_error why = {""};
		if (!ociwp_snake_lower_id_valid(entry->key, &why))
			return ociwp_report_fail(f->report, at(f, entry->at, "variable"),
			                         OCIW_ERR_FORMAT, err, "variable %s: %s",
			                         ociwp_quote(entry->key), why.text);
	}
	return ociwp_fields_string_map(f, "variables", &component->variables, err);
}

int ociwp_component_parse(const ociwp_toml *value, const char *id, ociwp_place place,
                          ociwp_report *report, ociwp_component **out, ociw_error **err)
{
	OCIWP_AUTO(component) ociwp_component *component = ociwp_new(ociwp_component);
	if (!component || (id && !(component->id = ociwp_strdup(id))))
		return ociwp_nomem(err);
	component->at = place;
	ociwp_fields f = {report, NULL, id ? "the component" : "the inline component", id};
	int r;
	if ((r = ociwp_fields_open(&f, value, component_keys, err)) < 0 ||
	    (r = ociwp_component_parse_common(&f, 2, component, err)) < 0 ||
	    (r = parse_variables(&f, component, err)) < 0 ||
	    (r = ociwp_fields_table_map(&f, "tool", NULL, err)) < 0 ||
	    (r = ociwp_dependencies_parse(&f, &component->dependencies, err)) < 0 ||
	    (r = parse_profiles(&f, component, err)) < 0)
		return r;
	const ociwp_toml_member *inherit =
	        ociwp_fields_get(&f, "dependencies_inherit_configuration");
	component->has_inherit_all = inherit != NULL;
	if (inherit)
		component->inherit_all_at = inherit->at;
	r = ociwp_fields_bool(&f, "dependencies_inherit_configuration", &component->inherit_all,
	                      err);
	if (r < 0)
		return r;
	*out = ociwp_steal(&component);
	return 0;
}
