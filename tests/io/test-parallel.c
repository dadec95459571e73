/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of io/parallel: every item once, the error of the lowest index, cancellation.
 */
#include "io/parallel.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdatomic.h>

enum { ITEMS = 1000 };

struct tally {
	atomic_int seen[ITEMS];
	size_t fail_from; /* indexes from here on fail */
	size_t threads;
};

static int count_item(void *context, size_t worker, size_t index, ociw_error **err)
{
	struct tally *tally = context;
	cr_assert_lt(worker, tally->threads);
	atomic_fetch_add(&tally->seen[index], 1);
	if (index >= tally->fail_from)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "item %zu", index);
	return 0;
}

static int run(struct tally *tally, const ociw_op *op, ociw_error **err)
{
	ociwp_parallel_job job = {ITEMS, tally->threads, count_item, tally, true};
	return ociwp_parallel_run(&job, op, err);
}

Test(parallel, does_every_item_exactly_once)
{
	static struct tally tally = {.fail_from = ITEMS, .threads = 4};
	cr_assert_eq(run(&tally, NULL, NULL), 0);
	for (size_t i = 0; i < ITEMS; i++)
		cr_assert_eq(tally.seen[i], 1);
}

Test(parallel, gives_the_error_of_the_lowest_index_whatever_the_number_of_threads)
{
	for (size_t threads = 1; threads <= 8; threads++) {
		static struct tally tally;
		tally = (struct tally){.fail_from = 100, .threads = threads};
		ociw_error *err = NULL;
		cr_assert_eq(run(&tally, NULL, &err), OCIW_ERR_FORMAT);
		cr_assert_str_eq(ociw_error_message(err), "item 100");
		ociw_error_free(err);
	}
}

Test(parallel, no_items_is_success)
{
	ociwp_parallel_job job = {0, 4, count_item, NULL, false};
	cr_assert_eq(ociwp_parallel_run(&job, NULL, NULL), 0);
}

Test(parallel, a_triggered_cancel_stops_it)
{
	static struct tally tally = {.fail_from = ITEMS, .threads = 1};
	ociw_op op = OCIW_OP_INIT;
	ociw_cancel *cancel = ociw_cancel_new();
	op.cancel = cancel;
	ociw_cancel_trigger(cancel);
	cr_assert_eq(run(&tally, &op, NULL), OCIW_ERR_CANCELLED);
	cr_assert_eq(tally.seen[ITEMS - 1], 0);
	ociw_cancel_free(cancel);
}

static int stop_at_ten(const ociw_event *event, void *user_data)
{
	(void)user_data;
	return event->kind == OCIW_EVENT_FILES && event->done == 10;
}

Test(parallel, an_event_callback_can_stop_it)
{
	static struct tally tally = {.fail_from = ITEMS, .threads = 1};
	ociw_op op = OCIW_OP_INIT;
	op.event = stop_at_ten;
	cr_assert_eq(run(&tally, &op, NULL), OCIW_ERR_CANCELLED);
	cr_assert_eq(tally.seen[9], 1);
	cr_assert_eq(tally.seen[10], 0);
}

Test(parallel, thread_counts_are_clamped)
{
	cr_assert_geq(ociwp_parallel_threads(0), 1);
	cr_assert_eq(ociwp_parallel_threads(3), 3);
	cr_assert_eq(ociwp_parallel_threads(100000), 64);
}

static void *read_mask(void *data)
{
	cr_assert_eq(pthread_sigmask(SIG_SETMASK, NULL, data), 0);
	return NULL;
}

Test(parallel, threads_get_no_signals_and_their_maker_does)
{
	sigset_t theirs, ours;
	pthread_t thread;
	cr_assert_eq(ociwp_thread_start(&thread, NULL, read_mask, &theirs), 0);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	read_mask(&ours);
	cr_expect(sigismember(&theirs, SIGINT) && sigismember(&theirs, SIGTERM));
	cr_expect_not(sigismember(&ours, SIGINT));
}
