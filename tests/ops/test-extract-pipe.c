/* SPDX-License-Identifier: Apache-2.0
 *
 * The pipe between threads: bytes in order, verdicts at the right place, files finished whoever
 * does it, and giving up at any moment.
 */
#include "ops/extract-pipe.h"

#include "../support/images.h"

#include <fcntl.h>

#define STREAM_BYTES ((size_t)3 * 1000 * 1000)

struct far {
	size_t left;
	uint8_t next;
	int end; /* code of the close */
};

static ptrdiff_t far_read(void *self, void *buf, size_t len, ociw_error **err)
{
	struct far *far = self;
	(void)err;
	size_t n = len < far->left ? len : far->left;
	if (n > 7777)
		n = 7777;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)buf)[i] = far->next++;
	far->left -= n;
	return (ptrdiff_t)n;
}

static int far_close(void *self, ociw_error **err)
{
	int end = ((struct far *)self)->end;
	free(self);
	return end ? ociwp_fail(err, (ociw_code)end, "the far end says no") : 0;
}

static const ociw_reader_ops far_ops = {sizeof(far_ops), far_read, far_close};

/* Streams of STREAM_BYTES; data: number of the stream that ends badly. */
static int open_far(void *data, size_t i, ociw_reader **out, ociw_error **err)
{
	struct far *far = ociwp_new(struct far);
	cr_assert_not_null(far);
	far->left = STREAM_BYTES;
	far->end = i == *(size_t *)data ? OCIW_ERR_DIGEST : 0;
	return ociw_reader_new(&far_ops, far, out, err);
}

static int read_stream(ociwp_pipe *pipe, size_t *count)
{
	ociw_reader *reader = NULL;
	uint8_t buf[5000], want = 0;
	cr_assert_eq(ociwp_pipe_reader(pipe, &reader, NULL), 0);
	*count = 0;
	for (;;) {
		ptrdiff_t n = ociw_reader_read(reader, buf, sizeof(buf), NULL);
		if (n <= 0) {
			int r = ociw_reader_close(reader, NULL);
			return n < 0 ? (int)n : r;
		}
		for (ptrdiff_t i = 0; i < n; i++)
			cr_assert_eq(buf[i], want++);
		*count += (size_t)n;
	}
}

Test(extract_pipe, streams_come_whole_and_in_order)
{
	ociwp_pipe *pipe = NULL;
	size_t bad = SIZE_MAX, count = 0;
	cr_assert_eq(ociwp_pipe_new(3, 2, open_far, &bad, &pipe, NULL), 0);
	for (int i = 0; i < 3; i++) {
		cr_expect_eq(read_stream(pipe, &count), 0);
		cr_expect_eq(count, STREAM_BYTES);
	}
	ociwp_pipe_free(pipe);
}

Test(extract_pipe, the_verdict_of_the_far_end_is_the_end)
{
	ociwp_pipe *pipe = NULL;
	size_t bad = 1, count = 0;
	cr_assert_eq(ociwp_pipe_new(3, 2, open_far, &bad, &pipe, NULL), 0);
	cr_expect_eq(read_stream(pipe, &count), 0);
	cr_expect_eq(read_stream(pipe, &count), OCIW_ERR_DIGEST);
	cr_expect_eq(count, STREAM_BYTES);
	ociwp_pipe_free(pipe);
}

Test(extract_pipe, streams_are_in_order_however_many_run_ahead)
{
	size_t bad = SIZE_MAX, count = 0;
	for (size_t lanes = 0; lanes < OCIWP_PIPE_LANES_MAX + 2; lanes++) {
		ociwp_pipe *pipe = NULL;
		cr_assert_eq(ociwp_pipe_new(6, lanes, open_far, &bad, &pipe, NULL), 0);
		for (int i = 0; i < 6; i++) {
			cr_expect_eq(read_stream(pipe, &count), 0);
			cr_expect_eq(count, STREAM_BYTES);
		}
		cr_expect(ociwp_pipe_at_end(pipe));
		ociwp_pipe_free(pipe);
	}
}

Test(extract_pipe, a_failed_stream_does_not_hold_up_the_ones_after_it)
{
	for (size_t lanes = 1; lanes <= OCIWP_PIPE_LANES_MAX; lanes++) {
		ociwp_pipe *pipe = NULL;
		size_t bad = 1, count = 0;
		cr_assert_eq(ociwp_pipe_new(4, lanes, open_far, &bad, &pipe, NULL), 0);
		cr_expect_eq(read_stream(pipe, &count), 0);
		cr_expect_eq(read_stream(pipe, &count), OCIW_ERR_DIGEST);
		cr_expect_eq(read_stream(pipe, &count), 0);
		cr_expect_eq(count, STREAM_BYTES);
		ociwp_pipe_free(pipe);
	}
}

Test(extract_pipe, giving_up_early_is_an_error_and_no_hang)
{
	ociwp_pipe *pipe = NULL;
	ociw_reader *reader = NULL;
	size_t bad = SIZE_MAX;
	char buf[10];
	cr_assert_eq(ociwp_pipe_new(3, 2, open_far, &bad, &pipe, NULL), 0);
	cr_assert_eq(ociwp_pipe_reader(pipe, &reader, NULL), 0);
	cr_expect_eq(ociw_reader_read(reader, buf, sizeof(buf), NULL), 10);
	cr_expect_eq(ociw_reader_close(reader, NULL), OCIW_ERR_SIZE);
	cr_expect_not(ociwp_pipe_at_end(pipe));
	/* What is left of it must not be taken for the next one. */
	cr_expect_eq(ociwp_pipe_reader(pipe, &reader, NULL), OCIW_ERR_SIZE);
	ociwp_pipe_free(pipe);
}

static int post_file(ociwp_pipe *pipe, int dir, int number)
{
	ociwp_pipe_job *job = NULL;
	char name[32];
	snprintf(name, sizeof(name), "f%d", number);
	cr_assert_eq(ociwp_pipe_job_begin(pipe, &job, NULL), 0);
	job->fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	job->look = (ociwp_file_look){.mode = 0640, .seconds = 12345};
	job->len = (size_t)snprintf(job->data, sizeof(job->data), "file %d", number);
	cr_assert(ociwp_pipe_job_name(job, name));
	return ociwp_pipe_job_post(pipe, job, NULL);
}

Test(extract_pipe, small_files_are_finished_by_whoever_has_time)
{
	struct place place = place_new();
	ociwp_pipe *pipe = NULL;
	size_t bad = SIZE_MAX, count = 0;
	struct stat st;
	char text[32], want[32];
	cr_assert_eq(mkdir(place.out, 0755), 0);
	int dir = open(place.out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(ociwp_pipe_new(1, 1, open_far, &bad, &pipe, NULL), 0);
	for (int i = 0; i < 500; i++)
		cr_expect_eq(post_file(pipe, dir, i), 0);
	cr_expect_eq(read_stream(pipe, &count), 0);
	cr_expect_eq(ociwp_pipe_drain(pipe, NULL), 0);
	for (int i = 0; i < 500; i++) {
		char name[16];
		snprintf(name, sizeof(name), "f%d", i);
		snprintf(want, sizeof(want), "file %d", i);
		cr_expect_str_eq(place_read(&place, name, text, sizeof(text)), want);
		cr_assert(place_stat(&place, name, &st));
		cr_expect_eq(st.st_mode & 07777, 0640);
		cr_expect_eq(st.st_mtime, 12345);
	}
	ociwp_pipe_free(pipe);
	close(dir);
	place_free(&place);
}

Test(extract_pipe, a_file_that_cannot_be_written_is_named)
{
	ociwp_pipe *pipe = NULL;
	ociwp_pipe_job *job = NULL;
	ociw_error *err = NULL;
	size_t bad = SIZE_MAX;
	cr_assert_eq(ociwp_pipe_new(1, 1, open_far, &bad, &pipe, NULL), 0);
	cr_assert_eq(ociwp_pipe_job_begin(pipe, &job, NULL), 0);
	job->fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	job->len = 10;
	memset(job->data, 0, 10);
	cr_assert(ociwp_pipe_job_name(job, "the/file"));
	int r = ociwp_pipe_job_post(pipe, job, &err);
	if (r == 0)
		r = ociwp_pipe_drain(pipe, &err);
	cr_expect_eq(r, OCIW_ERR_IO);
	cr_expect(strstr(ociw_error_message(err), "\"the/file\"") != NULL, "%s",
		  ociw_error_message(err));
	ociw_error_free(err);
	ociwp_pipe_free(pipe);
}

Test(extract_pipe, jobs_that_nobody_did_are_closed)
{
	ociwp_pipe *pipe = NULL;
	ociwp_pipe_job *job = NULL;
	size_t bad = SIZE_MAX;
	cr_assert_eq(ociwp_pipe_new(1, 1, open_far, &bad, &pipe, NULL), 0);
	cr_assert_eq(ociwp_pipe_job_begin(pipe, &job, NULL), 0);
	job->fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	ociwp_pipe_job_drop(pipe, job);
	cr_assert_eq(ociwp_pipe_job_begin(pipe, &job, NULL), 0);
	job->fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	cr_assert(ociwp_pipe_job_name(job, "x"));
	cr_expect_eq(ociwp_pipe_job_post(pipe, job, NULL), 0);
	ociwp_pipe_free(pipe);
}
