/* SPDX-License-Identifier: Apache-2.0
 *
 * Primitives of the wasm binary format: bytes, LEB128, names, slices. Knows no section. wasm core
 * spec 5.2; specs/wasm-formats.md 2.3.
 */
#include "codec/wasm-cursor.h"
#include "base/str.h"

void ociwp_wasm_fault(ociwp_wasm_cursor *c, const char *what)
{
	if (ociwp_wasm_stopped(c))
		return;
	c->fault = what;
	c->fault_at = (size_t)(c->p - c->start);
	c->p = c->end;
}

void ociwp_wasm_unknown(ociwp_wasm_cursor *c)
{
	if (ociwp_wasm_stopped(c))
		return;
	c->unknown = true;
	c->p = c->end;
}

void ociwp_wasm_nomem(ociwp_wasm_cursor *c)
{
	c->nomem = true;
	c->p = c->end;
}

unsigned char ociwp_wasm_u8(ociwp_wasm_cursor *c)
{
	if (c->p == c->end) {
		ociwp_wasm_fault(c, "ends too early");
		return 0;
	}
	return *c->p++;
}

/* Padded forms are legal and common (linkers reserve five bytes), longer ones are not. */
uint32_t ociwp_wasm_u32(ociwp_wasm_cursor *c)
{
	uint32_t value = 0;

	for (unsigned shift = 0; shift < 35; shift += 7) {
		unsigned char byte = ociwp_wasm_u8(c);
		if (shift == 28 && byte > 0x0f)
			break;
		value |= (uint32_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	ociwp_wasm_fault(c, "number of more than 32 bits");
	return 0;
}

int64_t ociwp_wasm_s33(ociwp_wasm_cursor *c)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 35; shift += 7) {
		unsigned char byte = ociwp_wasm_u8(c);
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (byte & 0x40)
			value |= UINT64_MAX << (shift + 7);
		int64_t result = (int64_t)value;
		if (result >= -((int64_t)1 << 32) && result < (int64_t)1 << 32)
			return result;
		break;
	}
	ociwp_wasm_fault(c, "number of more than 33 bits");
	return 0;
}

ociw_span ociwp_wasm_name(ociwp_wasm_cursor *c)
{
	uint32_t len = ociwp_wasm_u32(c);

	if (len > (size_t)(c->end - c->p)) {
		ociwp_wasm_fault(c, "name is longer than what holds it");
	} else if (len > OCIWP_WASM_MAX_NAME) {
		ociwp_wasm_fault(c, "name is too long");
	} else if (!ociwp_utf8_valid(c->p, len)) {
		ociwp_wasm_fault(c, "name is no UTF-8");
	} else {
		ociw_span name = {c->p, len};
		c->p += len;
		return name;
	}
	return (ociw_span){"", 0};
}

ociwp_wasm_cursor ociwp_wasm_slice(ociwp_wasm_cursor *c, size_t len)
{
	ociwp_wasm_cursor slice = *c;

	if (len > (size_t)(c->end - c->p)) {
		ociwp_wasm_fault(c, "section is longer than what holds it");
		return *c;
	}
	slice.end = c->p + len;
	c->p += len;
	return slice;
}
