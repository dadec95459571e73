/* SPDX-License-Identifier: Apache-2.0
 *
 * One file of credentials on disk. What is in it is the library's affair (docker-config.h); here it
 * is read whole, wiped after use, and replaced atomically. CRD-7.
 */
#include "credential-file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (4 * 1024 * 1024)

static int fail(ociw_error **err, const char *what, const char *path)
{
	int e = errno;

	return ociw_error_set(err, e == ENOENT ? OCIW_ERR_NOTFOUND : OCIW_ERR_IO, "%s \"%s\": %s",
	                      what, path, strerror(e));
}

static void wipe(char *text, size_t len)
{
	if (text)
		explicit_bzero(text, len);
	free(text);
}

int credential_file_read(const char *path, ociw_docker_config **out, ociw_error **err)
{
	struct stat st;

	*out = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return fail(err, "open", path);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		close(fd);
		return ociw_error_set(err, OCIW_ERR_INVALID,
		                      "\"%s\" is no file of credentials (too large, or no file)",
		                      path);
	}
	size_t size = (size_t)st.st_size, len = 0;
	char *text = malloc(size + 1);
	ssize_t n = 1;
	while (text && len < size && n > 0) {
		n = read(fd, text + len, size - len);
		if (n > 0)
			len += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	int r = 0;
	if (!text || n < 0)
		r = fail(err, "read", path);
	close(fd);
	if (r == 0) {
		ociw_error *why = NULL;
		r = ociw_docker_config_parse((ociw_span){text, len}, out, &why);
		if (r < 0)
			ociw_error_set(err, (ociw_code)r, "\"%s\": %s", path,
			               ociw_error_message(why));
		ociw_error_free(why);
	}
	wipe(text, size);
	return r;
}

/* The file behind a symlink, whether or not it is there; to be freed. */
static char *real_target(const char *path)
{
	char *real = realpath(path, NULL);
	char link[PATH_MAX];

	if (real || errno != ENOENT)
		return real;
	ssize_t n = readlink(path, link, sizeof(link) - 1);
	if (n <= 0)
		return strdup(path);
	link[n] = 0;
	if (link[0] == '/')
		return strdup(link);
	char *dir = strdup(path);
	char *out = NULL;
	if (dir && asprintf(&out, "%s/%s", dirname(dir), link) < 0)
		out = NULL;
	free(dir);
	return out;
}

static int make_parents(const char *dir, ociw_error **err)
{
	char *copy = strdup(dir);

	if (!copy)
		return ociw_error_set(err, OCIW_ERR_NOMEM, "out of memory");
	for (char *p = copy + 1;; p++) {
		if (*p && *p != '/')
			continue;
		char end = *p;
		*p = 0;
		if (mkdir(copy, 0700) != 0 && errno != EEXIST) {
			int r = fail(err, "create", copy);
			free(copy);
			return r;
		}
		*p = end;
		if (!end)
			break;
	}
	free(copy);
	return 0;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	return fsync(fd);
}

static int replace(const char *path, const ociw_docker_config *config, ociw_error **err)
{
	char *text = NULL, *temp = NULL;

	int r = ociw_docker_config_format(config, &text, err);
	if (r < 0)
		return r;
	size_t len = strlen(text);
	if (asprintf(&temp, "%s.XXXXXX", path) < 0) {
		wipe(text, len);
		return ociw_error_set(err, OCIW_ERR_NOMEM, "out of memory");
	}
	int fd = mkostemp(temp, O_CLOEXEC); /* mode 0600 */
	if (fd < 0) {
		r = fail(err, "create", temp);
	} else {
		bool good = write_all(fd, text, len) == 0;
		good = close(fd) == 0 && good;
		if (!good || rename(temp, path) != 0) {
			r = fail(err, "write", path);
			unlink(temp);
		}
	}
	wipe(text, len);
	free(temp);
	return r;
}

static int change_locked(const char *path,
                         int (*change)(ociw_docker_config *, void *, ociw_error **),
                         void *user_data, ociw_error **err)
{
	ociw_docker_config *config = NULL;
	ociw_error *why = NULL;

	int r = credential_file_read(path, &config, &why);
	if (r == OCIW_ERR_NOTFOUND) {
		ociw_error_free(why);
		why = NULL;
		r = ociw_docker_config_parse((ociw_span){NULL, 0}, &config, &why);
	}
	if (r >= 0)
		r = change(config, user_data, &why);
	if (r > 0) {
		int written = replace(path, config, &why);
		if (written < 0)
			r = written;
	}
	ociw_docker_config_free(config);
	if (r < 0 && err)
		*err = why;
	else
		ociw_error_free(why);
	return r;
}

int credential_file_change(const char *path,
                           int (*change)(ociw_docker_config *config, void *user_data,
                                         ociw_error **err),
                           void *user_data, ociw_error **err)
{
	char *real = real_target(path);
	char *dir = real ? strdup(real) : NULL;

	if (!dir) {
		free(real);
		return fail(err, "find", path);
	}
	int r = make_parents(dirname(dir), err);
	int lock = r == 0 ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (r == 0) {
		/* Where folders cannot be locked, the rename alone must do. */
		if (lock >= 0)
			(void)flock(lock, LOCK_EX);
		r = change_locked(real, change, user_data, err);
	}
	if (lock >= 0)
		close(lock);
	free(dir);
	free(real);
	return r;
}
