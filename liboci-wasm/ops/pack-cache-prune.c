/* SPDX-License-Identifier: Apache-2.0
 *
 * Whoever uses a folder holds a shared lock on its note, so that its files are not taken from under it;
 * should that happen all the same (no locks on this file system), a missing file of the cache means "not
 * there", as always.
 */
#include "ops/pack-cache-prune.h"
#include "base/path.h"
#include "base/str.h"
#include "io/stream.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NOTE "app"
#define DAY (24 * 60 * 60)

bool ociwp_pack_cache_name(const char *root, char out[OCIWP_PACK_CACHE_NAME_MAX])
{
	ociw_digest digest;
	if (ociw_digest_bytes(OCIW_DIGEST_SHA256, (ociw_span){root, strlen(root)}, &digest, NULL) <
	    0)
		return false;
	ociwp_hex_encode(out, digest.bytes, (OCIWP_PACK_CACHE_NAME_MAX - 1) / 2);
	return true;
}

int ociwp_pack_cache_claim(const char *dir, const char *root)
{
	OCIWP_AUTO(str) char *path = ociwp_path_join(dir, NOTE);
	struct stat st;
	if (!path)
		return -1;
	OCIWP_AUTO(fd)
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return -1;
	/* Where locks do not work the folder is in use all the same. */
	(void)flock(fd, LOCK_SH | LOCK_NB);
	bool stale = st.st_mtime < time(NULL) - DAY;
	if (st.st_size == 0 && ociwp_write_full(fd, root, strlen(root)) != 0)
		return -1;
	if (stale && futimens(fd, NULL) < 0)
		return -1;
	return ociwp_steal_fd(&fd);
}

/* Is nothing left where the note says the app is? A note that does not fit the folder's name says
 * nothing. */
static bool is_gone(int note, const char *name)
{
	char root[PATH_MAX], its_name[OCIWP_PACK_CACHE_NAME_MAX];
	struct stat st;
	ssize_t len = pread(note, root, sizeof(root) - 1, 0);
	if (len <= 0)
		return false;
	root[len] = '\0';
	if (root[0] != '/' || !ociwp_pack_cache_name(root, its_name) ||
	    !ociwp_streq(name, its_name))
		return false;
	return lstat(root, &st) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

static bool is_old(int fd, int64_t now)
{
	struct stat st;
	return fstat(fd, &st) == 0 &&
	       (int64_t)st.st_mtime < now - (int64_t)OCIWP_PACK_CACHE_KEEP_DAYS * DAY;
}

/* Removes what the cache writes. The note goes last: until then the folder is known for what it is. */
static void remove_files(int folder)
{
	int copy = fcntl(folder, F_DUPFD_CLOEXEC, 3);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	if (!dir) {
		if (copy >= 0)
			close(copy);
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		if (ociwp_streq(entry->d_name, "index") || ociwp_ends_with(entry->d_name, ".gz") ||
		    ociwp_starts_with(entry->d_name, "new-"))
			unlinkat(folder, entry->d_name, 0);
	closedir(dir);
	unlinkat(folder, NOTE, 0);
}

static void consider(int parent, const char *name, int64_t now)
{
	struct stat st;
	OCIWP_AUTO(fd)
	int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0 || fstat(folder, &st) < 0 || st.st_uid != geteuid())
		return;
	OCIWP_AUTO(fd)
	int note = openat(folder, NOTE, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (note < 0 ? !is_old(folder, now) : !is_gone(note, name) && !is_old(note, now))
		return;
	if (note >= 0 && flock(note, LOCK_EX | LOCK_NB) < 0)
		return;
	/* Somebody may have come between the look and the lock. */
	if (note >= 0 && !is_gone(note, name) && !is_old(note, now))
		return;
	remove_files(folder);
	unlinkat(parent, name, AT_REMOVEDIR);
}

static bool is_folder_name(const char *name)
{
	return strlen(name) == OCIWP_PACK_CACHE_NAME_MAX - 1 &&
	       strspn(name, "0123456789abcdef") == OCIWP_PACK_CACHE_NAME_MAX - 1;
}

void ociwp_pack_cache_prune(const char *dir, int64_t now)
{
	const char *own = ociwp_path_basename(dir);
	OCIWP_AUTO(str) char *parent = ociwp_strndup(dir, (size_t)(own - dir));
	DIR *folders = parent ? opendir(parent) : NULL;
	struct dirent *entry;
	while (folders && (entry = readdir(folders)) != NULL)
		if (is_folder_name(entry->d_name) && !ociwp_streq(entry->d_name, own))
			consider(dirfd(folders), entry->d_name, now);
	if (folders)
		closedir(folders);
}
