/* SPDX-License-Identifier: Apache-2.0
 *
 * Images in memory for tests of extraction: tar entries written by hand, so that they may be as wrong
 * as a test wants them, and a content that holds them.
 */
#ifndef OCIW_TESTS_IMAGES_H
#define OCIW_TESTS_IMAGES_H

#include "base/buf.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "io/compress.h"
#include "oci/descriptor.h"
#include "oci/memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* One ustar entry with its data. */
static inline void tar_add(ociwp_buf *tar, char type, const char *name, const char *target,
			   unsigned mode, const void *data, size_t len)
{
	char header[512] = {0};
	unsigned sum = 0;
	snprintf(header, 100, "%s", name);
	snprintf(header + 100, 8, "%07o", mode & 07777);
	snprintf(header + 108, 8, "%07o", 0U);
	snprintf(header + 116, 8, "%07o", 0U);
	snprintf(header + 124, 12, "%011o", (unsigned)len);
	snprintf(header + 136, 12, "%011o", 1600000000U);
	memset(header + 148, ' ', 8);
	header[156] = type;
	if (target)
		snprintf(header + 157, 100, "%s", target);
	memcpy(header + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(header); i++)
		sum += (unsigned char)header[i];
	snprintf(header + 148, 8, "%06o", sum);
	ociwp_buf_append(tar, header, sizeof(header));
	ociwp_buf_append(tar, data, len);
	static const char zeros[512];
	if (len % 512)
		ociwp_buf_append(tar, zeros, 512 - len % 512);
}

static inline void tar_file(ociwp_buf *tar, const char *name, const char *text)
{
	tar_add(tar, '0', name, NULL, 0644, text, strlen(text));
}

static inline void tar_dir(ociwp_buf *tar, const char *name, unsigned mode)
{
	tar_add(tar, '5', name, NULL, mode, NULL, 0);
}

static inline void tar_end(ociwp_buf *tar)
{
	static const char zeros[1024];
	ociwp_buf_append(tar, zeros, sizeof(zeros));
	cr_assert_eq(ociwp_buf_check(tar, NULL), 0);
}

/* An image being put together. */
struct image {
	ociwp_memory *memory;
	ociwp_buf layers;   /* JSON of the descriptors */
	ociwp_buf diff_ids; /* JSON strings */
};

static inline struct image image_begin(void)
{
	struct image image = {0};
	cr_assert_eq(ociwp_memory_new("test image", &image.memory, NULL), 0);
	return image;
}

static inline ociw_descriptor *image_blob(struct image *image, const char *media_type,
					  const void *data, size_t len)
{
	ociw_descriptor *desc = NULL;
	ociw_span bytes = {data, len};
	cr_assert_eq(ociwp_descriptor_of_bytes(media_type, bytes, &desc, NULL), 0);
	cr_assert_eq(ociwp_memory_add_bytes(image->memory, desc, bytes, NULL), 0);
	return desc;
}

/* A layer of any type; @p title may be NULL. */
static inline void image_layer(struct image *image, const char *media_type, const char *title,
			       const void *data, size_t len)
{
	ociw_descriptor *desc = image_blob(image, media_type, data, len);
	ociwp_buf_printf(&image->layers, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu",
			 image->layers.len ? "," : "", media_type, ociw_descriptor_digest(desc),
			 len);
	if (title)
		ociwp_buf_printf(&image->layers,
				 ",\"annotations\":{\"org.opencontainers.image.title\":\"%s\"}",
				 title);
	ociwp_buf_putc(&image->layers, '}');
	ociw_descriptor_free(desc);
}

/* A tar layer with its diff_id, gzipped or as it is; frees the tar. */
static inline void image_tar(struct image *image, ociwp_buf *tar, bool gzip)
{
	ociw_digest digest;
	char text[OCIW_DIGEST_TEXT_MAX];
	cr_assert_eq(ociw_digest_bytes(OCIW_DIGEST_SHA256, ociwp_buf_span(tar), &digest, NULL), 0);
	ociwp_buf_printf(&image->diff_ids, "%s\"%s\"", image->diff_ids.len ? "," : "",
			 ociw_digest_format(&digest, text));
	if (gzip) {
		ociwp_buf packed = OCIWP_BUF_INIT;
		cr_assert_eq(ociwp_gzip_bytes(tar->data, tar->len, &packed, NULL), 0);
		image_layer(image, OCIWP_MT_OCI_LAYER_GZIP, NULL, packed.data, packed.len);
		ociwp_buf_deinit(&packed);
	} else {
		image_layer(image, OCIWP_MT_OCI_LAYER, NULL, tar->data, tar->len);
	}
	ociwp_buf_deinit(tar);
}

/* Ends with a config of this type and text ("%s" in it: the diff_ids) and gives the content. */
static inline ociw_content *image_end(struct image *image, const char *config_type,
				      const char *config_format)
{
	ociwp_buf config = OCIWP_BUF_INIT, manifest = OCIWP_BUF_INIT;
	ociw_content *content = NULL;
	ociw_descriptor *desc = NULL;
	const char *mark = strstr(config_format, "%s");
	ociwp_buf_append(&config, config_format,
			 mark ? (size_t)(mark - config_format) : strlen(config_format));
	if (mark) {
		ociwp_buf_puts(&config, image->diff_ids.data ? image->diff_ids.data : "");
		ociwp_buf_puts(&config, mark + 2);
	}
	ociw_descriptor *config_desc = image_blob(image, config_type, config.data, config.len);
	ociwp_buf_printf(&manifest,
			 "{\"schemaVersion\":2,\"mediaType\":\"" OCIWP_MT_OCI_MANIFEST
			 "\",\"config\":{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu},"
			 "\"layers\":[%s]}",
			 config_type, ociw_descriptor_digest(config_desc), config.len,
			 image->layers.data ? image->layers.data : "");
	cr_assert_eq(ociwp_descriptor_of_bytes(OCIWP_MT_OCI_MANIFEST, ociwp_buf_span(&manifest),
					       &desc, NULL),
		     0);
	cr_assert_eq(ociwp_memory_add_manifest(image->memory, desc, ociwp_buf_span(&manifest), "v1",
					       NULL),
		     0);
	cr_assert_eq(ociwp_memory_publish(image->memory, &content, NULL), 0);
	ociw_descriptor_free(config_desc);
	ociw_descriptor_free(desc);
	ociwp_buf_deinit(&config);
	ociwp_buf_deinit(&manifest);
	ociwp_buf_deinit(&image->layers);
	ociwp_buf_deinit(&image->diff_ids);
	return content;
}

#define IMAGE_CONFIG                                                                                 \
	"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Entrypoint\":[\"/\"]},"          \
	"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]}}"

static inline ociw_content *image_end_rootfs(struct image *image)
{
	return image_end(image, OCIWP_MT_OCI_CONFIG, IMAGE_CONFIG);
}

/* A fresh folder below /tmp; @p path gets "FOLDER/out". */
struct place {
	char dir[64], out[80];
};

static inline struct place place_new(void)
{
	struct place place;
	snprintf(place.dir, sizeof(place.dir), "/tmp/ociw-extract-XXXXXX");
	cr_assert_not_null(mkdtemp(place.dir));
	snprintf(place.out, sizeof(place.out), "%s/out", place.dir);
	return place;
}

static inline void place_free(struct place *place)
{
	char command[256];
	snprintf(command, sizeof(command), "chmod -R u+rwx %s; rm -rf %s", place->dir, place->dir);
	cr_expect_eq(system(command), 0);
}

/* Names in the folder itself, whatever they are: staging must have gone. */
static inline int place_count(const struct place *place)
{
	char command[256];
	snprintf(command, sizeof(command), "ls -A %s | wc -l", place->dir);
	FILE *pipe = popen(command, "r");
	int count = -1;
	cr_assert_not_null(pipe);
	cr_assert_eq(fscanf(pipe, "%d", &count), 1);
	pclose(pipe);
	return count;
}

static inline char *place_read(const struct place *place, const char *path, char *buf, size_t len)
{
	char full[512];
	snprintf(full, sizeof(full), "%s/%s", place->out, path);
	FILE *file = fopen(full, "re");
	if (!file)
		return NULL;
	size_t n = fread(buf, 1, len - 1, file);
	buf[n] = '\0';
	fclose(file);
	return buf;
}

static inline bool place_stat(const struct place *place, const char *path, struct stat *st)
{
	char full[512];
	snprintf(full, sizeof(full), "%s/%s", place->out, path);
	return lstat(full, st) == 0;
}

static inline bool place_has(const struct place *place, const char *path)
{
	struct stat st;
	return place_stat(place, path, &st);
}

#endif
