/* SPDX-License-Identifier: Apache-2.0
 *
 * What the first byte of an answer to a TLS hello says (TLS-2).
 */
#include "registry/probe.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <oci-wasm/oci-wasm.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct server {
	int fd;
	char authority[32];
	const char *answer; /* NULL: none, and the connection stays open until the client goes */
	size_t len;
	unsigned char heard[128];
	ssize_t heard_len;
	pthread_t thread;
} server;

static void listen_on_loopback(server *s)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(s->fd, (struct sockaddr *)&address, len), 0);
	cr_assert_eq(getsockname(s->fd, (struct sockaddr *)&address, &len), 0);
	cr_assert_eq(listen(s->fd, 1), 0);
	(void)snprintf(s->authority, sizeof(s->authority), "127.0.0.1:%u", ntohs(address.sin_port));
}

static void *serve_once(void *self)
{
	server *s = self;
	char rest;
	int peer = accept(s->fd, NULL, NULL);
	s->heard_len = recv(peer, s->heard, sizeof(s->heard), 0);
	if (s->answer)
		(void)!send(peer, s->answer, s->len, MSG_NOSIGNAL);
	else
		(void)!recv(peer, &rest, 1, 0);
	close(peer);
	return NULL;
}

static bool probed(server *s, uint64_t wait_ms)
{
	bool tls = true;
	listen_on_loopback(s);
	cr_assert_eq(pthread_create(&s->thread, NULL, serve_once, s), 0);
	cr_assert_eq(ociwp_probe_tls(s->authority, wait_ms, NULL, &tls, NULL), 0);
	pthread_join(s->thread, NULL);
	close(s->fd);
	return tls;
}

Test(probe, a_record_is_tls_and_anything_else_is_not)
{
	static const struct {
		const char *answer;
		size_t len;
		bool tls;
	} rows[] = {
		{"\x16\x03\x03\x00\x31\x02", 6, true}, {"\x15\x03\x03\x00\x02\x02\x28", 7, true},
		{"HTTP/1.1 400 Bad Request\r\n\r\n", 28, false}, {"", 0, false},
		{"\x17\x03\x03", 3, false}, {"SSH-2.0-x\r\n", 11, false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		server s = {.answer = rows[i].answer, .len = rows[i].len};
		cr_assert_eq(probed(&s, 10000), rows[i].tls, "row %zu", i);
	}
}

Test(probe, the_hello_is_a_record_of_the_length_it_says_with_a_line_end)
{
	server s = {.answer = "", .len = 0};
	(void)probed(&s, 10000);
	cr_assert_geq(s.heard_len, 9);
	cr_assert_eq(s.heard[0], 22);
	cr_assert_eq(s.heard_len, 5 + (s.heard[3] << 8 | s.heard[4]));
	cr_assert_eq(s.heard_len, 9 + (s.heard[7] << 8 | s.heard[8]));
	cr_assert_not_null(memchr(s.heard, '\n', (size_t)s.heard_len));
}

Test(probe, who_says_nothing_in_time_speaks_no_tls)
{
	server s = {.answer = NULL};
	cr_assert(!probed(&s, 50));
}

Test(probe, who_cannot_be_reached_speaks_no_tls)
{
	server s;
	bool tls = true;
	listen_on_loopback(&s);
	close(s.fd);
	cr_assert_eq(ociwp_probe_tls(s.authority, 10000, NULL, &tls, NULL), 0);
	cr_assert(!tls);
}

Test(probe, a_cancelled_operation_does_not_ask)
{
	bool tls = true;
	ociw_cancel *cancel = ociw_cancel_new();
	ociw_op op = {.size = sizeof(op), .cancel = cancel};
	server s;
	listen_on_loopback(&s);
	ociw_cancel_trigger(cancel);
	cr_assert_eq(ociwp_probe_tls(s.authority, 10000, &op, &tls, NULL), OCIW_ERR_CANCELLED);
	ociw_cancel_free(cancel);
	close(s.fd);
}
