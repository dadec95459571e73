/* SPDX-License-Identifier: Apache-2.0
 *
 * A registry made of lines of a script: an HTTP server on loopback, in threads of the test's own
 * process, that plays answers and faults and records every request. It knows no registry logic.
 */
#ifndef OCIW_TESTS_FAKE_REGISTRY_H
#define OCIW_TESTS_FAKE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fake_registry fake_registry;

/* A request as it came; strings live as long as the registry. */
typedef struct fake_request {
	char *method;
	char *target;  /* path and query */
	char *headers; /* lines, "\r\n" behind each */
	char *body;
	size_t body_len;
	unsigned connection; /* counts from 1 */
} fake_request;

typedef enum fake_fault {
	FAKE_WHOLE = 0,
	FAKE_RESET,    /* RST after `at` bytes of the body */
	FAKE_TRUNCATE, /* FIN after `at` bytes of the body, Content-Length says more */
	FAKE_STALL,    /* nothing more after `at` bytes of the body until the client goes away */
	FAKE_DRIP,     /* one byte of the body at a time, a millisecond between them */
	FAKE_CHUNKED,  /* no Content-Length: chunked coding */
	FAKE_HANG_UP,  /* FIN instead of any answer */
	FAKE_EARLY,    /* answers before it reads the request's body, then hangs up */
	FAKE_MIDWAY,   /* answers after `at` bytes of the request's body, then reads on and forgets */
	FAKE_CUT,      /* RST after `at` bytes of the request's body */
	FAKE_GARBAGE   /* `body` is all that is sent: no HTTP */
} fake_fault;

typedef struct fake_answer {
	int status;
	const char *headers; /* "Name: value\n..."; {self} is this server's host:port, {other} that
	                      * of fake_set_other() */
	const char *body;
	size_t body_len; /* 0: strlen */
	fake_fault fault;
	size_t at;
} fake_answer;

/* A line of the script: the first one that matches and is not used up is played. */
typedef struct fake_rule {
	const char
	        *match; /* "GET /v2/a/": beginning of "METHOD TARGET"; with a final '$' all of it */
	fake_answer answer;
	unsigned times; /* 0: for ever */
	/* NULL, or makes the answer; strings it gives must live on. */
	void (*handler)(const fake_request *request, fake_answer *answer, void *user_data);
	void *user_data;
} fake_rule;

/* Copies nothing: rules must live as long as the server. Unmatched requests get 404. */
fake_registry *fake_start(const fake_rule *rules, size_t count);
void fake_stop(fake_registry *fake);
const char *fake_address(const fake_registry *fake); /* "127.0.0.1:PORT" */
void fake_set_other(fake_registry *fake, const char *address);

size_t fake_count(fake_registry *fake);
const fake_request *fake_at(fake_registry *fake, size_t i);
/* How many requests begin with this "METHOD TARGET". */
size_t fake_matching(fake_registry *fake, const char *match);
/* Value of a header in a buffer of the thread's own, or NULL. */
const char *fake_header(const fake_request *request, const char *name);

#endif
