/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two halves of the transport share: transport.c (the I/O thread) and exchange.c (curl's
 * callbacks and the calling thread). Nobody else includes this.
 */
#ifndef OCIW_REGISTRY_EXCHANGE_H
#define OCIW_REGISTRY_EXCHANGE_H

#include "base/buf.h"
#include "registry/ring.h"
#include "registry/transport.h"
#include <curl/curl.h>
#include <pthread.h>

/* What a calling thread asks of the I/O thread; bits, so that an exchange queues once. */
enum {
	OCIWP_COMMAND_ADD = 1 << 0,
	OCIWP_COMMAND_KICK = 1 << 1,  /* buffers have moved: go on with paused directions */
	OCIWP_COMMAND_REMOVE = 1 << 2 /* the last one: the I/O thread forgets the exchange */
};

struct ociwp_exchange {
	/* Set before ADD, then constant. */
	ociwp_transport *transport;
	const ociwp_http *http; /* borrowed until the headers of the answer are there */
	struct curl_slist *lines; /* wiped: may hold credentials */
	char error_text[CURL_ERROR_SIZE];

	/* The I/O thread alone. */
	CURL *easy;
	bool attached;
	curl_off_t last_sent, last_received;
	uint64_t last_progress_ms;

	/* The transport's lock. */
	unsigned commands;
	ociwp_exchange *next_command;

	/* This lock. */
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	ociwp_ring up, down;
	bool up_ended, up_dropped;
	bool send_paused, receive_paused;
	bool headers_done, headers_too_large, no_memory, stalled;
	bool finished, removed;
	int status;
	ociwp_buf headers; /* "name: value" strings of the final answer, a NUL behind each */
	long proxy_status; /* of a tunnel, 0 without one */
	long verify_result; /* of the far end's certificate, as OpenSSL has it */
	CURLcode result;
};

/* transport.c */
void ociwp_transport_post(ociwp_exchange *x, unsigned command);
ociwp_transport_options ociwp_transport_settings(const ociwp_transport *transport);
/* exchange.c: called on the I/O thread. */
bool ociwp_exchange_set_up(ociwp_exchange *x);
void ociwp_exchange_kicked(ociwp_exchange *x);
void ociwp_exchange_finished(ociwp_exchange *x, CURLcode result);
void ociwp_exchange_removed(ociwp_exchange *x);

#endif
