/* SPDX-License-Identifier: Apache-2.0
 *
 * The I/O thread: starts libcurl, serves many, ends with its owner, leaves signals alone.
 */
#include "registry/transport.h"

#include "../support/fake-registry.h"
#include "base/str.h"
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

typedef struct job {
	ociwp_transport *transport;
	char url[96];
	bool good;
} job;

static void *get(void *self)
{
	job *j = self;
	ociwp_exchange *x = NULL;
	ociwp_failure failure;
	char text[16] = "";
	ociwp_http http = {.method = "GET",
	                   .url = j->url,
	                   .user_agent = "test",
	                   .body_size = OCIWP_BODY_NONE,
	                   .direct = true};
	if (ociwp_exchange_begin(j->transport, &http, NULL, &x, &failure, NULL) < 0)
		return NULL;
	ptrdiff_t n = ociwp_exchange_read(x, text, sizeof(text) - 1, NULL, &failure, NULL);
	j->good = ociwp_exchange_status(x) == 200 && n == 5 && strcmp(text, "hello") == 0 &&
	          ociwp_exchange_read(x, text, sizeof(text), NULL, &failure, NULL) == 0;
	ociwp_exchange_close(x);
	return NULL;
}

static const fake_rule hello[] = {{.match = "GET /", .answer = {.status = 200, .body = "hello"}}};

Test(transport, an_unused_one_is_freed)
{
	ociwp_transport *transport = NULL;
	cr_assert_eq(ociwp_transport_new(NULL, &transport, NULL), 0);
	ociwp_transport_free(transport);
	ociwp_transport_free(NULL);
}

Test(transport, many_threads_share_one)
{
	fake_registry *fake = fake_start(hello, 1);
	ociwp_transport *transport = NULL;
	pthread_t threads[16];
	job jobs[16];
	cr_assert_eq(ociwp_transport_new(NULL, &transport, NULL), 0);
	for (int i = 0; i < 16; i++) {
		jobs[i] = (job){.transport = transport};
		snprintf(jobs[i].url, sizeof(jobs[i].url), "http://%s/", fake_address(fake));
		cr_assert_eq(pthread_create(&threads[i], NULL, get, &jobs[i]), 0);
	}
	for (int i = 0; i < 16; i++) {
		pthread_join(threads[i], NULL);
		cr_assert(jobs[i].good);
	}
	ociwp_transport_free(transport);
	fake_stop(fake);
}

Test(transport, a_connection_is_used_again)
{
	fake_registry *fake = fake_start(hello, 1);
	ociwp_transport *transport = NULL;
	cr_assert_eq(ociwp_transport_new(NULL, &transport, NULL), 0);
	for (int i = 0; i < 5; i++) {
		job j = {.transport = transport};
		snprintf(j.url, sizeof(j.url), "http://%s/", fake_address(fake));
		get(&j);
		cr_assert(j.good);
	}
	cr_assert_eq(fake_count(fake), 5);
	cr_assert_eq(fake_at(fake, 4)->connection, 1);
	ociwp_transport_free(transport);
	fake_stop(fake);
}

Test(transport, a_request_made_at_once_waits_for_the_start_of_libcurl)
{
	fake_registry *fake = fake_start(hello, 1);
	for (int i = 0; i < 20; i++) {
		ociwp_transport *transport = NULL;
		job j = {0};
		cr_assert_eq(ociwp_transport_new(NULL, &transport, NULL), 0);
		j.transport = transport;
		snprintf(j.url, sizeof(j.url), "http://%s/", fake_address(fake));
		get(&j);
		cr_assert(j.good);
		ociwp_transport_free(transport);
	}
	fake_stop(fake);
}

static volatile sig_atomic_t seen_on_main;
static pthread_t main_thread;

static void on_signal(int number)
{
	(void)number;
	seen_on_main = pthread_equal(pthread_self(), main_thread) != 0;
}

Test(transport, signals_stay_with_the_program)
{
	fake_registry *fake = fake_start(hello, 1);
	ociwp_transport *transport = NULL;
	sigset_t block, old;
	main_thread = pthread_self();
	signal(SIGUSR1, on_signal);
	cr_assert_eq(ociwp_transport_new(NULL, &transport, NULL), 0);
	job j = {.transport = transport};
	snprintf(j.url, sizeof(j.url), "http://%s/", fake_address(fake));
	get(&j);
	fake_stop(fake);
	/* Blocked here, and the I/O thread is the only other one: nobody takes it. */
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &block, &old);
	kill(getpid(), SIGUSR1);
	get(&j);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	cr_assert(seen_on_main);
	ociwp_transport_free(transport);
}
