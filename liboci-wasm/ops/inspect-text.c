/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree for people, drawn from the findings of inspect. Every text from outside is escaped and cut:
 * an image must not write to somebody's terminal. Judges nothing.
 */
#include "base/buf.h"
#include "base/str.h"
#include "ops/inspect-model.h"

/* Lines of one list before "and N more"; --json has them all. */
#define MAX_ITEMS 100
#define MAX_TEXT 200
#define SHORT_DIGEST 19 /* "sha256:" and 12 digits */

struct line {
	unsigned depth;
	size_t start; /* in `text`; it ends where the next one starts */
};

struct tree {
	ociwp_buf text;
	struct line *lines;
	size_t count;
	size_t cap;
	bool nomem;
};

/* Begins a line; what is added to the text until the next one belongs to it. */
static ociwp_buf *line(struct tree *t, unsigned depth)
{
	if (t->count == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 64;
		struct line *grown = ociwp_realloc_array(t->lines, cap, sizeof(*grown));
		if (!grown) {
			t->nomem = true;
			return &t->text;
		}
		t->lines = grown;
		t->cap = cap;
	}
	t->lines[t->count++] = (struct line){depth, t->text.len};
	return &t->text;
}

static void add_text(ociwp_buf *out, const char *text)
{
	size_t len = strlen(text);

	if (len <= MAX_TEXT) {
		ociwp_escape(out, text, len);
		return;
	}
	len = MAX_TEXT;
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	ociwp_escape(out, text, len);
	ociwp_buf_puts(out, "...");
}

static const char *string(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static uint64_t number(const json_t *object, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(object, name));
}

static bool has(const json_t *object, const char *name)
{
	return json_object_get(object, name) != NULL;
}

/* " NAME" when there is such a member. */
static void add_member(ociwp_buf *out, const char *before, const json_t *object, const char *name)
{
	if (!*string(object, name))
		return;
	ociwp_buf_puts(out, before);
	add_text(out, string(object, name));
}

static void add_size(ociwp_buf *out, uint64_t size)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	size_t unit = 0;

	if (size < 1024) {
		ociwp_buf_printf(out, "%u B", (unsigned)size);
		return;
	}
	while (size >= (uint64_t)1024 * 1024 && unit + 1 < OCIWP_ARRAY_LEN(units)) {
		size /= 1024;
		unit++;
	}
	ociwp_buf_printf(out, "%u.%u %s", (unsigned)(size / 1024),
			 (unsigned)(size % 1024 * 10 / 1024), units[unit]);
}

static void add_digest(ociwp_buf *out, const json_t *object)
{
	const char *digest = string(object, "digest");
	ociwp_escape(out, digest, strnlen(digest, SHORT_DIGEST));
}

/* A JSON value in the short: text as it is, lists joined, all else as JSON. */
static void add_value(ociwp_buf *out, const json_t *value)
{
	size_t n;
	json_t *item;

	if (json_is_string(value)) {
		add_text(out, json_string_value(value));
	} else if (json_is_array(value)) {
		json_array_foreach (value, n, item) {
			if (n == MAX_ITEMS) {
				ociwp_buf_printf(out, ", and %zu more", json_array_size(value) - n);
				break;
			}
			ociwp_buf_puts(out, n ? ", " : "");
			add_value(out, json_is_array(item) ? NULL : item);
		}
	} else if (value) {
		char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		if (text)
			add_text(out, text);
		else
			out->failed = true;
		free(text);
	}
}

static void draw_member(struct tree *t, unsigned depth, const char *label, const json_t *object,
			const char *name)
{
	if (!has(object, name))
		return;
	ociwp_buf *out = line(t, depth);
	ociwp_buf_printf(out, "%s: ", label);
	add_value(out, json_object_get(object, name));
}

static void draw_map(struct tree *t, unsigned depth, const char *label, const json_t *map)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)map, name, value) {
		ociwp_buf *out = line(t, depth);
		ociwp_buf_printf(out, "%s ", label);
		add_text(out, name);
		ociwp_buf_puts(out, "=");
		add_value(out, value);
	}
}

/* Items of a list below a line of its own; the rest is counted. */
static void draw_list(struct tree *t, unsigned depth, const json_t *array,
		      void (*draw)(struct tree *t, unsigned depth, const json_t *item))
{
	size_t n;
	json_t *item;

	json_array_foreach (array, n, item) {
		if (n == MAX_ITEMS) {
			ociwp_buf_printf(line(t, depth), "and %zu more (all with --json)",
					 json_array_size(array) - n);
			return;
		}
		draw(t, depth, item);
	}
}

static void draw_text(struct tree *t, unsigned depth, const json_t *item)
{
	add_value(line(t, depth), item);
}

static void draw_names(struct tree *t, unsigned depth, const char *label, const json_t *array)
{
	if (json_array_size(array) == 0)
		return;
	ociwp_buf_puts(line(t, depth), label);
	draw_list(t, depth + 1, array, draw_text);
}

static void draw_file(struct tree *t, unsigned depth, const json_t *file)
{
	ociwp_buf *out = line(t, depth);
	add_text(out, string(file, "path"));
	if (has(file, "size")) {
		ociwp_buf_puts(out, "  ");
		add_size(out, number(file, "size"));
	}
}

static void draw_dependency(struct tree *t, unsigned depth, const json_t *dependency)
{
	ociwp_buf *out = line(t, depth);
	ociwp_buf_puts(out, "dependency ");
	add_text(out, string(dependency, "name"));
	ociwp_buf_puts(out, "  ");
	add_digest(out, dependency);
}

static void draw_source(struct tree *t, unsigned depth, const json_t *source)
{
	ociwp_buf *out = line(t, depth);
	ociwp_buf_puts(out, "wasm ");
	if (has(source, "digest"))
		add_digest(out, source);
	else
		add_text(out, string(source, "source"));
	if (has(source, "size")) {
		ociwp_buf_puts(out, "  ");
		add_size(out, number(source, "size"));
	}
}

static void draw_files(struct tree *t, unsigned depth, const json_t *component)
{
	uint64_t bytes = number(component, "fileBytes");
	ociwp_buf *out;

	if (!has(component, "files"))
		return;
	out = line(t, depth);
	ociwp_buf_printf(out, "files: %llu", (unsigned long long)number(component, "fileCount"));
	if (bytes > 0) {
		ociwp_buf_puts(out, "  ");
		add_size(out, bytes);
	}
	draw_list(t, depth + 1, json_object_get(component, "files"), draw_file);
}

static void draw_component(struct tree *t, unsigned depth, const json_t *component)
{
	ociwp_buf *out = line(t, depth);
	ociwp_buf_puts(out, "component ");
	add_text(out, string(component, "id"));
	add_member(out, ": ", component, "description");
	draw_source(t, depth + 1, json_object_get(component, "source"));
	draw_member(t, depth + 1, "outbound hosts", component, "allowedOutboundHosts");
	draw_member(t, depth + 1, "key-value stores", component, "keyValueStores");
	draw_member(t, depth + 1, "databases", component, "sqliteDatabases");
	draw_member(t, depth + 1, "AI models", component, "aiModels");
	draw_map(t, depth + 1, "environment", json_object_get(component, "environment"));
	draw_map(t, depth + 1, "variable", json_object_get(component, "variables"));
	draw_list(t, depth + 1, json_object_get(component, "dependencies"), draw_dependency);
	draw_files(t, depth + 1, component);
}

static void draw_trigger(struct tree *t, unsigned depth, const json_t *trigger)
{
	ociwp_buf *out = line(t, depth);
	ociwp_buf_puts(out, "trigger ");
	add_text(out, string(trigger, "type"));
	if (has(trigger, "address")) {
		ociwp_buf_puts(out, " ");
		add_value(out, json_object_get(trigger, "address"));
	}
	add_member(out, " -> ", trigger, "component");
}

static void draw_variable(struct tree *t, unsigned depth, const json_t *variable)
{
	ociwp_buf *out = line(t, depth);
	ociwp_buf_puts(out, "variable ");
	add_text(out, string(variable, "name"));
	if (has(variable, "default")) {
		ociwp_buf_puts(out, "=");
		add_value(out, json_object_get(variable, "default"));
	}
	if (json_is_true(json_object_get(variable, "required")))
		ociwp_buf_puts(out, " (required)");
	if (json_is_true(json_object_get(variable, "secret")))
		ociwp_buf_puts(out, " (secret)");
}

static void draw_app(struct tree *t, const json_t *app)
{
	if (!app)
		return;
	ociwp_buf *out = line(t, 1);
	ociwp_buf_puts(out, "app ");
	add_text(out, string(app, "name"));
	add_member(out, " ", app, "version");
	add_member(out, ": ", app, "description");
	draw_member(t, 2, "authors", app, "authors");
	draw_list(t, 2, json_object_get(app, "triggers"), draw_trigger);
	draw_list(t, 2, json_object_get(app, "components"), draw_component);
	draw_list(t, 2, json_object_get(app, "variables"), draw_variable);
}

static void draw_wasm(struct tree *t, const json_t *wasm)
{
	if (!wasm)
		return;
	ociwp_buf_puts(line(t, 1), string(wasm, "kind"));
	draw_member(t, 2, "created", wasm, "created");
	draw_member(t, 2, "author", wasm, "author");
	draw_member(t, 2, "target", wasm, "target");
	draw_names(t, 2, "exports", json_object_get(wasm, "exports"));
	draw_names(t, 2, "imports", json_object_get(wasm, "imports"));
}

static void draw_config(struct tree *t, const json_t *config)
{
	if (!config)
		return;
	ociwp_buf *out = line(t, 1);
	ociwp_buf_puts(out, "config ");
	add_digest(out, config);
	ociwp_buf_puts(out, "  ");
	add_size(out, number(config, "size"));
	add_member(out, "  ", config, "mediaType");
	draw_member(t, 2, "entrypoint", config, "entrypoint");
	draw_member(t, 2, "cmd", config, "cmd");
	draw_member(t, 2, "env", config, "env");
	draw_member(t, 2, "working directory", config, "workingDir");
	draw_map(t, 2, "label", json_object_get(config, "labels"));
}

static void draw_layer(struct tree *t, unsigned depth, const json_t *layer)
{
	ociwp_buf *out = line(t, depth);
	ociwp_buf_printf(out, "%-6s ", string(layer, "kind"));
	add_digest(out, layer);
	ociwp_buf_puts(out, "  ");
	add_size(out, number(layer, "size"));
	add_member(out, "  ", layer, "mediaType");
	add_member(out, "  ", json_object_get(layer, "annotations"),
		   "org.opencontainers.image.title");
}

static void draw_layers(struct tree *t, const json_t *root)
{
	const json_t *layers = json_object_get(root, "layers");

	if (!layers)
		return;
	ociwp_buf *out = line(t, 1);
	ociwp_buf_printf(out, "layers: %zu  ", json_array_size(layers));
	add_size(out, number(root, "totalSize"));
	draw_list(t, 2, layers, draw_layer);
}

static void add_platform(ociwp_buf *out, const json_t *platform)
{
	add_text(out, string(platform, "os"));
	ociwp_buf_puts(out, "/");
	add_text(out, string(platform, "architecture"));
	add_member(out, "/", platform, "variant");
}

static void draw_entry(struct tree *t, unsigned depth, const json_t *entry)
{
	ociwp_buf *out = line(t, depth);
	const json_t *platform = json_object_get(entry, "platform");

	if (platform)
		add_platform(out, platform);
	else
		ociwp_buf_puts(out, "no platform");
	ociwp_buf_puts(out, "  ");
	add_text(out, string(entry, "digest"));
	ociwp_buf_puts(out, "  ");
	add_size(out, number(entry, "size"));
	add_member(out, "  ", entry, "artifactType");
}

static void draw_entries(struct tree *t, const json_t *manifests)
{
	if (!manifests)
		return;
	ociwp_buf_printf(line(t, 1), "manifests: %zu", json_array_size(manifests));
	draw_list(t, 2, manifests, draw_entry);
}

static void draw_warning(struct tree *t, unsigned depth, const json_t *warning)
{
	ociwp_buf *out = line(t, depth);
	const char *text = json_string_value(warning);
	ociwp_buf_puts(out, "warning: ");
	ociwp_escape(out, text, strlen(text));
}

static void draw_root(struct tree *t, const json_t *root)
{
	const json_t *platform = json_object_get(root, "platform");
	const json_t *subject = json_object_get(root, "subject");
	ociwp_buf *out = line(t, 0);

	ociwp_buf_printf(out, "%s ", string(root, "format"));
	add_text(out, string(root, "digest"));
	if (platform) {
		ociwp_buf_puts(out, "  ");
		add_platform(out, platform);
	}
	draw_member(t, 1, "artifact type", root, "artifactType");
	draw_app(t, json_object_get(root, "app"));
	draw_wasm(t, json_object_get(root, "wasm"));
	draw_entries(t, json_object_get(root, "manifests"));
	draw_config(t, json_object_get(root, "config"));
	draw_layers(t, root);
	draw_map(t, 1, "annotation", json_object_get(root, "annotations"));
	draw_member(t, 1, "subject", subject, "digest");
	draw_list(t, 1, json_object_get(root, "warnings"), draw_warning);
}

/* Bit d of a line is set when another line of depth d follows under the same parent. */
static unsigned char *followers(const struct tree *t)
{
	unsigned char *masks = ociwp_calloc(t->count, 1);
	unsigned open = 0;

	for (size_t n = t->count; masks && n-- > 0;) {
		unsigned depth = t->lines[n].depth;
		masks[n] = (unsigned char)open;
		open &= (1u << (depth + 1)) - 1;
		open |= 1u << depth;
	}
	return masks;
}

static void print_line(const struct tree *t, size_t n, unsigned mask, ociwp_buf *out)
{
	unsigned depth = t->lines[n].depth;
	size_t start = t->lines[n].start;
	size_t end = n + 1 < t->count ? t->lines[n + 1].start : t->text.len;

	for (unsigned d = 1; d < depth; d++)
		ociwp_buf_puts(out, mask & 1u << d ? "\u2502  " : "   ");
	if (depth > 0)
		ociwp_buf_puts(out, mask & 1u << depth ? "\u251c\u2500 " : "\u2514\u2500 ");
	ociwp_buf_append(out, t->text.data + start, end - start);
	ociwp_buf_putc(out, '\n');
}

int ociwp_inspect_text(const json_t *root, struct ociwp_buf *out, ociw_error **err)
{
	struct tree t = {.text = OCIWP_BUF_INIT};

	draw_root(&t, root);
	unsigned char *masks = t.nomem || t.text.failed ? NULL : followers(&t);
	for (size_t n = 0; masks && n < t.count; n++)
		print_line(&t, n, masks[n], out);
	int r = masks ? ociwp_buf_check(out, err) : ociwp_nomem(err);
	free(masks);
	free(t.lines);
	ociwp_buf_deinit(&t.text);
	return r;
}
