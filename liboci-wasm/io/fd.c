/* SPDX-License-Identifier: Apache-2.0
 *
 * Streams over file descriptors.
 */
#include "io/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct fd_stream {
	int fd;
} fd_stream;

static fd_stream *fd_stream_new(int take_fd)
{
	fd_stream *s = ociwp_new(fd_stream);

	if (s)
		s->fd = take_fd;
	else
		close(take_fd);
	return s;
}

static ptrdiff_t fd_read(void *self, void *buf, size_t len, ociw_error **err)
{
	const fd_stream *s = self;

	for (;;) {
		ssize_t n = read(s->fd, buf, len);
		if (n >= 0)
			return n;
		if (errno != EINTR)
			return ociwp_fail_errno(err, errno, "read");
	}
}

static int fd_reader_close(void *self, ociw_error **err)
{
	fd_stream *s = self;

	(void)err;
	close(s->fd); /* of a file that was only read: nothing can be lost */
	free(s);
	return 0;
}

int ociw_reader_new_fd(int take_fd, ociw_reader **out, ociw_error **err)
{
	static const ociw_reader_ops ops = {sizeof(ops), fd_read, fd_reader_close};
	fd_stream *s = fd_stream_new(take_fd);

	*out = NULL;
	return s ? ociw_reader_new(&ops, s, out, err) : ociwp_nomem(err);
}

static int fd_write(void *self, const void *buf, size_t len, ociw_error **err)
{
	const fd_stream *s = self;
	int errnum = ociwp_write_full(s->fd, buf, len);

	return errnum ? ociwp_fail_errno(err, errnum, "write") : 0;
}

static int fd_commit(void *self, ociw_error **err)
{
	fd_stream *s = self;
	int r = 0;

	if (close(s->fd) != 0 && errno != EINTR)
		r = ociwp_fail_errno(err, errno, "close");
	free(s);
	return r;
}

static void fd_abort(void *self)
{
	fd_stream *s = self;

	close(s->fd);
	free(s);
}

int ociw_writer_new_fd(int take_fd, ociw_writer **out, ociw_error **err)
{
	static const ociw_writer_ops ops = {sizeof(ops), fd_write, fd_commit, fd_abort};
	fd_stream *s = fd_stream_new(take_fd);

	*out = NULL;
	return s ? ociw_writer_new(&ops, s, out, err) : ociwp_nomem(err);
}

typedef struct range_reader {
	int fd;
	uint64_t offset, left;
} range_reader;

static ptrdiff_t range_read(void *self, void *buf, size_t len, ociw_error **err)
{
	range_reader *s = self;
	size_t want = s->left < len ? (size_t)s->left : len;

	while (want) {
		ssize_t n = pread(s->fd, buf, want, (off_t)s->offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ociwp_fail_errno(err, errno, "read");
		if (n == 0)
			return ociwp_fail(err, OCIW_ERR_SIZE,
					  "the file ends %llu bytes early",
					  (unsigned long long)s->left);
		s->offset += (uint64_t)n;
		s->left -= (uint64_t)n;
		return n;
	}
	return 0;
}

static int range_close(void *self, ociw_error **err)
{
	(void)err;
	free(self);
	return 0;
}

int ociwp_reader_new_file_range(int fd, uint64_t offset, uint64_t len, ociw_reader **out,
				ociw_error **err)
{
	static const ociw_reader_ops ops = {sizeof(ops), range_read, range_close};
	uint64_t end;

	*out = NULL;
	if (!ociwp_add_ok(offset, len, &end) || end > INT64_MAX)
		return ociwp_fail(err, OCIW_ERR_INVALID, "range is past the end of any file");
	range_reader *s = ociwp_new(range_reader);
	if (!s)
		return ociwp_nomem(err);
	*s = (range_reader){fd, offset, len};
	return ociw_reader_new(&ops, s, out, err);
}

bool ociwp_is_named(int dir, const char *name, int fd)
{
	struct stat held, named;
	return fstat(fd, &held) == 0 && fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}
