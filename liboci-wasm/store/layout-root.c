/* SPDX-License-Identifier: Apache-2.0
 *
 * Directory, locks and small files of a layout. Two locks, both released by the kernel whatever
 * happens to the process: a shared flock on `blobs` says "a writer is here" and keeps gc away; an
 * exclusive flock on `index.json.lock` orders changes of names (LAY-6).
 */
#include "store/layout-root.h"

#include "base/path.h"
#include "base/str.h"
#include "codec/json.h"
#include "io/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_NAME "index.json.lock"
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#define VERSION_FILE_MAX 4096

const char ociwp_layout_version_text[] = "{\"imageLayoutVersion\":\"1.0.0\"}";

int ociwp_layout_check_version(ociw_span text, ociw_error **err)
{
	OCIWP_AUTO(json) json_t *doc = NULL;
	const char *version = NULL;

	int r = ociwp_json_parse(text, "oci-layout", 0, &doc, err);
	if (r >= 0)
		r = ociwp_json_need_string(doc, "oci-layout", "imageLayoutVersion", &version, err);
	if (r < 0)
		return r;
	if (strcmp(version, "1.0.0") != 0)
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
		                  "layout version %s, only 1.0.0 is known", ociwp_quote(version));
	return 0;
}

int ociwp_layout_read_file(ociwp_layout *layout, const char *name, uint64_t max, char **out,
                           size_t *out_len, ociw_error **err)
{
	OCIWP_AUTO(fd) int fd = -1;
	ociw_reader *reader = NULL;
	struct stat st;

	*out = NULL;
	pthread_mutex_lock(&layout->mutex);
	int root_fd = layout->root_fd;
	pthread_mutex_unlock(&layout->mutex);
	if (root_fd < 0)
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "there is no layout yet");
	fd = openat(root_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ELOOP)
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "%s is a symbolic link", name);
	if (fd < 0 || fstat(fd, &st) != 0)
		return ociwp_fail_errno(err, errno, "open %s", name);
	if (!S_ISREG(st.st_mode))
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "%s is not a plain file", name);
	int r = ociw_reader_new_fd(ociwp_steal_fd(&fd), &reader, err);
	if (r >= 0)
		r = ociwp_read_all(reader, max, out, out_len, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s", name);
	return 0;
}

int ociwp_layout_sync_dir(const ociwp_layout *layout, int fd, const char *what, ociw_error **err)
{
	if (layout->flags & OCIW_LAYOUT_NO_SYNC)
		return 0;
	/* Some file systems cannot sync a directory; there is nothing to do about it. */
	if (fsync(fd) != 0 && errno != EINVAL && errno != EROFS)
		return ociwp_fail_errno(err, errno, "sync %s", what);
	return 0;
}

int ociwp_layout_replace_file(ociwp_layout *layout, const char *name, ociw_span bytes,
                              ociw_error **err)
{
	OCIWP_AUTO(fd) int fd = -1;
	char temp[64];

	/* One name is enough under the lock; what a killed writer left is overwritten. */
	snprintf(temp, sizeof(temp), ".%s.new", name);
	if (unlinkat(layout->root_fd, temp, 0) != 0 && errno != ENOENT)
		return ociwp_fail_errno(err, errno, "remove %s", temp);
	fd = openat(layout->root_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	            0666);
	if (fd < 0)
		return ociwp_fail_errno(err, errno, "make %s", temp);
	int errnum = ociwp_write_full(fd, bytes.data, bytes.len);
	if (!errnum && !(layout->flags & OCIW_LAYOUT_NO_SYNC) && fsync(fd) != 0)
		errnum = errno;
	if (!errnum && renameat(layout->root_fd, temp, layout->root_fd, name) != 0)
		errnum = errno;
	if (errnum) {
		unlinkat(layout->root_fd, temp, 0);
		return ociwp_fail_errno(err, errnum, "write %s", name);
	}
	return ociwp_layout_sync_dir(layout, layout->root_fd, "the layout", err);
}

int ociwp_layout_flock(int fd, int how, bool wait, const ociw_op *op, ociw_error **err)
{
	struct timespec pause = {0, 1000 * 1000};

	for (;;) {
		if (flock(fd, how | LOCK_NB) == 0)
			return 0;
		if (errno != EINTR && errno != EWOULDBLOCK)
			return ociwp_fail_errno(err, errno, "lock");
		if (errno == EWOULDBLOCK && !wait)
			return ociwp_fail(err, OCIW_ERR_BUSY, "another process is using it");
		int r = ociwp_check_cancel(op, err);
		if (r < 0)
			return r;
		/* Polling, so that cancellation works; the lock is held for milliseconds. */
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 16 * 1000 * 1000)
			pause.tv_nsec *= 2;
	}
}

int ociwp_layout_lock(ociwp_layout *layout, const ociw_op *op, int *out_fd, ociw_error **err)
{
	const int flags = O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

	*out_fd = -1;
	for (;;) {
		OCIWP_AUTO(fd) int fd = openat(layout->root_fd, LOCK_NAME, O_RDWR | flags, 0666);

		if (fd < 0 && errno == EACCES) /* another user's; reading is enough to lock it */
			fd = openat(layout->root_fd, LOCK_NAME, O_RDONLY | flags, 0666);
		if (fd < 0)
			return ociwp_fail_errno(err, errno, "open " LOCK_NAME);
		int r = ociwp_layout_flock(fd, LOCK_EX, true, op, err);
		if (r < 0)
			return ociwp_wrap(err, r, LOCK_NAME);
		/* Its last holder may have removed it while we waited: then it locks nobody out. */
		if (ociwp_is_named(layout->root_fd, LOCK_NAME, fd)) {
			*out_fd = ociwp_steal_fd(&fd);
			return 0;
		}
	}
}

void ociwp_layout_unlock(ociwp_layout *layout, int fd)
{
	if (fd < 0)
		return;
	unlinkat(layout->root_fd, LOCK_NAME, 0);
	close(fd);
}

int ociwp_layout_blobs(ociwp_layout *layout)
{
	pthread_mutex_lock(&layout->mutex);
	int fd = layout->blobs_fd;
	pthread_mutex_unlock(&layout->mutex);
	return fd;
}

static int open_blobs(ociwp_layout *layout, ociw_error **err)
{
	int fd = openat(layout->root_fd, "blobs", DIR_FLAGS | O_NOFOLLOW);

	if (fd >= 0) {
		layout->blobs_fd = fd;
		return 0;
	}
	if (errno == ENOENT) /* LAY-1 wants it even when empty; its absence harms nobody */
		return 0;
	if (errno == ENOTDIR || errno == ELOOP)
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "blobs is not a plain directory");
	return ociwp_fail_errno(err, errno, "open blobs");
}

static int make_directories(ociwp_layout *layout, ociw_error **err)
{
	if (layout->root_fd < 0) {
		if (mkdirat(layout->parent_fd, layout->base, 0777) == 0)
			layout->made_root = true;
		else if (errno != EEXIST)
			return ociwp_fail_errno(err, errno, "make %s", ociwp_quote(layout->base));
		layout->root_fd = openat(layout->parent_fd, layout->base, DIR_FLAGS);
		if (layout->root_fd < 0)
			return ociwp_fail_errno(err, errno, "open %s", ociwp_quote(layout->base));
	}
	if (layout->blobs_fd >= 0)
		return 0;
	if (mkdirat(layout->root_fd, "blobs", 0777) != 0 && errno != EEXIST)
		return ociwp_fail_errno(err, errno, "make blobs");
	int r = open_blobs(layout, err);
	if (r >= 0 && layout->blobs_fd < 0)
		return ociwp_fail(err, OCIW_ERR_BUSY, "blobs is removed as often as it is made");
	return r;
}

/* Another process made these directories, wrote nothing and took them away before we had the lock.
 */
static void forget_removed(ociwp_layout *layout)
{
	close(layout->blobs_fd);
	layout->blobs_fd = -1;
	if (layout->parent_fd >= 0) {
		close(layout->root_fd);
		layout->root_fd = -1;
	}
}

int ociwp_layout_begin_write(ociwp_layout *layout, const ociw_op *op, ociw_error **err)
{
	int r = 0;

	if (!(layout->flags & OCIW_LAYOUT_WRITE))
		return ociwp_fail(err, OCIW_ERR_INVALID, "it was opened for reading only");
	pthread_mutex_lock(&layout->mutex);
	while (r >= 0 && !layout->writing) {
		r = make_directories(layout, err);
		if (r >= 0)
			r = ociwp_layout_flock(layout->blobs_fd, LOCK_SH, true, op, err);
		if (r < 0)
			break;
		layout->writing = ociwp_is_named(layout->root_fd, "blobs", layout->blobs_fd);
		if (layout->writing)
			r = 1;
		else
			forget_removed(layout);
	}
	pthread_mutex_unlock(&layout->mutex);
	return r;
}

static int open_root(ociwp_layout *layout, const char *path, ociw_error **err)
{
	layout->root_fd = open(path, DIR_FLAGS);
	if (layout->root_fd >= 0)
		return 0;
	if (errno == ENOTDIR)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "it is not a directory");
	if (errno != ENOENT || !(layout->flags & OCIW_LAYOUT_CREATE))
		return ociwp_fail_errno(err, errno, "open");

	/* Now, by descriptor: the current directory may be another one when it is made. */
	OCIWP_AUTO(str) char *parent = ociwp_strdup(path);
	if (!parent)
		return ociwp_nomem(err);
	size_t len = strlen(parent);
	while (len > 1 && parent[len - 1] == '/')
		parent[--len] = '\0';
	char *slash = strrchr(parent, '/');
	layout->base = ociwp_strdup(slash ? slash + 1 : parent);
	if (!layout->base)
		return ociwp_nomem(err);
	if (slash)
		slash[slash == parent] = '\0'; /* "/x": its parent is "/" */
	layout->parent_fd = open(slash ? parent : ".", DIR_FLAGS);
	if (layout->parent_fd < 0)
		return ociwp_fail_errno(err, errno, "open the folder it is to be made in");
	return 0;
}

static int check_existing(ociwp_layout *layout, ociw_error **err)
{
	OCIWP_AUTO(str) char *text = NULL;
	ociw_error *why = NULL;
	size_t len = 0;
	struct stat st;

	layout->published = fstatat(layout->root_fd, "index.json", &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!layout->published && errno != ENOENT)
		return ociwp_fail_errno(err, errno, "stat index.json");
	int r = ociwp_layout_read_file(layout, "oci-layout", VERSION_FILE_MAX, &text, &len, &why);
	if (r >= 0) {
		r = ociwp_layout_check_version((ociw_span){text, len}, err);
	} else if (r != OCIW_ERR_NOTFOUND) {
		return ociwp_error_move(err, why);
	} else {
		ociw_error_free(why);
		/* Blobs of a writer that was killed before its first manifest are no layout yet. */
		if (!(layout->flags & OCIW_LAYOUT_CREATE) || layout->published)
			return ociwp_fail(err, OCIW_ERR_FORMAT,
			                  "no OCI layout: oci-layout is missing");
		r = 0;
	}
	if (r >= 0 && !layout->published && !(layout->flags & OCIW_LAYOUT_CREATE))
		return ociwp_fail(err, OCIW_ERR_FORMAT, "no OCI layout: index.json is missing");
	return r < 0 ? r : open_blobs(layout, err);
}

int ociwp_layout_root_open(const char *path, unsigned flags, ociwp_layout **out, ociw_error **err)
{
	int r = 0;

	*out = NULL;
	if ((flags & (OCIW_LAYOUT_CREATE | OCIW_LAYOUT_NO_SYNC)) && !(flags & OCIW_LAYOUT_WRITE))
		return ociwp_fail(err, OCIW_ERR_INVALID, "CREATE and NO_SYNC go with WRITE only");
	if (!*path)
		return ociwp_fail(err, OCIW_ERR_INVALID, "the path of a layout is empty");
	ociwp_layout *layout = ociwp_new(ociwp_layout);
	if (!layout)
		return ociwp_nomem(err);
	pthread_mutex_init(&layout->mutex, NULL);
	layout->flags = flags;
	layout->parent_fd = layout->root_fd = layout->blobs_fd = -1;
	r = open_root(layout, path, err);
	if (r >= 0 && layout->root_fd >= 0)
		r = check_existing(layout, err);
	if (r < 0) {
		ociwp_layout_root_free(layout);
		return r;
	}
	*out = layout;
	return 0;
}

/* What was made for nothing, unless another writer is there. Every step fails where something is
 * inside, and that is right. */
static void remove_empty(ociwp_layout *layout)
{
	if (flock(layout->blobs_fd, LOCK_EX | LOCK_NB) != 0)
		return;
	unlinkat(layout->blobs_fd, "sha256", AT_REMOVEDIR);
	unlinkat(layout->blobs_fd, "sha512", AT_REMOVEDIR);
	if (unlinkat(layout->root_fd, "blobs", AT_REMOVEDIR) == 0 && layout->made_root)
		unlinkat(layout->parent_fd, layout->base, AT_REMOVEDIR);
}

void ociwp_layout_root_free(ociwp_layout *layout)
{
	if (!layout)
		return;
	if (layout->writing) {
		unlinkat(layout->root_fd, "ingest", AT_REMOVEDIR);
		if (!layout->published)
			remove_empty(layout);
	}
	if (layout->blobs_fd >= 0)
		close(layout->blobs_fd);
	if (layout->root_fd >= 0)
		close(layout->root_fd);
	if (layout->parent_fd >= 0)
		close(layout->parent_fd);
	pthread_mutex_destroy(&layout->mutex);
	free(layout->base);
	free(layout);
}
