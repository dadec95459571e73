/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes a locked app as Spin does, byte for byte (specs/spin.md 2.1): fields in a fixed order, map
 * keys by bytes, empty things left out. One pass through a small buffer, whatever the number of
 * files.
 */
#include "spin/lock.h"
#include "io/stream.h"

#include <string.h>

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A map with sorted keys whose values keep the order of their members. */
static int write_map(ociwp_json_writer *w, const char *name, const json_t *map, bool sort_values,
                     ociw_error **err)
{
	size_t count = json_object_size(map), i = 0;
	if (count == 0)
		return 0;
	OCIWP_AUTO(mem) const char **keys = ociwp_calloc(count, sizeof(*keys));
	if (!keys)
		return ociwp_nomem(err);
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)map, key, value) keys[i++] = key;
	qsort(keys, count, sizeof(*keys), by_bytes);
	ociwp_json_key(w, name);
	ociwp_json_begin_object(w);
	for (i = 0; i < count; i++) {
		ociwp_json_key(w, keys[i]);
		ociwp_json_value(w, json_object_get(map, keys[i]), sort_values);
	}
	ociwp_json_end_object(w);
	return 0;
}

static void write_sorted(ociwp_json_writer *w, const char *name, const json_t *map)
{
	if (json_object_size(map) == 0)
		return;
	ociwp_json_key(w, name);
	ociwp_json_value(w, map, true);
}

static void write_ref(ociwp_json_writer *w, const ociwp_lock_ref *ref)
{
	ociwp_json_member(w, "source", ref->source);
	if (ref->bytes) {
		ociwp_json_key(w, "inline");
		ociwp_json_base64(w, ref->bytes, ref->bytes_len, false);
	}
	ociwp_json_member(w, "digest", ref->digest);
}

static void write_source(ociwp_json_writer *w, const char *content_type, const ociwp_lock_ref *ref)
{
	ociwp_json_key(w, "source");
	ociwp_json_begin_object(w);
	ociwp_json_member(w, "content_type", content_type ? content_type : "application/wasm");
	write_ref(w, ref);
	ociwp_json_end_object(w);
}

static size_t own_count(void *context, size_t component)
{
	const ociwp_lock *lock = context;
	return lock->components[component].file_count;
}

static void own_file(void *context, size_t component, size_t index, ociwp_lock_file *out)
{
	const ociwp_lock *lock = context;
	*out = lock->components[component].files[index];
}

static void write_files(ociwp_json_writer *w, const ociwp_lock_feed *feed, size_t component)
{
	size_t count = feed->count(feed->context, component);
	if (count == 0)
		return;
	ociwp_json_key(w, "files");
	ociwp_json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		ociwp_lock_file file;
		feed->file(feed->context, component, i, &file);
		ociwp_json_begin_object(w);
		write_ref(w, &file.content);
		ociwp_json_member(w, "path", file.path);
		ociwp_json_end_object(w);
	}
	ociwp_json_end_array(w);
}

static void write_dependencies(ociwp_json_writer *w, const ociwp_lock_component *component)
{
	if (component->dependency_count == 0)
		return;
	ociwp_json_key(w, "dependencies");
	ociwp_json_begin_object(w);
	for (size_t i = 0; i < component->dependency_count; i++) {
		const ociwp_lock_dependency *dependency = &component->dependencies[i];
		ociwp_json_key(w, dependency->name);
		ociwp_json_begin_object(w);
		write_source(w, dependency->content_type, &dependency->content);
		ociwp_json_key(w, "export");
		if (dependency->export_name)
			ociwp_json_string(w, dependency->export_name);
		else
			ociwp_json_null(w);
		if (dependency->inherit) {
			ociwp_json_key(w, "inherit");
			ociwp_json_value(w, dependency->inherit, false);
		}
		ociwp_json_end_object(w);
	}
	ociwp_json_end_object(w);
}

static int write_component(ociwp_json_writer *w, const ociwp_lock *lock, size_t index,
                           const ociwp_lock_feed *feed, ociw_error **err)
{
	const ociwp_lock_component *component = &lock->components[index];
	ociwp_json_begin_object(w);
	ociwp_json_member(w, "id", component->id);
	write_sorted(w, "metadata", component->metadata);
	write_source(w, component->content_type, &component->source);
	write_sorted(w, "env", component->env);
	write_files(w, feed, index);
	write_sorted(w, "config", component->config);
	write_dependencies(w, component);
	int r = write_map(w, "trigger_dependencies", component->trigger_dependencies, false, err);
	write_sorted(w, "host_requirements", component->host_requirements);
	ociwp_json_end_object(w);
	return r;
}

static int write_trigger(ociwp_json_writer *w, const json_t *trigger, ociw_error **err)
{
	ociwp_json_begin_object(w);
	ociwp_json_member(w, "id", json_string_value(json_object_get(trigger, "id")));
	ociwp_json_member(w, "trigger_type",
	                  json_string_value(json_object_get(trigger, "trigger_type")));
	ociwp_json_key(w, "trigger_config");
	const json_t *config = json_object_get(trigger, "trigger_config");
	if (config)
		ociwp_json_value(w, config, true);
	else
		ociwp_json_null(w);
	int r = write_map(w, "trigger_dependencies",
	                  json_object_get(trigger, "trigger_dependencies"), false, err);
	ociwp_json_end_object(w);
	return r;
}

static int write_app(ociwp_json_writer *w, const ociwp_lock *lock, const ociwp_lock_feed *feed,
                     ociw_error **err)
{
	size_t must = json_array_size(lock->must_understand);
	ociwp_json_begin_object(w);
	ociwp_json_key(w, "spin_lock_version");
	ociwp_json_u64(w, must || json_object_size(lock->host_requirements));
	if (must) {
		ociwp_json_key(w, "must_understand");
		ociwp_json_value(w, lock->must_understand, false);
	}
	write_sorted(w, "metadata", lock->metadata);
	write_sorted(w, "host_requirements", lock->host_requirements);
	int r = write_map(w, "variables", lock->variables, false, err);
	ociwp_json_key(w, "triggers");
	ociwp_json_begin_array(w);
	for (size_t i = 0; r == 0 && i < json_array_size(lock->triggers); i++)
		r = write_trigger(w, json_array_get(lock->triggers, i), err);
	ociwp_json_end_array(w);
	ociwp_json_key(w, "components");
	ociwp_json_begin_array(w);
	for (size_t i = 0; r == 0 && i < lock->component_count; i++)
		r = write_component(w, lock, i, feed, err);
	ociwp_json_end_array(w);
	ociwp_json_end_object(w);
	return r;
}

int ociwp_lock_write_fed(const ociwp_lock *lock, const ociwp_lock_feed *feed, ociw_writer *to,
                         ociw_error **err)
{
	OCIWP_AUTO(json_writer) ociwp_json_writer *w = NULL;
	int r = ociwp_json_writer_new(to, NULL, &w, err);
	if (r < 0 || (r = write_app(w, lock, feed, err)) < 0)
		return r;
	return ociwp_json_writer_finish(ociwp_steal(&w), err);
}

static int write_compact(const ociwp_lock *lock, ociw_writer *to, ociw_error **err)
{
	const ociwp_lock_feed own = {own_count, own_file, (void *)lock};
	return ociwp_lock_write_fed(lock, &own, to, err);
}

/* A writer in front of one that is not to be committed here. */
static int pass_write(void *self, const void *buf, size_t len, ociw_error **err)
{
	return ociw_writer_write(self, buf, len, err);
}

static int pass_commit(void *self, ociw_error **err)
{
	(void)self;
	(void)err;
	return 0;
}

static void pass_abort(void *self)
{
	(void)self;
}

static const ociw_writer_ops pass_ops = {sizeof(pass_ops), pass_write, pass_commit, pass_abort};

int ociwp_lock_write(const ociwp_lock *lock, bool pretty, ociw_writer *to, ociw_error **err)
{
	if (!pretty)
		return write_compact(lock, to, err);
	ociw_writer *pass = NULL;
	OCIWP_AUTO(writer) ociw_writer *indented = NULL;
	int r = ociw_writer_new(&pass_ops, to, &pass, err);
	if (r < 0 || (r = ociwp_writer_pretty_json(pass, &indented, err)) < 0 ||
	    (r = write_compact(lock, indented, err)) < 0)
		return r;
	return ociw_writer_commit(ociwp_steal(&indented), err);
}
