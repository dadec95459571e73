/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors between JSON and memory; open inside the library. Annotations keep document order.
 */
#ifndef OCIW_OCI_DESCRIPTOR_H
#define OCIW_OCI_DESCRIPTOR_H

#include "base/alloc.h"
#include "codec/json-writer.h"
#include "codec/json.h"
#include "codec/platform.h"
#include <oci-wasm/descriptor.h>
#include <oci-wasm/pack.h>

typedef struct ociwp_annotations {
	ociw_annotation *items; /* keys and values owned */
	size_t count;
} ociwp_annotations;

void ociwp_annotations_deinit(ociwp_annotations *annotations);
/* Adds or replaces. OCIW_ERR_NOMEM. */
int ociwp_annotations_set(ociwp_annotations *annotations, const char *key, const char *value,
			  ociw_error **err);
const char *ociwp_annotations_get(const ociwp_annotations *annotations, const char *key);
/* By bytes of the key (RFC 8785 order of our own documents). */
void ociwp_annotations_sort(ociwp_annotations *annotations);
/* Appends copies to @p out, which holds none of these keys. OCIW_ERR_NOMEM; then some were added. */
int ociwp_annotations_copy(const ociwp_annotations *from, ociwp_annotations *out, ociw_error **err);
int ociwp_annotations_parse(const json_t *object_or_null, const char *path,
			    ociwp_annotations *out, ociw_error **err);
/* Writes {"k":"v",...}; the caller has written the key. */
void ociwp_annotations_write(const ociwp_annotations *annotations, ociwp_json_writer *w);
/* The same by bytes of the key, whatever the order in memory. */
void ociwp_annotations_write_sorted(const ociwp_annotations *annotations, ociwp_json_writer *w);

struct ociw_descriptor {
	char *media_type;
	char *digest;
	uint64_t size;
	char *artifact_type;   /* or NULL */
	ociw_platform *platform; /* or NULL */
	ociwp_annotations annotations;
	void *data;            /* decoded `data`, verified against digest and size (DSC-3); or NULL */
};

/* From a JSON object; @p path names it in errors, such as "layers[3]". */
int ociwp_descriptor_parse(const json_t *object, const char *path, ociw_descriptor **out,
			   ociw_error **err);
/* Adds or replaces an annotation of a descriptor that nobody else holds yet. */
int ociwp_descriptor_annotate(ociw_descriptor *desc, const char *key, const char *value,
			      ociw_error **err);
/* mediaType, digest, size, then what is there of artifactType, annotations, platform. */
void ociwp_descriptor_write(const ociw_descriptor *desc, ociwp_json_writer *w);
/* The same with its members in byte order, and its annotations too: the canonical form that Spin and
 * wkg write (spin.md 3.5). */
void ociwp_descriptor_write_sorted(const ociw_descriptor *desc, ociwp_json_writer *w);
/* The digest as a value; OCIW_ERR_UNSUPPORTED for algorithms that cannot be verified (DIG-4). */
int ociwp_descriptor_get_digest(const ociw_descriptor *desc, ociw_digest *out, ociw_error **err);
/* A descriptor of bytes in memory (sha256). */
int ociwp_descriptor_of_bytes(const char *media_type, ociw_span bytes, ociw_descriptor **out,
			      ociw_error **err);

#endif
