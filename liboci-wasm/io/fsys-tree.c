/* SPDX-License-Identifier: Apache-2.0
 *
 * Trees by handle. The depth of a tree is its maker's choice, so nothing here recurses; removal moves
 * nested directories to the top instead of climbing down, and so needs three descriptors at any depth.
 */
#include "io/fsys-tree.h"

#include "base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_dir(DIR *dir)
{
	closedir(dir);
}
OCIWP_DEFINE_AUTO(dir, DIR *, close_dir)

static bool is_dot(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* A handle on a directory that must be one and no link. A directory we may not enter but own is
 * opened up first (D12). */
static int open_directory(int parent, const char *name)
{
	int fd = openat(parent, name, DIR_FLAGS);
	if (fd < 0 && errno == EACCES &&
	    fchmodat(parent, name, S_IRWXU, AT_SYMLINK_NOFOLLOW) == 0)
		fd = openat(parent, name, DIR_FLAGS);
	return fd;
}

/* Takes @p fd in any case. */
static DIR *list_directory(int take_fd)
{
	DIR *dir = fdopendir(take_fd);
	if (!dir) {
		int saved = errno;
		close(take_fd);
		errno = saved;
	}
	return dir;
}

/* unlink, or rmdir of an empty directory. ENOTEMPTY: a directory with something in it. */
static int remove_simple(int parent, const char *name)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return errno;
	if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return errno == EEXIST ? ENOTEMPTY : errno;
}

/* Moves directory @p name of @p from into @p top under a name of its own. Names like ours may be there
 * by the thousand, put there to stop us: the counter passes each of them once. */
static int lift(int from, const char *name, int top, uint64_t *counter)
{
	for (;;) {
		char fresh[40];
		struct stat st;
		snprintf(fresh, sizeof(fresh), ".ociw-%llu", (unsigned long long)++*counter);
		/* rename() replaces an empty directory: look first. */
		if (fstatat(top, fresh, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if (errno != ENOENT)
			return errno;
		if (renameat(from, name, top, fresh) == 0)
			return 0;
		if (errno == EACCES && fchmodat(from, name, S_IRWXU, AT_SYMLINK_NOFOLLOW) == 0 &&
		    renameat(from, name, top, fresh) == 0)
			return 0;
		if (errno != EEXIST && errno != ENOTEMPTY)
			return errno;
	}
}

/* Empties directory @p name of @p top, lifting its non-empty directories into @p top. */
static int empty_one(int top, dev_t device, const char *name, uint64_t *counter)
{
	struct stat st;
	int fd = open_directory(top, name);
	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	if (fstat(fd, &st) != 0 || st.st_dev != device) {
		close(fd);
		return EXDEV;
	}
	/* A directory without w for its owner refuses removals. */
	if ((st.st_mode & S_IRWXU) != S_IRWXU)
		(void)fchmod(fd, S_IRWXU);
	OCIWP_AUTO(dir) DIR *dir = list_directory(fd);
	if (!dir)
		return errno;
	for (;;) {
		errno = 0;
		struct dirent *entry = readdir(dir);
		if (!entry)
			return errno;
		if (is_dot(entry->d_name))
			continue;
		int r = remove_simple(dirfd(dir), entry->d_name);
		if (r == ENOTEMPTY)
			r = lift(dirfd(dir), entry->d_name, top, counter);
		if (r != 0)
			return r;
	}
}

int ociwp_tree_remove(int parent, const char *name)
{
	struct stat st;
	uint64_t counter = 0;
	int fd = open_directory(parent, name);
	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	struct stat above;
	if (fstat(fd, &st) != 0 || fstat(parent, &above) != 0 || st.st_dev != above.st_dev) {
		close(fd);
		return EXDEV;
	}
	if ((st.st_mode & S_IRWXU) != S_IRWXU)
		(void)fchmod(fd, S_IRWXU);
	OCIWP_AUTO(dir) DIR *dir = list_directory(fd);
	if (!dir)
		return errno;
	/* Passes until nothing is left: what is lifted may show up only in the next. */
	for (bool again = true; again;) {
		again = false;
		rewinddir(dir);
		for (struct dirent *entry; (entry = readdir(dir));) {
			if (is_dot(entry->d_name))
				continue;
			again = true;
			int r = remove_simple(dirfd(dir), entry->d_name);
			if (r == ENOTEMPTY)
				r = empty_one(dirfd(dir), st.st_dev, entry->d_name, &counter);
			if (r != 0)
				return r;
		}
	}
	return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : errno;
}

/* --- climbing, for those who must keep the shape --------------------------------------------- */

struct level {
	DIR *dir;
	char *name; /* in the level above; NULL for the top */
	uint64_t inode;
	bool keep; /* stays even when empty */
};

struct climb {
	struct level *levels;
	size_t depth, cap;
	dev_t device;
};

static void climb_deinit(struct climb *climb)
{
	while (climb->depth > 0) {
		struct level *level = &climb->levels[--climb->depth];
		closedir(level->dir);
		free(level->name);
	}
	free(climb->levels);
}

/* Goes down into @p take_fd. */
static int climb_push(struct climb *climb, int take_fd, const char *name, bool keep)
{
	struct stat st;
	if (fstat(take_fd, &st) != 0 || (climb->depth > 0 && st.st_dev != climb->device)) {
		close(take_fd);
		return EXDEV;
	}
	if (climb->depth == climb->cap) {
		size_t cap = climb->cap ? climb->cap * 2 : 16;
		struct level *grown =
			ociwp_realloc_array(climb->levels, cap, sizeof(*climb->levels));
		if (!grown) {
			close(take_fd);
			return ENOMEM;
		}
		climb->levels = grown;
		climb->cap = cap;
	}
	DIR *dir = list_directory(take_fd);
	if (!dir)
		return errno;
	char *copy = name ? ociwp_strdup(name) : NULL;
	if (name && !copy) {
		closedir(dir);
		return ENOMEM;
	}
	climb->device = st.st_dev;
	climb->levels[climb->depth++] = (struct level){dir, copy, (uint64_t)st.st_ino, keep};
	return 0;
}

/* Next name of the deepest level; NULL at its end, *error set when reading failed. */
static const struct dirent *climb_next(struct climb *climb, int *error)
{
	struct level *level = &climb->levels[climb->depth - 1];
	for (;;) {
		errno = 0;
		struct dirent *entry = readdir(level->dir);
		*error = entry ? 0 : errno;
		if (!entry || !is_dot(entry->d_name))
			return entry;
	}
}

static int sweep_entry(struct climb *climb, const char *name, const ociwp_tree_sweep *sweep)
{
	struct level *level = &climb->levels[climb->depth - 1];
	int parent = dirfd(level->dir);
	bool keep = sweep->keep(sweep->data, level->inode, name);
	struct stat st;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : errno;
	if (!S_ISDIR(st.st_mode))
		return keep || unlinkat(parent, name, 0) == 0 || errno == ENOENT ? 0 : errno;
	int fd = open_directory(parent, name);
	if (fd < 0)
		return errno;
	return climb_push(climb, fd, name, keep);
}

/* Leaves the deepest level: removes its directory when it may go and is empty. */
static int sweep_leave(struct climb *climb, const ociwp_tree_sweep *sweep)
{
	struct level level = climb->levels[--climb->depth];
	int r = 0;
	if (level.name && !level.keep) {
		int parent = dirfd(climb->levels[climb->depth - 1].dir);
		if (unlinkat(parent, level.name, AT_REMOVEDIR) != 0) {
			if (errno != ENOTEMPTY && errno != EEXIST)
				r = errno;
			else if (sweep->bare)
				sweep->bare(sweep->data, level.inode);
		}
	}
	closedir(level.dir);
	free(level.name);
	return r;
}

static int sweep_all(struct climb *climb, const ociwp_tree_sweep *sweep)
{
	int r = 0;
	while (r == 0 && climb->depth > 0) {
		const struct dirent *entry = climb_next(climb, &r);
		if (entry)
			r = sweep_entry(climb, entry->d_name, sweep);
		else if (r == 0)
			r = sweep_leave(climb, sweep);
	}
	return r;
}

int ociwp_tree_sweep_in(int dir, const ociwp_tree_sweep *sweep)
{
	struct climb climb = {0};
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int r = climb_push(&climb, fd, NULL, true);
	if (r == 0)
		r = sweep_all(&climb, sweep);
	climb_deinit(&climb);
	return r;
}

int ociwp_tree_sweep_name(int parent, uint64_t parent_inode, const char *name, bool self,
			  const ociwp_tree_sweep *sweep)
{
	struct stat st;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : errno;
	bool keep = !self || sweep->keep(sweep->data, parent_inode, name);
	if (!S_ISDIR(st.st_mode))
		return keep || unlinkat(parent, name, 0) == 0 || errno == ENOENT ? 0 : errno;
	int fd = open_directory(parent, name);
	if (fd < 0)
		return errno;
	int r = ociwp_tree_sweep_in(fd, sweep);
	close(fd);
	if (r != 0 || keep)
		return r;
	if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return errno;
	if (sweep->bare)
		sweep->bare(sweep->data, (uint64_t)st.st_ino);
	return 0;
}

int ociwp_tree_directories(int root, bool closed_stay, ociwp_tree_visit visit, void *data)
{
	struct climb climb = {0};
	int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int r = climb_push(&climb, fd, NULL, true);
	while (r == 0 && climb.depth > 0) {
		struct level *level = &climb.levels[climb.depth - 1];
		const struct dirent *entry = climb_next(&climb, &r);
		if (r != 0)
			break;
		if (!entry) {
			r = visit(data, dirfd(level->dir), level->inode);
			closedir(level->dir);
			free(level->name);
			climb.depth--;
			continue;
		}
		if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)
			continue;
		fd = closed_stay ? openat(dirfd(level->dir), entry->d_name, DIR_FLAGS)
				 : open_directory(dirfd(level->dir), entry->d_name);
		if (fd >= 0)
			r = climb_push(&climb, fd, entry->d_name, true);
		else if (errno != ENOTDIR && errno != ELOOP && !(closed_stay && errno == EACCES))
			r = errno;
	}
	climb_deinit(&climb);
	return r;
}
