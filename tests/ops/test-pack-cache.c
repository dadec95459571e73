/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of ops/pack-cache: unchanged files are not read again, changed ones are, damage is
 * harmless.
 */
#include "ops/pack-cache.h"
#include "pack-fixture.h"
#include <glob.h>
#include <sys/file.h>
#include <time.h>

TestSuite(pack_cache, .fini = app_end);

/* Makes a file look older than the cache distrusts; its ctime cannot be set, so tests wait once. */
static void settle(void)
{
	struct timespec wait = {3, 200000000};
	nanosleep(&wait, NULL);
}

static ociw_pack_options cached_app(void)
{
	static char cache[256];
	char text[1000];
	app_begin("files = [\"d/*\"]\n");
	memset(text, 'x', sizeof(text));
	write_bytes("d/one", text, sizeof(text));
	write_bytes("d/two", text, 500);
	snprintf(cache, sizeof(cache), "%s-cache", app_dir);
	ociw_pack_options options = pack_options();
	options.layers = OCIW_LAYERS_BUNDLES;
	options.cache_dir = cache;
	return options;
}

static char *find(const ociw_pack_options *options, const char *pattern)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	glob_t found;
	ociwp_buf_printf(&text, "%s/pack/*/%s", options->cache_dir, pattern);
	cr_assert_eq(glob(text.data, 0, NULL, &found), 0, "%s", text.data);
	cr_assert_eq(found.gl_pathc, 1);
	char *path = ociwp_strdup(found.gl_pathv[0]);
	globfree(&found);
	return path;
}

static void drop(const ociw_pack_options *options)
{
	nftw(options->cache_dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* A file whose bytes change while all that stat tells stays: only the cache can not see it. */
static void change_behind_its_back(const char *name)
{
	struct stat st;
	cr_assert_eq(stat(in_app(name), &st), 0);
	int fd = open(in_app(name), O_WRONLY);
	cr_assert_eq(pwrite(fd, "y", 1, 0), 1);
	close(fd);
	struct timespec times[2] = {st.st_atim, st.st_mtim};
	cr_assert_eq(utimensat(AT_FDCWD, in_app(name), times, 0), 0);
}

Test(pack_cache, an_unchanged_app_gives_the_same_and_writes_nothing)
{
	struct stat before, after;
	ociw_pack_options options = cached_app();
	settle();
	OCIWP_AUTO(str) char *first = pack_digest(&options);
	OCIWP_AUTO(str) char *index = find(&options, "index");
	cr_assert_eq(stat(index, &before), 0);
	OCIWP_AUTO(str) char *second = pack_digest(&options);
	cr_assert_eq(stat(index, &after), 0);
	cr_assert_str_eq(first, second);
	cr_assert_eq(before.st_ino, after.st_ino);
	drop(&options);
}

Test(pack_cache, a_change_is_seen_though_size_and_mtime_are_the_same)
{
	ociw_pack_options options = cached_app();
	settle();
	OCIWP_AUTO(str) char *first = pack_digest(&options);
	change_behind_its_back("d/one"); /* but ctime tells */
	OCIWP_AUTO(str) char *second = pack_digest(&options);
	cr_assert_str_neq(first, second);
	options.flags = OCIW_PACK_NO_CACHE;
	OCIWP_AUTO(str) char *third = pack_digest(&options);
	cr_assert_str_eq(second, third);
	drop(&options);
}

Test(pack_cache, files_that_are_too_young_are_not_remembered)
{
	ociw_pack_options options = cached_app();
	ociwp_pack_cache *cache = NULL;
	free(pack_digest(&options));
	cr_assert_eq(ociwp_pack_cache_open(options.cache_dir, app_dir, &cache, NULL), 0);
	ociwp_source source = {.kind = OCIWP_SOURCE_FILE, .fd = -1, .from.path = in_app("d/one")};
	cr_assert_not(ociwp_pack_cache_find(cache, &source, 0));
	ociwp_pack_cache_free(cache);
	drop(&options);
}

Test(pack_cache, files_that_are_old_enough_are_and_only_for_the_check_they_passed)
{
	ociw_pack_options options = cached_app();
	ociwp_pack_cache *cache = NULL;
	settle();
	free(pack_digest(&options));
	cr_assert_eq(ociwp_pack_cache_open(options.cache_dir, app_dir, &cache, NULL), 0);
	ociwp_source data = {.kind = OCIWP_SOURCE_FILE, .fd = -1, .from.path = in_app("d/one")};
	ociwp_source wasm = {.kind = OCIWP_SOURCE_FILE, .fd = -1, .from.path = in_app("a.wasm")};
	cr_assert(ociwp_pack_cache_find(cache, &data, 0));
	cr_assert_eq(data.size, 1000);
	cr_assert_not(ociwp_pack_cache_find(cache, &data, OCIWP_WASM_CHECK_HEAD));
	cr_assert(ociwp_pack_cache_find(cache, &wasm, OCIWP_WASM_CHECK_WALK));
	cr_assert_arr_eq(wasm.bytes, "\0asm\x0d\0\1\0", 8);
	cr_assert_eq(wasm.checked, OCIWP_WASM_CHECK_WALK);
	ociwp_source_deinit(&wasm);
	ociwp_pack_cache_forget_files(cache);
	ociwp_pack_cache_forget_files(cache); /* nothing more to forget */
	data.known = false;
	cr_assert_not(ociwp_pack_cache_find(cache, &data, 0));
	ociwp_pack_cache_free(cache);
	drop(&options);
}

Test(pack_cache, a_damaged_index_or_blob_is_made_anew)
{
	ociw_pack_options options = cached_app();
	settle();
	OCIWP_AUTO(str) char *first = pack_digest(&options);
	OCIWP_AUTO(str) char *index = find(&options, "index");
	OCIWP_AUTO(str) char *blob = find(&options, "*.gz");
	int fd = open(index, O_WRONLY);
	cr_assert_eq(pwrite(fd, "?", 1, 100), 1);
	close(fd);
	OCIWP_AUTO(str) char *second = pack_digest(&options);
	cr_assert_str_eq(first, second);
	fd = open(blob, O_WRONLY);
	cr_assert_eq(pwrite(fd, "????", 4, 20), 4);
	close(fd);
	OCIWP_AUTO(str) char *third = pack_digest(&options);
	cr_assert_str_eq(first, third);
	OCIWP_AUTO(content) ociw_content *content = NULL;
	cr_assert_eq(ociw_pack(&options, &content, NULL), 0);
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = manifest_of(content, NULL);
	void *bytes = NULL;
	size_t len = 0;
	cr_assert_eq(
	        ociw_content_read(content, manifest->layers[1], 1 << 20, NULL, &bytes, &len, NULL),
	        0, "the bundle is right again");
	ociw_free(bytes);
	drop(&options);
}

/* An image for Spin has no diff_ids, one for nodes has. */
Test(pack_cache, bundles_without_a_diff_id_are_made_again_where_it_is_wanted)
{
	static const ociw_format node[] = {OCIW_FORMAT_SPIN_NODE};
	ociw_pack_options spin_options = cached_app(), node_options = spin_options;
	node_options.formats = node;
	node_options.format_count = 1;
	settle();
	OCIWP_AUTO(str) char *spin = pack_digest(&spin_options);
	OCIWP_AUTO(str) char *blob = find(&spin_options, "*.gz");
	OCIWP_AUTO(str) char *from_cache = pack_digest(&node_options);
	OCIWP_AUTO(str) char *same_blob = find(&spin_options, "*.gz");
	OCIWP_AUTO(str) char *spin_again = pack_digest(&spin_options);
	node_options.flags = OCIW_PACK_NO_CACHE;
	OCIWP_AUTO(str) char *afresh = pack_digest(&node_options);
	cr_expect_str_eq(from_cache, afresh);
	cr_expect_str_eq(blob, same_blob);
	cr_expect_str_eq(spin, spin_again);
	drop(&spin_options);
}

Test(pack_cache, bundles_that_nothing_uses_any_more_are_dropped)
{
	ociw_pack_options options = cached_app();
	settle();
	free(pack_digest(&options));
	OCIWP_AUTO(str) char *before = find(&options, "*.gz");
	write_text("d/three", "new");
	free(pack_digest(&options));
	OCIWP_AUTO(str) char *after = find(&options, "*.gz");
	cr_assert_str_neq(before, after);
	drop(&options);
}

Test(pack_cache, what_a_dead_run_left_is_removed_and_what_a_live_one_writes_is_not)
{
	char dead[512], live[512];
	ociw_pack_options options = cached_app();
	free(pack_digest(&options));
	OCIWP_AUTO(str) char *index = find(&options, "index");
	int folder = (int)(strrchr(index, '/') - index);
	snprintf(dead, sizeof(dead), "%.*s/new-abcdef", folder, index);
	snprintf(live, sizeof(live), "%.*s/new-ghijkl", folder, index);
	close(open(dead, O_WRONLY | O_CREAT, 0600));
	int fd = open(live, O_WRONLY | O_CREAT, 0600);
	cr_assert_eq(flock(fd, LOCK_EX), 0);
	write_bytes("d/three", "3", 1);
	free(pack_digest(&options));
	cr_expect_neq(access(dead, F_OK), 0);
	cr_expect_eq(access(live, F_OK), 0);
	close(fd);
	drop(&options);
}

Test(pack_cache, a_folder_that_cannot_be_made_is_no_error)
{
	ociw_pack_options options = cached_app();
	options.cache_dir = "/dev/null/cache";
	free(pack_digest(&options));
}

Test(pack_cache, without_a_cache_nothing_is_written)
{
	ociw_pack_options options = cached_app();
	options.flags = OCIW_PACK_NO_CACHE;
	free(pack_digest(&options));
	cr_assert_neq(access(options.cache_dir, F_OK), 0);
}
