/* SPDX-License-Identifier: Apache-2.0
 *
 * Running out of memory anywhere in pack is OCIW_ERR_NOMEM, leaks nothing and leaves no file. One
 * thread: the counter is the program's. (The cache gives up silently instead; it is not used here.)
 */
#include "../ops/pack-fixture.h"
#include "fail-alloc.h"

TestSuite(nomem_pack, .fini = app_end);

static int pack(void *data, ociw_error **err)
{
	ociw_content *content = NULL;
	int r = ociw_pack(data, &content, err);
	ociw_content_free(content);
	return r;
}

static const ociw_format formats[] = {OCIW_FORMAT_SPIN, OCIW_FORMAT_SPIN_NODE, OCIW_FORMAT_ROOTFS};

static ociw_pack_options small_app(void)
{
	app_begin("files = [\"d/*\"]\n[component.a.dependencies]\nplain = { path = \"a.wasm\" }\n");
	write_text("d/one", "1");
	write_text("d/.wh.two", "2");
	ociw_pack_options options = pack_options();
	options.parallel = 1;
	options.compose = OCIW_COMPOSE_NONE;
	options.formats = formats;
	options.has_created = 1;
	return options;
}

Test(nomem_pack, of_bundles_for_spin_and_nodes)
{
	ociw_pack_options options = small_app();
	options.format_count = 2;
	cr_assert_gt(fail_alloc_each("spin,spin-node", pack, &options), 100);
}

Test(nomem_pack, of_a_layer_a_file)
{
	ociw_pack_options options = small_app();
	options.format_count = 1;
	cr_assert_gt(fail_alloc_each("spin", pack, &options), 100);
}

Test(nomem_pack, of_a_root_file_system)
{
	ociw_pack_options options = small_app();
	unlink(in_app("d/.wh.two"));
	options.formats = formats + 2;
	options.format_count = 1;
	cr_assert_gt(fail_alloc_each("rootfs", pack, &options), 100);
}

Test(nomem_pack, of_a_lone_wasm)
{
	ociw_pack_options options = small_app();
	options.path = in_app("a.wasm");
	options.formats = NULL;
	cr_assert_gt(fail_alloc_each("wasm", pack, &options), 10);
}
