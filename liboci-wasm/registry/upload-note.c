/* SPDX-License-Identifier: Apache-2.0
 *
 * Files in a folder of the user's own, one an upload: the location, a newline. The location is a
 * capability in many registries, so nobody else may read it; the lock says that it is in use and
 * goes with the process. It knows nothing about uploads.
 */
#include "registry/upload-note.h"

#include "base/buf.h"
#include "base/str.h"
#include <dirent.h>
#include <fcntl.h>
#include <oci-wasm/digest.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "upload-"
#define LOCATION_MAX 8192

/* Whatever fails here shows when the folder is opened. */
static void make_folders(const char *dir)
{
	OCIWP_AUTO(str) char *path = ociwp_strdup(dir);
	if (!path)
		return;
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		(void)mkdir(path, 0700);
		*slash = '/';
	}
	(void)mkdir(path, 0700);
}

/* Ours, and nobody else may write. */
static bool is_private(int fd, mode_t type)
{
	struct stat st;
	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() &&
	       (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static bool is_fresh(const struct stat *st)
{
	return time(NULL) - st->st_mtime < (time_t)OCIWP_UPLOAD_NOTE_DAYS * 24 * 3600;
}

/* What no registry remembers any more. */
static void sweep(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		struct stat st;
		if (ociwp_starts_with(entry->d_name, PREFIX) &&
		    fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && !is_fresh(&st))
			(void)unlinkat(dir_fd, entry->d_name, 0);
	}
	closedir(dir);
}

static bool make_name(ociwp_upload_note *note, const char *host, const char *repository,
                      const char *digest)
{
	OCIWP_AUTO(buf) ociwp_buf key = OCIWP_BUF_INIT;
	char text[OCIW_DIGEST_TEXT_MAX];
	ociw_digest hash;
	ociwp_buf_printf(&key, "%s/%s@%s", host, repository, digest);
	if (key.failed ||
	    ociw_digest_bytes(OCIW_DIGEST_SHA256, ociwp_buf_span(&key), &hash, NULL) < 0)
		return false;
	ociw_digest_format(&hash, text);
	int n = snprintf(note->name, sizeof(note->name), PREFIX "%s", strchr(text, ':') + 1);
	return n > 0 && (size_t)n < sizeof(note->name);
}

/* The lock may be that of a file which its owner removed just now. */
static bool is_named(const ociwp_upload_note *note)
{
	struct stat here, there;
	return fstat(note->fd, &here) == 0 &&
	       fstatat(note->dir_fd, note->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

bool ociwp_upload_note_open(ociwp_upload_note *note, const char *dir, const char *host,
                            const char *repository, const char *digest)
{
	*note = (ociwp_upload_note)OCIWP_UPLOAD_NOTE_INIT;
	if (!dir || !make_name(note, host, repository, digest))
		return false;
	make_folders(dir);
	note->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (note->dir_fd >= 0 && is_private(note->dir_fd, S_IFDIR)) {
		sweep(note->dir_fd);
		note->fd = openat(note->dir_fd, note->name,
		                  O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	}
	if (note->fd >= 0 && is_private(note->fd, S_IFREG) &&
	    flock(note->fd, LOCK_EX | LOCK_NB) == 0 && is_named(note))
		return true;
	ociwp_upload_note_close(note, true);
	return false;
}

char *ociwp_upload_note_read(const ociwp_upload_note *note)
{
	char text[LOCATION_MAX + 1];
	struct stat st;
	if (note->fd < 0 || fstat(note->fd, &st) != 0 || !is_fresh(&st))
		return NULL;
	ssize_t n = pread(note->fd, text, sizeof(text), 0);
	/* A note that was cut off has no newline. */
	if (n < 2 || n > LOCATION_MAX || text[n - 1] != '\n')
		return NULL;
	for (ssize_t i = 0; i < n - 1; i++) {
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7F)
			return NULL;
	}
	return ociwp_strndup(text, (size_t)n - 1);
}

void ociwp_upload_note_write(const ociwp_upload_note *note, const char *location)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	if (note->fd < 0 || strlen(location) >= LOCATION_MAX)
		return;
	ociwp_buf_printf(&text, "%s\n", location);
	if (text.failed || ftruncate(note->fd, 0) != 0)
		return;
	if (pwrite(note->fd, text.data, text.len, 0) != (ssize_t)text.len)
		(void)!ftruncate(note->fd, 0);
	explicit_bzero(text.data, text.len);
}

void ociwp_upload_note_close(ociwp_upload_note *note, bool keep)
{
	if (note->fd >= 0) {
		if (!keep)
			(void)unlinkat(note->dir_fd, note->name, 0);
		close(note->fd);
	}
	if (note->dir_fd >= 0)
		close(note->dir_fd);
	*note = (ociwp_upload_note)OCIWP_UPLOAD_NOTE_INIT;
}
