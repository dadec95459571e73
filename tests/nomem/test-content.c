/* SPDX-License-Identifier: Apache-2.0
 *
 * Running out of memory anywhere in the small operations on layouts and containerd's store, and in the
 * credential files of a login, is OCIW_ERR_NOMEM, leaks nothing, and leaves every layout whole.
 */
#include "../support/layouts.h"
#include "fail-alloc.h"

#include <oci-wasm/attach.h>
#include <oci-wasm/containerd.h>
#include <oci-wasm/docker-config.h>
#include <oci-wasm/package.h>
#include <oci-wasm/spin.h>

TestSuite(nomem_content, .init = scratch_make, .fini = scratch_remove, .timeout = 200);

static int open_again(ociw_content **out, ociw_error **err)
{
	return ociw_layout_open(in_scratch("l"),
	                        OCIW_LAYOUT_WRITE | OCIW_LAYOUT_CREATE | OCIW_LAYOUT_NO_SYNC, out,
	                        err);
}

static int run_attach(void *data, ociw_error **err)
{
	OCIWP_AUTO(content) ociw_content *layout = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *image = NULL;
	ociw_attach_options options = OCIW_ATTACH_OPTIONS_INIT;
	const ociw_attach_file file = {in_scratch("file"), NULL};
	const ociw_annotation annotation = {"k", "v"};
	size_t count = 0;

	(void)data;
	options.artifact_type = "application/x";
	options.files = &file;
	options.file_count = 1;
	options.annotations = &annotation;
	options.annotation_count = 1;
	int r = open_again(&layout, err);
	if (r >= 0)
		r = ociw_attach(layout, "v1", &options, NULL, err);
	if (r >= 0)
		r = ociw_content_resolve(layout, "v1", NULL, &image, err);
	if (r >= 0)
		r = ociw_content_referrers(layout, image->digest, NULL, NULL, count_referrer, &count,
		                           err);
	cr_expect(r < 0 || count == 1);
	return r;
}

Test(nomem_content, attaching_and_listing_referrers)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	ociw_error *err = NULL;

	ociw_descriptor_free(put_image(layout, "v1", "one"));
	write_text(in_scratch("file"), "text");
	cr_expect_gt(fail_alloc_each("attach", run_attach, NULL), 100);
	expect_ok(ociw_layout_verify(layout, NULL, NULL, NULL, &err), &err);
}

static int run_parts(void *data, ociw_error **err)
{
	OCIWP_AUTO(content) ociw_content *layout = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *blob = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *found = NULL;
	static const char *const names[] = {"v3", "v4", "v2"};
	ociw_reader *reader = NULL;
	const char *manifest = data;
	size_t count = 0;
	OCIWP_AUTO(fd) int file = open(in_scratch("file"), O_RDONLY | O_CLOEXEC);

	int r = open_again(&layout, err);
	if (r >= 0)
		r = ociw_content_put_bytes(layout, "text/plain", (ociw_span){"x", 1}, NULL, &blob,
		                           err);
	if (r >= 0)
		r = ociw_content_put_file(layout, "text/plain", in_scratch("file"), NULL, NULL, err);
	if (r >= 0)
		r = ociw_content_put_fd(layout, "text/plain", file, NULL, NULL, err);
	if (r >= 0)
		r = ociw_reader_new_memory((ociw_span){"stream", 6}, &reader, err);
	if (r >= 0)
		r = ociw_content_put_stream(layout, "text/plain", reader, NULL, NULL, err);
	if (r >= 0)
		r = ociw_content_stat(layout, blob->digest, NULL, &found, err);
	if (r >= 0)
		r = ociw_content_put_manifest(layout, NULL, (ociw_span){manifest, strlen(manifest)},
		                              "v2", NULL, NULL, err);
	if (r >= 0)
		r = ociw_content_tag(layout, "v2", names, 2, NULL, NULL, err);
	if (r >= 0)
		r = ociw_content_list(layout, NULL, count_name, &count, err);
	cr_expect(r < 0 || count == 4);
	for (size_t i = 0; r >= 0 && i < 3; i++)
		r = ociw_content_delete(layout, names[i], NULL, err);
	if (r >= 0)
		r = ociw_content_delete_blob(layout, blob->digest, NULL, err);
	return r;
}

Test(nomem_content, blobs_manifests_names_and_deletions)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(layout, "v1", "one");
	OCIWP_AUTO(str) char *manifest = read_text(blob_path(in_scratch("l"), image->digest));
	ociw_error *err = NULL;

	write_text(in_scratch("file"), "text");
	cr_expect_gt(fail_alloc_each("parts", run_parts, manifest), 100);
	expect_ok(ociw_layout_verify(layout, NULL, NULL, NULL, &err), &err);
}

static int run_containerd(void *data, ociw_error **err)
{
	OCIWP_AUTO(content) ociw_content *store = NULL;
	OCIWP_AUTO(content) ociw_content *to = NULL;
	ociw_copy_options options = OCIW_COPY_OPTIONS_INIT;

	options.parallel = 1;
	int r = ociw_containerd_store_open(scratch, &store, err);
	if (r >= 0)
		r = ociw_layout_open(in_scratch("to"),
		                     OCIW_LAYOUT_WRITE | OCIW_LAYOUT_CREATE | OCIW_LAYOUT_NO_SYNC,
		                     &to, err);
	return r < 0 ? r : ociw_copy(store, data, to, "v1", &options, NULL, err);
}

Test(nomem_content, copying_out_of_containerd)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor) ociw_descriptor *image = put_image(layout, "v1", "one");

	cr_assert_eq(mkdir(in_scratch("io.containerd.content.v1.content"), 0755), 0);
	cr_assert_eq(rename(in_scratch("l/blobs"),
	                    in_scratch("io.containerd.content.v1.content/blobs")),
	             0);
	cr_expect_gt(fail_alloc_each("containerd", run_containerd, image->digest), 50);
}

static int run_package(void *data, ociw_error **err)
{
	OCIWP_AUTO(content) ociw_content *from = NULL;
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociw_writer *writer = NULL;

	int r = ociw_layout_open(data, OCIW_LAYOUT_READ, &from, err);
	if (r >= 0)
		r = ociwp_writer_new_buf(&text, 1 << 24, &writer, err);
	if (r >= 0)
		r = ociw_package_read(from, NULL, NULL, writer, err);
	ociw_writer_abort(writer);
	return r;
}

Test(nomem_content, reading_a_package)
{
	OCIWP_AUTO(content) ociw_content *layout = new_layout(in_scratch("l"));
	OCIWP_AUTO(descriptor)
	ociw_descriptor *wasm = put_blob(layout, "application/wasm", "\0asm\x0d\0\1\0", 8);
	OCIWP_AUTO(descriptor) ociw_descriptor *config =
	        put_blob(layout, "application/vnd.wasm.config.v0+json", "{}", 2);
	OCIWP_AUTO(str) char *text = manifest_text(config, wasm, NULL);

	ociw_descriptor_free(put_manifest_text(layout, OCIWP_MT_OCI_MANIFEST, text, "v1"));
	cr_expect_gt(fail_alloc_each("package", run_package, (void *)in_scratch("l")), 20);
}

static int run_lock(void *data, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociw_writer *writer = NULL;

	int r = ociwp_writer_new_buf(&text, 1 << 20, &writer, err);
	if (r >= 0)
		r = ociw_spin_lock(data, NULL, writer, err);
	ociw_writer_abort(writer);
	return r;
}

Test(nomem_content, a_locked_app)
{
	cr_expect_gt(fail_alloc_each("lock", run_lock, (void *)testdata("apps/shop/app")), 100);
}

/* What login, logout and a lookup do with the text of a file. */
static int run_login(void *data, ociw_error **err)
{
	const char *text = data;
	ociw_docker_config *config = NULL;
	ociw_credential found = {.size = sizeof(found)}, fromhelper = {.size = sizeof(fromhelper)};
	const ociw_credential credential = {
	        .size = sizeof(credential), .username = "u", .password = "p"};
	const char *answer = "{\"ServerURL\":\"x\",\"Username\":\"u\",\"Secret\":\"s\"}";
	char *written = NULL, *request = NULL;

	int r = ociw_docker_config_parse((ociw_span){text, strlen(text)}, &config, err);
	if (r >= 0)
		r = ociw_docker_config_find(config, "example.com", "team/app", &found, err);
	if (r >= 0)
		r = ociw_docker_config_set(config, "localhost:5000", &credential, err);
	if (r >= 0)
		r = ociw_docker_config_format(config, &written, err);
	if (r >= 0)
		r = ociw_docker_helper_request("example.com", &credential, &request, err);
	if (r >= 0)
		r = ociw_docker_helper_answer(config, (ociw_span){answer, strlen(answer)}, &fromhelper,
		                              err);
	if (r > 0)
		r = 0;
	ociw_free(request);
	ociw_free(written);
	ociw_docker_config_free(config);
	return r;
}

Test(nomem_content, credential_files_of_a_login)
{
	cr_expect_gt(fail_alloc_each("login", run_login,
	                             (void *)"{\"auths\":{\"example.com\":{\"auth\":\"dTpw\"},"
	                             "\"other\":{\"identitytoken\":\"t\"}},"
	                             "\"credHelpers\":{\"third\":\"x\"}}"),
	             20);
}
