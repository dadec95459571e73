/* SPDX-License-Identifier: Apache-2.0
 *
 * The wasm binary format as far as packing needs it (specs/wasm-formats.md 2.2-2.4): preamble, section
 * walk, names of imports and exports, metadata sections. Sans-I/O: takes the whole binary or its head.
 */
#ifndef OCIW_CODEC_WASM_BINARY_H
#define OCIW_CODEC_WASM_BINARY_H

#include "base/alloc.h"
#include "base/error.h"

typedef enum ociwp_wasm_kind {
	OCIWP_WASM_NONE = 0,     /* not wasm */
	OCIWP_WASM_MODULE = 1,
	OCIWP_WASM_COMPONENT = 2,
	OCIWP_WASM_PACKAGE = 3,  /* a WIT package: a component that exports only types */
	OCIWP_WASM_NATIVE = 4,   /* ELF, Mach-O, PE: precompiled code, never to be packed as wasm */
	OCIWP_WASM_TEXT = 5      /* looks like WAT text */
} ociwp_wasm_kind;

#define OCIWP_WASM_PREAMBLE 8

/* What the first bytes (at least 8 where the file has them) say; PACKAGE is not told apart here. */
ociwp_wasm_kind ociwp_wasm_sniff(const void *head, size_t len);

typedef struct ociwp_wasm_info {
	ociwp_wasm_kind kind;
	char **imports; /* components and packages: names in file order (packages sorted); else none */
	size_t import_count;
	char **exports;
	size_t export_count;
	bool not_introspectable; /* the walk met something it does not know; lists are incomplete */
	char *authors, *description, *licenses, *source, *homepage, *revision, *version, *name;
} ociwp_wasm_info;

/* Walks a whole binary. FORMAT for broken structure (offset in the message), UNSUPPORTED for
 * something that is no wasm, with the one-line fix for WAT. Linear time, nothing allocated from a
 * declared count. */
int ociwp_wasm_parse(ociw_span binary, ociwp_wasm_info **out, ociw_error **err);
void ociwp_wasm_info_free(ociwp_wasm_info *info);
OCIWP_DEFINE_AUTO(wasm_info, ociwp_wasm_info *, ociwp_wasm_info_free)

#endif
