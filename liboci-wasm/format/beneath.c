/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel follows the path and says no (openat2), or opens it and tells where it was (/proc);
 * the second way also takes absolute links that lead back inside. Both judge the file that is open,
 * not its name.
 */
#include "format/beneath.h"
#include "base/alloc.h"
#include "base/str.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* O_NONBLOCK: a FIFO must not hang; whoever reads refuses it. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

int ociwp_beneath_init(ociwp_beneath *beneath, const char *root, ociw_error **err)
{
	*beneath = (ociwp_beneath)OCIWP_BENEATH_INIT;
	beneath->fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (beneath->fd >= 0)
		beneath->real = realpath(root, NULL);
	if (!beneath->real)
		return ociwp_fail_errno(err, errno, "app folder %s", ociwp_quote(root));
	beneath->root = ociwp_strdup(root);
	return beneath->root ? 0 : ociwp_nomem(err);
}

void ociwp_beneath_deinit(ociwp_beneath *beneath)
{
	if (beneath->fd >= 0)
		close(beneath->fd);
	free(beneath->root);
	free(beneath->real);
	*beneath = (ociwp_beneath)OCIWP_BENEATH_INIT;
}

/* What is behind the folder's name in a path; NULL when the path does not begin with it. */
static const char *behind(const char *root, const char *path)
{
	size_t len = strlen(root);
	while (len && root[len - 1] == '/')
		len--;
	if (strncmp(path, root, len) != 0 || path[len] != '/')
		return NULL;
	return path + len + strspn(path + len, "/");
}

static int open_strict(const ociwp_beneath *beneath, const char *path)
{
	struct open_how how = {.flags = OPEN_FLAGS,
	                       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	const char *rest = behind(beneath->root, path);
	if (!rest || !*rest) {
		errno = EXDEV;
		return -1;
	}
	return (int)syscall(SYS_openat2, beneath->fd, rest, &how, sizeof(how));
}

static bool is_inside(const ociwp_beneath *beneath, int fd)
{
	char link[64], real[PATH_MAX];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, real, sizeof(real) - 1);
	if (len <= 0)
		return false;
	real[len] = '\0';
	return behind(beneath->real, real) != NULL;
}

int ociwp_beneath_open(const ociwp_beneath *beneath, const char *path, int *out_fd,
                       ociw_error **err)
{
	int fd = open_strict(beneath, path);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return ociwp_fail_errno(err, errno, "open %s", ociwp_quote(path));
	if (fd < 0) {
		/* An absolute link, an old kernel, a filter of system calls. */
		fd = open(path, OPEN_FLAGS);
		if (fd < 0)
			return ociwp_fail_errno(err, errno, "open %s", ociwp_quote(path));
		if (!is_inside(beneath, fd)) {
			close(fd);
			return ociwp_fail(err, OCIW_ERR_UNSAFE, "%s leads out of the app's folder",
			                  ociwp_quote(path));
		}
	}
	*out_fd = fd;
	return 0;
}
