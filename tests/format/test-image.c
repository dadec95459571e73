/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of format/image: canonical manifests, layers without doubles, configs.
 */
#include "format/image.h"
#include "fixture.h"

#define DIGEST_A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void add(ociwp_image *image, const char *type, const char *digest)
{
	ociw_descriptor *desc = NULL;
	cr_assert_eq(ociw_descriptor_new(type, digest, 5, &desc, NULL), 0);
	cr_assert_eq(ociwp_image_add(image, desc, NULL), 0);
}

static char *manifest_text(ociwp_image *image)
{
	OCIWP_AUTO(memory) ociwp_memory *memory = NULL;
	OCIWP_AUTO(content) ociw_content *content = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	cr_assert_eq(ociwp_memory_new("test", &memory, NULL), 0);
	cr_assert_eq(
	        ociwp_image_set_config(image, "application/x", (ociw_span){"{}", 2}, memory, NULL),
	        0);
	cr_assert_eq(ociwp_image_finish(image, "name", memory, &desc, NULL), 0);
	cr_assert_eq(ociwp_memory_publish(ociwp_steal(&memory), &content, NULL), 0);
	return read_text(content, desc);
}

Test(image, equal_bytes_are_one_layer_for_each_media_type)
{
	ociwp_image image = {0};
	add(&image, "a/a", DIGEST_A);
	add(&image, "a/b", DIGEST_A);
	add(&image, "a/a", DIGEST_B);
	add(&image, "a/a", DIGEST_A);
	cr_assert_eq(image.layer_count, 3);
	cr_assert_str_eq(image.layers[1]->media_type, "a/b");
	cr_assert_str_eq(image.layers[2]->digest, DIGEST_B);
	ociwp_image_deinit(&image);
}

Test(image, the_manifest_has_sorted_keys_and_no_spaces)
{
	ociwp_image image = {0};
	ociwp_annotations annotations = {0};
	cr_assert_eq(ociwp_annotations_set(&annotations, "k", "line\nbreak", NULL), 0);
	image.annotations = &annotations;
	add(&image, "a/a", DIGEST_A);
	OCIWP_AUTO(str) char *text = manifest_text(&image);
	cr_assert_str_eq(
	        text,
	        "{\"annotations\":{\"k\":\"line\\nbreak\"},\"config\":{\"digest\":\"sha256:"
	        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\","
	        "\"mediaType\":\"application/x\",\"size\":2},\"layers\":[{\"digest\":\"" DIGEST_A
	        "\",\"mediaType\":\"a/a\",\"size\":5}],\"mediaType\":\"application/"
	        "vnd.oci.image.manifest.v1+json\",\"schemaVersion\":2}");
	ociwp_image_deinit(&image);
	ociwp_annotations_deinit(&annotations);
}

Test(image, the_media_type_and_the_subject_are_the_formats_choice)
{
	ociwp_image image = {.no_media_type = true};
	OCIWP_AUTO(descriptor) ociw_descriptor *subject = NULL;
	cr_assert_eq(ociw_descriptor_new("m/m", DIGEST_B, 9, &subject, NULL), 0);
	image.subject = subject;
	OCIWP_AUTO(str) char *text = manifest_text(&image);
	cr_assert_not(strstr(text, "vnd.oci.image.manifest"));
	cr_assert(strstr(text, "\"schemaVersion\":2,\"subject\":{\"digest\":\"" DIGEST_B
	                       "\",\"mediaType\":\"m/m\",\"size\":9}}"),
	          "%s", text);
	ociwp_image_deinit(&image);
}

Test(image, configs_have_only_what_was_asked_for)
{
	OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
	ociwp_image_config config = {.architecture = "wasm", .os = "wasip1"};
	cr_assert_eq(ociwp_image_config_write(&config, &out, NULL), 0);
	cr_assert_str_eq(out.data, "{\"architecture\":\"wasm\",\"os\":\"wasip1\",\"config\":{},"
	                           "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}");
	ociw_digest diff_id;
	cr_assert_eq(ociw_digest_parse(DIGEST_A, &diff_id, NULL), 0);
	config = (ociwp_image_config){.architecture = "arm",
	                              .os = "linux",
	                              .variant = "v7",
	                              .created = "1970-01-01T00:00:00Z",
	                              .entrypoint = true,
	                              .label_name = "l",
	                              .label_value = "v",
	                              .diff_ids = &diff_id,
	                              .diff_id_count = 1};
	ociwp_buf_clear(&out);
	cr_assert_eq(ociwp_image_config_write(&config, &out, NULL), 0);
	cr_assert_str_eq(out.data,
	                 "{\"created\":\"1970-01-01T00:00:00Z\",\"architecture\":\"arm\","
	                 "\"os\":\"linux\",\"variant\":\"v7\",\"config\":{\"Entrypoint\":[\"/\"],"
	                 "\"Labels\":{\"l\":\"v\"}},\"rootfs\":{\"type\":\"layers\","
	                 "\"diff_ids\":[\"" DIGEST_A "\"]}}");
}
