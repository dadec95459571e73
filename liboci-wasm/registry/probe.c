/* SPDX-License-Identifier: Apache-2.0
 *
 * A TLS hello by hand: libcurl's would make a whole TLS context only for its first answered byte, which
 * takes longer than everything else in a push that finds its image there.
 */
#include "registry/probe.h"

#include "base/buf.h"
#include "base/op.h"
#include "base/time.h"
#include "registry/url.h"
#include <curl/curl.h>
#include <poll.h>
#include <string.h>

/* How often a wait looks at the operation's cancel flag. */
#define STEP_MS 100

/* TLS 1.2, three suites and one curve (RFC 5246, 7.4.1.2). What speaks TLS takes it or answers an alert; both
 * are records, of type 22 and 21. The 10 of the curves' extension ends a line for those who read lines. */
static const unsigned char hello[] = {
	22, 3, 1, 0, 61, 1, 0, 0, 57, 3, 3, /* record, client_hello, version */
	'o', 'c', 'i', '-', 'w', 'a', 's', 'm', ':', ' ', 'd', 'o', ' ', 'y', 'o', 'u', ' ', 's', 'p', 'e', 'a', 'k',
	' ', 't', 'l', 's', '?', ' ', ' ', ' ', ' ', ' ', /* 32 bytes that should be random; no key is made of them */
	0, /* no session */
	0, 8, 0xC0, 0x2B, 0xC0, 0x2F, 0, 0x9C, 0, 0xFF, /* suites */
	1, 0, /* no compression */
	0, 8, 0, 10, 0, 4, 0, 2, 0, 23, /* extensions: secp256r1 */
};

static int on_progress(void *op, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	return ociwp_check_cancel(op, NULL) < 0;
}

/* The URL to connect to without TLS, at the port that TLS would have. */
static int plain_url(const char *authority, ociwp_buf *out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociwp_url url = {0};
	ociwp_buf_printf(&text, "https://%s/", authority);
	int r = ociwp_buf_check(&text, err);
	if (r == 0)
		r = ociwp_url_parse(text.data, NULL, &url, err);
	if (r == 0) {
		ociwp_buf_printf(out, "http%s/", strstr(url.origin, "://"));
		r = ociwp_buf_check(out, err);
	}
	ociwp_url_deinit(&url);
	return r;
}

static CURL *connect_to(const char *url, uint64_t wait_ms, const ociw_op *op, ociw_error **err)
{
	CURL *easy = curl_easy_init();
	if (!easy || curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_PROXY, "") != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)wait_ms) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, op) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L) != CURLE_OK) {
		curl_easy_cleanup(easy);
		(void)ociwp_nomem(err);
		return NULL;
	}
	return easy;
}

/* The first byte that comes within the time: 1, or 0 without one. */
static int first_byte(CURL *easy, uint64_t wait_ms, const ociw_op *op, unsigned char *out, ociw_error **err)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	uint64_t end = ociwp_monotonic_ms() + wait_ms;
	if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK)
		return 0;
	do {
		struct pollfd waited = {.fd = fd, .events = POLLIN};
		size_t got = 0;
		CURLcode code = curl_easy_recv(easy, out, 1, &got);
		if (code != CURLE_AGAIN)
			return code == CURLE_OK && got == 1;
		int r = ociwp_check_cancel(op, err);
		if (r < 0)
			return r;
		(void)poll(&waited, 1, STEP_MS);
	} while (ociwp_monotonic_ms() < end);
	return 0;
}

int ociwp_probe_tls(const char *authority, uint64_t wait_ms, const ociw_op *op, bool *out, ociw_error **err)
{
	unsigned char first = 0;
	size_t sent = 0;
	*out = false;
	OCIWP_AUTO(buf) ociwp_buf url = OCIWP_BUF_INIT;
	int r = plain_url(authority, &url, err);
	if (r < 0)
		return r;
	CURL *easy = connect_to(url.data, wait_ms, op, err);
	if (!easy)
		return OCIW_ERR_NOMEM;
	if (curl_easy_perform(easy) == CURLE_OK &&
	    curl_easy_send(easy, hello, sizeof(hello), &sent) == CURLE_OK && sent == sizeof(hello))
		r = first_byte(easy, wait_ms, op, &first, err);
	curl_easy_cleanup(easy);
	if (r == 0)
		r = ociwp_check_cancel(op, err);
	*out = r == 1 && (first == 21 || first == 22);
	return r < 0 ? r : 0;
}
