/* SPDX-License-Identifier: Apache-2.0
 *
 * Running out of memory anywhere in stores and copies is OCIW_ERR_NOMEM, leaks nothing, and leaves
 * every layout whole and every archive whole or absent.
 */
#include "../support/layouts.h"
#include "fail-alloc.h"

TestSuite(nomem_store, .init = scratch_make, .fini = scratch_remove, .timeout = 200);

/* An image with a referrer, to copy from. */
static ociw_content *make_source(void)
{
	ociw_content *layout = new_layout(in_scratch("from"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(layout, "v1", "one");

	ociw_descriptor_free(put_image_of(layout, NULL, "sbom", 4, image));
	return layout;
}

static int open_and_read(void *data, ociw_error **err)
{
	OCIWP_AUTO(content) ociw_content *layout = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	void *bytes = NULL;
	size_t len = 0;

	int r = ociw_layout_open(data, OCIW_LAYOUT_READ, &layout, err);
	if (r >= 0)
		r = ociw_content_resolve(layout, "v1", NULL, &desc, err);
	if (r >= 0)
		r = ociw_content_read(layout, desc, 10000, NULL, &bytes, &len, err);
	ociw_free(bytes);
	return r;
}

Test(nomem_store, reading_a_layout)
{
	ociw_content_free(make_source());
	cr_expect_gt(fail_alloc_each("read", open_and_read, (void *)in_scratch("from")), 20);
}

struct copying {
	ociw_content *from;
	char to[512];
	bool archive;
};

static int run_copy(void *data, ociw_error **err)
{
	OCIWP_AUTO(content) ociw_content *to = NULL;
	const struct copying *c = data;
	ociw_copy_options options = OCIW_COPY_OPTIONS_INIT;

	options.flags = OCIW_COPY_RECURSIVE;
	options.parallel = 1;
	int r = c->archive ? ociw_archive_create(c->to, &to, err)
	                   : ociw_layout_open(c->to,
	                                      OCIW_LAYOUT_WRITE | OCIW_LAYOUT_CREATE |
	                                              OCIW_LAYOUT_NO_SYNC,
	                                      &to, err);
	return r < 0 ? r : ociw_copy(c->from, "v1", to, "v1", &options, NULL, err);
}

Test(nomem_store, copying_into_a_layout)
{
	struct copying c = {.from = make_source()};
	ociw_error *err = NULL;

	snprintf(c.to, sizeof(c.to), "%s", in_scratch("to"));
	cr_expect_gt(fail_alloc_each("copy", run_copy, &c), 100);
	OCIWP_AUTO(content) ociw_content *to = open_layout(c.to, OCIW_LAYOUT_READ);
	expect_ok(ociw_layout_verify(to, NULL, NULL, NULL, &err), &err);
	ociw_content_free(c.from);
}

static int run_archive(void *data, ociw_error **err)
{
	OCIWP_AUTO(content) ociw_content *archive = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;

	int r = ociw_archive_open(data, NULL, &archive, err);
	return r < 0 ? r : ociw_content_resolve(archive, "v1", NULL, &desc, err);
}

Test(nomem_store, writing_and_reading_an_archive)
{
	struct copying c = {.from = make_source(), .archive = true};

	snprintf(c.to, sizeof(c.to), "%s", in_scratch("to.tar"));
	cr_expect_gt(fail_alloc_each("archive", run_copy, &c), 100);
	cr_expect_gt(fail_alloc_each("open", run_archive, c.to), 50);
	ociw_content_free(c.from);
}

static int run_docker(void *data, ociw_error **err)
{
	OCIWP_AUTO(content) ociw_content *archive = NULL;

	return ociw_archive_open(data, NULL, &archive, err);
}

Test(nomem_store, reading_a_docker_archive)
{
	cr_expect_gt(fail_alloc_each("docker", run_docker,
	                             (void *)testdata("golden/archives/skopeo-docker-archive.tar")),
	             50);
}

static int run_gc(void *data, ociw_error **err)
{
	ociw_gc_options options = OCIW_GC_OPTIONS_INIT;

	options.flags = OCIW_GC_DELETE | OCIW_GC_ANY_AGE;
	return ociw_layout_gc(data, &options, NULL, NULL, NULL, err);
}

static int run_verify(void *data, ociw_error **err)
{
	return ociw_layout_verify(data, NULL, NULL, NULL, err);
}

/* What could not be looked at for lack of memory is not taken for garbage. */
Test(nomem_store, collecting_garbage)
{
	OCIWP_AUTO(content) ociw_content *layout = make_source();
	OCIWP_AUTO(descriptor) ociw_descriptor *image = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *hidden = NULL;
	ociw_error *err = NULL;

	expect_ok(ociw_content_resolve(layout, "v1", NULL, &image, &err), &err);
	hidden = put_image_of(layout, NULL, "sign", 4, image);
	expect_ok(ociwp_content_remove(layout, hidden->digest, false, NULL, &err), &err);
	cr_expect_gt(fail_alloc_each("gc", run_gc, layout), 50);
	cr_expect(exists(blob_path(in_scratch("from"), hidden->digest)));
	cr_expect_gt(fail_alloc_each("verify", run_verify, layout), 50);
}
