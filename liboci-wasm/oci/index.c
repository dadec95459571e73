/* SPDX-License-Identifier: Apache-2.0
 *
 * Image indexes: parsed from verified bytes, loaded from a content. Choosing an entry is select.c.
 * image-spec image-index.md; IDX-1, IDX-2, IDX-4.
 */
#include "codec/mediatype.h"
#include "oci/document.h"
#include "oci/manifest.h"

void ociwp_index_free(ociwp_index *index)
{
	if (!index)
		return;
	free(index->media_type);
	free(index->artifact_type);
	ociwp_descriptors_free(index->manifests, index->manifest_count);
	ociw_descriptor_free(index->subject);
	ociwp_annotations_deinit(&index->annotations);
	free(index);
}

static int parse_members(const json_t *document, ociwp_index *index, ociw_error **err)
{
	/* The cap on the bytes of the document is the cap on its entries. */
	int r = ociwp_document_descriptors(document, "manifests", OCIW_UNLIMITED, &index->manifests,
					   &index->manifest_count, err);
	if (r == 0)
		r = ociwp_document_check_sizes(index->manifests, index->manifest_count, NULL, err);
	if (r == 0)
		r = ociwp_document_subject(document, &index->subject, err);
	if (r == 0)
		r = ociwp_document_annotations(document, &index->annotations, err);
	return r < 0 ? ociwp_wrap(err, r, "index") : 0;
}

int ociwp_index_parse(ociw_span bytes, const char *media_type, const ociw_op *op,
		      ociwp_index **out, ociw_error **err)
{
	OCIWP_AUTO(json) json_t *document = NULL;
	OCIWP_AUTO(index) ociwp_index *index = NULL;
	bool has_own;

	int r = ociwp_document_parse(bytes, "index", op, &document, err);
	if (r == 0)
		r = ociwp_document_check(document, "index", err);
	if (r < 0)
		return r;
	index = ociwp_new(ociwp_index);
	if (!index)
		return ociwp_nomem(err);
	r = ociwp_document_media_type(document, "index", media_type, ociwp_mediatype_is_index,
				      OCIWP_MT_OCI_INDEX, &index->media_type, &has_own, err);
	if (r == 0)
		r = ociwp_document_artifact_type(document, "index", &index->artifact_type, err);
	if (r == 0)
		r = parse_members(document, index, err);
	if (r == 0)
		*out = ociwp_steal(&index);
	return r;
}

int ociwp_index_load(ociw_content *content, const ociw_descriptor *desc, const ociw_op *op,
		     ociwp_index **out, char **raw, size_t *raw_len, ociw_error **err)
{
	OCIWP_AUTO(mem) void *bytes = NULL;
	ociw_limits limits;
	size_t len;

	ociwp_limits_get(op, &limits);
	int r = ociw_content_read(content, desc, limits.max_manifest_bytes, op, &bytes, &len, err);
	if (r < 0)
		return r;
	r = ociwp_index_parse((ociw_span){bytes, len}, desc->media_type, op, out, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s: %s", ociw_content_label(content), desc->digest);
	if (raw) {
		*raw = ociwp_steal(&bytes);
		*raw_len = len;
	}
	return 0;
}
