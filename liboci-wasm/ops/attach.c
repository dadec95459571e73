/* SPDX-License-Identifier: Apache-2.0
 *
 * Attach: blobs first, then the manifest that names its subject. Listing it under the subject (API or
 * tag fallback) is the end's business when it stores a manifest with a subject.
 */
#include <oci-wasm/attach.h>

#include "base/buf.h"
#include "base/op.h"
#include "base/path.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "oci/descriptor.h"
#include "oci/manifest.h"
#include "ops/annotation-judge.h"

#define TITLE "org.opencontainers.image.title"

struct artifact {
	ociw_descriptor *config, *subject;
	ociw_descriptor **layers;
	size_t layer_count;
	ociwp_annotations annotations;
};

static void artifact_deinit(struct artifact *artifact)
{
	ociw_descriptor_free(artifact->config);
	ociw_descriptor_free(artifact->subject);
	for (size_t i = 0; i < artifact->layer_count; i++)
		ociw_descriptor_free(artifact->layers[i]);
	free(artifact->layers);
	ociwp_annotations_deinit(&artifact->annotations);
}

static int put_files(ociw_content *content, const ociw_attach_options *options,
		     struct artifact *artifact, ociw_error **err)
{
	/* One place more: an artifact without files has the empty blob as its layer (MAN-7). */
	artifact->layers = ociwp_calloc(options->file_count + 1, sizeof(*artifact->layers));
	if (!artifact->layers)
		return ociwp_nomem(err);
	for (size_t i = 0; i < options->file_count; i++) {
		const ociw_attach_file *file = &options->files[i];
		const char *type = file->media_type ? file->media_type : "application/octet-stream";
		int r = ociw_content_put_file(content, type, file->path, options->op,
					      &artifact->layers[i], err);
		if (r < 0)
			return r;
		artifact->layer_count++;
		r = ociwp_descriptor_annotate(artifact->layers[i], TITLE,
					      ociwp_path_basename(file->path), err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int put_empty(ociw_content *content, const ociw_op *op, struct artifact *artifact,
		     ociw_error **err)
{
	int r = ociw_content_put_bytes(content, OCIWP_MT_OCI_EMPTY, (ociw_span){"{}", 2}, op,
				       &artifact->config, err);
	if (r < 0 || artifact->layer_count)
		return r;
	r = ociw_descriptor_dup(artifact->config, &artifact->layers[0], err);
	if (r >= 0)
		artifact->layer_count = 1;
	return r;
}

static int collect_annotations(const ociw_attach_options *options, struct artifact *artifact,
			       ociw_error **err)
{
	for (size_t i = 0; i < options->annotation_count; i++) {
		int r = ociwp_annotation_judge(options->op, options->annotations[i].key, err);
		if (r >= 0)
			r = ociwp_annotations_set(&artifact->annotations,
						  options->annotations[i].key,
						  options->annotations[i].value, err);
		if (r < 0)
			return r;
	}
	ociwp_annotations_sort(&artifact->annotations);
	return 0;
}

static int put_artifact(ociw_content *content, const ociw_attach_options *options,
			const struct artifact *artifact, ociw_descriptor **out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf bytes = OCIWP_BUF_INIT;
	ociwp_manifest_draft draft = {
		.media_type = OCIWP_MT_OCI_MANIFEST,
		.artifact_type = options->artifact_type,
		.config = artifact->config,
		.layers = (const ociw_descriptor *const *)artifact->layers,
		.layer_count = artifact->layer_count,
		.subject = artifact->subject,
		.annotations = &artifact->annotations,
	};
	int r = ociwp_manifest_write(&draft, &bytes, err);

	if (r < 0)
		return r;
	return ociw_content_put_manifest(content, OCIWP_MT_OCI_MANIFEST, ociwp_buf_span(&bytes),
					 NULL, options->op, out, err);
}

int ociw_attach(ociw_content *content, const char *subject_name,
		const ociw_attach_options *given, ociw_descriptor **out, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *found = NULL;
	struct artifact artifact = {0};
	ociw_attach_options options;

	if (out)
		*out = NULL;
	int r = ociwp_options_read(&options, sizeof(options), given, err);
	if (r < 0)
		return r;
	if (!options.artifact_type || !ociwp_mediatype_is_valid(options.artifact_type))
		return ociwp_fail(err, OCIW_ERR_INVALID,
				  "%s is no artifact type; give a media type such as "
				  "application/spdx+json",
				  ociwp_quote(options.artifact_type));
	/* By GET, although it is not read: its size becomes part of the artifact, and HEAD may lie (PUL-11). */
	r = ociwp_content_resolve_to_read(content, subject_name, options.op, &found, err);
	if (r >= 0) /* type, digest and size alone: the entry's annotations are not the subject's */
		r = ociw_descriptor_new(found->media_type, found->digest, found->size,
					&artifact.subject, err);
	if (r >= 0)
		r = put_files(content, &options, &artifact, err);
	if (r >= 0)
		r = put_empty(content, options.op, &artifact, err);
	if (r >= 0)
		r = collect_annotations(&options, &artifact, err);
	if (r >= 0)
		r = put_artifact(content, &options, &artifact, out, err);
	artifact_deinit(&artifact);
	return r < 0 ? ociwp_wrap(err, r, "attach") : 0;
}
