/* SPDX-License-Identifier: Apache-2.0
 *
 * A file of any web server into a writer, under the rules of requests to registries (HTTP-3..7,
 * RET-1) but without credentials. Whether the bytes are the wanted ones is for the caller to say.
 */
#include "registry/request.h"

#include "base/op.h"

#define CHUNK (64 * 1024)

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

static int pass_body(ociwp_response *answer, uint64_t max, const ociw_op *op, ociw_writer *into,
                     ociw_error **err)
{
	OCIWP_AUTO(mem) char *chunk = ociwp_malloc(CHUNK);
	ociwp_failure failure;
	uint64_t total = 0;
	if (!chunk)
		return ociwp_nomem(err);
	for (;;) {
		ptrdiff_t n =
		        ociwp_exchange_read(answer->exchange, chunk, CHUNK, op, &failure, err);
		if (n < 0)
			return ociwp_wrap(err, (int)n, "%s", answer->what);
		if (n == 0)
			return 0;
		if ((uint64_t)n > max - total)
			return ociwp_fail(err, OCIW_ERR_LIMIT, "%s: it has more than %llu bytes",
			                  answer->what, (unsigned long long)max);
		total += (uint64_t)n;
		int r = ociw_writer_write(into, chunk, (size_t)n, err);
		if (r < 0)
			return r;
	}
}

int ociw_client_get(ociw_client *client, const char *url, const ociw_op *op, ociw_writer *into,
                    ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
	__attribute__((cleanup(ociwp_cleanup_url))) ociwp_url parsed = {0};
	ociwp_host *host;
	ociw_limits limits;
	ociwp_limits_get(op, &limits);
	int r = ociwp_url_parse(url, NULL, &parsed, err);
	if (r == 0)
		r = host_of(client, &parsed, &host, err);
	if (r < 0)
		return r;
	ociwp_request request = {
	        .method = "GET", .url = parsed.text, .anonymous = true, .large_answer = true};
	r = ociwp_request_run(host, &request, op, &answer, NULL, err);
	if (r < 0)
		return r;
	answer.host = NULL; /* logging in would not help: no hint */
	if (answer.status != 200)
		return ociwp_response_fail(&answer, op, err);
	return pass_body(&answer, limits.max_blob_bytes, op, into, err);
}
