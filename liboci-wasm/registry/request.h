/* SPDX-License-Identifier: Apache-2.0
 *
 * A request to a registry as its callers think of it: with redirects, retries, pauses and
 * credentials, over exchanges of the transport (HTTP-1..10, RET-1..4, AUT-8).
 */
#ifndef OCIW_REGISTRY_REQUEST_H
#define OCIW_REGISTRY_REQUEST_H

#include "oci/content.h"
#include "registry/client.h"
#include "registry/scope.h"
#include "registry/url.h"

typedef struct ociwp_request {
	const char *method;
	const char *url; /* absolute, or "/v2/..." at the host */
	const char *accept;
	const char *content_type;
	const char *range;
	const char *if_range;
	const char *content_range;
	const char *if_match;
	const char *if_none_match;
	ociw_span bytes; /* body in memory, when has_bytes */
	bool has_bytes;
	const ociwp_blob_source *source; /* or a body from a source, */
	uint64_t offset, size;           /* this part of it; size may be OCIWP_BODY_UNKNOWN */
	const ociwp_scopes *scopes;      /* what the request needs; NULL: nothing */
	const char *authorization;       /* sent to the very origin of `url`; then no 401 rounds */
	bool anonymous;                  /* neither credentials nor 401 rounds */
	bool once;         /* the caller repeats by itself: 401 rounds and redirects only */
	bool stay;         /* a redirect is an answer, */
	bool take_401;     /* and so is a 401 that no credentials meet */
	bool large_answer; /* see transport.h */
} ociwp_request;

typedef struct ociwp_response {
	ociwp_exchange *exchange;
	int status;
	uint64_t sent; /* bytes of the request's body; 0 when it had none, or of unknown length */
	ociwp_url url; /* that answered, after redirects */
	char *what;    /* "GET https://...", secrets cut */
	ociwp_host *host;
	bool blob_unknown; /* set by ociwp_response_fail(): MANIFEST_BLOB_UNKNOWN is among its codes
	                    */
} ociwp_response;

/* 0 with an answer of any status, retries spent where they apply; < 0 without one. @p failure (may
 * be NULL) says why. */
int ociwp_request_run(ociwp_host *host, const ociwp_request *request, const ociw_op *op,
                      ociwp_response *out, ociwp_failure *failure, ociw_error **err);
void ociwp_response_deinit(ociwp_response *response);
static inline void ociwp_cleanup_response(ociwp_response *response)
{
	ociwp_response_deinit(response);
}
static inline const char *ociwp_response_header(const ociwp_response *response, const char *name)
{
	return ociwp_exchange_header(response->exchange, name, 0);
}
/* The whole body, OCIW_ERR_LIMIT past @p max; @p what names it. @p failure (may be NULL) says why it
 * broke off. */
int ociwp_response_read(ociwp_response *response, uint64_t max, const char *what, const ociw_op *op,
                        ociwp_buf *out, ociwp_failure *failure, ociw_error **err);
/* After a body that broke off in try @p tries: 0 when the whole request is to be sent again, after
 * a wait; else the error, which is @p why moved when there is no more to try (RET-1). */
int ociwp_request_again(ociwp_failure failure, unsigned tries, ociw_error **why, const ociw_op *op,
                        ociw_error **err);
/* Says what is tried again and why (the message of @p about, with its digest and counts), then waits. */
int ociwp_wait_to_retry(const ociw_event *about, uint64_t delay, const ociw_op *op,
                        ociw_error **err);
/* "bytes A-B/T" or "bytes A-B/ *": first and, when known, total. */
bool ociwp_content_range_parse(const char *text, uint64_t *first, uint64_t *total, bool *known);
/* Reads a small body away, so that the connection can be used again. Never fails. */
void ociwp_response_drain(ociwp_response *response, const ociw_op *op);
/* The error that an answer means: code by status, the registry's own words, a next step. */
int ociwp_response_fail(ociwp_response *response, const ociw_op *op, ociw_error **err);
/* refused.c: the same for an answer to @p request, which may be a HEAD: then the words are asked for. */
int ociwp_request_fail(ociwp_host *host, const ociwp_request *request, ociwp_response *answer,
                       const ociw_op *op, ociw_error **err);
/* refused.c: @p code and *err are of an answer with @p status; returns the code of what is *err then. */
int ociwp_refused_explain(ociwp_host *host, const ociwp_request *request, int status,
                          const ociw_op *op, int code, ociw_error **err);

/* Finds out how a loopback host is called (TLS-2). */
int ociwp_host_find_scheme(ociwp_host *host, const ociw_op *op, ociw_error **err);
/* "http://host" or "https://host". */
int ociwp_host_base(ociwp_host *host, const ociw_op *op, ociwp_url *out, ociw_error **err);
/* Sleeps, or stops when cancelled. */
int ociwp_sleep_ms(uint64_t ms, const ociw_op *op, ociw_error **err);

/* Wipes and frees text that held a secret. NULL is fine. */
void ociwp_secret_free(char *secret);
static inline void ociwp_cleanup_secret(char **secret)
{
	ociwp_secret_free(*secret);
}

#endif
