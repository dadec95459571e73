/* SPDX-License-Identifier: Apache-2.0
 *
 * Worker threads over a list of blobs, which may still grow. Workers never call the caller: what
 * they have to say goes into a queue that the calling thread empties. All signals are blocked in
 * them.
 */
#include "ops/copy-blobs.h"

#include "base/alloc.h"
#include "base/op.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "io/parallel.h"
#include "io/stream.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define MAX_THREADS 64
#define MAX_REMOTE 6 /* connections that one client opens to a registry (oci-client.md A17) */
#define TICK_MS 100
#define MAX_QUEUED 10000 /* of messages that nobody takes */

typedef struct queued {
	struct queued *next;
	ociw_event_kind kind;
	uint64_t done, total;
	char *digest, *media_type, *message;
} queued;

typedef struct ociwp_blob_crew crew;

typedef struct worker {
	crew *crew;
	pthread_t thread;
	const ociw_descriptor *blob; /* being moved, under the mutex; NULL: none */
	atomic_uint_fast64_t done;
	uint64_t told; /* by the calling thread */
} worker;

struct ociwp_blob_crew {
	ociw_content *source, *destination;
	ociwp_copy_blobs_options options;
	ociw_cancel *stop;
	pthread_mutex_t mutex;
	pthread_cond_t news, more;
	ociw_descriptor *const *blobs; /* under the mutex, as all that follows */
	ociw_descriptor **own;         /* the same when they were added one by one */
	size_t count;
	bool open; /* more may come */
	size_t next, active;
	queued *first, **last;
	size_t queue_length;
	ociw_error *error; /* the first failure */
	bool failed;
	worker workers[MAX_THREADS];
	size_t worker_count;
};

static void queued_free(queued *event)
{
	free(event->digest);
	free(event->media_type);
	free(event->message);
	free(event);
}

static char *dup_or_null(const char *text)
{
	return text ? ociwp_strdup(text) : NULL;
}

/* An event is news, not data: one that finds no memory is lost. */
static void enqueue_locked(crew *c, const ociw_event *event)
{
	if (!c->options.op || !c->options.op->event || c->queue_length >= MAX_QUEUED)
		return;
	queued *item = ociwp_new(queued);
	if (!item)
		return;
	*item = (queued){NULL,
	                 event->kind,
	                 event->done,
	                 event->total,
	                 dup_or_null(event->digest),
	                 dup_or_null(event->media_type),
	                 dup_or_null(event->message)};
	*c->last = item;
	c->last = &item->next;
	c->queue_length++;
	pthread_cond_signal(&c->news);
}

/* What back ends emit on a worker's thread. Progress is counted here, so theirs is dropped. */
static int forward_event(const ociw_event *event, void *user_data)
{
	crew *c = user_data;

	if (event->kind != OCIW_EVENT_BLOB_PROGRESS && event->kind != OCIW_EVENT_BLOB_BEGIN &&
	    event->kind != OCIW_EVENT_BLOB_DONE) {
		pthread_mutex_lock(&c->mutex);
		enqueue_locked(c, event);
		pthread_mutex_unlock(&c->mutex);
	}
	return ociw_cancel_triggered(c->stop);
}

/* State and event change in one step, so that the calling thread never sees one without the other.
 */
static void announce(worker *w, ociw_event_kind kind, const ociw_descriptor *blob, bool moving)
{
	ociw_event event = {.kind = kind,
	                    .digest = blob->digest,
	                    .media_type = blob->media_type,
	                    .done = kind == OCIW_EVENT_BLOB_BEGIN ? 0 : blob->size,
	                    .total = blob->size};

	pthread_mutex_lock(&w->crew->mutex);
	w->blob = moving ? blob : NULL;
	atomic_store(&w->done, 0);
	enqueue_locked(w->crew, &event);
	pthread_mutex_unlock(&w->crew->mutex);
}

typedef struct counting_reader {
	ociw_reader *inner;
	worker *worker;
} counting_reader;

static ptrdiff_t counting_read(void *self, void *buf, size_t len, ociw_error **err)
{
	counting_reader *c = self;
	ptrdiff_t n = ociw_reader_read(c->inner, buf, len, err);

	if (n > 0)
		atomic_fetch_add(&c->worker->done, (uint64_t)n);
	return n;
}

static int counting_close(void *self, ociw_error **err)
{
	counting_reader *c = self;
	int r = ociw_reader_close(c->inner, err);

	free(c);
	return r;
}

/* Ends that check what they are given get raw bytes, from any offset; others get a reader that
 * checks, so that damaged bytes are refused here with a clear error, unless the source is sure. */
static int open_blob(void *self, uint64_t offset, const ociw_op *op, ociw_reader **out,
                     ociw_error **err)
{
	static const ociw_reader_ops ops = {sizeof(ops), counting_read, counting_close};
	worker *w = self;
	ociw_reader *inner = NULL;
	int r;

	*out = NULL;
	if (offset == 0 && ociwp_content_is_remote(w->crew->destination) &&
	    !ociwp_content_is_sure(w->crew->source, w->blob))
		r = ociw_content_open(w->crew->source, w->blob, op, &inner, err);
	else
		r = ociwp_content_open_raw(w->crew->source, w->blob, offset, op, &inner, err);
	if (r < 0)
		return r;
	counting_reader *c = ociwp_new(counting_reader);
	if (!c) {
		ociwp_discard_reader(inner);
		return ociwp_nomem(err);
	}
	*c = (counting_reader){inner, w};
	atomic_store(&w->done, offset);
	return ociw_reader_new(&ops, c, out, err);
}

bool ociwp_copy_withholds(const ociw_descriptor *blob, const ociw_content *destination,
                          bool send_nondistributable)
{
	return ociwp_mediatype_is_nondistributable(blob->media_type) &&
	       ociwp_content_is_remote(destination) && !send_nondistributable;
}

static int move_blob(worker *w, const ociw_descriptor *blob, const ociw_op *op, ociw_error **err)
{
	crew *c = w->crew;
	bool foreign = ociwp_mediatype_is_nondistributable(blob->media_type);
	ociwp_blob_source source = {open_blob, w};
	ociw_error *why = NULL;
	bool there = false;

	int r = ociwp_content_has(c->destination, blob, op, &there, err);
	if (r >= 0 && !there)
		r = ociwp_content_mount(c->destination, blob, c->source, op, &there, err);
	if (r < 0)
		return r;
	if (there) {
		announce(w, OCIW_EVENT_BLOB_SKIPPED, blob, false);
		return 0;
	}
	if (ociwp_copy_withholds(blob, c->destination, c->options.send_nondistributable))
		return ociwp_warn(op, err, "layer %s is non-distributable and was not sent",
		                  blob->digest);
	announce(w, OCIW_EVENT_BLOB_BEGIN, blob, true);
	r = ociwp_content_put(c->destination, blob, &source, op, &why);
	if (r == OCIW_ERR_NOTFOUND && foreign) {
		ociw_error_free(why);
		return ociwp_warn(op, err, "layer %s is non-distributable and not there to copy",
		                  blob->digest);
	}
	if (r < 0)
		return ociwp_error_move(err, why);
	announce(w, OCIW_EVENT_BLOB_DONE, blob, false);
	return 0;
}

static const ociw_descriptor *take_job(worker *w)
{
	crew *c = w->crew;
	const ociw_descriptor *blob = NULL;

	pthread_mutex_lock(&c->mutex);
	w->blob = NULL;
	while (c->open && c->next == c->count && !c->failed && !ociw_cancel_triggered(c->stop))
		pthread_cond_wait(&c->more, &c->mutex);
	if (!c->failed && !ociw_cancel_triggered(c->stop) && c->next < c->count)
		blob = c->blobs[c->next++];
	pthread_mutex_unlock(&c->mutex);
	return blob;
}

static void report_failure(crew *c, int code, ociw_error *why)
{
	pthread_mutex_lock(&c->mutex);
	bool first = !c->failed;
	c->failed = true;
	if (first) {
		(void)code;
		c->error = why;
	}
	ociw_cancel_trigger(c->stop);
	pthread_cond_broadcast(&c->more);
	pthread_mutex_unlock(&c->mutex);
	if (!first)
		ociw_error_free(why);
}

static void *work(void *arg)
{
	worker *w = arg;
	crew *c = w->crew;
	const ociw_op *outer = c->options.op;
	ociw_op op = {.size = sizeof(op),
	              .limits = outer ? outer->limits : NULL,
	              .event = forward_event,
	              .user_data = c,
	              .cancel = c->stop};

	for (const ociw_descriptor *blob; (blob = take_job(w));) {
		ociw_error *why = NULL;
		int r = move_blob(w, blob, &op, &why);

		if (r < 0)
			report_failure(c, r, why);
	}
	pthread_mutex_lock(&c->mutex);
	c->active--;
	pthread_cond_signal(&c->news);
	pthread_mutex_unlock(&c->mutex);
	return NULL;
}

/* One wake-up of the calling thread: what there is to tell, taken under the mutex. */
typedef struct news {
	queued *events;
	const ociw_descriptor *moving[MAX_THREADS];
	uint64_t done[MAX_THREADS];
	bool over;
} news;

static void wait_a_tick(crew *c)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += TICK_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	(void)pthread_cond_timedwait(&c->news, &c->mutex, &until);
}

static void take_news(crew *c, bool wait, news *out)
{
	*out = (news){0};
	pthread_mutex_lock(&c->mutex);
	if (wait && c->active && !c->first)
		wait_a_tick(c);
	out->events = c->first;
	c->first = NULL;
	c->last = &c->first;
	c->queue_length = 0;
	out->over = c->active == 0;
	for (size_t i = 0; i < c->worker_count; i++) {
		out->moving[i] = c->workers[i].blob;
		out->done[i] = atomic_load(&c->workers[i].done);
	}
	pthread_mutex_unlock(&c->mutex);
}

static int tell_events(const ociw_op *op, queued *events, int r, ociw_error **err)
{
	while (events) {
		queued *item = events;

		events = item->next;
		ociw_event event = {sizeof(event), item->kind, item->digest, item->media_type,
		                    item->message, item->done, item->total};
		if (r >= 0)
			r = ociwp_emit(op, &event, err);
		queued_free(item);
	}
	return r;
}

static int tell_progress(crew *c, const news *n, ociw_error **err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < c->worker_count; i++) {
		const ociw_descriptor *blob = n->moving[i];

		if (!blob || n->done[i] == 0 || n->done[i] == c->workers[i].told)
			continue;
		c->workers[i].told = n->done[i];
		ociw_event event = {sizeof(event), OCIW_EVENT_BLOB_PROGRESS,
		                    blob->digest,  blob->media_type,
		                    NULL,          n->done[i],
		                    blob->size};
		r = ociwp_emit(c->options.op, &event, err);
	}
	return r;
}

static void stop_all(crew *c)
{
	pthread_mutex_lock(&c->mutex);
	ociw_cancel_trigger(c->stop);
	pthread_cond_broadcast(&c->more);
	pthread_mutex_unlock(&c->mutex);
}

/* Passes on what there is to tell; @p r is what the calling thread thought before. */
static int tell(crew *c, bool wait, int r, bool *over, ociw_error **err)
{
	news n;

	take_news(c, wait, &n);
	r = tell_events(c->options.op, n.events, r, err);
	if (r >= 0)
		r = tell_progress(c, &n, err);
	if (r >= 0)
		r = ociwp_check_cancel(c->options.op, err);
	if (r < 0)
		stop_all(c);
	*over = n.over;
	return r;
}

/* Runs on the calling thread until the last worker is done. */
static int attend(crew *c, ociw_error **err)
{
	bool over = false;
	int r = 0;

	while (!over)
		r = tell(c, true, r, &over, err);
	return r;
}

static int start_workers(crew *c, size_t wanted, ociw_error **err)
{
	int errnum = 0;

	c->active = wanted;
	for (size_t i = 0; i < wanted && !errnum; i++) {
		c->workers[i].crew = c;
		errnum = ociwp_thread_start(&c->workers[i].thread, NULL, work, &c->workers[i]);
		if (!errnum)
			c->worker_count++;
	}
	pthread_mutex_lock(&c->mutex);
	c->active -= wanted - c->worker_count;
	pthread_mutex_unlock(&c->mutex);
	/* Fewer than wanted will do. */
	return c->worker_count ? 0 : ociwp_fail_errno(err, errnum, "start a thread");
}

static size_t thread_count(const crew *c)
{
	size_t wanted = c->options.parallel ? c->options.parallel : 1;
	bool remote = ociwp_content_is_remote(c->source) || ociwp_content_is_remote(c->destination);
	size_t most = remote ? MAX_REMOTE : MAX_THREADS;

	return wanted > most ? most : wanted;
}

static int wait_for_all(crew *c, ociw_error **err)
{
	int r = attend(c, err);

	for (size_t i = 0; i < c->worker_count; i++)
		pthread_join(c->workers[i].thread, NULL);
	if (r >= 0 && c->failed)
		return ociwp_error_move(err, ociwp_steal(&c->error));
	return r;
}

static void crew_free(crew *c)
{
	for (size_t i = 0; c->own && i < c->count; i++)
		ociw_descriptor_free(c->own[i]);
	free(c->own);
	ociw_error_free(c->error);
	ociw_cancel_free(c->stop);
	pthread_cond_destroy(&c->news);
	pthread_cond_destroy(&c->more);
	pthread_mutex_destroy(&c->mutex);
	free(c);
}

static crew *crew_new(ociw_content *source, ociw_content *destination,
                      const ociwp_copy_blobs_options *options)
{
	pthread_condattr_t monotonic;
	crew *c = ociwp_new(crew);

	if (!c)
		return NULL;
	c->source = source;
	c->destination = destination;
	c->options = *options;
	c->last = &c->first;
	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->more, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&c->news, &monotonic);
	pthread_condattr_destroy(&monotonic);
	c->stop = ociw_cancel_new();
	if (!c->stop) {
		crew_free(c);
		return NULL;
	}
	return c;
}

int ociwp_copy_blobs(ociw_content *source, ociw_content *destination, ociw_descriptor *const *blobs,
                     size_t count, const ociwp_copy_blobs_options *options, ociw_error **err)
{
	if (count == 0)
		return 0;
	crew *c = crew_new(source, destination, options);
	if (!c)
		return ociwp_nomem(err);
	c->blobs = blobs;
	c->count = count;
	size_t wanted = thread_count(c);
	int r = start_workers(c, wanted > count ? count : wanted, err);
	if (r >= 0)
		r = wait_for_all(c, err);
	crew_free(c);
	return r;
}

/* --- a list that grows --- */

int ociwp_blob_crew_new(ociw_content *source, ociw_content *destination,
                        const ociwp_copy_blobs_options *options, ociwp_blob_crew **out,
                        ociw_error **err)
{
	crew *c = crew_new(source, destination, options);
	if (!c)
		return ociwp_nomem(err);
	c->open = true;
	int r = start_workers(c, thread_count(c), err);
	if (r < 0) {
		crew_free(c);
		return r;
	}
	*out = c;
	return 0;
}

int ociwp_blob_crew_add(ociwp_blob_crew *c, const ociw_descriptor *blob, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *copy = NULL;
	int r = ociw_descriptor_dup(blob, &copy, err);

	if (r < 0)
		return r;
	pthread_mutex_lock(&c->mutex);
	ociw_descriptor **grown = c->own;
	if ((c->count & (c->count - 1)) == 0)
		grown = ociwp_realloc_array(grown, c->count ? 2 * c->count : 1, sizeof(*grown));
	if (grown) {
		c->blobs = c->own = grown;
		grown[c->count++] = ociwp_steal(&copy);
		pthread_cond_signal(&c->more);
	}
	pthread_mutex_unlock(&c->mutex);
	return grown ? 0 : ociwp_nomem(err);
}

int ociwp_blob_crew_attend(ociwp_blob_crew *c, ociw_error **err)
{
	bool over;

	return tell(c, false, 0, &over, err);
}

int ociwp_blob_crew_finish(ociwp_blob_crew *take_crew, bool wait, ociw_error **err)
{
	crew *c = take_crew;

	pthread_mutex_lock(&c->mutex);
	c->open = false;
	if (!wait)
		ociw_cancel_trigger(c->stop);
	pthread_cond_broadcast(&c->more);
	pthread_mutex_unlock(&c->mutex);
	int r = wait_for_all(c, err);
	crew_free(c);
	return r;
}
