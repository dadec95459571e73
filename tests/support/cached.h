/* SPDX-License-Identifier: Apache-2.0
 *
 * Images and caches for tests of the cache.
 */
#ifndef OCIW_TESTS_CACHED_H
#define OCIW_TESTS_CACHED_H

#include "images.h"

#include <oci-wasm/cache.h>

/* An image with one file "f" of this text, and a link to it. */
static inline ociw_content *cached_image(const char *text)
{
	struct image image = image_begin();
	ociwp_buf tar = OCIWP_BUF_INIT;
	tar_dir(&tar, "d", 0555);
	tar_file(&tar, "d/f", text);
	tar_add(&tar, '2', "l", "d/f", 0777, NULL, 0);
	tar_end(&tar);
	image_tar(&image, &tar, true);
	return image_end_rootfs(&image);
}

static inline ociw_cache *cache_at(const struct place *place)
{
	ociw_cache *cache = NULL;
	char path[128];
	snprintf(path, sizeof(path), "%s/cache", place->dir);
	cr_assert_eq(ociw_cache_open(path, &cache, NULL), 0);
	return cache;
}

/* Leases an image; its digest goes to @p digest (at least 80 bytes) unless that is NULL. */
static inline ociw_lease *cache_lease(ociw_cache *cache, const char *text, char *digest)
{
	ociw_extract_options options = OCIW_EXTRACT_OPTIONS_INIT;
	ociw_content *content = cached_image(text);
	ociw_descriptor *desc = NULL;
	ociw_lease *lease = NULL;
	options.flags = OCIW_EXTRACT_NO_SYNC;
	cr_assert_eq(ociw_content_resolve(content, NULL, NULL, &desc, NULL), 0);
	if (digest)
		snprintf(digest, 80, "%s", ociw_descriptor_digest(desc));
	cr_assert_eq(ociw_cache_get(cache, content, NULL, &options, 0, &lease, NULL), 0);
	ociw_descriptor_free(desc);
	ociw_content_free(content);
	return lease;
}

/* No entry is left, nor a build lock, nor anything hidden. */
static inline void cache_expect_empty(const struct place *place)
{
	char command[512];
	snprintf(command, sizeof(command),
		 "cd %s/cache && test \"$(ls -A)\" = .locks && test -z \"$(ls -A .locks)\"",
		 place->dir);
	cr_expect_eq(system(command), 0);
}

/* Text of file @p name below the tree of a lease. */
static inline char *lease_read(const ociw_lease *lease, const char *name, char *buf, size_t len)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", ociw_lease_path(lease), name);
	FILE *file = fopen(path, "re");
	if (!file)
		return NULL;
	buf[fread(buf, 1, len - 1, file)] = '\0';
	fclose(file);
	return buf;
}

#endif
