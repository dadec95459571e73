/* SPDX-License-Identifier: Apache-2.0
 *
 * Names to descriptors, and manifests whole. Blobs are streamed by blob-reader.c. Requirements
 * PUL-1..5 and PUL-11 of the client.
 */
#include "registry/repository.h"

#include "base/str.h"
#include "io/stream.h"
#include "registry/mirrors.h"

/* A media type without parameters, lower case; to be freed. */
static char *bare_type(const char *value)
{
	size_t len = strcspn(value, "; \t");
	char *type = ociwp_strndup(value, len);
	for (char *p = type; p && *p; p++)
		*p = ociwp_to_lower(*p);
	return type;
}

static bool is_generic(const char *type)
{
	return !*type || strcmp(type, "text/plain") == 0 || strcmp(type, "application/json") == 0 ||
	       strcmp(type, "application/octet-stream") == 0 ||
	       strcmp(type, "application/vnd.docker.distribution.manifest.v1+prettyjws") == 0;
}

/* PUL-5: the header says the type unless it is absent or says nothing; then the document does. */
static int type_of(const ociwp_response *answer, ociw_span bytes, const ociw_op *op, char **out,
                   ociw_error **err)
{
	const char *header = ociwp_response_header(answer, "Content-Type");
	OCIWP_AUTO(str) char *type = bare_type(header ? header : "");
	if (!type)
		return ociwp_nomem(err);
	if (is_generic(type)) {
		const char *inner = ociwp_manifest_sniff(bytes);
		if (!inner)
			return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
			                  "%s: the answer is no image manifest or index that is "
			                  "known (Content-Type %s)",
			                  answer->what, ociwp_quote(type));
		int r = ociwp_warn(op, err, "%s: Content-Type %s, taken as %s", answer->what,
		                   ociwp_quote(type), inner);
		if (r < 0)
			return r;
		free(type);
		type = ociwp_strdup(inner);
	}
	*out = ociwp_steal(&type);
	return *out ? 0 : ociwp_nomem(err);
}

/* The digest the bytes must have: the reference, else the header, else what they are (PUL-2, 3). */
static int check_digest(const ociwp_response *answer, const char *reference, ociw_span bytes,
                        char out[OCIW_DIGEST_TEXT_MAX], ociw_error **err)
{
	const char *header = ociwp_response_header(answer, "Docker-Content-Digest");
	const char *want = strchr(reference, ':') ? reference : header;
	ociw_digest expected, got;
	if (!want || !*want) {
		int r = ociw_digest_bytes(OCIW_DIGEST_SHA256, bytes, &got, err);
		ociw_digest_format(&got, out);
		return r;
	}
	int r = ociw_digest_parse(want, &expected, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s", answer->what);
	r = ociw_digest_bytes((ociw_digest_algorithm)expected.algorithm, bytes, &got, err);
	if (r < 0)
		return r;
	ociw_digest_format(&got, out);
	if (!ociw_digest_equal(&expected, &got))
		return ociwp_fail(err, OCIW_ERR_DIGEST, "%s: digest is %s, expected %s",
		                  answer->what, out, want);
	return 0;
}

/* The answer with all of its body. One that breaks off is asked for again (RET-1). */
static int fetch_manifest(ociwp_repository *repo, const char *reference, const ociw_op *op,
                          ociwp_response *answer, ociwp_buf *bytes, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf path = OCIWP_BUF_INIT;
	ociw_limits limits;
	ociwp_limits_get(op, &limits);
	int r = ociwp_repository_path(repo, "manifests", reference, &path, err);
	if (r < 0)
		return r;
	ociwp_request request = {.method = "GET",
	                         .url = path.data,
	                         .accept = ociwp_accept_manifests,
	                         .scopes = &repo->pull};
	for (unsigned tries = 1;; tries++) {
		ociw_error *why = NULL;
		ociwp_failure failure;
		r = ociwp_request_run(repo->host, &request, op, answer, NULL, err);
		if (r < 0)
			return r;
		if (answer->status != 200)
			return ociwp_response_fail(answer, op, err);
		r = ociwp_response_read(answer, limits.max_manifest_bytes, "the manifest", op,
		                        bytes, &failure, &why);
		if (r == 0)
			return 0;
		r = ociwp_request_again(failure, tries, &why, op, err);
		if (r < 0)
			return r;
		ociwp_response_deinit(answer);
		ociwp_buf_clear(bytes);
	}
}

int ociwp_pull_manifest(ociwp_repository *repo, const char *reference, const ociw_op *op,
                        ociw_descriptor **out, ociwp_buf *bytes, char **etag, ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
	OCIWP_AUTO(str) char *type = NULL;
	char digest[OCIW_DIGEST_TEXT_MAX];
	int r = fetch_manifest(repo, reference, op, &answer, bytes, err);
	if (r == 0)
		r = check_digest(&answer, reference, ociwp_buf_span(bytes), digest, err);
	if (r == 0)
		r = type_of(&answer, ociwp_buf_span(bytes), op, &type, err);
	if (r == 0 && etag) {
		const char *value = ociwp_response_header(&answer, "ETag");
		*etag = value ? ociwp_strdup(value) : NULL;
		if (value && !*etag)
			r = ociwp_nomem(err);
	}
	return r < 0 ? r : ociw_descriptor_new(type, digest, bytes->len, out, err);
}

/* What a registry without HEAD of manifests answers. */
static bool may_know_only_get(int status)
{
	return status == 404 || status == 405 || status == 400 || status == 501;
}

/* PUL-4: all of a descriptor from the headers; *out stays NULL when they do not say enough. */
static int resolve_head(ociwp_repository *repo, const char *reference, const ociw_op *op,
                        ociw_descriptor **out, ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
	OCIWP_AUTO(buf) ociwp_buf path = OCIWP_BUF_INIT;
	int r = ociwp_repository_path(repo, "manifests", reference, &path, err);
	if (r < 0)
		return r;
	ociwp_request request = {.method = "HEAD",
	                         .url = path.data,
	                         .accept = ociwp_accept_manifests,
	                         .scopes = &repo->pull};
	r = ociwp_request_run(repo->host, &request, op, &answer, NULL, err);
	if (r == 0 && answer.status != 200 && !may_know_only_get(answer.status))
		return ociwp_request_fail(repo->host, &request, &answer, op, err);
	if (r < 0 || answer.status != 200)
		return r;
	const char *digest = ociwp_response_header(&answer, "Docker-Content-Digest");
	const char *length = ociwp_response_header(&answer, "Content-Length");
	const char *header = ociwp_response_header(&answer, "Content-Type");
	uint64_t size;
	ociw_digest parsed;
	OCIWP_AUTO(str) char *type = bare_type(header ? header : "");
	if (!type)
		return ociwp_nomem(err);
	bool whole = digest && length && ociw_digest_parse(digest, &parsed, NULL) == 0 &&
	             ociwp_parse_u64(length, strlen(length), &size) && size > 0 &&
	             (ociwp_mediatype_is_manifest(type) || ociwp_mediatype_is_index(type));
	if (!whole)
		return 0;
	if (strchr(reference, ':') && strcmp(reference, digest) != 0)
		return ociwp_fail(err, OCIW_ERR_DIGEST, "%s: digest is %s", answer.what, digest);
	return ociw_descriptor_new(type, digest, size, out, err);
}

static void remember(ociwp_repository *repo, const ociw_descriptor *desc, ociwp_buf *bytes)
{
	ociw_descriptor *copy = NULL;
	if (ociw_descriptor_dup(desc, &copy, NULL) < 0)
		return;
	pthread_mutex_lock(&repo->mutex);
	ociw_descriptor_free(repo->recent);
	free(repo->recent_bytes);
	repo->recent = copy;
	repo->recent_bytes = ociwp_buf_steal(bytes);
	pthread_mutex_unlock(&repo->mutex);
}

/* On Docker Hub a HEAD is free and a GET counts as a pull. Elsewhere a GET is the better question where the
 * manifest is wanted next anyway: its length can be trusted (PUL-11). */
static bool prefers_head(const ociwp_repository *repo)
{
	return strcmp(repo->host->name, "docker.io") == 0;
}

static int resolve_at(ociwp_repository *repo, const char *reference, bool head, const ociw_op *op,
                      ociw_descriptor **out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf bytes = OCIWP_BUF_INIT;
	int r = head || prefers_head(repo) ? resolve_head(repo, reference, op, out, err) : 0;
	if (r < 0 || *out)
		return r;
	r = ociwp_pull_manifest(repo, reference, op, out, &bytes, NULL, err);
	if (r == 0)
		remember(repo, *out, &bytes);
	return r;
}

bool ociwp_pull_goes_on(const ociwp_repository *mirror, int code, ociw_error **why,
                        const ociw_op *op)
{
	if (code == OCIW_ERR_CANCELLED || code == OCIW_ERR_NOMEM)
		return false;
	if (ociwp_note(op, NULL, "mirror %s: %s", mirror->host->name, ociw_error_message(*why)) < 0)
		return false;
	ociw_error_free(ociwp_steal(why));
	return true;
}

/* Mirrors in their order, then the registry itself (MIR-2). */
static int resolve(ociwp_repository *repo, const char *name, bool head, const ociw_op *op,
                   ociw_descriptor **out, ociw_error **err)
{
	const char *reference = name ? name : repo->default_name;
	ociw_digest digest;
	*out = NULL;
	if (strchr(reference, ':')) {
		int r = ociw_digest_parse(reference, &digest, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < repo->mirror_count; i++) {
		ociw_error *why = NULL;
		if (!ociwp_mirrors_allow(repo, i, reference))
			continue;
		int r = resolve_at(repo->mirrors[i], reference, head, op, out, &why);
		if (r == 0 || !ociwp_pull_goes_on(repo->mirrors[i], r, &why, op))
			return r == 0 ? 0 : ociwp_error_move(err, why);
	}
	return resolve_at(repo, reference, head, op, out, err);
}

int ociwp_pull_resolve(void *self, const char *name, const ociw_op *op, ociw_descriptor **out,
                       ociw_error **err)
{
	return resolve(self, name, false, op, out, err);
}

int ociwp_pull_find(void *self, const char *name, const ociw_op *op, ociw_descriptor **out,
                    ociw_error **err)
{
	return resolve(self, name, true, op, out, err);
}

/* ---- opening ---- */

typedef struct text_reader {
	char *bytes;
	size_t len, at;
} text_reader;

static ptrdiff_t text_read(void *self, void *buf, size_t len, ociw_error **err)
{
	(void)err;
	text_reader *reader = self;
	size_t n = reader->len - reader->at < len ? reader->len - reader->at : len;
	if (n)
		memcpy(buf, reader->bytes + reader->at, n);
	reader->at += n;
	return (ptrdiff_t)n;
}

static int text_close(void *self, ociw_error **err)
{
	(void)err;
	text_reader *reader = self;
	free(reader->bytes);
	free(reader);
	return 0;
}

static const ociw_reader_ops text_ops = {sizeof(text_ops), text_read, text_close};

static int open_text(char *take_bytes, size_t len, uint64_t offset, ociw_reader **out,
                     ociw_error **err)
{
	text_reader *reader = ociwp_new(text_reader);
	if (!reader) {
		free(take_bytes);
		return ociwp_nomem(err);
	}
	*reader = (text_reader){take_bytes, len, offset < len ? (size_t)offset : len};
	return ociw_reader_new(&text_ops, reader, out, err);
}

/* The bytes kept from resolving, when they are the ones wanted. */
static char *recall(ociwp_repository *repo, const ociw_descriptor *desc)
{
	char *bytes = NULL;
	pthread_mutex_lock(&repo->mutex);
	if (repo->recent && strcmp(repo->recent->digest, desc->digest) == 0 &&
	    repo->recent->size == desc->size)
		bytes = ociwp_memdup(repo->recent_bytes, (size_t)desc->size);
	pthread_mutex_unlock(&repo->mutex);
	return bytes;
}

static int open_manifest_at(ociwp_repository *repo, const ociw_descriptor *desc, uint64_t offset,
                            const ociw_op *op, ociw_reader **out, ociw_error **err)
{
	char *bytes = recall(repo, desc);
	if (bytes)
		return open_text(bytes, (size_t)desc->size, offset, out, err);
	OCIWP_AUTO(buf) ociwp_buf body = OCIWP_BUF_INIT;
	OCIWP_AUTO(descriptor) ociw_descriptor *found = NULL;
	int r = ociwp_pull_manifest(repo, desc->digest, op, &found, &body, NULL, err);
	if (r < 0)
		return r;
	size_t len = body.len;
	bytes = ociwp_buf_steal(&body);
	return bytes ? open_text(bytes, len, offset, out, err) : ociwp_nomem(err);
}

static int open_manifest(ociwp_repository *repo, const ociw_descriptor *desc, uint64_t offset,
                         const ociw_op *op, ociw_reader **out, ociw_error **err)
{
	for (size_t i = 0; i < repo->mirror_count; i++) {
		ociw_error *why = NULL;
		if (!ociwp_mirrors_allow(repo, i, desc->digest))
			continue;
		int r = open_manifest_at(repo->mirrors[i], desc, offset, op, out, &why);
		if (r == 0 || !ociwp_pull_goes_on(repo->mirrors[i], r, &why, op))
			return r == 0 ? 0 : ociwp_error_move(err, why);
	}
	return open_manifest_at(repo, desc, offset, op, out, err);
}

int ociwp_pull_open(void *self, const ociw_descriptor *desc, uint64_t offset, const ociw_op *op,
                    ociw_reader **out, ociw_error **err)
{
	ociwp_repository *repo = self;
	*out = NULL;
	if (!ociw_digest_is_valid(desc->digest))
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s is no digest",
		                  ociwp_quote(desc->digest));
	if (ociwp_mediatype_is_manifest(desc->media_type) ||
	    ociwp_mediatype_is_index(desc->media_type))
		return open_manifest(repo, desc, offset, op, out, err);
	ociw_error *why = NULL;
	int r = ociwp_blob_reader_open(repo, desc, offset, op, out, &why);
	if (r == OCIW_ERR_NOTFOUND && desc->data) {
		/* The descriptor carries the blob itself, verified when it was read (PUL-10). */
		char *bytes = ociwp_memdup(desc->data, (size_t)desc->size);
		ociw_error_free(why);
		return bytes ? open_text(bytes, (size_t)desc->size, offset, out, err)
			     : ociwp_nomem(err);
	}
	return r < 0 ? ociwp_error_move(err, why) : 0;
}

int ociwp_pull_stat(void *self, const char *digest, const ociw_op *op, uint64_t *size,
                    ociw_error **err)
{
	ociwp_repository *repo = self;
	__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
	OCIWP_AUTO(buf) ociwp_buf path = OCIWP_BUF_INIT;
	int r = ociwp_repository_path(repo, "blobs", digest, &path, err);

	if (r < 0)
		return r;
	ociwp_request request = {.method = "HEAD", .url = path.data, .scopes = &repo->pull};
	r = ociwp_request_run(repo->host, &request, op, &answer, NULL, err);
	if (r < 0)
		return r;
	if (answer.status == 404)
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "there is no such blob");
	if (answer.status != 200)
		return ociwp_request_fail(repo->host, &request, &answer, op, err);
	const char *length = ociwp_response_header(&answer, "Content-Length");
	if (!length || !ociwp_parse_u64(length, strlen(length), size))
		return ociwp_fail(err, OCIW_ERR_REGISTRY, "%s: the answer has no length",
		                  answer.what);
	return 0;
}
