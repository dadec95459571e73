/* SPDX-License-Identifier: Apache-2.0
 *
 * Garbage collection of the cache: age, size, what is leased, what is damaged, what died half-way.
 */
#include "../support/cached.h"

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

static ociw_cache_gc_result gc(ociw_cache *cache, uint64_t age, uint64_t bytes, bool dry_run)
{
	ociw_cache_gc_options options = OCIW_CACHE_GC_OPTIONS_INIT;
	ociw_cache_gc_result result = {.size = sizeof(result)};
	options.max_age_seconds = age;
	options.max_bytes = bytes;
	options.dry_run = dry_run;
	cr_assert_eq(ociw_cache_gc(cache, &options, &result, NULL), 0);
	return result;
}

/* Makes the entry of a lease look last used this many seconds ago. */
static void age(const ociw_lease *lease, time_t seconds)
{
	struct timespec times[2] = {{time(NULL) - seconds, 0}, {time(NULL) - seconds, 0}};
	cr_assert_eq(futimens(ociw_lease_fd(lease), times), 0);
}

Test(cache_gc, the_least_recently_used_goes_first)
{
	struct place place = place_new();
	ociw_cache *cache = cache_at(&place);
	char one[80], two[80];
	ociw_lease *lease = cache_lease(cache, "0123456789", one);
	age(lease, 100);
	ociw_lease_release(lease);
	lease = cache_lease(cache, "abcdefghij", two);
	age(lease, 50);
	ociw_lease_release(lease);
	ociw_cache_gc_result result = gc(cache, 0, 15, true);
	cr_expect_eq(result.removed, 1);
	cr_expect_eq(result.removed_bytes, 10);
	result = gc(cache, 0, 15, false);
	cr_expect_eq(result.removed, 1);
	cr_expect_eq(result.kept, 1);
	cr_expect_eq(result.kept_bytes, 10);
	cr_expect_eq(ociw_cache_find(cache, one, NULL, 0, &lease, NULL), OCIW_ERR_NOTFOUND);
	cr_assert_eq(ociw_cache_find(cache, two, NULL, 0, &lease, NULL), 0);
	ociw_lease_release(lease);
	ociw_cache_free(cache);
	place_free(&place);
}

Test(cache_gc, what_is_leased_stays_however_old)
{
	struct place place = place_new();
	ociw_cache *cache = cache_at(&place);
	ociw_lease *lease = cache_lease(cache, "x", NULL);
	age(lease, 1000);
	ociw_cache_gc_result result = gc(cache, 10, 0, false);
	cr_expect_eq(result.kept, 1);
	cr_expect_eq(result.leased, 1);
	ociw_lease_release(lease);
	result = gc(cache, 10, 0, false);
	cr_expect_eq(result.removed, 1);
	ociw_cache_free(cache);
	place_free(&place);
}

Test(cache_gc, damaged_and_half_made_entries_go)
{
	struct place place = place_new();
	ociw_cache *cache = cache_at(&place);
	char command[512];
	ociw_lease *lease = cache_lease(cache, "x", NULL);
	snprintf(command, sizeof(command),
		 "cd %s/../.. && rm */record && mkdir -m 700 .dead.0123456789abcdef.partial",
		 ociw_lease_path(lease));
	ociw_lease_release(lease);
	cr_assert_eq(system(command), 0);
	ociw_cache_gc_result result = gc(cache, 0, 0, false);
	cr_expect_eq(result.removed, 1);
	cache_expect_empty(&place);
	ociw_cache_free(cache);
	place_free(&place);
}

Test(cache_gc, build_locks_go_unless_somebody_holds_one)
{
	struct place place = place_new();
	ociw_cache *cache = cache_at(&place);
	char held[256], command[512];
	snprintf(held, sizeof(held), "%s/cache/.locks/%064d", place.dir, 1);
	snprintf(command, sizeof(command), "touch %s/cache/.locks/%064d %s", place.dir, 2, held);
	cr_assert_eq(system(command), 0);
	int fd = open(held, O_RDWR | O_CLOEXEC);
	cr_assert_eq(flock(fd, LOCK_EX), 0);
	(void)gc(cache, 0, 0, false);
	snprintf(command, sizeof(command), "test \"$(ls %s/cache/.locks)\" = %064d", place.dir, 1);
	cr_expect_eq(system(command), 0);
	close(fd);
	(void)gc(cache, 0, 0, false);
	snprintf(command, sizeof(command), "test -z \"$(ls %s/cache/.locks)\"", place.dir);
	cr_expect_eq(system(command), 0);
	ociw_cache_free(cache);
	place_free(&place);
}
