/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of entries as text (extraction.md N1-N5, W3, W5), row by row.
 */
#include "ops/extract-name.h"

#include "base/op.h"
#include "base/str.h"

#include <criterion/criterion.h>

static ociw_limits limits(void)
{
	ociw_limits out;
	ociwp_limits_get(NULL, &out);
	return out;
}

static int judge(const char *name, size_t len, bool absolute, ociwp_buf *out)
{
	ociw_limits defaults = limits();
	ociw_error *err = NULL;
	int r = ociwp_extract_name(name, len, &defaults, absolute, out, &err);
	cr_expect_eq(ociw_error_code(err), r);
	ociw_error_free(err);
	return r;
}

static const struct {
	const char *name;
	int code;
	const char *normal;
} names[] = {
	{"a", 0, "a"},
	{"a/b/c", 0, "a/b/c"},
	{"./a", 0, "a"},
	{"a//b/./c/", 0, "a/b/c"},
	{".", 0, ""},
	{"./", 0, ""},
	{".//./", 0, ""},
	{"...", 0, "..."},
	{"a/..b", 0, "a/..b"},
	{"-rf\n\033[31m", 0, "-rf\n\033[31m"},
	{"", OCIW_ERR_FORMAT, NULL},
	{"/", OCIW_ERR_UNSAFE, NULL},
	{"/etc/passwd", OCIW_ERR_UNSAFE, NULL},
	{"..", OCIW_ERR_UNSAFE, NULL},
	{"../a", OCIW_ERR_UNSAFE, NULL},
	{"a/../b", OCIW_ERR_UNSAFE, NULL},
	{"a/..", OCIW_ERR_UNSAFE, NULL},
	{"a/../", OCIW_ERR_UNSAFE, NULL},
};

Test(extract_name, names_are_normalised_or_refused)
{
	ociwp_buf out = OCIWP_BUF_INIT;
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(names); i++) {
		int r = judge(names[i].name, strlen(names[i].name), false, &out);
		cr_expect_eq(r, names[i].code, "%s gives %d", names[i].name, r);
		if (r == 0 && names[i].normal[0])
			cr_expect_str_eq(out.data, names[i].normal);
		if (r == 0)
			cr_expect_eq(out.len, strlen(names[i].normal));
	}
	ociwp_buf_deinit(&out);
}

Test(extract_name, absolute_names_lose_their_slash_only_on_request)
{
	ociwp_buf out = OCIWP_BUF_INIT;
	cr_expect_eq(judge("//etc/passwd", 12, true, &out), 0);
	cr_expect_str_eq(out.data, "etc/passwd");
	cr_expect_eq(judge("/", 1, true, &out), 0);
	cr_expect_eq(out.len, 0);
	cr_expect_eq(judge("/../x", 5, true, &out), OCIW_ERR_UNSAFE);
	ociwp_buf_deinit(&out);
}

Test(extract_name, a_nul_inside_is_refused)
{
	ociwp_buf out = OCIWP_BUF_INIT;
	cr_expect_eq(judge("a\0b", 3, false, &out), OCIW_ERR_FORMAT);
	ociwp_buf_deinit(&out);
}

Test(extract_name, parts_depth_and_length_have_limits)
{
	ociwp_buf out = OCIWP_BUF_INIT;
	char long_name[5000];
	memset(long_name, 'a', sizeof(long_name));
	cr_expect_eq(judge(long_name, 255, false, &out), 0);
	cr_expect_eq(judge(long_name, 256, false, &out), OCIW_ERR_LIMIT);
	for (size_t i = 1; i < sizeof(long_name); i += 2)
		long_name[i] = '/';
	cr_expect_eq(judge(long_name, 2 * 256, false, &out), 0, "256 parts");
	cr_expect_eq(judge(long_name, 2 * 257, false, &out), OCIW_ERR_LIMIT, "257 parts");
	cr_expect_eq(judge(long_name, 4097, false, &out), OCIW_ERR_LIMIT);
	ociwp_buf_deinit(&out);
}

static const struct {
	const char *path;
	int code;
	ociwp_whiteout kind;
	const char *victim;
} marks[] = {
	{"a/b", 0, OCIWP_WHITEOUT_NONE, NULL},
	{"a/wh.b", 0, OCIWP_WHITEOUT_NONE, NULL},
	{".wh.b", 0, OCIWP_WHITEOUT_NAME, "b"},
	{"a/.wh.b", 0, OCIWP_WHITEOUT_NAME, "b"},
	{"a/.wh...b", 0, OCIWP_WHITEOUT_NAME, "..b"},
	{"a/.wh..wh..opq", 0, OCIWP_WHITEOUT_OPAQUE, NULL},
	{".wh..wh..opq", 0, OCIWP_WHITEOUT_OPAQUE, NULL},
	{"a/.wh.", OCIW_ERR_UNSAFE, OCIWP_WHITEOUT_NONE, NULL},
	{"a/.wh..", OCIW_ERR_UNSAFE, OCIWP_WHITEOUT_NONE, NULL},
	{"a/.wh...", OCIW_ERR_UNSAFE, OCIWP_WHITEOUT_NONE, NULL},
	{".wh.x/y", OCIW_ERR_UNSAFE, OCIWP_WHITEOUT_NONE, NULL},
	{"a/.wh.x/.wh.y", OCIW_ERR_UNSAFE, OCIWP_WHITEOUT_NONE, NULL},
};

Test(extract_name, whiteouts_name_one_proper_name)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(marks); i++) {
		ociwp_whiteout kind;
		const char *victim;
		int r = ociwp_extract_whiteout(marks[i].path, &kind, &victim, NULL);
		cr_expect_eq(r, marks[i].code, "%s", marks[i].path);
		cr_expect_eq(kind, marks[i].kind, "%s", marks[i].path);
		cr_expect(ociwp_streq(victim, marks[i].victim), "%s", marks[i].path);
	}
}
