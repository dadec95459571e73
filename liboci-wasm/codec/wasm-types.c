/* SPDX-License-Identifier: Apache-2.0
 *
 * Skips the types of components, keeping their index spaces. Judges no type; what it does not know
 * stops the walk. component-model design/mvp/Binary.md; specs/wasm-formats.md 2.3.
 */
#include "codec/wasm-types.h"
#include "base/alloc.h"

/* wasm-tools' own limits: deeper or more is no binary that any engine takes. */
#define MAX_DEPTH 100
#define MAX_TYPES 1000000

/* Productions of the binary grammar. */
enum {
	TYPE_RESOURCE = 0x3f,
	TYPE_FUNC = 0x40,
	TYPE_COMPONENT = 0x41,
	TYPE_INSTANCE = 0x42,
	TYPE_ASYNC_FUNC = 0x43,
	TYPE_MAP = 0x63,
	TYPE_ERROR_CONTEXT = 0x64,
	TYPE_FUTURE = 0x65,
	TYPE_STREAM = 0x66,
	TYPE_FIXED_LIST = 0x67,
	TYPE_BORROW = 0x68,
	TYPE_OWN = 0x69,
	TYPE_RESULT = 0x6a,
	TYPE_OPTION = 0x6b,
	TYPE_ENUM = 0x6d,
	TYPE_FLAGS = 0x6e,
	TYPE_TUPLE = 0x6f,
	TYPE_LIST = 0x70,
	TYPE_VARIANT = 0x71,
	TYPE_RECORD = 0x72,
	TYPE_FIRST_PRIMITIVE = 0x73,
	TYPE_LAST_PRIMITIVE = 0x7f,

	DECL_CORE_TYPE = 0,
	DECL_TYPE = 1,
	DECL_ALIAS = 2,
	DECL_IMPORT = 3,
	DECL_EXPORT = 4,
};

static void skip_deftype(ociwp_wasm_cursor *c, ociwp_wasm_types *types, unsigned depth);

void ociwp_wasm_types_deinit(ociwp_wasm_types *types)
{
	free(types->bodies);
	*types = (ociwp_wasm_types){NULL, 0, 0};
}

void ociwp_wasm_types_push(ociwp_wasm_types *types, ociwp_wasm_cursor *c,
			   const unsigned char *body)
{
	if (ociwp_wasm_stopped(c))
		return;
	if (types->count >= MAX_TYPES) {
		ociwp_wasm_fault(c, "too many types");
		return;
	}
	if (types->count == types->cap) {
		size_t cap = types->cap ? types->cap * 2 : 16;
		void *grown = ociwp_realloc_array(types->bodies, cap, sizeof(*types->bodies));
		if (!grown) {
			ociwp_wasm_nomem(c);
			return;
		}
		types->bodies = grown;
		types->cap = cap;
	}
	types->bodies[types->count++] = body;
}

const unsigned char *ociwp_wasm_types_body(const ociwp_wasm_types *types, uint32_t index)
{
	return index < types->count ? types->bodies[index] : NULL;
}

ociw_span ociwp_wasm_extern_name(ociwp_wasm_cursor *c)
{
	unsigned char form = ociwp_wasm_u8(c);

	if (form > 2)
		ociwp_wasm_unknown(c);
	ociw_span name = ociwp_wasm_name(c);
	if (form == 2) {
		uint32_t count = ociwp_wasm_u32(c);
		for (uint32_t i = 0; i < count && !ociwp_wasm_stopped(c); i++) {
			if (ociwp_wasm_u8(c) > 2)
				ociwp_wasm_unknown(c);
			ociwp_wasm_name(c);
		}
	}
	return name;
}

ociwp_wasm_sort ociwp_wasm_read_sort(ociwp_wasm_cursor *c)
{
	unsigned char sort = ociwp_wasm_u8(c);

	if (sort > OCIWP_WASM_SORT_INSTANCE)
		ociwp_wasm_unknown(c);
	if (sort == OCIWP_WASM_SORT_CORE)
		ociwp_wasm_u8(c);
	return (ociwp_wasm_sort)sort;
}

/* Negative for a primitive, else a type index. */
static void skip_valtype(ociwp_wasm_cursor *c)
{
	ociwp_wasm_s33(c);
}

static bool has_optional(ociwp_wasm_cursor *c)
{
	unsigned char flag = ociwp_wasm_u8(c);
	if (flag > 1)
		ociwp_wasm_fault(c, "neither present nor absent");
	return flag == 1;
}

static void skip_optional_valtype(ociwp_wasm_cursor *c)
{
	if (has_optional(c))
		skip_valtype(c);
}

ociwp_wasm_sort ociwp_wasm_extern_type(ociwp_wasm_cursor *c, ociwp_wasm_types *types,
				       uint32_t *type_index)
{
	unsigned char sort = ociwp_wasm_u8(c);

	*type_index = 0;
	switch (sort) {
	case OCIWP_WASM_SORT_CORE:
		if (ociwp_wasm_u8(c) != 0x11)
			ociwp_wasm_unknown(c);
		ociwp_wasm_u32(c);
		break;
	case OCIWP_WASM_SORT_FUNC:
	case OCIWP_WASM_SORT_COMPONENT:
	case OCIWP_WASM_SORT_INSTANCE:
		*type_index = ociwp_wasm_u32(c);
		break;
	case OCIWP_WASM_SORT_VALUE:
		if (has_optional(c))
			skip_valtype(c);
		else
			ociwp_wasm_u32(c);
		break;
	case OCIWP_WASM_SORT_TYPE:
		if (!has_optional(c))
			*type_index = ociwp_wasm_u32(c);
		ociwp_wasm_types_push(types, c, ociwp_wasm_types_body(types, *type_index));
		break;
	default:
		ociwp_wasm_unknown(c);
	}
	return (ociwp_wasm_sort)sort;
}

void ociwp_wasm_alias(ociwp_wasm_cursor *c, ociwp_wasm_types *types)
{
	ociwp_wasm_sort sort = ociwp_wasm_read_sort(c);
	unsigned char target = ociwp_wasm_u8(c);

	if (target > 2)
		ociwp_wasm_unknown(c);
	ociwp_wasm_u32(c);
	if (target == 2)
		ociwp_wasm_u32(c);
	else
		ociwp_wasm_name(c);
	if (sort == OCIWP_WASM_SORT_TYPE)
		ociwp_wasm_types_push(types, c, NULL);
}

/* One declaration of a component or instance type; *is_export with its name and description. */
static bool read_decl(ociwp_wasm_cursor *c, ociwp_wasm_types *types, unsigned depth,
		      ociw_span *name, ociwp_wasm_sort *sort, uint32_t *type_index)
{
	unsigned char form = ociwp_wasm_u8(c);

	switch (form) {
	case DECL_TYPE:
		skip_deftype(c, types, depth);
		return false;
	case DECL_ALIAS:
		ociwp_wasm_alias(c, types);
		return false;
	case DECL_IMPORT:
	case DECL_EXPORT:
		*name = ociwp_wasm_extern_name(c);
		*sort = ociwp_wasm_extern_type(c, types, type_index);
		return form == DECL_EXPORT && !ociwp_wasm_stopped(c);
	default:
		/* A core type among them, or something newer than this reader. */
		ociwp_wasm_unknown(c);
		return false;
	}
}

static void walk_body(ociwp_wasm_cursor *c, unsigned depth, ociwp_wasm_export_cb cb,
		      void *user_data)
{
	ociwp_wasm_types types = {NULL, 0, 0};
	uint32_t count = ociwp_wasm_u32(c);

	for (uint32_t i = 0; i < count && !ociwp_wasm_stopped(c); i++) {
		ociw_span name;
		ociwp_wasm_sort sort;
		uint32_t type_index;
		if (read_decl(c, &types, depth, &name, &sort, &type_index) && cb)
			cb(name, sort, type_index, &types, user_data);
	}
	ociwp_wasm_types_deinit(&types);
}

void ociwp_wasm_component_body(ociwp_wasm_cursor *c, ociwp_wasm_export_cb cb, void *user_data)
{
	walk_body(c, 1, cb, user_data);
}

static void skip_names(ociwp_wasm_cursor *c)
{
	uint32_t count = ociwp_wasm_u32(c);
	for (uint32_t i = 0; i < count && !ociwp_wasm_stopped(c); i++)
		ociwp_wasm_name(c);
}

static void skip_fields(ociwp_wasm_cursor *c)
{
	uint32_t count = ociwp_wasm_u32(c);
	for (uint32_t i = 0; i < count && !ociwp_wasm_stopped(c); i++) {
		ociwp_wasm_name(c);
		skip_valtype(c);
	}
}

static void skip_cases(ociwp_wasm_cursor *c)
{
	uint32_t count = ociwp_wasm_u32(c);
	for (uint32_t i = 0; i < count && !ociwp_wasm_stopped(c); i++) {
		ociwp_wasm_name(c);
		skip_optional_valtype(c);
		if (has_optional(c))
			ociwp_wasm_u32(c);
	}
}

static void skip_tuple(ociwp_wasm_cursor *c)
{
	uint32_t count = ociwp_wasm_u32(c);
	for (uint32_t i = 0; i < count && !ociwp_wasm_stopped(c); i++)
		skip_valtype(c);
}

static void skip_func(ociwp_wasm_cursor *c)
{
	skip_fields(c);
	if (has_optional(c))
		skip_fields(c); /* named results, written by old encoders; none otherwise */
	else
		skip_valtype(c);
}

static void skip_resource(ociwp_wasm_cursor *c)
{
	ociwp_wasm_u8(c);
	if (has_optional(c))
		ociwp_wasm_u32(c);
}

/* Types that hold no other definitions. */
static void skip_value_definition(ociwp_wasm_cursor *c, unsigned char form)
{
	switch (form) {
	case TYPE_RECORD:
		skip_fields(c);
		break;
	case TYPE_VARIANT:
		skip_cases(c);
		break;
	case TYPE_TUPLE:
		skip_tuple(c);
		break;
	case TYPE_FLAGS:
	case TYPE_ENUM:
		skip_names(c);
		break;
	case TYPE_RESULT:
		skip_optional_valtype(c);
		skip_optional_valtype(c);
		break;
	case TYPE_STREAM:
	case TYPE_FUTURE:
		skip_optional_valtype(c);
		break;
	case TYPE_LIST:
	case TYPE_OPTION:
		skip_valtype(c);
		break;
	case TYPE_FIXED_LIST:
		skip_valtype(c);
		ociwp_wasm_u32(c);
		break;
	case TYPE_MAP:
		skip_valtype(c);
		skip_valtype(c);
		break;
	case TYPE_OWN:
	case TYPE_BORROW:
		ociwp_wasm_u32(c);
		break;
	default:
		ociwp_wasm_unknown(c);
	}
}

static void skip_deftype(ociwp_wasm_cursor *c, ociwp_wasm_types *types, unsigned depth)
{
	const unsigned char *body = NULL;
	unsigned char form = ociwp_wasm_u8(c);

	if (depth >= MAX_DEPTH) {
		ociwp_wasm_fault(c, "types nested too deep");
		return;
	}
	if (form == TYPE_COMPONENT || form == TYPE_INSTANCE) {
		body = form == TYPE_COMPONENT ? c->p : NULL;
		walk_body(c, depth + 1, NULL, NULL);
	} else if (form == TYPE_FUNC || form == TYPE_ASYNC_FUNC) {
		skip_func(c);
	} else if (form == TYPE_RESOURCE) {
		skip_resource(c);
	} else if (form != TYPE_ERROR_CONTEXT &&
		   !(form >= TYPE_FIRST_PRIMITIVE && form <= TYPE_LAST_PRIMITIVE)) {
		skip_value_definition(c, form);
	}
	ociwp_wasm_types_push(types, c, body);
}

void ociwp_wasm_deftype(ociwp_wasm_cursor *c, ociwp_wasm_types *types)
{
	skip_deftype(c, types, 0);
}
