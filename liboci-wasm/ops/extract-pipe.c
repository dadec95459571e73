/* SPDX-License-Identifier: Apache-2.0
 *
 * The pipe between inflating and writing. One mutex guards all queues: filled buffers of each lane
 * towards the caller, small files towards whoever waits. Nobody sleeps while there is a file to
 * finish. A lane holds the streams that its thread took, one behind the other.
 */
#include "ops/extract-pipe.h"

#include "base/str.h"
#include "io/parallel.h"

#include <errno.h>
#include <pthread.h>
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

typedef struct lane {
	ociwp_pipe *pipe;
	pthread_t thread;
	pthread_cond_t wake;
	bool waits;
	slot slots[SLOTS]; /* a ring: filled ones are [first, first + filled) */
	size_t first, filled;
} lane;

struct ociwp_pipe {
	pthread_mutex_t mutex;
	pthread_cond_t to_consumer;
	bool consumer_waits;
	ociwp_pipe_open open;
	void *open_data;
	bool stop; /* the consumer gives up, or is done */

	lane lanes[OCIWP_PIPE_LANES_MAX];
	size_t lane_count, started;
	uint8_t *lane_of; /* each stream that is taken */
	size_t count, taken;

	size_t opened; /* streams that the consumer began */
	bool at_end;   /* of the last of them */

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

/* For a job, of the lanes that have nothing to do. */
static void wake_a_lane(ociwp_pipe *pipe)
{
	for (size_t i = 0; i < pipe->lane_count; i++)
		if (pipe->lanes[i].waits) {
			pthread_cond_signal(&pipe->lanes[i].wake);
			return;
		}
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
	if (pipe->pending >= WAKE_AT)
		wake_a_lane(pipe);
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

/* --- the producers -------------------------------------------------------------------------- */

static void wait_locked(lane *l)
{
	l->waits = true;
	pthread_cond_wait(&l->wake, &l->pipe->mutex);
	l->waits = false;
}

/* A free slot, or NULL when the consumer gave up. Meanwhile files are finished. */
static slot *free_slot(lane *l)
{
	ociwp_pipe *pipe = l->pipe;
	slot *found = NULL;
	pthread_mutex_lock(&pipe->mutex);
	while (!pipe->stop && !found) {
		if (l->filled < SLOTS)
			found = &l->slots[(l->first + l->filled) % SLOTS];
		else if (pipe->head)
			run_one_locked(pipe);
		else
			wait_locked(l);
	}
	pthread_mutex_unlock(&pipe->mutex);
	return found;
}

static void push_slot(lane *l, slot *full, size_t len, bool end, ociw_error *take_error)
{
	full->len = len;
	full->end = end;
	full->error = take_error;
	pthread_mutex_lock(&l->pipe->mutex);
	l->filled++;
	if (l->pipe->consumer_waits)
		pthread_cond_signal(&l->pipe->to_consumer);
	pthread_mutex_unlock(&l->pipe->mutex);
}

/* One stream into slots. What becomes of a failed one is the consumer's business. */
static void produce_stream(lane *l, size_t i)
{
	ociw_reader *reader = NULL;
	ociw_error *error = NULL;
	slot *to = NULL;
	int r = l->pipe->open(l->pipe->open_data, i, &reader, &error);
	while (r >= 0) {
		to = free_slot(l);
		if (!to)
			break;
		ptrdiff_t n = ociwp_read_full(reader, to->data, SLOT_BYTES, &error);
		if (n < 0) {
			r = (int)n;
			break;
		}
		if (n > 0) {
			push_slot(l, to, (size_t)n, false, NULL);
			continue;
		}
		r = ociw_reader_close(reader, &error);
		reader = NULL;
		break;
	}
	(void)ociw_reader_close(reader, NULL);
	to = free_slot(l);
	if (!to) {
		ociw_error_free(error);
		return;
	}
	if (r < 0 && !error)
		(void)ociwp_nomem(&error);
	push_slot(l, to, 0, true, error);
}

static void *produce(void *arg)
{
	lane *l = arg;
	ociwp_pipe *pipe = l->pipe;
	pthread_mutex_lock(&pipe->mutex);
	while (!pipe->stop) {
		if (pipe->taken < pipe->count) {
			size_t i = pipe->taken++;
			pipe->lane_of[i] = (uint8_t)(l - pipe->lanes);
			pthread_mutex_unlock(&pipe->mutex);
			produce_stream(l, i);
			pthread_mutex_lock(&pipe->mutex);
		} else if (pipe->head) {
			/* Nothing left to inflate: help with the files until the caller is done. */
			run_one_locked(pipe);
		} else {
			wait_locked(l);
		}
	}
	pthread_mutex_unlock(&pipe->mutex);
	return NULL;
}

/* --- the consumer --------------------------------------------------------------------------- */

typedef struct pipe_reader {
	ociwp_pipe *pipe;
	size_t stream;
	size_t at; /* in the first filled slot */
} pipe_reader;

/* The lane with the next bytes of a stream; each lane's oldest slot is of a stream that is not
 * read yet, so it is of this one. */
static lane *filled_lane(ociwp_pipe *pipe, size_t stream)
{
	lane *from = NULL;
	pthread_mutex_lock(&pipe->mutex);
	for (;;) {
		from = stream < pipe->taken ? &pipe->lanes[pipe->lane_of[stream]] : NULL;
		if (from && from->filled > 0)
			break;
		if (pipe->head) {
			run_one_locked(pipe);
			continue;
		}
		pipe->consumer_waits = true;
		pthread_cond_wait(&pipe->to_consumer, &pipe->mutex);
		pipe->consumer_waits = false;
	}
	pthread_mutex_unlock(&pipe->mutex);
	return from;
}

static void release_slot(lane *l)
{
	pthread_mutex_lock(&l->pipe->mutex);
	l->first = (l->first + 1) % SLOTS;
	l->filled--;
	if (l->waits)
		pthread_cond_signal(&l->wake);
	pthread_mutex_unlock(&l->pipe->mutex);
}

static ptrdiff_t pipe_read(void *self, void *buf, size_t len, ociw_error **err)
{
	pipe_reader *r = self;
	if (r->pipe->at_end)
		return 0;
	lane *l = filled_lane(r->pipe, r->stream);
	slot *from = &l->slots[l->first];
	if (from->end) {
		ociw_error *error = ociwp_steal(&from->error);
		r->pipe->at_end = true;
		release_slot(l);
		return error ? ociwp_error_move(err, error) : 0;
	}
	size_t n = from->len - r->at < len ? from->len - r->at : len;
	memcpy(buf, from->data + r->at, n);
	r->at += n;
	if (r->at == from->len) {
		r->at = 0;
		release_slot(l);
	}
	return (ptrdiff_t)n;
}

static int pipe_close(void *self, ociw_error **err)
{
	bool ended = ((pipe_reader *)self)->pipe->at_end;
	free(self);
	return ended ? 0 : ociwp_fail(err, OCIW_ERR_SIZE, "closed before the end of the stream");
}

int ociwp_pipe_reader(ociwp_pipe *pipe, ociw_reader **out, ociw_error **err)
{
	static const ociw_reader_ops ops = {sizeof(ops), pipe_read, pipe_close};
	*out = NULL;
	if (!pipe->at_end || pipe->opened == pipe->count)
		return ociwp_fail(err, OCIW_ERR_SIZE, "the last stream was not read to its end");
	pipe_reader *reader = ociwp_new(pipe_reader);
	if (!reader)
		return ociwp_nomem(err);
	reader->pipe = pipe;
	reader->stream = pipe->opened++;
	pipe->at_end = false;
	return ociw_reader_new(&ops, reader, out, err);
}

bool ociwp_pipe_at_end(const ociwp_pipe *pipe)
{
	return pipe->at_end;
}

/* --- life ----------------------------------------------------------------------------------- */

static void release_lane(lane *l)
{
	for (size_t i = 0; i < SLOTS; i++) {
		ociw_error_free(l->slots[i].error);
		free(l->slots[i].data);
	}
	pthread_cond_destroy(&l->wake);
}

static void release_jobs(ociwp_pipe_job *list)
{
	while (list) {
		ociwp_pipe_job *next = list->next;
		if (list->fd >= 0)
			close(list->fd);
		free(list->name);
		free(list);
		list = next;
	}
}

/* The lanes' threads end first. */
void ociwp_pipe_free(ociwp_pipe *pipe)
{
	if (!pipe)
		return;
	pthread_mutex_lock(&pipe->mutex);
	pipe->stop = true;
	for (size_t i = 0; i < pipe->started; i++)
		pthread_cond_signal(&pipe->lanes[i].wake);
	pthread_mutex_unlock(&pipe->mutex);
	for (size_t i = 0; i < pipe->started; i++)
		pthread_join(pipe->lanes[i].thread, NULL);
	for (size_t i = 0; i < pipe->lane_count; i++)
		release_lane(&pipe->lanes[i]);
	release_jobs(pipe->head);
	release_jobs(pipe->spare);
	free(pipe->job_name);
	free(pipe->lane_of);
	pthread_cond_destroy(&pipe->to_consumer);
	pthread_mutex_destroy(&pipe->mutex);
	free(pipe);
}

static bool lane_init(ociwp_pipe *pipe, lane *l)
{
	l->pipe = pipe;
	pthread_cond_init(&l->wake, NULL);
	for (size_t i = 0; i < SLOTS; i++) {
		l->slots[i].data = ociwp_malloc(SLOT_BYTES);
		if (!l->slots[i].data)
			return false;
	}
	return true;
}

/* A thread that cannot be had is no failure, as long as there is one. */
static int start_threads(ociwp_pipe *pipe)
{
	int e = 0;
	while (e == 0 && pipe->started < pipe->lane_count) {
		lane *l = &pipe->lanes[pipe->started];
		e = ociwp_thread_start(&l->thread, NULL, produce, l);
		if (e == 0)
			pipe->started++;
	}
	return pipe->started > 0 ? 0 : e;
}

int ociwp_pipe_new(size_t count, size_t lanes, ociwp_pipe_open open, void *data, ociwp_pipe **out,
		   ociw_error **err)
{
	*out = NULL;
	OCIWP_AUTO(pipe) ociwp_pipe *pipe = ociwp_new(ociwp_pipe);
	if (!pipe)
		return ociwp_nomem(err);
	pthread_mutex_init(&pipe->mutex, NULL);
	pthread_cond_init(&pipe->to_consumer, NULL);
	pipe->open = open;
	pipe->open_data = data;
	pipe->count = count;
	pipe->at_end = true;
	pipe->lane_of = ociwp_calloc(count ? count : 1, sizeof(*pipe->lane_of));
	if (!pipe->lane_of)
		return ociwp_nomem(err);
	size_t wanted = lanes < count ? lanes : count;
	if (wanted > OCIWP_PIPE_LANES_MAX)
		wanted = OCIWP_PIPE_LANES_MAX;
	do
		if (!lane_init(pipe, &pipe->lanes[pipe->lane_count++]))
			return ociwp_nomem(err);
	while (pipe->lane_count < wanted);
	int e = start_threads(pipe);
	if (e != 0)
		return ociwp_fail_errno(err, e, "start a thread");
	*out = ociwp_steal(&pipe);
	return 0;
}
