/* SPDX-License-Identifier: Apache-2.0
 *
 * The type index space of a component, as far as it is needed to tell a WIT package and list what it
 * holds: types are skipped, and of component types it is remembered where they are.
 */
#ifndef OCIW_CODEC_WASM_TYPES_H
#define OCIW_CODEC_WASM_TYPES_H

#include "codec/wasm-cursor.h"

/* Index space of types: where the body of each component type begins, NULL for all others. */
typedef struct ociwp_wasm_types {
	const unsigned char **bodies;
	size_t count;
	size_t cap;
} ociwp_wasm_types;

typedef enum ociwp_wasm_sort {
	OCIWP_WASM_SORT_CORE = 0,
	OCIWP_WASM_SORT_FUNC = 1,
	OCIWP_WASM_SORT_VALUE = 2,
	OCIWP_WASM_SORT_TYPE = 3,
	OCIWP_WASM_SORT_COMPONENT = 4,
	OCIWP_WASM_SORT_INSTANCE = 5
} ociwp_wasm_sort;

void ociwp_wasm_types_deinit(ociwp_wasm_types *types);
void ociwp_wasm_types_push(ociwp_wasm_types *types, ociwp_wasm_cursor *c,
			   const unsigned char *body);
/* Body of component type @p index, NULL when it is another type or not there. */
const unsigned char *ociwp_wasm_types_body(const ociwp_wasm_types *types, uint32_t index);

/* Each reads one production and pushes what it defines. */
ociw_span ociwp_wasm_extern_name(ociwp_wasm_cursor *c);
ociwp_wasm_sort ociwp_wasm_read_sort(ociwp_wasm_cursor *c);
/* *type_index: the index that the description has, 0 for a resource or core module. */
ociwp_wasm_sort ociwp_wasm_extern_type(ociwp_wasm_cursor *c, ociwp_wasm_types *types,
				       uint32_t *type_index);
void ociwp_wasm_alias(ociwp_wasm_cursor *c, ociwp_wasm_types *types);
void ociwp_wasm_deftype(ociwp_wasm_cursor *c, ociwp_wasm_types *types);

/* Called for each export of a component type; @p types is its own index space so far. */
typedef void (*ociwp_wasm_export_cb)(ociw_span name, ociwp_wasm_sort sort, uint32_t type_index,
				     const ociwp_wasm_types *types, void *user_data);
/* Walks the body of a component type, @p c standing at its count of declarations. */
void ociwp_wasm_component_body(ociwp_wasm_cursor *c, ociwp_wasm_export_cb cb, void *user_data);

#endif
