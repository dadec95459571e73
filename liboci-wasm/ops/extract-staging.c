/* SPDX-License-Identifier: Apache-2.0
 *
 * Staging beside the destination. A staging directory is held by a flock for as long as it is in use:
 * what can be locked is dead and may be removed by anybody who comes by (D8).
 */
#include "ops/extract-staging.h"

#include "base/path.h"
#include "base/str.h"
#include "io/fsys-tree.h"
#include "io/stream.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".partial"
#define RANDOM_DIGITS 16U
#define MAX_TRIES 64

struct ociwp_staging {
	char *destination; /* absolute */
	const char *name;  /* its last part */
	int parent;        /* opened for reading */
	int root;          /* the staging directory, locked */
	bool odd_umask;
	char staged[NAME_MAX + 1];
};

/* ".NAME.0123456789abcdef.partial" */
static bool is_staging_name(const char *name)
{
	size_t len = strlen(name), tail = 1 + RANDOM_DIGITS + strlen(SUFFIX);
	if (name[0] != '.' || len < 2 + tail || !ociwp_ends_with(name, SUFFIX))
		return false;
	const char *digits = name + len - tail;
	return digits[0] == '.' && strspn(digits + 1, "0123456789abcdef") == RANDOM_DIGITS;
}

/* Ours, or, as the superuser, with the owner that a layer gave it: then only where nobody else could
 * have put it. */
static bool may_sweep(int parent, const struct stat *held)
{
	struct stat st;
	if (held->st_uid == geteuid())
		return true;
	return geteuid() == 0 && fstat(parent, &st) == 0 && st.st_uid == 0 &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* Removes one leftover when nobody holds it. Never an error: it is somebody else's. */
static void sweep_one(int parent, const char *name)
{
	struct stat held;
	OCIWP_AUTO(fd) int fd =
		openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* Final modes are set just before the rename: a run that died there may have left 0000. */
	if (fd < 0 && errno == EACCES &&
	    fchmodat(parent, name, S_IRWXU, AT_SYMLINK_NOFOLLOW) == 0)
		fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &held) != 0 || !may_sweep(parent, &held))
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return;
	if (ociwp_is_named(parent, name, fd))
		(void)ociwp_tree_remove(parent, name);
}

void ociwp_staging_sweep(int parent)
{
	int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir));)
		if (is_staging_name(entry->d_name))
			sweep_one(parent, entry->d_name);
	closedir(dir);
}

static int random_name(const char *name, char out[NAME_MAX + 1])
{
	uint8_t bytes[RANDOM_DIGITS / 2];
	char hex[RANDOM_DIGITS + 1];
	int e = ociwp_random(bytes, sizeof(bytes));
	if (e != 0)
		return e;
	ociwp_hex_encode(hex, bytes, sizeof(bytes));
	size_t room = NAME_MAX - 2 - RANDOM_DIGITS - strlen(SUFFIX);
	size_t len = strlen(name) < room ? strlen(name) : room;
	snprintf(out, NAME_MAX + 1, ".%.*s.%s" SUFFIX, (int)len, name, hex);
	return 0;
}

/* Locks what was just made. Somebody who sweeps may have been quicker: then it is gone or about to
 * go, and another name is taken. */
static int hold(ociwp_staging *staging, bool *held)
{
	*held = false;
	int fd = openat(staging->parent, staging->staged,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	/* Where locks do not work nobody can take it for dead either. */
	bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
	if (locked && ociwp_is_named(staging->parent, staging->staged, fd)) {
		staging->root = fd;
		*held = true;
		return 0;
	}
	close(fd);
	return 0;
}

static int make_staging(ociwp_staging *staging)
{
	for (int i = 0; i < MAX_TRIES; i++) {
		struct stat st;
		bool held = false;
		int r = random_name(staging->name, staging->staged);
		if (r != 0)
			return r;
		if (mkdirat(staging->parent, staging->staged, S_IRWXU) != 0) {
			if (errno == EEXIST)
				continue;
			return errno;
		}
		if (fstatat(staging->parent, staging->staged, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    (st.st_mode & S_IRWXU) != S_IRWXU) {
			staging->odd_umask = true;
			(void)fchmodat(staging->parent, staging->staged, S_IRWXU,
				       AT_SYMLINK_NOFOLLOW);
		}
		r = hold(staging, &held);
		if (held)
			return 0;
		/* Still empty: whoever has it now, or nobody, is not us. */
		(void)unlinkat(staging->parent, staging->staged, AT_REMOVEDIR);
		if (r != 0)
			return r;
	}
	return EBUSY;
}

/* Absent or an empty directory; anything else is not ours to replace. */
static int look_at_destination(int parent, const char *name, const char *destination,
			       ociw_error **err)
{
	struct stat st;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0
				       : ociwp_fail_errno(err, errno, "look at %s",
							  ociwp_quote(destination));
	if (!S_ISDIR(st.st_mode))
		return ociwp_fail(err, OCIW_ERR_EXISTS, "%s is there and is no directory",
				  ociwp_quote(destination));
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int saved = errno;
		if (fd >= 0)
			close(fd);
		return ociwp_fail_errno(err, saved, "open %s", ociwp_quote(destination));
	}
	bool empty = true;
	for (struct dirent *entry; empty && (entry = readdir(dir));)
		empty = ociwp_streq(entry->d_name, ".") || ociwp_streq(entry->d_name, "..");
	closedir(dir);
	if (!empty)
		return ociwp_fail(err, OCIW_ERR_EXISTS, "%s is there and is not empty",
				  ociwp_quote(destination));
	return 0;
}

/* Splits the destination into an open parent and a name. */
static int open_parent(ociwp_staging *staging, const char *destination, ociw_error **err)
{
	char cwd[PATH_MAX] = "/";
	if (destination[0] != '/' && !getcwd(cwd, sizeof(cwd)))
		return ociwp_fail_errno(err, errno, "current directory");
	OCIWP_AUTO(str) char *given = ociwp_strdup(destination);
	if (!given)
		return ociwp_nomem(err);
	/* The kernel's idea of the path, not a lexical one: only final slashes go. */
	size_t len = strlen(given);
	while (len > 1 && given[len - 1] == '/')
		given[--len] = '\0';
	char *slash = strrchr(given, '/');
	const char *name = slash ? slash + 1 : given;
	if (!ociwp_path_is_component(name, strlen(name)))
		return ociwp_fail(err, OCIW_ERR_INVALID,
				  "%s cannot be a destination: it has no name of its own",
				  ociwp_quote(destination));
	staging->destination = given[0] == '/' ? ociwp_strdup(given) : ociwp_path_join(cwd, given);
	if (!staging->destination)
		return ociwp_nomem(err);
	staging->name = strrchr(staging->destination, '/') + 1;
	if (slash)
		slash[slash == given ? 1 : 0] = '\0';
	const char *parent = slash ? given : ".";
	staging->parent = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (staging->parent < 0)
		return ociwp_fail_errno(err, errno, "open directory %s", ociwp_quote(parent));
	return 0;
}

static void staging_free(ociwp_staging *staging)
{
	if (staging->root >= 0)
		close(staging->root);
	if (staging->parent >= 0)
		close(staging->parent);
	free(staging->destination);
	free(staging);
}

int ociwp_staging_begin(const char *destination, ociwp_staging **out, ociw_error **err)
{
	*out = NULL;
	if (!destination || !*destination)
		return ociwp_fail(err, OCIW_ERR_INVALID, "no destination");
	ociwp_staging *staging = ociwp_new(ociwp_staging);
	if (!staging)
		return ociwp_nomem(err);
	staging->parent = staging->root = -1;
	int r = open_parent(staging, destination, err);
	if (r == 0)
		r = look_at_destination(staging->parent, staging->name, destination, err);
	if (r == 0) {
		ociwp_staging_sweep(staging->parent);
		int e = make_staging(staging);
		if (e != 0)
			r = ociwp_fail_errno(err, e, "make a staging directory beside %s",
					     ociwp_quote(destination));
	}
	if (r < 0) {
		staging_free(staging);
		return r;
	}
	*out = staging;
	return 0;
}

int ociwp_staging_root(const ociwp_staging *staging)
{
	return staging->root;
}

bool ociwp_staging_odd_umask(const ociwp_staging *staging)
{
	return staging->odd_umask;
}

const char *ociwp_staging_name(const ociwp_staging *staging)
{
	return staging->staged;
}

const char *ociwp_staging_destination(const ociwp_staging *staging)
{
	return staging->destination;
}

void ociwp_staging_abort(ociwp_staging *staging)
{
	if (!staging)
		return;
	(void)ociwp_tree_remove(staging->parent, staging->staged);
	staging_free(staging);
}

/* The rename happened but could not be made durable: take it back. */
static void take_back(ociwp_staging *staging, const struct stat *was)
{
	if (renameat(staging->parent, staging->name, staging->parent, staging->staged) != 0)
		return;
	if (was && mkdirat(staging->parent, staging->name, S_IRWXU) == 0)
		(void)fchmodat(staging->parent, staging->name, was->st_mode & 07777, 0);
}

int ociwp_staging_publish(ociwp_staging *staging, bool sync, ociw_error **err)
{
	struct stat was;
	int r = 0;
	bool there = fstatat(staging->parent, staging->name, &was, AT_SYMLINK_NOFOLLOW) == 0;
	if (sync && syncfs(staging->root) != 0)
		r = ociwp_fail_errno(err, errno, "sync the file system of %s",
				     ociwp_quote(staging->destination));
	if (r == 0 && renameat(staging->parent, staging->staged, staging->parent,
			       staging->name) != 0) {
		if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
			r = ociwp_fail(err, OCIW_ERR_EXISTS,
				       "%s appeared meanwhile and is no empty directory",
				       ociwp_quote(staging->destination));
		else
			r = ociwp_fail_errno(err, errno, "rename the finished tree to %s",
					     ociwp_quote(staging->destination));
	} else if (r == 0 && sync && fsync(staging->parent) != 0) {
		r = ociwp_fail_errno(err, errno, "sync the directory of %s",
				     ociwp_quote(staging->destination));
		take_back(staging, there ? &was : NULL);
	}
	if (r < 0)
		(void)ociwp_tree_remove(staging->parent, staging->staged);
	staging_free(staging);
	return r;
}
