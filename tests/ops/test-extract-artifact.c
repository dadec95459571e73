/* SPDX-License-Identifier: Apache-2.0
 *
 * Artifacts as files (oci-client.md UNP-3; spin.md 5.3 on native code).
 */
#include "../support/images.h"

#include <oci-wasm/extract.h>

#define MODULE "\0asm\1\0\0\0"
#define COMPONENT "\0asm\x0d\0\1\0"

static int extract(ociw_content *content, const struct place *place, char *why)
{
	ociw_extract_options options = OCIW_EXTRACT_OPTIONS_INIT;
	ociw_error *err = NULL;
	options.flags = OCIW_EXTRACT_NO_SYNC;
	int r = ociw_extract(content, NULL, place->out, &options, NULL, &err);
	snprintf(why, 1024, "%s", ociw_error_message(err));
	if (r < 0)
		cr_expect_eq(place_count(place), 0, "nothing half-made");
	ociw_error_free(err);
	ociw_content_free(content);
	return r;
}

static int extract_one(const char *title, const void *data, size_t len,
		       const struct place *place, char *why)
{
	struct image image = image_begin();
	image_layer(&image, OCIWP_MT_WASM, title, data, len);
	return extract(image_end(&image, OCIWP_MT_WASM_CONFIG, "{}"), place, why);
}

Test(extract_artifact, a_titled_layer_is_a_file_of_that_name)
{
	struct place place = place_new();
	struct stat st;
	char why[1024];
	cr_assert_eq(extract_one("dir/app.wasm", MODULE, 8, &place, why), 0, "%s", why);
	cr_assert(place_stat(&place, "dir/app.wasm", &st));
	cr_expect_eq(st.st_size, 8);
	cr_expect_eq(st.st_mode & 07777, 0644);
	cr_expect_eq(st.st_mtime, 0);
	place_free(&place);
}

Test(extract_artifact, a_lone_wasm_layer_is_named_for_what_it_is)
{
	struct place module = place_new(), component = place_new();
	char why[1024];
	cr_assert_eq(extract_one(NULL, MODULE, 8, &module, why), 0, "%s", why);
	cr_expect(place_has(&module, "module.wasm"));
	cr_assert_eq(extract_one(NULL, COMPONENT, 8, &component, why), 0, "%s", why);
	cr_expect(place_has(&component, "component.wasm"));
	place_free(&module);
	place_free(&component);
}

Test(extract_artifact, titles_are_as_untrusted_as_names_in_a_tar)
{
	static const char *const titles[] = {"/etc/x", "../x", "a/../../x", "."};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(titles); i++) {
		struct place place = place_new();
		char why[1024];
		cr_expect_eq(extract_one(titles[i], MODULE, 8, &place, why), OCIW_ERR_UNSAFE,
			     "%s: %s", titles[i], why);
		place_free(&place);
	}
}

Test(extract_artifact, two_layers_of_one_name_are_refused)
{
	struct place place = place_new();
	struct image image = image_begin();
	char why[1024];
	image_layer(&image, OCIWP_MT_WASM, "a.wasm", MODULE, 8);
	image_layer(&image, "text/plain", "./a.wasm", "text", 4);
	cr_expect_eq(extract(image_end(&image, OCIWP_MT_OCI_EMPTY, "{}"), &place, why),
		     OCIW_ERR_UNSAFE);
	cr_expect(strstr(why, "two layers are named \"a.wasm\"") != NULL, "%s", why);
	place_free(&place);
}

Test(extract_artifact, native_code_is_refused_as_wasm)
{
	struct place place = place_new();
	char why[1024];
	cr_expect_eq(extract_one("a.wasm", "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0", 16, &place, why),
		     OCIW_ERR_UNSAFE);
	cr_expect(strstr(why, "\"a.wasm\" is native code") != NULL, "%s", why);
	place_free(&place);
}

/* Large enough that another thread reads it. */
Test(extract_artifact, a_large_layer_comes_whole_and_is_judged_too)
{
	size_t len = (size_t)5 * 1000 * 1000;
	uint8_t *data = ociwp_malloc(len), *back = ociwp_malloc(len);
	struct place place = place_new(), refused = place_new();
	char why[1024];
	cr_assert(data && back);
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	memcpy(data, MODULE, 8);
	cr_assert_eq(extract_one("a.wasm", data, len, &place, why), 0, "%s", why);
	char path[4096];
	snprintf(path, sizeof(path), "%s/a.wasm", place.out);
	FILE *file = fopen(path, "rb");
	cr_assert_not_null(file);
	cr_expect_eq(fread(back, 1, len, file), len);
	cr_expect_eq(fgetc(file), EOF);
	cr_expect_eq(memcmp(data, back, len), 0);
	fclose(file);
	memcpy(data, "\177ELF\2\1\1", 8);
	cr_expect_eq(extract_one("a.wasm", data, len, &refused, why), OCIW_ERR_UNSAFE);
	place_free(&place);
	place_free(&refused);
	free(data);
	free(back);
}

Test(extract_artifact, layers_that_cannot_be_files_are_an_error)
{
	struct place place = place_new();
	struct image image = image_begin();
	char why[1024];
	image_layer(&image, "text/plain", NULL, "text", 4);
	cr_expect_eq(extract(image_end(&image, OCIWP_MT_OCI_EMPTY, "{}"), &place, why),
		     OCIW_ERR_UNSUPPORTED, "%s", why);
	place_free(&place);
}
