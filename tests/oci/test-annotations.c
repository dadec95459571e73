/* SPDX-License-Identifier: Apache-2.0
 *
 * Annotation maps: order, replacing, reading and writing (ANN-1, DSC-6).
 */
#include "oci/content.h"
#include "oci/descriptor.h"
#include <criterion/criterion.h>
#include <string.h>

static int parse(const char *text, ociwp_annotations *out, ociw_error **err)
{
	OCIWP_AUTO(json) json_t *value = NULL;
	cr_assert_eq(ociwp_json_parse((ociw_span){text, strlen(text)}, "x", 0, &value, NULL), 0);
	return ociwp_annotations_parse(json_object_get(value, "annotations"), "annotations", out,
				       err);
}

static void expect_text(const ociwp_annotations *a, bool sorted, const char *text)
{
	OCIWP_AUTO(buf) ociwp_buf buf = OCIWP_BUF_INIT;
	ociwp_json_writer *w;
	cr_assert_eq(ociwp_json_writer_new(NULL, &buf, &w, NULL), 0);
	if (sorted)
		ociwp_annotations_write_sorted(a, w);
	else
		ociwp_annotations_write(a, w);
	cr_assert_eq(ociwp_json_writer_finish(w, NULL), 0);
	cr_expect_str_eq(buf.data, text);
}

Test(annotations, keep_document_order)
{
	ociwp_annotations a = {0};
	cr_assert_eq(parse("{\"annotations\":{\"b\":\"1\",\"a\":\"\",\"c\":\"\\n\"}}", &a, NULL), 0);
	cr_expect_eq(a.count, 3);
	cr_expect_str_eq(ociwp_annotations_get(&a, "a"), "");
	cr_expect_null(ociwp_annotations_get(&a, "d"));
	expect_text(&a, false, "{\"b\":\"1\",\"a\":\"\",\"c\":\"\\n\"}");
	expect_text(&a, true, "{\"a\":\"\",\"b\":\"1\",\"c\":\"\\n\"}");
	ociwp_annotations_sort(&a);
	expect_text(&a, false, "{\"a\":\"\",\"b\":\"1\",\"c\":\"\\n\"}");
	ociwp_annotations_deinit(&a);
}

Test(annotations, set_adds_or_replaces)
{
	ociwp_annotations a = {0};
	cr_assert_eq(ociwp_annotations_set(&a, "k", "1", NULL), 0);
	cr_assert_eq(ociwp_annotations_set(&a, "l", "2", NULL), 0);
	cr_assert_eq(ociwp_annotations_set(&a, "k", "3", NULL), 0);
	expect_text(&a, false, "{\"k\":\"3\",\"l\":\"2\"}");
	ociwp_annotations_deinit(&a);
	cr_expect_eq(a.count, 0);
}

Test(annotations, many_are_kept)
{
	ociwp_annotations a = {0}, b = {0};
	for (int i = 0; i < 100; i++) {
		char key[16];
		snprintf(key, sizeof(key), "k%d", i);
		cr_assert_eq(ociwp_annotations_set(&a, key, key, NULL), 0);
	}
	cr_assert_eq(ociwp_annotations_copy(&a, &b, NULL), 0);
	cr_expect_eq(b.count, 100);
	cr_expect_str_eq(ociwp_annotations_get(&b, "k99"), "k99");
	ociwp_annotations_deinit(&a);
	ociwp_annotations_deinit(&b);
}

Test(annotations, absent_and_null_are_empty)
{
	ociwp_annotations a = {0};
	cr_expect_eq(parse("{}", &a, NULL), 0);
	cr_expect_eq(parse("{\"annotations\":null}", &a, NULL), 0);
	cr_expect_eq(a.count, 0);
	expect_text(&a, false, "{}");
	expect_text(&a, true, "{}");
}

Test(annotations, values_must_be_strings)
{
	ociwp_annotations a = {0};
	ociw_error *err = NULL;
	cr_expect_eq(parse("{\"annotations\":{\"a\":\"x\",\"k\":1}}", &a, &err), OCIW_ERR_FORMAT);
	cr_expect_str_eq(ociw_error_message(err), "annotations: value of \"k\" is not a string");
	ociw_error_free(err);
	ociwp_annotations_deinit(&a);
	cr_expect_eq(parse("{\"annotations\":[]}", &a, NULL), OCIW_ERR_FORMAT);
}
