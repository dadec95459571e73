/* SPDX-License-Identifier: Apache-2.0 */
#include "apps.h"

static char *pretty(const char *compact, size_t step)
{
	ociwp_buf buf = OCIWP_BUF_INIT;
	ociw_writer *inner = NULL, *writer = NULL;
	cr_assert_eq(ociwp_writer_new_buf(&buf, 1 << 20, &inner, NULL), 0);
	cr_assert_eq(ociwp_writer_pretty_json(inner, &writer, NULL), 0);
	for (size_t i = 0, len = strlen(compact); i < len; i += step)
		cr_assert_eq(ociw_writer_write(writer, compact + i, step < len - i ? step : len - i,
		                               NULL),
		             0);
	cr_assert_eq(ociw_writer_commit(writer, NULL), 0);
	return ociwp_buf_steal(&buf);
}

static void assert_pretty(const char *compact, const char *want)
{
	for (size_t step = 1; step < 5; step++) {
		char *got = pretty(compact, step);
		cr_assert_str_eq(got, want);
		free(got);
	}
}

Test(json_pretty, members_and_items_get_lines)
{
	assert_pretty("{\"a\":1,\"b\":[true,\"x\"]}",
	              "{\n  \"a\": 1,\n  \"b\": [\n    true,\n    \"x\"\n  ]\n}");
}

Test(json_pretty, empty_ones_stay_on_theirs)
{
	assert_pretty("{\"a\":{},\"b\":[]}", "{\n  \"a\": {},\n  \"b\": []\n}");
	assert_pretty("[]", "[]");
}

Test(json_pretty, strings_are_left_alone)
{
	assert_pretty("[\"a,b:{}[]\\\"\\\\\",\"x\"]", "[\n  \"a,b:{}[]\\\"\\\\\",\n  \"x\"\n]");
}
