/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers: reading their bodies under a cap, and turning failed ones into errors. It sends nothing.
 * Requirements ERR-1..5, PSH-16, RET-6, A17.
 */
#include "registry/request.h"

#include "base/str.h"
#include "codec/registry-error.h"

#define ERROR_BODY_MAX (64u * 1024)

void ociwp_secret_free(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void ociwp_response_deinit(ociwp_response *response)
{
	ociwp_exchange_close(response->exchange);
	ociwp_url_deinit(&response->url);
	free(response->what);
	*response = (ociwp_response){0};
}

/* At most @p max bytes; *more tells whether there were more. */
static int read_some(ociwp_response *response, uint64_t max, const ociw_op *op, ociwp_buf *out,
                     bool *more, ociwp_failure *failure, ociw_error **err)
{
	char chunk[4096];
	*more = false;
	for (;;) {
		ptrdiff_t n = ociwp_exchange_read(response->exchange, chunk, sizeof(chunk), op,
		                                  failure, err);
		if (n <= 0)
			return (int)n;
		if ((uint64_t)n > max - out->len) {
			ociwp_buf_append(out, chunk, (size_t)(max - out->len));
			*more = true;
			return 0;
		}
		ociwp_buf_append(out, chunk, (size_t)n);
		if (out->failed)
			return ociwp_nomem(err);
	}
}

int ociwp_response_read(ociwp_response *response, uint64_t max, const char *what, const ociw_op *op,
                        ociwp_buf *out, ociwp_failure *failure, ociw_error **err)
{
	bool more;
	ociwp_failure ignored;
	if (!failure)
		failure = &ignored;
	*failure = OCIWP_FAILURE_LOCAL;
	int r = read_some(response, max, op, out, &more, failure, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s", response->what);
	if (more)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "%s: %s is larger than %llu bytes",
		                  response->what, what, (unsigned long long)max);
	return ociwp_buf_check(out, err);
}

void ociwp_response_drain(ociwp_response *response, const ociw_op *op)
{
	OCIWP_AUTO(buf) ociwp_buf body = OCIWP_BUF_INIT;
	bool more;
	ociwp_failure failure;
	if (response->exchange)
		(void)read_some(response, ERROR_BODY_MAX, op, &body, &more, &failure, NULL);
}

bool ociwp_content_range_parse(const char *text, uint64_t *first, uint64_t *total, bool *known)
{
	if (strncasecmp(text, "bytes", 5) != 0)
		return false;
	text += 5 + strspn(text + 5, " \t=");
	size_t len = strcspn(text, "-");
	if (!ociwp_parse_u64(text, len, first) || text[len] != '-')
		return false;
	text += len + 1;
	size_t last_len = strcspn(text, "/");
	uint64_t last;
	if (!ociwp_parse_u64(text, last_len, &last) || text[last_len] != '/' || last < *first)
		return false;
	text += last_len + 1;
	*known = strcmp(text, "*") != 0;
	return !*known || ociwp_parse_u64(text, strlen(text), total);
}

static ociw_code code_of(int status)
{
	switch (status) {
	case 401:
	case 407:
		return OCIW_ERR_AUTH;
	case 403:
		return OCIW_ERR_DENIED;
	case 404:
		return OCIW_ERR_NOTFOUND;
	case 405:
	case 501:
		return OCIW_ERR_UNSUPPORTED;
	case 413:
		return OCIW_ERR_LIMIT;
	case 408:
	case 429:
	case 499:
	case 500:
	case 502:
	case 503:
	case 504:
	case 522:
		return OCIW_ERR_NETWORK;
	default:
		return OCIW_ERR_REGISTRY;
	}
}

/* The registry's own code says more than some statuses do. */
static ociw_code refine(ociw_code code, const char *registry_code)
{
	if (!registry_code || code != OCIW_ERR_REGISTRY)
		return code;
	if (ociwp_streq(registry_code, "UNAUTHORIZED"))
		return OCIW_ERR_AUTH;
	if (ociwp_streq(registry_code, "DENIED"))
		return OCIW_ERR_DENIED;
	if (ociwp_streq(registry_code, "TOOMANYREQUESTS"))
		return OCIW_ERR_NETWORK;
	if (ociwp_streq(registry_code, "UNSUPPORTED"))
		return OCIW_ERR_UNSUPPORTED;
	return code;
}

static void put_value(ociwp_buf *out, const char *before, const char *value)
{
	if (!value)
		return;
	ociwp_buf_puts(out, before);
	ociwp_escape(out, value, strlen(value));
}

static void put_hint(const ociwp_response *response, ociw_code code, ociwp_buf *out)
{
	const char *limit = ociwp_response_header(response, "ratelimit-limit");
	const char *remaining = ociwp_response_header(response, "ratelimit-remaining");
	if (response->status == 407)
		ociwp_buf_puts(out, "; the proxy wants other credentials than its URL has");
	else if (code == OCIW_ERR_AUTH && response->host)
		ociwp_buf_printf(out, "; log in with: oci-wasm login %s", response->host->name);
	if (response->status == 413)
		ociwp_buf_puts(out, "; the registry takes nothing this large");
	if (response->status == 413 && response->sent)
		ociwp_buf_printf(out, " (%llu bytes)", (unsigned long long)response->sent);
	if (response->status == 429 && (limit || remaining)) {
		ociwp_buf_puts(out, "; rate limit");
		put_value(out, ": ", limit);
		put_value(out, ", remaining: ", remaining);
	}
}

int ociwp_response_fail(ociwp_response *response, const ociw_op *op, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf body = OCIWP_BUF_INIT;
	OCIWP_AUTO(buf) ociwp_buf hint = OCIWP_BUF_INIT;
	__attribute__((cleanup(ociwp_cleanup_registry_error))) ociwp_registry_error parsed = {0};
	bool more;
	ociwp_failure failure;
	/* A body that breaks off does not change what the status says; what we lack does. */
	int r = read_some(response, ERROR_BODY_MAX, op, &body, &more, &failure, NULL);
	if (r == OCIW_ERR_NOMEM)
		return ociwp_nomem(err);
	r = ociwp_registry_error_parse((ociw_span){body.data, body.len}, &parsed, err);
	if (r < 0)
		return r;
	response->blob_unknown =
	        ociwp_registry_error_has(ociwp_buf_span(&body), "MANIFEST_BLOB_UNKNOWN");
	ociw_code code = refine(code_of(response->status), parsed.code);
	put_hint(response, code, &hint);
	if (hint.failed)
		return ociwp_nomem(err);
	r = ociwp_fail(err, code, "%s: answer %d%s%s%s%s", response->what, response->status,
	               *parsed.text ? " (" : "", parsed.text, *parsed.text ? ")" : "",
	               hint.data ? hint.data : "");
	if (err)
		ociwp_error_set_http(*err, response->status, parsed.code);
	return r;
}
