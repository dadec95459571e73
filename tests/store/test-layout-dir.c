/* SPDX-License-Identifier: Apache-2.0
 *
 * Layout directories as contents: create, name, read, refuse (LAY-1..6), and many writers at once.
 */
#include "../support/layouts.h"

#include <signal.h>
#include <sys/wait.h>

TestSuite(layout_dir, .init = scratch_make, .fini = scratch_remove);

static void expect_open_fails(const char *path, unsigned flags, int code, const char *part)
{
	ociw_content *content = NULL;
	ociw_error *err = NULL;

	expect_error(ociw_layout_open(path, flags, &content, &err), &err, code, part);
	cr_expect_null(content);
}

/* In the place of libc's: remembers what was synced. */
static ino_t synced[64];
static size_t synced_count;

int fsync(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && synced_count < sizeof(synced) / sizeof(synced[0]))
		synced[synced_count++] = st.st_ino;
	return 0;
}

static bool was_synced(const char *path)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0, "%s", path);
	for (size_t i = 0; i < synced_count; i++) {
		if (synced[i] == st.st_ino)
			return true;
	}
	return false;
}

/* LAY-6: a layer by SHA-512 under a manifest by SHA-256 must be on disk before the name is. */
Test(layout_dir, a_name_waits_for_blobs_of_both_kinds)
{
	ociw_content *layout = open_layout(in_scratch("l"), OCIW_LAYOUT_WRITE | OCIW_LAYOUT_CREATE);
	OCIWP_AUTO(descriptor) ociw_descriptor *blob = NULL;
	char digest[OCIW_DIGEST_TEXT_MAX];
	ociw_error *err = NULL;
	ociw_digest value;

	cr_assert_eq(ociw_digest_bytes(OCIW_DIGEST_SHA512, (ociw_span){"hi", 2}, &value, NULL), 0);
	ociw_digest_format(&value, digest);
	expect_ok(ociw_descriptor_new("text/plain", digest, 2, &blob, &err), &err);
	expect_ok(ociwp_content_put_bytes(layout, blob, (ociw_span){"hi", 2}, NULL, &err), &err);
	OCIWP_AUTO(descriptor) MAYBE ociw_descriptor *image = put_image(layout, "v1", "layer");
	cr_expect(was_synced(in_scratch("l/blobs/sha256")));
	cr_expect(was_synced(in_scratch("l/blobs/sha512")));
	cr_expect(was_synced(in_scratch("l/blobs")));
	cr_expect(was_synced(in_scratch("l")));
	cr_expect(was_synced(in_scratch("l/index.json")));
	ociw_content_free(layout);
}

Test(layout_dir, create_shows_nothing_before_the_first_manifest)
{
	const char *path = in_scratch("new");
	ociw_content *layout = new_layout(path);

	cr_expect_not(exists(path));
	OCIWP_AUTO(descriptor)
	MAYBE ociw_descriptor *blob = put_blob(layout, "text/plain", "hi", 2);
	cr_expect_not(exists(in_scratch("new/index.json")));
	cr_expect_not(exists(in_scratch("new/oci-layout")));
	expect_open_fails(path, OCIW_LAYOUT_READ, OCIW_ERR_FORMAT, "oci-layout is missing");
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(layout, "v1", "layer");
	expect_name(layout, "v1", image);
	ociw_content_free(layout);
	layout = open_layout(path, OCIW_LAYOUT_READ);
	expect_name(layout, "v1", image);
	ociw_content_free(layout);
	cr_expect_not(exists(in_scratch("new/index.json.lock")));
	cr_expect_not(exists(in_scratch("new/ingest")));
}

Test(layout_dir, nothing_put_leaves_nothing_behind)
{
	const char *path = in_scratch("new");
	ociw_content *layout = new_layout(path);
	OCIWP_AUTO(descriptor) ociw_descriptor *lie = NULL;
	ociw_error *err = NULL;

	expect_ok(ociwp_descriptor_of_bytes("text/plain", (ociw_span){"hi", 2}, &lie, &err), &err);
	expect_error(ociwp_content_put_bytes(layout, lie, (ociw_span){"ho", 2}, NULL, &err), &err,
	             OCIW_ERR_DIGEST, "expected sha256:");
	ociw_content_free(layout);
	cr_expect_not(exists(path));
}

Test(layout_dir, index_json_is_always_the_same_bytes)
{
	for (int i = 0; i < 2; i++) {
		OCIWP_AUTO(content)
		ociw_content *layout = new_layout(in_scratch(i ? "a" : "b"));
		OCIWP_AUTO(descriptor) MAYBE ociw_descriptor *one = put_image(layout, "v1", "one");
		OCIWP_AUTO(descriptor) MAYBE ociw_descriptor *two = put_image(layout, "v2", "two");
	}
	OCIWP_AUTO(str) char *a = read_text(in_scratch("a/index.json"));
	OCIWP_AUTO(str) char *b = read_text(in_scratch("b/index.json"));
	OCIWP_AUTO(str) char *version = read_text(in_scratch("a/oci-layout"));
	cr_expect_str_eq(a, b);
	cr_expect_str_eq(version, "{\"imageLayoutVersion\":\"1.0.0\"}");
}

Test(layout_dir, a_name_moves_to_the_newest_image)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *one = put_image(layout, "v1", "one");
	OCIWP_AUTO(descriptor) ociw_descriptor *two = put_image(layout, "v1", "two");

	expect_name(layout, "v1", two);
	expect_name(layout, NULL, two);
	expect_name(layout, one->digest, one); /* by digest it is still there */
}

Test(layout_dir, a_digest_is_a_name_listed_or_not)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *listed = put_image(layout, "v1", "one");
	OCIWP_AUTO(descriptor) ociw_descriptor *child = put_image(layout, NULL, "two");
	OCIWP_AUTO(descriptor) ociw_descriptor *found = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *blob = put_blob(layout, "text/plain", "hi", 2);
	ociw_error *err = NULL;

	expect_name(layout, NULL, listed);
	expect_ok(ociw_content_resolve(layout, child->digest, NULL, &found, &err), &err);
	cr_expect_str_eq(found->media_type, OCIWP_MT_OCI_MANIFEST);
	cr_expect_eq(found->size, child->size);
	ociw_descriptor_free(ociwp_steal(&found));
	expect_error(ociw_content_resolve(layout, blob->digest, NULL, &found, &err), &err,
	             OCIW_ERR_FORMAT, "no manifest");
	expect_error(ociw_content_resolve(layout, "sha256:nonsense", NULL, &found, &err), &err,
	             OCIW_ERR_NOTFOUND, NULL);
}

static int count_names(const char *name, const ociw_descriptor *desc, void *user_data)
{
	char *seen = user_data;

	cr_expect_not_null(desc);
	strcat(seen, name ? name : "-");
	strcat(seen, ";");
	return 0;
}

Test(layout_dir, lists_and_removes_names)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	ociw_error *err = NULL;
	char seen[100] = "";

	expect_ok(ociw_content_list(layout, NULL, count_names, seen, &err), &err);
	cr_expect_str_eq(seen, "");
	OCIWP_AUTO(descriptor) MAYBE ociw_descriptor *one = put_image(layout, "v1", "one");
	OCIWP_AUTO(descriptor) MAYBE ociw_descriptor *two = put_image(layout, "v2", "two");
	expect_ok(ociw_content_list(layout, NULL, count_names, seen, &err), &err);
	cr_expect_str_eq(seen, "v1;v2;");
	expect_ok(ociwp_content_remove(layout, "v1", false, NULL, &err), &err);
	seen[0] = '\0';
	expect_ok(ociw_content_list(layout, NULL, count_names, seen, &err), &err);
	cr_expect_str_eq(seen, "v2;");
	expect_error(ociwp_content_remove(layout, "v1", false, NULL, &err), &err, OCIW_ERR_NOTFOUND,
	             "v1");
}

static int first_referrer(const ociw_descriptor *desc, void *user_data)
{
	return ociw_descriptor_dup(desc, user_data, NULL) < 0 ? -1 : 7;
}

Test(layout_dir, referrers_are_found_by_their_subject)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(layout, "v1", "one");
	OCIWP_AUTO(descriptor) ociw_descriptor *sbom = put_image_of(layout, NULL, "sbom", 4, image);
	OCIWP_AUTO(descriptor) ociw_descriptor *found = NULL;
	ociw_error *err = NULL;

	cr_expect_eq(ociwp_content_referrers(layout, image->digest, "application/x-config", NULL,
	                                     first_referrer, &found, &err),
	             7);
	cr_assert_not_null(found);
	cr_expect_str_eq(found->digest, sbom->digest);
	cr_expect_str_eq(found->artifact_type, "application/x-config");
	cr_expect_eq(ociwp_content_referrers(layout, image->digest, "application/other", NULL,
	                                     first_referrer, &found, &err),
	             0);
	cr_expect_eq(ociwp_content_referrers(layout, sbom->digest, NULL, NULL, first_referrer,
	                                     &found, &err),
	             0);
	expect_name(layout, NULL, image); /* a referrer has no name and is in nobody's way */
}

Test(layout_dir, reading_verifies_and_what_is_missing_is_told)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *blob = put_blob(layout, "text/plain", "hello", 5);
	void *bytes = NULL;
	ociw_error *err = NULL;
	size_t len;

	write_text(blob_path(in_scratch("l"), blob->digest), "hallo");
	expect_error(ociw_content_read(layout, blob, 100, NULL, &bytes, &len, &err), &err,
	             OCIW_ERR_DIGEST, blob->digest);
	write_text(blob_path(in_scratch("l"), blob->digest), "hello!");
	expect_error(ociw_content_read(layout, blob, 100, NULL, &bytes, &len, &err), &err,
	             OCIW_ERR_SIZE, blob->digest);
	unlink(blob_path(in_scratch("l"), blob->digest));
	expect_error(ociw_content_read(layout, blob, 100, NULL, &bytes, &len, &err), &err,
	             OCIW_ERR_NOTFOUND, blob->digest);
}

Test(layout_dir, a_blob_of_the_wrong_size_is_replaced)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *blob = put_blob(layout, "text/plain", "hello", 5);
	const char *path = blob_path(in_scratch("l"), blob->digest);

	write_text(path, "he");
	OCIWP_AUTO(descriptor)
	MAYBE ociw_descriptor *again = put_blob(layout, "text/plain", "hello", 5);
	OCIWP_AUTO(str) char *text = read_text(path);
	cr_expect_str_eq(text, "hello");
}

/* A layout of hand-written files. */
static const char *handmade(const char *oci_layout, const char *index_json)
{
	const char *path = in_scratch("hand");

	cr_assert_eq(mkdir(path, 0755), 0);
	cr_assert_eq(mkdir(in_scratch("hand/blobs"), 0755), 0);
	if (oci_layout)
		write_text(in_scratch("hand/oci-layout"), oci_layout);
	if (index_json)
		write_text(in_scratch("hand/index.json"), index_json);
	return path;
}

#define VERSION "{\"imageLayoutVersion\":\"1.0.0\"}"
#define EMPTY_INDEX "{\"schemaVersion\":2,\"manifests\":[]}"

Test(layout_dir, a_folder_that_is_no_layout_is_refused)
{
	expect_open_fails(in_scratch("nothing"), OCIW_LAYOUT_READ, OCIW_ERR_NOTFOUND, "nothing");
	expect_open_fails(handmade(NULL, EMPTY_INDEX), OCIW_LAYOUT_READ, OCIW_ERR_FORMAT,
	                  "oci-layout is missing");
	expect_open_fails(in_scratch("hand"), OCIW_LAYOUT_WRITE | OCIW_LAYOUT_CREATE,
	                  OCIW_ERR_FORMAT, "oci-layout is missing");
	write_text(in_scratch("file"), "x");
	expect_open_fails(in_scratch("file"), OCIW_LAYOUT_READ, OCIW_ERR_FORMAT, "not a directory");
}

Test(layout_dir, another_layout_version_is_refused)
{
	expect_open_fails(handmade("{\"imageLayoutVersion\":\"1.1.0\"}", EMPTY_INDEX),
	                  OCIW_LAYOUT_READ, OCIW_ERR_UNSUPPORTED, "1.1.0");
}

Test(layout_dir, an_index_that_is_missing_or_broken_is_refused)
{
	expect_open_fails(handmade(VERSION, NULL), OCIW_LAYOUT_READ, OCIW_ERR_FORMAT,
	                  "index.json is missing");
	write_text(in_scratch("hand/index.json"), "{\"schemaVersion\":2,\"manifests\":[],"
	                                          "\"manifests\":[]}");
	expect_open_fails(in_scratch("hand"), OCIW_LAYOUT_READ, OCIW_ERR_FORMAT, "index.json");
}

Test(layout_dir, a_huge_index_is_refused)
{
	const char *path = handmade(VERSION, "");
	FILE *file = fopen(in_scratch("hand/index.json"), "w");

	for (int i = 0; i < 5000; i++)
		fprintf(file, "%1000s", " ");
	fclose(file);
	expect_open_fails(path, OCIW_LAYOUT_READ, OCIW_ERR_LIMIT, "index.json");
}

Test(layout_dir, symbolic_links_inside_are_not_followed)
{
	const char *path = handmade(VERSION, EMPTY_INDEX);

	cr_assert_eq(rmdir(in_scratch("hand/blobs")), 0);
	cr_assert_eq(symlink("/etc", in_scratch("hand/blobs")), 0);
	expect_open_fails(path, OCIW_LAYOUT_READ, OCIW_ERR_UNSAFE, "blobs");
	expect_open_fails(path, OCIW_LAYOUT_WRITE, OCIW_ERR_UNSAFE, "blobs");
	cr_assert_eq(unlink(in_scratch("hand/blobs")), 0);
	cr_assert_eq(rename(in_scratch("hand/index.json"), in_scratch("elsewhere")), 0);
	cr_assert_eq(symlink("../elsewhere", in_scratch("hand/index.json")), 0);
	expect_open_fails(path, OCIW_LAYOUT_READ, OCIW_ERR_UNSAFE, "index.json");
}

Test(layout_dir, reading_never_writes)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(layout, "v1", "one");
	OCIWP_AUTO(content) ociw_content *reader = open_layout(in_scratch("l"), OCIW_LAYOUT_READ);
	ociw_error *err = NULL;

	expect_error(ociwp_content_remove(reader, "v1", false, NULL, &err), &err, OCIW_ERR_INVALID,
	             "reading only");
	expect_error(ociwp_content_put_bytes(reader, image, (ociw_span){"x", 1}, NULL, &err), &err,
	             OCIW_ERR_INVALID, "reading only");
}

#define PROCESSES 20
#define TAGS 5

static void tag_in_a_loop(const char *path, int number)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(path);

	for (int i = 0; i < TAGS; i++) {
		char name[32], text[32];

		snprintf(name, sizeof(name), "p%d-%d", number, i);
		snprintf(text, sizeof(text), "layer %d", number % 4);
		ociw_descriptor_free(put_image(layout, name, text));
	}
}

static int count_one(const char *name, const ociw_descriptor *desc, void *user_data)
{
	(void)desc;
	*(int *)user_data += name != NULL;
	return 0;
}

Test(layout_dir, twenty_processes_lose_no_name, .timeout = 60)
{
	const char *path = in_scratch("shared");
	pid_t children[PROCESSES];
	ociw_error *err = NULL;
	int names = 0;

	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		cr_assert(children[i] >= 0);
		if (children[i] == 0) {
			tag_in_a_loop(path, i);
			_exit(0);
		}
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status = -1;

		cr_assert_eq(waitpid(children[i], &status, 0), children[i]);
		cr_expect_eq(status, 0);
	}
	OCIWP_AUTO(content) ociw_content *layout = open_layout(path, OCIW_LAYOUT_READ);
	expect_ok(ociw_content_list(layout, NULL, count_one, &names, &err), &err);
	cr_expect_eq(names, PROCESSES * TAGS);
}

Test(layout_dir, killed_writers_leave_a_layout_that_is_whole, .timeout = 120)
{
	const char *path = in_scratch("shared");
	OCIWP_AUTO(content) ociw_content *first = new_layout(path);
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(first, "first", "one");

	for (int i = 0; i < 30; i++) {
		pid_t child = fork();

		cr_assert(child >= 0);
		if (child == 0) {
			for (;;)
				tag_in_a_loop(path, i);
		}
		usleep((useconds_t)(i * 300));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		OCIWP_AUTO(content) ociw_content *layout = open_layout(path, OCIW_LAYOUT_WRITE);
		expect_name(layout, "first", image);
		OCIWP_AUTO(descriptor) ociw_descriptor *next = put_image(layout, "next", "two");
		expect_name(layout, "next", next);
	}
}
