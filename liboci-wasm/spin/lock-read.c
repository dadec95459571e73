/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a locked app: what Spin since 2.0 has pushed, and nothing that could do harm
 * (specs/spin.md 2.2, 4.3, 7.3). Ids, digests and paths are checked here, before anybody builds a
 * path of them.
 */
#include "spin/lock.h"
#include "base/buf.h"
#include "base/op.h"
#include "base/path.h"
#include "base/str.h"
#include "spin/lock-scan.h"

#include <stdio.h>

typedef struct reader {
	ociw_span text;
	const ociw_op *op;
	ociw_limits limits;
	uint64_t files; /* of all components */
	ociw_error **err;
} reader;

/* Name of a part for messages: `components[3]`. */
typedef struct part {
	char text[64];
} part;

static bool digest_valid(const char *digest, size_t len)
{
	if (len != 7 + 64 || memcmp(digest, "sha256:", 7) != 0)
		return false;
	for (size_t i = 7; i < len; i++)
		if (!ociwp_is_digit(digest[i]) && !(digest[i] >= 'a' && digest[i] <= 'f'))
			return false;
	return true;
}

static int decode_inline(reader *rd, const char *where, ociw_span text, ociwp_lock_ref *ref)
{
	size_t room;
	if (!ociwp_mul_ok(text.len / 4 + 1, 3, &room))
		return ociwp_nomem(rd->err);
	ref->bytes = ociwp_malloc(room);
	if (!ref->bytes)
		return ociwp_nomem(rd->err);
	ptrdiff_t len = ociwp_base64_decode(ref->bytes, text.data, text.len);
	if (len < 0)
		return ociwp_fail(rd->err, OCIW_ERR_FORMAT, "locked app: %s: inline is no base64",
		                  where);
	ref->bytes_len = (size_t)len;
	return 0;
}

/* A content reference of strings; absent ones have NULL. */
static int read_ref(reader *rd, const char *where, const ociwp_lock_file_text *text,
                    ociwp_lock_ref *ref)
{
	if (text->source.data) {
		ref->source = ociwp_strndup(text->source.data, text->source.len);
		if (!ref->source)
			return ociwp_nomem(rd->err);
	}
	if (text->digest.data) {
		if (!digest_valid(text->digest.data, text->digest.len))
			return ociwp_fail(rd->err, OCIW_ERR_UNSAFE, "locked app: %s: digest %s",
			                  where,
			                  ociwp_quote_len(text->digest.data, text->digest.len));
		ref->digest = ociwp_strndup(text->digest.data, text->digest.len);
		if (!ref->digest)
			return ociwp_nomem(rd->err);
	}
	if (text->inline_text.data) {
		int r = decode_inline(rd, where, text->inline_text, ref);
		if (r < 0)
			return r;
	}
	if (!ref->source && !ref->digest && !ref->bytes)
		return ociwp_fail(rd->err, OCIW_ERR_FORMAT, "locked app: %s: no content is named",
		                  where);
	return 0;
}

static ociw_span span_of(const char *text)
{
	return (ociw_span){text, text ? strlen(text) : 0};
}

static int read_ref_json(reader *rd, const char *where, const json_t *object, const char **path,
                         ociwp_lock_ref *ref)
{
	const char *source = NULL, *bytes = NULL, *digest = NULL;
	int r;
	if ((r = ociwp_json_opt_string(object, where, "source", &source, rd->err)) < 0 ||
	    (r = ociwp_json_opt_string(object, where, "inline", &bytes, rd->err)) < 0 ||
	    (r = ociwp_json_opt_string(object, where, "digest", &digest, rd->err)) < 0 ||
	    (path && (r = ociwp_json_need_string(object, where, "path", path, rd->err)) < 0))
		return r;
	ociwp_lock_file_text text = {span_of(source), span_of(bytes), span_of(digest), {NULL, 0}};
	return read_ref(rd, where, &text, ref);
}

static int read_path(reader *rd, const char *where, ociw_span text, ociwp_lock_file *file)
{
	file->path = ociwp_strndup(text.data, text.len);
	if (!file->path)
		return ociwp_nomem(rd->err);
	if (strlen(file->path) != text.len ||
	    !ociwp_path_is_relative_normal(file->path, rd->limits.max_path_bytes,
	                                   rd->limits.max_path_depth))
		return ociwp_fail(rd->err, OCIW_ERR_UNSAFE, "locked app: %s: invalid file mount %s",
		                  where, ociwp_quote_len(text.data, text.len));
	return 0;
}

static ociwp_lock_file *add_file(reader *rd, ociwp_lock_component *component)
{
	size_t n = component->file_count;
	if (++rd->files > rd->limits.max_entries) {
		(void)ociwp_fail(rd->err, OCIW_ERR_LIMIT, "locked app: more than %llu files",
		                 (unsigned long long)rd->limits.max_entries);
		return NULL;
	}
	if ((n & (n - 1)) == 0) {
		ociwp_lock_file *grown =
		        ociwp_realloc_array(component->files, n ? 2 * n : 1, sizeof(*grown));
		if (!grown) {
			(void)ociwp_nomem(rd->err);
			return NULL;
		}
		component->files = grown;
	}
	component->files[n] = (ociwp_lock_file){0};
	component->file_count++;
	return &component->files[n];
}

static int read_file_json(reader *rd, const char *where, const json_t *entry, ociwp_lock_file *file)
{
	const char *path = NULL;
	if (!json_is_object(entry))
		return ociwp_fail(rd->err, OCIW_ERR_FORMAT, "locked app: %s is no object", where);
	int r = read_ref_json(rd, where, entry, &path, &file->content);
	return r < 0 ? r : read_path(rd, where, span_of(path), file);
}

static int read_file_text(reader *rd, const char *where, ociw_span text, ociwp_lock_file *file)
{
	ociwp_lock_file_text plain;
	if (ociwp_lock_scan_file(text, &plain) && plain.path.data) {
		int r = read_ref(rd, where, &plain, &file->content);
		return r < 0 ? r : read_path(rd, where, plain.path, file);
	}
	OCIWP_AUTO(json) json_t *entry = NULL;
	int r = ociwp_json_parse(text, "locked app", rd->limits.max_json_depth, &entry, rd->err);
	if (r < 0)
		return ociwp_wrap(rd->err, r, "%s", where);
	return read_file_json(rd, where, entry, file);
}

static int fail_reason(const reader *rd)
{
	/* add_file made the error. */
	return rd->files > rd->limits.max_entries ? OCIW_ERR_LIMIT : OCIW_ERR_NOMEM;
}

static void name_file(part *name, size_t component, size_t file)
{
	snprintf(name->text, sizeof(name->text), "components[%zu].files[%zu]", component, file);
}

/* `files` straight from the text. */
static int read_files_text(reader *rd, const ociwp_lock_files_span *span,
                           ociwp_lock_component *component)
{
	const char *base = (const char *)rd->text.data + span->start;
	ociw_span list = {base, span->end - span->start};
	size_t offset = 0, start = 0, end = 0;
	bool good, first = true;
	while (ociwp_lock_scan_element(list, &offset, first, &start, &end, &good)) {
		part name = {""};
		name_file(&name, span->component, component->file_count);
		ociwp_lock_file *file = add_file(rd, component);
		if (!file)
			return fail_reason(rd);
		int r = read_file_text(rd, name.text, (ociw_span){base + start, end - start}, file);
		if (r < 0)
			return r;
		first = false;
	}
	if (!good)
		return ociwp_fail(rd->err, OCIW_ERR_FORMAT,
		                  "locked app: components[%zu].files is no list of objects",
		                  span->component);
	/* Exactly as much as there is: large apps have one large array. */
	if (component->file_count) {
		ociwp_lock_file *fit =
		        ociwp_realloc_array(component->files, component->file_count, sizeof(*fit));
		component->files = fit ? fit : component->files;
	}
	return 0;
}

/* The same from a tree, for locks whose keys are written with escapes. */
static int read_files_json(reader *rd, size_t index, const json_t *array,
                           ociwp_lock_component *component)
{
	size_t i;
	const json_t *entry;
	json_array_foreach(array, i, entry)
	{
		part name = {""};
		name_file(&name, index, i);
		ociwp_lock_file *file = add_file(rd, component);
		if (!file)
			return fail_reason(rd);
		int r = read_file_json(rd, name.text, entry, file);
		if (r < 0)
			return r;
	}
	return 0;
}

/* An object whose values are all strings, or nothing. */
static int read_string_map(reader *rd, const json_t *object, const char *where, const char *name,
                           json_t **out)
{
	json_t *map = NULL;
	int r = ociwp_json_opt_object(object, where, name, &map, rd->err);
	if (r < 0)
		return r;
	const char *key;
	json_t *value;
	json_object_foreach(map, key, value) if (!json_is_string(value)) return ociwp_fail(
	        rd->err, OCIW_ERR_FORMAT, "locked app: %s.%s: %s is no string", where, name,
	        ociwp_quote(key));
	*out = json_incref(map);
	return 0;
}

/* 2.2: "optional" ones are dropped, unknown ones refused. */
static int read_host_requirements(reader *rd, const json_t *object, const char *where, json_t **out)
{
	json_t *map = NULL;
	int r = ociwp_json_opt_object(object, where, "host_requirements", &map, rd->err);
	if (r < 0 || !map)
		return r;
	*out = json_object();
	if (!*out)
		return ociwp_nomem(rd->err);
	OCIWP_AUTO(buf) ociwp_buf unknown = OCIWP_BUF_INIT;
	const char *key;
	json_t *value;
	json_object_foreach(map, key, value)
	{
		if (ociwp_streq(json_string_value(value), "optional"))
			continue;
		if (!ociwp_streq(key, "local_service_chaining") && !ociwp_streq(key, "middleware"))
			ociwp_buf_printf(&unknown, "%s%s", unknown.len ? ", " : "",
			                 ociwp_quote(key));
		if (json_object_set(*out, key, value) < 0)
			return ociwp_nomem(rd->err);
	}
	if (ociwp_buf_check(&unknown, rd->err) < 0)
		return OCIW_ERR_NOMEM;
	if (unknown.len)
		return ociwp_fail(
		        rd->err, OCIW_ERR_UNSUPPORTED,
		        "locked app: %s requires features of the host that are not known: %s",
		        where, unknown.data);
	return 0;
}

static int read_source(reader *rd, const json_t *object, const char *where, char **content_type,
                       ociwp_lock_ref *ref)
{
	json_t *source;
	const char *type;
	int r;
	if ((r = ociwp_json_need_object(object, where, "source", &source, rd->err)) < 0 ||
	    (r = ociwp_json_need_string(source, where, "content_type", &type, rd->err)) < 0)
		return r;
	*content_type = ociwp_strdup(type);
	if (!*content_type)
		return ociwp_nomem(rd->err);
	return read_ref_json(rd, where, source, NULL, ref);
}

static int read_dependency(reader *rd, const char *where, const char *name, const json_t *value,
                           ociwp_lock_dependency *dependency)
{
	if (!json_is_object(value))
		return ociwp_fail(rd->err, OCIW_ERR_FORMAT,
		                  "locked app: %s: dependency %s is no object", where,
		                  ociwp_quote(name));
	dependency->name = ociwp_strdup(name);
	if (!dependency->name)
		return ociwp_nomem(rd->err);
	const char *export_name = NULL;
	int r;
	if ((r = read_source(rd, value, where, &dependency->content_type, &dependency->content)) <
	            0 ||
	    (r = ociwp_json_opt_string(value, where, "export", &export_name, rd->err)) < 0)
		return r;
	if (export_name && !(dependency->export_name = ociwp_strdup(export_name)))
		return ociwp_nomem(rd->err);
	json_t *inherit = json_object_get(value, "inherit");
	if (inherit && !json_is_null(inherit))
		dependency->inherit = json_incref(inherit);
	return 0;
}

static int read_dependencies(reader *rd, const json_t *object, const char *where,
                             ociwp_lock_component *component)
{
	json_t *map = NULL;
	int r = ociwp_json_opt_object(object, where, "dependencies", &map, rd->err);
	if (r < 0 || json_object_size(map) == 0)
		return r;
	component->dependencies =
	        ociwp_calloc(json_object_size(map), sizeof(*component->dependencies));
	if (!component->dependencies)
		return ociwp_nomem(rd->err);
	const char *key;
	json_t *value;
	json_object_foreach(map, key, value)
	{
		r = read_dependency(rd, where, key, value,
		                    &component->dependencies[component->dependency_count++]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* `trigger_dependencies`: role -> list; their content is checked, the rest kept as it is. */
static int read_trigger_dependencies(reader *rd, const json_t *object, const char *where,
                                     json_t **out)
{
	json_t *map = NULL;
	int r = ociwp_json_opt_object(object, where, "trigger_dependencies", &map, rd->err);
	if (r < 0 || !map)
		return r;
	const char *key;
	json_t *list, *entry;
	size_t i;
	json_object_foreach(map, key, list)
	{
		json_array_foreach(list, i, entry)
		{
			ociwp_lock_dependency dependency = {0};
			r = read_dependency(rd, where, key, entry, &dependency);
			ociwp_lock_dependency_deinit(&dependency);
			if (r < 0)
				return r;
		}
		if (!json_is_array(list))
			return ociwp_fail(rd->err, OCIW_ERR_FORMAT,
			                  "locked app: %s.trigger_dependencies: %s is no list",
			                  where, ociwp_quote(key));
	}
	*out = json_incref(map);
	return 0;
}

static int read_id(reader *rd, const json_t *object, const char *where, char **out)
{
	const char *id;
	int r = ociwp_json_need_string(object, where, "id", &id, rd->err);
	if (r < 0)
		return r;
	if (!ociwp_path_is_component(id, strlen(id)))
		return ociwp_fail(rd->err, OCIW_ERR_UNSAFE, "locked app: %s: component id %s",
		                  where, ociwp_quote(id));
	*out = ociwp_strdup(id);
	return *out ? 0 : ociwp_nomem(rd->err);
}

static int read_component(reader *rd, size_t index, const json_t *object, const char *where,
                          ociwp_lock_component *component)
{
	if (!json_is_object(object))
		return ociwp_fail(rd->err, OCIW_ERR_FORMAT, "locked app: %s is no object", where);
	json_t *metadata = NULL, *files = NULL;
	int r;
	if ((r = read_id(rd, object, where, &component->id)) < 0 ||
	    (r = ociwp_json_opt_object(object, where, "metadata", &metadata, rd->err)) < 0 ||
	    (r = read_source(rd, object, where, &component->content_type, &component->source)) <
	            0 ||
	    (r = read_string_map(rd, object, where, "env", &component->env)) < 0 ||
	    (r = ociwp_json_opt_array(object, where, "files", &files, rd->err)) < 0 ||
	    (r = read_string_map(rd, object, where, "config", &component->config)) < 0 ||
	    (r = read_dependencies(rd, object, where, component)) < 0 ||
	    (r = read_trigger_dependencies(rd, object, where, &component->trigger_dependencies)) <
	            0 ||
	    (r = read_host_requirements(rd, object, where, &component->host_requirements)) < 0)
		return r;
	component->metadata = json_incref(metadata);
	component->has_files = files != NULL;
	return read_files_json(rd, index, files, component);
}

static int refuse_twins(reader *rd, const ociwp_lock *lock)
{
	OCIWP_AUTO(json) json_t *seen = json_object();
	for (size_t i = 0; seen && i < lock->component_count; i++) {
		const char *id = lock->components[i].id;
		if (json_object_get(seen, id))
			return ociwp_fail(rd->err, OCIW_ERR_FORMAT,
			                  "locked app: two components have the id %s",
			                  ociwp_quote(id));
		if (json_object_set_new(seen, id, json_true()) < 0)
			return ociwp_nomem(rd->err);
	}
	return seen ? 0 : ociwp_nomem(rd->err);
}

static int read_components(reader *rd, const json_t *top, ociwp_lock *lock)
{
	json_t *array;
	int r = ociwp_json_need_array(top, "locked app", "components", &array, rd->err);
	if (r < 0 || json_array_size(array) == 0)
		return r;
	lock->components = ociwp_calloc(json_array_size(array), sizeof(*lock->components));
	if (!lock->components)
		return ociwp_nomem(rd->err);
	for (size_t i = 0; i < json_array_size(array); i++) {
		part name = {""};
		snprintf(name.text, sizeof(name.text), "components[%zu]", i);
		r = read_component(rd, i, json_array_get(array, i), name.text,
		                   &lock->components[lock->component_count++]);
		if (r < 0)
			return r;
	}
	return refuse_twins(rd, lock);
}

static int read_triggers(reader *rd, const json_t *top, ociwp_lock *lock)
{
	json_t *array;
	int r = ociwp_json_need_array(top, "locked app", "triggers", &array, rd->err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *trigger = json_array_get(array, i);
		part name = {""};
		const char *text;
		snprintf(name.text, sizeof(name.text), "triggers[%zu]", i);
		if (!json_is_object(trigger))
			return ociwp_fail(rd->err, OCIW_ERR_FORMAT, "locked app: %s is no object",
			                  name.text);
		json_t *ignored = NULL;
		if ((r = ociwp_json_need_string(trigger, name.text, "id", &text, rd->err)) < 0 ||
		    (r = ociwp_json_need_string(trigger, name.text, "trigger_type", &text,
		                                rd->err)) < 0 ||
		    (r = ociwp_json_opt_object(trigger, name.text, "trigger_dependencies", &ignored,
		                               rd->err)) < 0)
			return r;
	}
	lock->triggers = json_incref(array);
	return 0;
}

static int read_must_understand(reader *rd, const json_t *top, ociwp_lock *lock)
{
	json_t *array = NULL;
	int r = ociwp_json_opt_array(top, "locked app", "must_understand", &array, rd->err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *entry = json_string_value(json_array_get(array, i));
		if (!ociwp_streq(entry, "host_requirements") &&
		    !ociwp_streq(entry, "component_host_requirements"))
			return ociwp_fail(
			        rd->err, OCIW_ERR_UNSUPPORTED,
			        "locked app: it must be understood that %s is, and is not",
			        ociwp_quote(entry ? entry : "something"));
	}
	lock->must_understand = json_incref(array);
	return 0;
}

static int read_app(reader *rd, const json_t *top, ociwp_lock *lock)
{
	if (!json_is_object(top))
		return ociwp_fail(rd->err, OCIW_ERR_FORMAT, "locked app: not an object");
	const json_t *version = json_object_get(top, "spin_lock_version");
	if (!json_is_integer(version) || json_integer_value(version) < 0)
		return ociwp_fail(rd->err, OCIW_ERR_FORMAT, "locked app: no spin_lock_version");
	lock->version = json_integer_value(version);
	if (lock->version > 1)
		return ociwp_fail(rd->err, OCIW_ERR_UNSUPPORTED,
		                  "locked app: version %lld, at most 1 is known",
		                  (long long)lock->version);
	json_t *metadata = NULL, *variables = NULL;
	int r;
	if ((r = read_must_understand(rd, top, lock)) < 0 ||
	    (r = ociwp_json_opt_object(top, "locked app", "metadata", &metadata, rd->err)) < 0 ||
	    (r = read_host_requirements(rd, top, "locked app", &lock->host_requirements)) < 0 ||
	    (r = ociwp_json_opt_object(top, "locked app", "variables", &variables, rd->err)) < 0 ||
	    (r = read_triggers(rd, top, lock)) < 0)
		return r;
	lock->metadata = json_incref(metadata);
	lock->variables = json_incref(variables);
	return read_components(rd, top, lock);
}

/* The text with the insides of `files` blanked, so that places in errors are true. */
static int parse_blanked(reader *rd, const ociwp_lock_files_span *spans, size_t count, json_t **out)
{
	OCIWP_AUTO(str) char *copy = ociwp_memdup(rd->text.data, rd->text.len);
	if (!copy)
		return ociwp_nomem(rd->err);
	for (size_t i = 0; i < count; i++)
		memset(copy + spans[i].start, ' ', spans[i].end - spans[i].start);
	return ociwp_json_parse((ociw_span){copy, rd->text.len}, "locked app",
	                        rd->limits.max_json_depth, out, rd->err);
}

/* The text without the insides of `files`: little is left of the lock of a large app. */
static int parse_rest(reader *rd, const ociwp_lock_files_span *spans, size_t count, json_t **out)
{
	const char *text = rd->text.data;
	OCIWP_AUTO(buf) ociwp_buf rest = OCIWP_BUF_INIT;
	size_t from = 0;
	for (size_t i = 0; i < count; i++) {
		ociwp_buf_append(&rest, text + from, spans[i].start - from);
		from = spans[i].end;
	}
	ociwp_buf_append(&rest, text + from, rd->text.len - from);
	if (ociwp_buf_check(&rest, rd->err) < 0)
		return OCIW_ERR_NOMEM;
	ociw_error *err = NULL;
	int r = ociwp_json_parse(ociwp_buf_span(&rest), "locked app", rd->limits.max_json_depth,
	                         out, &err);
	if (r == 0 || count == 0 || r == OCIW_ERR_NOMEM)
		return r == 0 ? 0 : ociwp_error_move(rd->err, err);
	ociw_error_free(err);
	return parse_blanked(rd, spans, count, out);
}

int ociwp_lock_parse(ociw_span json, const ociw_op *op, ociwp_lock **out, ociw_error **err)
{
	reader rd = {.text = json, .op = op, .err = err};
	ociwp_limits_get(op, &rd.limits);
	if (json.len > rd.limits.max_lock_bytes)
		return ociwp_fail(err, OCIW_ERR_LIMIT,
		                  "locked app: %zu bytes, at most %llu are read", json.len,
		                  (unsigned long long)rd.limits.max_lock_bytes);
	OCIWP_AUTO(lock) ociwp_lock *lock = ociwp_new(ociwp_lock);
	OCIWP_AUTO(mem) ociwp_lock_files_span *spans = NULL;
	OCIWP_AUTO(json) json_t *top = NULL;
	size_t count = 0;
	if (!lock)
		return ociwp_nomem(err);
	int r;
	if ((r = ociwp_lock_scan(json, &spans, &count, err)) < 0 ||
	    (r = parse_rest(&rd, spans, count, &top)) < 0 || (r = read_app(&rd, top, lock)) < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		if (spans[i].component >= lock->component_count)
			continue;
		r = read_files_text(&rd, &spans[i], &lock->components[spans[i].component]);
		if (r < 0)
			return r;
	}
	*out = ociwp_steal(&lock);
	return 0;
}
