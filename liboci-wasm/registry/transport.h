/* SPDX-License-Identifier: Apache-2.0
 *
 * One I/O thread with a curl multi handle, and exchanges: one request and its answer, its body
 * moving through a bounded buffer. No redirect, no retry, no credentials here: request.c does
 * those.
 */
#ifndef OCIW_REGISTRY_TRANSPORT_H
#define OCIW_REGISTRY_TRANSPORT_H

#include "base/op.h"
#include "io/stream.h"

typedef struct ociwp_transport ociwp_transport;
typedef struct ociwp_exchange ociwp_exchange;

/* Why there was no whole answer. */
typedef enum ociwp_failure {
	OCIWP_FAILURE_NONE = 0,
	OCIWP_FAILURE_LOCAL,   /* our own side: cancelled, memory, the body's source */
	OCIWP_FAILURE_CONNECT, /* name, route, refused, timeout before anything was sent */
	OCIWP_FAILURE_TLS,     /* handshake: the far end may not speak TLS at all */
	OCIWP_FAILURE_VERIFY,  /* certificate refused: never tried again */
	OCIWP_FAILURE_LOST,    /* reset, stall, early end */
	OCIWP_FAILURE_PROTOCOL /* what came is no HTTP, or over a cap: never tried again */
} ociwp_failure;

/* 0: the default that stands beside it. */
typedef struct ociwp_transport_options {
	uint64_t connect_ms; /* 30,000 */
	uint64_t stall_ms;   /* without a byte while a body moves: 60,000 */
	uint64_t answer_ms;  /* for the answer once an upload is sent: 300,000 */
} ociwp_transport_options;

/* TLS of one host; strings borrowed for the time of the exchange. */
typedef struct ociwp_tls {
	bool insecure;
	const char *ca_file; /* NULL: the system's */
	const char *cert_file;
	const char *key_file;
	const char *proxy_ca_file; /* of an https proxy; NULL: the system's */
} ociwp_tls;

#define OCIWP_HTTP_HEADERS_MAX 16
#define OCIWP_BODY_NONE UINT64_MAX
#define OCIWP_BODY_UNKNOWN (UINT64_MAX - 1) /* until the reader's end: chunked */

typedef struct ociwp_http {
	const char *method;
	const char *url;
	const char *user_agent;
	struct {
		const char *name;
		const char *value;
	} headers[OCIWP_HTTP_HEADERS_MAX];
	size_t header_count;
	uint64_t body_size; /* or one of the two above */
	ociw_reader *body;  /* borrowed; NULL for size 0 */
	bool direct;        /* no proxy, whatever the environment says */
	/* More may come than is to be held in memory: libcurl takes in up to 32 MiB of each HTTP/2
	 * stream whether we keep up or not, so it goes by HTTP/1.1, where TCP holds the sender. */
	bool large_answer;
	ociwp_tls tls;
} ociwp_http;

/* Appends a header unless @p value is NULL. */
void ociwp_http_header(ociwp_http *http, const char *name, const char *value);

/* Starts the thread, which starts libcurl: the first request waits for that, this call does not.
 * @p options is borrowed, and read with each request; NULL: the defaults. */
int ociwp_transport_new(const ociwp_transport_options *options, ociwp_transport **out,
                        ociw_error **err);
/* Stops the thread; no exchange may be left. NULL is fine. */
void ociwp_transport_free(ociwp_transport *transport);

/* Sends and waits until the headers of the final answer are there. Strings of @p http are not used
 * after it returned. @p failure is set whenever the result is negative. */
int ociwp_exchange_begin(ociwp_transport *transport, const ociwp_http *http, const ociw_op *op,
                         ociwp_exchange **out, ociwp_failure *failure, ociw_error **err);
int ociwp_exchange_status(const ociwp_exchange *x);
/* Value of the nth header of this name (any case), NULL past the last. Borrowed. */
const char *ociwp_exchange_header(const ociwp_exchange *x, const char *name, size_t nth);
/* Bytes of the answer's body: > 0, 0 at its proper end, < 0 code. */
ptrdiff_t ociwp_exchange_read(ociwp_exchange *x, void *buf, size_t len, const ociw_op *op,
                              ociwp_failure *failure, ociw_error **err);
/* Gives up what has not arrived yet and frees. NULL is fine. */
void ociwp_exchange_close(ociwp_exchange *x);
OCIWP_DEFINE_AUTO(exchange, ociwp_exchange *, ociwp_exchange_close)

#endif
