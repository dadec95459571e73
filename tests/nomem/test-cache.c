/* SPDX-License-Identifier: Apache-2.0
 *
 * Running out of memory anywhere in the cache, and in extracting a Spin archive into it, is
 * OCIW_ERR_NOMEM, leaks nothing, and leaves no entry that is not whole.
 */
#include "fail-alloc.h"

#include "base/alloc.h"
#include "io/fsys-tree.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <oci-wasm/cache.h>
#include <oci-wasm/store.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[64], layout[512];

/* From nothing: extract, lease, find again, copy, collect. */
static int use_cache(void *data, ociw_error **err)
{
	const ociw_extract_options *options = data;
	ociw_cache_gc_options gc = OCIW_CACHE_GC_OPTIONS_INIT;
	ociw_content *content = NULL;
	ociw_cache *cache = NULL;
	ociw_lease *lease = NULL;
	char path[80];
	snprintf(path, sizeof(path), "%s/cache", dir);
	int r = ociw_layout_open(layout, OCIW_LAYOUT_READ, &content, err);
	if (r == 0)
		r = ociw_cache_open(path, &cache, err);
	if (r == 0)
		r = ociw_cache_get(cache, content, "archive", options, OCIW_CACHE_CHECK_TREE,
				   &lease, err);
	snprintf(path, sizeof(path), "%s/out", dir);
	if (r == 0)
		r = ociw_lease_materialise(lease, path, OCIW_MATERIALISE_COPY, NULL, err);
	ociw_lease_release(lease);
	gc.max_bytes = 1;
	if (r == 0)
		r = ociw_cache_gc(cache, &gc, NULL, err);
	ociw_cache_free(cache);
	ociw_content_free(content);
	return r;
}

/* What a failed run made is removed by hand: the next one is to start from nothing. */
static int use_cache_once(void *data, ociw_error **err)
{
	int r = use_cache(data, err);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(ociwp_tree_remove(fd, "cache"), 0);
	cr_assert_eq(ociwp_tree_remove(fd, "out"), 0);
	close(fd);
	return r;
}

Test(nomem_cache, each_allocation_may_fail)
{
	static const uint32_t modes[] = {OCIW_EXTRACT_SPIN_CACHE, OCIW_EXTRACT_SPIN_FILES};
	snprintf(dir, sizeof(dir), "/tmp/ociw-nomem-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(layout, sizeof(layout), "%s/golden/shim/two", getenv("OCIW_TESTDATA"));
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(modes); i++) {
		ociw_extract_options options = OCIW_EXTRACT_OPTIONS_INIT;
		options.mode = modes[i];
		options.flags = OCIW_EXTRACT_NO_SYNC;
		cr_expect_gt(fail_alloc_each("cache", use_cache_once, &options), 100);
	}
	cr_expect_eq(rmdir(dir), 0);
}
