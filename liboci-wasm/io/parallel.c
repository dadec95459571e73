/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads over an index that only grows. No queue, no pool: threads live as long as one job.
 */
#include "io/parallel.h"
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#define THREADS_MAX 64

struct run {
	const ociwp_parallel_job *job;
	const ociw_op *op;
	atomic_size_t next;
	atomic_size_t done;
	atomic_bool stop;
	pthread_mutex_t lock; /* of the two below */
	size_t failed_index;
	ociw_error *error;
	int code;
};

struct worker {
	struct run *run;
	size_t number;
	pthread_t thread;
};

size_t ociwp_parallel_threads(size_t wanted)
{
	if (wanted == 0) {
		cpu_set_t set;
		CPU_ZERO(&set);
		wanted = sched_getaffinity(0, sizeof(set), &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
	}
	if (wanted < 1)
		return 1;
	return wanted > THREADS_MAX ? THREADS_MAX : wanted;
}

/* Keeps the error of the lowest index; takes @p error. */
static void run_fail(struct run *run, size_t index, int code, ociw_error *take_error)
{
	atomic_store(&run->stop, true);
	pthread_mutex_lock(&run->lock);
	if (run->code == 0 || index < run->failed_index) {
		ociw_error_free(run->error);
		run->error = take_error;
		run->code = code;
		run->failed_index = index;
		take_error = NULL;
	}
	pthread_mutex_unlock(&run->lock);
	ociw_error_free(take_error);
}

static int report(struct run *run, ociw_error **err)
{
	int r = ociwp_check_cancel(run->op, err);
	if (r < 0 || !run->job->report_files)
		return r;
	ociw_event event = {
	        .size = sizeof(event),
	        .kind = OCIW_EVENT_FILES,
	        .done = atomic_load(&run->done),
	        .total = run->job->count,
	};
	return ociwp_emit(run->op, &event, err);
}

static void *worker_main(void *self)
{
	struct worker *worker = self;
	struct run *run = worker->run;
	while (!atomic_load(&run->stop)) {
		size_t index = atomic_fetch_add(&run->next, 1);
		if (index >= run->job->count)
			break;
		ociw_error *error = NULL;
		int r = run->job->work(run->job->context, worker->number, index, &error);
		if (r >= 0) {
			atomic_fetch_add(&run->done, 1);
			/* Events and cancellation belong to the calling thread. */
			if (worker->number == 0)
				r = report(run, &error);
		}
		if (r < 0)
			run_fail(run, index, r, error);
	}
	return NULL;
}

int ociwp_thread_start(pthread_t *out, const pthread_attr_t *attr, void *(*run)(void *), void *data)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int errnum = pthread_create(out, attr, run, data);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return errnum;
}

int ociwp_parallel_run(const ociwp_parallel_job *job, const ociw_op *op, ociw_error **err)
{
	struct run run = {.job = job, .op = op, .lock = PTHREAD_MUTEX_INITIALIZER};
	struct worker workers[THREADS_MAX];
	size_t threads = ociwp_parallel_threads(job->threads ? job->threads : 1), started = 1;
	if (threads > job->count)
		threads = job->count ? job->count : 1;
	for (size_t i = 0; i < threads; i++)
		workers[i] = (struct worker){.run = &run, .number = i};
	/* A thread that cannot be had is no failure: the others do its share. */
	while (started < threads && ociwp_thread_start(&workers[started].thread, NULL, worker_main,
	                                               &workers[started]) == 0)
		started++;
	worker_main(&workers[0]);
	for (size_t i = 1; i < started; i++)
		pthread_join(workers[i].thread, NULL);
	pthread_mutex_destroy(&run.lock);
	if (run.code == 0)
		return ociwp_check_cancel(op, err);
	if (!run.error)
		return run.code;
	ociwp_error_move(err, run.error);
	return run.code;
}
