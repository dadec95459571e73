/* SPDX-License-Identifier: Apache-2.0
 *
 * Manifests and indexes into a registry, byte for byte. Requirements PSH-1, PSH-15, PSH-16, REF-11.
 */
#include "registry/repository.h"

#include "base/str.h"
#include "registry/referrers.h"
#include "registry/retry.h"

#define BLOB_UNKNOWN_TRIES 4

/* The digest of the bytes is what the descriptor says, and what the name says if it is one. */
static int check(const ociw_descriptor *desc, ociw_span bytes, const char *name, const ociw_op *op,
                 ociw_error **err)
{
	ociw_limits limits;
	ociw_digest want, got;
	char text[OCIW_DIGEST_TEXT_MAX];
	ociwp_limits_get(op, &limits);
	if (bytes.len > limits.max_manifest_bytes)
		return ociwp_fail(err, OCIW_ERR_LIMIT,
		                  "the manifest has %zu bytes, the limit is %llu", bytes.len,
		                  (unsigned long long)limits.max_manifest_bytes);
	int r = ociwp_descriptor_get_digest(desc, &want, err);
	if (r == 0)
		r = ociw_digest_bytes((ociw_digest_algorithm)want.algorithm, bytes, &got, err);
	if (r < 0)
		return r;
	if (!ociw_digest_equal(&want, &got))
		return ociwp_fail(err, OCIW_ERR_DIGEST, "digest is %s, expected %s",
		                  ociw_digest_format(&got, text), desc->digest);
	if (name && strchr(name, ':') && strcmp(name, desc->digest) != 0)
		return ociwp_fail(err, OCIW_ERR_DIGEST, "digest is %s, the name says %s",
		                  desc->digest, ociwp_quote(name));
	return 0;
}

/* The registry misses a blob that it said it has: docker-registry does so for a moment while
 * another client links the same blob, others until their storage has settled. *again tells. */
static int put_once(ociwp_repository *repo, const ociw_descriptor *desc, ociw_span bytes,
                    const char *path, const ociw_op *op, char **confirmed, bool *again,
                    ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
	ociwp_request request = {.method = "PUT",
	                         .url = path,
	                         .content_type = desc->media_type,
	                         .bytes = bytes,
	                         .has_bytes = true,
	                         .scopes = &repo->push};
	*again = false;
	int r = ociwp_request_run(repo->host, &request, op, &answer, NULL, err);
	if (r < 0)
		return r;
	if (answer.status != 201 && answer.status != 200 && answer.status != 204) {
		r = ociwp_response_fail(&answer, op, err);
		*again = answer.blob_unknown;
		return r;
	}
	const char *digest = ociwp_response_header(&answer, "Docker-Content-Digest");
	if (digest && ociw_digest_is_valid(digest) && strcmp(digest, desc->digest) != 0)
		return ociwp_fail(err, OCIW_ERR_DIGEST, "%s: the registry made %s of manifest %s",
		                  answer.what, ociwp_quote(digest), desc->digest);
	const char *subject = ociwp_response_header(&answer, "OCI-Subject");
	if (subject) {
		*confirmed = ociwp_strdup(subject);
		if (!*confirmed)
			return ociwp_nomem(err);
	}
	ociwp_response_drain(&answer, op);
	return 0;
}

int ociwp_push_manifest(void *self, const ociw_descriptor *desc, ociw_span bytes, const char *name,
                        const ociw_op *op, ociw_error **err)
{
	ociwp_repository *repo = self;
	OCIWP_AUTO(buf) ociwp_buf path = OCIWP_BUF_INIT;
	OCIWP_AUTO(str) char *confirmed = NULL;
	int r = check(desc, bytes, name, op, err);
	if (r == 0)
		r = ociwp_repository_path(repo, "manifests", name ? name : desc->digest, &path,
		                          err);
	if (r < 0)
		return r;
	for (unsigned tries = 1;; tries++) {
		ociw_error *why = NULL;
		bool again;
		r = put_once(repo, desc, bytes, path.data, op, &confirmed, &again, &why);
		if (r == 0)
			break;
		if (!again || tries == BLOB_UNKNOWN_TRIES)
			return ociwp_error_move(err, why);
		ociw_error_free(why);
		r = ociwp_sleep_ms(ociwp_retry_delay_ms(tries, ociwp_retry_random()), op, err);
		if (r < 0)
			return r;
	}
	return ociwp_referrers_pushed(repo, desc, bytes, confirmed, op, err);
}
