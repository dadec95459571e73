/* SPDX-License-Identifier: Apache-2.0
 *
 * Temporary files that nobody else can name. O_TMPFILE where the file system has it; otherwise a
 * random name that is removed at once.
 */
#include "io/tmpblob.h"
#include "base/path.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Some environments set TMPDIR to nothing, or to a relative path that means another place later. */
const char *ociwp_temp_dir(void)
{
	const char *dir = getenv("TMPDIR");
	return dir && dir[0] == '/' ? dir : "/tmp";
}

static int open_and_unlink(const char *dir, int *out_fd, ociw_error **err)
{
	OCIWP_AUTO(str) char *name = ociwp_path_join(dir, ".oci-wasm-XXXXXX");
	if (!name)
		return ociwp_nomem(err);
	int fd = mkostemp(name, O_CLOEXEC); /* mode 0600, O_EXCL */
	if (fd < 0)
		return ociwp_fail_errno(err, errno, "make a temporary file in %s",
		                        ociwp_quote(dir));
	if (unlink(name) != 0) {
		int saved = errno;
		close(fd);
		return ociwp_fail_errno(err, saved, "unlink %s", ociwp_quote(name));
	}
	*out_fd = fd;
	return 0;
}

int ociwp_tmpblob_open(const char *dir, int *out_fd, ociw_error **err)
{
	if (!dir)
		dir = ociwp_temp_dir();
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0) {
		*out_fd = fd;
		return 0;
	}
	/* EISDIR: kernels that do not know the flag. */
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL || errno == ENOSYS)
		return open_and_unlink(dir, out_fd, err);
	return ociwp_fail_errno(err, errno, "make a temporary file in %s", ociwp_quote(dir));
}
