/* SPDX-License-Identifier: Apache-2.0
 *
 * Hostile images of Spin apps for convert: each has one fault, and the error names it
 * (specs/spin.md 5.3, 7.3, specs/spin-node.md 3).
 */
#include "codec/mediatype.h"
#include "oci/descriptor.h"
#include "pack-fixture.h"
#include <oci-wasm/convert.h>
#include <oci-wasm/store.h>

#define SPIN_CONFIG                                                                                \
	"{\"architecture\":\"wasm\",\"os\":\"wasip1\",\"rootfs\":{\"type\":\"layers\",\"diff_"     \
	"ids\":[%s]}}"
#define LOCK                                                                                       \
	"{\"spin_lock_version\":0,\"triggers\":[],\"components\":[{\"id\":\"a\",\"source\":{"      \
	"\"content_type\":\"application/wasm\",%s},\"files\":[%s]}]}"
#define ZERO_DIGEST "sha256:0000000000000000000000000000000000000000000000000000000000000000"
#define WASM "\0asm\x0d\0\1\0"

static ociw_content *layout;
static ociw_descriptor *layers[4], *config;
static size_t layer_count;

static void teardown(void)
{
	for (size_t i = 0; i < layer_count; i++)
		ociw_descriptor_free(layers[i]);
	ociw_descriptor_free(config);
	ociw_content_free(layout);
	app_end();
}

static void setup(void)
{
	strcpy(app_dir, "/tmp/ociw-convert-XXXXXX");
	cr_assert_not_null(mkdtemp(app_dir));
	cr_assert_eq(ociw_layout_open(in_app("layout"), OCIW_LAYOUT_WRITE | OCIW_LAYOUT_CREATE,
	                              &layout, NULL),
	             0);
}

TestSuite(convert_read, .init = setup, .fini = teardown);

static const char *put(const char *media_type, const void *data, size_t len)
{
	ociw_descriptor *desc = NULL;
	cr_assert_eq(ociw_content_put_bytes(layout, media_type, (ociw_span){data, len}, NULL, &desc,
	                                    NULL),
	             0);
	layers[layer_count++] = desc;
	return desc->digest;
}

/* The lock as the last layer. @p source: members of the component's source; @p files: JSON objects.
 */
static void put_lock(const char *source, const char *files)
{
	char lock[2048];
	int len = snprintf(lock, sizeof(lock), LOCK, source, files);
	cr_assert_lt(len, (int)sizeof(lock));
	put(OCIWP_MT_SPIN_LOCK, lock, (size_t)len);
}

static const char *digest_member(const char *digest)
{
	static char text[128];
	snprintf(text, sizeof(text), "\"digest\":\"%s\"", digest);
	return text;
}

static void finish(const char *diff_id)
{
	char text[512];
	OCIWP_AUTO(buf) ociwp_buf bytes = OCIWP_BUF_INIT;
	int len = snprintf(text, sizeof(text), SPIN_CONFIG, diff_id);
	cr_assert_eq(ociw_content_put_bytes(layout, OCIWP_MT_OCI_CONFIG,
	                                    (ociw_span){text, (size_t)len}, NULL, &config, NULL),
	             0);
	ociwp_manifest_draft draft = {.media_type = OCIWP_MT_OCI_MANIFEST,
	                              .config = config,
	                              .layers = (const ociw_descriptor *const *)layers,
	                              .layer_count = layer_count};
	cr_assert_eq(ociwp_manifest_write(&draft, &bytes, NULL), 0);
	cr_assert_eq(ociw_content_put_manifest(layout, OCIWP_MT_OCI_MANIFEST,
	                                       ociwp_buf_span(&bytes), "v1", NULL, NULL, NULL),
	             0);
}

static void expect(int code, const char *text)
{
	ociw_format format = OCIW_FORMAT_SPIN;
	ociw_convert_options options = OCIW_CONVERT_OPTIONS_INIT;
	ociw_content *converted = NULL;
	ociw_error *err = NULL;
	options.formats = &format;
	options.format_count = 1;
	int r = ociw_convert(layout, "v1", &options, &converted, &err);
	cr_assert_eq(r, code, "%d: %s", r, err ? ociw_error_message(err) : "converted");
	if (text)
		cr_assert_not_null(strstr(ociw_error_message(err), text), "no \"%s\" in: %s", text,
		                   ociw_error_message(err));
	ociw_error_free(err);
	ociw_content_free(converted);
}

/* A tar layer with one file; plain, its digest is its diff_id. */
static void put_tar(const char *name, const char *bytes)
{
	static char block[4096];
	unsigned sum = 0;
	size_t len = strlen(bytes);
	memset(block, 0, sizeof(block));
	snprintf(block, 100, "%s", name);
	memcpy(block + 100, "0000644\0000000000\0000000000", 24);
	snprintf(block + 124, 12, "%011o", (unsigned)len & 07777);
	memcpy(block + 136, "00000000000", 11);
	memset(block + 148, ' ', 8);
	block[156] = '0';
	memcpy(block + 257, "ustar\00000", 8);
	for (size_t i = 0; i < 512; i++)
		sum += (unsigned char)block[i];
	snprintf(block + 148, 8, "%06o", sum);
	memcpy(block + 512, bytes, len);
	put(OCIWP_MT_OCI_LAYER, block, 2048);
}

static void finish_node(void)
{
	char diff_id[128];
	snprintf(diff_id, sizeof(diff_id), "\"%s\"", layers[1]->digest);
	finish(diff_id);
}

Test(convert_read, a_good_image_is_read)
{
	put_lock(digest_member(put(OCIWP_MT_SPIN_WASM, WASM, 8)),
	         "{\"inline\":\"aGk=\",\"path\":\"hi.txt\"}");
	finish("");
	expect(0, NULL);
}

Test(convert_read, a_wrong_inline_digest_is_refused)
{
	put_lock(digest_member(put(OCIWP_MT_SPIN_WASM, WASM, 8)),
	         "{\"inline\":\"aGk=\",\"digest\":\"" ZERO_DIGEST "\",\"path\":\"hi.txt\"}");
	finish("");
	expect(OCIW_ERR_DIGEST,
	       "component \"a\": file \"hi.txt\": inline bytes have digest sha256:8f43");
}

Test(convert_read, a_wasm_that_no_layer_has_is_named)
{
	put_lock(digest_member(ZERO_DIGEST), "");
	put(OCIWP_MT_SPIN_WASM, WASM, 8);
	finish("");
	expect(OCIW_ERR_NOTFOUND, "component \"a\": no layer has its wasm \"" ZERO_DIGEST);
}

Test(convert_read, a_file_that_no_layer_has_is_named)
{
	put_lock(digest_member(put(OCIWP_MT_SPIN_WASM, WASM, 8)),
	         "{\"digest\":\"" ZERO_DIGEST "\",\"path\":\"hi.txt\"}");
	finish("");
	expect(OCIW_ERR_NOTFOUND, "file \"hi.txt\": no layer has its content");
}

Test(convert_read, native_code_under_a_wasm_type_is_refused)
{
	put_lock(digest_member(put(OCIWP_MT_SPIN_WASM, "\177ELF\2\1\1\0\0\0\0\0", 12)), "");
	finish("");
	expect(OCIW_ERR_UNSAFE, "is native code, not wasm");
}

Test(convert_read, native_code_inside_the_lock_is_refused)
{
	put_lock("\"inline\":\"f0VMRgIBAQAAAAAA\"", "");
	finish("");
	expect(OCIW_ERR_UNSAFE, "what the lock holds inline is native code, not wasm");
}

Test(convert_read, text_under_a_wasm_type_is_refused)
{
	put_lock(digest_member(put(OCIWP_MT_SPIN_WASM, "(module)", 8)), "");
	finish("");
	expect(OCIW_ERR_UNSUPPORTED, "is not wasm");
}

Test(convert_read, a_path_that_climbs_out_is_refused)
{
	put_lock(digest_member(put(OCIWP_MT_SPIN_WASM, WASM, 8)),
	         "{\"inline\":\"aGk=\",\"path\":\"../hi.txt\"}");
	finish("");
	expect(OCIW_ERR_UNSAFE, "../hi.txt");
}

Test(convert_read, a_file_that_is_there_twice_is_refused)
{
	put_lock(digest_member(put(OCIWP_MT_SPIN_WASM, WASM, 8)),
	         "{\"inline\":\"aGk=\",\"path\":\"hi.txt\"},"
	         "{\"inline\":\"aG8=\",\"path\":\"hi.txt\"}");
	finish("");
	expect(OCIW_ERR_FORMAT, "hi.txt");
}

Test(convert_read, files_of_a_node_layer_come_by_name)
{
	const char *wasm = put(OCIWP_MT_SPIN_WASM, WASM, 8);
	put_tar("assets/a/hi.txt", "hi");
	put_lock(digest_member(wasm), "{\"inline\":\"aGk=\",\"path\":\"hi.txt\"}");
	finish_node();
	expect(0, NULL);
}

Test(convert_read, a_foreign_file_in_a_node_layer_is_refused_by_name)
{
	const char *wasm = put(OCIWP_MT_SPIN_WASM, WASM, 8);
	put_tar("etc/passwd", "root");
	put_lock(digest_member(wasm), "{\"inline\":\"aGk=\",\"path\":\"hi.txt\"}");
	finish_node();
	expect(OCIW_ERR_UNSUPPORTED, "\"etc/passwd\" belongs to no component");
}

Test(convert_read, a_whiteout_in_a_node_layer_is_refused_by_name)
{
	const char *wasm = put(OCIWP_MT_SPIN_WASM, WASM, 8);
	put_tar("assets/a/.wh.hi.txt", "");
	put_lock(digest_member(wasm), "{\"inline\":\"aGk=\",\"path\":\"hi.txt\"}");
	finish_node();
	expect(OCIW_ERR_UNSUPPORTED, ".wh.hi.txt");
}

Test(convert_read, a_damaged_layer_is_noticed)
{
	char path[120];
	put_lock(digest_member(put(OCIWP_MT_SPIN_WASM, WASM, 8)),
	         "{\"inline\":\"aGk=\",\"path\":\"hi.txt\"}");
	finish("");
	snprintf(path, sizeof(path), "layout/blobs/sha256/%s", strchr(layers[1]->digest, ':') + 1);
	chmod(in_app(path), 0644);
	write_text(path, "{}");
	expect(OCIW_ERR_SIZE, "locked app");
}
