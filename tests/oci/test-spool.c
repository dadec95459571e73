/* SPDX-License-Identifier: Apache-2.0
 *
 * Blobs of unknown length: read once, given as often as wanted (PSH-7a).
 */
#include "oci/spool.h"

#include "base/str.h"
#include "oci/descriptor.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#define HELLO "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

/* Gives its bytes one at a time, once. */
typedef struct drip {
	const char *text;
	unsigned given, closed;
	int verdict;
} drip;

static ptrdiff_t drip_read(void *self, void *buf, size_t len, ociw_error **err)
{
	drip *d = self;
	(void)len;
	(void)err;
	if (!d->text[d->given])
		return 0;
	*(char *)buf = d->text[d->given++];
	return 1;
}

static int drip_close(void *self, ociw_error **err)
{
	drip *d = self;
	d->closed++;
	return d->verdict < 0 ? ociw_error_set(err, d->verdict, "a bad end") : 0;
}

static ociwp_spool *open_spool(drip *d, const ociw_op *op)
{
	static const ociw_reader_ops ops = {sizeof(ops), drip_read, drip_close};
	ociw_reader *reader = NULL;
	ociwp_spool *spool = NULL;
	cr_assert_eq(ociw_reader_new(&ops, d, &reader, NULL), 0);
	cr_assert_eq(ociwp_spool_open(reader, "text/plain", op, &spool, NULL), 0);
	return spool;
}

static ociw_reader *open_at(ociwp_spool *spool, uint64_t offset)
{
	ociwp_blob_source source = ociwp_spool_source(spool);
	ociw_reader *reader = NULL;
	cr_assert_eq(source.open(source.self, offset, NULL, &reader, NULL), 0);
	return reader;
}

static void expect_read(ociw_reader *reader, size_t len, const char *text)
{
	char buf[64];
	ptrdiff_t n = ociwp_read_full(reader, buf, len, NULL);
	cr_assert_eq(n, (ptrdiff_t)strlen(text), "%td", n);
	cr_assert_eq(memcmp(buf, text, strlen(text)), 0);
}

Test(spool, a_reader_gives_what_is_kept_and_then_what_is_still_to_come)
{
	drip d = {.text = "hello"};
	const ociw_descriptor *desc = NULL;
	OCIWP_AUTO(spool) ociwp_spool *spool = open_spool(&d, NULL);
	OCIWP_AUTO(reader) ociw_reader *first = open_at(spool, 0);
	expect_read(first, 3, "hel");
	cr_assert_eq(d.given, 3); /* and no more than was asked for */
	OCIWP_AUTO(reader) ociw_reader *second = open_at(spool, 0);
	expect_read(second, 60, "hello");
	cr_assert_eq(d.closed, 1);
	expect_read(first, 60, "lo");
	OCIWP_AUTO(reader) ociw_reader *third = open_at(spool, 4);
	expect_read(third, 60, "o");
	cr_assert_eq(ociwp_spool_finish(spool, NULL, &desc, NULL), 0);
	cr_assert_str_eq(desc->digest, HELLO);
	cr_assert_str_eq(desc->media_type, "text/plain");
	cr_assert_eq(desc->size, 5);
}

Test(spool, filling_stops_where_enough_is_kept)
{
	drip d = {.text = "hello"};
	const ociw_descriptor *desc = NULL;
	OCIWP_AUTO(spool) ociwp_spool *spool = open_spool(&d, NULL);
	cr_assert_eq(ociwp_spool_fill(spool, 2, NULL, NULL), 0);
	cr_assert_eq(d.given, 2);
	cr_assert_null(spool->desc);
	cr_assert_eq(ociwp_spool_fill(spool, 60, NULL, NULL), 0);
	cr_assert_not_null(spool->desc);
	cr_assert_eq(ociwp_spool_finish(spool, NULL, &desc, NULL), 0);
	cr_assert_str_eq(desc->digest, HELLO);
	cr_assert_eq(d.closed, 1);
}

Test(spool, nothing_is_past_what_is_kept)
{
	drip d = {.text = "hello"};
	ociw_reader *reader = NULL;
	OCIWP_AUTO(spool) ociwp_spool *spool = open_spool(&d, NULL);
	ociwp_blob_source source = ociwp_spool_source(spool);
	cr_assert_eq(source.open(source.self, 1, NULL, &reader, NULL), OCIW_ERR_INVALID);
	cr_assert_null(reader);
}

static void expect_finish(ociwp_spool *spool, int code, const char *text)
{
	const ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;
	int r = ociwp_spool_finish(spool, NULL, &desc, &err);
	cr_assert_eq(r, code, "%d", r);
	cr_assert_not_null(strstr(ociw_error_message(err), text), "%s", ociw_error_message(err));
	cr_assert_null(desc);
	ociw_error_free(err);
}

Test(spool, a_bad_end_and_too_many_bytes_make_no_blob)
{
	drip bad = {.text = "hello", .verdict = OCIW_ERR_DIGEST};
	OCIWP_AUTO(spool) ociwp_spool *spool = open_spool(&bad, NULL);
	expect_finish(spool, OCIW_ERR_DIGEST, "a bad end");
	expect_finish(spool, OCIW_ERR_INVALID, "failed before");
	cr_assert_eq(bad.closed, 1);

	drip large = {.text = "hello"};
	ociw_limits limits = OCIW_LIMITS_INIT;
	ociw_op op = OCIW_OP_INIT;
	limits.max_blob_bytes = 4;
	op.limits = &limits;
	OCIWP_AUTO(spool) ociwp_spool *limited = open_spool(&large, &op);
	expect_finish(limited, OCIW_ERR_LIMIT, "more than 4 bytes");
}

Test(spool, a_full_disk_ends_it_for_good)
{
	drip d = {.text = "hello"};
	struct rlimit limit = {3, 3};
	OCIWP_AUTO(spool) ociwp_spool *spool = open_spool(&d, NULL);
	OCIWP_AUTO(reader) ociw_reader *reader = open_at(spool, 0);
	signal(SIGXFSZ, SIG_IGN);
	expect_read(reader, 3, "hel");
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	expect_finish(spool, OCIW_ERR_IO, "write to a temporary file");
	/* What was not kept is not left out. */
	expect_finish(spool, OCIW_ERR_INVALID, "failed before");
}

Test(spool, without_a_folder_for_it_the_input_is_closed)
{
	static const ociw_reader_ops ops = {sizeof(ops), drip_read, drip_close};
	drip d = {.text = "hello"};
	ociw_reader *reader = NULL;
	ociwp_spool *spool = NULL;
	cr_assert_eq(setenv("TMPDIR", "/no/such/folder", 1), 0);
	cr_assert_eq(ociw_reader_new(&ops, &d, &reader, NULL), 0);
	cr_assert_eq(ociwp_spool_open(reader, "text/plain", NULL, &spool, NULL), OCIW_ERR_NOTFOUND);
	cr_assert_null(spool);
	cr_assert_eq(d.closed, 1);
}
