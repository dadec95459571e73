/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of ops/pack: the worked example byte for byte (spin.md 2.4), the same digests everywhere,
 * what is refused.
 */
#include "pack-fixture.h"
#include <locale.h>
#include <oci-wasm/extract.h>
#include <time.h>

TestSuite(pack, .fini = app_end);

static const char *testdata(const char *name)
{
	static char path[4096];
	snprintf(path, sizeof(path), "%s/%s", getenv("OCIW_TESTDATA"), name);
	return path;
}

static ociw_pack_options shop(void)
{
	ociw_pack_options options = OCIW_PACK_OPTIONS_INIT;
	options.path = testdata("apps/shop/app/spin.toml");
	options.flags = OCIW_PACK_COMPAT_SPIN;
	return options;
}

Test(pack, the_worked_example_has_spins_bytes)
{
	ociw_pack_options options = shop();
	OCIWP_AUTO(str) char *digest = pack_digest(&options);
	cr_assert_str_eq(digest,
	                 "sha256:"
	                 "13aea30ddfda25cf4384e7b8e3e2162f81683f9606cc61bef2306011aa13e27c");
}

Test(pack, the_worked_example_with_a_time_has_spins_bytes)
{
	ociw_pack_options options = shop();
	options.created = 1767323045;
	options.has_created = 1;
	OCIWP_AUTO(str) char *digest = pack_digest(&options);
	cr_assert_str_eq(digest,
	                 "sha256:"
	                 "688bac34d9c130e69cbadf890ffcd2729521dadd5782cf8ed5909bea3416d11a");
}

static const ociw_format all_formats[] = {OCIW_FORMAT_SPIN, OCIW_FORMAT_SPIN_NODE,
                                          OCIW_FORMAT_ROOTFS};

/* The digests of all three formats, one a line. */
static char *pack_all(uint32_t threads)
{
	ociw_pack_options options = pack_options();
	OCIWP_AUTO(content) ociw_content *content = NULL;
	ociwp_buf out = OCIWP_BUF_INIT;
	options.formats = all_formats;
	options.format_count = 3;
	options.parallel = threads;
	cr_assert_eq(ociw_pack(&options, &content, NULL), 0);
	for (size_t i = 0; i < 3; i++) {
		OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
		cr_assert_eq(ociw_content_resolve(content, ociw_format_name(all_formats[i]), NULL,
		                                  &desc, NULL),
		             0);
		ociwp_buf_printf(&out, "%s\n", desc->digest);
	}
	return ociwp_buf_steal(&out);
}

static void make_large_app(void)
{
	char name[32], text[9000];
	app_begin("files = [{ source = \"site\", destination = \"/\" }]\n");
	for (size_t i = 0; i < 1200; i++) {
		snprintf(name, sizeof(name), "site/d%zu/f%zu", i % 7, i);
		memset(text, 'a' + (int)(i % 26), sizeof(text));
		snprintf(text, sizeof(text), "%zu", i);
		write_bytes(name, text, i * 7 % sizeof(text));
	}
}

Test(pack, digests_do_not_depend_on_threads_folder_umask_time_zone_or_locale)
{
	make_large_app();
	OCIWP_AUTO(str) char *first = pack_all(1);
	umask(077);
	setenv("TZ", "Pacific/Kiritimati", 1);
	tzset();
	setlocale(LC_ALL, "");
	cr_assert_eq(chdir("/"), 0);
	OCIWP_AUTO(str) char *second = pack_all(7);
	cr_assert_str_eq(first, second);
}

Test(pack, the_same_app_elsewhere_has_the_same_digest)
{
	app_begin("files = [\"f\"]\n");
	write_text("f", "x");
	ociw_pack_options options = pack_options();
	OCIWP_AUTO(str) char *first = pack_digest(&options);
	app_end();
	app_begin("files = [\"f\"]\n");
	write_text("f", "x");
	options = pack_options();
	OCIWP_AUTO(str) char *second = pack_digest(&options);
	cr_assert_str_eq(first, second);
}

Test(pack, the_first_format_is_what_no_name_resolves_to)
{
	static const ociw_format formats[] = {OCIW_FORMAT_ROOTFS, OCIW_FORMAT_SPIN_NODE,
	                                      OCIW_FORMAT_SPIN};
	OCIWP_AUTO(content) ociw_content *content = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *first = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *rootfs = NULL;
	app_begin("");
	ociw_pack_options options = pack_options();
	options.formats = formats;
	options.format_count = 3;
	cr_assert_eq(ociw_pack(&options, &content, NULL), 0);
	cr_assert_eq(ociw_content_resolve(content, NULL, NULL, &first, NULL), 0);
	cr_assert_eq(ociw_content_resolve(content, "rootfs", NULL, &rootfs, NULL), 0);
	cr_assert_str_eq(first->digest, rootfs->digest);
	OCIWP_AUTO(manifest) ociwp_manifest *node = manifest_of(content, "spin-node");
	cr_assert_not_null(node->subject, "also when spin is named after it");
}

Test(pack, formats_that_do_not_fit_the_input_are_refused)
{
	static const ociw_format wasm = OCIW_FORMAT_WASM, spin = OCIW_FORMAT_SPIN,
	                         legacy = OCIW_FORMAT_ISTIO;
	static const ociw_format twice[] = {OCIW_FORMAT_SPIN, OCIW_FORMAT_SPIN};
	app_begin("");
	ociw_pack_options options = pack_options();
	options.format_count = 1;
	options.formats = &wasm;
	free(pack_failure(&options, OCIW_ERR_INVALID));
	options.formats = &legacy;
	free(pack_failure(&options, OCIW_ERR_UNSUPPORTED));
	options.formats = twice;
	options.format_count = 2;
	free(pack_failure(&options, OCIW_ERR_INVALID));
	options.path = in_app("a.wasm");
	options.formats = &spin;
	options.format_count = 1;
	free(pack_failure(&options, OCIW_ERR_INVALID));
}

Test(pack, options_that_make_no_sense_are_refused)
{
	app_begin("");
	ociw_pack_options options = pack_options();
	options.path = NULL;
	free(pack_failure(&options, OCIW_ERR_INVALID));
	options = pack_options();
	options.layers = 77;
	free(pack_failure(&options, OCIW_ERR_INVALID));
	options = pack_options();
	options.compose = OCIW_COMPOSE_CALLBACK;
	free(pack_failure(&options, OCIW_ERR_INVALID));
	options = pack_options();
	options.path = "/nowhere/at/all";
	OCIWP_AUTO(str) char *text = pack_failure(&options, OCIW_ERR_NOTFOUND);
	cr_assert(strstr(text, "/nowhere/at/all"), "%s", text);
}

Test(pack, a_file_that_changes_after_packing_is_an_error_that_names_it)
{
	OCIWP_AUTO(content) ociw_content *content = NULL;
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	app_begin("files = [\"f\"]\n");
	for (size_t i = 0; i < 200; i++)
		ociwp_buf_putc(&text, 'x');
	write_text("f", text.data);
	ociw_pack_options options = pack_options();
	cr_assert_eq(ociw_pack(&options, &content, NULL), 0);
	text.data[7] = 'y';
	write_text("f", text.data);
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = manifest_of(content, NULL);
	ociw_error *err = NULL;
	void *bytes = NULL;
	size_t len = 0;
	cr_assert_eq(
	        ociw_content_read(content, manifest->layers[1], 1000, NULL, &bytes, &len, &err),
	        OCIW_ERR_DIGEST);
	cr_assert(strstr(ociw_error_message(err), in_app("f")), "%s", ociw_error_message(err));
	ociw_error_free(err);
}

Test(pack, a_cancelled_pack_leaves_nothing)
{
	ociw_op op = OCIW_OP_INIT;
	app_begin("");
	ociw_pack_options options = pack_options();
	ociw_cancel *cancel = ociw_cancel_new();
	ociw_cancel_trigger(cancel);
	op.cancel = cancel;
	options.op = &op;
	free(pack_failure(&options, OCIW_ERR_CANCELLED));
	ociw_cancel_free(cancel);
}

Test(pack, what_a_rootfs_image_holds_packs_to_the_same_images_again)
{
	static const char *const apps[] = {"apps/notes", "apps/parts", "apps/shop/app"};
	for (size_t i = 0; i < sizeof(apps) / sizeof(apps[0]); i++) {
		ociw_extract_options extract = OCIW_EXTRACT_OPTIONS_INIT;
		OCIWP_AUTO(content) ociw_content *first = NULL;
		OCIWP_AUTO(content) ociw_content *second = NULL;
		ociw_pack_options options = OCIW_PACK_OPTIONS_INIT;
		app_begin("");
		options.path = testdata(apps[i]);
		options.formats = all_formats;
		options.format_count = 3;
		cr_assert_eq(ociw_pack(&options, &first, NULL), 0);
		extract.mode = OCIW_EXTRACT_ROOTFS;
		cr_assert_eq(ociw_extract(first, "rootfs", in_app("tree"), &extract, NULL, NULL),
		             0);
		options.path = in_app("tree");
		cr_assert_eq(ociw_pack(&options, &second, NULL), 0);
		for (size_t j = 0; j < 3; j++) {
			const char *name = ociw_format_name(all_formats[j]);
			OCIWP_AUTO(descriptor) ociw_descriptor *a = NULL;
			OCIWP_AUTO(descriptor) ociw_descriptor *b = NULL;
			cr_assert_eq(ociw_content_resolve(first, name, NULL, &a, NULL), 0);
			cr_assert_eq(ociw_content_resolve(second, name, NULL, &b, NULL), 0);
			cr_expect_str_eq(ociw_descriptor_digest(a), ociw_descriptor_digest(b),
			                 "%s as %s", apps[i], name);
		}
		app_end();
	}
}
