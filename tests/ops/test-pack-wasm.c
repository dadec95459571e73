/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of ops/pack-wasm: one file as the CNCF artifact.
 */
#include "codec/mediatype.h"
#include "pack-fixture.h"

TestSuite(pack_wasm, .fini = app_end);

Test(pack_wasm, a_lone_wasm_is_an_artifact_titled_by_its_name)
{
	OCIWP_AUTO(content) ociw_content *content = NULL;
	app_begin("");
	ociw_pack_options options = pack_options();
	options.path = in_app("a.wasm");
	cr_assert_eq(ociw_pack(&options, &content, NULL), 0);
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = manifest_of(content, "wasm");
	cr_assert_str_eq(manifest->config->media_type, OCIWP_MT_WASM_CONFIG);
	cr_assert_str_eq(
	        ociw_descriptor_annotation(manifest->layers[0], "org.opencontainers.image.title"),
	        "a.wasm");
	cr_assert_eq(manifest->annotations.count, 0);
}

Test(pack_wasm, wasm_under_any_name_is_told_by_its_head)
{
	app_begin("");
	write_wasm("noname");
	ociw_pack_options options = pack_options();
	options.path = in_app("noname");
	free(pack_digest(&options));
}

Test(pack_wasm, a_file_named_wasm_that_is_none_is_refused)
{
	app_begin("");
	write_text("x.wasm", "hello");
	ociw_pack_options options = pack_options();
	options.path = in_app("x.wasm");
	free(pack_failure(&options, OCIW_ERR_FORMAT));
	write_text("y.wat", "(module)");
	options.path = in_app("y.wat");
	OCIWP_AUTO(str) char *text = pack_failure(&options, OCIW_ERR_UNSUPPORTED);
	cr_assert(strstr(text, "wasm-tools parse"), "%s", text);
}
