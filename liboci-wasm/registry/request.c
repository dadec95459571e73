/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs requests: scheme of loopback hosts, hand-made redirects with their guards, 401 rounds,
 * retries with backoff and pauses of a whole host. It knows no endpoint of the API. HTTP-1..8,
 * RET-1..4, AUT-8.
 */
#include "registry/request.h"

#include "base/str.h"
#include "base/time.h"
#include "registry/auth.h"
#include "registry/exchange.h"
#include "registry/probe.h"
#include "registry/retry.h"
#include "registry/tls.h"
#include <time.h>

#define AUTH_ROUNDS 2

typedef struct run_state {
	ociwp_host *host;
	const ociwp_request *request;
	const ociw_op *op;
	ociw_limits limits;
	ociwp_scopes scopes; /* wanted, growing by what challenges ask */
	ociwp_url base;      /* the registry's origin */
	unsigned auth_rounds;
	char *used; /* Authorization of the last exchange */
} run_state;

int ociwp_sleep_ms(uint64_t ms, const ociw_op *op, ociw_error **err)
{
	uint64_t end = ociwp_monotonic_ms() + ms;
	for (;;) {
		int r = ociwp_check_cancel(op, err);
		uint64_t now = ociwp_monotonic_ms();
		if (r < 0 || now >= end)
			return r;
		uint64_t step = end - now < 100 ? end - now : 100;
		struct timespec ts = {0, (long)step * 1000000L};
		nanosleep(&ts, NULL);
	}
}

/* ---- how a host is called ---- */

/* Nothing is verified and nothing secret said here; what follows over TLS is verified. */
static int probe(ociwp_host *host, const ociw_op *op, ociw_error **err)
{
	ociwp_transport *transport;
	bool tls = false;
	int r = ociwp_client_transport(host->client, &transport, err);
	if (r == 0)
		r = ociwp_probe_tls(host->authority, ociwp_transport_settings(transport).connect_ms,
		                    op, &tls, err);
	if (r < 0)
		return r;
	pthread_mutex_lock(&host->mutex);
	host->scheme = tls ? OCIWP_SCHEME_HTTPS : OCIWP_SCHEME_HTTP;
	pthread_mutex_unlock(&host->mutex);
	return 0;
}

static ociwp_scheme scheme_of(ociwp_host *host)
{
	pthread_mutex_lock(&host->mutex);
	ociwp_scheme scheme = host->scheme;
	pthread_mutex_unlock(&host->mutex);
	return scheme;
}

int ociwp_host_find_scheme(ociwp_host *host, const ociw_op *op, ociw_error **err)
{
	if (scheme_of(host) != OCIWP_SCHEME_UNKNOWN)
		return 0;
	int r = ociwp_host_begin(host, op, err);
	if (r < 0)
		return r;
	if (scheme_of(host) == OCIWP_SCHEME_UNKNOWN)
		r = probe(host, op, err);
	ociwp_host_done(host);
	return r;
}

int ociwp_host_base(ociwp_host *host, const ociw_op *op, ociwp_url *out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	int r = ociwp_host_find_scheme(host, op, err);
	if (r < 0)
		return r;
	ociwp_buf_printf(&text, "%s://%s/", scheme_of(host) == OCIWP_SCHEME_HTTP ? "http" : "https",
	                 host->authority);
	r = ociwp_buf_check(&text, err);
	return r < 0 ? r : ociwp_url_parse(text.data, NULL, out, err);
}

/* ---- pauses ---- */

static int wait_for_host(ociwp_host *host, const ociw_op *op, ociw_error **err)
{
	pthread_mutex_lock(&host->mutex);
	uint64_t until = host->pause_until_ms;
	pthread_mutex_unlock(&host->mutex);
	uint64_t now = ociwp_monotonic_ms();
	return until > now ? ociwp_sleep_ms(until - now, op, err) : 0;
}

static void pause_host(ociwp_host *host, uint64_t ms)
{
	uint64_t until = ociwp_monotonic_ms() + ms;
	pthread_mutex_lock(&host->mutex);
	if (until > host->pause_until_ms)
		host->pause_until_ms = until;
	pthread_mutex_unlock(&host->mutex);
}

/* ---- one exchange ---- */

static int open_body(const ociwp_request *request, const ociw_op *op, ociw_reader **out,
                     uint64_t *size, ociw_error **err)
{
	*out = NULL;
	*size = OCIWP_BODY_NONE;
	if (request->source) {
		*size = request->size;
		if (*size == 0)
			return 0;
		return request->source->open(request->source->self, request->offset, op, out, err);
	}
	if (!request->has_bytes)
		return 0;
	*size = request->bytes.len;
	return *size ? ociw_reader_new_memory(request->bytes, out, err) : 0;
}

/* The record of whoever is called: the registry, or where a redirect led. */
static int host_of_url(run_state *run, const ociwp_url *url, ociwp_host **out, ociw_error **err)
{
	if (ociwp_url_same_origin(url, &run->base)) {
		*out = run->host;
		return 0;
	}
	const char *authority = strstr(url->origin, "://") + 3;
	size_t len = strlen(authority);
	const char *standard = url->https ? ":443" : ":80";
	if (ociwp_ends_with(authority, standard))
		len -= strlen(standard);
	OCIWP_AUTO(str) char *text = ociwp_strndup(authority, len);
	if (!text)
		return ociwp_nomem(err);
	return ociwp_client_host(run->host->client, text, NULL, out, err);
}

static bool is_direct(const ociwp_url *url)
{
	const char *no_proxy = getenv("no_proxy");
	const char *port = strrchr(url->origin, ':') + 1;
	return ociwp_tls_no_proxy(url->host, port, no_proxy ? no_proxy : getenv("NO_PROXY"));
}

static int describe(const char *method, const char *url, char **out, ociw_error **err)
{
	ociwp_buf what = OCIWP_BUF_INIT;
	ociwp_buf_puts(&what, method);
	ociwp_buf_putc(&what, ' ');
	ociwp_url_redact(url, &what);
	if (what.failed) {
		ociwp_buf_deinit(&what);
		return ociwp_nomem(err);
	}
	*out = ociwp_buf_steal(&what);
	return 0;
}

/* Text of `299 - "text"` without its quotes and escapes, or nothing (HTTP-8). */
static bool warning_text(const char *value, ociwp_buf *out)
{
	static const char prefix[] = "299 - \"";
	if (strncmp(value, prefix, sizeof(prefix) - 1) != 0)
		return false;
	const char *p = value + sizeof(prefix) - 1;
	for (; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		ociwp_buf_putc(out, *p);
	}
	return *p == '"' && out->len > 0 && !out->failed;
}

static int pass_warnings(run_state *run, ociwp_exchange *x, ociw_error **err)
{
	const char *value;
	for (size_t i = 0; (value = ociwp_exchange_header(x, "Warning", i)); i++) {
		OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
		if (!warning_text(value, &text) ||
		    !ociwp_client_warn_once(run->host->client, text.data))
			continue;
		int r = ociwp_warn(run->op, err, "%s says: %s", run->host->name, text.data);
		if (r < 0)
			return r;
	}
	return 0;
}

static int exchange(run_state *run, const ociwp_url *url, const char *method, bool with_body,
                    bool trusted, ociwp_response *out, ociwp_failure *failure, ociw_error **err)
{
	const ociwp_request *q = run->request;
	OCIWP_AUTO(reader) ociw_reader *body = NULL;
	ociwp_transport *transport;
	ociwp_host *target;
	uint64_t size = OCIWP_BODY_NONE;
	*failure = OCIWP_FAILURE_LOCAL;
	int r = host_of_url(run, url, &target, err);
	if (r == 0)
		r = wait_for_host(target, run->op, err);
	if (r == 0)
		r = ociwp_client_transport(run->host->client, &transport, err);
	if (r == 0 && with_body)
		r = open_body(q, run->op, &body, &size, err);
	ociwp_secret_free(ociwp_steal(&run->used));
	if (r == 0 && trusted && q->authorization)
		run->used = ociwp_strdup(q->authorization);
	else if (r == 0 && trusted && !q->anonymous)
		r = ociwp_auth_header(run->host, &run->scopes, run->op, &run->used, err);
	if (r < 0)
		return r;
	ociwp_http http = {
	        .method = method,
	        .url = url->text,
	        .user_agent = run->host->client->user_agent,
	        .body = body,
	        .body_size = size,
	        .direct = is_direct(url),
	        .large_answer = q->large_answer,
	        .tls = ociwp_tls_of(target, target == run->host),
	};
	ociwp_http_header(&http, "Accept", q->accept ? q->accept : "*/*");
	ociwp_http_header(&http, "Authorization", run->used);
	ociwp_http_header(&http, "Range", q->range);
	ociwp_http_header(&http, "If-Range", q->if_range);
	ociwp_http_header(&http, "If-Match", q->if_match);
	ociwp_http_header(&http, "If-None-Match", q->if_none_match);
	if (size != OCIWP_BODY_NONE) {
		ociwp_http_header(&http, "Content-Type", q->content_type);
		ociwp_http_header(&http, "Content-Range", q->content_range);
	}
	r = ociwp_exchange_begin(transport, &http, run->op, &out->exchange, failure, err);
	if (r < 0)
		return r;
	out->status = ociwp_exchange_status(out->exchange);
	out->sent = size < OCIWP_BODY_UNKNOWN ? size : 0;
	out->host = target == run->host ? run->host : NULL;
	r = ociwp_note(run->op, err, "%s: %d", out->what, out->status);
	return r < 0 ? r : pass_warnings(run, out->exchange, err);
}

/* ---- redirects ---- */

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Judges where a redirect leads (HTTP-4, HTTP-6). */
static int judge_redirect(const run_state *run, const ociwp_url *from, const ociwp_url *to,
                          ociw_error **err)
{
	if (from->https && !to->https)
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "redirect from https to http (%s)",
		                  ociwp_quote(to->host));
	if (!run->host->private_literal && ociwp_host_is_private(to->host))
		return ociwp_fail(err, OCIW_ERR_UNSAFE,
		                  "redirect from a public registry to private address %s",
		                  ociwp_quote(to->host));
	return 0;
}

static int follow(run_state *run, ociwp_response *answer, ociwp_url *url, bool *trusted,
                  ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_url))) ociwp_url next = {0};
	const char *location = ociwp_response_header(answer, "Location");
	if (!location)
		return ociwp_fail(err, OCIW_ERR_REGISTRY, "answer %d without a Location",
		                  answer->status);
	int r = ociwp_url_parse(location, url, &next, err);
	if (r == 0)
		r = judge_redirect(run, url, &next, err);
	if (r < 0)
		return r;
	/* Once given up, credentials are not taken up again on a later hop. */
	*trusted = *trusted && ociwp_url_same_origin(url, &next);
	ociwp_url_deinit(url);
	*url = next;
	next = (ociwp_url){0};
	return 0;
}

/* One try: exchanges until an answer that is neither a redirect to follow nor a 401 to meet. */
static int attempt(run_state *run, ociwp_response *out, ociwp_failure *failure, ociw_error **err)
{
	const ociwp_request *q = run->request;
	__attribute__((cleanup(ociwp_cleanup_url))) ociwp_url url = {0};
	const char *method = q->method;
	bool with_body = true;
	uint64_t hops = 0;
	*failure = OCIWP_FAILURE_LOCAL;
	int r = ociwp_url_parse(q->url, &run->base, &url, err);
	if (r < 0)
		return r;
	bool trusted = ociwp_url_same_origin(&url, &run->base);
	for (;;) {
		ociwp_response_deinit(out);
		r = describe(method, url.text, &out->what, err);
		if (r == 0)
			r = exchange(run, &url, method, with_body, trusted, out, failure, err);
		if (r < 0)
			return ociwp_wrap(err, r, "%s", out->what ? out->what : method);
		if (out->status == 401 && trusted && !q->authorization && !q->anonymous &&
		    run->auth_rounds < AUTH_ROUNDS) {
			run->auth_rounds++;
			r = ociwp_auth_refused(run->host, out, run->used, &run->scopes, run->op,
			                       err);
			if (r == 0)
				continue;
			if (r != OCIW_ERR_AUTH || !q->take_401)
				return r; /* names the request already */
			if (err)
				ociw_error_free(ociwp_steal(err));
		}
		if (q->stay || !is_redirect(out->status)) {
			out->url = url;
			url = (ociwp_url){0};
			return 0;
		}
		if (++hops > run->limits.max_redirects) {
			*failure = OCIWP_FAILURE_PROTOCOL;
			return ociwp_fail(err, OCIW_ERR_LIMIT, "%s: more than %llu redirects",
			                  out->what, (unsigned long long)run->limits.max_redirects);
		}
		if (out->status == 303 && strcmp(method, "HEAD") != 0) {
			method = "GET";
			with_body = false;
		}
		ociwp_response_drain(out, run->op);
		r = follow(run, out, &url, &trusted, err);
		if (r < 0) {
			*failure = OCIWP_FAILURE_PROTOCOL;
			return ociwp_wrap(err, r, "%s", out->what);
		}
	}
}

/* ---- retries ---- */

/* How long until the next try; false when the registry wants more patience than we have. */
static bool next_delay(const ociwp_response *answer, unsigned tries, uint64_t *delay)
{
	*delay = ociwp_retry_delay_ms(tries, ociwp_retry_random());
	if (!answer->exchange || (answer->status != 429 && answer->status != 503))
		return true;
	const char *value = ociwp_response_header(answer, "Retry-After");
	uint64_t asked;
	if (!value || !ociwp_retry_after(value, (int64_t)time(NULL), &asked))
		return true;
	if (asked > OCIWP_RETRY_AFTER_MAX_MS)
		return false;
	if (asked > *delay)
		*delay = asked;
	return true;
}

int ociwp_wait_to_retry(const ociw_event *about, uint64_t delay, const ociw_op *op,
                        ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociw_event event = *about;
	ociwp_buf_printf(&text, "%s; trying again in %llu ms", about->message,
	                 (unsigned long long)delay);
	int r = ociwp_buf_check(&text, err);
	if (r < 0)
		return r;
	event.kind = OCIW_EVENT_RETRY;
	event.message = text.data;
	r = ociwp_emit(op, &event, err);
	return r < 0 ? r : ociwp_sleep_ms(delay, op, err);
}

static int too_long(ociwp_response *answer, const ociw_op *op, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf when = OCIWP_BUF_INIT;
	const char *value = ociwp_response_header(answer, "Retry-After");
	ociwp_escape(&when, value, strlen(value));
	int r = ociwp_response_fail(answer, op, err);
	return ociwp_wrap(err, r, "the registry asks to come back later (Retry-After: %s)",
	                  when.data ? when.data : "");
}

/* After a try that failed: 1 try again, 0 leave it at that, < 0 stop with an error. */
static int again(run_state *run, ociwp_response *answer, int result, ociwp_failure failure,
                 unsigned tries, uint64_t start, ociw_error **why, ociw_error **err)
{
	bool worth = result < 0 ? ociwp_retry_failure(failure) : ociwp_retry_status(answer->status);
	uint64_t delay = 0;
	if (!worth || tries >= run->limits.max_tries)
		return 0;
	if (result == 0 && !next_delay(answer, tries, &delay))
		return too_long(answer, run->op, err);
	/* The whole host is busy, not this request alone; who repeats by himself waits as well (RET-3). */
	if (result == 0 && (answer->status == 429 || answer->status == 503))
		pause_host(run->host, delay);
	if (run->request->once)
		return 0;
	if (result < 0)
		delay = ociwp_retry_delay_ms(tries, ociwp_retry_random());
	if (ociwp_monotonic_ms() + delay - start > run->limits.retry_budget_ms)
		return 0;
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	if (*why)
		ociwp_buf_puts(&text, ociw_error_message(*why));
	else
		ociwp_buf_printf(&text, "%s: answer %d", answer->what, answer->status);
	ociw_error_free(ociwp_steal(why));
	int r = ociwp_buf_check(&text, err);
	if (r < 0)
		return r;
	if (result == 0)
		ociwp_response_drain(answer, run->op);
	ociwp_response_deinit(answer);
	ociw_event about = {.size = sizeof(about), .message = text.data};
	r = ociwp_wait_to_retry(&about, delay, run->op, err);
	return r < 0 ? r : 1;
}

static int run_tries(run_state *run, ociwp_response *out, ociwp_failure *failure, ociw_error **err)
{
	uint64_t start = ociwp_monotonic_ms();
	for (unsigned tries = 1;; tries++) {
		ociw_error *why = NULL;
		run->auth_rounds = 0;
		int result = attempt(run, out, failure, &why);
		int r = again(run, out, result, *failure, tries, start, &why, err);
		if (r < 0) {
			ociw_error_free(why);
			*failure = OCIWP_FAILURE_LOCAL;
			return r;
		}
		if (r > 0)
			continue;
		if (result == 0)
			return 0;
		if (tries > 1)
			ociwp_wrap(&why, result, "gave up after %u tries", tries);
		return ociwp_error_move(err, why);
	}
}

int ociwp_request_again(ociwp_failure failure, unsigned tries, ociw_error **why, const ociw_op *op,
                        ociw_error **err)
{
	ociw_limits limits;
	ociwp_limits_get(op, &limits);
	if (!ociwp_retry_failure(failure) || tries >= limits.max_tries) {
		int code = ociwp_error_move(err, ociwp_steal(why));
		return tries > 1 ? ociwp_wrap(err, code, "gave up after %u tries", tries) : code;
	}
	ociw_event about = {.size = sizeof(about), .message = ociw_error_message(*why)};
	int r = ociwp_wait_to_retry(&about, ociwp_retry_delay_ms(tries, ociwp_retry_random()), op,
	                            err);
	ociw_error_free(ociwp_steal(why));
	return r;
}

int ociwp_request_run(ociwp_host *host, const ociwp_request *request, const ociw_op *op,
                      ociwp_response *out, ociwp_failure *failure, ociw_error **err)
{
	run_state run = {.host = host, .request = request, .op = op};
	ociwp_failure ignored;
	*out = (ociwp_response){0};
	if (!failure)
		failure = &ignored;
	*failure = OCIWP_FAILURE_LOCAL;
	ociwp_limits_get(op, &run.limits);
	/* A token server is its own origin, called as its URL says. */
	bool foreign = (request->authorization || request->anonymous) && request->url[0] != '/';
	int r = foreign ? ociwp_url_parse(request->url, NULL, &run.base, err)
	                : ociwp_host_base(host, op, &run.base, err);
	if (r == 0 && request->scopes)
		r = ociwp_scopes_merge(&run.scopes, request->scopes, err);
	if (r == 0)
		r = run_tries(&run, out, failure, err);
	ociwp_scopes_deinit(&run.scopes);
	ociwp_url_deinit(&run.base);
	ociwp_secret_free(run.used);
	if (r < 0) {
		/* Refused credentials are an error already. */
		r = ociwp_refused_explain(host, request, out->status, op, r, err);
		ociwp_response_deinit(out);
	}
	return r;
}
