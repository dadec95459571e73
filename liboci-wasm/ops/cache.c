/* SPDX-License-Identifier: Apache-2.0
 *
 * The shared cache: find, extract once, lease. A hit takes no lock that anybody waits for: it opens
 * one file, locks it shared, and reads a record. Collecting garbage is cache-gc.c.
 */
#include "ops/cache-entry.h"

#include "base/op.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/content.h"
#include "ops/extract-staging.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WAIT_STEP_NS 20000000L /* between looks at a build that somebody else does */

/* --- the cache ------------------------------------------------------------------------------ */

int ociw_cache_open(const char *path, ociw_cache **out, ociw_error **err)
{
	char cwd[PATH_MAX] = "/";
	*out = NULL;
	if (!path || !*path)
		return ociwp_fail(err, OCIW_ERR_INVALID, "no path of a cache");
	if (path[0] != '/' && !getcwd(cwd, sizeof(cwd)))
		return ociwp_fail_errno(err, errno, "current directory");
	if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST)
		return ociwp_fail_errno(err, errno, "make cache %s", ociwp_quote(path));
	ociw_cache *cache = ociwp_new(ociw_cache);
	if (!cache)
		return ociwp_nomem(err);
	cache->path = path[0] == '/' ? ociwp_strdup(path) : ociwp_path_join(cwd, path);
	cache->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = !cache->path ? ociwp_nomem(err)
		: cache->fd < 0
			? ociwp_fail_errno(err, errno, "open cache %s", ociwp_quote(path))
			: 0;
	if (r == 0 && mkdirat(cache->fd, OCIWP_CACHE_LOCKS, S_IRWXU) != 0 && errno != EEXIST)
		r = ociwp_fail_errno(err, errno, "make cache %s", ociwp_quote(path));
	if (r < 0) {
		ociw_cache_free(cache);
		return r;
	}
	*out = cache;
	return 0;
}

void ociw_cache_free(ociw_cache *cache)
{
	if (!cache)
		return;
	if (cache->fd >= 0)
		close(cache->fd);
	free(cache->path);
	free(cache);
}

/* --- leases --------------------------------------------------------------------------------- */

void ociw_lease_release(ociw_lease *lease)
{
	if (!lease)
		return;
	if (lease->fd >= 0)
		close(lease->fd);
	free(lease->path);
	free(lease->json);
	free(lease);
}

const char *ociw_lease_path(const ociw_lease *lease)
{
	return lease->path;
}

const char *ociw_lease_json(const ociw_lease *lease)
{
	return lease->json;
}

int ociw_lease_fd(const ociw_lease *lease)
{
	return lease->fd;
}

static char *tree_path(const ociw_cache *cache, const char *key)
{
	OCIWP_AUTO(buf) ociwp_buf path = OCIWP_BUF_INIT;
	ociwp_buf_printf(&path, "%s%s%s/" OCIWP_CACHE_TREE, cache->path,
			 ociwp_ends_with(cache->path, "/") ? "" : "/", key);
	return ociwp_buf_steal(&path);
}

/* NOTFOUND, BUSY (being removed), FORMAT (damaged), or a lease. */
static int try_lease(const ociw_cache *cache, const char *key, unsigned flags, ociw_lease **out,
		     ociw_error **err)
{
	OCIWP_AUTO(fd) int entry = -1;
	OCIWP_AUTO(fd) int lock = -1;
	ociwp_cache_record record = {0};
	int r = ociwp_cache_lock_entry(cache->fd, key, LOCK_SH, &entry, &lock, err);
	if (r == 0)
		r = ociwp_cache_read_record(entry, flags & OCIW_CACHE_CHECK_TREE, &record, err);
	if (r < 0)
		return r;
	ociw_lease *lease = ociwp_new(ociw_lease);
	if (!lease) {
		ociwp_cache_record_deinit(&record);
		return ociwp_nomem(err);
	}
	lease->fd = ociwp_steal_fd(&lock);
	lease->json = ociwp_steal(&record.json);
	lease->path = tree_path(cache, key);
	if (!lease->path) {
		ociw_lease_release(lease);
		return ociwp_nomem(err);
	}
	/* When it was last used, for garbage collection; a failure only makes it look older. */
	(void)futimens(lease->fd, NULL);
	*out = lease;
	return 0;
}

static void drop_error(ociw_error **err)
{
	if (err) {
		ociw_error_free(*err);
		*err = NULL;
	}
}

/* True for what a slow look may mend: an entry that is absent, damaged or just going. An entry that
 * only this process cannot look at now, for lack of descriptors, is none of these. */
static bool may_build(int code, const ociw_error *why)
{
	if (code == OCIW_ERR_IO)
		return !why || (ociw_error_errno(why) != EMFILE && ociw_error_errno(why) != ENFILE);
	return code == OCIW_ERR_NOTFOUND || code == OCIW_ERR_FORMAT || code == OCIW_ERR_BUSY;
}

/* As try_lease(); *mendable says whether building may help, and then there is no error. */
static int look(const ociw_cache *cache, const char *key, unsigned flags, ociw_lease **out,
		bool *mendable, ociw_error **err)
{
	ociw_error *why = NULL;
	int r = try_lease(cache, key, flags, out, &why);
	*mendable = may_build(r, why);
	if (*mendable || r == 0)
		drop_error(&why);
	else if (err)
		*err = why;
	else
		ociw_error_free(why);
	return r;
}

/* --- extracting once ------------------------------------------------------------------------ */

static int wait_a_little(const ociw_op *op, ociw_error **err)
{
	const struct timespec step = {0, WAIT_STEP_NS};
	int r = ociwp_check_cancel(op, err);
	if (r == 0)
		nanosleep(&step, NULL);
	return r;
}

/* Waits for the build lock of an entry. */
static int lock_build(const ociw_cache *cache, const char *key, const ociw_op *op, int *out,
		      ociw_error **err)
{
	int r = ociwp_cache_lock_build(cache->fd, key, out, err);
	while (r == OCIW_ERR_BUSY) {
		drop_error(err);
		r = wait_a_little(op, err);
		if (r == 0)
			r = ociwp_cache_lock_build(cache->fd, key, out, err);
	}
	return r;
}

/* With a shared lock of our own nobody but leases can hold it, and no collection removes it by name
 * while that changes. OCIW_ERR_BUSY: a collection has it. */
static int set_leased_aside(const ociw_cache *cache, const char *key, ociw_error **err)
{
	OCIWP_AUTO(fd) int entry = -1;
	OCIWP_AUTO(fd) int lock = -1;
	int r = ociwp_cache_lock_entry(cache->fd, key, LOCK_SH, &entry, &lock, err);
	return r == 0 ? ociwp_cache_set_aside(cache->fd, key, err) : r;
}

/* What is there and not good goes. When somebody uses it all the same it goes aside, where it stays
 * until the last lease on it ends. */
static int clear_damaged_once(const ociw_cache *cache, const char *key, ociw_error **err)
{
	OCIWP_AUTO(fd) int entry = -1;
	OCIWP_AUTO(fd) int lock = -1;
	struct stat st;
	if (fstatat(cache->fd, key, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : ociwp_fail_errno(err, errno, "cache entry %s", key);
	int r = ociwp_cache_lock_entry(cache->fd, key, LOCK_EX, &entry, &lock, err);
	if (r == OCIW_ERR_BUSY) {
		drop_error(err);
		return set_leased_aside(cache, key, err);
	}
	/* Without a lock file it was never published whole: nobody can have leased it. */
	if (r == OCIW_ERR_NOTFOUND || (r == OCIW_ERR_IO && S_ISDIR(st.st_mode))) {
		drop_error(err);
		r = 0;
	}
	return r == 0 ? ociwp_cache_remove_entry(cache->fd, key, err) : r;
}

static int clear_damaged(const ociw_cache *cache, const char *key, const ociw_op *op,
			 ociw_error **err)
{
	int r = clear_damaged_once(cache, key, err);
	while (r == OCIW_ERR_BUSY) {
		drop_error(err);
		r = wait_a_little(op, err);
		if (r == 0)
			r = clear_damaged_once(cache, key, err);
	}
	if (r == OCIW_ERR_NOTFOUND) { /* somebody else was quicker */
		drop_error(err);
		r = 0;
	}
	return r;
}

/* Record and result around a tree that was just extracted into the staged entry. */
static int finish_entry(int entry, const ociw_extract_result *result, ociw_error **err)
{
	ociwp_cache_record record = {0};
	int r = ociwp_cache_measure(entry, &record, err);
	if (r < 0)
		return r;
	record.json = ociwp_strdup(ociw_extract_result_json(result));
	r = record.json ? ociwp_cache_write_record(entry, &record, err) : ociwp_nomem(err);
	ociwp_cache_record_deinit(&record);
	return r;
}

/* *guard is a lease on what was built, from before it could be seen. */
static int build(const ociw_cache *cache, const char *key, ociw_content *content, const char *name,
		 const ociw_extract_options *extract, int *guard, ociw_error **err)
{
	OCIWP_AUTO(str) char *tree = tree_path(cache, key);
	OCIWP_AUTO(str) char *staged = NULL;
	OCIWP_AUTO(staging) ociwp_staging *staging = NULL;
	ociw_extract_options inside = *extract;
	ociw_extract_result *result = NULL;
	if (!tree)
		return ociwp_nomem(err);
	inside.size = sizeof(inside); /* 0 where the caller gave none */
	if (!inside.file_url_root)
		inside.file_url_root = tree;
	OCIWP_AUTO(str) char *entry = ociwp_strndup(tree, strlen(tree) - strlen("/tree"));
	if (!entry)
		return ociwp_nomem(err);
	int r = ociwp_staging_begin(entry, &staging, err);
	if (r < 0)
		return r;
	staged = ociwp_path_join(cache->path, ociwp_staging_name(staging));
	OCIWP_AUTO(str) char *inner = staged ? ociwp_path_join(staged, OCIWP_CACHE_TREE) : NULL;
	if (!inner)
		return ociwp_nomem(err);
	r = ociw_extract(content, name, inner, &inside, &result, err);
	if (r == 0)
		r = finish_entry(ociwp_staging_root(staging), result, err);
	if (r == 0) {
		*guard = ociwp_cache_guard(ociwp_staging_root(staging), err);
		r = *guard < 0 ? *guard : 0;
	}
	ociw_extract_result_free(result);
	if (r < 0)
		return r;
	/* The tree and the record are synced already; the rename wants its parent on disk too. */
	return ociwp_staging_publish(ociwp_steal(&staging),
				     !(extract->flags & OCIW_EXTRACT_NO_SYNC), err);
}

/* With the build lock held. */
static int get_locked(const ociw_cache *cache, const char *key, ociw_content *content,
		      const char *name, const ociw_extract_options *extract, unsigned flags,
		      ociw_lease **out, ociw_error **err)
{
	OCIWP_AUTO(fd) int guard = -1;
	bool mendable = false;
	/* Somebody may have built it while we waited. BUSY is a collection that looks at it. */
	int r = look(cache, key, flags, out, &mendable, err);
	while (r == OCIW_ERR_BUSY) {
		r = wait_a_little(extract->op, err);
		if (r < 0)
			return r;
		r = look(cache, key, flags, out, &mendable, err);
	}
	if (!mendable)
		return r;
	ociwp_cache_sweep(cache->fd);
	r = clear_damaged(cache, key, extract->op, err);
	if (r == 0)
		r = build(cache, key, content, name, extract, &guard, err);
	/* Where locks are lost (a build lock removed by hand) two may build; the first is as good. */
	if (r == OCIW_ERR_EXISTS) {
		drop_error(err);
		r = 0;
	}
	return r == 0 ? try_lease(cache, key, 0, out, err) : r;
}

static int get_slow(const ociw_cache *cache, const char *key, ociw_content *content,
		    const char *name, const ociw_extract_options *extract, unsigned flags,
		    ociw_lease **out, ociw_error **err)
{
	int held = -1;
	int r = lock_build(cache, key, extract->op, &held, err);
	if (r < 0)
		return r;
	r = get_locked(cache, key, content, name, extract, flags, out, err);
	ociwp_cache_unlock_build(cache->fd, key, held);
	return r;
}

/* --- calls ---------------------------------------------------------------------------------- */

int ociw_cache_find(ociw_cache *cache, const char *digest, const ociw_extract_options *extract,
		    unsigned flags, ociw_lease **out, ociw_error **err)
{
	ociw_extract_options options;
	char key[OCIWP_CACHE_KEY_MAX];
	*out = NULL;
	int r = ociwp_options_read(&options, sizeof(options), extract, err);
	if (r == 0 && !ociw_digest_is_valid(digest))
		r = ociwp_fail(err, OCIW_ERR_INVALID, "%s is no digest", ociwp_quote(digest));
	if (r == 0)
		r = ociwp_cache_key(digest, &options, key, err);
	if (r < 0)
		return r;
	bool mendable = false;
	r = look(cache, key, flags, out, &mendable, err);
	return mendable ? ociwp_fail(err, OCIW_ERR_NOTFOUND, "the cache has no good tree of %s", digest)
			: r;
}

int ociw_cache_get(ociw_cache *cache, ociw_content *content, const char *name,
		   const ociw_extract_options *extract, unsigned flags, ociw_lease **out,
		   ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	ociw_extract_options options;
	char key[OCIWP_CACHE_KEY_MAX];
	const char *digest = name;
	*out = NULL;
	int r = ociwp_options_read(&options, sizeof(options), extract, err);
	if (r < 0)
		return r;
	if (!name || !ociw_digest_is_valid(name)) {
		if (!content)
			return ociwp_fail(err, OCIW_ERR_INVALID,
					  "neither a digest nor a content to look in");
		r = ociwp_content_resolve_to_read(content, name, options.op, &desc, err);
		if (r < 0)
			return r;
		digest = ociw_descriptor_digest(desc);
	}
	r = ociwp_cache_key(digest, &options, key, err);
	if (r < 0)
		return r;
	bool mendable = false;
	r = look(cache, key, flags, out, &mendable, err);
	if (!mendable)
		return r;
	if (!content)
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "the cache has no good tree of %s",
				  digest);
	return get_slow(cache, key, content, digest, &options, flags, out, err);
}
