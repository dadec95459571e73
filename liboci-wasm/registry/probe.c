/* SPDX-License-Identifier: Apache-2.0
 *
 * A TLS hello by hand: libcurl's would make a whole TLS context only for its first answered byte, which
 * takes longer than everything else in a push that finds its image there. Nor does it wait for libcurl,
 * which starts on the I/O thread meanwhile.
 */
#include "registry/probe.h"

#include "base/op.h"
#include "base/time.h"
#include "registry/url.h"
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* For how long an answer is waited for, and who may end that. */
typedef struct patience {
	uint64_t end_ms; /* monotonic */
	const ociw_op *op;
} patience;

/* 1 when the socket is ready for @p events (or broken, as its next call tells), 0 out of time. */
static int await(int fd, short events, const patience *p, ociw_error **err)
{
	for (;;) {
		struct pollfd waited = {.fd = fd, .events = events};
		int r = ociwp_check_cancel(p->op, err);
		if (r < 0)
			return r;
		if (poll(&waited, 1, STEP_MS) > 0)
			return 1;
		if (ociwp_monotonic_ms() >= p->end_ms)
			return 0;
	}
}

/* Whether a connection to this address comes about: 1, or 0. */
static int connect_to(int fd, const struct addrinfo *address, const patience *p, ociw_error **err)
{
	int error = 0;
	socklen_t len = sizeof(error);
	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
		return 1;
	if (errno != EINPROGRESS)
		return 0;
	int r = await(fd, POLLOUT, p, err);
	if (r != 1)
		return r;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0;
}

/* The first byte of the answer to a hello: 1, or 0 without one. */
static int first_byte(int fd, const patience *p, unsigned char *out, ociw_error **err)
{
	if (send(fd, hello, sizeof(hello), MSG_NOSIGNAL) != (ssize_t)sizeof(hello))
		return 0;
	int r = await(fd, POLLIN, p, err);
	return r == 1 ? recv(fd, out, 1, 0) == 1 : r;
}

/* The first of the host's addresses that can be connected to gives the answer. */
static int ask(const struct addrinfo *list, const patience *p, unsigned char *out, ociw_error **err)
{
	int r = 0;
	bool connected = false;
	for (const struct addrinfo *a = list; a && r == 0 && !connected; a = a->ai_next) {
		int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		r = connect_to(fd, a, p, err);
		connected = r == 1;
		if (connected)
			r = first_byte(fd, p, out, err);
		close(fd);
	}
	return r;
}

int ociwp_probe_tls(const char *authority, uint64_t wait_ms, const ociw_op *op, bool *out, ociw_error **err)
{
	static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	const patience p = {ociwp_monotonic_ms() + wait_ms, op};
	struct addrinfo *list = NULL;
	unsigned char first = 0;
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	__attribute__((cleanup(ociwp_cleanup_url))) ociwp_url url = {0};
	*out = false;
	ociwp_buf_printf(&text, "https://%s/", authority);
	int r = ociwp_buf_check(&text, err);
	if (r == 0)
		r = ociwp_url_parse(text.data, NULL, &url, err);
	if (r == 0)
		r = ociwp_check_cancel(op, err);
	if (r == 0 && getaddrinfo(url.host, strrchr(url.origin, ':') + 1, &hints, &list) == 0) {
		r = ask(list, &p, &first, err);
		freeaddrinfo(list);
	}
	*out = r == 1 && (first == 21 || first == 22);
	return r < 0 ? r : 0;
}
