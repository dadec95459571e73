/* SPDX-License-Identifier: Apache-2.0
 *
 * Grammar and classes of media types (DSC-1, MAN-10; vectors after image-spec's descriptor schema).
 */
#include "base/buf.h"
#include "codec/mediatype.h"
#include <criterion/criterion.h>

static const char *of_length(ociwp_buf *buf, size_t first, size_t second)
{
	ociwp_buf_clear(buf);
	for (size_t i = 0; i < first; i++)
		ociwp_buf_putc(buf, 'a');
	ociwp_buf_putc(buf, '/');
	for (size_t i = 0; i < second; i++)
		ociwp_buf_putc(buf, '1');
	return buf->data;
}

Test(mediatype, follows_the_grammar)
{
	static const char *const good[] = {
		OCIWP_MT_OCI_MANIFEST, OCIWP_MT_SPIN_BUNDLE, "a/b", "1/2", "text/x!#$&^_.+-",
		"x!#$&^_.+-/y",
	};
	static const char *const bad[] = {
		"", "text", "/", "text/", "/plain", "a/b/c", "a b/c", "a/b c", "a/b;charset=utf-8",
		".a/b", "a/.b", "-a/b", "a/%b", "invalid", "a/\xc3\xa9", "a/b\n",
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(good); i++)
		cr_expect(ociwp_mediatype_is_valid(good[i]), "%s", good[i]);
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(bad); i++)
		cr_expect_not(ociwp_mediatype_is_valid(bad[i]), "%s", bad[i]);
	cr_expect_not(ociwp_mediatype_is_valid(NULL));
}

Test(mediatype, each_half_has_at_most_127_bytes)
{
	OCIWP_AUTO(buf) ociwp_buf buf = OCIWP_BUF_INIT;
	cr_expect(ociwp_mediatype_is_valid(of_length(&buf, 127, 127)));
	cr_expect_not(ociwp_mediatype_is_valid(of_length(&buf, 128, 1)));
	cr_expect_not(ociwp_mediatype_is_valid(of_length(&buf, 1, 128)));
}

Test(mediatype, documents_have_classes)
{
	cr_expect(ociwp_mediatype_is_manifest(OCIWP_MT_OCI_MANIFEST));
	cr_expect(ociwp_mediatype_is_manifest(OCIWP_MT_DOCKER_MANIFEST));
	cr_expect_not(ociwp_mediatype_is_manifest(OCIWP_MT_OCI_INDEX));
	cr_expect_not(ociwp_mediatype_is_manifest(NULL));
	cr_expect(ociwp_mediatype_is_index(OCIWP_MT_OCI_INDEX));
	cr_expect(ociwp_mediatype_is_index(OCIWP_MT_DOCKER_INDEX));
	cr_expect_not(ociwp_mediatype_is_index(OCIWP_MT_OCI_MANIFEST));
	cr_expect(ociwp_mediatype_is_image_config(OCIWP_MT_OCI_CONFIG));
	cr_expect(ociwp_mediatype_is_image_config(OCIWP_MT_DOCKER_CONFIG));
	cr_expect_not(ociwp_mediatype_is_image_config(OCIWP_MT_WASM_CONFIG));
}

Test(mediatype, layers_are_what_diff_ids_counts)
{
	static const char *const layers[] = {
		OCIWP_MT_OCI_LAYER,
		OCIWP_MT_OCI_LAYER_GZIP,
		OCIWP_MT_OCI_LAYER_ZSTD,
		OCIWP_MT_DOCKER_LAYER,
		OCIWP_MT_DOCKER_LAYER_GZIP,
		"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
		"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
	};
	static const char *const others[] = {
		OCIWP_MT_SPIN_WASM, OCIWP_MT_SPIN_DATA, OCIWP_MT_SPIN_BUNDLE,
		OCIWP_MT_SPIN_LOCK, OCIWP_MT_WASM,      OCIWP_MT_OCI_EMPTY,
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(layers); i++)
		cr_expect(ociwp_mediatype_is_layer(layers[i]), "%s", layers[i]);
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(others); i++)
		cr_expect_not(ociwp_mediatype_is_layer(others[i]), "%s", others[i]);
	cr_expect_not(ociwp_mediatype_is_layer(NULL));
}

Test(mediatype, wasm_layers_are_the_known_set)
{
	static const char *const wasm[] = {OCIWP_MT_WASM, OCIWP_MT_SPIN_WASM, OCIWP_MT_RUNWASI_WASM,
					   OCIWP_MT_SOLO_WASM};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(wasm); i++)
		cr_expect(ociwp_mediatype_is_wasm(wasm[i]), "%s", wasm[i]);
	cr_expect_not(ociwp_mediatype_is_wasm(OCIWP_MT_SPIN_DATA));
	cr_expect_not(ociwp_mediatype_is_wasm(OCIWP_MT_OCI_LAYER));
}

Test(mediatype, foreign_layers_are_not_distributed)
{
	cr_expect(ociwp_mediatype_is_nondistributable(
		"application/vnd.oci.image.layer.nondistributable.v1.tar"));
	cr_expect(ociwp_mediatype_is_nondistributable(
		"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"));
	cr_expect_not(ociwp_mediatype_is_nondistributable(OCIWP_MT_OCI_LAYER));
}
