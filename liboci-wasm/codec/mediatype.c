/* SPDX-License-Identifier: Apache-2.0
 *
 * Media types: grammar and classes. Knows nothing of documents. DSC-1, MAN-10, LYR-8;
 * specs/wasm-formats.md 1.1 and 1.7, specs/spin.md 5.2.
 */
#include "codec/mediatype.h"
#include "base/alloc.h"
#include "base/str.h"

#define MAX_PART 127 /* a letter or digit and up to 126 more */

static size_t part_length(const char *text)
{
	if (!ociwp_is_alnum(*text))
		return 0;
	size_t n = 1;
	while (text[n] && (ociwp_is_alnum(text[n]) || strchr("!#$&^_.+-", text[n])))
		n++;
	return n <= MAX_PART ? n : 0;
}

bool ociwp_mediatype_is_valid(const char *media_type)
{
	if (!media_type)
		return false;
	size_t n = part_length(media_type);
	if (n == 0 || media_type[n] != '/')
		return false;
	size_t m = part_length(media_type + n + 1);
	return m > 0 && media_type[n + 1 + m] == '\0';
}

static bool one_of(const char *media_type, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ociwp_streq(media_type, list[i]))
			return true;
	return false;
}

bool ociwp_mediatype_is_manifest(const char *media_type)
{
	static const char *const list[] = {OCIWP_MT_OCI_MANIFEST, OCIWP_MT_DOCKER_MANIFEST};
	return one_of(media_type, list, OCIWP_ARRAY_LEN(list));
}

bool ociwp_mediatype_is_index(const char *media_type)
{
	static const char *const list[] = {OCIWP_MT_OCI_INDEX, OCIWP_MT_DOCKER_INDEX};
	return one_of(media_type, list, OCIWP_ARRAY_LEN(list));
}

bool ociwp_mediatype_is_image_config(const char *media_type)
{
	static const char *const list[] = {OCIWP_MT_OCI_CONFIG, OCIWP_MT_DOCKER_CONFIG};
	return one_of(media_type, list, OCIWP_ARRAY_LEN(list));
}

bool ociwp_mediatype_is_nondistributable(const char *media_type)
{
	static const char *const list[] = {
		"application/vnd.oci.image.layer.nondistributable.v1.tar",
		"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
		"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
		"application/vnd.docker.image.rootfs.foreign.diff.tar",
		"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
	};
	return one_of(media_type, list, OCIWP_ARRAY_LEN(list));
}

bool ociwp_mediatype_is_layer(const char *media_type)
{
	static const char *const docker[] = {
		OCIWP_MT_DOCKER_LAYER,
		OCIWP_MT_DOCKER_LAYER_GZIP,
		"application/vnd.docker.image.rootfs.diff.tar.zstd",
	};
	if (!media_type)
		return false;
	/* containerd counts by this prefix, so later compressions are layers as well. */
	return ociwp_starts_with(media_type, "application/vnd.oci.image.layer.") ||
	       one_of(media_type, docker, OCIWP_ARRAY_LEN(docker)) ||
	       ociwp_mediatype_is_nondistributable(media_type);
}

bool ociwp_mediatype_is_wasm(const char *media_type)
{
	static const char *const list[] = {
		OCIWP_MT_WASM,
		OCIWP_MT_SPIN_WASM,
		OCIWP_MT_RUNWASI_WASM,
		OCIWP_MT_SOLO_WASM,
		"application/vnd.wasm.component.v1",
		"application/vnd.gadget.wasm.program.v1+binary",
	};
	return one_of(media_type, list, OCIWP_ARRAY_LEN(list));
}
