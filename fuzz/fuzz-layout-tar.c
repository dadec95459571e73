/* SPDX-License-Identifier: Apache-2.0
 *
 * Layout tars and image tars of docker save, from any bytes: what is listed resolves by its name to the
 * same descriptor, and what can be read has the size and digest of that descriptor.
 */
#include "codec/mediatype.h"
#include "fuzz-blob.h"
#include "oci/manifest.h"
#include "store/layout-tar.h"

#include <oci-wasm/content.h>
#include <oci-wasm/descriptor.h>
#include <oci-wasm/oci-wasm.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_READ (1 << 20)

static void read_blob(ociw_content *content, const ociw_descriptor *desc, void **bytes, size_t *len)
{
	*bytes = NULL;
	if (ociw_content_read(content, desc, MAX_READ, NULL, bytes, len, NULL) == 0)
		fuzz_check_blob(desc, (ociw_span){*bytes, *len});
}

static void read_image(ociw_content *content, const ociw_descriptor *desc)
{
	void *bytes, *config;
	size_t len;
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = NULL;
	read_blob(content, desc, &bytes, &len);
	if (bytes && ociwp_manifest_parse((ociw_span){bytes, len}, desc->media_type, NULL, &manifest, NULL) == 0) {
		read_blob(content, manifest->config, &config, &len);
		ociw_free(config);
		for (size_t i = 0; i < manifest->layer_count && i < 4; i++) {
			read_blob(content, manifest->layers[i], &config, &len);
			ociw_free(config);
		}
	}
	ociw_free(bytes);
}

static int on_name(const char *name, const ociw_descriptor *desc, void *self)
{
	ociw_content *content = self;
	ociw_descriptor *found = NULL;
	if (name && ociw_content_resolve(content, name, NULL, &found, NULL) == 0) {
		FUZZ_ASSERT(found->digest && found->media_type);
		ociw_descriptor_free(found);
	}
	read_image(content, desc);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ociw_content *content = NULL;
	ociw_error *err = NULL;
	ociw_limits limits = OCIW_LIMITS_INIT;
	limits.max_blob_bytes = MAX_READ;
	limits.max_unpacked_bytes = 16 * MAX_READ;
	ociw_op op = OCIW_OP_INIT;
	op.limits = &limits;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	FUZZ_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
	if (ociwp_archive_open_fd(fd, "fuzz.tar", &op, &content, &err) < 0) {
		FUZZ_ASSERT(err && *ociw_error_message(err));
		ociw_error_free(err);
		return 0;
	}
	(void)!ociw_content_list(content, NULL, on_name, content, NULL);
	ociw_content_free(content);
	return 0;
}
