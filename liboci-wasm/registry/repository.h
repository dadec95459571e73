/* SPDX-License-Identifier: Apache-2.0
 *
 * One repository of a registry as a content: the state its operations share.
 */
#ifndef OCIW_REGISTRY_REPOSITORY_H
#define OCIW_REGISTRY_REPOSITORY_H

#include "base/buf.h"
#include "codec/mediatype.h"
#include "codec/registries-conf.h"
#include "oci/manifest.h"
#include "registry/client.h"
#include "registry/request.h"

typedef struct ociwp_repository {
	ociw_client *client;
	ociwp_host *host;
	char *name;         /* "library/hello" */
	char *default_name; /* what a NULL name means */
	/* Read from before this one (MIR-2); repositories that are only read from. */
	struct ociwp_repository **mirrors;
	size_t mirror_count;
	/* Of a mirror: what it may be asked for, and for whom it stands (?ns=, MIR-3). */
	ociwp_mirror_for pull_from;
	char *source_host;
	ociwp_scopes pull, push, remove;

	/* This lock. Digest -> anything. */
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	ociwp_map *present;              /* blobs the registry is known to have */
	ociwp_map *absent;               /* blobs a HEAD just did not find */
	ociwp_map *uploading;            /* blobs on their way (PSH-19) */
	ociwp_map *sessions;             /* upload URLs a refused mount left open (PSH-3) */
	pthread_mutex_t referrers_mutex; /* held over a change of a fallback index */
	ociw_descriptor *recent;         /* the manifest that was last read to resolve a tag, */
	char *recent_bytes;              /* so that opening it costs no second request */
} ociwp_repository;

extern const ociwp_content_ops ociwp_repository_ops;

/* An empty one, without host and name. */
int ociwp_repository_new(ociw_client *client, ociwp_repository **out, ociw_error **err);
void ociwp_repository_free(ociwp_repository *repo); /* NULL is fine */

/* "/v2/NAME/KIND/REFERENCE", for mirrors with "?ns=HOST" */
int ociwp_repository_path(const ociwp_repository *repo, const char *kind, const char *reference,
                          ociwp_buf *out, ociw_error **err);
/* What Accept says for manifests (PUL-1). */
extern const char ociwp_accept_manifests[];

/* pull.c */
int ociwp_pull_resolve(void *self, const char *name, const ociw_op *op, ociw_descriptor **out,
                       ociw_error **err);
/* By HEAD, and by GET when its answer does not say all (PUL-4). */
int ociwp_pull_find(void *self, const char *name, const ociw_op *op, ociw_descriptor **out,
                    ociw_error **err);
int ociwp_pull_open(void *self, const ociw_descriptor *desc, uint64_t offset, const ociw_op *op,
                    ociw_reader **out, ociw_error **err);
/* A manifest by tag or digest, whole and verified as far as it can be; NOTFOUND alone when it is
 * not there. @p etag (may be NULL): its ETag, to be freed. */
int ociwp_pull_manifest(ociwp_repository *repo, const char *reference, const ociw_op *op,
                        ociw_descriptor **out, ociwp_buf *bytes, char **etag, ociw_error **err);
int ociwp_pull_stat(void *self, const char *digest, const ociw_op *op, uint64_t *size,
                    ociw_error **err);
/* After a mirror failed: notes it and frees @p why when the next one is to be asked. */
bool ociwp_pull_goes_on(const ociwp_repository *mirror, int code, ociw_error **why,
                        const ociw_op *op);
/* blob-reader.c */
int ociwp_blob_reader_open(ociwp_repository *repo, const ociw_descriptor *desc, uint64_t offset,
                           const ociw_op *op, ociw_reader **out, ociw_error **err);
/* push.c */
int ociwp_push_has(void *self, const ociw_descriptor *desc, const ociw_op *op, bool *out,
                   ociw_error **err);
int ociwp_push_blob(void *self, const ociw_descriptor *desc, const ociwp_blob_source *source,
                    const ociw_op *op, ociw_error **err);
int ociwp_push_mount(void *self, const ociw_descriptor *desc, ociw_content *from, const ociw_op *op,
                     bool *done, ociw_error **err);
/* push-stream.c */
int ociwp_push_stream(void *self, ociwp_spool *spool, const ociw_op *op, ociw_error **err);
/* push-manifest.c */
int ociwp_push_manifest(void *self, const ociw_descriptor *desc, ociw_span bytes, const char *name,
                        const ociw_op *op, ociw_error **err);
/* Several tags by one PUT of the digest (PSH-17). */
int ociwp_push_names(void *self, const ociw_descriptor *desc, ociw_span bytes, const char *const *names,
                     size_t count, const ociw_op *op, bool *done, ociw_error **err);

/* tags.c */
int ociwp_tags_list(void *self, const ociw_op *op, ociw_name_cb cb, void *user_data,
                    ociw_error **err);
/* "sha256-<hex>" and the like, with or without a suffix such as ".sig" (TAG-4). */
bool ociwp_tag_is_digest(const char *tag);
/* delete.c */
int ociwp_delete(void *self, const char *name, bool blob_only, const ociw_op *op, ociw_error **err);

#endif
