/* SPDX-License-Identifier: Apache-2.0
 *
 * The walker and the makers of single names. Owns resolution below a root handle; knows nothing of
 * layers or attributes. specs/extraction.md D1-D4.
 */
#include "io/fsys.h"

#include "base/str.h"
#include "io/fsys-tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	MAX_LINKS = 40,    /* L4 */
	MAX_HANDLES = 512, /* of the portable walk: directories below one another */
	MAX_RETRIES = 16   /* EAGAIN of openat2: a rename somewhere raced with us (D2) */
};

struct ociwp_fsys {
	int root;
	uint64_t root_inode;
	unsigned flags;
	bool openat2;
	ociwp_fsys_made_cb made;
	void *made_data;
	/* The directory of the last walk: most entries of a layer share it with the one before. Dropped
	 * whenever something other than a file is removed, so that it is never trusted by name. */
	int last_fd;
	uint64_t last_inode;
	char *last_path;
	size_t last_len, last_cap;
};

static int sys_openat2(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {.flags = flags, .resolve = resolve};
	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

/* --- resolving a directory ------------------------------------------------------------------ */

static int resolve_openat2(const ociwp_fsys *fs, const char *path, int flags)
{
	uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
	if (fs->flags & OCIWP_FSYS_NO_SYMLINKS)
		resolve |= RESOLVE_NO_SYMLINKS;
	for (int i = 0; i < MAX_RETRIES; i++) {
		int fd = sys_openat2(fs->root, path, (uint64_t)(unsigned)flags, resolve);
		if (fd >= 0 || errno != EAGAIN)
			return fd;
	}
	return -1;
}

/* State of the portable walk (D3): handles from the root down, and the text still to resolve. */
struct steps {
	int handles[MAX_HANDLES];
	size_t depth;
	char *todo;
	int links;
};

static void steps_up_to(struct steps *steps, size_t depth)
{
	while (steps->depth > depth)
		close(steps->handles[--steps->depth]);
}

/* Puts the target of link @p fd before what is left to do. */
static int steps_follow(struct steps *steps, int fd, const char *rest)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);
	if (n < 0)
		return errno;
	if (n == 0)
		return ENOENT;
	if (++steps->links > MAX_LINKS)
		return ELOOP;
	size_t rest_len = strlen(rest);
	if (rest_len + (size_t)n > (size_t)64 * PATH_MAX)
		return ENAMETOOLONG;
	char *todo = ociwp_malloc((size_t)n + 1 + rest_len + 1);
	if (!todo)
		return ENOMEM;
	memcpy(todo, target, (size_t)n);
	todo[n] = '/';
	memcpy(todo + n + 1, rest, rest_len + 1);
	if (target[0] == '/')
		steps_up_to(steps, 0);
	free(steps->todo);
	steps->todo = todo;
	return 0;
}

/* One part: down, up, or through a link. @p rest is what follows it in todo. */
static int steps_take(struct steps *steps, const ociwp_fsys *fs, const char *part, const char *rest)
{
	if (!*part || ociwp_streq(part, "."))
		return 0;
	if (ociwp_streq(part, "..")) {
		if (steps->depth > 0)
			steps_up_to(steps, steps->depth - 1);
		return 0;
	}
	int dir = steps->depth ? steps->handles[steps->depth - 1] : fs->root;
	int fd = openat(dir, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0)
		return errno;
	int r = fstat(fd, &st) != 0 ? errno : 0;
	if (r == 0 && S_ISDIR(st.st_mode)) {
		if (steps->depth == MAX_HANDLES) {
			close(fd);
			return ENAMETOOLONG;
		}
		steps->handles[steps->depth++] = fd;
		return 0;
	}
	if (r == 0 && !S_ISLNK(st.st_mode))
		r = ENOTDIR;
	if (r == 0)
		r = fs->flags & OCIWP_FSYS_NO_SYMLINKS ? ELOOP : steps_follow(steps, fd, rest);
	close(fd);
	return r;
}

static int steps_run(struct steps *steps, const ociwp_fsys *fs, int flags)
{
	size_t at = 0;
	while (steps->todo[at]) {
		char part[NAME_MAX + 1];
		size_t len = strcspn(steps->todo + at, "/");
		if (len > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(part, steps->todo + at, len);
		part[len] = '\0';
		at += len;
		at += strspn(steps->todo + at, "/");
		const char *before = steps->todo;
		int r = steps_take(steps, fs, part, steps->todo + at);
		if (r != 0)
			return -r;
		if (steps->todo != before)
			at = strspn(steps->todo, "/");
	}
	int dir = steps->depth ? steps->handles[steps->depth - 1] : fs->root;
	int fd = openat(dir, ".", flags);
	return fd < 0 ? -errno : fd;
}

static int resolve_portable(const ociwp_fsys *fs, const char *path, int flags)
{
	struct steps steps;
	steps.depth = 0;
	steps.links = 0;
	steps.todo = ociwp_strdup(path);
	if (!steps.todo) {
		errno = ENOMEM;
		return -1;
	}
	int fd = steps_run(&steps, fs, flags);
	steps_up_to(&steps, 0);
	free(steps.todo);
	if (fd >= 0)
		return fd;
	errno = -fd;
	return -1;
}

/* Handle of directory @p path, or -1 and errno. */
static int resolve(const ociwp_fsys *fs, const char *path, int flags)
{
	flags |= O_DIRECTORY | O_CLOEXEC;
	if (!*path)
		return openat(fs->root, ".", flags);
	return fs->openat2 ? resolve_openat2(fs, path, flags) : resolve_portable(fs, path, flags);
}

static int fail_resolve(ociw_error **err, int errnum, const char *path)
{
	switch (errnum) {
	case ELOOP:
		return ociwp_fail(err, OCIW_ERR_UNSAFE,
				  "the directory of %s leads through too many or forbidden links",
				  ociwp_quote(path));
	case EAGAIN:
		return ociwp_fail(err, OCIW_ERR_UNSAFE,
				  "the directory of %s is being renamed meanwhile", ociwp_quote(path));
	case ENOTDIR:
		return ociwp_fail(err, OCIW_ERR_FORMAT,
				  "%s lies below something that is no directory",
				  ociwp_quote(path));
	case EXDEV:
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "the directory of %s leads out of the root",
				  ociwp_quote(path));
	default:
		return ociwp_fail_errno(err, errnum, "directory of %s", ociwp_quote(path));
	}
}

/* --- the object ----------------------------------------------------------------------------- */

int ociwp_fsys_new(int take_root_fd, unsigned flags, ociwp_fsys **out, ociw_error **err)
{
	struct stat st;
	*out = NULL;
	OCIWP_AUTO(fd) int root = take_root_fd;
	if (fstat(root, &st) != 0)
		return ociwp_fail_errno(err, errno, "root directory");
	ociwp_fsys *fs = ociwp_new(ociwp_fsys);
	if (!fs)
		return ociwp_nomem(err);
	fs->root = ociwp_steal_fd(&root);
	fs->root_inode = (uint64_t)st.st_ino;
	fs->flags = flags;
	fs->last_fd = -1;
	if (!(flags & OCIWP_FSYS_NO_OPENAT2)) {
		/* One probe on a directory that is known to be there: ENOSYS before Linux 5.6, EPERM
		 * from seccomp filters that do not know the call. */
		int probe = sys_openat2(fs->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC,
					RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
		fs->openat2 = probe >= 0;
		if (probe >= 0)
			close(probe);
	}
	*out = fs;
	return 0;
}

void ociwp_fsys_forget(ociwp_fsys *fs)
{
	if (fs->last_fd >= 0)
		close(fs->last_fd);
	fs->last_fd = -1;
	fs->last_len = 0;
}

void ociwp_fsys_free(ociwp_fsys *fs)
{
	if (!fs)
		return;
	ociwp_fsys_forget(fs);
	close(fs->root);
	free(fs->last_path);
	free(fs);
}

void ociwp_fsys_on_made(ociwp_fsys *fs, ociwp_fsys_made_cb made, void *data)
{
	fs->made = made;
	fs->made_data = data;
}

int ociwp_fsys_root(const ociwp_fsys *fs)
{
	return fs->root;
}

bool ociwp_fsys_uses_openat2(const ociwp_fsys *fs)
{
	return fs->openat2;
}

/* --- walking -------------------------------------------------------------------------------- */

/* mkdir with 0700 whatever the umask; *inode of what was made. errno. */
static int make_directory(ociwp_fsys *fs, int dir, const char *name, uint64_t *inode)
{
	struct stat st;
	if (mkdirat(dir, name, S_IRWXU) != 0)
		return errno;
	if ((fs->flags & OCIWP_FSYS_FIX_MODES) &&
	    fchmodat(dir, name, S_IRWXU, AT_SYMLINK_NOFOLLOW) != 0)
		return errno;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno;
	if (!S_ISDIR(st.st_mode))
		return ENOTDIR;
	*inode = (uint64_t)st.st_ino;
	return 0;
}

/* Opens part @p name of @p *dir, made when missing, and moves *dir to it. */
static int make_step(ociwp_fsys *fs, int *dir, uint64_t *inode, const char *name, const char *path,
		     ociw_error **err)
{
	uint64_t made = 0;
	int r = make_directory(fs, *dir, name, &made);
	/* It was not there a moment ago when resolved: what is there now is a link to nowhere. */
	if (r == EEXIST)
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "a dangling link stands in the way of %s",
				  ociwp_quote(path));
	if (r != 0)
		return ociwp_fail_errno(err, r, "make a directory for %s", ociwp_quote(path));
	if (fs->made && (r = fs->made(fs->made_data, *inode, name, made, err)) < 0)
		return r;
	int fd = openat(*dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return ociwp_fail_errno(err, errno, "open a directory for %s", ociwp_quote(path));
	close(*dir);
	*dir = fd;
	*inode = made;
	return 0;
}

/* The longest part of the directory that is there is resolved, the rest made part by part (E2). */
static int make_missing(ociwp_fsys *fs, char *dir_path, const char *path, int *out_fd,
			ociw_error **err)
{
	struct stat st;
	size_t len = strlen(dir_path), have = len;
	int fd = -1;
	while (fd < 0) {
		while (have > 0 && dir_path[have] != '/')
			have--;
		if (have > 0)
			dir_path[have] = '\0';
		fd = resolve(fs, have > 0 ? dir_path : "", O_PATH);
		if (fd < 0 && (errno != ENOENT || have == 0))
			return fail_resolve(err, errno, path);
		if (fd < 0)
			dir_path[have--] = '/';
	}
	OCIWP_AUTO(fd) int dir = fd;
	if (fstat(dir, &st) != 0)
		return ociwp_fail_errno(err, errno, "directory of %s", ociwp_quote(path));
	uint64_t inode = (uint64_t)st.st_ino;
	size_t at = have ? have + 1 : 0;
	if (have)
		dir_path[have] = '/';
	while (at < len) {
		size_t end = at + strcspn(dir_path + at, "/");
		dir_path[end] = '\0';
		int r = make_step(fs, &dir, &inode, dir_path + at, path, err);
		if (end < len)
			dir_path[end] = '/';
		if (r < 0)
			return r;
		at = end + 1;
	}
	*out_fd = ociwp_steal_fd(&dir);
	return 0;
}

/* Remembers @p take_fd as the directory with the name that is in last_path. */
static int remember(ociwp_fsys *fs, int take_fd, size_t len, const char *path, ociw_error **err)
{
	struct stat st;
	if (fstat(take_fd, &st) != 0) {
		int saved = errno;
		close(take_fd);
		return ociwp_fail_errno(err, saved, "directory of %s", ociwp_quote(path));
	}
	fs->last_fd = take_fd;
	fs->last_inode = (uint64_t)st.st_ino;
	fs->last_len = len;
	return 0;
}

int ociwp_fsys_walk(ociwp_fsys *fs, const char *path, bool make, ociwp_fsys_at *at,
		    ociw_error **err)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	*at = (ociwp_fsys_at){fs->root, fs->root_inode, slash ? slash + 1 : path, path};
	if (!*at->name)
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s names no entry", ociwp_quote(path));
	if (!slash)
		return 0;
	if (fs->last_fd < 0 || fs->last_len != len || memcmp(fs->last_path, path, len) != 0) {
		ociwp_fsys_forget(fs);
		if (len >= fs->last_cap) {
			char *grown = ociwp_realloc(fs->last_path, len + 256);
			if (!grown)
				return ociwp_nomem(err);
			fs->last_path = grown;
			fs->last_cap = len + 256;
		}
		memcpy(fs->last_path, path, len);
		fs->last_path[len] = '\0';
		int fd = resolve(fs, fs->last_path, O_PATH), r = 0;
		if (fd < 0 && errno == ENOENT && make)
			r = make_missing(fs, fs->last_path, path, &fd, err);
		else if (fd < 0)
			r = fail_resolve(err, errno, path);
		if (r == 0)
			r = remember(fs, fd, len, path, err);
		if (r < 0)
			return r;
	}
	at->fd = fs->last_fd;
	at->inode = fs->last_inode;
	return 0;
}

int ociwp_fsys_open_dir(ociwp_fsys *fs, const char *path, int *out_fd, ociw_error **err)
{
	int fd = resolve(fs, path, O_RDONLY);
	if (fd < 0)
		return fail_resolve(err, errno, path);
	*out_fd = fd;
	return 0;
}

/* --- makers --------------------------------------------------------------------------------- */

int ociwp_fsys_remove(ociwp_fsys *fs, const ociwp_fsys_at *at, ociw_error **err)
{
	struct stat st;
	if (fstatat(at->fd, at->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0
				       : ociwp_fail_errno(err, errno, "look at %s",
							  ociwp_quote(at->path));
	int r = 0;
	if (S_ISDIR(st.st_mode))
		r = ociwp_tree_remove(at->fd, at->name);
	else if (unlinkat(at->fd, at->name, 0) != 0 && errno != ENOENT)
		r = errno;
	/* The handle in *at stays open: only the name of another directory may be stale. */
	if (!S_ISREG(st.st_mode))
		fs->last_len = SIZE_MAX;
	if (r != 0)
		return ociwp_fail_errno(err, r, "remove %s", ociwp_quote(at->path));
	return 0;
}

int ociwp_fsys_file(ociwp_fsys *fs, const ociwp_fsys_at *at, int *out_fd, ociw_error **err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(at->fd, at->name, flags, S_IRUSR | S_IWUSR);
	if (fd < 0 && errno == EEXIST) {
		int r = ociwp_fsys_remove(fs, at, err);
		if (r < 0)
			return r;
		fd = openat(at->fd, at->name, flags, S_IRUSR | S_IWUSR);
	}
	if (fd < 0)
		return ociwp_fail_errno(err, errno, "create %s", ociwp_quote(at->path));
	*out_fd = fd;
	return 0;
}

int ociwp_fsys_directory(ociwp_fsys *fs, const ociwp_fsys_at *at, uint64_t *out_inode,
			 ociw_error **err)
{
	struct stat st;
	int r = make_directory(fs, at->fd, at->name, out_inode);
	if (r == EEXIST) {
		/* What cannot be looked at may be a directory full of files: it is not replaced. */
		bool there = fstatat(at->fd, at->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
		if (!there && errno != ENOENT)
			return ociwp_fail_errno(err, errno, "look at %s", ociwp_quote(at->path));
		if (there && S_ISDIR(st.st_mode)) {
			*out_inode = (uint64_t)st.st_ino;
			return 0;
		}
		r = ociwp_fsys_remove(fs, at, err);
		if (r < 0)
			return r;
		r = make_directory(fs, at->fd, at->name, out_inode);
	}
	if (r != 0)
		return ociwp_fail_errno(err, r, "make directory %s", ociwp_quote(at->path));
	return 0;
}

int ociwp_fsys_symlink(ociwp_fsys *fs, const ociwp_fsys_at *at, const char *target,
		       ociw_error **err)
{
	int r = symlinkat(target, at->fd, at->name);
	if (r != 0 && errno == EEXIST) {
		int code = ociwp_fsys_remove(fs, at, err);
		if (code < 0)
			return code;
		r = symlinkat(target, at->fd, at->name);
	}
	if (r != 0)
		return ociwp_fail_errno(err, errno, "make symbolic link %s", ociwp_quote(at->path));
	return 0;
}

int ociwp_fsys_link(ociwp_fsys *fs, const ociwp_fsys_at *target, const ociwp_fsys_at *at,
		    ociw_error **err)
{
	struct stat st, old;
	if (fstatat(target->fd, target->name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno != ENOENT)
			return ociwp_fail_errno(err, errno, "look at %s", ociwp_quote(target->path));
		return ociwp_fail(err, OCIW_ERR_FORMAT,
				  "hard link %s names %s, which is not there",
				  ociwp_quote(at->path), ociwp_quote(target->path));
	}
	if (S_ISDIR(st.st_mode))
		return ociwp_fail(err, OCIW_ERR_FORMAT, "hard link %s names directory %s",
				  ociwp_quote(at->path), ociwp_quote(target->path));
	/* A link to itself, or to what it is already: removing it first would lose the file. */
	if (fstatat(at->fd, at->name, &old, AT_SYMLINK_NOFOLLOW) == 0) {
		if (old.st_ino == st.st_ino && old.st_dev == st.st_dev)
			return 0;
		int code = ociwp_fsys_remove(fs, at, err);
		if (code < 0)
			return code;
		if (fstatat(target->fd, target->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			return errno == ENOENT
				       ? ociwp_fail(err, OCIW_ERR_FORMAT,
						    "hard link %s takes the place of the tree that "
						    "%s is in",
						    ociwp_quote(at->path),
						    ociwp_quote(target->path))
				       : ociwp_fail_errno(err, errno, "look at %s",
							  ociwp_quote(target->path));
	} else if (errno != ENOENT) {
		return ociwp_fail_errno(err, errno, "look at %s", ociwp_quote(at->path));
	}
	if (linkat(target->fd, target->name, at->fd, at->name, 0) != 0)
		return ociwp_fail_errno(err, errno, "make hard link %s to %s", ociwp_quote(at->path),
					ociwp_quote(target->path));
	return 0;
}

int ociwp_fsys_node(ociwp_fsys *fs, const ociwp_fsys_at *at, mode_t type, dev_t device,
		    ociw_error **err)
{
	int code = ociwp_fsys_remove(fs, at, err);
	if (code < 0)
		return code;
	if (mknodat(at->fd, at->name, type | S_IRUSR | S_IWUSR, device) != 0)
		return ociwp_fail_errno(err, errno, "make special file %s", ociwp_quote(at->path));
	return 0;
}
