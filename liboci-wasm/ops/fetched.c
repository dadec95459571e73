/* SPDX-License-Identifier: Apache-2.0
 *
 * The store of fetched wasm. Files appear by rename and are never changed.
 */
#include "ops/fetched.h"
#include "base/path.h"
#include "base/str.h"
#include "io/stream.h"
#include "io/workdir.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool has_store(const ociwp_pack *pack)
{
	return pack->options.cache_dir && !(pack->options.flags & OCIW_PACK_NO_CACHE);
}

int ociwp_fetched_path(const ociwp_pack *pack, const ociw_digest *digest, char **out,
                       ociw_error **err)
{
	char text[OCIW_DIGEST_TEXT_MAX];
	OCIWP_AUTO(buf) ociwp_buf path = OCIWP_BUF_INIT;
	*out = NULL;
	if (!has_store(pack))
		return 0;
	ociw_digest_format(digest, text);
	ociwp_buf_printf(&path, "%s/wasm/%s.wasm", pack->options.cache_dir, strchr(text, ':') + 1);
	int r = ociwp_buf_check(&path, err);
	if (r == 0)
		*out = ociwp_buf_steal(&path);
	return r;
}

static bool copy_all(int from, int to)
{
	char buf[65536];
	for (off_t at = 0;;) {
		ssize_t got = pread(from, buf, sizeof(buf), at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0;
		if (ociwp_write_full(to, buf, (size_t)got) != 0)
			return false;
		at += got;
	}
}

/* A new file in a folder beside @p path, filled by the bytes of @p fd or by @p text, then moved there.
 * What a killed run left half-written goes with its folder, by the next one that is made. */
static bool write_beside(const char *path, int fd, const char *text)
{
	const char *name = ociwp_path_basename(path);
	OCIWP_AUTO(str) char *above = ociwp_strndup(path, (size_t)(name - path));
	ociwp_workdir folder;
	int parent = above ? open(above, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (parent < 0 || ociwp_workdir_make(parent, "new", &folder) != 0) {
		ociwp_cleanup_fd(&parent);
		return false;
	}
	OCIWP_AUTO(fd)
	int made = openat(folder.fd, "new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool done = made >= 0 &&
	            (text ? ociwp_write_full(made, text, strlen(text)) == 0 : copy_all(fd, made)) &&
	            renameat(folder.fd, "new", folder.parent, name) == 0;
	ociwp_workdir_remove(&folder);
	return done;
}

char *ociwp_fetched_keep(const ociwp_pack *pack, const ociw_digest *digest, const char *path,
                         int fd)
{
	OCIWP_AUTO(str) char *kept = NULL;
	if (ociwp_fetched_path(pack, digest, &kept, NULL) < 0 || !kept ||
	    ociwp_pack_make_parents(kept) < 0)
		return NULL;
	/* Temporary files are often in another file system than caches. */
	if (rename(path, kept) < 0 && (errno != EXDEV || !write_beside(kept, fd, NULL)))
		return NULL;
	return ociwp_steal(&kept);
}

/* Of registry, package, version and its kind; NULL for what is no package, or without a store. */
static char *note_path(const ociwp_pack *pack, const ociwp_app_source *from)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	OCIWP_AUTO(buf) ociwp_buf path = OCIWP_BUF_INIT;
	char hash[OCIW_DIGEST_TEXT_MAX];
	ociw_digest digest;
	if (!has_store(pack) || !from->package || !from->version)
		return NULL;
	/* None of them can hold a line's end. */
	ociwp_buf_printf(&text, "%s\n%s\n%s\n%s\n", from->registry ? from->registry : "",
	                 from->package, from->version, from->range ? "range" : "version");
	if (text.failed ||
	    ociw_digest_bytes(OCIW_DIGEST_SHA256, ociwp_buf_span(&text), &digest, NULL) < 0)
		return NULL;
	ociw_digest_format(&digest, hash);
	ociwp_buf_printf(&path, "%s/packages/%s", pack->options.cache_dir, strchr(hash, ':') + 1);
	return path.failed ? NULL : ociwp_buf_steal(&path);
}

bool ociwp_fetched_recall(const ociwp_pack *pack, const ociwp_app_source *from, ociw_digest *out)
{
	char text[OCIW_DIGEST_TEXT_MAX + 1];
	struct stat st;
	OCIWP_AUTO(str) char *path = note_path(pack, from);
	OCIWP_AUTO(fd)
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return false;
	ssize_t len = read(fd, text, sizeof(text) - 1);
	if (len < 1 || text[len - 1] != '\n')
		return false;
	text[len - 1] = '\0';
	return ociw_digest_parse(text, out, NULL) == 0 && out->algorithm == OCIW_DIGEST_SHA256;
}

void ociwp_fetched_remember(const ociwp_pack *pack, const ociwp_app_source *from,
                            const ociw_digest *digest)
{
	OCIWP_AUTO(str) char *path = note_path(pack, from);
	char text[OCIW_DIGEST_TEXT_MAX + 1];
	ociw_digest_format(digest, text);
	strcat(text, "\n");
	if (path && ociwp_pack_make_parents(path) == 0)
		(void)write_beside(path, -1, text);
}
