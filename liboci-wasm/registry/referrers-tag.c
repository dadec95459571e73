/* SPDX-License-Identifier: Apache-2.0
 *
 * Read-modify-write of the fallback index, guarded by If-Match where the registry gives an ETag and
 * by looking again where it does not. distribution-spec, "Referrers Tag Schema"; RFR-4..9.
 */
#include "registry/referrers-tag.h"

#include "base/str.h"
#include "codec/json.h"
#include "registry/referrers.h"
#include "registry/retry.h"

#define ROUNDS 4

/* Appends at most @p max characters, those outside the tag grammar as '-'. */
static void append_part(ociwp_buf *tag, const char *text, size_t len, size_t max)
{
	for (size_t i = 0; i < len && i < max; i++) {
		char c = text[i];
		bool plain = ociwp_is_alnum(c) || c == '_' || c == '.' || c == '-';
		ociwp_buf_putc(tag, plain ? c : '-');
	}
}

char *ociwp_referrers_tag(const char *digest)
{
	ociwp_buf tag = OCIWP_BUF_INIT;
	size_t colon = strcspn(digest, ":");
	const char *encoded = digest[colon] ? digest + colon + 1 : "";
	append_part(&tag, digest, colon, 32);
	ociwp_buf_putc(&tag, '-');
	append_part(&tag, encoded, strlen(encoded), 64);
	if (tag.failed) {
		ociwp_buf_deinit(&tag);
		return NULL;
	}
	return ociwp_buf_steal(&tag);
}

int ociwp_referrers_tag_read(ociwp_repository *repo, const char *subject, const ociw_op *op,
                             json_t **out, char **etag, ociw_error **err)
{
	OCIWP_AUTO(str) char *tag = ociwp_referrers_tag(subject);
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(buf) ociwp_buf bytes = OCIWP_BUF_INIT;
	ociw_limits limits;
	*out = NULL;
	ociwp_limits_get(op, &limits);
	if (!tag)
		return ociwp_nomem(err);
	int r = ociwp_pull_manifest(repo, tag, op, &desc, &bytes, etag, err);
	if (r == OCIW_ERR_UNSUPPORTED) { /* some other document */
		if (err)
			ociw_error_free(ociwp_steal(err));
		return 0;
	}
	if (r < 0)
		return r;
	/* GitLab reads the tag as the digest it is made of. */
	if (!ociwp_mediatype_is_index(desc->media_type) || strcmp(desc->digest, subject) == 0)
		return 0;
	r = ociwp_json_parse(ociwp_buf_span(&bytes), "referrers index", limits.max_json_depth, out,
	                     err);
	if (r == 0 && !json_is_object(*out)) {
		json_decref(*out);
		*out = NULL;
	}
	return r;
}

static json_t *empty_index(void)
{
	return json_pack("{s:i, s:s, s:[]}", "schemaVersion", 2, "mediaType", OCIWP_MT_OCI_INDEX,
	                 "manifests");
}

static size_t find(const json_t *items, const char *digest)
{
	size_t i;
	json_t *item;
	json_array_foreach(items, i, item)
	{
		const char *text = json_string_value(json_object_get(item, "digest"));
		if (ociwp_streq(text, digest))
			return i;
	}
	return SIZE_MAX;
}

/* An entry as JSON, by way of the one writer there is. */
static int entry_json(const ociw_descriptor *entry, json_t **out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociwp_json_writer *w = NULL;
	int r = ociwp_json_writer_new(NULL, &text, &w, err);
	if (r < 0)
		return r;
	ociwp_descriptor_write(entry, w);
	r = ociwp_json_writer_finish(w, err);
	return r < 0 ? r : ociwp_json_parse(ociwp_buf_span(&text), "referrer", 0, out, err);
}

/* 1 when the index was changed, 0 when it is as wanted already. @p entry NULL: removes. */
static int change(json_t *index, const char *digest, const ociw_descriptor *entry, ociw_error **err)
{
	json_t *items = json_object_get(index, "manifests");
	json_t *value = NULL;
	if (!json_is_array(items)) {
		if (json_object_set_new(index, "manifests", json_array()) != 0)
			return ociwp_nomem(err);
		items = json_object_get(index, "manifests");
	}
	size_t at = find(items, digest);
	if (!entry) {
		if (at == SIZE_MAX)
			return 0;
		return json_array_remove(items, at) == 0 ? 1 : ociwp_nomem(err);
	}
	if (at != SIZE_MAX)
		return 0;
	int r = entry_json(entry, &value, err);
	if (r < 0)
		return r;
	return json_array_append_new(items, value) == 0 ? 1 : ociwp_nomem(err);
}

static int serialise(const json_t *index, ociwp_buf *out, ociw_error **err)
{
	ociwp_json_writer *w = NULL;
	int r = ociwp_json_writer_new(NULL, out, &w, err);
	if (r < 0)
		return r;
	ociwp_json_value(w, index, false);
	return ociwp_json_writer_finish(w, err);
}

/* *lost: somebody else changed it in between (412). */
static int put_index(ociwp_repository *repo, const char *tag, ociw_span bytes, const char *etag,
                     const ociw_op *op, bool *lost, ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
	OCIWP_AUTO(buf) ociwp_buf path = OCIWP_BUF_INIT;
	*lost = false;
	int r = ociwp_repository_path(repo, "manifests", tag, &path, err);
	if (r < 0)
		return r;
	ociwp_request request = {.method = "PUT",
	                         .url = path.data,
	                         .content_type = OCIWP_MT_OCI_INDEX,
	                         .if_match = etag,
	                         .bytes = bytes,
	                         .has_bytes = true,
	                         .scopes = &repo->push};
	r = ociwp_request_run(repo->host, &request, op, &answer, NULL, err);
	if (r < 0)
		return r;
	*lost = answer.status == 412;
	if (*lost || (answer.status >= 200 && answer.status < 300)) {
		ociwp_response_drain(&answer, op);
		return 0;
	}
	return ociwp_response_fail(&answer, op, err);
}

/* @p adding: what is no index is then an error; nothing can be removed from it, and it is not replaced. */
static int read_for_change(ociwp_repository *repo, const char *subject, const char *tag, bool adding,
                           const ociw_op *op, json_t **index, char **etag, ociw_error **err)
{
	ociw_error *why = NULL;
	int r = ociwp_referrers_tag_read(repo, subject, op, index, etag, &why);
	if (r < 0 && r != OCIW_ERR_NOTFOUND)
		return ociwp_error_move(err, why);
	ociw_error_free(why);
	if (r == OCIW_ERR_NOTFOUND || (!*index && !adding)) {
		*index = empty_index();
		return *index ? 0 : ociwp_nomem(err);
	}
	if (!*index)
		return ociwp_fail(err, OCIW_ERR_EXISTS,
		                  "tag %s should list referrers but is no image index", tag);
	return 0;
}

/* One round: 1 done, 0 to be tried again, < 0 code. */
static int one_round(ociwp_repository *repo, const char *subject, const char *tag,
                     const char *digest, const ociw_descriptor *entry, const ociw_op *op,
                     ociw_error **err)
{
	OCIWP_AUTO(json) json_t *index = NULL;
	OCIWP_AUTO(json) json_t *after = NULL;
	OCIWP_AUTO(str) char *etag = NULL;
	OCIWP_AUTO(buf) ociwp_buf bytes = OCIWP_BUF_INIT;
	bool lost = false;
	int r = read_for_change(repo, subject, tag, entry != NULL, op, &index, &etag, err);
	if (r == 0) {
		r = change(index, digest, entry, err);
		if (r == 0)
			return 1;
	}
	if (r > 0)
		r = serialise(index, &bytes, err);
	if (r == 0)
		r = put_index(repo, tag, ociwp_buf_span(&bytes), etag, op, &lost, err);
	if (r < 0 || lost)
		return r;
	/* Without an ETag another writer may have been faster: look whether ours is there (RFR-7).
	 */
	if (!entry)
		return 1;
	r = ociwp_referrers_tag_read(repo, subject, op, &after, NULL, err);
	if (r < 0)
		return r;
	return after && find(json_object_get(after, "manifests"), digest) != SIZE_MAX;
}

static int update(ociwp_repository *repo, const char *subject, const char *digest,
                  const ociw_descriptor *entry, const ociw_op *op, ociw_error **err)
{
	OCIWP_AUTO(str) char *tag = ociwp_referrers_tag(subject);
	int r = tag ? 0 : ociwp_nomem(err);
	/* Threads of this process take turns; other processes are met by the guard. */
	pthread_mutex_lock(&repo->referrers_mutex);
	for (unsigned i = 1; r == 0 && i <= ROUNDS; i++) {
		r = one_round(repo, subject, tag, digest, entry, op, err);
		if (r == 0 && i < ROUNDS) {
			uint64_t delay = ociwp_retry_delay_ms(i, ociwp_retry_random());
			r = ociwp_sleep_ms(delay, op, err);
		} else if (r == 0) {
			r = ociwp_fail(err, OCIW_ERR_BUSY,
			               "tag %s is being changed by others all the time", tag);
		}
	}
	pthread_mutex_unlock(&repo->referrers_mutex);
	return r < 0 ? r : 0;
}

int ociwp_referrers_tag_add(ociwp_repository *repo, const char *subject,
                            const ociw_descriptor *entry, const ociw_op *op, ociw_error **err)
{
	return update(repo, subject, entry->digest, entry, op, err);
}

int ociwp_referrers_tag_remove(ociwp_repository *repo, const char *subject, const char *digest,
                               const ociw_op *op, ociw_error **err)
{
	return update(repo, subject, digest, NULL, op, err);
}
