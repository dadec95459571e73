/* SPDX-License-Identifier: Apache-2.0
 *
 * One request and its answer: curl's callbacks on the I/O thread on one side of two ring buffers,
 * the calling thread on the other. It judges no status. Requirements HTTP-9, HTTP-10, PUL-7.
 */
#include "registry/exchange.h"

#include "base/str.h"
#include "base/time.h"
#include <openssl/x509_vfy.h>
#include <time.h>

#define HEADERS_MAX (64u * 1024)
/* Must hold what curl hands over in one call (CURL_MAX_WRITE_SIZE), twice to keep both ends busy.
 */
#define SMALL_RING (2u * CURL_MAX_WRITE_SIZE)
#define LARGE_RING (96u * 1024)
/* How often a waiting thread looks at the cancel flag. */
#define WAIT_MS 100

/* ---- the I/O thread ---- */

static void end_headers(ociwp_exchange *x)
{
	if (x->status >= 200) {
		x->headers_done = true;
		pthread_cond_signal(&x->cond);
	}
}

/* A status line begins an answer: an earlier one was a 1xx. */
static void begin_headers(ociwp_exchange *x, const char *line, size_t len)
{
	x->status = 0;
	ociwp_buf_clear(&x->headers);
	const char *space = memchr(line, ' ', len);
	if (!space)
		return;
	const char *end = line + len;
	int digits = 0, status = 0;
	for (space++; space < end && ociwp_is_digit(*space) && digits < 3; space++, digits++)
		status = status * 10 + (*space - '0');
	if (digits == 3)
		x->status = status;
}

static size_t on_header(char *data, size_t size, size_t count, void *self)
{
	ociwp_exchange *x = self;
	size_t len = size * count, taken = len;
	pthread_mutex_lock(&x->mutex);
	if (x->headers_done) {
		/* Trailers: nothing in them is used. */
	} else if (len >= 5 && memcmp(data, "HTTP/", 5) == 0) {
		begin_headers(x, data, len);
	} else {
		while (len && (data[len - 1] == '\r' || data[len - 1] == '\n'))
			len--;
		if (len == 0) {
			end_headers(x);
		} else if (x->headers.len + len >= HEADERS_MAX) {
			x->headers_too_large = true;
			taken = 0;
		} else if (!memchr(data, 0, len)) {
			ociwp_buf_append(&x->headers, data, len);
			ociwp_buf_putc(&x->headers, 0);
			x->no_memory = x->headers.failed;
			taken = x->no_memory ? 0 : taken;
		}
	}
	pthread_mutex_unlock(&x->mutex);
	return taken;
}

static bool make_down_ring(ociwp_exchange *x)
{
	curl_off_t length = -1;
	curl_easy_getinfo(x->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	size_t cap = length >= 0 && length <= (curl_off_t)SMALL_RING ? SMALL_RING : LARGE_RING;
	return ociwp_ring_init(&x->down, cap);
}

static size_t on_body(char *data, size_t size, size_t count, void *self)
{
	ociwp_exchange *x = self;
	size_t len = size * count, taken = len;
	pthread_mutex_lock(&x->mutex);
	if (!x->down.data && !make_down_ring(x)) {
		x->no_memory = true;
		taken = 0;
	} else if (!ociwp_ring_push(&x->down, data, len)) {
		x->receive_paused = true;
		taken = CURL_WRITEFUNC_PAUSE;
	}
	pthread_cond_signal(&x->cond);
	pthread_mutex_unlock(&x->mutex);
	return taken;
}

static size_t on_send(char *data, size_t size, size_t count, void *self)
{
	ociwp_exchange *x = self;
	pthread_mutex_lock(&x->mutex);
	size_t n = ociwp_ring_pop(&x->up, data, size * count);
	if (n == 0) {
		if (x->up_dropped) {
			n = CURL_READFUNC_ABORT;
		} else if (!x->up_ended) {
			x->send_paused = true;
			n = CURL_READFUNC_PAUSE;
		}
	}
	pthread_cond_signal(&x->cond);
	pthread_mutex_unlock(&x->mutex);
	return n;
}

/* curl calls this about once a second even when nothing moves. */
static int on_progress(void *self, curl_off_t total_down, curl_off_t received, curl_off_t total_up,
                       curl_off_t sent)
{
	(void)total_down;
	(void)total_up;
	ociwp_exchange *x = self;
	const ociwp_transport_options options = ociwp_transport_settings(x->transport);
	uint64_t now = ociwp_monotonic_ms();
	pthread_mutex_lock(&x->mutex);
	bool waiting_for_us = x->receive_paused || x->send_paused;
	bool waiting_for_answer = x->up.data && x->up_ended && x->up.len == 0 && !x->headers_done;
	if (received != x->last_received || sent != x->last_sent || waiting_for_us)
		x->last_progress_ms = now;
	x->last_received = received;
	x->last_sent = sent;
	uint64_t limit = waiting_for_answer ? options.answer_ms : options.stall_ms;
	if (limit < options.connect_ms && received == 0 && sent == 0)
		limit = options.connect_ms; /* connecting has a limit of its own */
	if (now - x->last_progress_ms > limit)
		x->stalled = true;
	bool stop = x->stalled;
	pthread_mutex_unlock(&x->mutex);
	return stop;
}

void ociwp_exchange_kicked(ociwp_exchange *x)
{
	pthread_mutex_lock(&x->mutex);
	bool paused = x->send_paused || x->receive_paused;
	x->send_paused = x->receive_paused = false;
	pthread_mutex_unlock(&x->mutex);
	/* The callbacks run inside this call and pause again where they must. */
	if (paused)
		curl_easy_pause(x->easy, CURLPAUSE_CONT);
}

void ociwp_exchange_finished(ociwp_exchange *x, CURLcode result)
{
	pthread_mutex_lock(&x->mutex);
	x->finished = true;
	x->result = result;
	(void)curl_easy_getinfo(x->easy, CURLINFO_HTTP_CONNECTCODE, &x->proxy_status);
	(void)curl_easy_getinfo(x->easy, CURLINFO_SSL_VERIFYRESULT, &x->verify_result);
	pthread_cond_signal(&x->cond);
	pthread_mutex_unlock(&x->mutex);
}

void ociwp_exchange_removed(ociwp_exchange *x)
{
	pthread_mutex_lock(&x->mutex);
	x->removed = true;
	pthread_cond_signal(&x->cond);
	pthread_mutex_unlock(&x->mutex);
}

/* ---- the calling thread ---- */

void ociwp_http_header(ociwp_http *http, const char *name, const char *value)
{
	if (!value || http->header_count == OCIWP_HTTP_HEADERS_MAX)
		return;
	http->headers[http->header_count].name = name;
	http->headers[http->header_count].value = value;
	http->header_count++;
}

static int add_line(ociwp_exchange *x, const char *name, const char *value, ociw_error **err)
{
	for (const char *p = value; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7F)
			return ociwp_fail(err, OCIW_ERR_UNSAFE, "control byte in header %s", name);
	}
	OCIWP_AUTO(buf) ociwp_buf line = OCIWP_BUF_INIT;
	ociwp_buf_printf(&line, "%s:%s%s", name, *value ? " " : "", value);
	struct curl_slist *longer = line.failed ? NULL : curl_slist_append(x->lines, line.data);
	if (line.data)
		explicit_bzero(line.data, line.len);
	if (!longer)
		return ociwp_nomem(err);
	x->lines = longer;
	return 0;
}

static int set_lines(ociwp_exchange *x, const ociwp_http *http, ociw_error **err)
{
	for (size_t i = 0; i < http->header_count; i++) {
		int r = add_line(x, http->headers[i].name, http->headers[i].value, err);
		if (r < 0)
			return r;
	}
	/* No wait for "100 Continue": the token is fresh, and registries answer early if they must.
	 */
	if (http->body_size != OCIWP_BODY_NONE) {
		int r = add_line(x, "Expect", "", err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
#else
	return curl_easy_setopt(easy, CURLOPT_PROTOCOLS,
	                        (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS)) == CURLE_OK;
#endif
}

static bool set_tls(CURL *easy, const ociwp_tls *tls)
{
	bool ok = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) ==
	          CURLE_OK;
	if (tls->insecure) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (tls->ca_file)
		ok = ok && curl_easy_setopt(easy, CURLOPT_CAINFO, tls->ca_file) == CURLE_OK &&
		     curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK;
	if (tls->proxy_ca_file)
		ok = ok &&
		     curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, tls->proxy_ca_file) == CURLE_OK &&
		     curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL) == CURLE_OK;
	if (tls->cert_file)
		ok = ok && curl_easy_setopt(easy, CURLOPT_SSLCERT, tls->cert_file) == CURLE_OK;
	if (tls->key_file)
		ok = ok && curl_easy_setopt(easy, CURLOPT_SSLKEY, tls->key_file) == CURLE_OK;
	return ok;
}

static bool make_ring(ociwp_exchange *x, const ociwp_http *http)
{
	if (http->body_size == OCIWP_BODY_NONE)
		return true;
	return ociwp_ring_init(&x->up, http->body_size <= SMALL_RING ? SMALL_RING : LARGE_RING);
}

static bool set_body(CURL *easy, const ociwp_http *http)
{
	if (http->body_size == OCIWP_BODY_NONE)
		return true;
	curl_off_t size = http->body_size == OCIWP_BODY_UNKNOWN ? -1 : (curl_off_t)http->body_size;
	return curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, size) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 64L * 1024) == CURLE_OK;
}

static bool set_options(ociwp_exchange *x)
{
	const ociwp_http *http = x->http;
	CURL *easy = x->easy;
	long connect_ms = (long)ociwp_transport_settings(x->transport).connect_ms;
	bool ok = set_protocols(easy) && set_tls(easy, &http->tls) && set_body(easy, http);
	ok = ok && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, x->lines) == CURLE_OK;
	ok = ok && curl_easy_setopt(easy, CURLOPT_URL, http->url) == CURLE_OK;
	ok = ok && curl_easy_setopt(easy, CURLOPT_USERAGENT, http->user_agent) == CURLE_OK;
	if (strcmp(http->method, "HEAD") == 0)
		ok = ok && curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
	else
		ok = ok && curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, http->method) == CURLE_OK;
	if (http->direct)
		ok = ok && curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, x);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, x->error_text);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
	                 http->large_answer ? (long)CURL_HTTP_VERSION_1_1
	                                    : (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 0L);
	curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 32L * 1024);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_send);
	curl_easy_setopt(easy, CURLOPT_READDATA, x);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, x);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	return ok;
}

bool ociwp_exchange_set_up(ociwp_exchange *x)
{
	x->easy = curl_easy_init();
	return x->easy && set_options(x);
}

static void free_exchange(ociwp_exchange *x)
{
	if (x->easy)
		curl_easy_cleanup(x->easy);
	for (struct curl_slist *line = x->lines; line; line = line->next)
		explicit_bzero(line->data, strlen(line->data));
	curl_slist_free_all(x->lines);
	ociwp_ring_deinit(&x->up);
	ociwp_ring_deinit(&x->down);
	ociwp_buf_deinit(&x->headers);
	pthread_cond_destroy(&x->cond);
	pthread_mutex_destroy(&x->mutex);
	free(x);
}

static int make_exchange(ociwp_transport *transport, const ociwp_http *http, ociwp_exchange **out,
                         ociw_error **err)
{
	ociwp_exchange *x = ociwp_new(ociwp_exchange);
	if (!x)
		return ociwp_nomem(err);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&x->cond, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&x->mutex, NULL);
	x->transport = transport;
	x->http = http;
	int r = set_lines(x, http, err);
	if (r == 0 && !make_ring(x, http))
		r = ociwp_nomem(err);
	if (r < 0) {
		free_exchange(x);
		return r;
	}
	*out = x;
	return 0;
}

/* Holding the lock: until something changed or it is time to look at the cancel flag. */
static int wait_a_while(ociwp_exchange *x, const ociw_op *op, ociw_error **err)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += WAIT_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	pthread_cond_timedwait(&x->cond, &x->mutex, &until);
	return ociwp_check_cancel(op, err);
}

/* A proxy that refused the tunnel, and will the next time. */
static bool is_refused_by_proxy(const ociwp_exchange *x)
{
	return x->result != CURLE_OK && x->proxy_status >= 400 && x->proxy_status < 500;
}

static ociwp_failure classify(const ociwp_exchange *x)
{
	if (is_refused_by_proxy(x))
		return OCIWP_FAILURE_PROTOCOL;
	switch (x->result) {
	case CURLE_OUT_OF_MEMORY:
		return OCIWP_FAILURE_LOCAL;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
		return OCIWP_FAILURE_CONNECT;
	case CURLE_OPERATION_TIMEDOUT: /* only the connect timeout is curl's */
		return OCIWP_FAILURE_CONNECT;
	case CURLE_SSL_CONNECT_ERROR:
		return OCIWP_FAILURE_TLS;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return OCIWP_FAILURE_VERIFY;
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_SEND_FAIL_REWIND: /* a kept connection had died; bodies are rewound by callers */
	case CURLE_ABORTED_BY_CALLBACK: /* the stall limit, or an upload cut short by an answer */
		return OCIWP_FAILURE_LOST;
	default:
		return x->no_memory ? OCIWP_FAILURE_LOCAL : OCIWP_FAILURE_PROTOCOL;
	}
}

/* A certificate that may be right, of an authority that is not known here. */
static bool lacks_authority(const ociwp_exchange *x)
{
	return x->result == CURLE_PEER_FAILED_VERIFICATION &&
	       (x->verify_result == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
	        x->verify_result == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
	        x->verify_result == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
	        x->verify_result == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	        x->verify_result == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE);
}

/* Holding the lock: the error of a finished exchange that did not end well. */
static int fail(ociwp_exchange *x, ociwp_failure *failure, ociw_error **err)
{
	*failure = classify(x);
	if (*failure == OCIWP_FAILURE_LOCAL)
		return ociwp_nomem(err);
	if (x->headers_too_large)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "more than %u bytes of headers",
		                  HEADERS_MAX);
	if (x->stalled)
		return ociwp_fail(err, OCIW_ERR_NETWORK, "the connection stalled");
	if (is_refused_by_proxy(x) && x->proxy_status == 407) {
		int r = ociwp_fail(err, OCIW_ERR_AUTH,
		                   "the proxy wants other credentials than its URL has");
		if (err)
			ociwp_error_set_http(*err, 407, NULL);
		return r;
	}
	if (is_refused_by_proxy(x))
		return ociwp_fail(err, OCIW_ERR_NETWORK, "the proxy refuses the way, answer %ld",
		                  x->proxy_status);
	const char *text = x->error_text[0] ? x->error_text : curl_easy_strerror(x->result);
	OCIWP_AUTO(buf) ociwp_buf shown = OCIWP_BUF_INIT;
	ociwp_escape(&shown, text, strlen(text));
	/* Files that were named are ours to name rightly: no network is at fault. */
	bool own = x->result == CURLE_SSL_CACERT_BADFILE || x->result == CURLE_SSL_CERTPROBLEM;
	return ociwp_fail(err, own ? OCIW_ERR_INVALID : OCIW_ERR_NETWORK, "%s%s",
	                  shown.data ? shown.data : "no answer",
	                  lacks_authority(x) ? "; to trust its authority, give that as --ca-file" : "");
}

/* Holding the lock: true when no more of the request's body is wanted. */
static bool feeding_is_over(const ociwp_exchange *x)
{
	return x->finished || (x->headers_done && x->status >= 300);
}

static void kick_locked(ociwp_exchange *x)
{
	pthread_mutex_unlock(&x->mutex);
	ociwp_transport_post(x, OCIWP_COMMAND_KICK);
	pthread_mutex_lock(&x->mutex);
}

/* Holding the lock, which is given up while the source is read: the free area is ours alone. */
static int feed_once(ociwp_exchange *x, ociw_reader *body, uint64_t *left, ociw_error **err)
{
	char *area;
	size_t room = ociwp_ring_free_area(&x->up, &area);
	if (room > *left)
		room = (size_t)*left;
	ptrdiff_t n = 0;
	if (room) {
		pthread_mutex_unlock(&x->mutex);
		n = ociw_reader_read(body, area, room, err);
		pthread_mutex_lock(&x->mutex);
		if (n < 0)
			return (int)n;
		ociwp_ring_produced(&x->up, (size_t)n);
		if (*left != OCIWP_BODY_UNKNOWN)
			*left -= (size_t)n;
	}
	if (n == 0 && *left && *left != OCIWP_BODY_UNKNOWN)
		return ociwp_fail(err, OCIW_ERR_SIZE, "the source ended %llu bytes too early",
		                  (unsigned long long)*left);
	if (n == 0 || *left == 0)
		x->up_ended = true;
	if (x->send_paused)
		kick_locked(x);
	return 0;
}

/* Holding the lock: sends the body. */
static int feed(ociwp_exchange *x, const ociwp_http *http, const ociw_op *op, ociw_error **err)
{
	uint64_t left = http->body_size;
	if (left == OCIWP_BODY_NONE)
		return 0;
	if (left == 0)
		x->up_ended = true;
	while (!x->up_ended && !feeding_is_over(x)) {
		int r = ociwp_ring_room(&x->up) ? feed_once(x, http->body, &left, err)
		                                : wait_a_while(x, op, err);
		if (r == 0)
			r = ociwp_check_cancel(op, err);
		if (r < 0)
			return r;
	}
	if (!x->up_ended) {
		/* Answered early. Below 400 curl would go on sending; make it stop. */
		x->up_dropped = true;
		if (x->send_paused)
			kick_locked(x);
	}
	return 0;
}

int ociwp_exchange_begin(ociwp_transport *transport, const ociwp_http *http, const ociw_op *op,
                         ociwp_exchange **out, ociwp_failure *failure, ociw_error **err)
{
	ociwp_exchange *x = NULL;
	*out = NULL;
	*failure = OCIWP_FAILURE_LOCAL;
	int r = make_exchange(transport, http, &x, err);
	if (r < 0)
		return r;
	ociwp_transport_post(x, OCIWP_COMMAND_ADD);
	pthread_mutex_lock(&x->mutex);
	r = feed(x, http, op, err);
	while (r == 0 && !x->headers_done && !x->finished)
		r = wait_a_while(x, op, err);
	if (r == 0 && !x->headers_done)
		r = fail(x, failure, err);
	pthread_mutex_unlock(&x->mutex);
	if (r < 0) {
		ociwp_exchange_close(x);
		return r;
	}
	*failure = OCIWP_FAILURE_NONE;
	*out = x;
	return 0;
}

int ociwp_exchange_status(const ociwp_exchange *x)
{
	return x->status; /* constant once begin has returned */
}

const char *ociwp_exchange_header(const ociwp_exchange *x, const char *name, size_t nth)
{
	size_t name_len = strlen(name);
	if (!x->headers.data)
		return NULL; /* an answer without any header */
	const char *end = x->headers.data + x->headers.len;
	for (const char *line = x->headers.data; line < end; line += strlen(line) + 1) {
		if (strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
			continue;
		if (nth--)
			continue;
		line += name_len + 1;
		return line + strspn(line, " \t");
	}
	return NULL;
}

ptrdiff_t ociwp_exchange_read(ociwp_exchange *x, void *buf, size_t len, const ociw_op *op,
                              ociwp_failure *failure, ociw_error **err)
{
	int r = 0;
	*failure = OCIWP_FAILURE_LOCAL;
	pthread_mutex_lock(&x->mutex);
	while (r == 0 && x->down.len == 0 && !x->finished)
		r = wait_a_while(x, op, err);
	size_t n = r == 0 ? ociwp_ring_pop(&x->down, buf, len) : 0;
	if (r == 0 && n == 0 && x->result != CURLE_OK)
		r = fail(x, failure, err);
	bool kick = r == 0 && x->receive_paused && ociwp_ring_room(&x->down) >= x->down.cap / 2;
	pthread_mutex_unlock(&x->mutex);
	if (kick)
		ociwp_transport_post(x, OCIWP_COMMAND_KICK);
	return r < 0 ? r : (ptrdiff_t)n;
}

void ociwp_exchange_close(ociwp_exchange *x)
{
	if (!x)
		return;
	ociwp_transport_post(x, OCIWP_COMMAND_REMOVE);
	pthread_mutex_lock(&x->mutex);
	while (!x->removed)
		pthread_cond_wait(&x->cond, &x->mutex);
	pthread_mutex_unlock(&x->mutex);
	free_exchange(x);
}
