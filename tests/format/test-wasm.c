/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of format/wasm: the CNCF artifact of a component and of a module
 * (wasm-formats.md 1.2, 2.1).
 */
#include "format/wasm.h"
#include "codec/mediatype.h"
#include "fixture.h"

static ociw_content *content;
static ociwp_manifest *manifest;

static char *pack(const char *path, ociwp_annotations *annotations)
{
	OCIWP_AUTO(memory) ociwp_memory *memory = NULL;
	OCIWP_AUTO(wasm_info) ociwp_wasm_info *info = NULL;
	ociwp_scratch scratch;
	ociwp_source source = {.kind = OCIWP_SOURCE_FILE, .fd = -1, .from.path = path};
	cr_assert_eq(ociwp_scratch_init(&scratch, NULL), 0);
	cr_assert_eq(ociwp_source_hash(&source, OCIWP_WASM_CHECK_WALK, &scratch, NULL), 0);
	ociwp_scratch_deinit(&scratch);
	cr_assert_eq(ociwp_wasm_inspect(path, &info, NULL), 0);
	cr_assert_eq(ociwp_memory_new("test", &memory, NULL), 0);
	ociwp_wasm_draft draft = {&source, info, "app.wasm", 86400, annotations};
	cr_assert_eq(ociwp_wasm_image(&draft, "wasm", memory, NULL, NULL), 0);
	ociwp_source_deinit(&source);
	cr_assert_eq(ociwp_memory_publish(ociwp_steal(&memory), &content, NULL), 0);
	manifest = read_manifest(content, "wasm");
	return read_text(content, manifest->config);
}

static const char *testdata(const char *name)
{
	static char path[4096];
	snprintf(path, sizeof(path), "%s/%s", getenv("OCIW_TESTDATA"), name);
	return path;
}

static void teardown(void)
{
	ociwp_manifest_free(manifest);
	ociw_content_free(content);
}

TestSuite(wasm, .fini = teardown);

Test(wasm, a_component_lists_its_world_as_wkg_does)
{
	OCIWP_AUTO(str) char *config = pack(testdata("golden/wkg/interfaces.wasm"), NULL);
	cr_assert(strstr(config, "{\"created\":\"1970-01-02T00:00:00Z\",\"author\":null,"
	                         "\"architecture\":\"wasm\",\"os\":\"wasip2\",\"layerDigests\":["
	                         "\"sha256:") == config,
	          "%s", config);
	cr_assert(ociwp_ends_with(config, "],\"component\":{\"exports\":[\"ex:ifs/api@0.3.1\"],"
	                                  "\"imports\":[\"ex:ifs/store@0.3.1\"],\"target\":null}}"),
	          "%s", config);
	cr_assert_eq(manifest->layer_count, 1);
	cr_assert_str_eq(manifest->layers[0]->media_type, OCIWP_MT_WASM);
	cr_assert_str_eq(manifest->config->media_type, OCIWP_MT_WASM_CONFIG);
	cr_assert_str_eq(
	        ociw_descriptor_annotation(manifest->layers[0], "org.opencontainers.image.title"),
	        "app.wasm");
	cr_assert(manifest->has_media_type);
	cr_assert_null(manifest->artifact_type);
}

Test(wasm, a_module_is_preview_1_and_no_component)
{
	OCIWP_AUTO(str) char *config = pack(testdata("bare/module.wasm"), NULL);
	cr_assert(strstr(config, "\"os\":\"wasip1\""), "%s", config);
	cr_assert(ociwp_ends_with(config, "\"component\":null}"), "%s", config);
}

Test(wasm, metadata_fills_only_annotations_that_are_not_there)
{
	ociwp_wasm_info info = {
	        .authors = (char *)"A", .version = (char *)"1", .homepage = (char *)"h"};
	ociwp_annotations out = {0};
	cr_assert_eq(ociwp_annotations_set(&out, "org.opencontainers.image.version", "2", NULL), 0);
	cr_assert_eq(ociwp_wasm_annotate(&info, &out, NULL), 0);
	cr_assert_str_eq(ociwp_annotations_get(&out, "org.opencontainers.image.version"), "2");
	cr_assert_str_eq(ociwp_annotations_get(&out, "org.opencontainers.image.authors"), "A");
	cr_assert_str_eq(ociwp_annotations_get(&out, "org.opencontainers.image.url"), "h");
	cr_assert_eq(out.count, 3);
	ociwp_annotations_deinit(&out);
}

Test(wasm, a_file_that_is_no_wasm_is_refused)
{
	OCIWP_AUTO(wasm_info) ociwp_wasm_info *info = NULL;
	cr_assert_eq(ociwp_wasm_inspect(testdata("README.md"), &info, NULL), OCIW_ERR_FORMAT);
	cr_assert_eq(ociwp_wasm_inspect(testdata("bare"), &info, NULL), OCIW_ERR_INVALID);
}
