/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of formats share: a folder that goes away, sources and drafts of bytes, blobs read
 * back.
 */
#ifndef TESTS_FORMAT_FIXTURE_H
#define TESTS_FORMAT_FIXTURE_H

#include "archive/tar-reader.h"
#include "base/buf.h"
#include "base/str.h"
#include "format/draft.h"
#include "format/image.h"
#include "io/compress.h"
#include "oci/manifest.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

static const unsigned char component_head[] = {0, 'a', 's', 'm', 0x0d, 0, 1, 0};

/* A source of @p size bytes that differ by @p seed. */
static inline ociwp_source make_source(size_t size, unsigned seed)
{
	ociwp_source source;
	unsigned char *bytes = ociwp_malloc(size);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(i * 7 + seed * 131 + (i >> 8) * seed);
	cr_assert_eq(ociwp_source_of_bytes((ociw_span){bytes, size}, &source, NULL), 0);
	free(bytes);
	return source;
}

static inline void add_file(ociwp_draft_component *component, const char *path, size_t size,
                            unsigned seed)
{
	component->files = ociwp_realloc_array(component->files, component->file_count + 1,
	                                       sizeof(*component->files));
	component->files[component->file_count++] =
	        (ociwp_file){.path = path, .source = make_source(size, seed)};
}

/* A draft of a lock in JSON whose components get a wasm of eight bytes and no files yet. */
static inline void draft_begin(ociwp_draft *draft, ociwp_lock **lock, const char *json)
{
	ociw_error *err = NULL;
	cr_assert_eq(ociwp_lock_parse((ociw_span){json, strlen(json)}, NULL, lock, &err), 0, "%s",
	             err ? ociw_error_message(err) : "");
	cr_assert_eq(ociwp_draft_init(draft, *lock, NULL), 0);
	for (size_t i = 0; i < draft->component_count; i++)
		cr_assert_eq(ociwp_source_of_bytes((ociw_span){component_head, 8},
		                                   &draft->components[i].wasm, NULL),
		             0);
	draft->threads = 2;
	cr_assert_eq(ociwp_memory_new("test", &draft->memory, NULL), 0);
}

/* Ends a draft: what it made, as a content. */
static inline ociw_content *draft_end(ociwp_draft *draft, ociwp_lock *lock)
{
	ociw_content *content = NULL;
	cr_assert_eq(ociwp_memory_publish(draft->memory, &content, NULL), 0);
	ociwp_draft_deinit(draft);
	ociwp_lock_free(lock);
	return content;
}

static inline char *read_text(ociw_content *content, const ociw_descriptor *desc)
{
	void *text = NULL;
	size_t len = 0;
	cr_assert_eq(ociw_content_read(content, desc, 64 << 20, NULL, &text, &len, NULL), 0);
	return text;
}

static inline ociwp_manifest *read_manifest(ociw_content *content, const char *name)
{
	ociw_descriptor *desc = NULL;
	ociwp_manifest *manifest = NULL;
	cr_assert_eq(ociw_content_resolve(content, name, NULL, &desc, NULL), 0);
	cr_assert_eq(ociwp_manifest_load(content, desc, NULL, &manifest, NULL, NULL, NULL), 0);
	ociw_descriptor_free(desc);
	return manifest;
}

/* "d name/ 755" and "f name 644 size" lines of a gzipped tar blob; @p diff_id its plain digest. */
static inline char *list_layer(ociw_content *content, const ociw_descriptor *desc,
                               ociw_digest *diff_id)
{
	ociw_reader *blob = NULL, *plain = NULL, *hashed = NULL;
	ociwp_tar_reader *tar = NULL;
	const ociwp_tar_entry *entry;
	ociwp_decode_options decode = {0};
	ociwp_buf lines = OCIWP_BUF_INIT;
	ociw_digest unused;
	cr_assert_eq(ociw_content_open(content, desc, NULL, &blob, NULL), 0);
	cr_assert_eq(ociwp_reader_gunzip(blob, &decode, &plain, NULL), 0);
	cr_assert_eq(ociwp_reader_hash(plain, OCIW_DIGEST_SHA256, diff_id ? diff_id : &unused, NULL,
	                               &hashed, NULL),
	             0);
	cr_assert_eq(ociwp_tar_reader_new(hashed, NULL, &tar, NULL), 0);
	while (ociwp_tar_reader_next(tar, &entry, NULL) == 1) {
		cr_assert_eq(entry->uid, 0);
		cr_assert_eq(entry->gid, 0);
		cr_assert_eq(entry->mtime_seconds, 0);
		if (entry->type == OCIWP_TAR_DIRECTORY)
			ociwp_buf_printf(&lines, "d %s %o\n", entry->path, entry->mode);
		else
			ociwp_buf_printf(&lines, "f %s %o %llu\n", entry->path, entry->mode,
			                 (unsigned long long)entry->size);
	}
	cr_assert_eq(ociwp_tar_reader_close(tar, NULL), 0);
	return ociwp_buf_steal(&lines);
}

#endif
