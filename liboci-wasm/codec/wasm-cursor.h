/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the primitives of the wasm binary format from memory. The first fault latches: everything
 * read after it is 0 and empty, and loops over declared counts end there.
 */
#ifndef OCIW_CODEC_WASM_CURSOR_H
#define OCIW_CODEC_WASM_CURSOR_H

#include <oci-wasm/export.h>

typedef struct ociwp_wasm_cursor {
	const unsigned char *start; /* of the whole binary: offsets in messages count from here */
	const unsigned char *p;
	const unsigned char *end;
	const char *fault; /* what is broken, or NULL */
	size_t fault_at;   /* offset of it */
	bool unknown; /* met something well formed as far as we can say, but not known here */
	bool nomem;   /* memory ran out in what was read into */
} ociwp_wasm_cursor;

/* Longest name that is taken, as wasm-tools has it. */
#define OCIWP_WASM_MAX_NAME 100000

static inline bool ociwp_wasm_stopped(const ociwp_wasm_cursor *c)
{
	return c->fault || c->unknown || c->nomem;
}
static inline bool ociwp_wasm_at_end(const ociwp_wasm_cursor *c)
{
	return c->p == c->end || ociwp_wasm_stopped(c);
}
/* Latches a fault; the position is moved to the end. */
void ociwp_wasm_fault(ociwp_wasm_cursor *c, const char *what);
void ociwp_wasm_unknown(ociwp_wasm_cursor *c);
void ociwp_wasm_nomem(ociwp_wasm_cursor *c);

unsigned char ociwp_wasm_u8(ociwp_wasm_cursor *c);
uint32_t ociwp_wasm_u32(ociwp_wasm_cursor *c);
int64_t ociwp_wasm_s33(ociwp_wasm_cursor *c);
/* UTF-8 bytes with their length before; borrowed from the binary. */
ociw_span ociwp_wasm_name(ociwp_wasm_cursor *c);
/* The next @p len bytes as a cursor of their own; this one moves behind them. */
ociwp_wasm_cursor ociwp_wasm_slice(ociwp_wasm_cursor *c, size_t len);

#endif
