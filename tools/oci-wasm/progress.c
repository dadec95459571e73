/* SPDX-License-Identifier: Apache-2.0
 *
 * Events for people: one line that is redrawn on a terminal, plain lines elsewhere. All on stderr.
 */
#include "tool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REDRAW_MS 100
/* Shorter than the shortest pause before a retry: who waits for the same thing says so once. */
#define RETRY_MS 200

struct progress {
	bool quiet, verbose, terminal, drawn;
	uint64_t bytes_done, bytes_total; /* of all blobs that began */
	uint64_t files_done, files_total;
	unsigned blobs, finished, skipped;
	struct dry_run dry;
	uint64_t last_draw_ms, last_retry_ms;
	/* Bytes seen of each blob that is under way; a handful at a time. */
	struct {
		char digest[80];
		uint64_t done, total;
	} active[32];
};

struct progress *progress_new(const struct common_options *options)
{
	struct progress *p = calloc(1, sizeof(*p));

	if (p) {
		const char *term = getenv("TERM");
		p->quiet = options->quiet;
		p->verbose = options->verbose;
		p->terminal = !options->quiet && isatty(STDERR_FILENO) &&
			      !(term && strcmp(term, "dumb") == 0);
	}
	return p;
}

void progress_free(struct progress *p)
{
	if (p)
		progress_clear(p);
	free(p);
}

void progress_clear(struct progress *p)
{
	if (p && p->drawn)
		fputs("\r\033[K", stderr);
	if (p)
		p->drawn = false;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void print_size(char *out, size_t len, uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && unit + 1 < TOOL_COUNT(units)) {
		value /= 1024;
		unit++;
	}
	snprintf(out, len, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

struct dry_run progress_take_dry_run(struct progress *p)
{
	struct dry_run dry = p ? p->dry : (struct dry_run){0, 0, 0};

	if (p)
		p->dry = (struct dry_run){0, 0, 0};
	return dry;
}

void progress_say_dry_run(const struct progress *p, const struct dry_run *dry)
{
	char size[32];

	print_size(size, sizeof(size), dry->bytes);
	if (p && !p->quiet)
		fprintf(stderr, "dry run: %u blobs and manifests would be sent, %s; %u are there\n", dry->count,
			size, dry->there);
}

static void draw(struct progress *p)
{
	char done[32], total[32];
	uint64_t now = now_ms();

	if (!p->terminal || now - p->last_draw_ms < REDRAW_MS)
		return;
	p->last_draw_ms = now;
	p->drawn = true;
	if (!p->blobs) {
		fprintf(stderr, "\r\033[K%" PRIu64 " files", p->files_done);
		return;
	}
	print_size(done, sizeof(done), p->bytes_done);
	print_size(total, sizeof(total), p->bytes_total);
	fprintf(stderr, "\r\033[K%u/%u blobs  %s of %s  %u already there", p->finished, p->blobs,
		done, total, p->skipped);
}

/* The slot of a blob, or a free one for it; NULL when all are taken. */
static size_t slot_of(const struct progress *p, const char *digest)
{
	size_t free_slot = TOOL_COUNT(p->active);

	for (size_t i = 0; i < TOOL_COUNT(p->active); i++) {
		if (strncmp(p->active[i].digest, digest, sizeof(p->active[i].digest) - 1) == 0)
			return i;
		if (!p->active[i].digest[0] && free_slot == TOOL_COUNT(p->active))
			free_slot = i;
	}
	return free_slot;
}

static void update_blob(struct progress *p, const ociw_event *event)
{
	const char *digest = event->digest ? event->digest : "";
	size_t slot = slot_of(p, digest);

	if (slot == TOOL_COUNT(p->active))
		return;
	if (event->kind == OCIW_EVENT_BLOB_BEGIN) {
		snprintf(p->active[slot].digest, sizeof(p->active[slot].digest), "%s", digest);
		p->active[slot].done = 0;
		p->active[slot].total = event->total;
		p->bytes_total += event->total;
		p->blobs++;
		return;
	}
	uint64_t done = event->kind == OCIW_EVENT_BLOB_DONE ? p->active[slot].total : event->done;
	p->bytes_done += done - p->active[slot].done; /* may go back when a try starts again */
	p->active[slot].done = done;
	if (event->kind == OCIW_EVENT_BLOB_DONE) {
		p->finished++;
		p->active[slot].digest[0] = '\0';
	}
}

static void say(struct progress *p, const char *prefix, const char *text)
{
	progress_clear(p);
	fprintf(stderr, "%s%s\n", prefix, text ? text : "");
}

/* Several blobs may wait at a time, often for the same host: a line for a pause is enough. */
static void say_retry(struct progress *p, const char *text)
{
	uint64_t now = now_ms();

	if (!p->verbose && p->last_retry_ms && now - p->last_retry_ms < RETRY_MS)
		return;
	p->last_retry_ms = now;
	say(p, "retry: ", text);
}

int progress_event(const ociw_event *event, void *user_data)
{
	struct progress *p = user_data;

	if (event->kind == OCIW_EVENT_WOULD_SEND) {
		p->dry.count++;
		p->dry.bytes += event->total;
	} else if (event->kind == OCIW_EVENT_BLOB_SKIPPED) {
		p->dry.there++;
	}
	if (p->quiet)
		return 0;
	switch (event->kind) {
	case OCIW_EVENT_WARNING:
		say(p, "warning: ", event->message);
		break;
	case OCIW_EVENT_RETRY:
		say_retry(p, event->message);
		break;
	case OCIW_EVENT_NOTE:
		if (p->verbose)
			say(p, "", event->message);
		break;
	case OCIW_EVENT_BLOB_SKIPPED:
		p->skipped++;
		if (p->verbose)
			say(p, "there already: ", event->digest);
		break;
	case OCIW_EVENT_BLOB_DONE:
		if (p->verbose)
			say(p, "done: ", event->digest);
		update_blob(p, event);
		break;
	case OCIW_EVENT_BLOB_BEGIN:
	case OCIW_EVENT_BLOB_PROGRESS:
		update_blob(p, event);
		break;
	case OCIW_EVENT_WOULD_SEND:
		if (p->verbose)
			say(p, "would send: ", event->digest);
		break;
	case OCIW_EVENT_FILES:
		p->files_done = event->done;
		p->files_total = event->total;
		break;
	}
	draw(p);
	return 0;
}
