/* SPDX-License-Identifier: Apache-2.0
 *
 * Garbage collection: what lives stays, what is young stays, writers are never robbed (LAY-8).
 */
#include "../support/layouts.h"

#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

TestSuite(gc, .init = scratch_make, .fini = scratch_remove);

struct tally {
	int kinds[OCIW_FINDING_UNNAMED + 1];
};

static int count(const ociw_finding *finding, void *user_data)
{
	((struct tally *)user_data)->kinds[finding->kind]++;
	return 0;
}

static int gc(ociw_content *layout, uint32_t flags, struct tally *t, uint64_t *freed,
              ociw_error **err)
{
	ociw_gc_options options = OCIW_GC_OPTIONS_INIT;

	options.flags = flags;
	*t = (struct tally){0};
	return ociw_layout_gc(layout, &options, count, t, freed, err);
}

static void expect_whole(ociw_content *layout)
{
	ociw_error *err = NULL;

	expect_ok(ociw_layout_verify(layout, NULL, NULL, NULL, &err), &err);
}

#define ALL (OCIW_GC_DELETE | OCIW_GC_ANY_AGE)

Test(gc, says_first_and_removes_when_told)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(layout, "v1", "one");
	OCIWP_AUTO(descriptor) ociw_descriptor *blob = put_blob(layout, "a/b", "garbage", 7);
	struct tally t;
	ociw_error *err = NULL;
	uint64_t freed = 0;

	expect_ok(gc(layout, OCIW_GC_ANY_AGE, &t, &freed, &err), &err);
	cr_expect_eq(t.kinds[OCIW_FINDING_UNREFERENCED], 1);
	cr_expect_eq(freed, 7);
	cr_expect(exists(blob_path(in_scratch("l"), blob->digest)));
	expect_ok(gc(layout, ALL, &t, &freed, &err), &err);
	cr_expect_eq(freed, 7);
	cr_expect_not(exists(blob_path(in_scratch("l"), blob->digest)));
	expect_ok(gc(layout, ALL, &t, &freed, &err), &err);
	cr_expect_eq(freed, 0);
	expect_whole(layout);
	expect_name(layout, "v1", image);
}

Test(gc, young_blobs_stay)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) MAYBE ociw_descriptor *image = put_image(layout, "v1", "one");
	OCIWP_AUTO(descriptor) ociw_descriptor *blob = put_blob(layout, "a/b", "garbage", 7);
	struct timeval old[2] = {{time(NULL) - 3600, 0}, {time(NULL) - 3600, 0}};
	struct tally t;
	ociw_error *err = NULL;

	expect_ok(gc(layout, OCIW_GC_DELETE, &t, NULL, &err), &err);
	cr_expect_eq(t.kinds[OCIW_FINDING_YOUNG], 1);
	cr_expect(exists(blob_path(in_scratch("l"), blob->digest)));
	cr_assert_eq(utimes(blob_path(in_scratch("l"), blob->digest), old), 0);
	expect_ok(gc(layout, OCIW_GC_DELETE, &t, NULL, &err), &err);
	cr_expect_eq(t.kinds[OCIW_FINDING_UNREFERENCED], 1);
	cr_expect_not(exists(blob_path(in_scratch("l"), blob->digest)));
}

Test(gc, referrers_live_as_long_as_their_subject_listed_or_not)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(layout, "v1", "one");
	OCIWP_AUTO(descriptor) ociw_descriptor *sbom = put_image_of(layout, NULL, "sbom", 4, image);
	OCIWP_AUTO(descriptor) ociw_descriptor *sign = put_image_of(layout, NULL, "sign", 4, sbom);
	OCIWP_AUTO(descriptor) ociw_descriptor *other = put_image(layout, "v2", "two");
	struct tally t;
	ociw_error *err = NULL;

	/* As a tool that lists no referrers would leave it. */
	expect_ok(ociwp_content_remove(layout, sbom->digest, false, NULL, &err), &err);
	expect_ok(ociwp_content_remove(layout, sign->digest, false, NULL, &err), &err);
	expect_ok(gc(layout, ALL, &t, NULL, &err), &err);
	cr_expect_eq(t.kinds[OCIW_FINDING_UNREFERENCED], 0);
	expect_ok(ociwp_content_remove(layout, "v1", false, NULL, &err), &err);
	expect_ok(gc(layout, ALL, &t, NULL, &err), &err);
	cr_expect_not(exists(blob_path(in_scratch("l"), image->digest)));
	cr_expect_not(exists(blob_path(in_scratch("l"), sign->digest)));
	expect_name(layout, NULL, other);
	expect_whole(layout);
}

Test(gc, entries_without_a_name_go_when_told)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *old = put_image(layout, "v1", "old");
	OCIWP_AUTO(descriptor) ociw_descriptor *new = put_image(layout, "v1", "new");
	OCIWP_AUTO(descriptor) ociw_descriptor *sbom = put_image_of(layout, NULL, "sbom", 4, new);
	struct tally t;
	ociw_error *err = NULL;

	expect_ok(gc(layout, ALL, &t, NULL, &err), &err);
	expect_name(layout, old->digest, old);
	expect_ok(gc(layout, ALL | OCIW_GC_UNNAMED, &t, NULL, &err), &err);
	cr_expect_eq(t.kinds[OCIW_FINDING_UNNAMED], 1);
	cr_expect_not(exists(blob_path(in_scratch("l"), old->digest)));
	expect_name(layout, "v1", new);
	expect_name(layout, sbom->digest, sbom);
	expect_whole(layout);
}

Test(gc, a_manifest_that_cannot_be_read_stops_it)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(layout, "v1", "one");
	OCIWP_AUTO(descriptor) ociw_descriptor *blob = put_blob(layout, "a/b", "garbage", 7);
	OCIWP_AUTO(str) char *text = read_text(blob_path(in_scratch("l"), image->digest));
	struct tally t;
	ociw_error *err = NULL;

	text[10] ^= 1;
	write_text(blob_path(in_scratch("l"), image->digest), text);
	expect_error(gc(layout, ALL, &t, NULL, &err), &err, OCIW_ERR_DIGEST, "nothing is removed");
	cr_expect(exists(blob_path(in_scratch("l"), blob->digest)));
	/* What is missing altogether leads nowhere. */
	unlink(blob_path(in_scratch("l"), image->digest));
	expect_ok(gc(layout, ALL, &t, NULL, &err), &err);
	cr_expect_not(exists(blob_path(in_scratch("l"), blob->digest)));
}

Test(gc, writers_of_this_library_are_not_robbed)
{
	OCIWP_AUTO(content) ociw_content *writer = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) MAYBE ociw_descriptor *image = put_image(writer, "v1", "one");
	OCIWP_AUTO(descriptor) ociw_descriptor *blob = put_blob(writer, "a/b", "soon used", 9);
	OCIWP_AUTO(content) ociw_content *other = open_layout(in_scratch("l"), OCIW_LAYOUT_WRITE);
	struct tally t;
	ociw_error *err = NULL;

	expect_error(gc(other, ALL, &t, NULL, &err), &err, OCIW_ERR_BUSY, NULL);
	cr_expect(exists(blob_path(in_scratch("l"), blob->digest)));
	ociw_content_free(ociwp_steal(&writer));
	expect_ok(gc(other, ALL, &t, NULL, &err), &err);
	cr_expect_not(exists(blob_path(in_scratch("l"), blob->digest)));
}

Test(gc, leftovers_go_and_reading_only_says)
{
	ociw_content *layout = new_layout(in_scratch("l"));
	struct tally t;
	ociw_error *err = NULL;

	ociw_descriptor_free(put_image(layout, "v1", "one"));
	ociw_content_free(layout);
	cr_assert_eq(mkdir(in_scratch("l/ingest"), 0755), 0);
	write_text(in_scratch("l/ingest/partial-sha256-x"), "half");
	layout = open_layout(in_scratch("l"), OCIW_LAYOUT_READ);
	expect_ok(gc(layout, OCIW_GC_ANY_AGE, &t, NULL, &err), &err);
	cr_expect_eq(t.kinds[OCIW_FINDING_LEFTOVER], 1);
	expect_error(gc(layout, ALL, &t, NULL, &err), &err, OCIW_ERR_INVALID, "reading only");
	ociw_content_free(layout);
	layout = open_layout(in_scratch("l"), OCIW_LAYOUT_WRITE);
	expect_ok(gc(layout, ALL, &t, NULL, &err), &err);
	cr_expect_not(exists(in_scratch("l/ingest/partial-sha256-x")));
	expect_error(gc(layout, 1u << 30, &t, NULL, &err), &err, OCIW_ERR_INVALID, "flags");
	ociw_content_free(layout);
}

Test(gc, running_beside_writers_it_breaks_nothing, .timeout = 60)
{
	const char *path = in_scratch("l");
	ociw_content *layout = new_layout(path);
	pid_t children[4];
	ociw_error *err = NULL;

	ociw_descriptor_free(put_image(layout, "first", "one"));
	ociw_content_free(layout);
	for (int i = 0; i < 4; i++) {
		children[i] = fork();
		if (children[i] != 0)
			continue;
		for (int n = 0; n < 25; n++) {
			OCIWP_AUTO(content)
			ociw_content *own = open_layout(path, OCIW_LAYOUT_WRITE);
			char name[16];

			snprintf(name, sizeof(name), "n%d", i);
			ociw_descriptor_free(put_image(own, name, n % 2 ? "even" : "odd"));
		}
		_exit(0);
	}
	for (int n = 0; n < 100; n++) {
		OCIWP_AUTO(content) ociw_content *own = open_layout(path, OCIW_LAYOUT_WRITE);
		struct tally t;
		int r = gc(own, ALL | OCIW_GC_UNNAMED, &t, NULL, &err);

		cr_expect(r >= 0 || r == OCIW_ERR_BUSY, "%s", ociw_error_message(err));
		ociw_error_free(err);
		err = NULL;
	}
	for (int i = 0; i < 4; i++) {
		int status = -1;

		cr_assert_eq(waitpid(children[i], &status, 0), children[i]);
		cr_expect_eq(status, 0);
	}
	layout = open_layout(path, OCIW_LAYOUT_READ);
	expect_whole(layout);
	ociw_content_free(layout);
}
