/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/buf.h"

#include <criterion/criterion.h>
#include <string.h>

Test(str, quoting_escapes_what_could_fool_a_terminal)
{
	cr_assert_str_eq(ociwp_quote("plain \xc3\xa9"), "\"plain \xc3\xa9\"");
	cr_assert_str_eq(ociwp_quote("\033]0;x\a"), "\"\\x1b]0;x\\x07\"");
	cr_assert_str_eq(ociwp_quote("\xc2\x9b"), "\"\\xc2\\x9b\"");
	cr_assert_str_eq(ociwp_quote("\xe2\x80\xae"), "\"\\xe2\\x80\\xae\"");
	cr_assert_str_eq(ociwp_quote("\xff\xc0"), "\"\\xff\\xc0\"");
	cr_assert_str_eq(ociwp_quote(NULL), "\"\"");
}

Test(str, long_text_is_shortened_in_the_middle)
{
	char text[1000];

	memset(text, 'a', sizeof(text));
	memcpy(text + 990, "END", 3);
	text[993] = '\0';
	const char *quoted = ociwp_quote(text);
	cr_assert_lt(strlen(quoted), 256);
	cr_assert_not_null(strstr(quoted, "..."));
	cr_assert_not_null(strstr(quoted, "END\""));
	memset(text, '\033', 999);
	text[999] = '\0';
	cr_assert_lt(strlen(ociwp_quote(text)), 256);
}

Test(str, utf8_is_strict)
{
	cr_assert(ociwp_utf8_valid("a\xf0\x9f\x98\x80", 5));
	cr_assert_not(ociwp_utf8_valid("\xc0\x80", 2));
	cr_assert_not(ociwp_utf8_valid("\xed\xa0\x80", 3));
	cr_assert_not(ociwp_utf8_valid("\xf4\x90\x80\x80", 4));
	cr_assert_not(ociwp_utf8_valid("\xe2\x82", 2));
}

Test(str, hex_takes_lower_case_only)
{
	uint8_t bytes[2];
	char text[5];

	cr_assert(ociwp_hex_decode(bytes, 2, "0aff"));
	ociwp_hex_encode(text, bytes, 2);
	cr_assert_str_eq(text, "0aff");
	cr_assert_not(ociwp_hex_decode(bytes, 2, "0AFF"));
	cr_assert_not(ociwp_hex_decode(bytes, 2, "0a"));
}

Test(str, numbers_are_checked_to_their_last_digit)
{
	uint64_t value;

	cr_assert(ociwp_parse_u64("18446744073709551615", 20, &value));
	cr_assert_eq(value, UINT64_MAX);
	cr_assert_not(ociwp_parse_u64("18446744073709551616", 20, &value));
	cr_assert_not(ociwp_parse_u64("", 0, &value));
	cr_assert_not(ociwp_parse_u64("-1", 2, &value));
	cr_assert_not(ociwp_parse_u64("1 ", 2, &value));
}

static void base64_round_trip(const char *plain, const char *padded, const char *unpadded)
{
	char text[32];
	uint8_t bytes[32];
	size_t len = strlen(plain);

	ociwp_base64_encode(text, plain, len, true);
	cr_assert_str_eq(text, padded);
	ociwp_base64_encode(text, plain, len, false);
	cr_assert_str_eq(text, unpadded);
	cr_assert_eq(ociwp_base64_decode(bytes, padded, strlen(padded)), (ptrdiff_t)len);
	cr_assert_eq(ociwp_base64_decode(bytes, unpadded, strlen(unpadded)), (ptrdiff_t)len);
	cr_assert_eq(memcmp(bytes, plain, len), 0);
}

Test(str, base64_of_rfc_4648_in_both_forms)
{
	base64_round_trip("", "", "");
	base64_round_trip("f", "Zg==", "Zg");
	base64_round_trip("fo", "Zm8=", "Zm8");
	base64_round_trip("foo", "Zm9v", "Zm9v");
	base64_round_trip("foobar", "Zm9vYmFy", "Zm9vYmFy");
}

Test(str, base64_refuses_what_is_not_canonical)
{
	uint8_t bytes[16];

	cr_assert_eq(ociwp_base64_decode(bytes, "Zh==", 4), -1);
	cr_assert_eq(ociwp_base64_decode(bytes, "Z", 1), -1);
	cr_assert_eq(ociwp_base64_decode(bytes, "Zg=", 3), -1);
	cr_assert_eq(ociwp_base64_decode(bytes, "Z===", 4), -1);
	cr_assert_eq(ociwp_base64_decode(bytes, "Zm9v\n", 5), -1);
	cr_assert_eq(ociwp_base64_decode(bytes, "Zm-_", 4), -1);
}

Test(str, ends_with_and_case)
{
	cr_assert(ociwp_ends_with("a.wasm", ".wasm"));
	cr_assert_not(ociwp_ends_with("m", ".wasm"));
	cr_assert(ociwp_strcaseeq("BeArEr", "bearer"));
	cr_assert_not(ociwp_strcaseeq("bearer", "beare"));
}
