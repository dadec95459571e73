/* SPDX-License-Identifier: Apache-2.0
 *
 * Manifests and indexes into a registry, byte for byte. Requirements PSH-1, PSH-15..17,
 * REF-11.
 */
#include "registry/repository.h"

#include "base/str.h"
#include "codec/tag.h"
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

/* One manifest on its way; what the answer said is in `confirmed` and `done`. */
typedef struct put {
	ociwp_repository *repo;
	const ociw_descriptor *desc;
	ociw_span bytes;
	const char *path;
	char *confirmed;           /* the OCI-Subject of the answer, or NULL */
	const char *const *names;  /* tags of the path's query, `count` of them */
	size_t count;
	bool *done;   /* of each name: the registry says that it was set */
	bool refused; /* nothing was put; the tags may do one by one */
} put;

/* What registries may answer that do not know "?tag=", or not so many, or have one of them locked
 * (PSH-17). */
static bool knows_no_tags(const put *p, int status)
{
	static const int answers[] = {400, 404, 405, 409, 412, 414, 431, 501};
	for (size_t i = 0; p->count > 0 && i < OCIWP_ARRAY_LEN(answers); i++)
		if (status == answers[i])
			return true;
	return false;
}

/* "a, b" in one header, or each in its own. */
static void note_tags(put *p, const ociwp_response *answer)
{
	const char *list;
	for (size_t n = 0; (list = ociwp_exchange_header(answer->exchange, "OCI-Tag", n)); n++) {
		while (*(list += strspn(list, ", \t"))) {
			size_t len = strcspn(list, ", \t");
			for (size_t i = 0; i < p->count; i++)
				if (strlen(p->names[i]) == len && memcmp(p->names[i], list, len) == 0)
					p->done[i] = true;
			list += len;
		}
	}
}

static int note_subject(put *p, const ociwp_response *answer, ociw_error **err)
{
	const char *subject = ociwp_response_header(answer, "OCI-Subject");
	if (!subject)
		return 0;
	free(p->confirmed);
	p->confirmed = ociwp_strdup(subject);
	return p->confirmed ? 0 : ociwp_nomem(err);
}

/* The registry misses a blob that it said it has: docker-registry does so for a moment while
 * another client links the same blob, others until their storage has settled. *again tells. */
static int put_once(put *p, const ociw_op *op, bool *again, ociw_error **err)
{
	const ociw_descriptor *desc = p->desc;
	__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
	ociwp_request request = {.method = "PUT",
	                         .url = p->path,
	                         .content_type = desc->media_type,
	                         .bytes = p->bytes,
	                         .has_bytes = true,
	                         .scopes = &p->repo->push};
	*again = false;
	int r = ociwp_request_run(p->repo->host, &request, op, &answer, NULL, err);
	if (r < 0)
		return r;
	if (answer.status != 201 && answer.status != 200 && answer.status != 204) {
		if (knows_no_tags(p, answer.status)) {
			p->refused = true;
			ociwp_response_drain(&answer, op);
			return 0;
		}
		r = ociwp_response_fail(&answer, op, err);
		*again = answer.blob_unknown;
		return r;
	}
	const char *digest = ociwp_response_header(&answer, "Docker-Content-Digest");
	if (digest && ociw_digest_is_valid(digest) && strcmp(digest, desc->digest) != 0)
		return ociwp_fail(err, OCIW_ERR_DIGEST, "%s: the registry made %s of manifest %s",
		                  answer.what, ociwp_quote(digest), desc->digest);
	note_tags(p, &answer);
	r = note_subject(p, &answer, err);
	ociwp_response_drain(&answer, op);
	return r;
}

static int try_put(put *p, const ociw_op *op, ociw_error **err)
{
	for (unsigned tries = 1;; tries++) {
		ociw_error *why = NULL;
		bool again;
		int r = put_once(p, op, &again, &why);
		if (r == 0)
			return 0;
		if (!again || tries == BLOB_UNKNOWN_TRIES)
			return ociwp_error_move(err, why);
		ociw_error_free(why);
		r = ociwp_sleep_ms(ociwp_retry_delay_ms(tries, ociwp_retry_random()), op, err);
		if (r < 0)
			return r;
	}
}

static int run_put(put *p, const ociwp_buf *path, const ociw_op *op, ociw_error **err)
{
	int r = ociwp_buf_check(path, err);
	p->path = path->data;
	if (r == 0)
		r = try_put(p, op, err);
	if (r == 0 && !p->refused)
		r = ociwp_referrers_pushed(p->repo, p->desc, p->bytes, p->confirmed, op, err);
	free(p->confirmed);
	return r;
}

int ociwp_push_manifest(void *self, const ociw_descriptor *desc, ociw_span bytes, const char *name,
                        const ociw_op *op, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf path = OCIWP_BUF_INIT;
	put p = {.repo = self, .desc = desc, .bytes = bytes};
	int r = check(desc, bytes, name, op, err);
	if (r == 0)
		r = ociwp_repository_path(p.repo, "manifests", name ? name : desc->digest, &path, err);
	return r < 0 ? r : run_put(&p, &path, op, err);
}

/* A registry that knows no tags in a query stores the manifest by its digest, or refuses: what it does not
 * say it did is done name by name by the caller. */
int ociwp_push_names(void *self, const ociw_descriptor *desc, ociw_span bytes, const char *const *names,
                     size_t count, const ociw_op *op, bool *done, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf path = OCIWP_BUF_INIT;
	put p = {.repo = self, .desc = desc, .bytes = bytes, .names = names, .count = count, .done = done};
	int r = check(desc, bytes, NULL, op, err);
	if (r == 0)
		r = ociwp_repository_path(p.repo, "manifests", desc->digest, &path, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (!ociwp_tag_is_valid(names[i]))
			return ociwp_fail(err, OCIW_ERR_INVALID, "%s is no tag", ociwp_quote(names[i]));
		ociwp_url_add_query(&path, "tag", names[i]);
	}
	return r < 0 ? r : run_put(&p, &path, op, err);
}
