/* SPDX-License-Identifier: Apache-2.0
 *
 * How blobs get in: verified before visible, resumed where they are large, leftovers removed
 * (LAY-6, PUL-9, DIG-6).
 */
#include "../support/layouts.h"
#include "../support/streams.h"
#include "store/ingest.h"
#include "store/layout-dir.h"

#include <errno.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/time.h>

TestSuite(ingest, .init = scratch_make, .fini = scratch_remove);

#define BIG ((size_t)3 << 20)

/* A blob of BIG bytes that can be made to fail at a place. */
struct source {
	char *data;
	size_t fail_at; /* 0: never */
	int fail_with;
	uint64_t opened_at[4];
	int opens;
};

static int open_source(void *self, uint64_t offset, const ociw_op *op, ociw_reader **out,
                       ociw_error **err)
{
	struct source *s = self;
	size_t end = s->fail_at ? s->fail_at : BIG;

	(void)op;
	(void)err;
	s->opened_at[s->opens++ % 4] = offset;
	*out = slow_reader_new(s->data + offset, end > offset ? end - (size_t)offset : 0, 100000,
	                       s->fail_at ? s->fail_with : 0, NULL);
	return 0;
}

static void source_init(struct source *s)
{
	*s = (struct source){.data = malloc(BIG)};
	for (size_t i = 0; i < BIG; i++)
		s->data[i] = (char)(i * 7 + i / 1000);
}

static ociw_descriptor *describe(const struct source *s)
{
	ociw_descriptor *desc = NULL;

	cr_assert_eq(ociwp_descriptor_of_bytes("application/x-big", (ociw_span){s->data, BIG},
	                                       &desc, NULL),
	             0);
	return desc;
}

static int put(ociw_content *layout, const ociw_descriptor *desc, struct source *s,
               ociw_error **err)
{
	ociwp_blob_source source = {open_source, s};

	return ociwp_content_put(layout, desc, &source, NULL, err);
}

static void expect_stored(const ociw_descriptor *desc)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	ociw_reader *reader = NULL;
	ociw_error *err = NULL;

	expect_ok(ociw_content_open(layout, desc, NULL, &reader, &err), &err);
	expect_ok(ociwp_reader_drain(reader, &err), &err);
}

static void partial_path(const ociw_descriptor *desc, char *out, size_t size)
{
	snprintf(out, size, "%s/l/ingest/partial-sha256-%s", scratch, desc->digest + 7);
}

Test(ingest, a_large_blob_goes_on_where_the_last_run_stopped)
{
	struct source s;
	source_init(&s);
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = describe(&s);
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	ociw_error *err = NULL;

	s.fail_at = 2000000;
	s.fail_with = OCIW_ERR_NETWORK;
	expect_error(put(layout, desc, &s, &err), &err, OCIW_ERR_NETWORK, "planned failure");
	cr_expect_not(exists(blob_path(in_scratch("l"), desc->digest)));
	s.fail_at = 0;
	expect_ok(put(layout, desc, &s, &err), &err);
	cr_expect_eq(s.opened_at[1], 2000000);
	expect_stored(desc);
	free(s.data);
}

Test(ingest, a_partial_blob_of_wrong_bytes_is_fetched_anew)
{
	struct source s;
	source_init(&s);
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = describe(&s);
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	ociw_error *err = NULL;
	char path[512];

	s.fail_at = 2000000;
	s.fail_with = OCIW_ERR_NETWORK;
	expect_error(put(layout, desc, &s, &err), &err, OCIW_ERR_NETWORK, NULL);
	partial_path(desc, path, sizeof(path));
	int fd = open(path, O_WRONLY);
	cr_assert(fd >= 0);
	cr_assert_eq(pwrite(fd, "damage", 6, 1000), 6);
	close(fd);
	s.fail_at = 0;
	expect_ok(put(layout, desc, &s, &err), &err);
	cr_expect_eq(s.opened_at[1], 2000000);
	cr_expect_eq(s.opened_at[2], 0);
	expect_stored(desc);
	free(s.data);
}

Test(ingest, wrong_bytes_leave_nothing)
{
	struct source s;
	source_init(&s);
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = describe(&s);
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	ociw_error *err = NULL;
	char path[512];

	s.data[BIG - 1] ^= 1;
	expect_error(put(layout, desc, &s, &err), &err, OCIW_ERR_DIGEST, desc->digest);
	partial_path(desc, path, sizeof(path));
	cr_expect_not(exists(path));
	s.fail_at = BIG - 1; /* short, and then its end */
	expect_error(put(layout, desc, &s, &err), &err, OCIW_ERR_SIZE, NULL);
	cr_expect_not(exists(path));
	ociw_content_free(ociwp_steal(&layout));
	cr_expect_not(exists(in_scratch("l")));
	free(s.data);
}

Test(ingest, one_byte_too_many_is_refused)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;

	expect_ok(ociwp_descriptor_of_bytes("text/plain", (ociw_span){"hello", 5}, &desc, &err),
	          &err);
	expect_error(ociwp_content_put_bytes(layout, desc, (ociw_span){"hello!", 6}, NULL, &err),
	             &err, OCIW_ERR_SIZE, "more than");
	cr_expect_not(exists(blob_path(in_scratch("l"), desc->digest)));
}

Test(ingest, without_o_tmpfile_it_works_all_the_same)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *lie = NULL;
	ociwp_layout *inside = NULL;
	ociw_error *err = NULL;

	expect_ok(ociwp_layout_dir_get(layout, &inside, &err), &err);
	inside->no_tmpfile = true;
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(layout, "v1", "one");
	expect_ok(ociwp_descriptor_of_bytes("text/plain", (ociw_span){"hi", 2}, &lie, &err), &err);
	expect_error(ociwp_content_put_bytes(layout, lie, (ociw_span){"ho", 2}, NULL, &err), &err,
	             OCIW_ERR_DIGEST, NULL);
	expect_ok(ociw_layout_verify(layout, NULL, NULL, NULL, &err), &err);
	expect_name(layout, "v1", image);
	ociw_content_free(ociwp_steal(&layout));
	cr_expect_not(exists(in_scratch("l/ingest")));
}

Test(ingest, an_empty_blob_is_a_blob)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = put_blob(layout, "text/plain", "", 0);

	cr_expect(exists(blob_path(in_scratch("l"), desc->digest)));
}

Test(ingest, a_blob_over_the_limit_is_not_begun)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	ociw_limits limits = OCIW_LIMITS_INIT;
	ociw_op op = OCIW_OP_INIT;
	ociw_error *err = NULL;

	limits.max_blob_bytes = 4;
	op.limits = &limits;
	expect_ok(ociwp_descriptor_of_bytes("text/plain", (ociw_span){"hello", 5}, &desc, &err),
	          &err);
	expect_error(ociwp_content_put_bytes(layout, desc, (ociw_span){"hello", 5}, &op, &err),
	             &err, OCIW_ERR_LIMIT, "limit is 4");
}

Test(ingest, a_digest_that_cannot_be_checked_is_not_stored)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;

	expect_ok(ociw_descriptor_new("text/plain", "blake3:abcdef", 1, &desc, &err), &err);
	expect_error(ociwp_content_put_bytes(layout, desc, (ociw_span){"x", 1}, NULL, &err), &err,
	             OCIW_ERR_UNSUPPORTED, NULL);
}

static void make_old(const char *path, int hours)
{
	struct timeval times[2] = {{time(NULL) - hours * 3600, 0}, {time(NULL) - hours * 3600, 0}};

	cr_assert_eq(utimes(path, times), 0);
}

Test(ingest, the_next_writer_removes_what_killed_ones_left)
{
	ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) MAYBE ociw_descriptor *image = put_image(layout, "v1", "one");

	ociw_content_free(layout);
	cr_assert_eq(mkdir(in_scratch("l/ingest"), 0755), 0);
	write_text(in_scratch("l/ingest/tmp-old"), "x");
	write_text(in_scratch("l/ingest/tmp-held"), "x");
	write_text(in_scratch("l/ingest/tmp-new"), "x");
	write_text(in_scratch("l/ingest/partial-sha256-old"), "x");
	write_text(in_scratch("l/ingest/partial-sha256-new"), "x");
	make_old(in_scratch("l/ingest/tmp-old"), 1);
	make_old(in_scratch("l/ingest/tmp-held"), 1);
	make_old(in_scratch("l/ingest/partial-sha256-old"), 48);
	make_old(in_scratch("l/ingest/partial-sha256-new"), 1);
	int held = open(in_scratch("l/ingest/tmp-held"), O_RDONLY);
	cr_assert_eq(flock(held, LOCK_EX), 0);

	layout = open_layout(in_scratch("l"), OCIW_LAYOUT_WRITE);
	OCIWP_AUTO(descriptor)
	MAYBE ociw_descriptor *blob = put_blob(layout, "text/plain", "hi", 2);
	cr_expect_not(exists(in_scratch("l/ingest/tmp-old")));
	cr_expect_not(exists(in_scratch("l/ingest/partial-sha256-old")));
	cr_expect(exists(in_scratch("l/ingest/tmp-held")));
	cr_expect(exists(in_scratch("l/ingest/tmp-new")));
	cr_expect(exists(in_scratch("l/ingest/partial-sha256-new")));
	ociw_content_free(layout);
	close(held);
}

Test(ingest, a_partial_blob_in_the_hands_of_another_writer_is_left_alone)
{
	struct source s;
	source_init(&s);
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = describe(&s);
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor)
	MAYBE ociw_descriptor *blob = put_blob(layout, "text/plain", "hi", 2);
	ociw_error *err = NULL;
	char path[512];

	cr_assert_eq(mkdir(in_scratch("l/ingest"), 0755), 0);
	partial_path(desc, path, sizeof(path));
	write_text(path, "theirs");
	int held = open(path, O_RDONLY);
	cr_assert_eq(flock(held, LOCK_EX), 0);
	expect_ok(put(layout, desc, &s, &err), &err);
	cr_expect_eq(s.opened_at[0], 0);
	OCIWP_AUTO(str) char *text = read_text(path);
	cr_expect_str_eq(text, "theirs");
	expect_stored(desc);
	close(held);
	free(s.data);
}

Test(ingest, a_full_disk_leaves_the_layout_whole)
{
	struct source s;
	const char *path = in_scratch("small");
	ociw_error *err = NULL;

	cr_assert_eq(mkdir(path, 0755), 0);
	if (mount("none", path, "tmpfs", 0, "size=1m") != 0)
		cr_skip("no right to mount a tmpfs");
	source_init(&s);
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = describe(&s);
	ociw_content *layout = new_layout(in_scratch("small/l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(layout, "v1", "one");
	int r = put(layout, desc, &s, &err);
	cr_expect_eq(r, OCIW_ERR_IO);
	cr_expect_eq(ociw_error_errno(err), ENOSPC);
	ociw_error_free(err);
	err = NULL;
	/* Nothing of it stays, so there is room again. */
	OCIWP_AUTO(descriptor) ociw_descriptor *next = put_image(layout, "v2", "two");
	expect_name(layout, "v1", image);
	expect_name(layout, "v2", next);
	ociw_content_free(layout);
	free(s.data);
	cr_expect_eq(umount(path), 0);
}
