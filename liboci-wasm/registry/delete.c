/* SPDX-License-Identifier: Apache-2.0
 *
 * Deletes tags, manifests and blobs, each by the very name that was given. DEL-1, DEL-2, RFR-8.
 */
#include "registry/repository.h"

#include "base/str.h"
#include "registry/referrers.h"

/* @p by_digest: else many registries delete nothing, and what they answer does not say so. */
static int delete_path(ociwp_repository *repo, const char *path, bool by_digest, const ociw_op *op,
                       ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
	ociwp_request request = {.method = "DELETE", .url = path, .scopes = &repo->remove};
	int r = ociwp_request_run(repo->host, &request, op, &answer, NULL, err);
	if (r < 0)
		return r;
	if (answer.status == 202 || answer.status == 200 || answer.status == 204) {
		ociwp_response_drain(&answer, op);
		return 0;
	}
	if (answer.status != 400 && answer.status != 405)
		return ociwp_response_fail(&answer, op, err);
	/* docker-registry says 400 for a tag, as it deletes by digest alone. */
	static const char tags[] = " (some delete no tags; by its digest, an image goes with all of its tags)";
	const char *more = by_digest ? "" : tags;
	ociw_error *why = NULL;
	r = ociwp_response_fail(&answer, op, &why);
	if (r != OCIW_ERR_REGISTRY)
		return ociwp_wrap(err, ociwp_error_move(err, why),
		                  "the registry does not allow this deletion%s", more);
	r = ociwp_fail(err, OCIW_ERR_UNSUPPORTED, "the registry does not allow this deletion%s: %s",
	               more, ociw_error_message(why));
	if (err)
		ociwp_error_set_http(*err, answer.status, ociw_error_registry_code(why));
	ociw_error_free(why);
	return r;
}

/* Nothing that was put or seen before is known to be there any more. */
static void forget(ociwp_repository *repo, const char *name)
{
	pthread_mutex_lock(&repo->mutex);
	ociwp_map_remove(repo->present, name);
	ociw_descriptor_free(ociwp_steal(&repo->recent));
	free(ociwp_steal(&repo->recent_bytes));
	pthread_mutex_unlock(&repo->mutex);
}

int ociwp_delete(void *self, const char *name, bool blob_only, const ociw_op *op, ociw_error **err)
{
	ociwp_repository *repo = self;
	OCIWP_AUTO(buf) ociwp_buf path = OCIWP_BUF_INIT;
	OCIWP_AUTO(str) char *subject = NULL;
	bool by_digest = strchr(name, ':') != NULL;
	int r = 0;
	if (blob_only && !by_digest)
		return ociwp_fail(err, OCIW_ERR_INVALID, "a blob is deleted by its digest, not %s",
		                  ociwp_quote(name));
	if (by_digest && !ociw_digest_is_valid(name))
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s is no digest", ociwp_quote(name));
	/* What it refers to is known only while it is there (RFR-8). */
	if (!blob_only && by_digest)
		r = ociwp_referrers_subject_of(repo, name, op, &subject, err);
	if (r == 0)
		r = ociwp_repository_path(repo, blob_only ? "blobs" : "manifests", name, &path,
		                          err);
	if (r == 0)
		r = delete_path(repo, path.data, by_digest, op, err);
	if (r < 0)
		return r;
	forget(repo, name);
	return subject ? ociwp_referrers_removed(repo, subject, name, op, err) : 0;
}
