/* SPDX-License-Identifier: Apache-2.0
 *
 * The one binary of a package's image (specs/wasm-formats.md 1.2), from what pack makes.
 */
#include "pack-fixture.h"
#include <oci-wasm/package.h>

static char got[256];
static size_t got_len;

static int take(void *self, const void *buf, size_t len, ociw_error **err)
{
	(void)self;
	(void)err;
	cr_assert_leq(got_len + len, sizeof(got));
	memcpy(got + got_len, buf, len);
	got_len += len;
	return 0;
}

static int nothing_to_commit(void *self, ociw_error **err)
{
	(void)self;
	(void)err;
	return 0;
}

static void nothing_to_abort(void *self)
{
	(void)self;
}

static const ociw_writer_ops take_ops = {sizeof(take_ops), take, nothing_to_commit,
                                         nothing_to_abort};

static int read_package(const char *path, ociw_error **err)
{
	OCIWP_AUTO(content) ociw_content *content = NULL;
	ociw_pack_options options = OCIW_PACK_OPTIONS_INIT;
	ociw_writer *writer = NULL;
	options.path = path;
	cr_assert_eq(ociw_pack(&options, &content, NULL), 0);
	cr_assert_eq(ociw_writer_new(&take_ops, NULL, &writer, NULL), 0);
	int r = ociw_package_read(content, NULL, NULL, writer, err);
	ociw_writer_abort(writer);
	return r;
}

Test(package_read, the_layer_of_an_artifact_is_the_package, .fini = app_end)
{
	ociw_error *err = NULL;
	app_begin("");
	cr_assert_eq(read_package(in_app("a.wasm"), &err), 0, "%s",
	             err ? ociw_error_message(err) : "");
	cr_assert_eq(got_len, 8);
	cr_assert_eq(memcmp(got, "\0asm\x0d\0\1\0", 8), 0);
}

Test(package_read, an_app_of_several_layers_is_no_package, .fini = app_end)
{
	ociw_error *err = NULL;
	app_begin("files = [\"f.txt\"]\n");
	write_text("f.txt",
	           "0123456789012345678901234567890123456789012345678901234567890123456789"
	           "0123456789012345678901234567890123456789012345678901234567890123456789");
	cr_assert_eq(read_package(app_dir, &err), OCIW_ERR_UNSUPPORTED);
	cr_assert_not_null(strstr(ociw_error_message(err), "has one layer"), "%s",
	                   ociw_error_message(err));
	cr_assert_eq(got_len, 0);
	ociw_error_free(err);
}
