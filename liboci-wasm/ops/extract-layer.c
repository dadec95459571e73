/* SPDX-License-Identifier: Apache-2.0
 *
 * Applying a layer: what each kind of entry does to the tree, and what it may not. Reading tar is
 * archive/tar-reader, finding names is io/fsys; here is the policy between them.
 */
#include "ops/extract-layer.h"

#include "archive/tar-reader.h"
#include "base/str.h"
#include "io/fsys-tree.h"
#include "ops/extract-name.h"
#include "ops/extract-pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SMALL_FILE ((uint64_t)32 * 1024)
#define ASK_FOR_SPACE ((uint64_t)16 * 1024 * 1024)
#define CANCEL_STEP ((uint64_t)1024 * 1024)
#define MAX_XATTRS 64U
#define MAX_XATTR_VALUE ((size_t)64 * 1024)
#define MAX_XATTR_BYTES ((size_t)128 * 1024)
#define NO_ID UINT32_MAX /* -1: "leave it", never an owner (D11) */

typedef struct layer {
	ociwp_extraction *x;
	ociwp_tar_reader *tar;
	ociwp_pipe *pipe;
	const ociwp_tar_entry *entry;
} layer;

static void drop_error(ociw_error **err)
{
	if (err) {
		ociw_error_free(*err);
		*err = NULL;
	}
}

static bool same_owner(const ociwp_extraction *x)
{
	return x->root && (x->options.flags & OCIW_EXTRACT_SAME_OWNER);
}

/* X1, X2: setuid, setgid and the sticky bit of files go unless they were asked for. */
static uint32_t wanted_mode(const ociwp_extraction *x, const ociwp_tar_entry *entry)
{
	uint32_t mode = entry->mode & 07777;
	if (x->options.flags & OCIW_EXTRACT_KEEP_SETID)
		return mode;
	return mode & (entry->type == OCIWP_TAR_DIRECTORY ? 01777 : 0777);
}

static int check_owner(const ociwp_extraction *x, const ociwp_tar_entry *entry, ociw_error **err)
{
	if (same_owner(x) && (entry->uid >= NO_ID || entry->gid >= NO_ID))
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "%s belongs to %llu:%llu, which is no id",
				  ociwp_quote(entry->path), (unsigned long long)entry->uid,
				  (unsigned long long)entry->gid);
	return 0;
}

/* --- extended attributes (X3) --------------------------------------------------------------- */

static bool may_set_xattr(const ociwp_extraction *x, const char *name)
{
	if (ociwp_streq(name, "security.capability"))
		return x->root && (x->options.flags & OCIW_EXTRACT_KEEP_SETID);
	return (x->options.flags & OCIW_EXTRACT_XATTRS) && ociwp_starts_with(name, "user.") &&
	       name[5] && !ociwp_starts_with(name, "user.overlay.");
}

static int check_xattrs(const ociwp_tar_entry *entry, ociw_error **err)
{
	size_t bytes = 0;
	if (entry->xattr_count > MAX_XATTRS)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "%s has %zu extended attributes, over %u",
				  ociwp_quote(entry->path), entry->xattr_count, MAX_XATTRS);
	for (size_t i = 0; i < entry->xattr_count; i++) {
		size_t len = entry->xattrs[i].value_len;
		bytes += len < MAX_XATTR_BYTES ? len : MAX_XATTR_BYTES;
		if (len > MAX_XATTR_VALUE || bytes > MAX_XATTR_BYTES)
			return ociwp_fail(err, OCIW_ERR_LIMIT,
					  "the extended attributes of %s are too large",
					  ociwp_quote(entry->path));
	}
	return 0;
}

/* Sets on @p fd what may be set; the rest is told once a layer. */
static int set_xattrs(layer *l, int fd, ociw_error **err)
{
	ociwp_extraction *x = l->x;
	int r = check_xattrs(l->entry, err);
	for (size_t i = 0; r == 0 && i < l->entry->xattr_count; i++) {
		const ociwp_tar_xattr *attr = &l->entry->xattrs[i];
		bool skip = fd < 0 || !may_set_xattr(x, attr->name);
		if (!skip && fsetxattr(fd, attr->name, attr->value, attr->value_len, 0) != 0) {
			if (errno != ENOTSUP && errno != EPERM)
				return ociwp_fail_errno(err, errno,
							"set extended attribute %s of %s",
							ociwp_quote(attr->name),
							ociwp_quote(l->entry->path));
			skip = true;
		}
		if (skip && !x->told_xattrs) {
			x->told_xattrs = true;
			r = ociwp_extract_warn(x, err, "extended attributes such as %s of %s are left out",
					       ociwp_quote(attr->name),
					       ociwp_quote(l->entry->path));
		}
	}
	return r;
}

/* --- files ---------------------------------------------------------------------------------- */

int ociwp_extract_file_look(int fd, const ociwp_file_look *look)
{
	struct timespec times[2] = {{look->seconds, (long)look->nanoseconds},
				    {look->seconds, (long)look->nanoseconds}};
	if (look->chown && fchown(fd, look->uid, look->gid) != 0)
		return errno;
	if (fchmod(fd, look->mode) != 0)
		return errno;
	return futimens(fd, times) != 0 ? errno : 0;
}

static int fail_write(layer *l, int errnum, ociw_error **err)
{
	return ociwp_fail_errno(err, errnum, "write %s below %s (%llu bytes are written so far)",
				ociwp_quote(l->entry->path),
				ociwp_quote(ociwp_staging_destination(l->x->staging)),
				(unsigned long long)l->x->bytes);
}

/* A fast answer where the declared size cannot fit (D10); the write itself is what counts. */
static int ask_for_space(layer *l, int fd, ociw_error **err)
{
	struct statvfs vfs;
	if (l->entry->size < ASK_FOR_SPACE || fstatvfs(fd, &vfs) != 0 || !vfs.f_frsize)
		return 0;
	if (l->entry->size / vfs.f_frsize > vfs.f_bavail)
		return fail_write(l, ENOSPC, err);
	return 0;
}

static int write_body(layer *l, int fd, ociw_error **err)
{
	uint64_t since = 0;
	for (;;) {
		const void *data;
		ptrdiff_t n = ociwp_tar_reader_peek(l->tar, &data, err);
		if (n <= 0)
			return (int)n;
		int e = ociwp_write_full(fd, data, (size_t)n);
		if (e != 0)
			return fail_write(l, e, err);
		l->x->bytes += (uint64_t)n;
		since += (uint64_t)n;
		if (since >= CANCEL_STEP) {
			int r = ociwp_check_cancel(l->x->op, err);
			if (r < 0)
				return r;
			since = 0;
		}
	}
}

/* Reads the body into @p job, for whoever has time to write it. */
static int fill_job(layer *l, ociwp_pipe_job *job, ociw_error **err)
{
	while (job->len < l->entry->size) {
		ptrdiff_t n = ociwp_tar_reader_read(l->tar, job->data + job->len,
						    (size_t)l->entry->size - job->len, err);
		if (n < 0)
			return (int)n;
		if (n == 0)
			return ociwp_fail(err, OCIW_ERR_SIZE, "the stream ends inside %s",
					  ociwp_quote(l->entry->path));
		job->len += (size_t)n;
	}
	l->x->bytes += job->len;
	return 0;
}

static int finish_file(layer *l, int take_fd, const ociwp_file_look *look, ociw_error **err)
{
	OCIWP_AUTO(fd) int fd = take_fd;
	ociwp_file_look rest = *look;
	int e = 0;
	int r = ask_for_space(l, fd, err);
	if (r == 0)
		r = write_body(l, fd, err);
	if (r < 0)
		return r;
	/* Writing and chown clear capabilities, and chown clears setuid; who is not root cannot set
	 * attributes of what is read-only. So: data, owner, attributes, mode, times. */
	if (l->entry->xattr_count > 0) {
		if (look->chown && fchown(fd, look->uid, look->gid) != 0)
			e = errno;
		rest.chown = false;
		r = e == 0 ? set_xattrs(l, fd, err) : 0;
		if (r < 0)
			return r;
	}
	if (e == 0)
		e = ociwp_extract_file_look(fd, &rest);
	/* Delayed allocation may report a full disk only here. */
	if (close(ociwp_steal_fd(&fd)) != 0 && e == 0)
		e = errno;
	return e != 0 ? fail_write(l, e, err) : 0;
}

static int put_file(layer *l, const ociwp_fsys_at *at, ociw_error **err)
{
	const ociwp_tar_entry *entry = l->entry;
	ociwp_file_look look = {.mode = wanted_mode(l->x, entry),
				.seconds = entry->mtime_seconds,
				.nanoseconds = entry->mtime_nanoseconds,
				.chown = same_owner(l->x),
				.uid = (uint32_t)entry->uid,
				.gid = (uint32_t)entry->gid};
	int fd = -1;
	int r = check_owner(l->x, entry, err);
	if (r == 0)
		r = ociwp_fsys_file(l->x->fs, at, &fd, err);
	if (r < 0)
		return r;
	l->x->files++;
	if (!l->pipe || entry->size > SMALL_FILE || entry->xattr_count > 0)
		return finish_file(l, fd, &look, err);
	ociwp_pipe_job *job = NULL;
	r = ociwp_pipe_job_begin(l->pipe, &job, err);
	if (r < 0) {
		close(fd);
		return r;
	}
	job->fd = fd;
	job->look = look;
	r = fill_job(l, job, err);
	if (r == 0 && !ociwp_pipe_job_name(job, entry->path))
		r = ociwp_nomem(err);
	if (r < 0) {
		ociwp_pipe_job_drop(l->pipe, job);
		return r;
	}
	return ociwp_pipe_job_post(l->pipe, job, err);
}

/* --- directories, links, special files ------------------------------------------------------ */

static int put_directory(layer *l, const ociwp_fsys_at *at, ociw_error **err)
{
	const ociwp_tar_entry *entry = l->entry;
	ociwp_extraction *x = l->x;
	uint64_t inode = 0;
	int r = check_owner(x, entry, err);
	if (r == 0)
		r = ociwp_fsys_directory(x->fs, at, &inode, err);
	if (r < 0)
		return r;
	ociwp_dir_look look = {wanted_mode(x, entry), entry->mtime_nanoseconds,
			       entry->mtime_seconds};
	if (!ociwp_dirs_set(x->dirs, inode, &look))
		return ociwp_nomem(err);
	x->directories++;
	if (!same_owner(x) && entry->xattr_count == 0)
		return 0;
	OCIWP_AUTO(fd) int fd =
		openat(at->fd, at->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 ||
	    (same_owner(x) && fchown(fd, (uint32_t)entry->uid, (uint32_t)entry->gid) != 0))
		return ociwp_fail_errno(err, errno, "set the owner of %s", ociwp_quote(entry->path));
	return entry->xattr_count > 0 ? set_xattrs(l, fd, err) : 0;
}

/* N3: an entry for the root sets the look of the tree's top and nothing else. */
static int put_root(layer *l, ociw_error **err)
{
	const ociwp_tar_entry *entry = l->entry;
	struct stat st;
	int root = ociwp_fsys_root(l->x->fs);
	if (entry->type != OCIWP_TAR_DIRECTORY)
		return ociwp_fail(err, OCIW_ERR_UNSAFE,
				  "%s names the root, but is no directory",
				  ociwp_quote(entry->path));
	int r = check_owner(l->x, entry, err);
	if (r < 0)
		return r;
	ociwp_dir_look look = {wanted_mode(l->x, entry), entry->mtime_nanoseconds,
			       entry->mtime_seconds};
	if (fstat(root, &st) != 0)
		return ociwp_fail_errno(err, errno, "root directory");
	if (!ociwp_dirs_set(l->x->dirs, (uint64_t)st.st_ino, &look))
		return ociwp_nomem(err);
	/* When all is done: until then a staging directory stays closed to everybody else. */
	l->x->root_owned = same_owner(l->x);
	l->x->root_inode = (uint64_t)st.st_ino;
	l->x->root_uid = (uint32_t)entry->uid;
	l->x->root_gid = (uint32_t)entry->gid;
	return entry->xattr_count > 0 ? set_xattrs(l, root, err) : 0;
}

static int put_symlink(layer *l, const ociwp_fsys_at *at, ociw_error **err)
{
	const ociwp_tar_entry *entry = l->entry;
	size_t len = entry->target ? strlen(entry->target) : 0;
	if (len == 0 || len > 4095)
		return ociwp_fail(err, len ? OCIW_ERR_LIMIT : OCIW_ERR_FORMAT,
				  "the target of symbolic link %s has %zu bytes",
				  ociwp_quote(entry->path), len);
	int r = check_owner(l->x, entry, err);
	if (r == 0)
		r = ociwp_fsys_symlink(l->x->fs, at, entry->target, err);
	if (r < 0)
		return r;
	l->x->links++;
	if (same_owner(l->x) && fchownat(at->fd, at->name, (uint32_t)entry->uid,
					 (uint32_t)entry->gid, AT_SYMLINK_NOFOLLOW) != 0)
		return ociwp_fail_errno(err, errno, "set the owner of %s", ociwp_quote(entry->path));
	struct timespec times[2] = {{entry->mtime_seconds, (long)entry->mtime_nanoseconds},
				    {entry->mtime_seconds, (long)entry->mtime_nanoseconds}};
	if (utimensat(at->fd, at->name, times, AT_SYMLINK_NOFOLLOW) != 0)
		return ociwp_fail_errno(err, errno, "set the time of %s", ociwp_quote(entry->path));
	return entry->xattr_count > 0 ? set_xattrs(l, -1, err) : 0;
}

/* L5: the target by the same walker, relative to the root. */
static int put_hardlink(layer *l, const char *path, ociw_error **err)
{
	ociwp_extraction *x = l->x;
	const char *name = l->entry->target ? l->entry->target : "";
	bool absolute = x->options.flags & OCIW_EXTRACT_ABSOLUTE_NAMES;
	ociwp_fsys_at target, at;
	int r = ociwp_extract_name(name, strlen(name), &x->limits, absolute, &x->target, err);
	if (r < 0)
		return ociwp_wrap(err, r, "target of hard link %s", ociwp_quote(path));
	if (x->target.len == 0)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "hard link %s names the root",
				  ociwp_quote(path));
	r = ociwp_fsys_walk(x->fs, x->target.data, false, &target, err);
	if (r == OCIW_ERR_NOTFOUND) {
		drop_error(err);
		return ociwp_fail(err, OCIW_ERR_FORMAT, "hard link %s names %s, which is not there",
				  ociwp_quote(path), ociwp_quote(name));
	}
	if (r < 0)
		return ociwp_wrap(err, r, "target of hard link %s", ociwp_quote(path));
	/* The next walk may close the walker's own handle. */
	OCIWP_AUTO(fd) int kept = fcntl(target.fd, F_DUPFD_CLOEXEC, 3);
	if (kept < 0)
		return ociwp_fail_errno(err, errno, "hard link %s", ociwp_quote(path));
	target.fd = kept;
	r = ociwp_fsys_walk(x->fs, path, true, &at, err);
	if (r == 0)
		r = ociwp_fsys_link(x->fs, &target, &at, err);
	if (r < 0)
		return r;
	x->links++;
	if (x->seen && !ociwp_seen_add(x->seen, at.inode, at.name))
		return ociwp_nomem(err);
	return 0;
}

/* S1: left out with a warning unless asked for, but what lay there before is replaced all the same:
 * the layer says that it is gone. */
static int put_special(layer *l, const ociwp_fsys_at *at, ociw_error **err)
{
	const ociwp_tar_entry *entry = l->entry;
	ociwp_extraction *x = l->x;
	if (!x->root || !(x->options.flags & OCIW_EXTRACT_SPECIAL_FILES)) {
		int r = ociwp_fsys_remove(x->fs, at, err);
		return r < 0 ? r
			     : ociwp_extract_warn(x, err, "special file %s is left out",
						  ociwp_quote(entry->path));
	}
	if (entry->device_major >= 1U << 12 || entry->device_minor >= 1U << 20)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "device %u:%u of %s is out of range",
				  entry->device_major, entry->device_minor,
				  ociwp_quote(entry->path));
	mode_t type = entry->type == OCIWP_TAR_FIFO    ? S_IFIFO
		      : entry->type == OCIWP_TAR_BLOCK ? S_IFBLK
						       : S_IFCHR;
	int r = check_owner(x, entry, err);
	if (r == 0)
		r = ociwp_fsys_node(x->fs, at, type,
				    makedev(entry->device_major, entry->device_minor), err);
	if (r < 0)
		return r;
	/* Never opened: opening a device or fifo has effects of its own. */
	if ((same_owner(x) && fchownat(at->fd, at->name, (uint32_t)entry->uid, (uint32_t)entry->gid,
				       AT_SYMLINK_NOFOLLOW) != 0) ||
	    fchmodat(at->fd, at->name, wanted_mode(x, entry), AT_SYMLINK_NOFOLLOW) != 0)
		return ociwp_fail_errno(err, errno, "set the mode of %s", ociwp_quote(entry->path));
	struct timespec times[2] = {{entry->mtime_seconds, (long)entry->mtime_nanoseconds},
				    {entry->mtime_seconds, (long)entry->mtime_nanoseconds}};
	if (utimensat(at->fd, at->name, times, AT_SYMLINK_NOFOLLOW) != 0)
		return ociwp_fail_errno(err, errno, "set the time of %s", ociwp_quote(entry->path));
	return 0;
}

/* --- whiteouts (W1-W6) ---------------------------------------------------------------------- */

static bool keep_seen(void *data, uint64_t parent_inode, const char *name)
{
	return ociwp_seen_has(((ociwp_extraction *)data)->seen, parent_inode, name);
}

/* A directory of a lower layer that stays only for what this layer put in it looks as if this layer
 * had made it, so that the order of marker and siblings does not matter. */
static void bare_directory(void *data, uint64_t inode)
{
	ociwp_dir_look look = {0755, 0, 0};
	(void)ociwp_dirs_set(((ociwp_extraction *)data)->dirs, inode, &look);
}

static int sweep(layer *l, const char *path, const char *victim, ociw_error **err)
{
	ociwp_extraction *x = l->x;
	ociwp_tree_sweep how = {keep_seen, bare_directory, x};
	ociwp_fsys_at at;
	int r = ociwp_fsys_walk(x->fs, path, false, &at, err);
	/* The directory is not there: nothing to remove (W6). */
	if (r == OCIW_ERR_NOTFOUND) {
		drop_error(err);
		return 0;
	}
	if (r < 0)
		return r;
	int e = victim ? ociwp_tree_sweep_name(at.fd, at.inode, victim, true, &how)
		       : ociwp_tree_sweep_in(at.fd, &how);
	ociwp_fsys_forget(x->fs);
	if (e != 0)
		return ociwp_fail_errno(err, e, "apply whiteout %s", ociwp_quote(path));
	return 0;
}

static int apply_whiteout(layer *l, const char *path, ociwp_whiteout kind, const char *victim,
			  ociw_error **err)
{
	if (l->entry->type != OCIWP_TAR_FILE || l->entry->size != 0)
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "whiteout %s is no empty file",
				  ociwp_quote(path));
	/* Nothing lies below the first layer. */
	if (!l->x->seen)
		return 0;
	return sweep(l, path, kind == OCIWP_WHITEOUT_NAME ? victim : NULL, err);
}

/* --- the loop ------------------------------------------------------------------------------- */

static int put_entry(layer *l, const char *path, ociw_error **err)
{
	ociwp_extraction *x = l->x;
	ociwp_fsys_at at;
	if (l->entry->type == OCIWP_TAR_HARDLINK)
		return put_hardlink(l, path, err);
	int r = ociwp_fsys_walk(x->fs, path, true, &at, err);
	if (r < 0)
		return r;
	if (x->seen && !ociwp_seen_add(x->seen, at.inode, at.name))
		return ociwp_nomem(err);
	switch (l->entry->type) {
	case OCIWP_TAR_FILE:
		return put_file(l, &at, err);
	case OCIWP_TAR_DIRECTORY:
		return put_directory(l, &at, err);
	case OCIWP_TAR_SYMLINK:
		return put_symlink(l, &at, err);
	case OCIWP_TAR_CHARACTER:
	case OCIWP_TAR_BLOCK:
	case OCIWP_TAR_FIFO:
		return put_special(l, &at, err);
	case OCIWP_TAR_HARDLINK:
		break;
	}
	return ociwp_fail(err, OCIW_ERR_UNSUPPORTED, "%s is of an unknown kind", ociwp_quote(path));
}

static int apply_entry(layer *l, ociw_error **err)
{
	ociwp_extraction *x = l->x;
	ociwp_whiteout kind;
	const char *victim;
	bool absolute = x->options.flags & OCIW_EXTRACT_ABSOLUTE_NAMES;
	int r = ociwp_extract_name(l->entry->path, l->entry->path_len, &x->limits, absolute,
				   &x->path, err);
	if (r == 0)
		r = ociwp_check_cancel(x->op, err);
	if (r == 0)
		r = ociwp_extract_count(x, err);
	if (r < 0)
		return r;
	if (x->path.len == 0)
		return put_root(l, err);
	r = ociwp_extract_whiteout(x->path.data, &kind, &victim, err);
	if (r < 0)
		return r;
	return kind == OCIWP_WHITEOUT_NONE ? put_entry(l, x->path.data, err)
					   : apply_whiteout(l, x->path.data, kind, victim, err);
}

int ociwp_extract_layer(ociwp_extraction *x, ociw_reader *take_tar, ociwp_pipe *pipe,
			ociw_error **err)
{
	layer l = {.x = x, .pipe = pipe};
	OCIWP_AUTO(tar_reader) ociwp_tar_reader *tar = NULL;
	x->made = 0;
	x->told_xattrs = false;
	int r = ociwp_tar_reader_new(take_tar, x->op, &tar, err);
	if (r < 0)
		return r;
	l.tar = tar;
	while ((r = ociwp_tar_reader_next(tar, &l.entry, err)) > 0) {
		r = apply_entry(&l, err);
		if (r < 0)
			return r;
	}
	if (r == 0)
		r = ociwp_tar_reader_close(ociwp_steal(&tar), err);
	if (r == 0)
		r = ociwp_extract_warnings_end(x, err);
	return r;
}
