/* SPDX-License-Identifier: Apache-2.0
 *
 * The same work on many items by a few threads, the caller's among them. Knows nothing of the work;
 * which thread does what never shows in a result.
 */
#ifndef OCIW_IO_PARALLEL_H
#define OCIW_IO_PARALLEL_H

#include "base/error.h"
#include "base/op.h"
#include <pthread.h>

/* Does item @p index; @p worker (< threads) picks scratch memory of this thread. */
typedef int (*ociwp_parallel_work)(void *context, size_t worker, size_t index, ociw_error **err);

typedef struct ociwp_parallel_job {
	size_t count;
	size_t threads; /* at most this many; as ociwp_parallel_threads() gave it */
	ociwp_parallel_work work;
	void *context;
	bool report_files; /* OCIW_EVENT_FILES with items done, from the calling thread */
} ociwp_parallel_job;

/* @p wanted, or one for each core that this process may use when it is 0; 1..64. */
size_t ociwp_parallel_threads(size_t wanted);

/* Runs all items. Indexes are begun in order; after a failure none is begun any more, and the error
 * of the lowest failing index is given: the same whatever the number of threads. Checks cancel. */
int ociwp_parallel_run(const ociwp_parallel_job *job, const ociw_op *op, ociw_error **err);

/* Starts a thread that gets no signals: they are for the program's own threads. 0 or
 * errno. @p attr may be NULL. */
int ociwp_thread_start(pthread_t *out, const pthread_attr_t *attr, void *(*run)(void *), void *data);

#endif
