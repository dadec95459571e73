/* SPDX-License-Identifier: Apache-2.0
 *
 * pax records: the form (H3), the keys that count (H1), what is refused (H7).
 */
#include "../support/test-streams.h"
#include "archive/pax.h"

static int parse_bytes(const char *bytes, size_t len, bool global, ociwp_pax *out, char **data,
                       ociw_error **err)
{
	*data = (char *)ociwp_memdup(bytes, len + 1); /* with the NUL that the reader puts there */
	cr_assert(*data);
	return ociwp_pax_parse(*data, len, global, out, err);
}

/* Records of lines "key=value", with their lengths. */
static void expect_good(const char *lines, ociwp_pax *pax, char **data)
{
	ociwp_buf buf = OCIWP_BUF_INIT;
	ociw_error *err = NULL;
	for (const char *at = lines; *at;) {
		size_t line = strcspn(at, "|"), total = line + 3;
		if (total > 9)
			total++;
		ociwp_buf_printf(&buf, "%zu %.*s\n", total, (int)line, at);
		at += line + (at[line] != '\0');
	}
	test_expect(parse_bytes(buf.data, buf.len, false, pax, data, &err), 0, &err, "");
	ociwp_buf_deinit(&buf);
}

static void expect_error(const char *bytes, size_t len, int code, const char *part)
{
	ociwp_pax pax;
	ociw_error *err = NULL;
	char *data;
	test_expect(parse_bytes(bytes, len, false, &pax, &data, &err), code, &err, part);
	free(data);
}

#define EXPECT_ERROR(text, code, part) expect_error(text, sizeof(text) - 1, code, part)

Test(pax, known_keys_are_read)
{
	char *data;
	ociwp_pax pax;
	expect_good("path=a/b|linkpath=c d|size=7|uid=42|gid=100", &pax, &data);
	cr_expect_str_eq(pax.path, "a/b");
	cr_expect_str_eq(pax.target, "c d");
	cr_expect(pax.has_size && pax.size == 7);
	cr_expect(pax.has_uid && pax.uid == 42);
	cr_expect(pax.has_gid && pax.gid == 100);
	cr_expect_not(pax.has_mtime);
	free(data);
}

Test(pax, the_last_of_two_keys_wins)
{
	char *data;
	ociwp_pax pax;
	expect_good("path=a|path=b", &pax, &data);
	cr_expect_str_eq(pax.path, "b");
	free(data);
}

Test(pax, values_may_hold_equals_signs_and_newlines)
{
	char *data;
	ociwp_pax pax;
	expect_good("path=a=\nb", &pax, &data);
	cr_expect_str_eq(pax.path, "a=\nb");
	free(data);
}

Test(pax, unknown_keys_are_ignored)
{
	char *data;
	ociwp_pax pax;
	expect_good("comment=hey|VENDOR.thing=yes!|atime=1.25", &pax, &data);
	cr_expect_null(pax.path);
	cr_expect_not(pax.has_mtime);
	free(data);
}

Test(pax, times_are_exact_to_the_nanosecond)
{
	static const struct {
		const char *record;
		int64_t seconds;
		uint32_t nanoseconds;
	} rows[] = {
	        {"mtime=5", 5, 0},
	        {"mtime=5.5", 5, 500000000},
	        {"mtime=5.", 5, 0},
	        {"mtime=-5.5", -6, 500000000},
	        {"mtime=-0.5", -1, 500000000},
	        {"mtime=-5", -5, 0},
	        {"mtime=1.1234567899999", 1, 123456789},
	        {"mtime=9223372036854775807", INT64_MAX, 0},
	        {"mtime=-9223372036854775807", -INT64_MAX, 0},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		char *data;
		ociwp_pax pax;
		expect_good(rows[i].record, &pax, &data);
		cr_expect(pax.has_mtime);
		cr_expect_eq(pax.mtime_seconds, rows[i].seconds, "%s", rows[i].record);
		cr_expect_eq(pax.mtime_nanoseconds, rows[i].nanoseconds, "%s", rows[i].record);
		free(data);
	}
}

Test(pax, a_broken_form_is_refused)
{
	EXPECT_ERROR("0 path=a\n", OCIW_ERR_FORMAT, "shorter than a record");
	EXPECT_ERROR("3 path=a\n", OCIW_ERR_FORMAT, "shorter than a record");
	EXPECT_ERROR("99 path=a\n", OCIW_ERR_FORMAT, "longer than the header");
	EXPECT_ERROR("8 path=a\n", OCIW_ERR_FORMAT, "newline");
	EXPECT_ERROR("-9 path=a\n", OCIW_ERR_FORMAT, "length and a space");
	EXPECT_ERROR(" 9 path=a\n", OCIW_ERR_FORMAT, "length and a space");
	EXPECT_ERROR("9path=a\n", OCIW_ERR_FORMAT, "length and a space");
	EXPECT_ERROR("9", OCIW_ERR_FORMAT, "length and a space");
	EXPECT_ERROR("99999999999999999999999 path=a\n", OCIW_ERR_FORMAT, "length and a space");
	EXPECT_ERROR("18446744073709551615 path=a\n", OCIW_ERR_FORMAT, "length and a space");
	EXPECT_ERROR("9 pathaa\n", OCIW_ERR_FORMAT, "no key");
	EXPECT_ERROR("6 =ab\n", OCIW_ERR_FORMAT, "no key");
	EXPECT_ERROR("9 pa\0h=a\n", OCIW_ERR_FORMAT, "NUL in its key");
	EXPECT_ERROR("9 path=a\nx", OCIW_ERR_FORMAT, "record at byte 9");
}

Test(pax, a_value_that_cannot_be_is_refused)
{
	EXPECT_ERROR("8 path=\n", OCIW_ERR_FORMAT, "expected a name");
	EXPECT_ERROR("12 path=a\0b\n", OCIW_ERR_FORMAT, "a name without NUL");
	EXPECT_ERROR("13 uname=a\0b\n", OCIW_ERR_FORMAT, "a name without NUL");
	EXPECT_ERROR("11 size=-1\n", OCIW_ERR_FORMAT, "decimal number");
	EXPECT_ERROR("11 size=+1\n", OCIW_ERR_FORMAT, "decimal number");
	EXPECT_ERROR("8 size=\n", OCIW_ERR_FORMAT, "decimal number");
	EXPECT_ERROR("12 size=0x1\n", OCIW_ERR_FORMAT, "decimal number");
	EXPECT_ERROR("28 size=4611686018427387905\n", OCIW_ERR_FORMAT, "decimal number");
	EXPECT_ERROR("29 size=99999999999999999999\n", OCIW_ERR_FORMAT, "decimal number");
	EXPECT_ERROR("9 uid=-2\n", OCIW_ERR_FORMAT, "pax uid");
	EXPECT_ERROR("12 mtime=.5\n", OCIW_ERR_FORMAT, "decimal seconds");
	EXPECT_ERROR("13 mtime=1.x\n", OCIW_ERR_FORMAT, "decimal seconds");
	EXPECT_ERROR("12 mtime=--\n", OCIW_ERR_FORMAT, "");
}

Test(pax, sparse_and_multi_volume_files_are_refused)
{
	EXPECT_ERROR("22 GNU.sparse.major=1\n", OCIW_ERR_UNSUPPORTED, "sparse");
	EXPECT_ERROR("21 GNU.volume.size=1\n", OCIW_ERR_UNSUPPORTED, "multi-volume");
	EXPECT_ERROR("22 SCHILY.realsize=10\n", OCIW_ERR_UNSUPPORTED, "SCHILY.realsize");
}

Test(pax, nothing_in_a_global_header_applies)
{
	ociwp_pax pax;
	char *data;
	ociw_error *err = NULL;
	static const char text[] = "9 path=a\n10 size=9\n";
	test_expect(parse_bytes(text, strlen(text), true, &pax, &data, &err), 0, &err, "");
	cr_expect_null(pax.path);
	cr_expect_not(pax.has_size);
	free(data);
}

Test(pax, attributes_keep_every_byte)
{
	ociwp_pax pax;
	char *data;
	ociw_error *err = NULL;
	static const char text[] =
	        "24 SCHILY.xattr.u.x=a\0\n\n22 SCHILY.xattr.u.y=b\n22 SCHILY.xattr.u.y=c\n";
	test_expect(parse_bytes(text, sizeof(text) - 1, false, &pax, &data, &err), 0, &err, "");
	cr_assert_eq(pax.xattr_count, 2);
	cr_expect_str_eq(pax.xattrs[0].name, "u.x");
	cr_expect_eq(pax.xattrs[0].value_len, 3);
	cr_expect_eq(memcmp(pax.xattrs[0].value, "a\0\n", 3), 0);
	cr_expect_str_eq(pax.xattrs[1].name, "u.y");
	cr_expect_eq(memcmp(pax.xattrs[1].value, "c", 1), 0);
	free(data);
}

Test(pax, too_many_or_too_large_attributes_are_refused)
{
	ociwp_buf many = OCIWP_BUF_INIT, large = OCIWP_BUF_INIT;
	for (int i = 10; i < 75; i++)
		ociwp_buf_printf(&many, "21 SCHILY.xattr.%d=a\n", i);
	expect_error(many.data, many.len, OCIW_ERR_LIMIT, "more than 64 extended attributes");
	ociwp_buf_printf(&large, "65560 SCHILY.xattr.a=");
	while (large.len < 65559)
		ociwp_buf_putc(&large, 'v');
	ociwp_buf_putc(&large, '\n');
	expect_error(large.data, large.len, OCIW_ERR_LIMIT, "the limit is 65536");
	EXPECT_ERROR("18 SCHILY.xattr.=\n", OCIW_ERR_FORMAT, "without a name");
	ociwp_buf_deinit(&many);
	ociwp_buf_deinit(&large);
}
