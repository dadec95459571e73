/* SPDX-License-Identifier: Apache-2.0
 *
 * Collecting garbage in the cache: by age, then by size, the least recently used first. What somebody
 * has leased cannot be locked and so is never touched.
 */
#include "ops/cache-entry.h"

#include "base/op.h"
#include "base/str.h"
#include "io/workdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct found {
	char key[OCIWP_CACHE_KEY_MAX];
	int64_t used; /* when it was last leased */
	uint64_t bytes;
	bool damaged;
} found;

typedef struct collection {
	found *items;
	size_t count, cap;
} collection;

static int add_found(collection *all, const found *item, ociw_error **err)
{
	if (all->count == all->cap) {
		size_t cap = all->cap ? all->cap * 2 : 64;
		found *grown = ociwp_realloc_array(all->items, cap, sizeof(*grown));
		if (!grown)
			return ociwp_nomem(err);
		all->items = grown;
		all->cap = cap;
	}
	all->items[all->count++] = *item;
	return 0;
}

static void look_at_entry(int cache, found *item)
{
	struct stat st;
	ociwp_cache_record record = {0};
	OCIWP_AUTO(fd) int entry =
		openat(cache, item->key, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	item->damaged = true;
	if (entry < 0 || fstatat(entry, OCIWP_CACHE_LOCK, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	item->used = st.st_mtim.tv_sec;
	if (ociwp_cache_read_record(entry, false, &record, NULL) < 0)
		return;
	item->damaged = false;
	item->bytes = record.bytes;
	ociwp_cache_record_deinit(&record);
}

static int collect(const ociw_cache *cache, const ociw_op *op, collection *all, ociw_error **err)
{
	int fd = openat(cache->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int saved = errno;
		if (fd >= 0)
			close(fd);
		return ociwp_fail_errno(err, saved, "list cache %s", ociwp_quote(cache->path));
	}
	int r = 0;
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));) {
		found item = {.used = 0};
		if (!ociwp_cache_is_key(entry->d_name))
			continue;
		memcpy(item.key, entry->d_name, sizeof(item.key));
		look_at_entry(cache->fd, &item);
		r = ociwp_check_cancel(op, err);
		if (r == 0)
			r = add_found(all, &item, err);
	}
	closedir(dir);
	return r;
}

static int compare_used(const void *a, const void *b)
{
	const found *x = a, *y = b;
	if (x->used != y->used)
		return x->used < y->used ? -1 : 1;
	return strcmp(x->key, y->key);
}

static int remove_now(const ociw_cache *cache, const found *item, bool dry_run, bool *removed,
		      ociw_error **err)
{
	*removed = true;
	if (dry_run)
		return 0;
	int r = ociwp_cache_remove_entry(cache->fd, item->key, err);
	if (r == OCIW_ERR_NOTFOUND && err) {
		ociw_error_free(*err);
		*err = NULL;
	}
	return r == OCIW_ERR_NOTFOUND ? 0 : r;
}

/* A damaged entry may have lost its lock file, and has no users then. With nothing to lock, a good one
 * could take its name any moment: the build lock keeps that away. */
static int remove_lockless(const ociw_cache *cache, const found *item, bool dry_run, bool *removed,
			   ociw_error **err)
{
	OCIWP_AUTO(fd) int entry = -1;
	OCIWP_AUTO(fd) int lock = -1;
	int held = -1;
	if (ociwp_cache_lock_build(cache->fd, item->key, &held, NULL) < 0)
		return 0;
	int r = ociwp_cache_lock_entry(cache->fd, item->key, LOCK_EX, &entry, &lock, NULL);
	/* By now it can be another one, which is for the next collection to judge. */
	r = r == 0 || r == OCIW_ERR_BUSY ? 0 : remove_now(cache, item, dry_run, removed, err);
	ociwp_cache_unlock_build(cache->fd, item->key, held);
	return r;
}

/* Locked means nobody has leased it, and nobody can from here on. */
static int remove_one(const ociw_cache *cache, const found *item, bool dry_run, bool *removed,
		      ociw_error **err)
{
	OCIWP_AUTO(fd) int entry = -1;
	OCIWP_AUTO(fd) int lock = -1;
	*removed = false;
	int r = ociwp_cache_lock_entry(cache->fd, item->key, LOCK_EX, &entry, &lock, NULL);
	if (r == OCIW_ERR_BUSY || ociwp_cache_is_leased_aside(cache->fd, item->key))
		return 0;
	if (r < 0)
		return item->damaged ? remove_lockless(cache, item, dry_run, removed, err) : 0;
	return remove_now(cache, item, dry_run, removed, err);
}

static bool is_leased(const ociw_cache *cache, const found *item)
{
	OCIWP_AUTO(fd) int entry = -1;
	OCIWP_AUTO(fd) int lock = -1;
	return ociwp_cache_lock_entry(cache->fd, item->key, LOCK_EX, &entry, &lock, NULL) ==
		       OCIW_ERR_BUSY ||
	       ociwp_cache_is_leased_aside(cache->fd, item->key);
}

int ociw_cache_gc(ociw_cache *cache, const ociw_cache_gc_options *given,
		  ociw_cache_gc_result *result, ociw_error **err)
{
	ociw_cache_gc_options options;
	ociw_cache_gc_result sum = {.size = sizeof(sum)};
	collection all = {0};
	uint64_t total = 0;
	int64_t now = time(NULL);
	int r = ociwp_options_read(&options, sizeof(options), given, err);
	if (r < 0)
		return r;
	if (!options.dry_run) {
		ociwp_workdir_sweep(cache->fd);
		ociwp_cache_sweep(cache->fd);
	}
	r = collect(cache, options.op, &all, err);
	for (size_t i = 0; i < all.count; i++)
		total += all.items[i].bytes;
	if (r == 0 && all.count > 1)
		qsort(all.items, all.count, sizeof(*all.items), compare_used);
	for (size_t i = 0; r == 0 && i < all.count; i++) {
		const found *item = &all.items[i];
		bool old = options.max_age_seconds && now > item->used &&
			   (uint64_t)(now - item->used) > options.max_age_seconds;
		bool over = options.max_bytes && total > options.max_bytes;
		bool removed = false;
		r = ociwp_check_cancel(options.op, err);
		if (r == 0 && (item->damaged || old || over))
			r = remove_one(cache, item, options.dry_run, &removed, err);
		if (removed) {
			total -= item->bytes;
			sum.removed++;
			sum.removed_bytes += item->bytes;
		} else {
			sum.kept++;
			sum.kept_bytes += item->bytes;
			sum.leased += is_leased(cache, item);
		}
	}
	free(all.items);
	if (result) {
		size_t size = result->size < sizeof(sum) ? result->size : sizeof(sum);
		sum.size = result->size;
		memcpy(result, &sum, size);
	}
	return r;
}
