/* SPDX-License-Identifier: Apache-2.0
 *
 * The pipe between inflating and writing. One mutex guards both queues: filled buffers towards the
 * caller, small files towards whoever waits. Nobody sleeps while there is a file to finish.
 */
#include "ops/extract-pipe.h"

#include "base/str.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#define SLOT_BYTES ((size_t)256 * 1024)
#define SLOTS 6U
#define MAX_JOBS 64U
#define WAKE_AT 8U /* jobs that are worth waking the other thread for */

typedef struct slot {
	size_t len;
	bool end;          /* of a stream; with its verdict */
	ociw_error *error; /* why the stream ended, or NULL */
	uint8_t *data;
} slot;

struct ociwp_pipe {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t to_producer, to_consumer;
	ociwp_pipe_open open;
	void *open_data;
	size_t count;

	slot slots[SLOTS]; /* a ring: filled ones are [first, first + filled) */
	size_t first, filled;
	bool stop;             /* the consumer gives up, or is done */
	bool producer_waits, consumer_waits;

	ociwp_pipe_job *spare; /* jobs to be filled */
	ociwp_pipe_job *head, *tail;
	size_t pending, running, made;
	int job_errno;
	char *job_name; /* of the file that failed */
};

/* --- jobs ----------------------------------------------------------------------------------- */

static int run_job(ociwp_pipe_job *job)
{
	int e = ociwp_write_full(job->fd, job->data, job->len);
	if (e == 0)
		e = ociwp_extract_file_look(job->fd, &job->look);
	if (close(job->fd) != 0 && e == 0)
		e = errno;
	job->fd = -1;
	return e;
}

/* Takes the oldest job and does it with the mutex released. */
static void run_one_locked(ociwp_pipe *pipe)
{
	ociwp_pipe_job *job = pipe->head;
	pipe->head = job->next;
	if (!pipe->head)
		pipe->tail = NULL;
	pipe->pending--;
	pipe->running++;
	pthread_mutex_unlock(&pipe->mutex);
	int e = run_job(job);
	pthread_mutex_lock(&pipe->mutex);
	pipe->running--;
	if (e != 0 && pipe->job_errno == 0) {
		pipe->job_errno = e;
		pipe->job_name = ociwp_strdup(job->name);
	}
	job->next = pipe->spare;
	pipe->spare = job;
	if (pipe->consumer_waits)
		pthread_cond_signal(&pipe->to_consumer);
}

static int job_failure_locked(ociwp_pipe *pipe, ociw_error **err)
{
	if (pipe->job_errno == 0)
		return 0;
	return ociwp_fail_errno(err, pipe->job_errno, "write %s",
				ociwp_quote(pipe->job_name ? pipe->job_name : "a file"));
}

int ociwp_pipe_job_begin(ociwp_pipe *pipe, ociwp_pipe_job **out, ociw_error **err)
{
	ociwp_pipe_job *job = NULL;
	pthread_mutex_lock(&pipe->mutex);
	if (!pipe->spare && pipe->made >= MAX_JOBS && pipe->head)
		run_one_locked(pipe);
	while (!pipe->spare && pipe->made >= MAX_JOBS) {
		pipe->consumer_waits = true;
		pthread_cond_wait(&pipe->to_consumer, &pipe->mutex);
		pipe->consumer_waits = false;
	}
	job = pipe->spare;
	if (job)
		pipe->spare = job->next;
	else
		pipe->made++;
	pthread_mutex_unlock(&pipe->mutex);
	if (!job) {
		/* Not calloc: its bytes are written before they are read. */
		job = ociwp_malloc(sizeof(*job));
		if (!job)
			return ociwp_nomem(err);
		job->name = NULL;
		job->name_cap = 0;
	}
	job->next = NULL;
	job->fd = -1;
	job->len = 0;
	*out = job;
	return 0;
}

bool ociwp_pipe_job_name(ociwp_pipe_job *job, const char *name)
{
	size_t len = strlen(name) + 1;
	if (len > job->name_cap) {
		char *grown = ociwp_realloc(job->name, len + 64);
		if (!grown)
			return false;
		job->name = grown;
		job->name_cap = len + 64;
	}
	memcpy(job->name, name, len);
	return true;
}

int ociwp_pipe_job_post(ociwp_pipe *pipe, ociwp_pipe_job *job, ociw_error **err)
{
	pthread_mutex_lock(&pipe->mutex);
	if (pipe->tail)
		pipe->tail->next = job;
	else
		pipe->head = job;
	pipe->tail = job;
	pipe->pending++;
	if (pipe->producer_waits && pipe->pending >= WAKE_AT)
		pthread_cond_signal(&pipe->to_producer);
	int r = job_failure_locked(pipe, err);
	pthread_mutex_unlock(&pipe->mutex);
	return r;
}

void ociwp_pipe_job_drop(ociwp_pipe *pipe, ociwp_pipe_job *job)
{
	if (job->fd >= 0)
		close(job->fd);
	job->fd = -1;
	pthread_mutex_lock(&pipe->mutex);
	job->next = pipe->spare;
	pipe->spare = job;
	pthread_mutex_unlock(&pipe->mutex);
}

int ociwp_pipe_drain(ociwp_pipe *pipe, ociw_error **err)
{
	pthread_mutex_lock(&pipe->mutex);
	while (pipe->pending > 0 || pipe->running > 0) {
		if (pipe->head) {
			run_one_locked(pipe);
			continue;
		}
		pipe->consumer_waits = true;
		pthread_cond_wait(&pipe->to_consumer, &pipe->mutex);
		pipe->consumer_waits = false;
	}
	int r = job_failure_locked(pipe, err);
	pthread_mutex_unlock(&pipe->mutex);
	return r;
}

/* --- the producer --------------------------------------------------------------------------- */

/* A free slot, or NULL when the consumer gave up. Meanwhile files are finished. */
static slot *free_slot(ociwp_pipe *pipe)
{
	slot *found = NULL;
	pthread_mutex_lock(&pipe->mutex);
	while (!pipe->stop && !found) {
		if (pipe->filled < SLOTS) {
			found = &pipe->slots[(pipe->first + pipe->filled) % SLOTS];
		} else if (pipe->head) {
			run_one_locked(pipe);
		} else {
			pipe->producer_waits = true;
			pthread_cond_wait(&pipe->to_producer, &pipe->mutex);
			pipe->producer_waits = false;
		}
	}
	pthread_mutex_unlock(&pipe->mutex);
	return found;
}

static void push_slot(ociwp_pipe *pipe, slot *full, size_t len, bool end, ociw_error *take_error)
{
	full->len = len;
	full->end = end;
	full->error = take_error;
	pthread_mutex_lock(&pipe->mutex);
	pipe->filled++;
	if (pipe->consumer_waits)
		pthread_cond_signal(&pipe->to_consumer);
	pthread_mutex_unlock(&pipe->mutex);
}

/* One stream into slots; false when there is nothing more to do. */
static bool produce_stream(ociwp_pipe *pipe, size_t i)
{
	ociw_reader *reader = NULL;
	ociw_error *error = NULL;
	slot *to = NULL;
	int r = pipe->open(pipe->open_data, i, &reader, &error);
	while (r >= 0) {
		to = free_slot(pipe);
		if (!to)
			break;
		ptrdiff_t n = ociwp_read_full(reader, to->data, SLOT_BYTES, &error);
		if (n < 0) {
			r = (int)n;
			break;
		}
		if (n > 0) {
			push_slot(pipe, to, (size_t)n, false, NULL);
			continue;
		}
		r = ociw_reader_close(reader, &error);
		reader = NULL;
		break;
	}
	(void)ociw_reader_close(reader, NULL);
	to = free_slot(pipe);
	if (!to) {
		ociw_error_free(error);
		return false;
	}
	if (r < 0 && !error)
		(void)ociwp_nomem(&error);
	push_slot(pipe, to, 0, true, error);
	return r >= 0;
}

static void *produce(void *arg)
{
	ociwp_pipe *pipe = arg;
	bool more = true;
	for (size_t i = 0; more && i < pipe->count; i++)
		more = produce_stream(pipe, i);
	/* Nothing left to inflate: help with the files until the caller is done. */
	pthread_mutex_lock(&pipe->mutex);
	while (!pipe->stop) {
		if (pipe->head) {
			run_one_locked(pipe);
			continue;
		}
		pipe->producer_waits = true;
		pthread_cond_wait(&pipe->to_producer, &pipe->mutex);
		pipe->producer_waits = false;
	}
	pthread_mutex_unlock(&pipe->mutex);
	return NULL;
}

/* --- the consumer --------------------------------------------------------------------------- */

typedef struct pipe_reader {
	ociwp_pipe *pipe;
	size_t at; /* in the first filled slot */
	bool ended;
} pipe_reader;

static slot *first_filled(ociwp_pipe *pipe)
{
	pthread_mutex_lock(&pipe->mutex);
	while (pipe->filled == 0) {
		if (pipe->head) {
			run_one_locked(pipe);
			continue;
		}
		pipe->consumer_waits = true;
		pthread_cond_wait(&pipe->to_consumer, &pipe->mutex);
		pipe->consumer_waits = false;
	}
	pthread_mutex_unlock(&pipe->mutex);
	return &pipe->slots[pipe->first];
}

static void release_slot(ociwp_pipe *pipe)
{
	pthread_mutex_lock(&pipe->mutex);
	pipe->first = (pipe->first + 1) % SLOTS;
	pipe->filled--;
	if (pipe->producer_waits)
		pthread_cond_signal(&pipe->to_producer);
	pthread_mutex_unlock(&pipe->mutex);
}

static ptrdiff_t pipe_read(void *self, void *buf, size_t len, ociw_error **err)
{
	pipe_reader *r = self;
	if (r->ended)
		return 0;
	slot *from = first_filled(r->pipe);
	if (from->end) {
		ociw_error *error = ociwp_steal(&from->error);
		r->ended = true;
		release_slot(r->pipe);
		return error ? ociwp_error_move(err, error) : 0;
	}
	size_t n = from->len - r->at < len ? from->len - r->at : len;
	memcpy(buf, from->data + r->at, n);
	r->at += n;
	if (r->at == from->len) {
		r->at = 0;
		release_slot(r->pipe);
	}
	return (ptrdiff_t)n;
}

static int pipe_close(void *self, ociw_error **err)
{
	pipe_reader *r = self;
	bool ended = r->ended;
	free(r);
	return ended ? 0 : ociwp_fail(err, OCIW_ERR_SIZE, "closed before the end of the stream");
}

int ociwp_pipe_reader(ociwp_pipe *pipe, ociw_reader **out, ociw_error **err)
{
	static const ociw_reader_ops ops = {sizeof(ops), pipe_read, pipe_close};
	pipe_reader *reader = ociwp_new(pipe_reader);
	*out = NULL;
	if (!reader)
		return ociwp_nomem(err);
	reader->pipe = pipe;
	return ociw_reader_new(&ops, reader, out, err);
}

/* --- life ----------------------------------------------------------------------------------- */

static void release_all(ociwp_pipe *pipe)
{
	for (size_t i = 0; i < SLOTS; i++) {
		ociw_error_free(pipe->slots[i].error);
		free(pipe->slots[i].data);
	}
	for (ociwp_pipe_job *list = pipe->head; list;) {
		ociwp_pipe_job *next = list->next;
		if (list->fd >= 0)
			close(list->fd);
		free(list->name);
		free(list);
		list = next;
	}
	for (ociwp_pipe_job *list = pipe->spare; list;) {
		ociwp_pipe_job *next = list->next;
		free(list->name);
		free(list);
		list = next;
	}
	free(pipe->job_name);
	pthread_cond_destroy(&pipe->to_producer);
	pthread_cond_destroy(&pipe->to_consumer);
	pthread_mutex_destroy(&pipe->mutex);
	free(pipe);
}

void ociwp_pipe_free(ociwp_pipe *pipe)
{
	if (!pipe)
		return;
	pthread_mutex_lock(&pipe->mutex);
	pipe->stop = true;
	pthread_cond_broadcast(&pipe->to_producer);
	pthread_mutex_unlock(&pipe->mutex);
	pthread_join(pipe->thread, NULL);
	release_all(pipe);
}

/* The host's signals are not for this thread. */
static int start_thread(ociwp_pipe *pipe)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int e = pthread_create(&pipe->thread, NULL, produce, pipe);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return e;
}

int ociwp_pipe_new(size_t count, ociwp_pipe_open open, void *data, ociwp_pipe **out,
		   ociw_error **err)
{
	*out = NULL;
	ociwp_pipe *pipe = ociwp_new(ociwp_pipe);
	if (!pipe)
		return ociwp_nomem(err);
	pthread_mutex_init(&pipe->mutex, NULL);
	pthread_cond_init(&pipe->to_producer, NULL);
	pthread_cond_init(&pipe->to_consumer, NULL);
	pipe->open = open;
	pipe->open_data = data;
	pipe->count = count;
	for (size_t i = 0; i < SLOTS; i++) {
		pipe->slots[i].data = ociwp_malloc(SLOT_BYTES);
		if (!pipe->slots[i].data) {
			release_all(pipe);
			return ociwp_nomem(err);
		}
	}
	int e = start_thread(pipe);
	if (e != 0) {
		release_all(pipe);
		return ociwp_fail_errno(err, e, "start a thread");
	}
	*out = pipe;
	return 0;
}
