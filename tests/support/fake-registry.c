/* SPDX-License-Identifier: Apache-2.0
 *
 * The server behind fake-registry.h: one thread accepts, one a connection. Errors of its own end
 * the test at once.
 */
#include "fake-registry.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUESTS_MAX 65536
#define CONNECTIONS_MAX 8192
#define HEAD_MAX (256 * 1024)

struct fake_registry {
	const fake_rule *rules;
	size_t rule_count;
	unsigned *used;
	int listener;
	int stop[2]; /* a pipe: readable once the server is to end */
	char address[32];
	char other[64];
	pthread_t thread;
	pthread_mutex_t mutex;
	fake_request *requests[REQUESTS_MAX];
	size_t request_count;
	pthread_t connections[CONNECTIONS_MAX];
	unsigned connection_count;
};

typedef struct connection {
	fake_registry *fake;
	int fd;
	unsigned number;
	char buffer[HEAD_MAX];
	size_t len; /* bytes read and not used yet */
} connection;

/* More bytes; false at the end of the connection or of the server. */
static bool receive(connection *c)
{
	struct pollfd fds[2] = {{c->fd, POLLIN, 0}, {c->fake->stop[0], POLLIN, 0}};
	if (c->len == sizeof(c->buffer))
		return false;
	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	if (fds[1].revents)
		return false;
	ssize_t n = recv(c->fd, c->buffer + c->len, sizeof(c->buffer) - c->len, 0);
	if (n <= 0)
		return false;
	c->len += (size_t)n;
	return true;
}

static void consume(connection *c, size_t n)
{
	memmove(c->buffer, c->buffer + n, c->len - n);
	c->len -= n;
}

static bool send_all(connection *c, const void *data, size_t len)
{
	const char *at = data;
	while (len) {
		ssize_t n = send(c->fd, at, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static bool send_text(connection *c, const char *text)
{
	return send_all(c, text, strlen(text));
}

/* ---- requests ---- */

static const char *find_header(const char *headers, const char *name, size_t *len)
{
	size_t name_len = strlen(name);
	for (const char *line = headers; *line;) {
		const char *end = strstr(line, "\r\n");
		assert(end);
		if (strncasecmp(line, name, name_len) == 0 && line[name_len] == ':') {
			const char *value = line + name_len + 1;
			value += strspn(value, " ");
			*len = (size_t)(end - value);
			return value;
		}
		line = end + 2;
	}
	return NULL;
}

const char *fake_header(const fake_request *request, const char *name)
{
	static _Thread_local char text[4][8192];
	static _Thread_local unsigned turn;
	size_t len;
	const char *value = find_header(request->headers, name, &len);
	if (!value)
		return NULL;
	char *out = text[turn++ % 4];
	assert(len < sizeof(text[0]));
	memcpy(out, value, len);
	out[len] = 0;
	return out;
}

static bool read_exactly(connection *c, char **body, size_t *have, size_t want)
{
	*body = realloc(*body, *have + want + 1);
	assert(*body);
	while (want) {
		if (c->len == 0 && !receive(c))
			return false;
		size_t n = c->len < want ? c->len : want;
		memcpy(*body + *have, c->buffer, n);
		*have += n;
		want -= n;
		consume(c, n);
	}
	(*body)[*have] = 0;
	return true;
}

static bool read_chunked(connection *c, fake_request *request)
{
	for (;;) {
		char *end;
		while (!(end = memmem(c->buffer, c->len, "\r\n", 2))) {
			if (!receive(c))
				return false;
		}
		size_t size = strtoul(c->buffer, NULL, 16);
		consume(c, (size_t)(end + 2 - c->buffer));
		if (!read_exactly(c, &request->body, &request->body_len, size + 2))
			return false;
		request->body_len -= 2;
		request->body[request->body_len] = 0;
		if (size == 0)
			return true;
	}
}

static bool read_body(connection *c, fake_request *request)
{
	size_t len;
	if (find_header(request->headers, "Transfer-Encoding", &len))
		return read_chunked(c, request);
	const char *length = find_header(request->headers, "Content-Length", &len);
	size_t want = length ? strtoul(length, NULL, 10) : 0;
	return read_exactly(c, &request->body, &request->body_len, want);
}

/* Bytes of a body as they come, with what is between its chunks. */
static bool read_past(connection *c, size_t size)
{
	while (size) {
		if (c->len == 0 && !receive(c))
			return false;
		size_t n = c->len < size ? c->len : size;
		size -= n;
		consume(c, n);
	}
	return true;
}

/* The head of a request; NULL when none comes any more. */
static fake_request *read_head(connection *c)
{
	char *end;
	for (;;) {
		end = memmem(c->buffer, c->len, "\r\n\r\n", 4);
		if (end)
			break;
		/* A TLS client hello is no request; so is anything that is not text. */
		if (c->len && (unsigned char)c->buffer[0] < 0x20)
			return NULL;
		if (!receive(c))
			return NULL;
	}
	fake_request *request = calloc(1, sizeof(*request));
	assert(request);
	size_t head = (size_t)(end - c->buffer);
	char *text = strndup(c->buffer, head + 2);
	char *line_end = strstr(text, "\r\n");
	*line_end = 0;
	char *space = strchr(text, ' ');
	assert(space);
	*space = 0;
	request->method = strdup(text);
	char *target_end = strchr(space + 1, ' ');
	request->target = target_end ? strndup(space + 1, (size_t)(target_end - space - 1))
	                             : strdup(space + 1);
	request->headers = strdup(line_end + 2);
	request->connection = c->number;
	free(text);
	consume(c, head + 4);
	return request;
}

static void record(fake_registry *fake, fake_request *request)
{
	pthread_mutex_lock(&fake->mutex);
	assert(fake->request_count < REQUESTS_MAX);
	fake->requests[fake->request_count++] = request;
	pthread_mutex_unlock(&fake->mutex);
}

/* ---- answers ---- */

static bool matches(const char *match, const fake_request *request)
{
	char line[8192];
	size_t len = strlen(match);
	snprintf(line, sizeof(line), "%s %s", request->method, request->target);
	if (len && match[len - 1] == '$')
		return strlen(line) == len - 1 && strncmp(line, match, len - 1) == 0;
	return strncmp(line, match, len) == 0;
}

static const fake_rule *pick(fake_registry *fake, const fake_request *request)
{
	const fake_rule *found = NULL;
	pthread_mutex_lock(&fake->mutex);
	for (size_t i = 0; i < fake->rule_count && !found; i++) {
		const fake_rule *rule = &fake->rules[i];
		if (!matches(rule->match, request) || (rule->times && fake->used[i] >= rule->times))
			continue;
		fake->used[i]++;
		found = rule;
	}
	pthread_mutex_unlock(&fake->mutex);
	return found;
}

/* Lines with \r\n, placeholders filled in. */
static void send_headers(connection *c, const char *headers)
{
	for (const char *p = headers; p && *p;) {
		if (strncmp(p, "{self}", 6) == 0) {
			send_text(c, c->fake->address);
			p += 6;
		} else if (strncmp(p, "{other}", 7) == 0) {
			send_text(c, c->fake->other);
			p += 7;
		} else if (*p == '\n') {
			send_text(c, "\r\n");
			p++;
		} else {
			size_t n = strcspn(p, "{\n");
			if (n == 0)
				n = 1;
			send_all(c, p, n);
			p += n;
		}
	}
	if (headers && *headers && headers[strlen(headers) - 1] != '\n')
		send_text(c, "\r\n");
}

static bool wait_for_end(connection *c)
{
	while (receive(c))
		c->len = 0;
	return false;
}

static void send_drip(connection *c, const char *body, size_t len)
{
	struct timespec ts = {0, 1000000};
	for (size_t i = 0; i < len; i++) {
		if (!send_all(c, body + i, 1))
			return;
		nanosleep(&ts, NULL);
	}
}

static bool send_body(connection *c, const fake_answer *answer, const char *body, size_t len)
{
	char size[32];
	struct linger hard = {1, 0};
	switch (answer->fault) {
	case FAKE_RESET:
		send_all(c, body, answer->at < len ? answer->at : len);
		/* Time for the bytes to be read: a reset drops what is under way. */
		nanosleep(&(struct timespec){0, 50000000}, NULL);
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		return false;
	case FAKE_TRUNCATE:
		send_all(c, body, answer->at < len ? answer->at : len);
		return false;
	case FAKE_STALL:
		send_all(c, body, answer->at < len ? answer->at : len);
		return wait_for_end(c);
	case FAKE_DRIP:
		send_drip(c, body, len);
		return true;
	case FAKE_CHUNKED:
		snprintf(size, sizeof(size), "%zx\r\n", len);
		return (len == 0 ||
		        (send_text(c, size) && send_all(c, body, len) && send_text(c, "\r\n"))) &&
		       send_text(c, "0\r\n\r\n");
	default:
		return send_all(c, body, len);
	}
}

/* False when the connection is over. */
static bool send_answer(connection *c, const fake_request *request, const fake_answer *answer)
{
	char head[96];
	const char *body = answer->body ? answer->body : "";
	size_t len = answer->body_len ? answer->body_len : strlen(body), sized;
	if (answer->fault == FAKE_GARBAGE) {
		send_all(c, body, len);
		return false;
	}
	snprintf(head, sizeof(head), "HTTP/1.1 %d X\r\n", answer->status);
	send_text(c, head);
	send_headers(c, answer->headers);
	bool has_length = answer->headers && strcasestr(answer->headers, "Content-Length:");
	if (answer->fault == FAKE_CHUNKED)
		send_text(c, "Transfer-Encoding: chunked\r\n");
	else if (!has_length && answer->status != 204 && answer->status != 304) {
		sized = len;
		snprintf(head, sizeof(head), "Content-Length: %zu\r\n", sized);
		send_text(c, head);
	}
	send_text(c, "\r\n");
	if (strcmp(request->method, "HEAD") == 0 || answer->status == 204)
		return answer->fault == FAKE_WHOLE;
	return send_body(c, answer, body, len) && answer->fault != FAKE_EARLY &&
	       (answer->fault != FAKE_MIDWAY || wait_for_end(c));
}

static bool serve_one(connection *c)
{
	fake_request *request = read_head(c);
	if (!request)
		return false;
	const fake_rule *rule = pick(c->fake, request);
	fake_answer answer = {.status = 404};
	if (rule)
		answer = rule->answer;
	bool midway = answer.fault == FAKE_MIDWAY || answer.fault == FAKE_CUT;
	bool whole = answer.fault == FAKE_EARLY ||
	             (midway ? read_past(c, answer.at) : read_body(c, request));
	if (!request->body)
		request->body = calloc(1, 1);
	record(c->fake, request);
	if (!whole)
		return false;
	if (rule && rule->handler)
		rule->handler(request, &answer, rule->user_data);
	if (answer.fault == FAKE_HANG_UP)
		return false;
	if (answer.fault == FAKE_CUT) {
		struct linger hard = {1, 0};
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		return false;
	}
	return send_answer(c, request, &answer);
}

static void *serve(void *self)
{
	connection *c = self;
	while (serve_one(c))
		;
	close(c->fd);
	free(c);
	return NULL;
}

static void *accept_all(void *self)
{
	fake_registry *fake = self;
	struct pollfd fds[2] = {{fake->listener, POLLIN, 0}, {fake->stop[0], POLLIN, 0}};
	for (;;) {
		while (poll(fds, 2, -1) < 0 && errno == EINTR)
			;
		if (fds[1].revents)
			return NULL;
		int fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		connection *c = calloc(1, sizeof(*c));
		assert(c && fake->connection_count < CONNECTIONS_MAX);
		c->fake = fake;
		c->fd = fd;
		c->number = fake->connection_count + 1;
		int e = pthread_create(&fake->connections[fake->connection_count++], NULL, serve,
		                       c);
		assert(e == 0);
		(void)e;
	}
}

/* ---- control ---- */

fake_registry *fake_start(const fake_rule *rules, size_t count)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	fake_registry *fake = calloc(1, sizeof(*fake));
	assert(fake);
	fake->rules = rules;
	fake->rule_count = count;
	fake->used = calloc(count + 1, sizeof(*fake->used));
	fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fake->listener, (struct sockaddr *)&address, len) != 0 ||
	    listen(fake->listener, 64) != 0 ||
	    getsockname(fake->listener, (struct sockaddr *)&address, &len) != 0 ||
	    pipe(fake->stop) != 0)
		abort();
	snprintf(fake->address, sizeof(fake->address), "127.0.0.1:%d", ntohs(address.sin_port));
	pthread_mutex_init(&fake->mutex, NULL);
	if (pthread_create(&fake->thread, NULL, accept_all, fake) != 0)
		abort();
	return fake;
}

void fake_stop(fake_registry *fake)
{
	if (!fake)
		return;
	close(fake->stop[1]); /* every poll sees the end of the pipe */
	pthread_join(fake->thread, NULL);
	for (unsigned i = 0; i < fake->connection_count; i++)
		pthread_join(fake->connections[i], NULL);
	close(fake->stop[0]);
	close(fake->listener);
	for (size_t i = 0; i < fake->request_count; i++) {
		fake_request *request = fake->requests[i];
		free(request->method);
		free(request->target);
		free(request->headers);
		free(request->body);
		free(request);
	}
	pthread_mutex_destroy(&fake->mutex);
	free(fake->used);
	free(fake);
}

const char *fake_address(const fake_registry *fake)
{
	return fake->address;
}

void fake_set_other(fake_registry *fake, const char *address)
{
	snprintf(fake->other, sizeof(fake->other), "%s", address);
}

size_t fake_count(fake_registry *fake)
{
	pthread_mutex_lock(&fake->mutex);
	size_t count = fake->request_count;
	pthread_mutex_unlock(&fake->mutex);
	return count;
}

const fake_request *fake_at(fake_registry *fake, size_t i)
{
	assert(i < fake_count(fake));
	return fake->requests[i];
}

size_t fake_matching(fake_registry *fake, const char *match)
{
	size_t count = fake_count(fake), found = 0;
	for (size_t i = 0; i < count; i++)
		found += matches(match, fake->requests[i]);
	return found;
}
