/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of codec/nfc: rows of Unicode's own examples (UAX #15), and text that is none.
 */
#include "codec/nfc.h"
#include "base/str.h"
#include <criterion/criterion.h>

static void expect(const char *text, const char *want)
{
	OCIWP_AUTO(str) char *got = ociwp_nfc(text);
	cr_assert_str_eq(got, want);
}

Test(nfc, what_is_normal_stays)
{
	static const char *const rows[] = {"",
	                                   "plain",
	                                   "a\tb\n",
	                                   "\xc3\xa9t\xc3\xa9",
	                                   "\xe6\x97\xa5\xe6\x9c\xac",
	                                   "\xf0\x9f\x98\x80"};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect(rows[i], rows[i]);
}

Test(nfc, marks_are_composed_and_ordered)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
	        {"e\xcc\x81", "\xc3\xa9"},                    /* e, acute */
	        {"\xe2\x84\xab", "\xc3\x85"},                 /* angstrom sign */
	        {"\xe2\x84\xa6", "\xce\xa9"},                 /* ohm sign */
	        {"s\xcc\xa3\xcc\x87", "\xe1\xb9\xa9"},        /* s, dot below, dot above */
	        {"s\xcc\x87\xcc\xa3", "\xe1\xb9\xa9"},        /* in the other order */
	        {"\xe1\x84\x80\xe1\x85\xa1", "\xea\xb0\x80"}, /* hangul */
	        {"\xe0\xa5\x98", "\xe0\xa4\x95\xe0\xa4\xbc"}, /* excluded from composition */
	        {"\xef\xac\x81", "\xef\xac\x81"}, /* a ligature is no canonical matter */
	};
	if (!ociwp_nfc_is_there())
		cr_skip("this build does not normalise");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect(rows[i].text, rows[i].want);
}

Test(nfc, what_is_no_utf8_comes_back)
{
	expect("\xff\xfe", "\xff\xfe");
	expect("a\xc3", "a\xc3");
}
