/* SPDX-License-Identifier: Apache-2.0
 *
 * Running out of memory anywhere in pack, copy and extract is OCIW_ERR_NOMEM, leaks nothing, and
 * leaves nothing half-made behind.
 */
#include "fail-alloc.h"
#include "oci/content.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <oci-wasm/copy.h>
#include <oci-wasm/extract.h>
#include <oci-wasm/pack.h>
#include <oci-wasm/store.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void testdata(char path[4096], const char *name)
{
	snprintf(path, 4096, "%s/%s", getenv("OCIW_TESTDATA"), name);
}

/* A folder of the test's own, which is its working directory then. */
static void enter_scratch(void)
{
	char path[] = "/tmp/ociw-nomem-XXXXXX";
	cr_assert_not_null(mkdtemp(path));
	cr_assert_eq(chdir(path), 0);
}

static void leave_scratch(void)
{
	char path[4096], command[5000];
	cr_assert_not_null(getcwd(path, sizeof(path)));
	cr_assert_eq(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	cr_assert_eq(system(command), 0);
}

static size_t entries_here(void)
{
	size_t count = 0;
	DIR *dir = opendir(".");
	cr_assert_not_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return count;
}

static int run_pack(void *data, ociw_error **err)
{
	static const ociw_format formats[] = {OCIW_FORMAT_SPIN, OCIW_FORMAT_SPIN_NODE,
					      OCIW_FORMAT_ROOTFS};
	OCIWP_AUTO(content) ociw_content *content = NULL;
	ociw_pack_options o = OCIW_PACK_OPTIONS_INIT;
	o.path = data;
	o.formats = formats;
	o.format_count = 3;
	o.parallel = 1;
	o.flags = OCIW_PACK_NO_CACHE;
	return ociw_pack(&o, &content, err);
}

Test(nomem_flows, pack)
{
	char path[4096];
	testdata(path, "apps/shop/app/spin.toml");
	cr_expect_gt(fail_alloc_each("pack", run_pack, path), 500);
}

static int run_pack_wasm(void *data, ociw_error **err)
{
	OCIWP_AUTO(content) ociw_content *content = NULL;
	ociw_pack_options o = OCIW_PACK_OPTIONS_INIT;
	o.path = data;
	o.parallel = 1;
	return ociw_pack(&o, &content, err);
}

Test(nomem_flows, pack_of_one_wasm)
{
	char path[4096];
	testdata(path, "bare/component.wasm");
	cr_expect_gt(fail_alloc_each("pack wasm", run_pack_wasm, path), 50);
}

struct copy {
	char from[4096];
	bool archive;
};

static int run_copy(void *data, ociw_error **err)
{
	OCIWP_AUTO(content) ociw_content *from = NULL;
	OCIWP_AUTO(content) ociw_content *to = NULL;
	const struct copy *copy = data;
	ociw_copy_options o = OCIW_COPY_OPTIONS_INIT;
	o.parallel = 1;
	int r = ociw_layout_open(copy->from, OCIW_LAYOUT_READ, &from, err);
	if (r == 0 && copy->archive)
		r = ociw_archive_create("out.tar", &to, err);
	else if (r == 0)
		r = ociw_layout_open("out", OCIW_LAYOUT_WRITE | OCIW_LAYOUT_CREATE |
						    OCIW_LAYOUT_NO_SYNC,
				     &to, err);
	return r < 0 ? r : ociw_copy(from, "archive", to, "v1", &o, NULL, err);
}

Test(nomem_flows, copy_to_a_layout)
{
	struct copy copy = {.archive = false};
	enter_scratch();
	testdata(copy.from, "golden/layouts/spin-3.6.3");
	cr_expect_gt(fail_alloc_each("copy", run_copy, &copy), 100);
	leave_scratch();
}

Test(nomem_flows, copy_to_an_archive)
{
	struct copy copy = {.archive = true};
	enter_scratch();
	testdata(copy.from, "golden/layouts/spin-3.6.3");
	cr_expect_gt(fail_alloc_each("copy", run_copy, &copy), 100);
	cr_expect_eq(entries_here(), 1);
	leave_scratch();
}

struct extract {
	char from[4096];
	const char *name;
	uint32_t mode;
};

static int run_extract(void *data, ociw_error **err)
{
	OCIWP_AUTO(content) ociw_content *from = NULL;
	const struct extract *extract = data;
	ociw_extract_options o = OCIW_EXTRACT_OPTIONS_INIT;
	ociw_extract_result *result = NULL;
	o.mode = extract->mode;
	o.flags = OCIW_EXTRACT_SERIAL | OCIW_EXTRACT_NO_SYNC;
	int r = ociw_layout_open(extract->from, OCIW_LAYOUT_READ, &from, err);
	if (r == 0)
		r = ociw_extract(from, extract->name, "out", &o, &result, err);
	ociw_extract_result_free(result);
	/* A failure leaves nothing, so that the next run starts from nothing. */
	cr_assert_eq(entries_here(), r == 0 ? 1 : 0);
	return r;
}

Test(nomem_flows, extract_files_of_an_app)
{
	struct extract extract = {.name = "archive", .mode = OCIW_EXTRACT_SPIN_FILES};
	enter_scratch();
	testdata(extract.from, "golden/layouts/spin-3.6.3");
	cr_expect_gt(fail_alloc_each("extract", run_extract, &extract), 100);
	leave_scratch();
}

Test(nomem_flows, extract_a_rootfs)
{
	struct extract extract = {.name = "v2", .mode = OCIW_EXTRACT_ROOTFS};
	enter_scratch();
	testdata(extract.from, "golden/layouts/buildah-rootfs");
	cr_expect_gt(fail_alloc_each("extract", run_extract, &extract), 100);
	leave_scratch();
}
