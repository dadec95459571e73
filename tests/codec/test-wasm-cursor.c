/* SPDX-License-Identifier: Apache-2.0
 *
 * Primitives of the wasm binary format and their latched faults (wasm-formats.md 2.3).
 */
#include "base/alloc.h"
#include "codec/wasm-cursor.h"
#include <criterion/criterion.h>

static ociwp_wasm_cursor over(const void *bytes, size_t len)
{
	return (ociwp_wasm_cursor){.start = bytes, .p = bytes, .end = (const unsigned char *)bytes + len};
}

#define OVER(text) over(text, sizeof(text) - 1)

Test(wasm_cursor, u32_is_leb128_of_at_most_five_bytes)
{
	ociwp_wasm_cursor c = OVER("\0\x7f\x80\x01\xff\xff\xff\xff\x0f\x80\x80\x80\x80\0");
	cr_expect_eq(ociwp_wasm_u32(&c), 0);
	cr_expect_eq(ociwp_wasm_u32(&c), 127);
	cr_expect_eq(ociwp_wasm_u32(&c), 128);
	cr_expect_eq(ociwp_wasm_u32(&c), UINT32_MAX);
	cr_expect_eq(ociwp_wasm_u32(&c), 0);
	cr_expect(ociwp_wasm_at_end(&c));
	cr_expect_null(c.fault);
}

Test(wasm_cursor, larger_numbers_are_faults)
{
	ociwp_wasm_cursor wide = OVER("\xff\xff\xff\xff\x1f");
	ociwp_wasm_u32(&wide);
	cr_expect_str_eq(wide.fault, "number of more than 32 bits");
	ociwp_wasm_cursor longer = OVER("\x80\x80\x80\x80\x80\0");
	ociwp_wasm_u32(&longer);
	cr_expect_not_null(longer.fault);
	ociwp_wasm_cursor cut = OVER("\x80");
	ociwp_wasm_u32(&cut);
	cr_expect_str_eq(cut.fault, "ends too early");
}

Test(wasm_cursor, s33_is_signed)
{
	ociwp_wasm_cursor c = OVER("\x7f\x40\x3f\xff\xff\xff\xff\x0f\x80\x80\x80\x80\x70");
	cr_expect_eq(ociwp_wasm_s33(&c), -1);
	cr_expect_eq(ociwp_wasm_s33(&c), -64);
	cr_expect_eq(ociwp_wasm_s33(&c), 63);
	cr_expect_eq(ociwp_wasm_s33(&c), (int64_t)UINT32_MAX);
	cr_expect_eq(ociwp_wasm_s33(&c), -((int64_t)1 << 32));
	cr_expect_null(c.fault);
	ociwp_wasm_cursor wide = OVER("\xff\xff\xff\xff\x3f");
	ociwp_wasm_s33(&wide);
	cr_expect_str_eq(wide.fault, "number of more than 33 bits");
}

Test(wasm_cursor, names_are_utf8_inside_what_holds_them)
{
	ociwp_wasm_cursor c = OVER("\x02\xc3\xa9\0");
	ociw_span name = ociwp_wasm_name(&c);
	cr_expect_eq(name.len, 2);
	cr_expect_eq(ociwp_wasm_name(&c).len, 0);
	cr_expect_null(c.fault);
	ociwp_wasm_cursor cut = OVER("\x03" "ab");
	ociwp_wasm_name(&cut);
	cr_expect_str_eq(cut.fault, "name is longer than what holds it");
	ociwp_wasm_cursor bad = OVER("\x01\xff");
	ociwp_wasm_name(&bad);
	cr_expect_str_eq(bad.fault, "name is no UTF-8");
}

Test(wasm_cursor, the_first_fault_stays_and_everything_after_it_is_empty)
{
	ociwp_wasm_cursor c = OVER("\x01\x05\xff");
	ociwp_wasm_u8(&c);
	ociwp_wasm_name(&c);
	cr_expect_eq(c.fault_at, 2);
	cr_expect_eq(ociwp_wasm_u32(&c), 0);
	ociwp_wasm_unknown(&c);
	cr_expect_str_eq(c.fault, "name is longer than what holds it");
	cr_expect_not(c.unknown);
	cr_expect(ociwp_wasm_at_end(&c));
}

Test(wasm_cursor, slices_end_where_they_say)
{
	ociwp_wasm_cursor c = OVER("abc");
	ociwp_wasm_cursor slice = ociwp_wasm_slice(&c, 2);
	cr_expect_eq(ociwp_wasm_u8(&slice), 'a');
	cr_expect_eq(ociwp_wasm_u8(&slice), 'b');
	cr_expect(ociwp_wasm_at_end(&slice));
	cr_expect_eq(ociwp_wasm_u8(&c), 'c');
	ociwp_wasm_slice(&c, 1);
	cr_expect_str_eq(c.fault, "section is longer than what holds it");
	ociwp_wasm_cursor d = OVER("");
	ociwp_wasm_nomem(&d);
	cr_expect(ociwp_wasm_stopped(&d));
}
