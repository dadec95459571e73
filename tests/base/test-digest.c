/* SPDX-License-Identifier: Apache-2.0
 *
 * Text of digests, row by row from oci-client.md DIG-1..5 and D7.
 */
#include "base/digest.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#define HEX64 "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

struct row {
	char text[160];
	int code;
};

ParameterizedTestParameters(digest, parse_follows_the_table)
{
	static struct row rows[] = {
		{"sha256:" HEX64, 0},
		{"sha512:" HEX64 HEX64, 0},
		{"sha512:" HEX64, OCIW_ERR_INVALID},
		{"sha256:" HEX64 "0", OCIW_ERR_INVALID},
		{"sha256:44136FA355B3678A1146AD16F7E8649E94FB4FC21FE77E8310C060F61CAAFF8A",
		 OCIW_ERR_INVALID},
		{"SHA256:" HEX64, OCIW_ERR_INVALID},
		{"sha256" HEX64, OCIW_ERR_INVALID},
		{"sha256:", OCIW_ERR_INVALID},
		{":" HEX64, OCIW_ERR_INVALID},
		{"", OCIW_ERR_INVALID},
		{"blake3:" HEX64, OCIW_ERR_UNSUPPORTED},
		{"sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g", OCIW_ERR_UNSUPPORTED},
		{"a.b_c-d:x=", OCIW_ERR_UNSUPPORTED},
		{"a..b:x", OCIW_ERR_INVALID},
		{"md5:x/y", OCIW_ERR_INVALID},
		{"sha256:../../../../etc/passwd", OCIW_ERR_INVALID},
	};
	return cr_make_param_array(struct row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct row *row, digest, parse_follows_the_table)
{
	char text[OCIW_DIGEST_TEXT_MAX];
	ociw_digest digest;
	ociw_error *err = NULL;

	cr_assert_eq(ociw_digest_parse(row->text, &digest, &err), row->code, "%s", row->text);
	cr_assert_eq(ociw_error_code(err), (ociw_code)row->code);
	if (row->code == 0)
		cr_assert_str_eq(ociw_digest_format(&digest, text), row->text);
	cr_assert_eq(ociw_digest_is_valid(row->text), row->code != OCIW_ERR_INVALID);
	ociw_error_free(err);
}

Test(digest, none_is_empty_text_and_null_is_no_digest)
{
	char text[OCIW_DIGEST_TEXT_MAX];
	ociw_digest none = {0};

	cr_assert_str_eq(ociw_digest_format(&none, text), "");
	cr_assert_not(ociw_digest_is_valid(NULL));
}

Test(digest, equal_compares_algorithm_and_bytes)
{
	ociw_digest a, b;

	cr_assert_eq(ociw_digest_parse("sha256:" HEX64, &a, NULL), 0);
	b = a;
	cr_assert(ociw_digest_equal(&a, &b));
	b.bytes[31] ^= 1;
	cr_assert_not(ociw_digest_equal(&a, &b));
}
