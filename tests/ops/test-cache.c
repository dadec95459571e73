/* SPDX-License-Identifier: Apache-2.0
 *
 * The shared cache: extracted once, leased by many, rebuilt when damaged, whoever dies.
 */
#include "../support/cached.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

Test(cache, a_second_lease_is_the_same_tree)
{
	struct place place = place_new();
	ociw_cache *cache = cache_at(&place);
	char digest[80], text[16];
	struct stat a, b;
	ociw_lease *first = cache_lease(cache, "x", digest), *second = NULL;
	cr_assert_eq(stat(ociw_lease_path(first), &a), 0);
	cr_expect_str_eq(lease_read(first, "d/f", text, sizeof(text)), "x");
	cr_expect(strstr(ociw_lease_json(first), digest) != NULL);
	cr_assert_eq(ociw_cache_find(cache, digest, NULL, OCIW_CACHE_CHECK_TREE, &second, NULL), 0);
	cr_assert_eq(stat(ociw_lease_path(second), &b), 0);
	cr_expect_eq(a.st_ino, b.st_ino);
	ociw_lease_release(first);
	ociw_lease_release(second);
	/* A hit by digest needs no content at all. */
	cr_assert_eq(ociw_cache_get(cache, NULL, digest, NULL, 0, &second, NULL), 0);
	ociw_lease_release(second);
	ociw_cache_free(cache);
	place_free(&place);
}

Test(cache, what_is_not_there_is_not_found)
{
	struct place place = place_new();
	ociw_cache *cache = cache_at(&place);
	ociw_lease *lease = NULL;
	const char *digest =
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	cr_expect_eq(ociw_cache_find(cache, digest, NULL, 0, &lease, NULL), OCIW_ERR_NOTFOUND);
	cr_expect_eq(ociw_cache_get(cache, NULL, digest, NULL, 0, &lease, NULL), OCIW_ERR_NOTFOUND);
	cr_expect_eq(ociw_cache_find(cache, "../x", NULL, 0, &lease, NULL), OCIW_ERR_INVALID);
	cr_expect_eq(ociw_cache_get(cache, NULL, NULL, NULL, 0, &lease, NULL), OCIW_ERR_INVALID);
	ociw_cache_free(cache);
	place_free(&place);
}

Test(cache, an_image_that_cannot_be_extracted_leaves_no_entry)
{
	struct place place = place_new();
	ociw_cache *cache = cache_at(&place);
	struct image image = image_begin();
	ociwp_buf tar = OCIWP_BUF_INIT;
	ociw_lease *lease = NULL;
	tar_file(&tar, "../x", "x");
	tar_end(&tar);
	image_tar(&image, &tar, true);
	ociw_content *content = image_end_rootfs(&image);
	int r = ociw_cache_get(cache, content, NULL, NULL, 0, &lease, NULL);
	cr_expect_eq(r, OCIW_ERR_UNSAFE, "%d", r);
	cache_expect_empty(&place);
	ociw_content_free(content);
	ociw_cache_free(cache);
	place_free(&place);
}

/* Half-made or damaged: noticed, removed, made again. */
Test(cache, damaged_entries_are_made_anew)
{
	static const char *const damage[] = {"rm -f record", "truncate -s 30 record", "rm -f lock",
					     "chmod -R u+w tree; rm -rf tree",
					     "chmod u+w tree; rm tree/l"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(damage); i++) {
		struct place place = place_new();
		ociw_cache *cache = cache_at(&place);
		char command[512], text[16];
		ociw_lease *lease = cache_lease(cache, "x", NULL);
		snprintf(command, sizeof(command), "cd %s/.. && %s", ociw_lease_path(lease),
			 damage[i]);
		ociw_lease_release(lease);
		cr_assert_eq(system(command), 0);
		lease = cache_lease(cache, "x", NULL);
		cr_expect_str_eq(lease_read(lease, "d/f", text, sizeof(text)), "x", "%s", damage[i]);
		cr_expect_not_null(lease_read(lease, "l", text, sizeof(text)), "%s", damage[i]);
		ociw_lease_release(lease);
		ociw_cache_free(cache);
		place_free(&place);
	}
}

/* The holder keeps a tree at the path it was given, whatever happens to the entry. */
Test(cache, a_damaged_entry_that_is_leased_is_made_anew_beside_it)
{
	struct place place = place_new();
	ociw_cache *cache = cache_at(&place);
	ociw_cache_gc_options options = OCIW_CACHE_GC_OPTIONS_INIT;
	ociw_cache_gc_result result = {.size = sizeof(result)};
	char command[512], text[16];
	struct stat was, now;
	ociw_lease *old = cache_lease(cache, "x", NULL);
	cr_assert_eq(stat(ociw_lease_path(old), &was), 0);
	snprintf(command, sizeof(command), "cd %s/.. && rm record", ociw_lease_path(old));
	cr_assert_eq(system(command), 0);
	ociw_lease *fresh = cache_lease(cache, "x", NULL);
	cr_assert_eq(stat(ociw_lease_path(fresh), &now), 0);
	cr_expect_neq(was.st_ino, now.st_ino);
	cr_expect_str_eq(ociw_lease_path(old), ociw_lease_path(fresh));
	cr_expect_str_eq(lease_read(fresh, "d/f", text, sizeof(text)), "x");
	ociw_lease_release(fresh);
	/* The lease on the old one keeps the path alive. */
	options.max_bytes = 0;
	options.max_age_seconds = 1;
	struct timespec times[2] = {{1, 0}, {1, 0}};
	snprintf(command, sizeof(command), "%s/../lock", ociw_lease_path(old));
	cr_assert_eq(utimensat(AT_FDCWD, command, times, 0), 0);
	cr_assert_eq(ociw_cache_gc(cache, &options, &result, NULL), 0);
	cr_expect_eq(result.removed, 0);
	cr_expect_eq(result.leased, 1);
	cr_expect_str_eq(lease_read(old, "d/f", text, sizeof(text)), "x");
	ociw_lease_release(old);
	cr_assert_eq(ociw_cache_gc(cache, &options, &result, NULL), 0);
	cr_expect_eq(result.removed, 1);
	cache_expect_empty(&place);
	ociw_cache_free(cache);
	place_free(&place);
}

Test(cache, a_build_leaves_no_lock_and_removes_those_of_the_dead)
{
	struct place place = place_new();
	ociw_cache *cache = cache_at(&place);
	char command[512];
	snprintf(command, sizeof(command), "touch %s/cache/.locks/%064d", place.dir, 1);
	cr_assert_eq(system(command), 0);
	ociw_lease_release(cache_lease(cache, "x", NULL));
	snprintf(command, sizeof(command), "test -z \"$(ls -A %s/cache/.locks)\"", place.dir);
	cr_expect_eq(system(command), 0);
	ociw_cache_free(cache);
	place_free(&place);
}

Test(cache, eight_processes_share_one_extraction)
{
	struct place place = place_new();
	char command[256];
	ociw_cache_free(cache_at(&place));
	for (int i = 0; i < 8; i++) {
		if (fork() == 0) {
			ociw_cache *cache = cache_at(&place);
			ociw_lease *lease = cache_lease(cache, "shared", NULL);
			char text[16];
			bool good = lease_read(lease, "d/f", text, sizeof(text)) &&
				    ociwp_streq(text, "shared");
			ociw_lease_release(lease);
			ociw_cache_free(cache);
			_exit(good ? 0 : 1);
		}
	}
	for (int i = 0; i < 8; i++) {
		int status = 1;
		cr_assert_gt(wait(&status), 0);
		cr_expect_eq(status, 0);
	}
	snprintf(command, sizeof(command), "test $(ls -A %s/cache | wc -l) -eq 2", place.dir);
	cr_expect_eq(system(command), 0, "one entry and the build locks");
	place_free(&place);
}

/* However much is collected: what a call gives is leased from before anybody else could see it. */
Test(cache, collections_meanwhile_never_take_what_was_just_built)
{
	struct place place = place_new();
	ociw_cache *cache = cache_at(&place);
	ociw_cache_gc_options options = OCIW_CACHE_GC_OPTIONS_INIT;
	char text[16];
	options.max_bytes = 1;
	pid_t children[4];
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(children); i++) {
		children[i] = fork();
		if (children[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				(void)!ociw_cache_gc(cache, &options, NULL, NULL);
		}
	}
	for (int i = 0; i < 300; i++) {
		ociw_lease *lease = cache_lease(cache, "xy", NULL);
		cr_assert_str_eq(lease_read(lease, "d/f", text, sizeof(text)), "xy");
		ociw_lease_release(lease);
	}
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(children); i++) {
		kill(children[i], SIGKILL);
		cr_assert_eq(waitpid(children[i], NULL, 0), children[i]);
	}
	ociw_cache_free(cache);
	place_free(&place);
}

Test(cache, a_lease_ends_with_its_process)
{
	struct place place = place_new();
	ociw_cache *cache = cache_at(&place);
	ociw_cache_gc_options options = OCIW_CACHE_GC_OPTIONS_INIT;
	ociw_cache_gc_result result = {.size = sizeof(result)};
	int ready[2];
	char byte;
	cr_assert_eq(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		ociw_lease *lease = cache_lease(cache, "x", NULL);
		(void)!write(ready[1], "r", 1);
		pause();
		ociw_lease_release(lease);
		_exit(0);
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	options.max_bytes = 1;
	cr_assert_eq(ociw_cache_gc(cache, &options, &result, NULL), 0);
	cr_expect_eq(result.kept + result.removed, 1);
	kill(child, SIGKILL);
	cr_assert_eq(waitpid(child, NULL, 0), child);
	/* One byte is left, which is as much as may be. */
	options.max_bytes = 0;
	options.max_age_seconds = 1;
	sleep(3);
	cr_assert_eq(ociw_cache_gc(cache, &options, &result, NULL), 0);
	cr_expect_eq(result.removed, 1);
	close(ready[0]);
	close(ready[1]);
	ociw_cache_free(cache);
	place_free(&place);
}

Test(cache, a_hit_takes_less_than_five_milliseconds)
{
	struct place place = place_new();
	ociw_cache *cache = cache_at(&place);
	struct timespec before, after;
	char digest[80];
	ociw_lease *lease = cache_lease(cache, "x", digest);
	clock_gettime(CLOCK_MONOTONIC, &before);
	for (int i = 0; i < 100; i++) {
		ociw_lease *again = NULL;
		cr_assert_eq(ociw_cache_find(cache, digest, NULL, 0, &again, NULL), 0);
		ociw_lease_release(again);
	}
	clock_gettime(CLOCK_MONOTONIC, &after);
	double ms = (double)(after.tv_sec - before.tv_sec) * 1e3 +
		    (double)(after.tv_nsec - before.tv_nsec) / 1e6;
	cr_expect_lt(ms / 100, 5.0, "%f ms", ms / 100);
	ociw_lease_release(lease);
	ociw_cache_free(cache);
	place_free(&place);
}
