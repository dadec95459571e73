/* SPDX-License-Identifier: Apache-2.0
 *
 * Image tars as contents: every golden archive opens, lists, resolves and copies with its digests;
 * hand-made ones that lie are refused.
 */
#include "../support/tars.h"
#include "store/layout-tar.h"

TestSuite(layout_tar, .init = scratch_make, .fini = scratch_remove);

#define VERSION "{\"imageLayoutVersion\":\"1.0.0\"}"

static ociw_content *open_archive(const char *path)
{
	ociw_content *content = NULL;
	ociw_error *err = NULL;

	expect_ok(ociw_archive_open(path, NULL, &content, &err), &err);
	return content;
}

static void expect_refused(const char *path, int code, const char *part)
{
	ociw_content *content = NULL;
	ociw_error *err = NULL;

	expect_error(ociw_archive_open(path, NULL, &content, &err), &err, code, part);
	cr_expect_null(content);
}

/* Name and manifest digest of each; those of docker archives are ours to choose, but fixed. */
static const struct {
	const char *file, *name, *digest;
} golden[] = {
        {"ctr-export-rootfs.tar", "v2",
         "sha256:b5d5c32b789e3768aa8587635e737d77a46ec329c334e10e020733ca12072471"},
        {"ctr-export-rootfs.tar", "localhost:5000/hello-rootfs:v2",
         "sha256:b5d5c32b789e3768aa8587635e737d77a46ec329c334e10e020733ca12072471"},
        {"ctr-export-spin.tar", "v1",
         "sha256:10a05e195176563bd133cbdca5826c368f15c33959d470a6db138c42ba1bf5fb"},
        {"oci-tar-builder-components.tar", "localhost:5000/hello:c1",
         "sha256:0af4fe0ec9d1b3cdfc437256727fe4fa5b46e6222e4efeaa921e26f210ad019b"},
        {"oci-tar-builder-module-and-layer.tar", "localhost:5000/hello:l1",
         "sha256:f4c586283d8b310264b9b9c893f02a6b0bf2724cb7a3197b938e1dabc053f913"},
        {"oci-tar-builder-module.tar", "localhost:5000/hello:v1",
         "sha256:039642ceabfd5a463eb152b920e924da71f00cf09a3078a08ddf81e9466ef159"},
        {"oci-tar-builder-single-component.tar", "5000/hello",
         "sha256:0aaeb50b795bb650e85aee98deeb00737dca55fac36b5e13bd2dbc69789f6ac2"},
        {"skopeo-oci-archive.tar", "v2",
         "sha256:b5d5c32b789e3768aa8587635e737d77a46ec329c334e10e020733ca12072471"},
        {"skopeo-docker-archive.tar", "v2", NULL},
        {"skopeo-docker-archive.tar", "localhost:5000/hello-rootfs:v2", NULL},
};

static int count_named(const char *name, const ociw_descriptor *desc, void *user_data)
{
	(void)desc;
	*(int *)user_data += name != NULL;
	return 0;
}

Test(layout_tar, every_golden_archive_lists_resolves_and_copies)
{
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(golden); i++) {
		OCIWP_AUTO(descriptor) ociw_descriptor *copied = NULL;
		ociw_error *err = NULL;
		char path[600], to[64];
		int names = 0;

		snprintf(path, sizeof(path), "%s/%s", testdata("golden/archives"), golden[i].file);
		snprintf(to, sizeof(to), "copy-%zu", i);
		OCIWP_AUTO(content) ociw_content *archive = open_archive(path);
		OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch(to));
		expect_ok(ociw_content_list(archive, NULL, count_named, &names, &err), &err);
		cr_expect_eq(names, 1, "%s", golden[i].file);
		expect_ok(ociw_copy(archive, golden[i].name, layout, "v", NULL, &copied, &err),
		          &err);
		if (golden[i].digest)
			cr_expect_str_eq(copied->digest, golden[i].digest, "%s", golden[i].file);
		expect_name(archive, NULL, copied);
		expect_name(layout, "v", copied);
	}
}

/* A layout of one image, with its members in the order that is asked for. */
static void make_layout_tar(const char *path, bool index_first, const char *layer_in_tar)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(layout, "v1", "layer");
	OCIWP_AUTO(descriptor) ociw_descriptor *layer = put_blob(layout, "a/b", "layer", 5);
	OCIWP_AUTO(descriptor) ociw_descriptor *config = put_blob(layout, "a/b", "{}", 2);
	OCIWP_AUTO(str) char *index = read_text(in_scratch("l/index.json"));
	OCIWP_AUTO(str) char *manifest = read_text(blob_path(in_scratch("l"), image->digest));
	OCIWP_AUTO(buf) ociwp_buf tar = OCIWP_BUF_INIT;
	char name[128];

	if (index_first)
		raw_file(&tar, "index.json", index);
	snprintf(name, sizeof(name), "blobs/sha256/%s", image->digest + 7);
	raw_file(&tar, name, manifest);
	snprintf(name, sizeof(name), "./blobs/sha256/%s", config->digest + 7);
	raw_file(&tar, name, "{}");
	snprintf(name, sizeof(name), "blobs/sha256/%s", layer->digest + 7);
	raw_file(&tar, name, layer_in_tar);
	if (!index_first)
		raw_file(&tar, "index.json", index);
	raw_file(&tar, "oci-layout", VERSION);
	raw_file(&tar, "blobs/sha256/not-a-digest", "ignored");
	raw_finish(&tar, path);
}

Test(layout_tar, members_come_in_any_order)
{
	for (int first = 0; first < 2; first++) {
		make_layout_tar(in_scratch("a.tar"), first, "layer");
		OCIWP_AUTO(content) ociw_content *archive = open_archive(in_scratch("a.tar"));
		OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("to"));
		OCIWP_AUTO(descriptor) ociw_descriptor *copied = NULL;
		ociw_error *err = NULL;

		expect_ok(ociw_copy(archive, "v1", layout, "v1", NULL, &copied, &err), &err);
		expect_name(archive, copied->digest, copied);
	}
}

Test(layout_tar, bytes_that_are_not_the_digest_are_refused)
{
	make_layout_tar(in_scratch("a.tar"), true, "LAYER");
	OCIWP_AUTO(content) ociw_content *archive = open_archive(in_scratch("a.tar"));
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("to"));
	ociw_error *err = NULL;

	expect_error(ociw_copy(archive, "v1", layout, "v1", NULL, NULL, &err), &err,
	             OCIW_ERR_DIGEST, "expected sha256:");
}

Test(layout_tar, nothing_is_ever_written_to_an_archive_that_is_read)
{
	make_layout_tar(in_scratch("a.tar"), true, "layer");
	OCIWP_AUTO(content) ociw_content *archive = open_archive(in_scratch("a.tar"));
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;

	expect_ok(ociwp_descriptor_of_bytes("a/b", (ociw_span){"x", 1}, &desc, &err), &err);
	expect_error(ociwp_content_put_bytes(archive, desc, (ociw_span){"x", 1}, NULL, &err), &err,
	             OCIW_ERR_UNSUPPORTED, "a.tar");
}

Test(layout_tar, tars_that_hold_no_image_are_refused)
{
	OCIWP_AUTO(buf) ociwp_buf plain = OCIWP_BUF_INIT;
	OCIWP_AUTO(buf) ociwp_buf no_index = OCIWP_BUF_INIT;
	OCIWP_AUTO(buf) ociwp_buf version = OCIWP_BUF_INIT;

	raw_file(&plain, "hello", "world");
	raw_finish(&plain, in_scratch("plain.tar"));
	expect_refused(in_scratch("plain.tar"), OCIW_ERR_FORMAT, "no image archive");
	raw_file(&no_index, "oci-layout", VERSION);
	raw_finish(&no_index, in_scratch("no-index.tar"));
	expect_refused(in_scratch("no-index.tar"), OCIW_ERR_NOTFOUND, "index.json");
	raw_file(&version, "oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}");
	raw_finish(&version, in_scratch("version.tar"));
	expect_refused(in_scratch("version.tar"), OCIW_ERR_UNSUPPORTED, "2.0.0");
	expect_refused(in_scratch("absent.tar"), OCIW_ERR_NOTFOUND, "absent.tar");
	expect_refused(scratch, OCIW_ERR_FORMAT, "directory");
}

Test(layout_tar, a_hostile_corpus_of_tars_is_no_image)
{
	static const char *const cases[] = {
	        "names-dotdot-start.tar",     "links-through-absolute.tar",
	        "headers-negative-size.tar",  "special-devices.tar",
	        "framing-truncated-data.tar", "limits-gzip-one-gib.tar.gz"};

	for (size_t i = 0; i < OCIWP_ARRAY_LEN(cases); i++) {
		ociw_content *content = NULL;
		ociw_error *err = NULL;
		char path[600];

		snprintf(path, sizeof(path), "%s/%s", testdata("corpus/cases"), cases[i]);
		cr_expect(ociw_archive_open(path, NULL, &content, &err) < 0, "%s", cases[i]);
		cr_expect_null(content);
		ociw_error_free(err);
	}
}
