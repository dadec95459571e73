/* SPDX-License-Identifier: Apache-2.0
 *
 * A manifest as it was written (specs/spin.md 1.3): version 2's shape, which version 1 is converted
 * to. Made by manifest.c and manifest-v1.c, changed by normalize.c, read by app.c.
 */
#ifndef OCIW_SPIN_MODEL_H
#define OCIW_SPIN_MODEL_H

#include "spin/app.h"
#include "spin/fields.h"
#include "spin/names.h"

typedef enum ociwp_dependency_form {
	OCIWP_DEPENDENCY_VERSION, /* "1.2": of the dependency's own package */
	OCIWP_DEPENDENCY_PACKAGE,
	OCIWP_DEPENDENCY_PATH,
	OCIWP_DEPENDENCY_URL,
	OCIWP_DEPENDENCY_COMPONENT
} ociwp_dependency_form;

typedef struct ociwp_dependency {
	ociwp_dependency_name name; /* empty in trigger dependencies */
	ociwp_dependency_form form;
	ociwp_app_source source; /* as written; path relative to the app */
	char *component;         /* form COMPONENT */
	char *export_name;
	bool has_inherit; /* inherit_configuration was given */
	json_t *inherit;  /* "All", {"Some":[...]} or NULL */
	ociwp_place at;
} ociwp_dependency;

typedef struct ociwp_dependencies {
	ociwp_dependency *items;
	size_t count;
} ociwp_dependencies;

/* Dependencies of a trigger under one role, such as middleware. */
typedef struct ociwp_role {
	char *name;
	ociwp_dependencies dependencies;
} ociwp_role;

typedef struct ociwp_files_entry {
	char *source;      /* pattern, or source of a placement */
	char *destination; /* NULL for a pattern */
	ociwp_place at;
} ociwp_files_entry;

typedef struct ociwp_profile {
	char *name;
	ociwp_place at;
	bool has_source;
	ociwp_app_source source;
	json_t *environment;
	json_t *build_command;
	ociwp_dependencies dependencies;
} ociwp_profile;

typedef struct ociwp_component {
	char *id;
	ociwp_place at;
	ociwp_app_source source; /* as written */
	ociwp_place source_at;
	char *description;
	json_t *variables, *environment; /* objects of strings, or NULL */
	ociwp_files_entry *files;
	size_t file_count;
	ociwp_strings exclude_files;
	ociwp_strings outbound_hosts, http_hosts;
	ociwp_strings key_value_stores, sqlite_databases, ai_models;
	json_t *build;                     /* object or NULL */
	bool has_inherit_all, inherit_all; /* dependencies_inherit_configuration */
	ociwp_place inherit_all_at;
	ociwp_dependencies dependencies;
	ociwp_profile *profiles;
	size_t profile_count;
} ociwp_component;

/* A component named or written out in a trigger: one of the two. */
typedef struct ociwp_component_spec {
	char *reference;
	ociwp_component *inline_component;
	ociwp_place at;
} ociwp_component_spec;

typedef struct ociwp_trigger {
	char *type;
	char *id; /* "" until normalised */
	ociwp_place at;
	json_t *config; /* opaque keys */
	bool has_component;
	ociwp_component_spec component;
	ociwp_component_spec *others; /* under `components`, roles in order */
	size_t other_count;
	ociwp_role *roles; /* under `dependencies` */
	size_t role_count;
} ociwp_trigger;

typedef struct ociwp_variable {
	char *name;
	ociwp_place at;
	char *description;
	char *default_value; /* NULL without */
	bool required, secret;
} ociwp_variable;

typedef struct ociwp_spin_manifest {
	int version; /* 1 or 2 */
	char *name, *version_text, *description;
	ociwp_strings authors;
	json_t *annotations;     /* of [application.tool.oci-wasm]: key -> string, or NULL */
	json_t *trigger_globals; /* type -> object */
	ociwp_variable *variables;
	size_t variable_count;
	ociwp_strings trigger_types; /* every key of `trigger`, even without entries */
	ociwp_trigger *triggers;     /* by type, then in order */
	size_t trigger_count;
	ociwp_component **components;
	size_t component_count;
} ociwp_spin_manifest;

void ociwp_app_source_deinit(ociwp_app_source *source);
int ociwp_app_source_copy(const ociwp_app_source *from, ociwp_app_source *to, ociw_error **err);
void ociwp_dependencies_deinit(ociwp_dependencies *dependencies);
/* Room for one more, zeroed and counted; NULL without memory. */
ociwp_dependency *ociwp_dependencies_add(ociwp_dependencies *dependencies);
void ociwp_dependency_deinit(ociwp_dependency *dependency);
void ociwp_component_free(ociwp_component *component);
void ociwp_spin_manifest_free(ociwp_spin_manifest *manifest);
OCIWP_DEFINE_AUTO(component, ociwp_component *, ociwp_component_free)
OCIWP_DEFINE_AUTO(spin_manifest, ociwp_spin_manifest *, ociwp_spin_manifest_free)

ociwp_component *ociwp_spin_manifest_find(const ociwp_spin_manifest *manifest, const char *id);
/* ", did you mean "ID"?" for an id that is not there, or "": in @p storage. */
const char *ociwp_spin_manifest_hint(const ociwp_spin_manifest *manifest, const char *id,
                                     char storage[128]);
/* Appends; the component is freed on failure. */
int ociwp_spin_manifest_add(ociwp_spin_manifest *manifest, ociwp_component *take_component,
                            ociw_error **err);
/* Room for one more trigger, zeroed and counted; NULL without memory. */
ociwp_trigger *ociwp_spin_manifest_add_trigger(ociwp_spin_manifest *manifest);

/* Room for element @p count, zeroed, growing by doubling: the array, perhaps moved, or NULL without
 * memory (then the old one stays). */
void *ociwp_grow_array(void *array, size_t count, size_t size);

/* More than this makes no sense and would make quadratic checks slow (LIMIT). */
#define OCIWP_MANIFEST_MAX_ITEMS 4096
#define OCIWP_MANIFEST_MAX_DEPENDENCIES 512

/* From a document to the model; @p report names the file (1.1, 1.3, 1.5). */
int ociwp_spin_manifest_parse(const ociwp_toml *root, ociwp_report *report,
                              ociwp_spin_manifest **out, ociw_error **err);
/* Parts of the above, shared by both versions. */
int ociwp_spin_manifest_parse_v1(const ociwp_toml *root, ociwp_report *report,
                                 ociwp_spin_manifest *manifest, ociw_error **err);
int ociwp_spin_manifest_parse_variables(const ociwp_fields *top, ociwp_spin_manifest *manifest,
                                        ociw_error **err);
/* @p id NULL for an inline component. */
int ociwp_component_parse(const ociwp_toml *value, const char *id, ociwp_place at,
                          ociwp_report *report, ociwp_component **out, ociw_error **err);
/* Keys that both versions have, once the table is open: source, files, hosts, build ... */
int ociwp_component_parse_common(const ociwp_fields *f, int version, ociwp_component *component,
                                 ociw_error **err);
int ociwp_source_parse(const ociwp_fields *f, const ociwp_toml_member *member,
                       ociwp_app_source *out, ociw_error **err);
int ociwp_dependencies_parse(const ociwp_fields *f, ociwp_dependencies *out, ociw_error **err);
int ociwp_trigger_roles_parse(const ociwp_fields *f, ociwp_trigger *trigger, ociw_error **err);
int ociwp_triggers_parse(const ociwp_fields *top, ociwp_spin_manifest *manifest, ociw_error **err);
/* After normalisation (1.3): plain names, exports, conflicts. */
int ociwp_dependencies_validate(const ociwp_component *component, ociwp_report *report,
                                ociw_error **err);

/* 1.4, in place. @p profile may be NULL. */
int ociwp_spin_manifest_normalize(ociwp_spin_manifest *manifest, const char *profile,
                                  ociwp_report *report, ociw_error **err);

#endif
