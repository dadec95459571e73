/* SPDX-License-Identifier: Apache-2.0
 *
 * The I/O thread: a curl multi loop fed by a queue of commands. It begins with what libcurl and OpenSSL
 * do at their start, which takes as long as a request, while the caller goes on. It knows no registry, no
 * redirect, no credentials. docs/architecture.md
 */
#include "registry/exchange.h"

#include "base/time.h"
#include "io/parallel.h"
#include <assert.h>
#include <poll.h>

/* Its stack holds curl and OpenSSL alone; the default of 8 MiB would count against small address
 * spaces. */
#define STACK_SIZE (512u * 1024)
#define POLL_MS 1000
#define POLL_WITHOUT_MS 10

struct ociwp_transport {
	const ociwp_transport_options *options;
	pthread_t thread;
	pthread_mutex_t mutex;
	CURLM *multi; /* NULL until libcurl has started */
	bool stop;
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
		if (t->multi && ociwp_exchange_set_up(x) &&
		    curl_multi_add_handle(t->multi, x->easy) == CURLM_OK)
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

static CURLM *make_multi(void)
{
	/* Safe from several threads since 7.84; never undone, as others may use curl too. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return NULL;
	CURLM *multi = curl_multi_init();
	if (multi) {
		curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
		curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 32L);
	}
	return multi;
}

static void begin(ociwp_transport *t)
{
	CURLM *multi = make_multi();
	pthread_mutex_lock(&t->mutex);
	t->multi = multi;
	pthread_mutex_unlock(&t->mutex);
}

/* Without libcurl every exchange fails, when it is looked at. */
static void wait_for_work(ociwp_transport *t)
{
	int running;
	if (!t->multi) {
		(void)poll(NULL, 0, POLL_WITHOUT_MS);
		return;
	}
	curl_multi_perform(t->multi, &running);
	reap(t);
	/* Messages may come with commands waiting: wakeup makes poll return at once. */
	curl_multi_poll(t->multi, NULL, 0, POLL_MS, NULL);
}

static void *run(void *self)
{
	ociwp_transport *t = self;
	begin(t);
	for (;;) {
		bool stop = false;
		while (obey_next(t, &stop))
			;
		if (stop)
			return NULL;
		wait_for_work(t);
	}
}

/* Tells the thread to look at its commands; one that still starts libcurl will. */
static void unlock_and_wake(ociwp_transport *t)
{
	CURLM *multi = t->multi;
	pthread_mutex_unlock(&t->mutex);
	if (multi)
		curl_multi_wakeup(multi);
}

void ociwp_transport_post(ociwp_exchange *x, unsigned command)
{
	ociwp_transport *t = x->transport;
	pthread_mutex_lock(&t->mutex);
	if (!x->commands) {
		if (t->last)
			t->last->next_command = x;
		else
			t->first = x;
		t->last = x;
	}
	x->commands |= command;
	unlock_and_wake(t);
}

static uint64_t or_default(uint64_t value, uint64_t standard)
{
	return value ? value : standard;
}

ociwp_transport_options ociwp_transport_settings(const ociwp_transport *transport)
{
	const ociwp_transport_options *options = transport->options;
	return (ociwp_transport_options){
		.connect_ms = or_default(options->connect_ms, 30000),
		.stall_ms = or_default(options->stall_ms, 60000),
		.answer_ms = or_default(options->answer_ms, 300000),
	};
}

static int start(ociwp_transport *t, ociw_error **err)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	int e = ociwp_thread_start(&t->thread, &attr, run, t);
	pthread_attr_destroy(&attr);
	return e == 0 ? 0 : ociwp_fail_errno(err, e, "start the network thread");
}

int ociwp_transport_new(const ociwp_transport_options *options, ociwp_transport **out,
                        ociw_error **err)
{
	static const ociwp_transport_options defaults = {0};
	*out = NULL;
	ociwp_transport *t = ociwp_new(ociwp_transport);
	if (!t)
		return ociwp_nomem(err);
	t->options = options ? options : &defaults;
	pthread_mutex_init(&t->mutex, NULL);
	int r = start(t, err);
	if (r < 0) {
		pthread_mutex_destroy(&t->mutex);
		free(t);
		return r;
	}
	*out = t;
	return 0;
}

void ociwp_transport_free(ociwp_transport *transport)
{
	if (!transport)
		return;
	pthread_mutex_lock(&transport->mutex);
	assert(!transport->first);
	transport->stop = true;
	unlock_and_wake(transport);
	pthread_join(transport->thread, NULL);
	if (transport->multi)
		curl_multi_cleanup(transport->multi);
	pthread_mutex_destroy(&transport->mutex);
	free(transport);
}
