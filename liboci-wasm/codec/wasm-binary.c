/* SPDX-License-Identifier: Apache-2.0
 *
 * A walk over wasm binaries: kind, names of imports and exports, metadata sections. Validates only what
 * it walks; runs nothing, allocates nothing from a declared count. specs/wasm-formats.md 2.2-2.4,
 * component-model design/mvp/Binary.md, tool-conventions ProducersSection.md.
 */
#include "codec/wasm-binary.h"
#include "base/str.h"
#include "codec/wasm-cursor.h"
#include "codec/wasm-types.h"

/* As many names as wasm-tools takes in one binary. */
#define MAX_NAMES 100000

enum {
	SECTION_CUSTOM = 0,
	/* Of components; the sections of core modules are passed over. */
	SECTION_ALIAS = 6,
	SECTION_TYPE = 7,
	SECTION_IMPORT = 10,
	SECTION_EXPORT = 11,

	COMPONENT_VERSION = 0x0d,
};

struct names {
	char ***list;
	size_t *count;
	size_t cap;
};

struct walk {
	ociwp_wasm_info *info;
	struct names imports;
	struct names exports;
	ociwp_wasm_types types;
	ociw_span binary;
	size_t import_items;       /* of any sort: a package has none */
	size_t type_exports;       /* exports that are component types */
	size_t other_exports;      /* exports that are anything else */
	uint32_t *packaged;        /* type index of each of the former */
	size_t packaged_cap;
};

static bool starts(const unsigned char *head, size_t len, const char *magic, size_t magic_len)
{
	return len >= magic_len && memcmp(head, magic, magic_len) == 0;
}

/* Executables and compiled wasm of runtimes, which are executables too. */
static bool is_native(const unsigned char *head, size_t len)
{
	static const char *const magics[] = {
		"\177ELF", "\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf", "\xce\xfa\xed\xfe",
		"\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe",
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(magics); i++)
		if (starts(head, len, magics[i], 4))
			return true;
	return starts(head, len, "MZ", 2);
}

/* "(module", "(component" behind white space and comments. */
static bool is_text(const unsigned char *head, size_t len)
{
	size_t i = 0;
	for (;;) {
		while (i < len && strchr(" \t\r\n", head[i]) && head[i])
			i++;
		if (!starts(head + i, len - i, ";;", 2))
			break;
		while (i < len && head[i] != '\n')
			i++;
	}
	if (starts(head + i, len - i, "(;", 2))
		return true;
	if (i == len || head[i++] != '(')
		return false;
	while (i < len && strchr(" \t\r\n", head[i]) && head[i])
		i++;
	return starts(head + i, len - i, "module", 6) || starts(head + i, len - i, "component", 9);
}

ociwp_wasm_kind ociwp_wasm_sniff(const void *head, size_t len)
{
	if (!len)
		return OCIWP_WASM_NONE; /* there may be no pointer either */
	const unsigned char *bytes = head;

	if (starts(bytes, len, "\0asm\x01\0\0\0", 8))
		return OCIWP_WASM_MODULE;
	/* Components keep the layer 1 behind a version that still moves. */
	if (starts(bytes, len, "\0asm", 4) && len >= 8 && bytes[6] == 1 && bytes[7] == 0)
		return OCIWP_WASM_COMPONENT;
	if (is_native(bytes, len))
		return OCIWP_WASM_NATIVE;
	return is_text(bytes, len) ? OCIWP_WASM_TEXT : OCIWP_WASM_NONE;
}

void ociwp_wasm_info_free(ociwp_wasm_info *info)
{
	if (!info)
		return;
	for (size_t i = 0; i < info->import_count; i++)
		free(info->imports[i]);
	for (size_t i = 0; i < info->export_count; i++)
		free(info->exports[i]);
	free(info->imports);
	free(info->exports);
	free(info->authors);
	free(info->description);
	free(info->licenses);
	free(info->source);
	free(info->homepage);
	free(info->revision);
	free(info->version);
	free(info->name);
	free(info);
}

/* Memory with room for one more item, moved if need be; NULL when there is none. */
static void *make_room(void *memory, size_t count, size_t *cap, size_t item)
{
	if (count < *cap)
		return memory;
	size_t more = *cap ? *cap * 2 : 8;
	void *grown = ociwp_realloc_array(memory, more, item);
	if (grown)
		*cap = more;
	return grown;
}

static void add_name(struct names *names, ociw_span name, ociwp_wasm_cursor *c)
{
	if (ociwp_wasm_stopped(c))
		return;
	if (*names->count >= MAX_NAMES) {
		ociwp_wasm_fault(c, "too many imports or exports");
		return;
	}
	if (memchr(name.data, '\0', name.len)) {
		ociwp_wasm_fault(c, "NUL in a name");
		return;
	}
	char *copy = ociwp_strndup(name.data, name.len);
	char **list = make_room(*names->list, *names->count, &names->cap, sizeof(*list));
	if (list)
		*names->list = list;
	if (!copy || !list) {
		free(copy);
		ociwp_wasm_nomem(c);
		return;
	}
	list[(*names->count)++] = copy;
}

/* Custom sections whose payload is text (2.4); the last one of a name wins. */
static char **text_field(ociwp_wasm_info *info, ociw_span name)
{
	const struct {
		const char *name;
		char **field;
	} fields[] = {
		{"authors", &info->authors},   {"description", &info->description},
		{"licenses", &info->licenses}, {"source", &info->source},
		{"homepage", &info->homepage}, {"revision", &info->revision},
		{"version", &info->version},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(fields); i++)
		if (name.len == strlen(fields[i].name) &&
		    memcmp(name.data, fields[i].name, name.len) == 0)
			return fields[i].field;
	return NULL;
}

/* Metadata is advice: what is no text is passed over. */
static void set_text(char **field, ociw_span text, ociwp_wasm_cursor *c)
{
	if (text.len > OCIWP_WASM_MAX_NAME || !ociwp_utf8_valid(text.data, text.len) ||
	    memchr(text.data, '\0', text.len))
		return;
	char *copy = ociwp_strndup(text.data, text.len);
	if (!copy) {
		ociwp_wasm_nomem(c);
		return;
	}
	free(*field);
	*field = copy;
}

static bool is_name(ociw_span name, const char *text)
{
	return name.len == strlen(text) && memcmp(name.data, text, name.len) == 0;
}

/* Subsection 0 of the name sections is the name of the whole. */
static void read_own_name(ociwp_wasm_cursor section, ociwp_wasm_info *info, ociwp_wasm_cursor *outer)
{
	while (!ociwp_wasm_at_end(&section)) {
		unsigned char id = ociwp_wasm_u8(&section);
		ociwp_wasm_cursor sub = ociwp_wasm_slice(&section, ociwp_wasm_u32(&section));
		if (id != 0 || ociwp_wasm_stopped(&section))
			continue;
		ociw_span name = ociwp_wasm_name(&sub);
		if (!ociwp_wasm_stopped(&sub))
			set_text(&info->name, name, outer);
	}
}

static void read_custom(ociwp_wasm_cursor section, ociwp_wasm_info *info, ociwp_wasm_cursor *outer)
{
	ociw_span name = ociwp_wasm_name(&section);

	if (ociwp_wasm_stopped(&section)) {
		*outer = section;
		return;
	}
	char **field = text_field(info, name);
	if (field)
		set_text(field, (ociw_span){section.p, (size_t)(section.end - section.p)}, outer);
	else if (is_name(name, info->kind == OCIWP_WASM_MODULE ? "name" : "component-name"))
		read_own_name(section, info, outer);
}

static void read_import(ociwp_wasm_cursor *c, struct walk *walk)
{
	uint32_t index;
	ociw_span name = ociwp_wasm_extern_name(c);
	ociwp_wasm_sort sort = ociwp_wasm_extern_type(c, &walk->types, &index);

	walk->import_items++;
	if (sort == OCIWP_WASM_SORT_FUNC || sort == OCIWP_WASM_SORT_TYPE ||
	    sort == OCIWP_WASM_SORT_INSTANCE)
		add_name(&walk->imports, name, c);
}

static void add_packaged(struct walk *walk, uint32_t index, ociwp_wasm_cursor *c)
{
	uint32_t *list = make_room(walk->packaged, walk->type_exports, &walk->packaged_cap,
				   sizeof(*list));
	if (!list) {
		ociwp_wasm_nomem(c);
		return;
	}
	walk->packaged = list;
	list[walk->type_exports++] = index;
}

static void read_export(ociwp_wasm_cursor *c, struct walk *walk)
{
	ociw_span name = ociwp_wasm_extern_name(c);
	ociwp_wasm_sort sort = ociwp_wasm_read_sort(c);
	uint32_t index = ociwp_wasm_u32(c);
	unsigned char has_type = ociwp_wasm_u8(c);

	if (has_type > 1)
		ociwp_wasm_fault(c, "neither present nor absent");
	if (ociwp_wasm_stopped(c))
		return;
	if (has_type) {
		/* The description of a type would push a type of its own; the export does. */
		ociwp_wasm_types scratch = {NULL, 0, 0};
		uint32_t ignored;
		ociwp_wasm_extern_type(c, &scratch, &ignored);
		ociwp_wasm_types_deinit(&scratch);
	}
	if (sort == OCIWP_WASM_SORT_FUNC || sort == OCIWP_WASM_SORT_INSTANCE)
		add_name(&walk->exports, name, c);
	const unsigned char *body =
		sort == OCIWP_WASM_SORT_TYPE ? ociwp_wasm_types_body(&walk->types, index) : NULL;
	if (sort == OCIWP_WASM_SORT_TYPE)
		ociwp_wasm_types_push(&walk->types, c, body);
	if (body)
		add_packaged(walk, index, c);
	else
		walk->other_exports++;
}

static void read_items(ociwp_wasm_cursor *c, unsigned char id, struct walk *walk)
{
	uint32_t count = ociwp_wasm_u32(c);

	for (uint32_t i = 0; i < count && !ociwp_wasm_stopped(c); i++) {
		switch (id) {
		case SECTION_ALIAS:
			ociwp_wasm_alias(c, &walk->types);
			break;
		case SECTION_TYPE:
			ociwp_wasm_deftype(c, &walk->types);
			break;
		case SECTION_IMPORT:
			read_import(c, walk);
			break;
		case SECTION_EXPORT:
			read_export(c, walk);
			break;
		}
	}
	if (!ociwp_wasm_at_end(c))
		ociwp_wasm_fault(c, "bytes behind the last item of a section");
}

/* All sections of the outermost level. What the walk does not know ends it, but not the reading of
 * metadata. */
static void read_sections(ociwp_wasm_cursor *c, struct walk *walk)
{
	while (!ociwp_wasm_at_end(c)) {
		unsigned char id = ociwp_wasm_u8(c);
		ociwp_wasm_cursor section = ociwp_wasm_slice(c, ociwp_wasm_u32(c));
		if (ociwp_wasm_stopped(c))
			return;
		if (id == SECTION_CUSTOM)
			read_custom(section, walk->info, c);
		if (walk->info->kind == OCIWP_WASM_MODULE || walk->info->not_introspectable)
			continue;
		if (id != SECTION_ALIAS && id != SECTION_TYPE && id != SECTION_IMPORT &&
		    id != SECTION_EXPORT)
			continue;
		read_items(&section, id, walk);
		if (section.unknown)
			walk->info->not_introspectable = true;
		else if (ociwp_wasm_stopped(&section))
			*c = section;
	}
}

struct package {
	struct walk *walk;
	ociwp_wasm_cursor *c;
	size_t budget; /* bytes of bodies that may still be read again */
	bool world;
};

static void read_body(struct package *package, const unsigned char *body, bool world);

static void package_export(ociw_span name, ociwp_wasm_sort sort, uint32_t type_index,
			   const ociwp_wasm_types *types, void *user_data)
{
	struct package *package = user_data;

	if (package->world) {
		if (sort == OCIWP_WASM_SORT_FUNC || sort == OCIWP_WASM_SORT_INSTANCE)
			add_name(&package->walk->exports, name, package->c);
		return;
	}
	if (sort != OCIWP_WASM_SORT_INSTANCE && sort != OCIWP_WASM_SORT_COMPONENT)
		return;
	add_name(&package->walk->exports, name, package->c);
	const unsigned char *body = ociwp_wasm_types_body(types, type_index);
	if (sort == OCIWP_WASM_SORT_COMPONENT && body)
		read_body(package, body, true);
}

/* Reads a component type again that the walk has found well formed. Many exports may name one type:
 * the budget keeps the time linear. */
static void read_body(struct package *package, const unsigned char *body, bool world)
{
	ociwp_wasm_cursor c = *package->c;
	struct package inner = *package;

	if (ociwp_wasm_stopped(package->c))
		return;
	c.p = body;
	c.end = (const unsigned char *)package->walk->binary.data + package->walk->binary.len;
	inner.world = world;
	ociwp_wasm_component_body(&c, package_export, &inner);
	size_t used = (size_t)(c.p - body);
	if (c.nomem)
		ociwp_wasm_nomem(package->c);
	else if (ociwp_wasm_stopped(&c) || used > inner.budget)
		ociwp_wasm_unknown(package->c);
	else
		package->budget = inner.budget - used;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted and each once: upstream lists a package in random order (2.2). */
static void sort_unique(char **list, size_t *count)
{
	size_t kept = 0;

	if (*count == 0)
		return;
	qsort(list, *count, sizeof(*list), by_bytes);
	for (size_t i = 0; i < *count; i++) {
		if (kept > 0 && strcmp(list[kept - 1], list[i]) == 0)
			free(list[i]);
		else
			list[kept++] = list[i];
	}
	*count = kept;
}

/* A component that imports nothing and exports nothing but component types is a WIT package. */
static void read_package(ociwp_wasm_cursor *c, struct walk *walk)
{
	ociwp_wasm_info *info = walk->info;

	if (info->kind != OCIWP_WASM_COMPONENT || info->not_introspectable ||
	    ociwp_wasm_stopped(c) || walk->import_items > 0 || walk->other_exports > 0 ||
	    walk->type_exports == 0)
		return;
	info->kind = OCIWP_WASM_PACKAGE;
	struct package package = {walk, c, 4 * walk->binary.len, false};
	for (size_t i = 0; i < walk->type_exports && !ociwp_wasm_stopped(c); i++)
		read_body(&package, ociwp_wasm_types_body(&walk->types, walk->packaged[i]), false);
	if (c->unknown) {
		c->unknown = false;
		info->not_introspectable = true;
	}
	sort_unique(info->exports, &info->export_count);
}

static int refuse(ociwp_wasm_kind kind, ociw_error **err)
{
	if (kind == OCIWP_WASM_TEXT)
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
				  "not a wasm binary but WAT text; convert it with wat2wasm or "
				  "wasm-tools parse");
	if (kind == OCIWP_WASM_NATIVE)
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
				  "not wasm but native code; take the .wasm file before it was "
				  "compiled ahead of time");
	return ociwp_fail(err, OCIW_ERR_UNSUPPORTED, "not a wasm binary");
}

static int finish(struct walk *walk, const ociwp_wasm_cursor *c, ociw_error **err)
{
	ociwp_wasm_types_deinit(&walk->types);
	free(walk->packaged);
	if (c->nomem)
		return ociwp_nomem(err);
	if (c->fault)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "wasm binary: byte %zu: %s", c->fault_at,
				  c->fault);
	return 0;
}

int ociwp_wasm_parse(ociw_span binary, ociwp_wasm_info **out, ociw_error **err)
{
	OCIWP_AUTO(wasm_info) ociwp_wasm_info *info = NULL;
	const unsigned char *bytes = binary.data;
	ociwp_wasm_kind kind = ociwp_wasm_sniff(binary.data, binary.len);

	if (kind != OCIWP_WASM_MODULE && kind != OCIWP_WASM_COMPONENT)
		return refuse(kind, err);
	info = ociwp_new(ociwp_wasm_info);
	if (!info)
		return ociwp_nomem(err);
	info->kind = kind;
	/* Another version of the component format: its sections may mean anything. */
	info->not_introspectable =
		kind == OCIWP_WASM_COMPONENT && (bytes[4] != COMPONENT_VERSION || bytes[5] != 0);

	struct walk walk = {
		.info = info,
		.imports = {&info->imports, &info->import_count, 0},
		.exports = {&info->exports, &info->export_count, 0},
		.binary = binary,
	};
	ociwp_wasm_cursor c = {.start = bytes,
			       .p = bytes + OCIWP_WASM_PREAMBLE,
			       .end = bytes + binary.len};
	if (!info->not_introspectable)
		read_sections(&c, &walk);
	read_package(&c, &walk);
	int r = finish(&walk, &c, err);
	if (r == 0)
		*out = ociwp_steal(&info);
	return r;
}
