/* SPDX-License-Identifier: Apache-2.0
 *
 * Skipping the types of components (wasm-formats.md 2.3).
 */
#include "base/alloc.h"
#include "codec/wasm-types.h"
#include <criterion/criterion.h>
#include <string.h>

static ociwp_wasm_cursor over(const void *bytes, size_t len)
{
	return (ociwp_wasm_cursor){.start = bytes, .p = bytes, .end = (const unsigned char *)bytes + len};
}

#define ROW(text) {text, sizeof(text) - 1}

Test(wasm_types, every_type_is_skipped_to_its_end)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		ROW("\x7f"),                                   /* bool */
		ROW("\x73"),                                   /* string */
		ROW("\x64"),                                   /* error-context */
		ROW("\x72\x02\x01" "a\x7f\x01" "b\x80\x01"),   /* record */
		ROW("\x71\x02\x01" "a\0\0\x01" "b\x01\x73\0"), /* variant */
		ROW("\x70\x7f"),                               /* list */
		ROW("\x67\x7f\x08"),                           /* list of 8 */
		ROW("\x6f\x02\x7f\x73"),                       /* tuple */
		ROW("\x6e\x01\x01" "f"),                       /* flags */
		ROW("\x6d\x02\x01" "a\x01" "b"),               /* enum */
		ROW("\x6b\x05"),                               /* option */
		ROW("\x6a\x01\x7f\0"),                         /* result */
		ROW("\x69\x03"),                               /* own */
		ROW("\x68\x03"),                               /* borrow */
		ROW("\x66\0"),                                 /* stream */
		ROW("\x65\x01\x7f"),                           /* future */
		ROW("\x63\x73\x7f"),                           /* map */
		ROW("\x40\x01\x01" "a\x7f\0\x73"),             /* func with a result */
		ROW("\x40\0\x01\0"),                           /* func without */
		ROW("\x43\0\x01\x01\x01" "r\x7f"),             /* async, named result */
		ROW("\x3f\x7f\0"),                             /* resource */
		ROW("\x3f\x7f\x01\x05"),                       /* resource with destructor */
		ROW("\x42\x01\x04\0\x01" "f\x01\0"),           /* instance exporting a func */
		ROW("\x41\x02\x03\0\x01" "i\x05\0\x01\x7f"),   /* component */
		ROW("\x42\x02\x02\x03\x02\x01\0\x04\0\x01" "r\x03\x01"), /* alias, resource */
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		ociwp_wasm_types types = {NULL, 0, 0};
		ociwp_wasm_cursor c = over(rows[i].bytes, rows[i].len);
		ociwp_wasm_deftype(&c, &types);
		cr_expect(!ociwp_wasm_stopped(&c) && c.p == c.end, "row %zu: %s", i,
			  c.fault ? c.fault : "unknown or not all read");
		cr_expect_eq(types.count, 1, "row %zu", i);
		ociwp_wasm_types_deinit(&types);
	}
}

Test(wasm_types, only_component_types_have_a_body)
{
	ociwp_wasm_types types = {NULL, 0, 0};
	ociwp_wasm_cursor c = over("\x7f\x41\0", 3);
	ociwp_wasm_deftype(&c, &types);
	ociwp_wasm_deftype(&c, &types);
	cr_expect_null(ociwp_wasm_types_body(&types, 0));
	cr_expect_eq(ociwp_wasm_types_body(&types, 1), c.start + 2);
	cr_expect_null(ociwp_wasm_types_body(&types, 2));
	ociwp_wasm_types_deinit(&types);
}

Test(wasm_types, what_is_not_known_stops_without_a_fault)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {ROW("\x01"), ROW("\x42\x01\0\x50\0"), ROW("\x42\x01\x09"),
		    ROW("\x41\x01\x04\x07\x01" "a\x01\0")};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		ociwp_wasm_types types = {NULL, 0, 0};
		ociwp_wasm_cursor c = over(rows[i].bytes, rows[i].len);
		ociwp_wasm_deftype(&c, &types);
		cr_expect(c.unknown && !c.fault, "row %zu", i);
		cr_expect_eq(types.count, 0);
		ociwp_wasm_types_deinit(&types);
	}
}

Test(wasm_types, nesting_is_limited)
{
	char bytes[400];
	for (size_t i = 0; i + 3 <= sizeof(bytes); i += 3)
		memcpy(bytes + i, "\x42\x01\x01", 3);
	ociwp_wasm_types types = {NULL, 0, 0};
	ociwp_wasm_cursor c = over(bytes, 399);
	ociwp_wasm_deftype(&c, &types);
	cr_expect_str_eq(c.fault, "types nested too deep");
	ociwp_wasm_types_deinit(&types);
}

Test(wasm_types, declared_counts_cost_nothing)
{
	ociwp_wasm_types types = {NULL, 0, 0};
	ociwp_wasm_cursor c = over("\x72\xff\xff\xff\xff\x0f", 6);
	ociwp_wasm_deftype(&c, &types);
	cr_expect_str_eq(c.fault, "ends too early");
	ociwp_wasm_types_deinit(&types);
}

Test(wasm_types, names_may_have_attributes)
{
	ociwp_wasm_cursor c = over("\x02\x01" "a\x01\x01\x01" "b\x01\x01" "c", 11);
	ociw_span name = ociwp_wasm_extern_name(&c);
	cr_expect_eq(name.len, 1);
	cr_expect_eq(*(const char *)name.data, 'a');
	name = ociwp_wasm_extern_name(&c);
	cr_expect_eq(*(const char *)name.data, 'c');
	cr_expect_null(c.fault);
}
