/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of stores and copies: scratch folders, small images, whole files. Header only, so that
 * each test program takes what it needs.
 */
#ifndef OCIW_TESTS_LAYOUTS_H
#define OCIW_TESTS_LAYOUTS_H

#include "base/buf.h"
#include "base/op.h"
#include "codec/mediatype.h"
#include "io/stream.h"
#include "oci/content.h"
#include "oci/descriptor.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <oci-wasm/copy.h>
#include <oci-wasm/store.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each unused one is one that this program does not need. */
#define MAYBE __attribute__((unused))

/* A scratch folder for the running test, on a file system that has O_TMPFILE and locks. */
static MAYBE char scratch[64];

static MAYBE void scratch_make(void)
{
	strcpy(scratch, "/tmp/ociw-store-XXXXXX");
	cr_assert_not_null(mkdtemp(scratch));
}

static MAYBE int scratch_remove_one(const char *path, const struct stat *st, int flag,
                                    struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static MAYBE void scratch_remove(void)
{
	if (scratch[0])
		nftw(scratch, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Callbacks of lists that count into a size_t. */
static MAYBE int count_name(const char *name, const ociw_descriptor *desc, void *user_data)
{
	(void)name;
	(void)desc;
	++*(size_t *)user_data;
	return 0;
}

static MAYBE int count_referrer(const ociw_descriptor *desc, void *user_data)
{
	return count_name(NULL, desc, user_data);
}

/* Path of a name in the scratch folder; a few live at a time. */
static MAYBE const char *in_scratch(const char *name)
{
	static char paths[32][512];
	static unsigned next;
	char *path = paths[next++ % 32];

	snprintf(path, sizeof(paths[0]), "%s/%s", scratch, name);
	return path;
}

static MAYBE const char *testdata(const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];
	const char *root = getenv("OCIW_TESTDATA");

	cr_assert_not_null(root, "OCIW_TESTDATA is not set");
	snprintf(path, sizeof(paths[0]), "%s/%s", root, name);
	return path;
}

static MAYBE void write_file(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "wb");

	cr_assert_not_null(file, "%s", path);
	cr_assert_eq(fwrite(data, 1, len, file), len);
	cr_assert_eq(fclose(file), 0);
}

static MAYBE void write_text(const char *path, const char *text)
{
	write_file(path, text, strlen(text));
}

/* The text of a file, to be freed; NULL when it is not there. */
static MAYBE char *read_text(const char *path)
{
	ociw_reader *reader;
	char *text = NULL;
	size_t len;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	cr_assert_eq(ociw_reader_new_fd(fd, &reader, NULL), 0);
	cr_assert_eq(ociwp_read_all(reader, 1 << 26, &text, &len, NULL), 0);
	return text;
}

static MAYBE bool exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

/* Fails the test with the message unless @p r is success; frees the error. */
static MAYBE void expect_ok(int r, ociw_error **err)
{
	cr_assert(r >= 0, "%s", ociw_error_message(*err));
	ociw_error_free(*err);
	*err = NULL;
}

/* Fails the test unless @p r is @p code and the message holds @p part; frees the error. */
static MAYBE void expect_error(int r, ociw_error **err, int code, const char *part)
{
	cr_expect_eq(r, code, "%d, not %d: %s", r, code, ociw_error_message(*err));
	if (*err && part)
		cr_expect_not_null(strstr(ociw_error_message(*err), part), "%s",
		                   ociw_error_message(*err));
	ociw_error_free(*err);
	*err = NULL;
}

static MAYBE ociw_content *open_layout(const char *path, unsigned flags)
{
	ociw_content *content = NULL;
	ociw_error *err = NULL;

	expect_ok(ociw_layout_open(path, flags, &content, &err), &err);
	return content;
}

/* For writing, made when absent. Tests need no fsync. */
static MAYBE ociw_content *new_layout(const char *path)
{
	return open_layout(path, OCIW_LAYOUT_WRITE | OCIW_LAYOUT_CREATE | OCIW_LAYOUT_NO_SYNC);
}

static MAYBE ociw_descriptor *put_blob(ociw_content *content, const char *media_type,
                                       const void *data, size_t len)
{
	ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;

	expect_ok(ociwp_descriptor_of_bytes(media_type, (ociw_span){data, len}, &desc, &err), &err);
	expect_ok(ociwp_content_put_bytes(content, desc, (ociw_span){data, len}, NULL, &err), &err);
	return desc;
}

static MAYBE ociw_descriptor *put_manifest_text(ociw_content *content, const char *media_type,
                                                const char *text, const char *name)
{
	ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;
	ociw_span bytes = {text, strlen(text)};

	expect_ok(ociwp_descriptor_of_bytes(media_type, bytes, &desc, &err), &err);
	expect_ok(ociwp_content_put_manifest(content, desc, bytes, name, NULL, &err), &err);
	return desc;
}

/* The text of a manifest with these blobs; @p subject may be NULL. To be freed. */
static MAYBE char *manifest_text(const ociw_descriptor *config, const ociw_descriptor *layer,
                                 const ociw_descriptor *subject)
{
	ociwp_buf text = OCIWP_BUF_INIT;

	ociwp_buf_printf(&text,
	                 "{\"schemaVersion\":2,\"mediaType\":\"" OCIWP_MT_OCI_MANIFEST "\",");
	ociwp_buf_printf(&text,
	                 "\"config\":{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%llu},",
	                 config->media_type, config->digest, (unsigned long long)config->size);
	ociwp_buf_printf(&text,
	                 "\"layers\":[{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%llu}]",
	                 layer->media_type, layer->digest, (unsigned long long)layer->size);
	if (subject)
		ociwp_buf_printf(
		        &text,
		        ",\"subject\":{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%llu}",
		        subject->media_type, subject->digest, (unsigned long long)subject->size);
	ociwp_buf_puts(&text, "}");
	cr_assert_eq(ociwp_buf_check(&text, NULL), 0);
	return ociwp_buf_steal(&text);
}

/* A whole small image whose one layer is @p layer_text; the descriptor of its manifest. */
static MAYBE ociw_descriptor *put_image_of(ociw_content *content, const char *name,
                                           const void *layer_data, size_t layer_len,
                                           const ociw_descriptor *subject)
{
	OCIWP_AUTO(descriptor)
	ociw_descriptor *layer = put_blob(content, "application/x-layer", layer_data, layer_len);
	OCIWP_AUTO(descriptor)
	ociw_descriptor *config = put_blob(content, "application/x-config", "{}", 2);
	OCIWP_AUTO(str) char *text = manifest_text(config, layer, subject);

	return put_manifest_text(content, OCIWP_MT_OCI_MANIFEST, text, name);
}

static MAYBE ociw_descriptor *put_image(ociw_content *content, const char *name,
                                        const char *layer_text)
{
	return put_image_of(content, name, layer_text, strlen(layer_text), NULL);
}

/* Digest that a name stands for, or "" when resolving fails. To be freed. */
static MAYBE char *digest_of(ociw_content *content, const char *name)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;

	if (ociw_content_resolve(content, name, NULL, &desc, NULL) < 0)
		return ociwp_strdup("");
	return ociwp_strdup(desc->digest);
}

static MAYBE void expect_name(ociw_content *content, const char *name, const ociw_descriptor *desc)
{
	OCIWP_AUTO(str) char *digest = digest_of(content, name);

	cr_expect_str_eq(digest, desc->digest, "%s", name ? name : "(the only one)");
}

/* "blobs/sha256/<hex>" of a digest below a layout. */
static MAYBE const char *blob_path(const char *layout, const char *digest)
{
	static char path[1024];

	snprintf(path, sizeof(path), "%s/blobs/%.6s/%s", layout, digest, digest + 7);
	return path;
}

#endif
