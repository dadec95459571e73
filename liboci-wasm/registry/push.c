/* SPDX-License-Identifier: Apache-2.0
 *
 * The plan of a blob's way into a registry: look, mount, send whole; after a break look again,
 * resume or begin anew. Requirements PSH-2..4, PSH-8..12, PSH-18..20, RET-4.
 */
#include "registry/upload.h"

#include "base/str.h"
#include "base/time.h"
#include "registry/retry.h"

/* What OCI-Chunk-Min-Length may ask of us (PSH-8). */
#define CHUNK_MAX (UINT64_C(1) << 30)

/* ---- what is known about blobs ---- */

static bool known(ociwp_repository *repo, ociwp_map *map, const char *digest)
{
	pthread_mutex_lock(&repo->mutex);
	bool found = ociwp_map_contains(map, digest);
	pthread_mutex_unlock(&repo->mutex);
	return found;
}

/* Forgetting for lack of memory costs a request, no more. */
void ociwp_push_note(ociwp_repository *repo, const char *digest, bool present)
{
	pthread_mutex_lock(&repo->mutex);
	(void)ociwp_map_set(present ? repo->present : repo->absent, digest, NULL);
	ociwp_map_remove(present ? repo->absent : repo->present, digest);
	pthread_mutex_unlock(&repo->mutex);
}

static int head_blob(ociwp_repository *repo, const ociw_descriptor *desc, const ociw_op *op,
                     bool *out, ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
	OCIWP_AUTO(buf) ociwp_buf path = OCIWP_BUF_INIT;
	bool manifest = ociwp_mediatype_is_manifest(desc->media_type) ||
	                ociwp_mediatype_is_index(desc->media_type);
	*out = false;
	int r = ociwp_repository_path(repo, manifest ? "manifests" : "blobs", desc->digest, &path,
	                              err);
	if (r < 0)
		return r;
	/* The redirect to storage is taken as a yes (PSH-2); a manifest PUT would tell otherwise.
	 */
	ociwp_request request = {.method = "HEAD",
	                         .url = path.data,
	                         .accept = manifest ? ociwp_accept_manifests : NULL,
	                         .scopes = &repo->push,
	                         .stay = true,
	                         .take_401 = true};
	r = ociwp_request_run(repo->host, &request, op, &answer, NULL, err);
	if (r < 0)
		return r;
	*out = answer.status == 200 || answer.status == 307 || answer.status == 302;
	/* Who may not look may well be allowed to push; if not, the upload says why (PSH-2). */
	return answer.status >= 500 ? ociwp_response_fail(&answer, op, err) : 0;
}

int ociwp_push_has(void *self, const ociw_descriptor *desc, const ociw_op *op, bool *out,
                   ociw_error **err)
{
	ociwp_repository *repo = self;
	*out = known(repo, repo->present, desc->digest);
	if (*out)
		return 0;
	int r = head_blob(repo, desc, op, out, err);
	if (r == 0)
		ociwp_push_note(repo, desc->digest, *out);
	return r;
}

/* ---- sending ---- */

static uint64_t chunk_size(const ociwp_upload *upload)
{
	uint64_t chunk = upload->repo->client->chunk_size;
	if (chunk && chunk < upload->min_chunk)
		chunk = upload->min_chunk;
	return chunk > CHUNK_MAX ? CHUNK_MAX : chunk;
}

/* All that is missing: chunks where the user asked for them, and the last part in the PUT (PSH-12).
 */
static int send_rest(ociwp_upload *upload, bool chunked, const ociw_op *op, int *status,
                     ociwp_failure *failure, ociw_error **err)
{
	uint64_t chunk = chunked ? chunk_size(upload) : 0;
	while (chunk && upload->desc->size - upload->offset > chunk) {
		int r = ociwp_upload_chunk(upload, chunk, op, status, failure, err);
		if (r < 0)
			return r;
	}
	return ociwp_upload_finish(upload, op, status, failure, err);
}

/* True when the same blob may well get through at another try. */
static bool may_pass(int status, ociwp_failure failure)
{
	if (status == 0)
		return ociwp_retry_failure(failure);
	/* 404: the session is gone; 416: it is elsewhere than we think (PSH-9). */
	return ociwp_retry_status(status) || status == 404 || status == 416;
}

/* Where to go on after a break: at the acknowledged offset, or in a new session. */
static int pick_up(ociwp_upload *upload, uint64_t before, unsigned *stuck, const ociw_op *op,
                   ociw_error **err)
{
	bool alive = false;
	int r = 0;
	if (*stuck < 2 && upload->desc->size >= OCIWP_RESUME_MIN)
		r = ociwp_upload_ask(upload, op, &alive, err);
	if (r < 0)
		return r;
	if (alive && upload->offset > before)
		return 0;
	++*stuck;
	if (alive && *stuck < 2 && upload->offset > 0)
		return 0;
	ociwp_upload_abort(upload);
	upload->offset = 0;
	return 0;
}

static int wait_and_look(ociwp_upload *upload, unsigned tries, const ociw_error *why,
                         const ociw_op *op, bool *there, ociw_error **err)
{
	uint64_t delay = ociwp_retry_delay_ms(tries, ociwp_retry_random());
	ociw_event about = {.size = sizeof(about),
	                    .digest = upload->desc->digest,
	                    .message = ociw_error_message(why),
	                    .total = upload->desc->size};
	int r = ociwp_wait_to_retry(&about, delay, op, err);
	/* The answer may have been lost, not the blob (RET-4). */
	return r < 0 ? r : head_blob(upload->repo, upload->desc, op, there, err);
}

static bool in_parts(const ociwp_upload *upload, bool chunked)
{
	uint64_t chunk = chunked ? chunk_size(upload) : 0;
	return upload->offset > 0 || (chunk && chunk < upload->desc->size);
}

/* Not every registry takes parts, or a PUT that closes them (PSH-10, PSH-12). And what it kept may be what a
 * dying connection still added to: then the whole is wrong. A new session, in one piece, is right for both. */
static bool whole_may_pass(int status, bool parts)
{
	return parts && status >= 400 && status != 401 && status != 403;
}

int ociwp_push_send(ociwp_upload *upload, const ociw_op *op, ociw_error **err)
{
	ociw_limits limits;
	unsigned stuck = 0;
	bool chunked = true;
	ociwp_limits_get(op, &limits);
	for (unsigned tries = 1;; tries++) {
		ociw_error *why = NULL;
		ociwp_failure failure = OCIWP_FAILURE_LOCAL;
		int status = 0;
		bool done = false, there = false;
		uint64_t before = upload->offset;
		int r = upload->location ? 0 : ociwp_upload_begin(upload, NULL, op, &done, &why);
		if (r == 0)
			r = send_rest(upload, chunked, op, &status, &failure, &why);
		if (r == 0) {
			free(ociwp_steal(&upload->location)); /* the session is over */
			return 0;
		}
		bool pass = may_pass(status, failure);
		bool anew = !pass && whole_may_pass(status, in_parts(upload, chunked));
		if ((!pass && !anew) || tries >= limits.max_tries)
			return ociwp_error_move(err, why);
		/* What was acknowledged counts as progress: a long push over a bad line ends. */
		r = wait_and_look(upload, tries, why, op, &there, err);
		ociw_error_free(why);
		if (r == 0 && there) {
			free(ociwp_steal(&upload->location));
			return 0;
		}
		if (anew)
			stuck = 2;
		if (r == 0)
			r = pick_up(upload, before, &stuck, op, err);
		if (r < 0)
			return r;
		if (upload->offset > before + OCIWP_RESUME_MIN)
			tries = 0;
		chunked = stuck < 2; /* then in one piece, as everybody takes it */
	}
}

/* ---- one upload a digest ---- */

/* True when this thread is to send the blob; false when another one just did. */
static int claim(ociwp_repository *repo, const char *digest, const ociw_op *op, bool *ours,
                 ociw_error **err)
{
	int r = 0;
	*ours = false;
	pthread_mutex_lock(&repo->mutex);
	while (r == 0 && ociwp_map_contains(repo->uploading, digest)) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
		pthread_cond_timedwait(&repo->cond, &repo->mutex, &until);
		r = ociwp_check_cancel(op, err);
	}
	if (r == 0 && !ociwp_map_contains(repo->present, digest)) {
		*ours = ociwp_map_set(repo->uploading, digest, NULL);
		if (!*ours)
			r = ociwp_nomem(err);
	}
	pthread_mutex_unlock(&repo->mutex);
	return r;
}

static void release(ociwp_repository *repo, const char *digest)
{
	pthread_mutex_lock(&repo->mutex);
	ociwp_map_remove(repo->uploading, digest);
	pthread_cond_broadcast(&repo->cond);
	pthread_mutex_unlock(&repo->mutex);
}

/* A session that a refused mount left behind. */
static char *take_session(ociwp_repository *repo, const char *digest)
{
	char *location = NULL;
	pthread_mutex_lock(&repo->mutex);
	const char *kept = ociwp_map_get(repo->sessions, digest);
	if (kept)
		location = ociwp_strdup(kept);
	ociwp_map_remove(repo->sessions, digest);
	pthread_mutex_unlock(&repo->mutex);
	return location;
}

/* Goes on with what an earlier run left behind, if the registry still has it. */
static int take_up(ociwp_upload *upload, const ociw_op *op, ociw_error **err)
{
	OCIWP_AUTO(str) char *location = ociwp_upload_note_read(upload->note);
	bool alive = false;
	if (!location || !ociwp_upload_take_up(upload, location, op))
		return 0;
	int r = ociwp_upload_ask(upload, op, &alive, err);
	if (r == 0 && alive && upload->offset > 0)
		return ociwp_note(op, err, "%s: an earlier upload goes on at byte %llu",
		                  upload->desc->digest, (unsigned long long)upload->offset);
	free(ociwp_steal(&upload->location));
	upload->offset = 0;
	return r;
}

static int upload_blob(ociwp_repository *repo, const ociw_descriptor *desc,
                       const ociwp_blob_source *source, const ociw_op *op, ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_upload))) ociwp_upload upload = {
	        .repo = repo,
	        .desc = desc,
	        .source = source,
	        .location = take_session(repo, desc->digest),
	};
	ociwp_upload_note note = OCIWP_UPLOAD_NOTE_INIT;
	bool noted = desc->size >= OCIWP_RESUME_MIN &&
	             ociwp_upload_note_open(&note, repo->client->uploads_dir, repo->host->authority,
	                                    repo->name, desc->digest);
	int r = 0;
	if (noted) {
		upload.note = &note;
		if (upload.location)
			ociwp_upload_note_write(&note, upload.location);
		else
			r = take_up(&upload, op, err);
	}
	if (r == 0)
		r = ociwp_push_send(&upload, op, err);
	/* Who was interrupted, or lost the line, may come back; else the session is given up. */
	bool keep = noted && (r == OCIW_ERR_CANCELLED || r == OCIW_ERR_NETWORK) && upload.location;
	if (r < 0 && !keep)
		ociwp_upload_abort(&upload);
	ociwp_upload_note_close(&note, keep);
	return r;
}

int ociwp_push_blob(void *self, const ociw_descriptor *desc, const ociwp_blob_source *source,
                    const ociw_op *op, ociw_error **err)
{
	ociwp_repository *repo = self;
	bool ours, there = false;
	int r = claim(repo, desc->digest, op, &ours, err);
	if (r < 0 || !ours)
		return r;
	if (!known(repo, repo->absent, desc->digest))
		r = head_blob(repo, desc, op, &there, err);
	if (r == 0 && !there)
		r = upload_blob(repo, desc, source, op, err);
	if (r == 0)
		ociwp_push_note(repo, desc->digest, true);
	release(repo, desc->digest);
	return r;
}

/* ---- mount ---- */

static void keep_session(ociwp_repository *repo, const char *digest, ociwp_upload *upload)
{
	pthread_mutex_lock(&repo->mutex);
	if (ociwp_map_set(repo->sessions, digest, upload->location))
		upload->location = NULL;
	pthread_mutex_unlock(&repo->mutex);
}

int ociwp_push_mount(void *self, const ociw_descriptor *desc, ociw_content *from, const ociw_op *op,
                     bool *done, ociw_error **err)
{
	ociwp_repository *repo = self;
	const ociwp_repository *source = ociwp_content_self(from, &ociwp_repository_ops);
	*done = false;
	if (!source || source->host != repo->host || strcmp(source->name, repo->name) == 0 ||
	    known(repo, repo->present, desc->digest))
		return 0;
	__attribute__((cleanup(ociwp_cleanup_upload)))
	ociwp_upload upload = {.repo = repo, .desc = desc};
	ociw_error *why = NULL;
	int r = ociwp_upload_begin(&upload, source, op, done, &why);
	if (r < 0) {
		/* Any refusal means "not possible" (PSH-3, PSH-4); what is wrong with the registry
		 * itself shows at the plain upload. */
		bool stop = r == OCIW_ERR_CANCELLED || r == OCIW_ERR_NOMEM;
		if (stop)
			return ociwp_error_move(err, why);
		ociw_error_free(why);
		return 0;
	}
	if (*done)
		ociwp_push_note(repo, desc->digest, true);
	else
		keep_session(repo, desc->digest, &upload);
	return 0;
}
