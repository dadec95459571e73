/* SPDX-License-Identifier: Apache-2.0
 *
 * A file of any web server into a writer, under the rules of requests to registries (HTTP-3..7,
 * RET-1, RET-5) but without credentials. Whether the bytes are the wanted ones is for the caller to say.
 */
#include "registry/request.h"

#include "base/op.h"
#include "base/str.h"
#include <stdio.h>

#define CHUNK (64 * 1024)
/* So much progress makes the count of tries begin anew. */
#define PROGRESS_BYTES (1024u * 1024)

typedef struct transfer {
	const ociw_op *op;
	ociw_writer *into;
	uint64_t max, total; /* at most; passed on so far */
	char *etag;          /* a strong one, or NULL: what came cannot be gone on with */
} transfer;

/* The record of the host that a URL names; the port of its scheme is left out, as people do. */
static int host_of(ociw_client *client, const ociwp_url *url, ociwp_host **out, ociw_error **err)
{
	const char *authority = strstr(url->origin, "://") + 3;
	const char *standard = url->https ? ":443" : ":80";
	size_t len = strlen(authority);
	if (ociwp_ends_with(authority, standard))
		len -= strlen(standard);
	OCIWP_AUTO(str) char *text = ociwp_strndup(authority, len);
	if (!text)
		return ociwp_nomem(err);
	return ociwp_client_host(client, text, NULL, out, err);
}

/* Bytes behind the first @p skip of the answer, which are there already. */
static int pass_body(transfer *t, ociwp_response *answer, uint64_t skip, ociwp_failure *failure,
                     ociw_error **err)
{
	OCIWP_AUTO(mem) char *chunk = ociwp_malloc(CHUNK);
	*failure = OCIWP_FAILURE_LOCAL;
	if (!chunk)
		return ociwp_nomem(err);
	for (;;) {
		size_t want = skip && skip < CHUNK ? (size_t)skip : CHUNK;
		ptrdiff_t n =
		        ociwp_exchange_read(answer->exchange, chunk, want, t->op, failure, err);
		if (n < 0)
			return ociwp_wrap(err, (int)n, "%s", answer->what);
		if (n == 0)
			return 0;
		if (skip) {
			skip -= (uint64_t)n;
			continue;
		}
		*failure = OCIWP_FAILURE_LOCAL;
		if ((uint64_t)n > t->max - t->total)
			return ociwp_fail(err, OCIW_ERR_LIMIT, "%s: it has more than %llu bytes",
			                  answer->what, (unsigned long long)t->max);
		int r = ociw_writer_write(t->into, chunk, (size_t)n, err);
		if (r < 0)
			return r;
		t->total += (uint64_t)n;
	}
}

static int keep_etag(transfer *t, const char *etag, ociw_error **err)
{
	free(ociwp_steal(&t->etag));
	if (!etag || *etag != '"') /* a weak one does not promise the same bytes */
		return 0;
	t->etag = ociwp_strdup(etag);
	return t->etag ? 0 : ociwp_nomem(err);
}

/* The start of the file, or its rest: @p skip bytes of it are there already. */
static int judge(transfer *t, ociwp_response *answer, uint64_t *skip, ociw_error **err)
{
	const char *etag = ociwp_response_header(answer, "ETag");
	const char *range = ociwp_response_header(answer, "Content-Range");
	uint64_t first, whole;
	bool known;
	bool rest = answer->status == 206 && t->total;
	*skip = rest ? 0 : t->total;
	answer->host = NULL; /* logging in would not help: no hint */
	if (answer->status != 200 && !rest)
		return ociwp_response_fail(answer, t->op, err);
	if (t->total == 0)
		return keep_etag(t, etag, err);
	if (etag ? !ociwp_streq(etag, t->etag) : !rest)
		return ociwp_fail(err, OCIW_ERR_NETWORK,
		                  "%s: the file changed while it was fetched", answer->what);
	if (rest && (!range || ociwp_exchange_header(answer->exchange, "Content-Range", 1) ||
	             !ociwp_content_range_parse(range, &first, &whole, &known) ||
	             first != t->total))
		return ociwp_fail(err, OCIW_ERR_REGISTRY,
		                  "%s: answer 206 without the Content-Range that was asked for",
		                  answer->what);
	return 0;
}

/* One request; *failure tells whether another is worth it. */
static int fetch_once(transfer *t, ociwp_host *host, const char *url, ociwp_failure *failure,
                      ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
	char range[40];
	uint64_t skip;
	ociwp_request request = {
	        .method = "GET", .url = url, .anonymous = true, .large_answer = true};
	if (t->total) {
		snprintf(range, sizeof(range), "bytes=%llu-", (unsigned long long)t->total);
		request.range = range;
		request.if_range = t->etag;
	}
	int r = ociwp_request_run(host, &request, t->op, &answer, NULL, err);
	*failure = OCIWP_FAILURE_LOCAL; /* the request layer has spent its own tries */
	if (r == 0)
		r = judge(t, &answer, &skip, err);
	if (r == 0)
		r = pass_body(t, &answer, skip, failure, err);
	if (t->total && !t->etag)
		*failure = OCIWP_FAILURE_LOCAL;
	return r;
}

static int fetch(transfer *t, ociwp_host *host, const char *url, ociw_error **err)
{
	unsigned tries = 0;
	for (;;) {
		ociw_error *why = NULL;
		ociwp_failure failure;
		uint64_t before = t->total;
		int r = fetch_once(t, host, url, &failure, &why);
		if (r == 0)
			return 0;
		tries = t->total - before >= PROGRESS_BYTES ? 1 : tries + 1;
		r = ociwp_request_again(failure, tries, &why, t->op, err);
		if (r < 0)
			return r;
	}
}

int ociw_client_get(ociw_client *client, const char *url, const ociw_op *op, ociw_writer *into,
                    ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_url))) ociwp_url parsed = {0};
	ociwp_host *host;
	ociw_limits limits;
	ociwp_limits_get(op, &limits);
	transfer t = {.op = op, .into = into, .max = limits.max_blob_bytes};
	int r = ociwp_url_parse(url, NULL, &parsed, err);
	if (r == 0)
		r = host_of(client, &parsed, &host, err);
	if (r == 0)
		r = fetch(&t, host, parsed.text, err);
	free(t.etag);
	return r;
}
