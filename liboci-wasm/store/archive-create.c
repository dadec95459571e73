/* SPDX-License-Identifier: Apache-2.0
 *
 * A layout tar in the making. Blobs are spooled, in parallel, into one file without a name beside
 * the target; a manifest with a name has the whole tar written, sorted and reproducible, and
 * renamed into place. Memory does not grow with the blobs (LAY-7, LYR-3, wasm-formats.md 3).
 */
#include <oci-wasm/store.h>

#include "archive/tar-writer.h"
#include "base/map.h"
#include "base/path.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "io/stream.h"
#include "io/tmpblob.h"
#include "oci/blobdir.h"
#include "oci/descriptor.h"
#include "store/layout-index.h"
#include "store/layout-root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <oci-wasm/reference.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY_PREFIX ".oci-wasm-"
#define TEMPORARY_SUFFIX ".tmp"
#define RANDOM_DIGITS 16U
#define TEMPORARY_LEN (strlen(TEMPORARY_PREFIX) + RANDOM_DIGITS + strlen(TEMPORARY_SUFFIX))
#define MAX_TRIES 16

#define STEP ((size_t)256 << 10)

typedef struct spooled {
	uint64_t offset, size;
} spooled;

typedef struct archive {
	int dir_fd; /* where the tar is going to be */
	char *base; /* its name there */
	int spool_fd;
	pthread_mutex_t mutex; /* of what follows */
	uint64_t spool_end;
	ociwp_map *blobs; /* digest -> spooled; complete ones only */
	ociwp_layout_doc *doc;
} archive;

static void archive_free(void *self)
{
	archive *a = self;

	ociwp_cleanup_fd(&a->dir_fd);
	ociwp_cleanup_fd(&a->spool_fd);
	ociwp_map_free(a->blobs);
	ociwp_layout_doc_free(a->doc);
	pthread_mutex_destroy(&a->mutex);
	free(a->base);
	free(a);
}

static bool find_blob(archive *a, const char *digest, spooled *out)
{
	pthread_mutex_lock(&a->mutex);
	const spooled *blob = ociwp_map_get(a->blobs, digest);
	if (blob)
		*out = *blob;
	pthread_mutex_unlock(&a->mutex);
	return blob != NULL;
}

static int archive_has(void *self, const ociw_descriptor *desc, const ociw_op *op, bool *out,
                       ociw_error **err)
{
	spooled blob;

	(void)op;
	(void)err;
	*out = find_blob(self, desc->digest, &blob) && blob.size == desc->size;
	return 0;
}

static int archive_open(void *self, const ociw_descriptor *desc, uint64_t offset, const ociw_op *op,
                        ociw_reader **out, ociw_error **err)
{
	archive *a = self;
	spooled blob;

	(void)op;
	if (!find_blob(a, desc->digest, &blob))
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "it is not in the archive");
	if (offset > blob.size)
		return ociwp_fail(err, OCIW_ERR_INVALID, "offset is past the end");
	return ociwp_reader_new_file_range(a->spool_fd, blob.offset + offset, blob.size - offset,
	                                   out, err);
}

/* A place in the spool, this writer's own: several write at once. */
static int reserve(archive *a, uint64_t size, uint64_t *offset, ociw_error **err)
{
	pthread_mutex_lock(&a->mutex);
	*offset = a->spool_end;
	bool fits = ociwp_add_ok(a->spool_end, size, &a->spool_end) && a->spool_end <= INT64_MAX;
	pthread_mutex_unlock(&a->mutex);
	return fits ? 0 : ociwp_fail(err, OCIW_ERR_LIMIT, "the archive is too large");
}

static int add_blob(archive *a, const char *digest, uint64_t offset, uint64_t size,
                    ociw_error **err)
{
	spooled *blob = ociwp_new(spooled);
	bool added = false;

	if (!blob)
		return ociwp_nomem(err);
	*blob = (spooled){offset, size};
	pthread_mutex_lock(&a->mutex);
	added = ociwp_map_set(a->blobs, digest, blob);
	pthread_mutex_unlock(&a->mutex);
	if (!added) {
		free(blob);
		return ociwp_nomem(err);
	}
	return 0;
}

static int spool_bytes(archive *a, ociw_reader *reader, uint64_t offset, const ociw_op *op,
                       ociw_error **err)
{
	OCIWP_AUTO(mem) void *buffer = ociwp_malloc(STEP);

	if (!buffer)
		return ociwp_nomem(err);
	for (;;) {
		int r = ociwp_check_cancel(op, err);
		if (r < 0)
			return r;
		ptrdiff_t n = ociw_reader_read(reader, buffer, STEP, err);
		if (n <= 0)
			return (int)n;
		int errnum = ociwp_pwrite_full(a->spool_fd, buffer, (size_t)n, offset);
		if (errnum)
			return ociwp_fail_errno(err, errnum, "write");
		offset += (uint64_t)n;
	}
}

static int archive_put(void *self, const ociw_descriptor *desc, const ociwp_blob_source *source,
                       const ociw_op *op, ociw_error **err)
{
	ociw_reader *raw = NULL, *reader = NULL;
	archive *a = self;
	ociw_limits limits;
	ociw_digest digest;
	uint64_t offset = 0;
	bool there = false;

	ociwp_limits_get(op, &limits);
	int r = archive_has(a, desc, op, &there, err);
	if (r < 0 || there)
		return r;
	if (desc->size > limits.max_blob_bytes)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "%llu bytes, the limit is %llu",
		                  (unsigned long long)desc->size,
		                  (unsigned long long)limits.max_blob_bytes);
	r = ociwp_descriptor_get_digest(desc, &digest, err);
	if (r >= 0)
		r = reserve(a, desc->size, &offset, err);
	if (r >= 0)
		r = source->open(source->self, 0, op, &raw, err);
	if (r >= 0)
		r = ociwp_reader_verify(raw, &digest, desc->size, &reader, err);
	if (r < 0)
		return r;
	r = spool_bytes(a, reader, offset, op, err);
	int verdict = ociw_reader_close(reader, r < 0 ? NULL : err);
	r = r < 0 ? r : verdict;
	return r < 0 ? r : add_blob(a, desc->digest, offset, desc->size, err);
}

static int write_blob(const archive *a, ociwp_tar_writer *tar, const char *digest,
                      const spooled *blob, void *buffer, ociw_error **err)
{
	uint64_t offset = blob->offset, left = blob->size;
	char path[512];

	snprintf(path, sizeof(path), "blobs/%s", digest);
	*strchr(path, ':') = '/';
	int r = ociwp_tar_writer_file(tar, path, 0444, blob->size, err);
	while (r >= 0 && left) {
		ssize_t n = pread(a->spool_fd, buffer, left < STEP ? (size_t)left : STEP,
		                  (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ociwp_fail_errno(err, n < 0 ? errno : EIO, "read the spool");
		r = ociwp_tar_writer_data(tar, buffer, (size_t)n, err);
		offset += (uint64_t)n;
		left -= (uint64_t)n;
	}
	return r;
}

static int compare_digests(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All names sorted by byte, folders before what is in them. */
static int write_blobs(const archive *a, ociwp_tar_writer *tar, ociw_error **err)
{
	size_t count = ociwp_map_size(a->blobs), algorithm_len = 0;
	OCIWP_AUTO(mem) const char **digests = ociwp_calloc(count, sizeof(*digests));
	OCIWP_AUTO(mem) void *buffer = ociwp_malloc(STEP);
	const char *algorithm = "";
	void *value;

	if (!digests || !buffer)
		return ociwp_nomem(err);
	for (size_t i = 0; i < count; i++)
		(void)ociwp_map_at(a->blobs, i, &digests[i], &value);
	qsort(digests, count, sizeof(*digests), compare_digests);
	int r = ociwp_tar_writer_directory(tar, "blobs", 0755, err);
	for (size_t i = 0; r >= 0 && i < count; i++) {
		size_t len = (size_t)(strchr(digests[i], ':') - digests[i]);

		if (len != algorithm_len || memcmp(digests[i], algorithm, len) != 0) {
			char folder[512];

			snprintf(folder, sizeof(folder), "blobs/%.*s", (int)len, digests[i]);
			r = ociwp_tar_writer_directory(tar, folder, 0755, err);
			algorithm = digests[i];
			algorithm_len = len;
		}
		if (r >= 0)
			r = write_blob(a, tar, digests[i], ociwp_map_get(a->blobs, digests[i]),
			               buffer, err);
	}
	return r;
}

static int write_text(ociwp_tar_writer *tar, const char *name, ociw_span text, ociw_error **err)
{
	int r = ociwp_tar_writer_file(tar, name, 0644, text.len, err);

	return r < 0 ? r : ociwp_tar_writer_data(tar, text.data, text.len, err);
}

static int write_tar(const archive *a, ociw_writer *to, ociw_error **err)
{
	OCIWP_AUTO(tar_writer) ociwp_tar_writer *tar = NULL;
	OCIWP_AUTO(buf) ociwp_buf index = OCIWP_BUF_INIT;
	const ociw_span version = {ociwp_layout_version_text, strlen(ociwp_layout_version_text)};

	int r = ociwp_layout_doc_format(a->doc, &index, err);
	if (r >= 0)
		r = ociwp_tar_writer_new(to, &tar, err);
	if (r >= 0)
		r = write_blobs(a, tar, err);
	if (r >= 0)
		r = write_text(tar, "index.json", ociwp_buf_span(&index), err);
	if (r >= 0)
		r = write_text(tar, "oci-layout", version, err);
	return r < 0 ? r : ociwp_tar_writer_finish(ociwp_steal(&tar), err);
}

/* ".oci-wasm-0123456789abcdef.tmp" */
static bool is_temporary(const char *name)
{
	return strlen(name) == TEMPORARY_LEN && ociwp_starts_with(name, TEMPORARY_PREFIX) &&
	       ociwp_ends_with(name, TEMPORARY_SUFFIX) &&
	       strspn(name + strlen(TEMPORARY_PREFIX), "0123456789abcdef") == RANDOM_DIGITS;
}

/* True when the file is locked by us now and still has its name. */
static bool hold(int dir, const char *name, int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) == 0 && ociwp_is_named(dir, name, fd);
}

/* What writers that died left beside the archive: files of ours that nobody holds. Never an error. */
static void sweep(const archive *a)
{
	int fd = openat(a->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir)) != NULL) {
		if (!is_temporary(entry->d_name))
			continue;
		OCIWP_AUTO(fd) int left = openat(a->dir_fd, entry->d_name,
		                                 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (left >= 0 && fstat(left, &st) == 0 && S_ISREG(st.st_mode) &&
		    st.st_uid == geteuid() && hold(a->dir_fd, entry->d_name, left))
			unlinkat(a->dir_fd, entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

/* A name nobody else has, for the moment between whole and in place; locked for as long as it is
 * written. */
static int make_temporary(const archive *a, char *name, size_t size, int *out_fd, ociw_error **err)
{
	uint8_t random[RANDOM_DIGITS / 2];
	char hex[RANDOM_DIGITS + 1];

	/* Somebody who sweeps may be quicker with the lock: then another name is taken. */
	for (int tries = 0; tries < MAX_TRIES; tries++) {
		int errnum = ociwp_random(random, sizeof(random));
		if (errnum)
			return ociwp_fail_errno(err, errnum, "get random bytes");
		ociwp_hex_encode(hex, random, sizeof(random));
		snprintf(name, size, TEMPORARY_PREFIX "%s" TEMPORARY_SUFFIX, hex);
		int fd = openat(a->dir_fd, name,
		                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (fd < 0)
			return ociwp_fail_errno(err, errno,
			                        "make a temporary file beside the archive");
		errno = 0;
		/* Where locks do not work nobody can take it for dead either. */
		if (hold(a->dir_fd, name, fd) || (errno && errno != EWOULDBLOCK && errno != ENOENT)) {
			*out_fd = fd;
			return 0;
		}
		close(fd);
	}
	return ociwp_fail(err, OCIW_ERR_BUSY, "no temporary file beside the archive can be had");
}

/* Only a file, or nothing, is replaced: not a device, not a link to somewhere else. */
static int check_target(const archive *a, ociw_error **err)
{
	struct stat st;

	if (fstatat(a->dir_fd, a->base, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : ociwp_fail_errno(err, errno, "stat");
	if (!S_ISREG(st.st_mode))
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "%s exists and is no plain file",
		                  ociwp_quote(a->base));
	return 0;
}

static int publish(const archive *a, ociw_error **err)
{
	OCIWP_AUTO(writer) ociw_writer *writer = NULL;
	OCIWP_AUTO(fd) int sync_fd = -1;
	char name[64];
	int fd = -1;

	int r = check_target(a, err);
	if (r >= 0) {
		sweep(a);
		r = make_temporary(a, name, sizeof(name), &fd, err);
	}
	if (r < 0)
		return r;
	sync_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	r = ociw_writer_new_fd(fd, &writer, err);
	if (r >= 0)
		r = write_tar(a, writer, err);
	if (r >= 0)
		r = ociw_writer_commit(ociwp_steal(&writer), err);
	if (r >= 0 && sync_fd >= 0 && fsync(sync_fd) != 0)
		r = ociwp_fail_errno(err, errno, "sync");
	if (r >= 0 && renameat(a->dir_fd, name, a->dir_fd, a->base) != 0)
		r = ociwp_fail_errno(err, errno, "rename to %s", ociwp_quote(a->base));
	if (r < 0)
		unlinkat(a->dir_fd, name, 0);
	else
		(void)fsync(a->dir_fd);
	return r;
}

typedef struct names {
	char *bare; /* ref.name */
	char *full; /* io.containerd.image.name, or NULL */
} names;

/* "host/app:v1" is v1 by short name, and the whole for containerd, which would otherwise make one
 * up; a bare "v1" is just that. */
static int split_name(const char *name, const ociw_descriptor *desc, names *out, ociw_error **err)
{
	ociw_reference *ref = NULL;
	bool nomem = false;

	if (strcmp(name, desc->digest) != 0 && strpbrk(name, "/:") &&
	    ociw_reference_parse(name, &ref, NULL) >= 0 && ociw_reference_tag(ref)) {
		out->bare = ociwp_strdup(ociw_reference_tag(ref));
		out->full = ociwp_strdup(ociw_reference_text(ref));
		nomem = !out->full;
	} else {
		out->bare = ociwp_strdup(name);
	}
	ociw_reference_free(ref);
	if (!out->bare || nomem)
		return ociwp_nomem(err);
	return 0;
}

static int name_manifest(archive *a, const ociw_descriptor *desc, const char *name,
                         ociw_error **err)
{
	names split = {NULL, NULL};

	int r = split_name(name, desc, &split, err);
	pthread_mutex_lock(&a->mutex);
	if (r >= 0)
		r = ociwp_layout_doc_put(a->doc, desc, split.bare, split.full, err);
	if (r >= 0)
		r = publish(a, err);
	pthread_mutex_unlock(&a->mutex);
	free(split.bare);
	free(split.full);
	return r;
}

static int list_referrer(archive *a, const ociw_descriptor *desc, ociw_span bytes,
                         const ociw_op *op, ociw_error **err)
{
	bool is_referrer = false;

	int r = ociwp_layout_is_referrer(desc, bytes, op, &is_referrer, err);
	if (r < 0 || !is_referrer)
		return r;
	pthread_mutex_lock(&a->mutex);
	r = ociwp_layout_doc_put(a->doc, desc, NULL, NULL, err);
	pthread_mutex_unlock(&a->mutex);
	return r;
}

static int archive_put_manifest(void *self, const ociw_descriptor *desc, ociw_span bytes,
                                const char *name, const ociw_op *op, ociw_error **err)
{
	ociwp_blob_source source = ociwp_blob_source_of_span(&bytes);

	int r = archive_put(self, desc, &source, op, err);
	if (r < 0)
		return r;
	return name ? name_manifest(self, desc, name, err)
	            : list_referrer(self, desc, bytes, op, err);
}

static int archive_resolve(void *self, const char *name, const ociw_op *op, ociw_descriptor **out,
                           ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	OCIWP_AUTO(index) ociwp_index *index = NULL;
	const ociw_descriptor *found = NULL;
	archive *a = self;

	pthread_mutex_lock(&a->mutex);
	int r = ociwp_layout_doc_format(a->doc, &text, err);
	pthread_mutex_unlock(&a->mutex);
	if (r >= 0)
		r = ociwp_index_parse(ociwp_buf_span(&text), OCIWP_MT_OCI_INDEX, op, &index, err);
	if (r >= 0)
		r = ociwp_layout_index_resolve(index, name, &found, err);
	return r < 0 ? r : ociw_descriptor_dup(found, out, err);
}

static const ociwp_content_ops archive_ops = {
        .resolve = archive_resolve,
        .open = archive_open,
        .has = archive_has,
        .put = archive_put,
        .put_manifest = archive_put_manifest,
        .free = archive_free,
};

static int open_places(archive *a, const char *path, ociw_error **err)
{
	OCIWP_AUTO(str) char *parent = ociwp_strdup(path);

	if (!parent)
		return ociwp_nomem(err);
	const char *base = ociwp_path_basename(path);
	if (!ociwp_path_is_component(base, strlen(base)))
		return ociwp_fail(err, OCIW_ERR_INVALID, "the path does not name a file");
	parent[base - path] = '\0';
	const char *folder = parent[0] ? parent : ".";
	a->base = ociwp_strdup(base);
	if (!a->base)
		return ociwp_nomem(err);
	a->dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->dir_fd < 0)
		return ociwp_fail_errno(err, errno, "open the folder it is to be made in");
	int r = check_target(a, err);
	return r < 0 ? r : ociwp_tmpblob_open(folder, &a->spool_fd, err);
}

int ociw_archive_create(const char *path, ociw_content **out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf label = OCIWP_BUF_INIT;
	archive *a = ociwp_new(archive);

	*out = NULL;
	if (!a)
		return ociwp_nomem(err);
	a->dir_fd = a->spool_fd = -1;
	pthread_mutex_init(&a->mutex, NULL);
	ociwp_buf_puts(&label, "oci-archive:");
	ociwp_escape(&label, path, strlen(path));
	int r = ociwp_buf_check(&label, err);
	if (r >= 0)
		r = open_places(a, path, err);
	if (r >= 0)
		r = ociwp_layout_doc_parse((ociw_span){NULL, 0}, NULL, &a->doc, err);
	if (r >= 0) {
		a->blobs = ociwp_map_new(free);
		r = a->blobs ? 0 : ociwp_nomem(err);
	}
	if (r < 0) {
		archive_free(a);
		return ociwp_wrap(err, r, "%s", label.data ? label.data : "oci-archive:");
	}
	return ociwp_content_new(&archive_ops, a, label.data, out, err);
}
