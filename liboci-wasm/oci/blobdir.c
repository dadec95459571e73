/* SPDX-License-Identifier: Apache-2.0
 *
 * Blobs by digest under one directory descriptor. No path strings: a digest gives exactly two
 * components, both checked, neither followed when it is a symbolic link.
 */
#include "oci/blobdir.h"

#include "base/path.h"
#include "base/str.h"
#include "io/stream.h"
#include "oci/descriptor.h"
#include "oci/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

bool ociwp_blobdir_name_is_safe(const char *digest)
{
	ociw_digest value;

	if (!digest || !ociw_digest_is_valid(digest))
		return false;
	if (ociw_digest_parse(digest, &value, NULL) == OCIW_ERR_INVALID)
		return false;
	const char *colon = strchr(digest, ':');
	return ociwp_path_is_component(digest, (size_t)(colon - digest)) &&
	       ociwp_path_is_component(colon + 1, strlen(colon + 1));
}

int ociwp_blobdir_open_algorithm(int blobs_fd, const char *digest, bool create, int *out_fd,
                                 const char **encoded, ociw_error **err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	char algorithm[NAME_MAX + 1];

	*out_fd = -1;
	if (!ociwp_blobdir_name_is_safe(digest))
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s is no digest", ociwp_quote(digest));
	size_t len = (size_t)(strchr(digest, ':') - digest);
	memcpy(algorithm, digest, len);
	algorithm[len] = '\0';
	*encoded = digest + len + 1;
	if (blobs_fd < 0)
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "there is no blobs directory");
	int fd = openat(blobs_fd, algorithm, flags);
	if (fd < 0 && errno == ENOENT && create) {
		if (mkdirat(blobs_fd, algorithm, 0777) != 0 && errno != EEXIST)
			return ociwp_fail_errno(err, errno, "make blobs/%s", algorithm);
		fd = openat(blobs_fd, algorithm, flags);
	}
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "blobs/%s is not a plain directory",
		                  algorithm);
	if (fd < 0)
		return ociwp_fail_errno(err, errno, "open blobs/%s", algorithm);
	*out_fd = fd;
	return 0;
}

int ociwp_blobdir_open(int blobs_fd, const char *digest, int *out_fd, uint64_t *out_size,
                       ociw_error **err)
{
	OCIWP_AUTO(fd) int dir_fd = -1;
	OCIWP_AUTO(fd) int fd = -1;
	const char *encoded;
	struct stat st;

	*out_fd = -1;
	int r = ociwp_blobdir_open_algorithm(blobs_fd, digest, false, &dir_fd, &encoded, err);
	if (r < 0)
		return r;
	/* Not blocking: a FIFO in the place of a blob must not hang us. */
	fd = openat(dir_fd, encoded, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ELOOP)
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "it is a symbolic link");
	if (fd < 0)
		return ociwp_fail_errno(err, errno, "open");
	if (fstat(fd, &st) != 0)
		return ociwp_fail_errno(err, errno, "stat");
	if (!S_ISREG(st.st_mode))
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "it is not a plain file");
	*out_size = (uint64_t)st.st_size;
	*out_fd = ociwp_steal_fd(&fd);
	return 0;
}

int ociwp_blobdir_has(int blobs_fd, const char *digest, uint64_t size, bool *out, ociw_error **err)
{
	OCIWP_AUTO(fd) int dir_fd = -1;
	const char *encoded;
	struct stat st;
	ociw_error *why = NULL;

	*out = false;
	int r = ociwp_blobdir_open_algorithm(blobs_fd, digest, false, &dir_fd, &encoded, &why);
	if (r == OCIW_ERR_NOTFOUND) {
		ociw_error_free(why);
		return 0;
	}
	if (r < 0)
		return ociwp_error_move(err, why);
	if (fstatat(dir_fd, encoded, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno == ENOENT)
			return 0;
		return ociwp_fail_errno(err, errno, "stat");
	}
	*out = S_ISREG(st.st_mode) && (uint64_t)st.st_size == size;
	return 0;
}

int ociwp_blobdir_reader(int blobs_fd, const ociw_descriptor *desc, uint64_t offset,
                         ociw_reader **out, ociw_error **err)
{
	OCIWP_AUTO(fd) int fd = -1;
	uint64_t size = 0;

	*out = NULL;
	int r = ociwp_blobdir_open(blobs_fd, desc->digest, &fd, &size, err);
	if (r < 0)
		return r;
	if (size != desc->size)
		return ociwp_fail(err, OCIW_ERR_SIZE, "it has %llu bytes, expected %llu",
		                  (unsigned long long)size, (unsigned long long)desc->size);
	if (offset > size)
		return ociwp_fail(err, OCIW_ERR_INVALID, "offset %llu is past the end",
		                  (unsigned long long)offset);
	if (offset && lseek(fd, (off_t)offset, SEEK_SET) < 0)
		return ociwp_fail_errno(err, errno, "seek");
	return ociw_reader_new_fd(ociwp_steal_fd(&fd), out, err);
}

int ociwp_blobdir_read(int blobs_fd, const ociw_descriptor *desc, const ociw_op *op, char **out,
                       size_t *out_len, ociw_error **err)
{
	ociw_reader *raw = NULL, *reader = NULL;
	ociw_limits limits;
	ociw_digest digest;

	*out = NULL;
	ociwp_limits_get(op, &limits);
	if (desc->size > limits.max_manifest_bytes)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "manifest of %llu bytes, the limit is %llu",
		                  (unsigned long long)desc->size,
		                  (unsigned long long)limits.max_manifest_bytes);
	int r = ociwp_descriptor_get_digest(desc, &digest, err);
	if (r >= 0)
		r = ociwp_blobdir_reader(blobs_fd, desc, 0, &raw, err);
	if (r >= 0)
		r = ociwp_reader_verify(raw, &digest, desc->size, &reader, err);
	if (r < 0)
		return r;
	return ociwp_read_all(reader, limits.max_manifest_bytes, out, out_len, err);
}

int ociwp_blobdir_describe(int blobs_fd, const char *digest, const ociw_op *op,
                           ociw_descriptor **out, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *blob = NULL;
	OCIWP_AUTO(str) char *bytes = NULL;
	OCIWP_AUTO(fd) int fd = -1;
	const char *media_type = NULL;
	uint64_t size = 0;
	size_t len = 0;

	*out = NULL;
	int r = ociwp_blobdir_open(blobs_fd, digest, &fd, &size, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s", digest);
	r = ociw_descriptor_new("application/octet-stream", digest, size, &blob, err);
	if (r >= 0)
		r = ociwp_blobdir_read(blobs_fd, blob, op, &bytes, &len, err);
	if (r >= 0)
		r = ociwp_manifest_identify((ociw_span){bytes, len}, &media_type, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s", digest);
	if (!media_type)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s is a blob, but no manifest", digest);
	return ociw_descriptor_new(media_type, digest, size, out, err);
}

int ociwp_blobdir_stat(int blobs_fd, const char *digest, uint64_t *out_size, ociw_error **err)
{
	OCIWP_AUTO(fd) int fd = -1;

	return ociwp_blobdir_open(blobs_fd, digest, &fd, out_size, err);
}

/* A stream over a directory that must not be a link; its descriptor is of its own. */
static int open_stream(int at_fd, const char *name, DIR **out, ociw_error **err)
{
	int fd = openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	*out = fd >= 0 ? fdopendir(fd) : NULL;
	if (*out)
		return 0;
	int errnum = errno;
	if (fd >= 0)
		close(fd);
	return ociwp_fail_errno(err, errnum, "list blobs/%s", name);
}

/* A listing that breaks off is an error: what it did not show would pass for absent. */
static const struct dirent *next_item(DIR *dir, int *r, ociw_error **err)
{
	errno = 0;
	const struct dirent *item = readdir(dir);
	if (!item && errno)
		*r = ociwp_fail_errno(err, errno, "list blobs");
	return item;
}

static int each_of_algorithm(int blobs_fd, const char *algorithm, ociwp_blobdir_each_cb cb,
                             void *user_data, ociw_error **err)
{
	char digest[2 * NAME_MAX + 2];
	DIR *dir = NULL;
	struct stat st;

	int r = open_stream(blobs_fd, algorithm, &dir, err);
	if (r < 0)
		return r;
	for (const struct dirent *item; r == 0 && (item = next_item(dir, &r, err));) {
		snprintf(digest, sizeof(digest), "%s:%s", algorithm, item->d_name);
		if (!ociwp_blobdir_name_is_safe(digest))
			continue;
		if (fstatat(dirfd(dir), item->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
			if (errno != ENOENT)
				r = ociwp_fail_errno(err, errno, "stat %s", ociwp_quote(digest));
			continue;
		}
		const ociwp_blobdir_entry entry = {digest, (uint64_t)st.st_size,
		                                   (int64_t)st.st_mtime, dirfd(dir), item->d_name};
		r = cb(&entry, user_data, err);
	}
	closedir(dir);
	return r;
}

int ociwp_blobdir_each(int blobs_fd, ociwp_blobdir_each_cb cb, void *user_data, ociw_error **err)
{
	DIR *dir = NULL;
	struct stat st;

	if (blobs_fd < 0)
		return 0;
	int r = open_stream(blobs_fd, ".", &dir, err);
	if (r < 0)
		return r;
	for (const struct dirent *item; r == 0 && (item = next_item(dir, &r, err));) {
		if (item->d_name[0] == '.')
			continue;
		if (fstatat(blobs_fd, item->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
			if (errno != ENOENT)
				r = ociwp_fail_errno(err, errno, "stat %s",
				                     ociwp_quote(item->d_name));
			continue;
		}
		if (!S_ISDIR(st.st_mode))
			continue;
		r = each_of_algorithm(blobs_fd, item->d_name, cb, user_data, err);
	}
	closedir(dir);
	return r;
}
