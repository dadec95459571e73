/* SPDX-License-Identifier: Apache-2.0
 *
 * A blob as a reader that opens itself again where it broke off (PUL-6..8, RET-5). It verifies
 * nothing: the front does, over the whole of it.
 */
#include "registry/repository.h"

#include "base/str.h"
#include "base/time.h"
#include "registry/mirrors.h"
#include "registry/retry.h"

/* So much progress makes the count of tries begin anew. */
#define PROGRESS_BYTES (1024u * 1024)
/* What libcurl may hold of a blob for a slow reader. */
#define LARGE (256u * 1024)

typedef struct blob_reader {
	ociwp_repository *origin; /* whose blob it is */
	ociwp_repository *repo;   /* who is asked: a mirror of origin, or origin itself */
	size_t next_mirror;       /* behind repo, when that is a mirror */
	char *digest;
	uint64_t size;    /* as promised; 0 is a size too */
	uint64_t at;      /* position of the next byte to give */
	uint64_t last_at; /* where it broke off last */
	unsigned tries;
	/* The op is the caller's for the time of the reader; limits and event may be on a stack
	 * that stays, so a copy of the pointers is all that is kept. */
	ociw_op op;
	ociw_limits limits;
	ociwp_response answer;
} blob_reader;

/* PUL-8: a 206 counts only when it is exactly what was asked for. */
static int check_range(const blob_reader *b, ociw_error **err)
{
	uint64_t first = 0, total = 0;
	bool known = false;
	const char *value = ociwp_exchange_header(b->answer.exchange, "Content-Range", 0);
	const char *second = ociwp_exchange_header(b->answer.exchange, "Content-Range", 1);
	if (!value || second || !ociwp_content_range_parse(value, &first, &total, &known))
		return ociwp_fail(err, OCIW_ERR_REGISTRY,
		                  "%s: answer 206 without one proper Content-Range",
		                  b->answer.what);
	if (first != b->at || (known && total != b->size))
		return ociwp_fail(err, OCIW_ERR_REGISTRY,
		                  "%s: asked for bytes from %llu of %llu, got Content-Range %s",
		                  b->answer.what, (unsigned long long)b->at,
		                  (unsigned long long)b->size, ociwp_quote(value));
	return 0;
}

/* The registry sent the blob from its start: the bytes we have already are read past. */
static int skip(blob_reader *b, ociwp_failure *failure, ociw_error **err)
{
	char *chunk = ociwp_malloc(64 * 1024);
	uint64_t left = b->at;
	if (!chunk)
		return ociwp_nomem(err);
	int r = 0;
	while (left && r == 0) {
		size_t want = left < 64 * 1024 ? (size_t)left : 64 * 1024;
		ptrdiff_t n =
		        ociwp_exchange_read(b->answer.exchange, chunk, want, &b->op, failure, err);
		if (n == 0) {
			*failure = OCIWP_FAILURE_LOST;
			r = ociwp_fail(err, OCIW_ERR_NETWORK, "the body ended early");
		} else if (n < 0) {
			r = (int)n;
		} else {
			left -= (uint64_t)n;
		}
	}
	free(chunk);
	return r;
}

/* The request layer has spent its own tries when it fails: they are not multiplied here. */
static int ask(blob_reader *b, const ociwp_request *request, ociwp_failure *failure,
               ociw_error **err)
{
	int r = ociwp_request_run(b->repo->host, request, &b->op, &b->answer, failure, err);
	if (r < 0 && *failure != OCIWP_FAILURE_LOCAL)
		*failure = OCIWP_FAILURE_PROTOCOL;
	return r;
}

/* Asks for the blob from b->at on. Always through the registry: a signed URL may have expired. */
static int connect_blob(blob_reader *b, ociwp_failure *failure, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf path = OCIWP_BUF_INIT;
	char range[40];
	*failure = OCIWP_FAILURE_LOCAL;
	ociwp_response_deinit(&b->answer);
	int r = ociwp_repository_path(b->repo, "blobs", b->digest, &path, err);
	if (r < 0)
		return r;
	snprintf(range, sizeof(range), "bytes=%llu-", (unsigned long long)b->at);
	ociwp_request request = {
	        .method = "GET",
	        .url = path.data,
	        .range = b->at ? range : NULL,
	        .scopes = &b->repo->pull,
	        .large_answer = b->size > LARGE,
	};
	r = ask(b, &request, failure, err);
	if (r < 0)
		return r;
	if (b->answer.status == 416 && b->at) {
		/* Discard and begin at the start (PUL-8). */
		request.range = NULL;
		ociwp_response_drain(&b->answer, &b->op);
		ociwp_response_deinit(&b->answer);
		r = ask(b, &request, failure, err);
		if (r < 0)
			return r;
	}
	if (b->answer.status == 200)
		return b->at ? skip(b, failure, err) : 0;
	*failure = OCIWP_FAILURE_PROTOCOL;
	if (b->answer.status == 206 && request.range)
		return check_range(b, err);
	return ociwp_response_fail(&b->answer, &b->op, err);
}

/* The next one to ask: mirrors in their order, then the registry itself. False after that. */
static bool next_repository(blob_reader *b)
{
	if (b->repo == b->origin)
		return false;
	while (b->next_mirror < b->origin->mirror_count) {
		size_t i = b->next_mirror++;
		if (!ociwp_mirrors_allow(b->origin, i, b->digest))
			continue;
		b->repo = b->origin->mirrors[i];
		return true;
	}
	b->repo = b->origin;
	return true;
}

/* The first that has the blob. */
static int connect_any(blob_reader *b, ociw_error **err)
{
	while (next_repository(b)) {
		ociwp_failure failure;
		ociw_error *why = NULL;
		int r = connect_blob(b, &failure, &why);
		if (r == 0)
			return 0;
		if (b->repo == b->origin || !ociwp_pull_goes_on(b->repo, r, &why, &b->op))
			return ociwp_error_move(err, why);
	}
	return OCIW_ERR_NOTFOUND; /* not reached: the registry itself is always asked */
}

/* After a break: waits and opens again, until it works or the tries are spent. @p why is what
 * broke; it is passed on when there is no more to try. */
static int reconnect(blob_reader *b, ociwp_failure failure, ociw_error **why, ociw_error **err)
{
	uint64_t start = ociwp_monotonic_ms();
	for (;;) {
		if (b->at - b->last_at >= PROGRESS_BYTES)
			b->tries = 0;
		b->last_at = b->at;
		uint64_t delay = ociwp_retry_delay_ms(++b->tries, ociwp_retry_random());
		if (!ociwp_retry_failure(failure) || b->tries >= b->limits.max_tries ||
		    ociwp_monotonic_ms() - start + delay > b->limits.retry_budget_ms) {
			int code = (int)ociw_error_code(*why);
			if (b->repo != b->origin &&
			    ociwp_pull_goes_on(b->repo, code, why, &b->op)) {
				b->tries = 0;
				return connect_any(b, err);
			}
			code = ociwp_error_move(err, ociwp_steal(why));
			return ociwp_wrap(err, code, "after %llu of %llu bytes",
			                  (unsigned long long)b->at, (unsigned long long)b->size);
		}
		ociw_event about = {.size = sizeof(about),
		                    .digest = b->digest,
		                    .message = ociw_error_message(*why),
		                    .done = b->at,
		                    .total = b->size};
		int r = ociwp_wait_to_retry(&about, delay, &b->op, err);
		ociw_error_free(ociwp_steal(why));
		if (r < 0)
			return r;
		if (connect_blob(b, &failure, why) == 0)
			return 0;
	}
}

static ptrdiff_t blob_read(void *self, void *buf, size_t len, ociw_error **err)
{
	blob_reader *b = self;
	if (!b->answer.exchange)
		return 0; /* opened at the very end */
	for (;;) {
		ociwp_failure failure;
		ociw_error *why = NULL;
		ptrdiff_t n =
		        ociwp_exchange_read(b->answer.exchange, buf, len, &b->op, &failure, &why);
		if (n > 0) {
			b->at += (uint64_t)n;
			return n;
		}
		if (n == 0 && b->at >= b->size)
			return 0;
		if (n == 0) {
			/* A proper end, but too early: a proxy gave up, or the blob is another. */
			failure = OCIWP_FAILURE_LOST;
			(void)ociwp_fail(&why, OCIW_ERR_SIZE, "%s: the body ended early",
			                 b->answer.what);
		} else {
			(void)ociwp_wrap(&why, (int)n, "%s",
			                 b->answer.what ? b->answer.what : "GET");
		}
		int r = reconnect(b, failure, &why, err);
		if (r < 0)
			return r;
	}
}

static int blob_close(void *self, ociw_error **err)
{
	(void)err;
	blob_reader *b = self;
	ociwp_response_deinit(&b->answer);
	free(b->digest);
	free(b);
	return 0;
}

static const ociw_reader_ops blob_ops = {sizeof(blob_ops), blob_read, blob_close};

int ociwp_blob_reader_open(ociwp_repository *repo, const ociw_descriptor *desc, uint64_t offset,
                           const ociw_op *op, ociw_reader **out, ociw_error **err)
{
	if (offset > desc->size)
		return ociwp_fail(err, OCIW_ERR_INVALID, "offset past the end of the blob");
	blob_reader *b = ociwp_new(blob_reader);
	if (!b)
		return ociwp_nomem(err);
	ociwp_limits_get(op, &b->limits);
	if (op)
		b->op = *op;
	b->op.size = sizeof(b->op);
	b->op.limits = &b->limits;
	b->origin = repo;
	b->size = desc->size;
	b->at = b->last_at = offset;
	b->digest = ociwp_strdup(desc->digest);
	int r = 0;
	if (!b->digest)
		r = ociwp_nomem(err);
	else if (offset == desc->size && offset > 0)
		return ociw_reader_new(&blob_ops, b, out, err); /* nothing left to fetch */
	else
		r = connect_any(b, err);
	if (r < 0) {
		blob_close(b, NULL);
		return r;
	}
	return ociw_reader_new(&blob_ops, b, out, err);
}
