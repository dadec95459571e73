/* SPDX-License-Identifier: Apache-2.0
 *
 * Building the findings of inspect.
 */
#include "base/alloc.h"
#include "ops/inspect-model.h"
#include <criterion/criterion.h>
#include <string.h>

static ociwp_inspect fresh(void)
{
	ociwp_inspect i;
	cr_assert_eq(ociwp_inspect_init(&i, NULL, NULL, NULL), 0);
	return i;
}

static void expect_root(ociwp_inspect *i, const char *text)
{
	char *got = json_dumps(i->root, JSON_COMPACT);
	cr_expect_str_eq(got, text);
	free(got);
	cr_expect_not(i->nomem);
	ociwp_inspect_deinit(i);
}

Test(inspect_model, leaves_out_what_says_nothing)
{
	ociwp_inspect i = fresh();
	OCIWP_AUTO(json) json_t *empty = json_pack("{s:{},s:[],s:n,s:s}", "o", "a", "n", "s", "");
	ociwp_inspect_put_text(&i, i.root, "text", NULL);
	ociwp_inspect_put_copy(&i, i.root, "none", NULL);
	ociwp_inspect_put_copy(&i, i.root, "object", json_object_get(empty, "o"));
	ociwp_inspect_put_copy(&i, i.root, "array", json_object_get(empty, "a"));
	ociwp_inspect_put_copy(&i, i.root, "null", json_object_get(empty, "n"));
	ociwp_inspect_put_copy(&i, i.root, "string", json_object_get(empty, "s"));
	ociwp_inspect_put_list(&i, i.root, "list", NULL);
	ociwp_inspect_put_annotations(&i, i.root, "annotations", &(ociwp_annotations){NULL, 0});
	expect_root(&i, "{\"string\":\"\"}");
}

Test(inspect_model, puts_every_kind_of_value)
{
	ociwp_inspect i = fresh();
	char *list[] = {(char *)"a", (char *)"b", NULL};
	ociw_annotation pair = {"k", "v"};
	ociwp_inspect_put_text(&i, i.root, "text", "t");
	ociwp_inspect_put_size(&i, i.root, "size", 7);
	ociwp_inspect_put_size(&i, i.root, "huge", UINT64_MAX);
	ociwp_inspect_put_list(&i, i.root, "list", list);
	ociwp_inspect_put_annotations(&i, i.root, "map", &(ociwp_annotations){&pair, 1});
	json_t *item = ociwp_inspect_append(&i, ociwp_inspect_array(&i, i.root, "items"));
	ociwp_inspect_put(&i, item, "x", json_true());
	expect_root(&i, "{\"text\":\"t\",\"size\":7,\"huge\":9223372036854775807,\"list\":[\"a\",\"b\"],"
			"\"map\":{\"k\":\"v\"},\"items\":[{\"x\":true}]}");
}

Test(inspect_model, descriptors_keep_their_platform)
{
	ociwp_inspect i = fresh();
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	cr_assert_eq(ociwp_descriptor_of_bytes("a/b", (ociw_span){"{}", 2}, &desc, NULL), 0);
	cr_assert_eq(ociw_platform_parse("linux/arm/v7", &desc->platform, NULL), 0);
	ociwp_inspect_put_descriptor(&i, i.root, desc);
	expect_root(&i, "{\"mediaType\":\"a/b\",\"digest\":\"sha256:44136fa355b3678a1146ad16f7e8649e94"
			"fb4fc21fe77e8310c060f61caaff8a\",\"size\":2,\"platform\":{\"os\":\"linux\","
			"\"architecture\":\"arm\",\"variant\":\"v7\"}}");
}

Test(inspect_model, no_parent_is_out_of_memory_and_sticks)
{
	ociwp_inspect i = fresh();
	ociwp_inspect_put_text(&i, NULL, "a", "b");
	cr_expect(i.nomem);
	cr_expect_null(ociwp_inspect_object(&i, i.root, "o"));
	cr_expect_null(ociwp_inspect_append(&i, NULL));
	ociwp_inspect_deinit(&i);
}

Test(inspect_model, warnings_are_one_line)
{
	ociwp_inspect i = fresh();
	ociwp_inspect_warn(&i, "component %s", "a\nb\x1b[31m");
	cr_expect_str_eq(json_string_value(json_array_get(i.warnings, 0)),
			 "component a\\x0ab\\x1b[31m");
	ociwp_inspect_deinit(&i);
}
