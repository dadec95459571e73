/* SPDX-License-Identifier: Apache-2.0
 *
 * The requests of one upload session, one function each. It repeats nothing: push.c holds the plan.
 * distribution-spec, "Pushing blobs"; PSH-3, PSH-5, PSH-7..13, HTTP-3, HTTP-7.
 */
#include "registry/upload.h"

#include "base/str.h"

#define OCTETS "application/octet-stream"
/* Nobody waits long for a registry to forget a session. */
#define ABORT_MS 3000

void ociwp_upload_deinit(ociwp_upload *upload)
{
	free(upload->location);
	upload->location = NULL;
}

/* @p from: what named the location; @p what: how messages call that. */
static int set_location(ociwp_upload *upload, const char *location, const ociwp_url *from,
                        const char *what, ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_url))) ociwp_url url = {0};
	int r = ociwp_url_parse(location, from, &url, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s", what);
	if (from->https && !url.https)
		return ociwp_fail(err, OCIW_ERR_UNSAFE,
		                  "%s: the upload is to go from https to http", what);
	if (!upload->repo->host->private_literal && ociwp_host_is_private(url.host))
		return ociwp_fail(err, OCIW_ERR_UNSAFE,
		                  "%s: the upload is to go to private address %s", what,
		                  ociwp_quote(url.host));
	free(upload->location);
	upload->location = ociwp_steal(&url.text);
	if (upload->note)
		ociwp_upload_note_write(upload->note, upload->location);
	return 0;
}

/* The newest Location counts; it is opaque and relative to what answered. */
static int take_location(ociwp_upload *upload, const ociwp_response *answer, ociw_error **err)
{
	const char *location = ociwp_response_header(answer, "Location");
	return location ? set_location(upload, location, &answer->url, answer->what, err) : 0;
}

bool ociwp_upload_take_up(ociwp_upload *upload, const char *location, const ociw_op *op)
{
	__attribute__((cleanup(ociwp_cleanup_url))) ociwp_url base = {0};
	return ociwp_host_base(upload->repo->host, op, &base, NULL) == 0 &&
	       set_location(upload, location, &base, "the note", NULL) == 0;
}

static void take_min_chunk(ociwp_upload *upload, const ociwp_response *answer)
{
	const char *value = ociwp_response_header(answer, "OCI-Chunk-Min-Length");
	if (!value || !ociwp_parse_u64(value, strlen(value), &upload->min_chunk))
		upload->min_chunk = 0;
}

int ociwp_upload_begin(ociwp_upload *upload, const ociwp_repository *mount_from, const ociw_op *op,
                       bool *done, ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
	__attribute__((cleanup(ociwp_cleanup_scopes))) ociwp_scopes scopes = {0};
	OCIWP_AUTO(buf) ociwp_buf url = OCIWP_BUF_INIT;
	*done = false;
	upload->offset = 0;
	ociwp_buf_printf(&url, "/v2/%s/blobs/uploads/", upload->repo->name);
	int r = ociwp_scopes_merge(&scopes, &upload->repo->push, err);
	if (r == 0 && mount_from) {
		ociwp_url_add_query(&url, "mount", upload->desc->digest);
		ociwp_url_add_query(&url, "from", mount_from->name);
		r = ociwp_scopes_merge(&scopes, &mount_from->pull, err);
	} else if (r == 0 && upload->desc && !ociwp_starts_with(upload->desc->digest, "sha256:")) {
		const char *digest = upload->desc->digest;
		OCIWP_AUTO(str) char *algorithm = ociwp_strndup(digest, strcspn(digest, ":"));
		if (!algorithm)
			return ociwp_nomem(err);
		ociwp_url_add_query(&url, "digest-algorithm", algorithm); /* PSH-14 */
	}
	if (r == 0)
		r = ociwp_buf_check(&url, err);
	if (r < 0)
		return r;
	ociwp_request request = {.method = "POST",
	                         .url = url.data,
	                         .has_bytes = true,
	                         .content_type = OCTETS,
	                         .scopes = &scopes};
	r = ociwp_request_run(upload->repo->host, &request, op, &answer, NULL, err);
	if (r < 0)
		return r;
	if (mount_from && answer.status == 201) {
		*done = true;
		ociwp_response_drain(&answer, op);
		return 0;
	}
	if (answer.status != 202)
		return ociwp_response_fail(&answer, op, err);
	take_min_chunk(upload, &answer);
	r = take_location(upload, &answer, err);
	if (r == 0 && !upload->location)
		r = ociwp_fail(err, OCIW_ERR_REGISTRY, "%s: answer 202 without a Location",
		               answer.what);
	ociwp_response_drain(&answer, op);
	return r;
}

/* Sends a part of the blob. */
static int send_part(ociwp_upload *upload, const char *method, const char *url, uint64_t size,
                     bool ranged, const ociw_op *op, ociwp_response *answer, ociwp_failure *failure,
                     ociw_error **err)
{
	char range[48];
	if (ranged)
		snprintf(range, sizeof(range), "%llu-%llu", (unsigned long long)upload->offset,
		         (unsigned long long)(upload->offset + size - 1));
	ociwp_request request = {
	        .method = method,
	        .url = url,
	        .content_type = OCTETS,
	        .content_range = ranged ? range : NULL,
	        .source = upload->source,
	        .offset = upload->offset,
	        .size = size,
	        .scopes = &upload->repo->push,
	        .once = true,
	};
	return ociwp_request_run(upload->repo->host, &request, op, answer, failure, err);
}

int ociwp_upload_finish(ociwp_upload *upload, const ociw_op *op, int *status,
                        ociwp_failure *failure, ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
	OCIWP_AUTO(buf) ociwp_buf url = OCIWP_BUF_INIT;
	uint64_t left = upload->desc->size - upload->offset;
	*status = 0;
	*failure = OCIWP_FAILURE_LOCAL;
	ociwp_buf_puts(&url, upload->location);
	ociwp_url_add_query(&url, "digest", upload->desc->digest);
	int r = ociwp_buf_check(&url, err);
	if (r < 0)
		return r;
	/* No Content-Range when it is the whole blob (PSH-11). */
	r = send_part(upload, "PUT", url.data, left, upload->offset > 0 && left > 0, op, &answer,
	              failure, err);
	if (r < 0)
		return r;
	*status = answer.status;
	if (answer.status == 201 || answer.status == 204) {
		ociwp_response_drain(&answer, op);
		return 0;
	}
	r = ociwp_response_fail(&answer, op, err);
	if (err && ociwp_streq(ociw_error_registry_code(*err), "DIGEST_INVALID"))
		r = ociwp_wrap(err, r, "the registry got other bytes than %s names",
		               upload->desc->digest);
	return r;
}

/* The count of acknowledged bytes moves forward only (PSH-9). */
static void acknowledge(ociwp_upload *upload, const ociwp_response *answer, uint64_t at_most)
{
	const char *value = ociwp_response_header(answer, "Range");
	uint64_t got;
	if (!value || !ociwp_upload_parse_range(value, &got))
		return;
	if (got > upload->offset && got <= at_most)
		upload->offset = got;
}

static int send_patch(ociwp_upload *upload, uint64_t size, bool ranged, const ociw_op *op,
                      int *status, ociwp_failure *failure, ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
	*status = 0;
	int r = send_part(upload, "PATCH", upload->location, size, ranged, op, &answer, failure,
	                  err);
	if (r < 0)
		return r;
	*status = answer.status;
	/* ECR says 201 where 202 is meant. */
	if (answer.status != 202 && answer.status != 201 && answer.status != 204)
		return ociwp_response_fail(&answer, op, err);
	r = take_location(upload, &answer, err);
	ociwp_response_drain(&answer, op);
	return r;
}

int ociwp_upload_chunk(ociwp_upload *upload, uint64_t size, const ociw_op *op, int *status,
                       ociwp_failure *failure, ociw_error **err)
{
	int r = send_patch(upload, size, true, op, status, failure, err);
	/* A 202 acknowledges the chunk; Range may be short, stale or absent (Zot, ECR), and the
	 * final digest tells if it was lost. */
	if (r == 0)
		upload->offset += size;
	return r;
}

int ociwp_upload_stream(ociwp_upload *upload, const ociw_op *op, int *status,
                        ociwp_failure *failure, ociw_error **err)
{
	return send_patch(upload, OCIWP_BODY_UNKNOWN, false, op, status, failure, err);
}

int ociwp_upload_ask(ociwp_upload *upload, const ociw_op *op, bool *known, ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
	*known = false;
	if (!upload->location)
		return 0;
	ociwp_request request = {
	        .method = "GET", .url = upload->location, .scopes = &upload->repo->push};
	int r = ociwp_request_run(upload->repo->host, &request, op, &answer, NULL, err);
	if (r < 0)
		return r;
	ociwp_response_drain(&answer, op);
	if (answer.status != 204 && answer.status != 200 && answer.status != 202)
		return 0;
	const char *value = ociwp_response_header(&answer, "Range");
	uint64_t got;
	if (!value || !ociwp_upload_parse_range(value, &got))
		return 0;
	r = take_location(upload, &answer, err);
	if (r < 0)
		return r;
	/* "0-0" is what many send for nothing at all. */
	upload->offset = 0;
	if (got > 1)
		acknowledge(upload, &answer, upload->desc->size);
	*known = got <= upload->desc->size;
	return 0;
}

void ociwp_upload_abort(ociwp_upload *upload)
{
	__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
	if (!upload->location)
		return;
	ociwp_request request = {.method = "DELETE",
	                         .url = upload->location,
	                         .scopes = &upload->repo->push,
	                         .once = true};
	/* The caller's op may be cancelled by now: this has a patience of its own. */
	ociw_cancel *end = ociwp_cancel_new_after(ABORT_MS);
	const ociw_op op = {.size = sizeof(op), .cancel = end};
	if (end && ociwp_request_run(upload->repo->host, &request, &op, &answer, NULL, NULL) == 0)
		ociwp_response_drain(&answer, &op);
	ociw_cancel_free(end);
	free(ociwp_steal(&upload->location));
}

bool ociwp_upload_parse_range(const char *text, uint64_t *out)
{
	uint64_t first = 0, last;
	if (strncasecmp(text, "bytes", 5) == 0)
		text += 5 + strspn(text + 5, "= \t");
	size_t len = strcspn(text, "-");
	if (text[len] == '-') {
		if (!ociwp_parse_u64(text, len, &first) || first != 0)
			return false;
		text += len + 1;
	}
	len = strcspn(text, "/ \t");
	if (!ociwp_parse_u64(text, len, &last) || last == UINT64_MAX)
		return false;
	*out = last + 1;
	return true;
}
