/* SPDX-License-Identifier: Apache-2.0
 *
 * Ties the operations of a repository to the vtable of contents. It makes no request itself.
 * distribution-spec; docs/architecture.md.
 */
#include "registry/repository.h"

#include "base/str.h"
#include "codec/tag.h"
#include "registry/mirrors.h"
#include "registry/referrers.h"

const char ociwp_accept_manifests[] = OCIWP_MT_OCI_MANIFEST
        ", " OCIWP_MT_OCI_INDEX ", " OCIWP_MT_DOCKER_MANIFEST ", " OCIWP_MT_DOCKER_INDEX;

void ociwp_repository_free(ociwp_repository *repo)
{
	if (!repo)
		return;
	for (size_t i = 0; i < repo->mirror_count; i++)
		ociwp_repository_free(repo->mirrors[i]);
	free(repo->mirrors);
	free(repo->source_host);
	ociwp_scopes_deinit(&repo->pull);
	ociwp_scopes_deinit(&repo->push);
	ociwp_scopes_deinit(&repo->remove);
	ociwp_map_free(repo->present);
	ociwp_map_free(repo->absent);
	ociwp_map_free(repo->uploading);
	ociwp_map_free(repo->sessions);
	ociw_descriptor_free(repo->recent);
	free(repo->recent_bytes);
	pthread_cond_destroy(&repo->cond);
	pthread_mutex_destroy(&repo->mutex);
	pthread_mutex_destroy(&repo->referrers_mutex);
	free(repo->name);
	free(repo->default_name);
	free(repo);
}

static void free_repository(void *self)
{
	ociwp_repository_free(self);
}

const ociwp_content_ops ociwp_repository_ops = {
        .resolve = ociwp_pull_resolve,
        .find = ociwp_pull_find,
        .open = ociwp_pull_open,
        .list = ociwp_tags_list,
        .has = ociwp_push_has,
        .put = ociwp_push_blob,
        .put_stream = ociwp_push_stream,
        .put_manifest = ociwp_push_manifest,
        .put_names = ociwp_push_names,
        .mount = ociwp_push_mount,
        .referrers = ociwp_referrers_list,
        .remove = ociwp_delete,
        .stat = ociwp_pull_stat,
        .free = free_repository,
        .remote = true,
};

/* Nothing that means something in a URL; whether a digest is right is for others to say. */
static bool fits_a_path(const char *reference)
{
	if (!strchr(reference, ':'))
		return ociwp_tag_is_valid(reference);
	for (const char *p = reference; *p; p++)
		if (!ociwp_is_alnum(*p) && !strchr(":+._=-", *p))
			return false;
	return true;
}

int ociwp_repository_path(const ociwp_repository *repo, const char *kind, const char *reference,
                          ociwp_buf *out, ociw_error **err)
{
	if (!fits_a_path(reference))
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s is neither a tag nor a digest",
		                  ociwp_quote(reference));
	ociwp_buf_clear(out);
	ociwp_buf_printf(out, "/v2/%s/%s/%s", repo->name, kind, reference);
	if (repo->source_host)
		ociwp_url_add_query(out, "ns", repo->source_host);
	return ociwp_buf_check(out, err);
}

int ociwp_repository_new(ociw_client *client, ociwp_repository **out, ociw_error **err)
{
	ociwp_repository *repo = ociwp_new(ociwp_repository);
	*out = NULL;
	if (!repo)
		return ociwp_nomem(err);
	pthread_mutex_init(&repo->mutex, NULL);
	pthread_mutex_init(&repo->referrers_mutex, NULL);
	pthread_cond_init(&repo->cond, NULL);
	repo->client = client;
	repo->present = ociwp_map_new(NULL);
	repo->absent = ociwp_map_new(NULL);
	repo->uploading = ociwp_map_new(NULL);
	repo->sessions = ociwp_map_new(free);
	if (!repo->present || !repo->absent || !repo->uploading || !repo->sessions) {
		ociwp_repository_free(repo);
		return ociwp_nomem(err);
	}
	*out = repo;
	return 0;
}

static int fill(ociwp_repository *repo, const ociw_reference *ref, ociw_error **err)
{
	repo->default_name = ociwp_strdup(ociw_reference_name(ref));
	if (!repo->default_name)
		return ociwp_nomem(err);
	int r = ociwp_mirrors_apply(repo->client, ref, repo, err);
	if (r == 0)
		r = ociwp_scopes_add_repository(&repo->pull, repo->name, "pull", err);
	if (r == 0)
		r = ociwp_scopes_add_repository(&repo->push, repo->name, "pull,push", err);
	if (r == 0)
		r = ociwp_scopes_add_repository(&repo->remove, repo->name, "delete,pull", err);
	return r;
}

int ociw_client_repository(ociw_client *client, const ociw_reference *ref, ociw_content **out,
                           ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf label = OCIWP_BUF_INIT;
	ociwp_repository *repo = NULL;
	ociwp_transport *transport;
	*out = NULL;
	/* Requests will follow: libcurl starts beside what comes before them. The first one tells of a failure. */
	(void)ociwp_client_transport(client, &transport, NULL);
	ociwp_buf_printf(&label, "%s/%s", ociw_reference_host(ref), ociw_reference_repository(ref));
	int r = ociwp_buf_check(&label, err);
	if (r == 0)
		r = ociwp_repository_new(client, &repo, err);
	if (r == 0)
		r = fill(repo, ref, err);
	if (r < 0) {
		ociwp_repository_free(repo);
		return r;
	}
	return ociwp_content_new(&ociwp_repository_ops, repo, label.data, out, err);
}
