/* SPDX-License-Identifier: Apache-2.0
 *
 * What manifests and indexes have in common: caps, schema version, kind, lists of descriptors.
 */
#ifndef OCIW_OCI_DOCUMENT_H
#define OCIW_OCI_DOCUMENT_H

#include "base/op.h"
#include "oci/content.h"
#include "oci/descriptor.h"

/* Parses an object of at most max_manifest_bytes; @p what names it in errors. */
int ociwp_document_parse(ociw_span bytes, const char *what, const ociw_op *op, json_t **out,
			 ociw_error **err);
/* schemaVersion 2 (MAN-1), and not members of both manifest and index (MAN-3). */
int ociwp_document_check(const json_t *document, const char *what, ociw_error **err);
/* The media type of a document: what it says, which must be what @p given says unless that is NULL, and
 * of the class @p is_class; @p fallback when neither says any. *has_own: the document says it. */
int ociwp_document_media_type(const json_t *document, const char *what, const char *given,
			      bool (*is_class)(const char *media_type), const char *fallback,
			      char **out, bool *has_own, ociw_error **err);
/* artifactType of a document, NULL when absent or "". */
int ociwp_document_artifact_type(const json_t *document, const char *what, char **out,
				 ociw_error **err);
/* Members "subject" and "annotations". */
int ociwp_document_subject(const json_t *document, ociw_descriptor **out, ociw_error **err);
int ociwp_document_annotations(const json_t *document, ociwp_annotations *out, ociw_error **err);
/* An array of descriptors, at most @p max (OCIW_ERR_LIMIT). On failure *out and *count hold what was
 * made, to be freed with ociwp_descriptors_free. */
int ociwp_document_descriptors(const json_t *document, const char *name, uint64_t max,
			       ociw_descriptor ***out, size_t *count, ociw_error **err);
void ociwp_descriptors_free(ociw_descriptor **descriptors, size_t count);
/* FORMAT when one digest has two sizes (DSC-7). @p also may be NULL. */
int ociwp_document_check_sizes(ociw_descriptor *const *descriptors, size_t count,
			       const ociw_descriptor *also, ociw_error **err);

#endif
