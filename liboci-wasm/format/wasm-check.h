/* SPDX-License-Identifier: Apache-2.0
 *
 * Is this file really wasm (spin.md 3.1, 7.1 "AOT trust", issue rule 3)? Walks the outermost
 * sections with small reads, whatever the size of the file; what is inside them is
 * codec/wasm-binary's.
 */
#ifndef OCIW_FORMAT_WASM_CHECK_H
#define OCIW_FORMAT_WASM_CHECK_H

#include "base/buf.h"
#include "codec/wasm-binary.h"

enum ociwp_wasm_check {
	OCIWP_WASM_CHECK_HEAD = 1, /* the eight first bytes, as Spin does it */
	OCIWP_WASM_CHECK_WALK = 2  /* and every section to the end of the file */
};

/* Sections past this many bytes in all are not kept by the outline: the walk still covers them. */
#define OCIWP_WASM_OUTLINE_MAX (16u << 20)

/* Reads @p fd (borrowed, its position is not used), a file of @p size bytes.
 * FORMAT for what is no wasm or cut off, UNSUPPORTED for text and for native code. */
int ociwp_wasm_check(int fd, uint64_t size, enum ociwp_wasm_check how, ociw_error **err);

/* The binary without the bodies that say nothing about its world (code, data, embedded modules and
 * components): enough for ociwp_wasm_parse(), small however large the file is. Walks as above. */
int ociwp_wasm_outline(int fd, uint64_t size, ociwp_buf *out, ociw_error **err);

#endif
