/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over the headers. Bodies are skipped without being read, so that opening a large archive
 * costs what its headers cost. Two members of one name are refused: readers disagree which counts.
 */
#include "store/tar-members.h"

#include "archive/tar-reader.h"
#include "base/path.h"
#include "base/str.h"
#include "io/compress.h"
#include "io/tmpblob.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_MEMBERS 100000
#define MAX_NAME_BYTES ((size_t)32 << 20) /* and targets of links */
#define MAX_LINKS 8

/* The tar as a stream; between `skip_from` and `skip_to` nobody looks at the bytes. */
typedef struct header_reader {
	int fd;
	uint64_t offset, end, skip_from, skip_to;
} header_reader;

static ptrdiff_t header_read(void *self, void *buf, size_t len, ociw_error **err)
{
	header_reader *h = self;

	if (h->offset >= h->skip_from && h->offset < h->skip_to) {
		uint64_t left = h->skip_to - h->offset;
		size_t n = left < len ? (size_t)left : len;

		memset(buf, 0, n);
		h->offset += n;
		return (ptrdiff_t)n;
	}
	if (h->end - h->offset < len)
		len = (size_t)(h->end - h->offset);
	for (;;) {
		ssize_t n = pread(h->fd, buf, len, (off_t)h->offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ociwp_fail_errno(err, errno, "read");
		h->offset += (uint64_t)n;
		return n;
	}
}

static int header_close(void *self, ociw_error **err)
{
	(void)err;
	free(self);
	return 0;
}

static void member_free(void *value)
{
	ociwp_tar_member *member = value;

	free(member->link);
	free(member);
}

void ociwp_tar_members_close(ociwp_tar_members *members)
{
	ociwp_map_free(members->by_path);
	if (members->fd >= 0)
		close(members->fd);
	*members = (ociwp_tar_members){.fd = -1};
}

/* Spools what cannot be read at an offset. */
static int spool(int take_fd, const ociw_op *op, int *out_fd, ociw_error **err)
{
	OCIWP_AUTO(reader) ociw_reader *reader = NULL;
	OCIWP_AUTO(writer) ociw_writer *writer = NULL;
	OCIWP_AUTO(fd) int fd = -1;
	ociwp_compression found;
	ociw_reader *raw = NULL;
	ociw_limits limits;

	ociwp_limits_get(op, &limits);
	const ociwp_decode_options decode = {.max_ratio = limits.max_ratio,
	                                     .max_bytes = limits.max_unpacked_bytes,
	                                     .max_zstd_window = limits.max_zstd_window};
	int r = ociw_reader_new_fd(take_fd, &raw, err);
	if (r >= 0)
		r = ociwp_reader_decode(raw, &decode, &found, &reader, err);
	if (r >= 0)
		r = ociwp_reader_limit(ociwp_steal(&reader), limits.max_unpacked_bytes, "archive",
		                       &reader, err);
	if (r >= 0)
		r = ociwp_tmpblob_open(NULL, &fd, err);
	if (r < 0)
		return r;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return ociwp_fail_errno(err, errno, "duplicate a descriptor");
	r = ociw_writer_new_fd(copy, &writer, err);
	if (r >= 0)
		r = ociwp_copy_stream(reader, writer, op, NULL, err);
	if (r >= 0)
		r = ociw_reader_close(ociwp_steal(&reader), err);
	if (r >= 0)
		r = ociw_writer_commit(ociwp_steal(&writer), err);
	if (r >= 0)
		*out_fd = ociwp_steal_fd(&fd);
	return r;
}

/* The descriptor of a plain, seekable tar. */
static int make_seekable(int take_fd, const ociw_op *op, int *out_fd, ociw_error **err)
{
	OCIWP_AUTO(fd) int fd = take_fd;
	unsigned char head[8];
	struct stat st;

	if (fstat(fd, &st) != 0)
		return ociwp_fail_errno(err, errno, "stat");
	if (S_ISDIR(st.st_mode))
		return ociwp_fail(err, OCIW_ERR_FORMAT, "it is a directory");
	if (S_ISREG(st.st_mode)) {
		ssize_t n = pread(fd, head, sizeof(head), 0);

		if (n < 0)
			return ociwp_fail_errno(err, errno, "read");
		if (ociwp_compression_sniff(head, (size_t)n) == OCIWP_COMPRESSION_NONE) {
			*out_fd = ociwp_steal_fd(&fd);
			return 0;
		}
	}
	return spool(ociwp_steal_fd(&fd), op, out_fd, err);
}

/* "./a//b" and "a/b" are one file; NULL for names that are no place inside the archive. */
static char *normal_path(const char *path, size_t len, bool *nomem)
{
	*nomem = false;
	if (len == 0 || path[0] == '/')
		return NULL;
	OCIWP_AUTO(str) char *text = ociwp_strndup(path, len);
	OCIWP_AUTO(str) char *absolute = text ? ociwp_path_absolute("/", text) : NULL;
	*nomem = !absolute;
	if (!absolute || absolute[1] == '\0')
		return NULL;
	/* By text alone "a/../../b" would come back inside: it must not have left. */
	for (const char *p = text; (p = strstr(p, "..")); p += 2) {
		if ((p == text || p[-1] == '/') && (p[2] == '/' || p[2] == '\0'))
			return NULL;
	}
	char *normal = ociwp_strdup(absolute + 1);
	*nomem = !normal;
	return normal;
}

/* Where a link points, from the top of the archive; NULL when that is outside of it. */
static char *link_target(const char *path, const ociwp_tar_entry *entry)
{
	OCIWP_AUTO(str) char *folder = NULL;
	OCIWP_AUTO(str) char *absolute = NULL;

	if (entry->target[0] == '/')
		return NULL;
	if (entry->type == OCIWP_TAR_SYMLINK) {
		OCIWP_AUTO(str) char *copy = ociwp_strdup(path);
		if (!copy)
			return NULL;
		char *slash = strrchr(copy, '/');
		if (slash)
			*slash = '\0';
		else
			*copy = '\0';
		folder = ociwp_path_join("/", copy);
	} else {
		folder = ociwp_strdup("/");
	}
	if (folder)
		absolute = ociwp_path_absolute(folder, entry->target);
	return absolute && absolute[1] ? ociwp_strdup(absolute + 1) : NULL;
}

static int add_member(ociwp_tar_members *members, const ociwp_tar_entry *entry, size_t *name_bytes,
                      ociw_error **err)
{
	OCIWP_AUTO(str) char *path = NULL;
	bool nomem = false;

	path = normal_path(entry->path, entry->path_len, &nomem);
	if (!path)
		return nomem ? ociwp_nomem(err) : 0;
	*name_bytes += entry->path_len;
	if (entry->type != OCIWP_TAR_FILE)
		*name_bytes += strlen(entry->target);
	if (ociwp_map_size(members->by_path) >= MAX_MEMBERS || *name_bytes > MAX_NAME_BYTES)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "more than %d files, or %zu bytes of names",
		                  MAX_MEMBERS, MAX_NAME_BYTES);
	if (ociwp_map_contains(members->by_path, path))
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s is there twice", ociwp_quote(path));
	ociwp_tar_member *member = ociwp_new(ociwp_tar_member);
	if (!member)
		return ociwp_nomem(err);
	member->offset = entry->data_offset;
	member->size = entry->size;
	if (entry->type != OCIWP_TAR_FILE) {
		member->link = link_target(path, entry);
		if (!member->link) { /* points outside: as good as not there */
			free(member);
			return 0;
		}
	}
	if (!ociwp_map_set(members->by_path, path, member)) {
		member_free(member);
		return ociwp_nomem(err);
	}
	return 0;
}

static int read_headers(ociwp_tar_members *members, const ociw_op *op, ociw_error **err)
{
	static const ociw_reader_ops ops = {sizeof(ops), header_read, header_close};
	OCIWP_AUTO(tar_reader) ociwp_tar_reader *tar = NULL;
	const ociwp_tar_entry *entry = NULL;
	ociw_reader *reader = NULL;
	size_t name_bytes = 0;
	struct stat st;

	if (fstat(members->fd, &st) != 0)
		return ociwp_fail_errno(err, errno, "stat");
	header_reader *headers = ociwp_new(header_reader);
	if (!headers)
		return ociwp_nomem(err);
	headers->fd = members->fd;
	headers->end = (uint64_t)st.st_size;
	int r = ociw_reader_new(&ops, headers, &reader, err);
	if (r >= 0)
		r = ociwp_tar_reader_new(reader, op, &tar, err);
	while (r >= 0 && (r = ociwp_tar_reader_next(tar, &entry, err)) == 1) {
		if (entry->size > headers->end - entry->data_offset ||
		    entry->data_offset > headers->end)
			return ociwp_fail(err, OCIW_ERR_SIZE, "the archive ends inside %s",
			                  ociwp_quote_len(entry->path, entry->path_len));
		headers->skip_from = entry->data_offset;
		headers->skip_to = entry->data_offset + entry->size;
		if (entry->type == OCIWP_TAR_FILE || entry->type == OCIWP_TAR_SYMLINK ||
		    entry->type == OCIWP_TAR_HARDLINK)
			r = add_member(members, entry, &name_bytes, err);
	}
	return r;
}

int ociwp_tar_members_open(int take_fd, const ociw_op *op, ociwp_tar_members *out, ociw_error **err)
{
	*out = (ociwp_tar_members){.fd = -1};
	int r = make_seekable(take_fd, op, &out->fd, err);
	if (r >= 0) {
		out->by_path = ociwp_map_new(member_free);
		r = out->by_path ? read_headers(out, op, err) : ociwp_nomem(err);
	}
	if (r < 0)
		ociwp_tar_members_close(out);
	return r < 0 ? r : 0;
}

const ociwp_tar_member *ociwp_tar_members_find(const ociwp_tar_members *members, const char *path)
{
	for (int i = 0; i < MAX_LINKS; i++) {
		const ociwp_tar_member *member = ociwp_map_get(members->by_path, path);

		if (!member || !member->link)
			return member;
		path = member->link;
	}
	return NULL;
}

int ociwp_tar_members_read(const ociwp_tar_members *members, const char *path, uint64_t max,
                           char **out, size_t *out_len, ociw_error **err)
{
	const ociwp_tar_member *member = ociwp_tar_members_find(members, path);
	ociw_reader *reader = NULL;

	*out = NULL;
	if (!member)
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "%s is not in the archive",
		                  ociwp_quote(path));
	int r = ociwp_reader_new_file_range(members->fd, member->offset, member->size, &reader,
	                                    err);
	if (r >= 0)
		r = ociwp_read_all(reader, max, out, out_len, err);
	return r < 0 ? ociwp_wrap(err, r, "%s", ociwp_quote(path)) : 0;
}
