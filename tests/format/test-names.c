/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of formats.
 */
#include <criterion/criterion.h>
#include <oci-wasm/format.h>

Test(names, every_format_has_a_name_that_parses_to_it)
{
	for (int f = OCIW_FORMAT_SPIN; f <= OCIW_FORMAT_INDEX; f++) {
		const char *name = ociw_format_name((ociw_format)f);
		cr_expect_str_neq(name, "unknown", "%d", f);
		cr_expect_eq(ociw_format_parse(name), (ociw_format)f, "%s", name);
	}
}

Test(names, other_names_of_a_format_are_taken)
{
	cr_expect_eq(ociw_format_parse("cncf"), OCIW_FORMAT_WASM);
	cr_expect_eq(ociw_format_parse("legacy-v1"), OCIW_FORMAT_LEGACY);
	cr_expect_eq(ociw_format_parse("istio-compat"), OCIW_FORMAT_ISTIO);
}

Test(names, what_is_no_format_is_unknown)
{
	cr_expect_eq(ociw_format_parse("Spin"), OCIW_FORMAT_UNKNOWN);
	cr_expect_eq(ociw_format_parse(""), OCIW_FORMAT_UNKNOWN);
	cr_expect_eq(ociw_format_parse("unknown"), OCIW_FORMAT_UNKNOWN);
	cr_expect_eq(ociw_format_parse(NULL), OCIW_FORMAT_UNKNOWN);
	cr_expect_str_eq(ociw_format_name(OCIW_FORMAT_UNKNOWN), "unknown");
	cr_expect_str_eq(ociw_format_name((ociw_format)99), "unknown");
}
