/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying a leased tree to a destination of its own: hard links (for readers only), shared blocks, or
 * bytes. By handle on both sides, never following, staged and renamed once.
 */
#include "ops/cache-entry.h"

#include "base/map.h"
#include "base/op.h"
#include "base/str.h"
#include "io/stream.h"
#include "ops/extract-staging.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define COPY_BYTES ((size_t)256 * 1024)
#define XATTR_MAX ((size_t)64 * 1024) /* Linux: of all names, and of a value */
/* What is remembered of files with several names, at most; those beyond become separate files. */
#define LINKS_BYTES ((size_t)16 * 1024 * 1024)
#define LINK_COST 128 /* of one, beside its path */
#define LINK_KEY_MAX 40

typedef struct level {
	DIR *from;
	int to;
	size_t path_len; /* of the path to it */
} level;

typedef struct copy {
	level *levels;
	size_t depth, cap;
	ociw_materialise how;
	const ociw_op *op;
	bool root;
	uint8_t *buf;
	int top;          /* of the copy; borrowed */
	ociwp_buf path;   /* of the level below top, "" or "a/b/" */
	ociwp_map *links; /* device and inode -> path of the first copy; made when needed */
	size_t links_bytes;
} copy;

static void copy_deinit(copy *c)
{
	while (c->depth > 0) {
		level *l = &c->levels[--c->depth];
		closedir(l->from);
		close(l->to);
	}
	free(c->levels);
	free(c->buf);
	ociwp_buf_deinit(&c->path);
	ociwp_map_free(c->links);
}

static int push(copy *c, int take_from, int take_to, ociw_error **err)
{
	OCIWP_AUTO(fd) int from = take_from;
	OCIWP_AUTO(fd) int to = take_to;
	if (c->depth == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 16;
		level *grown = ociwp_realloc_array(c->levels, cap, sizeof(*grown));
		if (!grown)
			return ociwp_nomem(err);
		c->levels = grown;
		c->cap = cap;
	}
	DIR *dir = fdopendir(from);
	if (!dir)
		return ociwp_fail_errno(err, errno, "list a cached directory");
	(void)ociwp_steal_fd(&from); /* the stream closes it */
	c->levels[c->depth++] = (level){dir, ociwp_steal_fd(&to), c->path.len};
	return 0;
}

/* --- attributes ----------------------------------------------------------------------------- */

static bool have_buffer(copy *c)
{
	if (!c->buf)
		c->buf = ociwp_malloc(COPY_BYTES);
	return c->buf != NULL;
}

/* errno. What the cache holds was judged when it was extracted, so all of it is copied. */
static int copy_xattrs(copy *c, int from, int to)
{
	ssize_t len = flistxattr(from, NULL, 0);
	if (len <= 0)
		return len == 0 || errno == ENOTSUP ? 0 : errno;
	if (!have_buffer(c))
		return ENOMEM;
	char *names = (char *)c->buf, *value = names + XATTR_MAX;
	len = flistxattr(from, names, XATTR_MAX);
	if (len < 0)
		return errno;
	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t n = fgetxattr(from, names + at, value, XATTR_MAX);
		if (n >= 0 && fsetxattr(to, names + at, value, (size_t)n, 0) != 0 &&
		    errno != ENOTSUP && errno != EPERM)
			return errno;
	}
	return 0;
}

static int copy_look(copy *c, int from, int to, const struct stat *st)
{
	struct timespec times[2] = {st->st_mtim, st->st_mtim};
	if (c->root && fchown(to, st->st_uid, st->st_gid) != 0)
		return errno;
	/* Before the mode: who is not root cannot set attributes of what is read-only. */
	int e = copy_xattrs(c, from, to);
	if (e == 0 && (fchmod(to, st->st_mode & 07777) != 0 || futimens(to, times) != 0))
		e = errno;
	return e;
}

/* --- names ---------------------------------------------------------------------------------- */

static int copy_data(copy *c, int from, int to, ociw_error **err)
{
	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	if (c->how == OCIW_MATERIALISE_REFLINK)
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
				  "these file systems share no blocks: use another way to copy");
	if (!have_buffer(c))
		return ociwp_nomem(err);
	for (;;) {
		ssize_t n = read(from, c->buf, COPY_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ociwp_fail_errno(err, errno, "read a cached file");
		if (n == 0)
			return 0;
		int e = ociwp_write_full(to, c->buf, (size_t)n);
		if (e != 0)
			return ociwp_fail_errno(err, e, "write a copy");
	}
}

static void link_key(const struct stat *st, char out[LINK_KEY_MAX])
{
	snprintf(out, LINK_KEY_MAX, "%llx.%llx", (unsigned long long)st->st_dev,
		 (unsigned long long)st->st_ino);
}

/* True when the file was copied under another name before and now has this one too. By path, but
 * below a directory that nobody else can enter yet. Where the link cannot be made (modes, a path that
 * is too long, too many links) a copy is as good. */
static bool link_again(const copy *c, const level *l, const char *name, const struct stat *st)
{
	char key[LINK_KEY_MAX];
	if (st->st_nlink < 2 || !c->links)
		return false;
	link_key(st, key);
	const char *first = ociwp_map_get(c->links, key);
	return first && linkat(c->top, first, l->to, name, 0) == 0;
}

/* Notes where the first copy of a file with several names is. Without memory: OCIW_ERR_NOMEM. */
static int remember_link(copy *c, const char *name, const struct stat *st, ociw_error **err)
{
	char key[LINK_KEY_MAX];
	OCIWP_AUTO(buf) ociwp_buf path = OCIWP_BUF_INIT;
	if (st->st_nlink < 2 || c->links_bytes >= LINKS_BYTES)
		return 0;
	if (!c->links)
		c->links = ociwp_map_new(free);
	ociwp_buf_printf(&path, "%.*s%s", (int)c->path.len, c->path.len ? c->path.data : "", name);
	if (!c->links || ociwp_buf_check(&path, NULL) < 0)
		return ociwp_nomem(err);
	c->links_bytes += path.len + LINK_COST;
	link_key(st, key);
	char *first = ociwp_buf_steal(&path);
	if (!first || !ociwp_map_set(c->links, key, first)) {
		free(first);
		return ociwp_nomem(err);
	}
	return 0;
}

static int copy_file(copy *c, const level *l, const char *name, const struct stat *st,
		     ociw_error **err)
{
	if (c->how == OCIW_MATERIALISE_HARDLINK) {
		if (linkat(dirfd(l->from), name, l->to, name, 0) == 0)
			return 0;
		return ociwp_fail_errno(err, errno, "hard link to cached file %s",
					ociwp_quote(name));
	}
	if (link_again(c, l, name, st))
		return 0;
	OCIWP_AUTO(fd) int to = -1;
	OCIWP_AUTO(fd) int from = openat(dirfd(l->from), name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (from >= 0)
		to = openat(l->to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    S_IRUSR | S_IWUSR);
	if (to < 0)
		return ociwp_fail_errno(err, errno, "copy cached file %s", ociwp_quote(name));
	int r = copy_data(c, from, to, err);
	if (r < 0)
		return r;
	int e = copy_look(c, from, to, st);
	if (close(ociwp_steal_fd(&to)) != 0 && e == 0)
		e = errno;
	return e ? ociwp_fail_errno(err, e, "copy cached file %s", ociwp_quote(name))
		 : remember_link(c, name, st, err);
}

static int copy_symlink(copy *c, const level *l, const char *name, const struct stat *st,
			ociw_error **err)
{
	char target[PATH_MAX];
	struct timespec times[2] = {st->st_mtim, st->st_mtim};
	ssize_t n = readlinkat(dirfd(l->from), name, target, sizeof(target) - 1);
	if (n >= 0)
		target[n] = '\0';
	if (n < 0 || symlinkat(target, l->to, name) != 0 ||
	    (c->root &&
	     fchownat(l->to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) != 0) ||
	    utimensat(l->to, name, times, AT_SYMLINK_NOFOLLOW) != 0)
		return ociwp_fail_errno(err, errno, "copy cached link %s", ociwp_quote(name));
	return 0;
}

static int copy_special(copy *c, const level *l, const char *name, const struct stat *st,
			ociw_error **err)
{
	struct timespec times[2] = {st->st_mtim, st->st_mtim};
	if (mknodat(l->to, name, (st->st_mode & S_IFMT) | S_IRUSR, st->st_rdev) != 0 ||
	    (c->root &&
	     fchownat(l->to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) != 0) ||
	    fchmodat(l->to, name, st->st_mode & 07777, AT_SYMLINK_NOFOLLOW) != 0 ||
	    utimensat(l->to, name, times, AT_SYMLINK_NOFOLLOW) != 0)
		return ociwp_fail_errno(err, errno, "copy special file %s", ociwp_quote(name));
	return 0;
}

static int enter(copy *c, const level *l, const char *name, ociw_error **err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	OCIWP_AUTO(fd) int to = -1;
	OCIWP_AUTO(fd) int from = openat(dirfd(l->from), name, flags);
	if (from < 0 || mkdirat(l->to, name, S_IRWXU) != 0 ||
	    fchmodat(l->to, name, S_IRWXU, AT_SYMLINK_NOFOLLOW) != 0 ||
	    (to = openat(l->to, name, flags)) < 0)
		return ociwp_fail_errno(err, errno, "copy cached directory %s", ociwp_quote(name));
	ociwp_buf_printf(&c->path, "%s/", name);
	int r = ociwp_buf_check(&c->path, err);
	if (r < 0)
		return r;
	return push(c, ociwp_steal_fd(&from), ociwp_steal_fd(&to), err);
}

/* Everything in it is there: its look comes last (M1). */
static int leave(copy *c, ociw_error **err)
{
	level l = c->levels[--c->depth];
	struct stat st;
	c->path.len = c->depth ? c->levels[c->depth - 1].path_len : 0;
	int e = fstat(dirfd(l.from), &st) != 0 ? errno : copy_look(c, dirfd(l.from), l.to, &st);
	closedir(l.from);
	close(l.to);
	return e ? ociwp_fail_errno(err, e, "copy a cached directory") : 0;
}

static int copy_name(copy *c, const char *name, ociw_error **err)
{
	const level l = c->levels[c->depth - 1];
	struct stat st;
	if (ociwp_streq(name, ".") || ociwp_streq(name, ".."))
		return 0;
	if (fstatat(dirfd(l.from), name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return ociwp_fail_errno(err, errno, "look at cached %s", ociwp_quote(name));
	if (S_ISDIR(st.st_mode))
		return enter(c, &l, name, err);
	if (S_ISREG(st.st_mode))
		return copy_file(c, &l, name, &st, err);
	if (S_ISLNK(st.st_mode))
		return copy_symlink(c, &l, name, &st, err);
	return copy_special(c, &l, name, &st, err);
}

static int copy_all(copy *c, ociw_error **err)
{
	int r = 0;
	while (r == 0 && c->depth > 0) {
		errno = 0;
		struct dirent *entry = readdir(c->levels[c->depth - 1].from);
		if (entry)
			r = copy_name(c, entry->d_name, err);
		else if (errno != 0)
			r = ociwp_fail_errno(err, errno, "list a cached directory");
		else
			r = leave(c, err);
		if (r == 0)
			r = ociwp_check_cancel(c->op, err);
	}
	return r;
}

int ociw_lease_materialise(const ociw_lease *lease, const char *destination, ociw_materialise how,
			   const ociw_op *op, ociw_error **err)
{
	OCIWP_AUTO(staging) ociwp_staging *staging = NULL;
	copy c = {.how = how, .op = op, .root = geteuid() == 0};
	int r = ociwp_staging_begin(destination, &staging, err);
	if (r < 0)
		return r;
	OCIWP_AUTO(fd) int to = fcntl(ociwp_staging_root(staging), F_DUPFD_CLOEXEC, 3);
	OCIWP_AUTO(fd) int from =
		open(lease->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0 || to < 0)
		return ociwp_fail_errno(err, errno, "open cached tree %s", ociwp_quote(lease->path));
	c.top = ociwp_staging_root(staging);
	r = push(&c, ociwp_steal_fd(&from), ociwp_steal_fd(&to), err);
	if (r == 0)
		r = copy_all(&c, err);
	copy_deinit(&c);
	return r == 0 ? ociwp_staging_publish(ociwp_steal(&staging), true, err) : r;
}
