/* SPDX-License-Identifier: Apache-2.0
 *
 * Garbage collection of a layout directory: mark, then sweep (LAY-8). Our own writers hold a shared
 * lock from their first look at a blob to their last name, and gc waits for none of them: it is
 * busy then. Writers that take no lock are protected by age alone.
 */
#include "store/gc-mark.h"

#include "base/str.h"
#include "oci/blobdir.h"
#include "store/ingest.h"

#include <errno.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_MIN_AGE 600

typedef struct collection {
	ociwp_layout *layout;
	ociw_gc_options options;
	ociw_finding_cb cb;
	void *user_data;
	ociwp_map *live, *dropped;
	int64_t now, min_age;
	uint64_t freed;
	bool delete, stopped;
} collection;

static int tell(collection *c, ociw_finding_kind kind, const char *digest, uint64_t bytes,
                ociw_error **err)
{
	const ociw_finding finding = {sizeof(finding), kind, digest, NULL, bytes};

	if (c->cb && c->cb(&finding, c->user_data) != 0) {
		c->stopped = true;
		return ociwp_fail(err, OCIW_ERR_CANCELLED, "stopped by the caller");
	}
	return 0;
}

static int sweep_blob(const ociwp_blobdir_entry *entry, void *user_data, ociw_error **err)
{
	collection *c = user_data;

	if (ociwp_map_contains(c->live, entry->digest))
		return 0;
	int r = ociwp_check_cancel(c->options.op, err);
	if (r < 0)
		return r;
	if (c->now - entry->mtime_seconds < c->min_age)
		return tell(c, OCIW_FINDING_YOUNG, entry->digest, entry->size, err);
	r = tell(c, OCIW_FINDING_UNREFERENCED, entry->digest, entry->size, err);
	if (r < 0)
		return r;
	if (c->delete &&unlinkat(entry->dir_fd, entry->name, 0) != 0 && errno != ENOENT)
		return ociwp_fail_errno(err, errno, "remove blob %s", entry->digest);
	c->freed += entry->size;
	return 0;
}

static bool judge_leftover(const char *name, uint64_t size, int64_t age_seconds, void *user_data)
{
	collection *c = user_data;

	if (c->stopped || age_seconds < c->min_age ||
	    tell(c, OCIW_FINDING_LEFTOVER, name, size, NULL) < 0)
		return false;
	c->freed += size;
	return c->delete;
}

static int edit_prune(ociwp_layout_doc *doc, void *user_data, ociw_error **err)
{
	const collection *c = user_data;

	(void)err;
	ociwp_layout_doc_prune(doc, c->dropped);
	return 0;
}

/* Entries go before their blobs: stopped in between, there is garbage, but nothing dangles. */
static int drop_entries(collection *c, ociw_error **err)
{
	const char *digest;
	void *value;
	int r = 0;

	for (size_t i = 0; r >= 0 && ociwp_map_at(c->dropped, i, &digest, &value); i++)
		r = tell(c, OCIW_FINDING_UNNAMED, digest, 0, err);
	if (r >= 0 && c->delete &&ociwp_map_size(c->dropped))
		r = ociwp_layout_dir_update(c->layout, edit_prune, c, c->options.op, err);
	return r;
}

static int collect(collection *c, ociw_error **err)
{
	bool unnamed = c->options.flags & OCIW_GC_UNNAMED;

	int r = ociwp_gc_mark(c->layout, c->options.op, c->live, unnamed ? c->dropped : NULL, err);
	if (r >= 0)
		r = drop_entries(c, err);
	if (r >= 0)
		r = ociwp_blobdir_each(c->layout->blobs_fd, sweep_blob, c, err);
	if (r >= 0)
		ociwp_ingest_clean(c->layout, judge_leftover, c);
	if (r >= 0 && c->stopped)
		r = ociwp_fail(err, OCIW_ERR_CANCELLED, "stopped by the caller");
	return r;
}

/* The exclusive lock in the place of the shared one that a writer holds, ours included. */
static int collect_alone(collection *c, ociw_error **err)
{
	ociwp_layout *layout = c->layout;

	int r = ociwp_layout_flock(layout->blobs_fd, LOCK_EX, false, c->options.op, err);
	if (r >= 0)
		r = collect(c, err);
	/* Taking the shared lock again may not fail on anything but interruption. */
	while (flock(layout->blobs_fd, layout->writing ? LOCK_SH : LOCK_UN) != 0 && errno == EINTR)
		;
	return r;
}

static int run(collection *c, ociw_error **err)
{
	ociwp_layout *layout = c->layout;

	if (c->delete &&!(layout->flags & OCIW_LAYOUT_WRITE))
		return ociwp_fail(err, OCIW_ERR_INVALID, "it was opened for reading only");
	if (ociwp_layout_blobs(layout) < 0)
		return 0;
	return c->delete ? collect_alone(c, err) : collect(c, err);
}

int ociw_layout_gc(ociw_content *layout, const ociw_gc_options *options, ociw_finding_cb cb,
                   void *user_data, uint64_t *freed_bytes, ociw_error **err)
{
	const uint32_t known_flags = OCIW_GC_DELETE | OCIW_GC_UNNAMED | OCIW_GC_ANY_AGE;
	OCIWP_AUTO(map) ociwp_map *live = ociwp_map_new(NULL);
	OCIWP_AUTO(map) ociwp_map *dropped = ociwp_map_new(NULL);
	collection c = {.cb = cb, .user_data = user_data, .live = live, .dropped = dropped};

	if (freed_bytes)
		*freed_bytes = 0;
	if (!live || !dropped)
		return ociwp_nomem(err);
	int r = ociwp_options_read(&c.options, sizeof(c.options), options, err);
	if (r >= 0 && (c.options.flags & ~known_flags))
		r = ociwp_fail(err, OCIW_ERR_INVALID, "unknown flags of a garbage collection");
	if (r >= 0)
		r = ociwp_layout_dir_get(layout, &c.layout, err);
	if (r < 0)
		return r;
	c.delete = c.options.flags & OCIW_GC_DELETE;
	c.now = (int64_t)time(NULL);
	c.min_age = c.options.min_age_seconds ? c.options.min_age_seconds : DEFAULT_MIN_AGE;
	if (c.options.flags & OCIW_GC_ANY_AGE)
		c.min_age = INT64_MIN;
	r = run(&c, err);
	if (freed_bytes)
		*freed_bytes = c.freed;
	return r < 0 ? ociwp_wrap(err, r, "%s", ociw_content_label(layout)) : 0;
}
