/* SPDX-License-Identifier: Apache-2.0
 *
 * What can be locked is dead and may be removed by anybody who comes by (specs/extraction.md D8). The
 * parent may be /tmp, where others make names too: nothing is followed, nothing of theirs is touched.
 */
#include "io/workdir.h"

#include "base/path.h"
#include "base/str.h"
#include "io/fsys-tree.h"
#include "io/stream.h"
#include "io/tmpblob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".partial"
#define RANDOM_DIGITS 16U
#define MAX_TRIES 64

/* --- of dead runs --- */

static bool is_workdir_name(const char *name)
{
	size_t len = strlen(name), tail = 1 + RANDOM_DIGITS + strlen(SUFFIX);
	if (name[0] != '.' || len < 2 + tail || !ociwp_ends_with(name, SUFFIX))
		return false;
	const char *digits = name + len - tail;
	return digits[0] == '.' && strspn(digits + 1, "0123456789abcdef") == RANDOM_DIGITS;
}

/* Could somebody else have given a folder its name? Where all may write only the sticky bit keeps them
 * from renaming what is not theirs, such as a folder of ours that we want to keep. */
static bool others_rename(const struct stat *parent)
{
	return (parent->st_mode & S_IWOTH) && !(parent->st_mode & S_ISVTX);
}

/* Ours, or, as the superuser, with the owner that a layer gave it: then only where nobody else could
 * have put it. */
static bool may_sweep(const struct stat *parent, const struct stat *held)
{
	if (held->st_uid == geteuid())
		return !others_rename(parent);
	return geteuid() == 0 && parent->st_uid == 0 && !(parent->st_mode & (S_IWGRP | S_IWOTH));
}

/* Removes one leftover when nobody holds it. Never an error: it is somebody else's. */
static void sweep_one(int parent, const struct stat *parent_st, const char *name)
{
	struct stat held;
	OCIWP_AUTO(fd)
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* Final modes are set just before the rename: a run that died there may have left 0000. */
	if (fd < 0 && errno == EACCES && fchmodat(parent, name, S_IRWXU, AT_SYMLINK_NOFOLLOW) == 0)
		fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &held) != 0 || !may_sweep(parent_st, &held))
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return;
	if (ociwp_is_named(parent, name, fd))
		(void)ociwp_tree_remove(parent, name);
}

void ociwp_workdir_sweep(int parent)
{
	struct stat st;
	int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 || fstat(fd, &st) != 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir));)
		if (is_workdir_name(entry->d_name))
			sweep_one(parent, &st, entry->d_name);
	closedir(dir);
}

/* --- of this one --- */

static int random_name(const char *what, char out[NAME_MAX + 1])
{
	uint8_t bytes[RANDOM_DIGITS / 2];
	char hex[RANDOM_DIGITS + 1];
	int e = ociwp_random(bytes, sizeof(bytes));
	if (e != 0)
		return e;
	ociwp_hex_encode(hex, bytes, sizeof(bytes));
	size_t room = NAME_MAX - 2 - RANDOM_DIGITS - strlen(SUFFIX);
	size_t len = strlen(what) < room ? strlen(what) : room;
	snprintf(out, NAME_MAX + 1, ".%.*s.%s" SUFFIX, (int)len, what, hex);
	return 0;
}

/* Locks what was just made. Somebody who sweeps may have been quicker: then it is gone or about to
 * go, and another name is taken. */
static int hold(int parent, ociwp_workdir *workdir, bool *held)
{
	*held = false;
	int fd = openat(parent, workdir->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	/* Where locks do not work nobody can take it for dead either. */
	bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
	if (locked && ociwp_is_named(parent, workdir->name, fd)) {
		workdir->fd = fd;
		*held = true;
		return 0;
	}
	close(fd);
	return 0;
}

int ociwp_workdir_make(int parent, const char *what, ociwp_workdir *out)
{
	*out = OCIWP_WORKDIR_NONE;
	ociwp_workdir_sweep(parent);
	for (int i = 0; i < MAX_TRIES; i++) {
		struct stat st;
		bool held = false;
		int r = random_name(what, out->name);
		if (r != 0)
			return r;
		if (mkdirat(parent, out->name, S_IRWXU) != 0) {
			if (errno == EEXIST)
				continue;
			return errno;
		}
		if (fstatat(parent, out->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    (st.st_mode & S_IRWXU) != S_IRWXU) {
			out->odd_umask = true;
			(void)fchmodat(parent, out->name, S_IRWXU, AT_SYMLINK_NOFOLLOW);
		}
		r = hold(parent, out, &held);
		if (held) {
			out->parent = parent;
			return 0;
		}
		/* Still empty: whoever has it now, or nobody, is not us. */
		(void)unlinkat(parent, out->name, AT_REMOVEDIR);
		if (r != 0)
			return r;
	}
	return EBUSY;
}

int ociwp_workdir_make_temp(const char *dir, ociwp_workdir *out, char **out_path, ociw_error **err)
{
	*out = OCIWP_WORKDIR_NONE;
	*out_path = NULL;
	if (!dir)
		dir = ociwp_temp_dir();
	/* No need to list it: some keep others from that. */
	int parent = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int e = parent < 0 ? errno : ociwp_workdir_make(parent, "oci-wasm", out);
	if (e != 0) {
		if (parent >= 0)
			close(parent);
		return ociwp_fail_errno(err, e, "make a folder in %s", ociwp_quote(dir));
	}
	*out_path = ociwp_path_join(dir, out->name);
	if (*out_path)
		return 0;
	ociwp_workdir_remove(out);
	return ociwp_nomem(err);
}

void ociwp_workdir_release(ociwp_workdir *workdir)
{
	ociwp_cleanup_fd(&workdir->fd);
	ociwp_cleanup_fd(&workdir->parent);
	*workdir = OCIWP_WORKDIR_NONE;
}

void ociwp_workdir_remove(ociwp_workdir *workdir)
{
	if (workdir->name[0])
		(void)ociwp_tree_remove(workdir->parent, workdir->name);
	ociwp_workdir_release(workdir);
}
