/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies between layouts: same digests, name last, nothing replaced unasked (DIG-7, PSH-1), and
 * every golden layout through one.
 */
#include "../support/layouts.h"

#include <dirent.h>

TestSuite(copy, .init = scratch_make, .fini = scratch_remove);

static int copy(ociw_content *from, const char *from_name, ociw_content *to, const char *to_name,
                uint32_t flags, ociw_error **err)
{
	ociw_copy_options options = OCIW_COPY_OPTIONS_INIT;

	options.flags = flags;
	return ociw_copy(from, from_name, to, to_name, &options, NULL, err);
}

Test(copy, gives_the_same_digest_under_the_new_name)
{
	OCIWP_AUTO(content) ociw_content *from = new_layout(in_scratch("from"));
	OCIWP_AUTO(content) ociw_content *to = new_layout(in_scratch("to"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(from, "v1", "one");
	OCIWP_AUTO(descriptor) ociw_descriptor *copied = NULL;
	ociw_error *err = NULL;

	expect_ok(ociw_copy(from, "v1", to, "prod", NULL, &copied, &err), &err);
	cr_expect_str_eq(copied->digest, image->digest);
	expect_name(to, "prod", image);
	/* Again is fine, and so is a second name in the same layout. */
	expect_ok(copy(from, NULL, to, "prod", 0, &err), &err);
	expect_ok(copy(to, "prod", to, "next", 0, &err), &err);
	expect_name(to, "next", image);
}

Test(copy, without_a_name_it_stands_alone)
{
	OCIWP_AUTO(content) ociw_content *from = new_layout(in_scratch("from"));
	OCIWP_AUTO(content) ociw_content *to = new_layout(in_scratch("to"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(from, "v1", "one");
	ociw_error *err = NULL;

	expect_ok(copy(from, NULL, to, NULL, 0, &err), &err);
	expect_name(to, NULL, image);
	expect_name(to, image->digest, image);
}

Test(copy, does_not_replace_when_told_not_to)
{
	OCIWP_AUTO(content) ociw_content *from = new_layout(in_scratch("from"));
	OCIWP_AUTO(content) ociw_content *to = new_layout(in_scratch("to"));
	OCIWP_AUTO(descriptor) ociw_descriptor *old = put_image(to, "v1", "old");
	OCIWP_AUTO(descriptor) ociw_descriptor *new = put_image(from, "v1", "new");
	ociw_error *err = NULL;

	expect_error(copy(from, "v1", to, "v1", OCIW_COPY_NO_REPLACE, &err), &err, OCIW_ERR_EXISTS,
	             old->digest);
	expect_name(to, "v1", old);
	expect_ok(copy(from, "v1", to, "v2", OCIW_COPY_NO_REPLACE, &err), &err);
	expect_ok(copy(from, "v1", to, "v2", OCIW_COPY_NO_REPLACE, &err), &err);
	expect_ok(copy(from, "v1", to, "v1", 0, &err), &err);
	expect_name(to, "v1", new);
}

Test(copy, takes_referrers_along_when_told_to)
{
	OCIWP_AUTO(content) ociw_content *from = new_layout(in_scratch("from"));
	OCIWP_AUTO(content) ociw_content *to = new_layout(in_scratch("to"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(from, "v1", "one");
	OCIWP_AUTO(descriptor) ociw_descriptor *sbom = put_image_of(from, NULL, "sbom", 4, image);
	OCIWP_AUTO(descriptor)
	MAYBE ociw_descriptor *sign = put_image_of(from, NULL, "sign", 4, sbom);
	ociw_error *err = NULL;
	size_t found = 0;

	expect_ok(copy(from, "v1", to, "v1", OCIW_COPY_RECURSIVE, &err), &err);
	expect_ok(ociwp_content_referrers(to, image->digest, NULL, NULL, count_referrer, &found,
	                                  &err),
	          &err);
	expect_ok(
	        ociwp_content_referrers(to, sbom->digest, NULL, NULL, count_referrer, &found, &err),
	        &err);
	cr_expect_eq(found, 2);
	expect_name(to, "v1", image);
	expect_name(to, NULL, image);
}

Test(copy, a_damaged_layer_is_refused_and_nothing_is_named)
{
	OCIWP_AUTO(content) ociw_content *from = new_layout(in_scratch("from"));
	OCIWP_AUTO(descriptor) ociw_descriptor *layer = put_blob(from, "a/b", "layer", 5);
	OCIWP_AUTO(descriptor) MAYBE ociw_descriptor *image = put_image(from, "v1", "layer");
	ociw_content *to = new_layout(in_scratch("to"));
	ociw_error *err = NULL;

	write_text(blob_path(in_scratch("from"), layer->digest), "LAYER");
	expect_error(copy(from, "v1", to, "v1", 0, &err), &err, OCIW_ERR_DIGEST, layer->digest);
	ociw_content_free(to);
	cr_expect_not(exists(in_scratch("to/index.json")));
}

Test(copy, a_missing_layer_is_named)
{
	OCIWP_AUTO(content) ociw_content *from = new_layout(in_scratch("from"));
	OCIWP_AUTO(content) ociw_content *to = new_layout(in_scratch("to"));
	OCIWP_AUTO(descriptor) ociw_descriptor *layer = put_blob(from, "a/b", "layer", 5);
	OCIWP_AUTO(descriptor) MAYBE ociw_descriptor *image = put_image(from, "v1", "layer");
	ociw_error *err = NULL;

	unlink(blob_path(in_scratch("from"), layer->digest));
	expect_error(copy(from, "v1", to, "v1", 0, &err), &err, OCIW_ERR_NOTFOUND, layer->digest);
}

Test(copy, of_an_index_a_platform_takes_one_image_alone)
{
	OCIWP_AUTO(content) ociw_content *from = new_layout(in_scratch("from"));
	OCIWP_AUTO(content) ociw_content *to = new_layout(in_scratch("to"));
	OCIWP_AUTO(descriptor) ociw_descriptor *wasm = put_image(from, NULL, "wasm");
	OCIWP_AUTO(descriptor) ociw_descriptor *native = put_image(from, NULL, "linux");
	ociw_copy_options options = OCIW_COPY_OPTIONS_INIT;
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociw_platform *platform = NULL;
	ociw_error *err = NULL;

	ociwp_buf_printf(&text,
	                 "{\"schemaVersion\":2,\"mediaType\":\"" OCIWP_MT_OCI_INDEX
	                 "\",\"manifests\":[{\"mediaType\":\"" OCIWP_MT_OCI_MANIFEST
	                 "\",\"digest\":\"%s\",\"size\":%llu,\"platform\":{\"os\":\"linux\","
	                 "\"architecture\":\"amd64\"}},{\"mediaType\":\"" OCIWP_MT_OCI_MANIFEST
	                 "\",\"digest\":\"%s\",\"size\":%llu,\"platform\":{\"os\":\"wasip1\","
	                 "\"architecture\":\"wasm\"}}]}",
	                 native->digest, (unsigned long long)native->size, wasm->digest,
	                 (unsigned long long)wasm->size);
	OCIWP_AUTO(descriptor)
	ociw_descriptor *index = put_manifest_text(from, OCIWP_MT_OCI_INDEX, text.data, "v1");
	expect_ok(ociw_platform_parse("wasip1/wasm", &platform, &err), &err);
	options.platform = platform;
	expect_ok(ociw_copy(from, "v1", to, "one", &options, NULL, &err), &err);
	expect_name(to, "one", wasm);
	cr_expect_not(exists(blob_path(in_scratch("to"), native->digest)));
	/* Without one it is all of it, and the children are in nobody's way. */
	expect_ok(copy(from, "v1", to, "all", 0, &err), &err);
	expect_name(to, "all", index);
	expect_name(to, native->digest, native);
	ociw_platform_free(platform);
}

typedef struct rehearsal {
	unsigned would, there;
	uint64_t bytes;
} rehearsal;

static int count_rehearsal(const ociw_event *event, void *user_data)
{
	rehearsal *seen = user_data;

	seen->there += event->kind == OCIW_EVENT_BLOB_SKIPPED;
	if (event->kind == OCIW_EVENT_WOULD_SEND) {
		seen->would++;
		seen->bytes += event->total;
	}
	return 0;
}

static rehearsal rehearse(ociw_content *from, ociw_content *to)
{
	rehearsal seen = {0, 0, 0};
	ociw_op op = {.size = sizeof(op), .event = count_rehearsal, .user_data = &seen};
	ociw_copy_options options = OCIW_COPY_OPTIONS_INIT;
	ociw_error *err = NULL;

	options.op = &op;
	options.flags = OCIW_COPY_DRY_RUN;
	expect_ok(ociw_copy(from, "v1", to, "v1", &options, NULL, &err), &err);
	return seen;
}

Test(copy, a_dry_run_tells_what_is_lacking_and_writes_nothing)
{
	OCIWP_AUTO(content) ociw_content *from = new_layout(in_scratch("from"));
	OCIWP_AUTO(content) ociw_content *to = new_layout(in_scratch("to"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(from, "v1", "one");
	OCIWP_AUTO(descriptor) ociw_descriptor *none = NULL;
	ociw_error *err = NULL;

	rehearsal before = rehearse(from, to);
	cr_expect_gt(before.would, 1);
	cr_expect_gt(before.bytes, image->size);
	cr_expect_eq(before.there, 0);
	cr_expect_not(exists(blob_path(in_scratch("to"), image->digest)));
	expect_error(ociw_content_resolve(to, "v1", NULL, &none, &err), &err, OCIW_ERR_NOTFOUND,
	             "there is no layout yet");

	expect_ok(copy(from, "v1", to, "v1", 0, &err), &err);
	rehearsal after = rehearse(from, to);
	cr_expect_eq(after.there + 1, before.would, "all but the manifest are there");
	cr_expect_eq(after.would, 1);
}

Test(copy, unknown_flags_are_refused)
{
	OCIWP_AUTO(content) ociw_content *from = new_layout(in_scratch("from"));
	ociw_error *err = NULL;

	expect_error(copy(from, NULL, from, NULL, 1u << 31, &err), &err, OCIW_ERR_INVALID, "flags");
}

struct golden {
	ociw_content *from, *to;
	int images;
};

static int copy_one(const char *name, const ociw_descriptor *desc, void *user_data)
{
	struct golden *g = user_data;
	OCIWP_AUTO(str) char *digest = NULL;
	ociw_error *err = NULL;

	cr_assert_not_null(name);
	expect_ok(copy(g->from, name, g->to, name, OCIW_COPY_RECURSIVE, &err), &err);
	digest = digest_of(g->to, name);
	cr_expect_str_eq(digest, desc->digest);
	g->images++;
	return 0;
}

static void copy_golden(const char *name)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/%s", testdata("golden/layouts"), name);
	struct golden g = {open_layout(path, OCIW_LAYOUT_READ), new_layout(in_scratch(name)), 0};
	ociw_error *err = NULL;

	expect_ok(ociw_content_list(g.from, NULL, copy_one, &g, &err), &err);
	cr_expect(g.images > 0, "%s", name);
	ociw_content_free(g.from);
	ociw_content_free(g.to);
}

Test(copy, every_golden_layout_comes_through_unchanged)
{
	DIR *dir = opendir(testdata("golden/layouts"));
	int layouts = 0;

	cr_assert_not_null(dir);
	for (const struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] == '.')
			continue;
		copy_golden(entry->d_name);
		layouts++;
	}
	closedir(dir);
	cr_expect_eq(layouts, 9);
}
