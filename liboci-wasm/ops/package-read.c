/* SPDX-License-Identifier: Apache-2.0
 *
 * The one binary of a package's image into a writer. specs/wasm-formats.md 1.2, 1.3.
 */
#include <oci-wasm/package.h>

#include "base/str.h"
#include "codec/mediatype.h"
#include "oci/descriptor.h"
#include "oci/manifest.h"

#define CHUNK (64 * 1024)

static int pass_layer(ociw_content *content, const ociw_descriptor *layer, const ociw_op *op,
                      ociw_writer *into, ociw_error **err)
{
	OCIWP_AUTO(mem) char *chunk = ociwp_malloc(CHUNK);
	ociw_reader *reader = NULL;
	if (!chunk)
		return ociwp_nomem(err);
	int r = ociw_content_open(content, layer, op, &reader, err);
	while (r == 0) {
		ptrdiff_t n = ociw_reader_read(reader, chunk, CHUNK, err);
		if (n <= 0) {
			r = (int)n;
			break;
		}
		r = ociw_writer_write(into, chunk, (size_t)n, err);
	}
	int closed = ociw_reader_close(reader, r < 0 ? NULL : err);
	return r < 0 ? r : closed;
}

int ociw_package_read(ociw_content *content, const char *name, const ociw_op *op, ociw_writer *into,
                      ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = NULL;
	int r = ociwp_image_select(content, name, NULL, op, &desc, err);
	if (r == 0)
		r = ociwp_manifest_load(content, desc, op, &manifest, NULL, NULL, err);
	if (r == 0 && manifest->layer_count != 1)
		r = ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
		               "a package has one layer, this image has %zu",
		               manifest->layer_count);
	if (r == 0 && !ociwp_mediatype_is_wasm(manifest->layers[0]->media_type))
		r = ociwp_fail(err, OCIW_ERR_UNSUPPORTED, "its layer is no wasm but %s",
		               ociwp_quote(manifest->layers[0]->media_type));
	if (r == 0)
		r = pass_layer(content, manifest->layers[0], op, into, err);
	return r < 0 ? ociwp_wrap(err, r, "package %s", ociw_content_label(content)) : 0;
}
