/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of format/spin: layer order, dedupe, the inline rule, the limit, archives
 * (spin.md 3.2-3.5).
 */
#include "format/spin.h"
#include "codec/mediatype.h"
#include "fixture.h"

#define COMPONENT(id)                                                                              \
	"{\"id\":\"" id "\",\"source\":{\"content_type\":\"application/wasm\",\"inline\":"         \
	"\"AGFzbQ0AAQA\"}}"
#define LOCK                                                                                       \
	"{\"spin_lock_version\":0,\"triggers\":[],\"components\":[" COMPONENT(                     \
	        "web") "," COMPONENT("api") "]}"

static ociwp_draft draft;
static ociwp_lock *lock;

/* Packs and gives the media types of the layers, one a line, shortened to their last word. */
static char *layer_types(ociw_pack_layers layers, size_t max, char **config)
{
	cr_assert_eq(ociwp_spin_image(&draft, layers, max, "spin", NULL, NULL, NULL), 0);
	OCIWP_AUTO(content) ociw_content *content = draft_end(&draft, lock);
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = read_manifest(content, "spin");
	ociwp_buf out = OCIWP_BUF_INIT;
	for (size_t i = 0; i < manifest->layer_count; i++) {
		const char *type = manifest->layers[i]->media_type;
		ociwp_buf_printf(&out, "%s %llu\n",
		                 ociwp_streq(type, OCIWP_MT_SPIN_WASM)     ? "wasm"
		                 : ociwp_streq(type, OCIWP_MT_SPIN_DATA)   ? "data"
		                 : ociwp_streq(type, OCIWP_MT_SPIN_LOCK)   ? "lock"
		                 : ociwp_streq(type, OCIWP_MT_SPIN_BUNDLE) ? "bundle"
		                                                           : type,
		                 ociwp_streq(type, OCIWP_MT_SPIN_DATA)
		                         ? (unsigned long long)manifest->layers[i]->size
		                         : 0);
	}
	if (config)
		*config = read_text(content, manifest->config);
	return ociwp_buf_steal(&out);
}

static void setup(void)
{
	draft_begin(&draft, &lock, LOCK);
	add_file(&draft.components[0], "a", 200, 1);
	add_file(&draft.components[0], "small", 128, 2);
	add_file(&draft.components[0], "z", 300, 3);
	add_file(&draft.components[1], "same-as-a", 200, 1);
}

TestSuite(spin, .init = setup);

Test(spin, wasm_first_then_its_files_then_the_lock_and_nothing_twice)
{
	OCIWP_AUTO(str) char *types = layer_types(OCIW_LAYERS_AUTO, 499, NULL);
	cr_assert_str_eq(types, "wasm 0\ndata 200\ndata 300\nlock 0\n");
}

Test(spin, the_config_is_that_of_spin_and_an_entrypoint)
{
	OCIWP_AUTO(str) char *config = NULL;
	free(layer_types(OCIW_LAYERS_AUTO, 499, &config));
	cr_assert(strstr(config, "\"config\":{\"Entrypoint\":[\"/\"],\"Labels\":{"
	                         "\"com.fermyon.spin.lockedAppDigest\":\"sha256:"),
	          "%s", config);
	cr_assert(ociwp_ends_with(config, "\"diff_ids\":[]}}"), "%s", config);
}

Test(spin, spins_own_config_has_no_entrypoint)
{
	OCIWP_AUTO(str) char *config = NULL;
	draft.compat_spin = true;
	free(layer_types(OCIW_LAYERS_AUTO, 499, &config));
	cr_assert_not(strstr(config, "Entrypoint"), "%s", config);
	cr_assert_eq(strlen(config), 209);
}

Test(spin, at_the_limit_there_is_a_layer_a_file_and_past_it_bundles)
{
	/* three distinct: the wasm, 200 and 300 bytes; the small file has none */
	OCIWP_AUTO(str) char *types = layer_types(OCIW_LAYERS_AUTO, 3, NULL);
	cr_assert_str_eq(types, "wasm 0\ndata 200\ndata 300\nlock 0\n");
}

Test(spin, past_the_limit_there_are_bundles)
{
	OCIWP_AUTO(str) char *types = layer_types(OCIW_LAYERS_AUTO, 2, NULL);
	cr_assert_str_eq(types, "wasm 0\nbundle 0\nlock 0\n");
}

Test(spin, past_the_limit_spin_itself_makes_an_archive_for_each_component)
{
	draft.compat_spin = true;
	OCIWP_AUTO(str) char *types = layer_types(OCIW_LAYERS_AUTO, 2, NULL);
	cr_assert_str_eq(types, "wasm 0\nbundle 0\nbundle 0\nlock 0\n");
}

Test(spin, a_layer_a_file_can_be_had_past_the_limit)
{
	OCIWP_AUTO(str) char *types = layer_types(OCIW_LAYERS_FILES, 1, NULL);
	cr_assert_str_eq(types, "wasm 0\ndata 200\ndata 300\nlock 0\n");
}

Test(spin, whiteout_like_files_travel_beside_bundles)
{
	add_file(&draft.components[1], "sub/.wh.file", 400, 9);
	OCIWP_AUTO(str) char *types = layer_types(OCIW_LAYERS_BUNDLES, 499, NULL);
	cr_assert_str_eq(types, "wasm 0\nbundle 0\ndata 400\nlock 0\n");
}
