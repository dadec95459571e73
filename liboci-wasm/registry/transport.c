/* SPDX-License-Identifier: Apache-2.0
 *
 * The I/O thread: a curl multi loop fed by a queue of commands. It starts with the first request
 * and ends with the client. It knows no registry, no redirect, no credentials. docs/architecture.md
 */
#include "registry/exchange.h"

#include "base/time.h"
#include "io/parallel.h"
#include <assert.h>

/* Its stack holds curl and OpenSSL alone; the default of 8 MiB would count against small address
 * spaces. */
#define STACK_SIZE (512u * 1024)
#define POLL_MS 1000

struct ociwp_transport {
	ociwp_transport_options options;
	CURLM *multi;
	pthread_mutex_t mutex;
	pthread_t thread;
	bool started, stop;
	ociwp_exchange *first, *last; /* queue of commands */
};

static void reap(ociwp_transport *t)
{
	int left;
	CURLMsg *message;
	while ((message = curl_multi_info_read(t->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		ociwp_exchange *x = NULL;
		CURLcode result = message->data.result;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&x);
		curl_multi_remove_handle(t->multi, x->easy);
		x->attached = false;
		ociwp_exchange_finished(x, result);
	}
}

static void obey(ociwp_transport *t, ociwp_exchange *x, unsigned commands)
{
	if (commands & OCIWP_COMMAND_ADD) {
		x->last_progress_ms = ociwp_monotonic_ms();
		if (curl_multi_add_handle(t->multi, x->easy) == CURLM_OK)
			x->attached = true;
		else
			ociwp_exchange_finished(x, CURLE_OUT_OF_MEMORY);
	}
	if ((commands & OCIWP_COMMAND_KICK) && x->attached)
		ociwp_exchange_kicked(x);
	if (commands & OCIWP_COMMAND_REMOVE) {
		if (x->attached)
			curl_multi_remove_handle(t->multi, x->easy);
		x->attached = false;
		ociwp_exchange_removed(x);
	}
}

/* One command; false when there is none. */
static bool obey_next(ociwp_transport *t, bool *stop)
{
	pthread_mutex_lock(&t->mutex);
	ociwp_exchange *x = t->first;
	unsigned commands = 0;
	if (x) {
		t->first = x->next_command;
		if (!t->first)
			t->last = NULL;
		commands = x->commands;
		x->commands = 0;
		x->next_command = NULL;
	}
	*stop = t->stop;
	pthread_mutex_unlock(&t->mutex);
	if (x)
		obey(t, x, commands);
	return x != NULL;
}

static void *run(void *self)
{
	ociwp_transport *t = self;
	for (;;) {
		int running;
		bool stop = false;
		while (obey_next(t, &stop))
			;
		if (stop)
			return NULL;
		curl_multi_perform(t->multi, &running);
		reap(t);
		/* Messages may come with commands waiting: wakeup makes poll return at once. */
		curl_multi_poll(t->multi, NULL, 0, POLL_MS, NULL);
	}
}

static int start(ociwp_transport *t, ociw_error **err)
{
	pthread_attr_t attr;
	t->multi = curl_multi_init();
	if (!t->multi)
		return ociwp_nomem(err);
	curl_multi_setopt(t->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, 32L);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	int e = ociwp_thread_start(&t->thread, &attr, run, t);
	pthread_attr_destroy(&attr);
	if (e != 0) {
		curl_multi_cleanup(t->multi);
		t->multi = NULL;
		return ociwp_fail_errno(err, e, "start the network thread");
	}
	t->started = true;
	return 0;
}

int ociwp_transport_post(ociwp_exchange *x, unsigned command, ociw_error **err)
{
	ociwp_transport *t = x->transport;
	int r = 0;
	pthread_mutex_lock(&t->mutex);
	if (!t->started)
		r = start(t, err);
	if (r == 0) {
		if (!x->commands) {
			if (t->last)
				t->last->next_command = x;
			else
				t->first = x;
			t->last = x;
		}
		x->commands |= command;
	}
	pthread_mutex_unlock(&t->mutex);
	if (r == 0)
		curl_multi_wakeup(t->multi);
	return r;
}

const ociwp_transport_options *ociwp_transport_settings(const ociwp_transport *transport)
{
	return &transport->options;
}

int ociwp_transport_new(const ociwp_transport_options *options, ociwp_transport **out,
                        ociw_error **err)
{
	*out = NULL;
	/* Safe from several threads since 7.84; never undone, as others may use curl too. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return ociwp_nomem(err);
	ociwp_transport *t = ociwp_new(ociwp_transport);
	if (!t)
		return ociwp_nomem(err);
	if (options)
		t->options = *options;
	if (!t->options.connect_ms)
		t->options.connect_ms = 30000;
	if (!t->options.stall_ms)
		t->options.stall_ms = 60000;
	if (!t->options.answer_ms)
		t->options.answer_ms = 300000;
	pthread_mutex_init(&t->mutex, NULL);
	*out = t;
	return 0;
}

void ociwp_transport_free(ociwp_transport *transport)
{
	if (!transport)
		return;
	if (transport->started) {
		pthread_mutex_lock(&transport->mutex);
		assert(!transport->first);
		transport->stop = true;
		pthread_mutex_unlock(&transport->mutex);
		curl_multi_wakeup(transport->multi);
		pthread_join(transport->thread, NULL);
		curl_multi_cleanup(transport->multi);
	}
	pthread_mutex_destroy(&transport->mutex);
	free(transport);
}
