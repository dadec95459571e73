/* SPDX-License-Identifier: Apache-2.0
 *
 * Staging beside the destination, in a folder that others can tell from what dead runs left (io/workdir).
 */
#include "ops/extract-staging.h"

#include "base/path.h"
#include "base/str.h"
#include "io/workdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct ociwp_staging {
	char *destination; /* absolute */
	const char *name;  /* its last part */
	int parent;        /* opened for reading; -1 once the folder has it */
	ociwp_workdir folder;
};

/* Absent or an empty directory; anything else is not ours to replace. */
static int look_at_destination(int parent, const char *name, const char *destination,
			       ociw_error **err)
{
	struct stat st;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0
				       : ociwp_fail_errno(err, errno, "look at %s",
							  ociwp_quote(destination));
	if (!S_ISDIR(st.st_mode))
		return ociwp_fail(err, OCIW_ERR_EXISTS, "%s is there and is no directory",
				  ociwp_quote(destination));
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int saved = errno;
		if (fd >= 0)
			close(fd);
		return ociwp_fail_errno(err, saved, "open %s", ociwp_quote(destination));
	}
	bool empty = true;
	for (struct dirent *entry; empty && (entry = readdir(dir));)
		empty = ociwp_streq(entry->d_name, ".") || ociwp_streq(entry->d_name, "..");
	closedir(dir);
	if (!empty)
		return ociwp_fail(err, OCIW_ERR_EXISTS, "%s is there and is not empty",
				  ociwp_quote(destination));
	return 0;
}

/* Splits the destination into an open parent and a name. */
static int open_parent(ociwp_staging *staging, const char *destination, ociw_error **err)
{
	char cwd[PATH_MAX] = "/";
	if (destination[0] != '/' && !getcwd(cwd, sizeof(cwd)))
		return ociwp_fail_errno(err, errno, "current directory");
	OCIWP_AUTO(str) char *given = ociwp_strdup(destination);
	if (!given)
		return ociwp_nomem(err);
	/* The kernel's idea of the path, not a lexical one: only final slashes go. */
	size_t len = strlen(given);
	while (len > 1 && given[len - 1] == '/')
		given[--len] = '\0';
	char *slash = strrchr(given, '/');
	const char *name = slash ? slash + 1 : given;
	if (!ociwp_path_is_component(name, strlen(name)))
		return ociwp_fail(err, OCIW_ERR_INVALID,
				  "%s cannot be a destination: it has no name of its own",
				  ociwp_quote(destination));
	staging->destination = given[0] == '/' ? ociwp_strdup(given) : ociwp_path_join(cwd, given);
	if (!staging->destination)
		return ociwp_nomem(err);
	staging->name = strrchr(staging->destination, '/') + 1;
	if (slash)
		slash[slash == given ? 1 : 0] = '\0';
	const char *parent = slash ? given : ".";
	staging->parent = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (staging->parent < 0)
		return ociwp_fail_errno(err, errno, "open directory %s", ociwp_quote(parent));
	return 0;
}

static void staging_free(ociwp_staging *staging)
{
	ociwp_workdir_release(&staging->folder);
	ociwp_cleanup_fd(&staging->parent);
	free(staging->destination);
	free(staging);
}

int ociwp_staging_begin(const char *destination, ociwp_staging **out, ociw_error **err)
{
	*out = NULL;
	if (!destination || !*destination)
		return ociwp_fail(err, OCIW_ERR_INVALID, "no destination");
	ociwp_staging *staging = ociwp_new(ociwp_staging);
	if (!staging)
		return ociwp_nomem(err);
	staging->parent = -1;
	staging->folder = OCIWP_WORKDIR_NONE;
	int r = open_parent(staging, destination, err);
	if (r == 0)
		r = look_at_destination(staging->parent, staging->name, destination, err);
	if (r == 0) {
		int e = ociwp_workdir_make(staging->parent, staging->name, &staging->folder);
		if (e == 0)
			staging->parent = -1;
		else
			r = ociwp_fail_errno(err, e, "make a staging directory beside %s",
					     ociwp_quote(destination));
	}
	if (r < 0) {
		staging_free(staging);
		return r;
	}
	*out = staging;
	return 0;
}

int ociwp_staging_root(const ociwp_staging *staging)
{
	return staging->folder.fd;
}

bool ociwp_staging_odd_umask(const ociwp_staging *staging)
{
	return staging->folder.odd_umask;
}

const char *ociwp_staging_name(const ociwp_staging *staging)
{
	return staging->folder.name;
}

const char *ociwp_staging_destination(const ociwp_staging *staging)
{
	return staging->destination;
}

void ociwp_staging_abort(ociwp_staging *staging)
{
	if (!staging)
		return;
	ociwp_workdir_remove(&staging->folder);
	staging_free(staging);
}

/* The rename happened but could not be made durable: take it back. */
static void take_back(ociwp_staging *staging, const struct stat *was)
{
	int parent = staging->folder.parent;
	if (renameat(parent, staging->name, parent, staging->folder.name) != 0)
		return;
	if (was && mkdirat(parent, staging->name, S_IRWXU) == 0)
		(void)fchmodat(parent, staging->name, was->st_mode & 07777, 0);
}

int ociwp_staging_publish(ociwp_staging *staging, bool sync, ociw_error **err)
{
	struct stat was;
	int r = 0, parent = staging->folder.parent;
	bool there = fstatat(parent, staging->name, &was, AT_SYMLINK_NOFOLLOW) == 0;
	if (sync && syncfs(staging->folder.fd) != 0)
		r = ociwp_fail_errno(err, errno, "sync the file system of %s",
				     ociwp_quote(staging->destination));
	if (r == 0 && renameat(parent, staging->folder.name, parent, staging->name) != 0) {
		if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
			r = ociwp_fail(err, OCIW_ERR_EXISTS,
				       "%s appeared meanwhile and is no empty directory",
				       ociwp_quote(staging->destination));
		else
			r = ociwp_fail_errno(err, errno, "rename the finished tree to %s",
					     ociwp_quote(staging->destination));
	} else if (r == 0 && sync && fsync(parent) != 0) {
		r = ociwp_fail_errno(err, errno, "sync the directory of %s",
				     ociwp_quote(staging->destination));
		take_back(staging, there ? &was : NULL);
	}
	if (r < 0)
		ociwp_workdir_remove(&staging->folder);
	staging_free(staging);
	return r;
}
