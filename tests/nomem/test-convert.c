/* SPDX-License-Identifier: Apache-2.0
 *
 * Running out of memory anywhere in convert, in the check of an image and in the mapping of
 * packages is OCIW_ERR_NOMEM and leaks nothing.
 */
#include "../ops/pack-fixture.h"
#include "fail-alloc.h"
#include <oci-wasm/convert.h>
#include <oci-wasm/package.h>
#include <oci-wasm/spin.h>

static ociw_content *source;

static void teardown(void)
{
	ociw_content_free(source);
	app_end();
}

TestSuite(nomem_convert, .fini = teardown);

/* A small app in one format; what is converted reads from it. */
static void make_source(ociw_format format, uint32_t layers)
{
	app_begin("files = [\"d/*\"]\n");
	write_text("d/one", "1");
	write_text("d/two", "2");
	ociw_pack_options options = pack_options();
	options.formats = &format;
	options.format_count = 1;
	options.layers = layers;
	cr_assert_eq(ociw_pack(&options, &source, NULL), 0);
}

static int convert(void *data, ociw_error **err)
{
	ociw_convert_options options = OCIW_CONVERT_OPTIONS_INIT;
	ociw_content *content = NULL;
	options.formats = data;
	options.format_count = 1;
	options.parallel = 1;
	int r = ociw_convert(source, NULL, &options, &content, err);
	ociw_content_free(content);
	return r;
}

Test(nomem_convert, of_archives_into_a_node_image)
{
	ociw_format format = OCIW_FORMAT_SPIN_NODE;
	make_source(OCIW_FORMAT_SPIN, OCIW_LAYERS_ARCHIVES);
	cr_assert_gt(fail_alloc_each("spin -> spin-node", convert, &format), 100);
}

Test(nomem_convert, of_a_node_image_into_one_for_spin)
{
	ociw_format format = OCIW_FORMAT_SPIN;
	make_source(OCIW_FORMAT_SPIN_NODE, OCIW_LAYERS_AUTO);
	cr_assert_gt(fail_alloc_each("spin-node -> spin", convert, &format), 100);
}

static int check(void *data, ociw_error **err)
{
	(void)data;
	return ociw_spin_check_image(source, NULL, NULL, NULL, NULL, err);
}

Test(nomem_convert, of_the_check_of_an_image)
{
	make_source(OCIW_FORMAT_SPIN, OCIW_LAYERS_BUNDLES);
	cr_assert_gt(fail_alloc_each("spin check", check, NULL), 100);
}

static int map_package(void *data, ociw_error **err)
{
	static const char config[] = "[namespace_registries]\nacme = \"r.example\"\n";
	static const char metadata[] =
	        "{\"oci\":{\"registry\":\"g.example\",\"namespacePrefix\":\"p/\"}}";
	ociw_packages *packages = NULL;
	char *text = NULL;
	(void)data;
	int r = ociw_packages_new((ociw_span){config, sizeof(config) - 1}, "c.toml", &packages,
	                          err);
	if (r == 0)
		r = ociw_packages_repository(packages, "r.example", "acme:x",
		                             (ociw_span){metadata, sizeof(metadata) - 1}, &text,
		                             err);
	ociw_free(text);
	ociw_packages_free(packages);
	return r;
}

Test(nomem_convert, of_the_place_of_a_package)
{
	cr_assert_gt(fail_alloc_each("packages", map_package, NULL), 3);
}
