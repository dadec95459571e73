/* SPDX-License-Identifier: Apache-2.0
 *
 * Layout tars in the making: whole or absent, the same bytes whatever the order, readable by
 * ourselves (LAY-7, LYR-3).
 */
#include "../support/tars.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>

TestSuite(archive_create, .init = scratch_make, .fini = scratch_remove);

static ociw_content *create(const char *path)
{
	ociw_content *content = NULL;
	ociw_error *err = NULL;

	expect_ok(ociw_archive_create(path, &content, &err), &err);
	return content;
}

static int files_in_scratch(void)
{
	DIR *dir = opendir(scratch);
	int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

Test(archive_create, nothing_is_there_before_a_manifest_has_a_name)
{
	ociw_content *archive = create(in_scratch("a.tar"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(archive, NULL, "one");

	cr_expect_eq(files_in_scratch(), 0);
	OCIWP_AUTO(descriptor) ociw_descriptor *named = put_image(archive, "v1", "two");
	cr_expect_eq(files_in_scratch(), 1);
	expect_name(archive, "v1", named);
	ociw_content_free(archive);

	ociw_content *reader = NULL;
	ociw_error *err = NULL;
	expect_ok(ociw_archive_open(in_scratch("a.tar"), NULL, &reader, &err), &err);
	expect_name(reader, "v1", named);
	expect_name(reader, NULL, named);
	expect_name(reader, image->digest, image);
	ociw_content_free(reader);
}

Test(archive_create, bytes_do_not_depend_on_the_order_of_blobs)
{
	for (int i = 0; i < 2; i++) {
		OCIWP_AUTO(content) ociw_content *archive = create(in_scratch(i ? "a" : "b"));

		ociw_descriptor_free(put_blob(archive, "a/b", i ? "one" : "two", 3));
		ociw_descriptor_free(put_blob(archive, "a/b", i ? "two" : "one", 3));
		ociw_descriptor_free(put_image(archive, "v1", "layer"));
		if (i)
			sleep(1); /* no time is in it */
	}
	OCIWP_AUTO(content) MAYBE ociw_content *again = create(in_scratch("c"));
	int a = open(in_scratch("a"), O_RDONLY), b = open(in_scratch("b"), O_RDONLY);
	char one[40000], two[40000];
	ssize_t n = read(a, one, sizeof(one));
	cr_expect(n > 1000 && n < (ssize_t)sizeof(one));
	cr_expect_eq(read(b, two, sizeof(two)), n);
	cr_expect_eq(memcmp(one, two, (size_t)n), 0);
	close(a);
	close(b);
}

Test(archive_create, a_full_name_is_kept_for_containerd)
{
	OCIWP_AUTO(content) ociw_content *archive = create(in_scratch("a.tar"));
	OCIWP_AUTO(descriptor)
	ociw_descriptor *image = put_image(archive, "localhost:5000/app:v1", "one");
	ociw_content *reader = NULL;
	ociw_error *err = NULL;

	expect_ok(ociw_archive_open(in_scratch("a.tar"), NULL, &reader, &err), &err);
	expect_name(reader, "v1", image);
	expect_name(reader, "localhost:5000/app:v1", image);
	OCIWP_AUTO(descriptor) ociw_descriptor *short_name = put_image(archive, "app:v2", "two");
	ociw_content_free(reader);
	expect_ok(ociw_archive_open(in_scratch("a.tar"), NULL, &reader, &err), &err);
	expect_name(reader, "docker.io/library/app:v2", short_name);
	expect_name(reader, "app:v2", short_name);
	ociw_content_free(reader);
}

Test(archive_create, what_is_there_is_replaced_only_by_something_whole)
{
	write_text(in_scratch("a.tar"), "old");
	OCIWP_AUTO(content) ociw_content *archive = create(in_scratch("a.tar"));
	OCIWP_AUTO(descriptor) ociw_descriptor *lie = NULL;
	OCIWP_AUTO(str) char *text = NULL;
	ociw_error *err = NULL;

	expect_ok(ociwp_descriptor_of_bytes("a/b", (ociw_span){"hi", 2}, &lie, &err), &err);
	expect_error(ociwp_content_put_bytes(archive, lie, (ociw_span){"ho", 2}, NULL, &err), &err,
	             OCIW_ERR_DIGEST, NULL);
	text = read_text(in_scratch("a.tar"));
	cr_expect_str_eq(text, "old");
	ociw_descriptor_free(put_image(archive, "v1", "one"));
	cr_expect_eq(files_in_scratch(), 1);
}

static int touch(const char *name)
{
	int fd = open(in_scratch(name), O_WRONLY | O_CREAT, 0600);

	cr_assert_geq(fd, 0);
	return fd;
}

Test(archive_create, what_a_dead_writer_left_is_removed_and_what_a_live_one_writes_is_not)
{
	OCIWP_AUTO(content) ociw_content *archive = create(in_scratch("a.tar"));
	int live = touch(".oci-wasm-0123456789abcdef.tmp");

	cr_assert_eq(flock(live, LOCK_EX), 0);
	close(touch(".oci-wasm-fedcba9876543210.tmp"));
	close(touch(".oci-wasm-of-somebody-else.tmp"));
	ociw_descriptor_free(put_image(archive, "v1", "one"));
	cr_expect(exists(in_scratch(".oci-wasm-0123456789abcdef.tmp")));
	cr_expect_not(exists(in_scratch(".oci-wasm-fedcba9876543210.tmp")));
	cr_expect(exists(in_scratch(".oci-wasm-of-somebody-else.tmp")));
	cr_expect_eq(files_in_scratch(), 3);
	close(live);
}

Test(archive_create, devices_links_and_missing_folders_are_refused)
{
	ociw_content *content = NULL;
	ociw_error *err = NULL;

	cr_assert_eq(symlink("elsewhere", in_scratch("link")), 0);
	expect_error(ociw_archive_create(in_scratch("link"), &content, &err), &err, OCIW_ERR_UNSAFE,
	             "plain file");
	expect_error(ociw_archive_create("/dev/null", &content, &err), &err, OCIW_ERR_UNSAFE,
	             "plain file");
	expect_error(ociw_archive_create(in_scratch("no/a.tar"), &content, &err), &err,
	             OCIW_ERR_NOTFOUND, "folder");
	expect_error(ociw_archive_create("dir/", &content, &err), &err, OCIW_ERR_INVALID, "file");
}

Test(archive_create, referrers_travel_in_it)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(layout, "v1", "one");
	OCIWP_AUTO(descriptor) ociw_descriptor *sbom = put_image_of(layout, NULL, "sbom", 4, image);
	OCIWP_AUTO(content) ociw_content *archive = create(in_scratch("a.tar"));
	OCIWP_AUTO(content) ociw_content *back = new_layout(in_scratch("back"));
	ociw_copy_options options = OCIW_COPY_OPTIONS_INIT;
	ociw_content *reader = NULL;
	ociw_error *err = NULL;

	options.flags = OCIW_COPY_RECURSIVE;
	expect_ok(ociw_copy(layout, "v1", archive, "v1", &options, NULL, &err), &err);
	expect_ok(ociw_archive_open(in_scratch("a.tar"), NULL, &reader, &err), &err);
	expect_ok(ociw_copy(reader, "v1", back, "v1", &options, NULL, &err), &err);
	expect_name(back, sbom->digest, sbom);
	ociw_content_free(reader);
}
