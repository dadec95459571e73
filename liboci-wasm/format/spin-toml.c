/* SPDX-License-Identifier: Apache-2.0
 *
 * From a locked app back to a manifest (the reverse of spin.md 2.3), for the loader with direct
 * mounts. Writes only what that loader takes.
 */
#include "format/spin-toml.h"
#include "base/str.h"
#include "codec/json-writer.h"

/* --- values --- */

static void put_string(ociwp_buf *out, const char *text)
{
	ociwp_buf_putc(out, '"');
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		switch (*p) {
		case '"':
			ociwp_buf_puts(out, "\\\"");
			break;
		case '\\':
			ociwp_buf_puts(out, "\\\\");
			break;
		case '\n':
			ociwp_buf_puts(out, "\\n");
			break;
		case '\r':
			ociwp_buf_puts(out, "\\r");
			break;
		case '\t':
			ociwp_buf_puts(out, "\\t");
			break;
		default:
			if (*p < 0x20 || *p == 0x7f)
				ociwp_buf_printf(out, "\\u%04X", *p);
			else
				ociwp_buf_putc(out, (char)*p);
		}
	}
	ociwp_buf_putc(out, '"');
}

static void put_key(ociwp_buf *out, const char *key)
{
	bool bare = *key != '\0';
	for (const char *p = key; *p && bare; p++)
		bare = ociwp_is_alnum(*p) || *p == '-' || *p == '_';
	if (bare)
		ociwp_buf_puts(out, key);
	else
		put_string(out, key);
}

/* "[a.b.c]" with quoting; @p count of the parts; @p array: "[[a.b.c]]". */
static void put_header(ociwp_buf *out, bool array, const char *const *parts, size_t count)
{
	ociwp_buf_puts(out, array ? "\n[[" : "\n[");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			ociwp_buf_putc(out, '.');
		put_key(out, parts[i]);
	}
	ociwp_buf_puts(out, array ? "]]\n" : "]\n");
}

static void put_number(ociwp_buf *out, const json_t *value, ociw_error **err)
{
	ociwp_json_writer *w = NULL;
	(void)err;
	if (ociwp_json_writer_new(NULL, out, &w, NULL) < 0) {
		out->failed = true;
		return;
	}
	ociwp_json_value(w, value, true);
	if (ociwp_json_writer_finish(w, NULL) < 0)
		out->failed = true;
}

static void put_value(ociwp_buf *out, const json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;
	bool first = true;
	switch (json_typeof(value)) {
	case JSON_STRING:
		put_string(out, json_string_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		ociwp_buf_puts(out, json_is_true(value) ? "true" : "false");
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		put_number(out, value, NULL);
		break;
	case JSON_NULL: /* a lock has it only where a manifest had nan or inf (spin.md 2.5) */
		ociwp_buf_puts(out, "nan");
		break;
	case JSON_ARRAY:
		ociwp_buf_putc(out, '[');
		json_array_foreach((json_t *)value, i, item)
		{
			ociwp_buf_puts(out, i > 0 ? ", " : "");
			put_value(out, item);
		}
		ociwp_buf_putc(out, ']');
		break;
	case JSON_OBJECT:
		ociwp_buf_puts(out, "{ ");
		json_object_foreach((json_t *)value, key, item)
		{
			ociwp_buf_puts(out, first ? "" : ", ");
			first = false;
			put_key(out, key);
			ociwp_buf_puts(out, " = ");
			put_value(out, item);
		}
		ociwp_buf_puts(out, first ? "}" : " }");
		break;
	}
}

static void put_member(ociwp_buf *out, const char *key, const json_t *value)
{
	if (!value)
		return;
	put_key(out, key);
	ociwp_buf_puts(out, " = ");
	put_value(out, value);
	ociwp_buf_putc(out, '\n');
}

/* Members of an object in byte order of their keys, whatever order they came in. */
static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_members(ociwp_buf *out, const json_t *object, const char *skip)
{
	size_t count = json_object_size(object), i = 0;
	const char **keys = ociwp_calloc(count, sizeof(*keys));
	const char *key;
	json_t *value;
	if (!keys) {
		out->failed = true;
		return;
	}
	json_object_foreach((json_t *)object, key, value) keys[i++] = key;
	qsort(keys, count, sizeof(*keys), compare_keys);
	for (i = 0; i < count; i++)
		if (!skip || strcmp(keys[i], skip) != 0)
			put_member(out, keys[i], json_object_get(object, keys[i]));
	free(keys);
}

/* --- tables --- */

/* Old locks have the settings of their one trigger type only, with the type among them. */
static void put_old_trigger(ociwp_buf *out, const json_t *trigger)
{
	const char *type = json_string_value(json_object_get(trigger, "type"));
	if (!type)
		return;
	put_header(out, false, (const char *[]){"application", "trigger", type}, 3);
	put_members(out, trigger, "type");
}

static void put_application(ociwp_buf *out, const ociwp_lock *lock)
{
	static const char *const names[] = {"name", "version", "description", "authors"};
	ociwp_buf_puts(out, "spin_manifest_version = 2\n");
	put_header(out, false, (const char *[]){"application"}, 1);
	/* A lock may do without a name, a manifest may not. */
	if (!json_object_get(lock->metadata, "name"))
		ociwp_buf_puts(out, "name = \"app\"\n");
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(names); i++)
		put_member(out, names[i], json_object_get(lock->metadata, names[i]));
	const json_t *triggers = json_object_get(lock->metadata, "triggers");
	const char *type;
	json_t *config;
	if (!triggers)
		put_old_trigger(out, json_object_get(lock->metadata, "trigger"));
	json_object_foreach((json_t *)triggers, type, config)
	{
		put_header(out, false, (const char *[]){"application", "trigger", type}, 3);
		put_members(out, config, NULL);
	}
}

static void put_variables(ociwp_buf *out, const json_t *variables)
{
	const char *name;
	json_t *variable;
	json_object_foreach((json_t *)variables, name, variable)
	{
		put_header(out, false, (const char *[]){"variables", name}, 2);
		put_member(out, "description", json_object_get(variable, "description"));
		if (json_object_get(variable, "default"))
			put_member(out, "default", json_object_get(variable, "default"));
		else
			ociwp_buf_puts(out, "required = true\n");
		if (json_is_true(json_object_get(variable, "secret")))
			ociwp_buf_puts(out, "secret = true\n");
	}
}

static int put_triggers(ociwp_buf *out, const json_t *triggers, ociw_error **err)
{
	json_t *trigger;
	size_t i;
	if (json_array_size(triggers) == 0)
		ociwp_buf_puts(out, "\n[trigger]\n");
	json_array_foreach((json_t *)triggers, i, trigger)
	{
		const char *type = json_string_value(json_object_get(trigger, "trigger_type"));
		const json_t *config = json_object_get(trigger, "trigger_config");
		if (!type)
			return ociwp_fail(err, OCIW_ERR_FORMAT, "trigger %zu has no type", i);
		put_header(out, true, (const char *[]){"trigger", type}, 2);
		put_member(out, "id", json_object_get(trigger, "id"));
		put_members(out, config, "id");
	}
	return 0;
}

void ociwp_rootfs_dependency_name(const ociwp_source *source, char out[80])
{
	char digest[OCIW_DIGEST_TEXT_MAX];
	ociwp_source_digest(source, digest);
	memcpy(out, digest + strlen("sha256:"), 64);
	strcpy(out + 64, ".wasm");
}

static void put_dependencies(ociwp_buf *out, const ociwp_lock_component *locked,
                             const ociwp_draft_component *component)
{
	if (locked->dependency_count == 0)
		return;
	put_header(out, false, (const char *[]){"component", locked->id, "dependencies"}, 3);
	for (size_t i = 0; i < locked->dependency_count; i++) {
		const ociwp_lock_dependency *dependency = &locked->dependencies[i];
		const json_t *some = json_object_get(dependency->inherit, "Some");
		char name[80];
		ociwp_rootfs_dependency_name(&component->dependencies[i], name);
		put_key(out, dependency->name);
		ociwp_buf_printf(out, " = { path = \"" OCIWP_ROOTFS_DEPS "/%s\"", name);
		if (dependency->export_name) {
			ociwp_buf_puts(out, ", export = ");
			put_string(out, dependency->export_name);
		}
		if (some) {
			ociwp_buf_puts(out, ", inherit_configuration = ");
			put_value(out, some);
		} else if (json_is_string(dependency->inherit)) {
			ociwp_buf_puts(out, ", inherit_configuration = true");
		}
		ociwp_buf_puts(out, " }\n");
	}
}

static int put_component(ociwp_buf *out, const ociwp_lock_component *locked,
                         const ociwp_draft_component *component, ociw_error **err)
{
	static const struct {
		const char *in, *out;
	} names[] = {
	        {"description", "description"},
	        {"allowed_outbound_hosts", "allowed_outbound_hosts"},
	        {"key_value_stores", "key_value_stores"},
	        {"databases", "sqlite_databases"},
	        {"ai_models", "ai_models"},
	};
	if (json_object_size(locked->trigger_dependencies) > 0)
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
		                  "component %s has trigger dependencies, which a rootfs image "
		                  "cannot carry: compose them first",
		                  ociwp_quote(locked->id));
	put_header(out, false, (const char *[]){"component", locked->id}, 2);
	ociwp_buf_printf(out, "source = \"" OCIWP_ROOTFS_WASM "/%s.wasm\"\n", locked->id);
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(names); i++)
		put_member(out, names[i].out, json_object_get(locked->metadata, names[i].in));
	if (component->file_count > 0)
		ociwp_buf_printf(out, "files = [{ source = \"assets/%s\", destination = \"/\" }]\n",
		                 locked->id);
	if (json_object_size(locked->env) > 0) {
		put_header(out, false, (const char *[]){"component", locked->id, "environment"}, 3);
		put_members(out, locked->env, NULL);
	}
	if (json_object_size(locked->config) > 0) {
		put_header(out, false, (const char *[]){"component", locked->id, "variables"}, 3);
		put_members(out, locked->config, NULL);
	}
	put_dependencies(out, locked, component);
	/* Nobody builds from an image, but a lock that is made from this again is then the same. */
	const json_t *recipe = json_object_get(locked->metadata, "build");
	if (json_object_size(recipe) > 0) {
		put_header(out, false, (const char *[]){"component", locked->id, "build"}, 3);
		put_members(out, recipe, NULL);
	}
	return 0;
}

int ociwp_spin_toml_write(const ociwp_draft *draft, ociwp_buf *out, ociw_error **err)
{
	const ociwp_lock *lock = draft->lock;
	put_application(out, lock);
	put_variables(out, lock->variables);
	int r = put_triggers(out, lock->triggers, err);
	for (size_t i = 0; r == 0 && i < lock->component_count; i++)
		r = put_component(out, &lock->components[i], &draft->components[i], err);
	return r < 0 ? r : ociwp_buf_check(out, err);
}
