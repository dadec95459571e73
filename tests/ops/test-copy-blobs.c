/* SPDX-License-Identifier: Apache-2.0
 *
 * Blobs in parallel: events on the calling thread, the first failure stops all, cancellation, what
 * registries are not sent (LYR-8, PSH-19).
 */
#include "../support/far-end.h"
#include "../support/layouts.h"
#include "ops/copy-blobs.h"

#include <pthread.h>
#include <unistd.h>

TestSuite(copy_blobs, .init = scratch_make, .fini = scratch_remove);

#define COUNT 40

struct log {
	pthread_t thread;
	int begun, done, skipped, warnings, stop_after;
};

static int on_event(const ociw_event *event, void *user_data)
{
	struct log *log = user_data;

	cr_expect(pthread_equal(log->thread, pthread_self()));
	log->begun += event->kind == OCIW_EVENT_BLOB_BEGIN;
	log->done += event->kind == OCIW_EVENT_BLOB_DONE;
	log->skipped += event->kind == OCIW_EVENT_BLOB_SKIPPED;
	log->warnings += event->kind == OCIW_EVENT_WARNING;
	return log->stop_after && log->done >= log->stop_after;
}

/* COUNT blobs in layout "from". */
static ociw_content *make_source(ociw_descriptor **blobs)
{
	ociw_content *source = new_layout(in_scratch("from"));

	for (int i = 0; i < COUNT; i++) {
		char text[64];

		snprintf(text, sizeof(text), "blob %d", i);
		blobs[i] = put_blob(source, "text/plain", text, strlen(text));
	}
	return source;
}

static void free_blobs(ociw_descriptor **blobs)
{
	for (int i = 0; i < COUNT; i++)
		ociw_descriptor_free(blobs[i]);
}

Test(copy_blobs, every_blob_arrives_and_every_event_on_the_calling_thread)
{
	ociw_descriptor *blobs[COUNT];
	OCIWP_AUTO(content) ociw_content *source = make_source(blobs);
	OCIWP_AUTO(content) ociw_content *destination = new_layout(in_scratch("to"));
	struct log log = {.thread = pthread_self()};
	ociw_op op = OCIW_OP_INIT;
	ociw_error *err = NULL;

	op.event = on_event;
	op.user_data = &log;
	ociwp_copy_blobs_options options = {&op, 8, false};
	expect_ok(ociwp_copy_blobs(source, destination, blobs, COUNT, &options, &err), &err);
	cr_expect_eq(log.begun, COUNT);
	cr_expect_eq(log.done, COUNT);
	for (int i = 0; i < COUNT; i++)
		cr_expect(exists(blob_path(in_scratch("to"), blobs[i]->digest)));
	expect_ok(ociwp_copy_blobs(source, destination, blobs, COUNT, &options, &err), &err);
	cr_expect_eq(log.skipped, COUNT);
	cr_expect_eq(log.begun, COUNT);
	free_blobs(blobs);
}

Test(copy_blobs, the_first_failure_is_the_one_that_is_told)
{
	ociw_descriptor *blobs[COUNT];
	OCIWP_AUTO(content) ociw_content *source = make_source(blobs);
	OCIWP_AUTO(content) ociw_content *destination = new_layout(in_scratch("to"));
	ociwp_copy_blobs_options options = {NULL, 4, false};
	ociw_error *err = NULL;

	write_text(blob_path(in_scratch("from"), blobs[20]->digest), "blob 99");
	expect_error(ociwp_copy_blobs(source, destination, blobs, COUNT, &options, &err), &err,
	             OCIW_ERR_DIGEST, blobs[20]->digest);
	free_blobs(blobs);
}

Test(copy_blobs, the_callback_can_stop_it)
{
	ociw_descriptor *blobs[COUNT];
	OCIWP_AUTO(content) ociw_content *source = make_source(blobs);
	OCIWP_AUTO(content) ociw_content *destination = new_layout(in_scratch("to"));
	struct log log = {.thread = pthread_self(), .stop_after = 2};
	ociw_op op = OCIW_OP_INIT;
	ociw_error *err = NULL;

	op.event = on_event;
	op.user_data = &log;
	ociwp_copy_blobs_options options = {&op, 2, false};
	expect_error(ociwp_copy_blobs(source, destination, blobs, COUNT, &options, &err), &err,
	             OCIW_ERR_CANCELLED, NULL);
	free_blobs(blobs);
}

Test(copy_blobs, a_cancel_flag_stops_it)
{
	ociw_descriptor *blobs[COUNT];
	OCIWP_AUTO(content) ociw_content *source = make_source(blobs);
	OCIWP_AUTO(content) ociw_content *destination = new_layout(in_scratch("to"));
	ociw_cancel *cancel = ociw_cancel_new();
	ociw_op op = OCIW_OP_INIT;
	ociw_error *err = NULL;

	ociw_cancel_trigger(cancel);
	op.cancel = cancel;
	ociwp_copy_blobs_options options = {&op, 2, false};
	expect_error(ociwp_copy_blobs(source, destination, blobs, COUNT, &options, &err), &err,
	             OCIW_ERR_CANCELLED, NULL);
	ociw_cancel_free(cancel);
	free_blobs(blobs);
}

/* An end that leaves the machine and counts what it is given. */
struct far {
	int puts, busy, most;
	pthread_mutex_t mutex;
};

static int far_put(void *self, const ociw_descriptor *desc, const ociwp_blob_source *source,
                   const ociw_op *op, ociw_error **err)
{
	(void)desc;
	((struct far *)self)->puts++;
	return far_take(source, op, err);
}

static const ociwp_content_ops far_ops = {
        .resolve = far_resolve, .open = far_open, .put = far_put, .free = far_free, .remote = true};

Test(copy_blobs, layers_that_may_not_be_distributed_stay_here)
{
	OCIWP_AUTO(content) ociw_content *source = new_layout(in_scratch("from"));
	OCIWP_AUTO(descriptor)
	ociw_descriptor *layer = put_blob(
	        source, "application/vnd.oci.image.layer.nondistributable.v1.tar", "hi", 2);
	struct far far = {0};
	OCIWP_AUTO(content) ociw_content *destination = NULL;
	struct log log = {.thread = pthread_self()};
	ociw_op op = OCIW_OP_INIT;
	ociw_error *err = NULL;

	expect_ok(ociwp_content_new(&far_ops, &far, "far", &destination, &err), &err);
	op.event = on_event;
	op.user_data = &log;
	ociwp_copy_blobs_options options = {&op, 1, false};
	expect_ok(ociwp_copy_blobs(source, destination, &layer, 1, &options, &err), &err);
	cr_expect_eq(far.puts, 0);
	cr_expect_eq(log.warnings, 1);
	options.send_nondistributable = true;
	expect_ok(ociwp_copy_blobs(source, destination, &layer, 1, &options, &err), &err);
	cr_expect_eq(far.puts, 1);
}

Test(copy_blobs, damaged_bytes_are_not_sent_away_as_good)
{
	OCIWP_AUTO(content) ociw_content *source = new_layout(in_scratch("from"));
	OCIWP_AUTO(descriptor) ociw_descriptor *blob = put_blob(source, "text/plain", "hello", 5);
	struct far far = {0};
	OCIWP_AUTO(content) ociw_content *destination = NULL;
	ociwp_copy_blobs_options options = {NULL, 1, false};
	ociw_error *err = NULL;

	write_text(blob_path(in_scratch("from"), blob->digest), "hallo");
	expect_ok(ociwp_content_new(&far_ops, &far, "far", &destination, &err), &err);
	expect_error(ociwp_copy_blobs(source, destination, &blob, 1, &options, &err), &err,
	             OCIW_ERR_DIGEST, blob->digest);
}

static int slow_put(void *self, const ociw_descriptor *desc, const ociwp_blob_source *source,
                    const ociw_op *op, ociw_error **err)
{
	struct far *far = self;

	pthread_mutex_lock(&far->mutex);
	if (++far->busy > far->most)
		far->most = far->busy;
	pthread_mutex_unlock(&far->mutex);
	usleep(2000);
	pthread_mutex_lock(&far->mutex);
	far->busy--;
	int r = far_put(self, desc, source, op, err);
	pthread_mutex_unlock(&far->mutex);
	return r;
}

Test(copy_blobs, a_registry_is_sent_six_at_a_time_whatever_was_asked_for)
{
	ociwp_content_ops ops = far_ops;
	ociw_descriptor *blobs[COUNT];
	OCIWP_AUTO(content) ociw_content *source = make_source(blobs);
	struct far far = {.mutex = PTHREAD_MUTEX_INITIALIZER};
	OCIWP_AUTO(content) ociw_content *destination = NULL;
	ociwp_copy_blobs_options options = {NULL, 40, false};
	ociw_error *err = NULL;

	ops.put = slow_put;
	expect_ok(ociwp_content_new(&ops, &far, "far", &destination, &err), &err);
	expect_ok(ociwp_copy_blobs(source, destination, blobs, COUNT, &options, &err), &err);
	cr_expect_eq(far.puts, COUNT);
	cr_expect_leq(far.most, 6);
	free_blobs(blobs);
}

Test(copy_blobs, a_list_may_grow_while_it_is_worked_on)
{
	ociw_descriptor *blobs[COUNT];
	OCIWP_AUTO(content) ociw_content *source = make_source(blobs);
	OCIWP_AUTO(content) ociw_content *destination = new_layout(in_scratch("to"));
	struct log log = {.thread = pthread_self()};
	ociwp_blob_crew *crew = NULL;
	ociw_op op = OCIW_OP_INIT;
	ociw_error *err = NULL;

	op.event = on_event;
	op.user_data = &log;
	ociwp_copy_blobs_options options = {&op, 3, false};
	expect_ok(ociwp_blob_crew_new(source, destination, &options, &crew, &err), &err);
	for (int i = 0; i < COUNT; i++) {
		expect_ok(ociwp_blob_crew_add(crew, blobs[i], &err), &err);
		if (i % 10 == 5)
			expect_ok(ociwp_blob_crew_attend(crew, &err), &err);
	}
	expect_ok(ociwp_blob_crew_finish(crew, true, &err), &err);
	cr_expect_eq(log.done, COUNT);
	for (int i = 0; i < COUNT; i++)
		cr_expect(exists(blob_path(in_scratch("to"), blobs[i]->digest)));
	free_blobs(blobs);
}

Test(copy_blobs, a_growing_list_says_at_its_end_what_failed)
{
	ociw_descriptor *blobs[COUNT];
	OCIWP_AUTO(content) ociw_content *source = make_source(blobs);
	OCIWP_AUTO(content) ociw_content *destination = new_layout(in_scratch("to"));
	ociwp_copy_blobs_options options = {NULL, 4, false};
	ociwp_blob_crew *crew = NULL;
	ociw_error *err = NULL;

	write_text(blob_path(in_scratch("from"), blobs[0]->digest), "glob 0");
	expect_ok(ociwp_blob_crew_new(source, destination, &options, &crew, &err), &err);
	for (int i = 0; i < COUNT; i++)
		expect_ok(ociwp_blob_crew_add(crew, blobs[i], &err), &err);
	expect_error(ociwp_blob_crew_finish(crew, true, &err), &err, OCIW_ERR_DIGEST,
	             blobs[0]->digest);
	free_blobs(blobs);
}

Test(copy_blobs, a_growing_list_can_be_dropped_before_anything_came)
{
	OCIWP_AUTO(content) ociw_content *source = new_layout(in_scratch("from"));
	OCIWP_AUTO(content) ociw_content *destination = new_layout(in_scratch("to"));
	ociwp_copy_blobs_options options = {NULL, 4, false};
	ociwp_blob_crew *crew = NULL;
	ociw_error *err = NULL;

	expect_ok(ociwp_blob_crew_new(source, destination, &options, &crew, &err), &err);
	expect_ok(ociwp_blob_crew_finish(crew, false, &err), &err);
}
