/* SPDX-License-Identifier: Apache-2.0
 *
 * containerd's content directory, made by hand from a golden layout: by digest, verified, no links.
 */
#include "../support/layouts.h"

#include <oci-wasm/containerd.h>

TestSuite(content_store, .init = scratch_make, .fini = scratch_remove);

#define CONTENT "io.containerd.content.v1.content"

/* A content directory with one image, which is returned. */
static ociw_descriptor *make_content(void)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	ociw_descriptor *image = put_image(layout, "v1", "layer");

	cr_assert_eq(mkdir(in_scratch(CONTENT), 0755), 0);
	cr_assert_eq(rename(in_scratch("l/blobs"), in_scratch(CONTENT "/blobs")), 0);
	return image;
}

static ociw_content *open_store(void)
{
	ociw_content *store = NULL;
	ociw_error *err = NULL;

	expect_ok(ociw_containerd_store_open(scratch, &store, &err), &err);
	return store;
}

Test(content_store, images_are_copied_out_by_digest)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *image = make_content();
	OCIWP_AUTO(content) ociw_content *store = open_store();
	OCIWP_AUTO(content) ociw_content *to = new_layout(in_scratch("to"));
	OCIWP_AUTO(descriptor) ociw_descriptor *copied = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *blob = NULL;
	ociw_error *err = NULL;

	expect_ok(ociw_copy(store, image->digest, to, "v1", NULL, &copied, &err), &err);
	cr_expect_str_eq(copied->digest, image->digest);
	cr_expect_str_eq(copied->media_type, OCIWP_MT_OCI_MANIFEST);
	expect_ok(ociw_content_stat(store, image->digest, NULL, &blob, &err), &err);
	cr_expect_eq(blob->size, image->size);
	/* The content directory itself will do. */
	ociw_content *inner = NULL;
	expect_ok(ociw_containerd_store_open(in_scratch(CONTENT), &inner, &err), &err);
	expect_name(inner, image->digest, image);
	ociw_content_free(inner);
}

Test(content_store, names_are_not_known)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *image = make_content();
	OCIWP_AUTO(content) ociw_content *store = open_store();
	OCIWP_AUTO(descriptor) ociw_descriptor *found = NULL;
	ociw_error *err = NULL;

	expect_error(ociw_content_resolve(store, "v1", NULL, &found, &err), &err, OCIW_ERR_INVALID,
	             "by digest only");
	expect_error(ociw_content_resolve(store, NULL, NULL, &found, &err), &err, OCIW_ERR_INVALID,
	             "by digest only");
	expect_error(ociwp_content_remove(store, image->digest, false, NULL, &err), &err,
	             OCIW_ERR_UNSUPPORTED, NULL);
}

Test(content_store, damaged_content_is_refused)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *image = make_content();
	OCIWP_AUTO(content) ociw_content *store = open_store();
	OCIWP_AUTO(descriptor) ociw_descriptor *found = NULL;
	ociw_error *err = NULL;

	OCIWP_AUTO(str) char *text = read_text(blob_path(in_scratch(CONTENT), image->digest));
	text[5] ^= 1;
	write_text(blob_path(in_scratch(CONTENT), image->digest), text);
	expect_error(ociw_content_resolve(store, image->digest, NULL, &found, &err), &err,
	             OCIW_ERR_DIGEST, image->digest);
}

Test(content_store, it_has_to_be_there_and_to_be_no_link)
{
	ociw_content *store = NULL;
	ociw_error *err = NULL;

	expect_error(ociw_containerd_store_open(scratch, &store, &err), &err, OCIW_ERR_NOTFOUND,
	             CONTENT);
	cr_assert_eq(symlink("/etc", in_scratch(CONTENT)), 0);
	expect_error(ociw_containerd_store_open(scratch, &store, &err), &err, OCIW_ERR_UNSAFE,
	             CONTENT);
	cr_expect_null(store);
}
