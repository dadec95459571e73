/* SPDX-License-Identifier: Apache-2.0 */
#include "spin/lock-scan.h"

#include <criterion/criterion.h>
#include <string.h>

static size_t scan(const char *text, ociwp_lock_files_span **spans)
{
	size_t count;
	cr_assert_eq(ociwp_lock_scan((ociw_span){text, strlen(text)}, spans, &count, NULL), 0);
	return count;
}

Test(lock_scan, files_are_found_by_component)
{
	const char *text =
	        " { \"x\" : [1,{\"components\":[{\"files\":[9]}]}], \"components\" : [ "
	        "{\"id\":\"]}\","
	        "\"files\":[{\"a\":\"]\"}]}, {}, {\"m\":{\"files\":[1]},\"files\" : [ ] } ] }";
	ociwp_lock_files_span *spans;
	cr_assert_eq(scan(text, &spans), 2);
	cr_assert_eq(spans[0].component, 0);
	cr_assert_eq(strncmp(text + spans[0].start, "{\"a\":\"]\"}]", 10), 0);
	cr_assert_eq(spans[0].end - spans[0].start, 9);
	cr_assert_eq(spans[1].component, 2);
	free(spans);
}

Test(lock_scan, other_shapes_give_nothing)
{
	static const char *const rows[] = {"",
	                                   "[]",
	                                   "{",
	                                   "{}",
	                                   "{\"components\":{}}",
	                                   "{\"components\":[",
	                                   "{\"components\":[{\"files\":[}]}",
	                                   "{\"components\":[{\"files\":1}]}",
	                                   "{\"a\"}",
	                                   "{\"a\":\"",
	                                   "{\"components\":[{\"files\":[\"]}]}"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++) {
		ociwp_lock_files_span *spans;
		scan(rows[i], &spans);
		free(spans);
	}
}

static unsigned elements(const char *text, bool *good)
{
	ociw_span list = {text, strlen(text)};
	size_t offset = 0, start, end;
	unsigned n = 0;
	while (ociwp_lock_scan_element(list, &offset, n == 0, &start, &end, good))
		n++;
	return n;
}

Test(lock_scan, elements_are_objects_between_commas)
{
	bool good;
	cr_assert(elements("", &good) == 0 && good);
	cr_assert(elements("  ", &good) == 0 && good);
	cr_assert(elements(" {} , {\"a\":[1]} ", &good) == 2 && good);
	elements("{},", &good);
	cr_assert_not(good);
	elements(",{}", &good);
	cr_assert_not(good);
	elements("{} {}", &good);
	cr_assert_not(good);
	elements("1", &good);
	cr_assert_not(good);
}

static bool scan_file(const char *text, ociwp_lock_file_text *out)
{
	return ociwp_lock_scan_file((ociw_span){text, strlen(text)}, out);
}

Test(lock_scan, a_plain_entry_is_read_without_a_tree)
{
	ociwp_lock_file_text out;
	cr_assert(scan_file("{ \"path\" : \"a/b\", \"digest\":\"d\",\"inline\":\"\" }", &out));
	cr_assert_eq(strncmp(out.path.data, "a/b", out.path.len), 0);
	cr_assert(out.inline_text.data && out.inline_text.len == 0 && !out.source.data);
}

Test(lock_scan, everything_else_takes_the_long_way)
{
	static const char *const rows[] = {"{}",
	                                   "{\"path\":\"a\\u0062\"}",
	                                   "{\"path\":\"a\",\"path\":\"b\"}",
	                                   "{\"path\":1}",
	                                   "{\"other\":\"x\"}",
	                                   "{\"path\":\"a\"",
	                                   "{\"path\":\"a\"}x",
	                                   "{\"path\":\"\xff\"}",
	                                   "{\"path\":\"a\nb\"}",
	                                   "{\"path\":\"a\",}"};
	ociwp_lock_file_text out;
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(rows); i++)
		cr_assert_not(scan_file(rows[i], &out), "%s", rows[i]);
}
