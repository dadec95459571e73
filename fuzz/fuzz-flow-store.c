/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole store in one input: documents that name each other, then an index.json. Resolves, lists,
 * copies with referrers, edits. Documents are separated by 0xFF; the last is index.json. "@a"
 * stands for the digest of document a (the first), "#a" for its size, so that links survive
 * mutation.
 */
#include "codec/mediatype.h"
#include "fuzz-blob.h"
#include "io/stream.h"
#include "oci/content.h"
#include "oci/descriptor.h"
#include "store/graph.h"
#include "store/layout-index.h"

#include <oci-wasm/copy.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_DOCUMENTS 16

typedef struct documents {
	ociwp_buf text[MAX_DOCUMENTS];
	char digest[MAX_DOCUMENTS][OCIW_DIGEST_TEXT_MAX];
	size_t count;
	ociwp_index *index;
} documents;

static void must(bool condition)
{
	if (!condition)
		__builtin_trap();
}

/* Copies a document with its marks replaced. */
static void expand(documents *docs, const uint8_t *data, size_t len)
{
	ociwp_buf *out = &docs->text[docs->count];
	ociw_digest digest;

	for (size_t i = 0; i < len; i++) {
		size_t number = i + 1 < len ? (size_t)(data[i + 1] - 'a') : docs->count;

		if ((data[i] != '@' && data[i] != '#') || number >= docs->count) {
			ociwp_buf_append(out, data + i, 1);
			continue;
		}
		i++;
		if (data[i - 1] == '@')
			ociwp_buf_puts(out, docs->digest[number]);
		else
			ociwp_buf_printf(out, "%zu", docs->text[number].len);
	}
	must(!out->failed &&
	     ociw_digest_bytes(OCIW_DIGEST_SHA256, ociwp_buf_span(out), &digest, NULL) == 0);
	ociw_digest_format(&digest, docs->digest[docs->count++]);
}

static void split(documents *docs, const uint8_t *data, size_t size)
{
	while (docs->count < MAX_DOCUMENTS) {
		const uint8_t *end = size ? memchr(data, 0xff, size) : NULL;
		size_t len = end ? (size_t)(end - data) : size;

		expand(docs, data, len);
		if (!end)
			return;
		data += len + 1;
		size -= len + 1;
	}
}

static int docs_open(void *self, const ociw_descriptor *desc, uint64_t offset, const ociw_op *op,
                     ociw_reader **out, ociw_error **err)
{
	const documents *docs = self;

	(void)op;
	for (size_t i = 0; i < docs->count; i++) {
		ociw_span text = ociwp_buf_span(&docs->text[i]);

		if (strcmp(docs->digest[i], desc->digest) != 0 || offset > text.len)
			continue;
		if (!text.data)
			text.data = "";
		return ociw_reader_new_memory(
		        (ociw_span){(const char *)text.data + offset, text.len - (size_t)offset},
		        out, err);
	}
	return ociwp_fail(err, OCIW_ERR_NOTFOUND, "no such blob");
}

static int docs_resolve(void *self, const char *name, const ociw_op *op, ociw_descriptor **out,
                        ociw_error **err)
{
	const documents *docs = self;
	const ociw_descriptor *found = NULL;

	(void)op;
	int r = ociwp_layout_index_resolve(docs->index, name, &found, err);
	return r < 0 ? r : ociw_descriptor_dup(found, out, err);
}

static int docs_list(void *self, const ociw_op *op, ociw_name_cb cb, void *user_data,
                     ociw_error **err)
{
	const documents *docs = self;

	(void)op;
	(void)err;
	return ociwp_layout_index_list(docs->index, cb, user_data);
}

static int docs_read(void *self, const ociw_descriptor *desc, const ociw_op *op, char **out,
                     size_t *out_len, ociw_error **err)
{
	ociw_reader *raw = NULL, *reader = NULL;
	ociw_digest digest;

	int r = ociwp_descriptor_get_digest(desc, &digest, err);
	if (r >= 0)
		r = docs_open(self, desc, 0, op, &raw, err);
	if (r >= 0)
		r = ociwp_reader_verify(raw, &digest, desc->size, &reader, err);
	return r < 0 ? r : ociwp_read_all(reader, 1 << 20, out, out_len, err);
}

static int docs_referrers(void *self, const char *digest, const char *artifact_type,
                          const ociw_op *op, ociwp_referrer_cb cb, void *user_data,
                          ociw_error **err)
{
	const documents *docs = self;
	const ociwp_graph graph = {.read = docs_read, .self = self, .op = op};

	return ociwp_graph_referrers(&graph, docs->index, digest, artifact_type, cb, user_data,
	                             err);
}

static void docs_free(void *self)
{
	(void)self;
}

/* The far end: it takes everything that verifies. */
static int sink_put(void *self, const ociw_descriptor *desc, const ociwp_blob_source *source,
                    const ociw_op *op, ociw_error **err)
{
	ociw_reader *raw = NULL, *reader = NULL;
	ociw_digest digest;

	(void)self;
	int r = ociwp_descriptor_get_digest(desc, &digest, err);
	if (r >= 0)
		r = source->open(source->self, 0, op, &raw, err);
	if (r >= 0)
		r = ociwp_reader_verify(raw, &digest, desc->size, &reader, err);
	return r < 0 ? r : ociwp_reader_drain(reader, err);
}

static int sink_put_manifest(void *self, const ociw_descriptor *desc, ociw_span bytes,
                             const char *name, const ociw_op *op, ociw_error **err)
{
	(void)self;
	(void)name;
	(void)op;
	(void)err;
	fuzz_check_blob(desc, bytes); /* whatever the documents say, what is stored is what was named */
	return 0;
}

static const ociwp_content_ops docs_ops = {.resolve = docs_resolve,
                                           .open = docs_open,
                                           .list = docs_list,
                                           .referrers = docs_referrers,
                                           .free = docs_free};
static const ociwp_content_ops sink_ops = {.resolve = docs_resolve,
                                           .open = docs_open,
                                           .put = sink_put,
                                           .put_manifest = sink_put_manifest,
                                           .free = docs_free};

typedef struct copying {
	ociw_content *from, *to;
	int copies;
} copying;

static int copy_entry(const char *name, const ociw_descriptor *desc, void *user_data)
{
	copying *c = user_data;
	ociw_copy_options options = OCIW_COPY_OPTIONS_INIT;
	ociw_error *err = NULL;

	(void)desc;
	options.parallel = 1;
	options.flags = OCIW_COPY_RECURSIVE;
	int r = ociw_copy(c->from, name, c->to, "x", &options, NULL, &err);
	must((r < 0) == (err != NULL));
	ociw_error_free(err);
	return ++c->copies >= 4;
}

/* A name that is given is found, in a document that still parses. */
static void edit(ociw_span text)
{
	OCIWP_AUTO(layout_doc) ociwp_layout_doc *doc = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(buf) ociwp_buf out = OCIWP_BUF_INIT;
	OCIWP_AUTO(index) ociwp_index *index = NULL;
	const ociw_descriptor *found = NULL;

	if (ociwp_layout_doc_parse(text, NULL, &doc, NULL) < 0)
		return;
	must(ociwp_descriptor_of_bytes(OCIWP_MT_OCI_MANIFEST, text, &desc, NULL) == 0);
	must(ociwp_layout_doc_put(doc, desc, "fuzzed", NULL, NULL) == 0);
	must(ociwp_layout_doc_format(doc, &out, NULL) == 0);
	must(ociwp_index_parse(ociwp_buf_span(&out), OCIWP_MT_OCI_INDEX, NULL, &index, NULL) == 0);
	must(ociwp_layout_index_resolve(index, "fuzzed", &found, NULL) == 0);
	must(strcmp(found->digest, desc->digest) == 0);
	must(ociwp_layout_doc_remove(doc, "fuzzed", NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	documents docs = {0};
	copying c = {0};

	if (size > 1 << 16)
		return 0;
	split(&docs, data, size);
	ociw_span last = ociwp_buf_span(&docs.text[docs.count - 1]);
	if (last.data &&
	    ociwp_index_parse(last, OCIWP_MT_OCI_INDEX, NULL, &docs.index, NULL) == 0) {
		must(ociwp_content_new(&docs_ops, &docs, "fuzz", &c.from, NULL) == 0);
		must(ociwp_content_new(&sink_ops, &docs, "sink", &c.to, NULL) == 0);
		(void)!ociw_content_list(c.from, NULL, copy_entry, &c, NULL);
		ociw_content_free(c.from);
		ociw_content_free(c.to);
		ociwp_index_free(docs.index);
		edit(last);
	}
	for (size_t i = 0; i < docs.count; i++)
		ociwp_buf_deinit(&docs.text[i]);
	return 0;
}
