/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON that shims read.
 */
#include "../support/images.h"

#include "codec/json.h"

#include <oci-wasm/extract.h>

Test(extract_result, says_what_was_extracted)
{
	struct place place = place_new();
	struct image image = image_begin();
	ociwp_buf tar = OCIWP_BUF_INIT;
	ociw_extract_result *result = NULL;
	json_t *json = NULL;
	tar_dir(&tar, "d", 0755);
	tar_file(&tar, "d/f", "four");
	tar_add(&tar, '2', "l", "d", 0777, NULL, 0);
	tar_end(&tar);
	image_tar(&image, &tar, true);
	ociw_content *content = image_end_rootfs(&image);
	cr_assert_eq(ociw_extract(content, NULL, place.out, NULL, &result, NULL), 0);
	const char *text = ociw_extract_result_json(result);
	ociw_span span = {text, strlen(text)};
	cr_assert_eq(ociwp_json_parse(span, "result", 0, &json, NULL), 0);
	cr_expect_str_eq(json_string_value(json_object_get(json, "manifest")),
			 ociw_extract_result_digest(result));
	cr_expect_str_eq(json_string_value(json_object_get(json, "mode")), "rootfs");
	cr_expect_str_eq(json_string_value(json_object_get(json, "os")), "linux");
	cr_expect_eq(json_integer_value(json_object_get(json, "files")), 1);
	cr_expect_eq(json_integer_value(json_object_get(json, "directories")), 1);
	cr_expect_eq(json_integer_value(json_object_get(json, "links")), 1);
	cr_expect_eq(json_integer_value(json_object_get(json, "bytes")), 4);
	cr_expect_eq(json_array_size(json_object_get(json, "entrypoint")), 1);
	json_decref(json);
	ociw_extract_result_free(result);
	ociw_content_free(content);
	place_free(&place);
}

Test(extract_result, names_wasm_files_and_escapes_what_is_no_text)
{
	struct place place = place_new();
	struct image image = image_begin();
	ociw_extract_result *result = NULL;
	image_layer(&image, OCIWP_MT_WASM, "a\\u001bb.wasm", "\0asm\1\0\0\0", 8);
	ociw_content *content = image_end(&image, OCIWP_MT_WASM_CONFIG, "{}");
	cr_assert_eq(ociw_extract(content, NULL, place.out, NULL, &result, NULL), 0);
	cr_expect(strstr(ociw_extract_result_json(result), "\"wasm\":[\"a\\\\x1bb.wasm\"]") != NULL,
		  "%s", ociw_extract_result_json(result));
	ociw_extract_result_free(result);
	ociw_content_free(content);
	place_free(&place);
}

Test(extract_result, free_takes_nothing)
{
	ociw_extract_result_free(NULL);
}
