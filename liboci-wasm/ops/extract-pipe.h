/* SPDX-License-Identifier: Apache-2.0
 *
 * Several cores for the streams of an image: threads read, verify and inflate layers, the caller
 * hashes, untars and makes names; small files are finished (written, given their look, closed) by
 * whoever has time. Every name is made by the caller's thread, which takes layer after layer, so
 * order holds whatever runs ahead (perf anchors 7).
 */
#ifndef OCIW_OPS_EXTRACT_PIPE_H
#define OCIW_OPS_EXTRACT_PIPE_H

#include "io/stream.h"
#include "ops/extract-layer.h"

#define OCIWP_PIPE_JOB_BYTES ((size_t)32 * 1024)

typedef struct ociwp_pipe ociwp_pipe;

/* Opens stream @p i, called on another thread, perhaps while others are read: no events from there. */
typedef int (*ociwp_pipe_open)(void *data, size_t i, ociw_reader **out, ociw_error **err);

/* Most streams that are read at the same time: each has 1.5 MiB of buffers and its decoder. */
#define OCIWP_PIPE_LANES_MAX 3U

/* Starts @p lanes threads, which begin @p count streams in order, each thread one at a time. */
int ociwp_pipe_new(size_t count, size_t lanes, ociwp_pipe_open open, void *data, ociwp_pipe **out,
		   ociw_error **err);
/* Stops and joins. */
void ociwp_pipe_free(ociwp_pipe *pipe);
OCIWP_DEFINE_AUTO(pipe, ociwp_pipe *, ociwp_pipe_free)
/* The bytes of the next stream; borrows the pipe. Its end is the verdict of the far reader. Fails
 * where the last one was not read to its end. */
int ociwp_pipe_reader(ociwp_pipe *pipe, ociw_reader **out, ociw_error **err);
/* Whether the last stream was: what its far reader left behind may be looked at only then. */
bool ociwp_pipe_at_end(const ociwp_pipe *pipe);

/* A small file whose name is made already. */
typedef struct ociwp_pipe_job {
	struct ociwp_pipe_job *next;
	int fd;
	size_t len;
	ociwp_file_look look;
	char *name; /* for messages */
	size_t name_cap;
	char data[OCIWP_PIPE_JOB_BYTES];
} ociwp_pipe_job;

/* An empty job to fill: post gives it away, drop gives it up (closing its fd). */
int ociwp_pipe_job_begin(ociwp_pipe *pipe, ociwp_pipe_job **out, ociw_error **err);
bool ociwp_pipe_job_name(ociwp_pipe_job *job, const char *name);
int ociwp_pipe_job_post(ociwp_pipe *pipe, ociwp_pipe_job *job, ociw_error **err);
void ociwp_pipe_job_drop(ociwp_pipe *pipe, ociwp_pipe_job *job);
/* All jobs done: the first failure among them. */
int ociwp_pipe_drain(ociwp_pipe *pipe, ociw_error **err);

#endif
