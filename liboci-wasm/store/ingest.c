/* SPDX-License-Identifier: Apache-2.0
 *
 * Verify, then publish. Small blobs go to a file without a name (O_TMPFILE), which the kernel drops
 * whatever happens to us; large ones, and all where that is not possible, to a file in `ingest/`
 * that is locked by its writer, so that the next one can tell a leftover from work in progress.
 */
#include "store/ingest.h"

#include "base/str.h"
#include "io/stream.h"
#include "oci/blobdir.h"
#include "oci/descriptor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define INGEST "ingest"
#define STEP ((size_t)256 << 10)
#define WRITEBACK ((uint64_t)8 << 20)
#define PARTIAL_PREFIX "partial-"
#define LEFTOVER_SECONDS 60         /* of temporary files that nobody can go on with */
#define PARTIAL_SECONDS (24 * 3600) /* of partial blobs */

typedef struct ingest {
	ociwp_layout *layout;
	const ociw_descriptor *desc;
	ociw_digest digest;
	ociwp_hasher *hasher;
	int blob_dir, dir, fd; /* blobs/<algorithm>; ingest/ or -1; the file */
	char name[256];        /* in ingest/, or "" */
	const char *encoded;
	uint64_t have;    /* bytes in the file, all hashed */
	uint64_t resumed; /* of these, bytes of an earlier run */
	bool keep;        /* the bytes so far are worth going on with */
} ingest;

static int open_ingest_dir(ociwp_layout *layout, bool create)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

	if (create && mkdirat(layout->root_fd, INGEST, 0777) != 0 && errno != EEXIST)
		return -1;
	return openat(layout->root_fd, INGEST, flags);
}

/* Opens a named file and locks it. 0, or an errno: EWOULDBLOCK when another writer has it, ENOENT
 * when a cleaner was faster. */
static int open_named(ingest *in, int flags)
{
	struct stat st;

	in->fd = openat(in->dir, in->name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, 0644);
	if (in->fd < 0)
		return errno;
	int errnum = 0;
	if (flock(in->fd, LOCK_EX | LOCK_NB) != 0 || fstat(in->fd, &st) != 0)
		errnum = errno;
	else if (st.st_nlink == 0)
		errnum = ENOENT;
	else if (!S_ISREG(st.st_mode) || st.st_nlink > 1 || st.st_uid != geteuid())
		errnum = EWOULDBLOCK; /* not one of ours: leave it alone */
	if (errnum) {
		close(in->fd);
		in->fd = -1;
	}
	return errnum;
}

static int begin_named(ingest *in, bool partial)
{
	uint8_t random[16];
	int errnum = ENOENT;

	/* The folder may be taken away by a writer that ends, a new file be locked by one who looks
	 * for leftovers: try again. */
	for (int tries = 0; tries < 16; tries++) {
		if (in->dir < 0)
			in->dir = open_ingest_dir(in->layout, true);
		if (in->dir < 0) {
			errnum = errno;
			if (errnum == ENOENT)
				continue;
			break;
		}
		if (partial) {
			snprintf(in->name, sizeof(in->name), PARTIAL_PREFIX "%.6s-%s",
			         in->desc->digest, in->encoded);
		} else {
			if ((errnum = ociwp_random(random, sizeof(random))) != 0)
				return errnum;
			memcpy(in->name, "tmp-", 4);
			ociwp_hex_encode(in->name + 4, random, sizeof(random));
		}
		errnum = open_named(in, partial ? 0 : O_EXCL);
		if (errnum == 0 || (errnum != ENOENT && (partial || errnum != EWOULDBLOCK)))
			break;
		close(in->dir);
		in->dir = -1;
	}
	if (errnum)
		in->name[0] = '\0';
	return errnum;
}

/* A file without a name can only be published through /proc. */
static bool begin_anonymous(ingest *in)
{
	if (in->layout->no_tmpfile || faccessat(AT_FDCWD, "/proc/self/fd", X_OK, 0) != 0)
		return false;
	in->fd = openat(in->blob_dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	return in->fd >= 0;
}

static int begin(ingest *in, ociw_error **err)
{
	int errnum = EWOULDBLOCK;

	if (in->desc->size >= OCIWP_INGEST_RESUME_MIN) {
		errnum = begin_named(in, true);
		/* Another process fetches the same blob: do not depend on it. */
		if (errnum == 0)
			in->keep = true;
	}
	if (errnum == EWOULDBLOCK)
		errnum = begin_anonymous(in) ? 0 : begin_named(in, false);
	return errnum ? ociwp_fail_errno(err, errnum, "make a temporary file in the layout") : 0;
}

static int restart(ingest *in, ociw_error **err)
{
	in->have = in->resumed = 0;
	ociwp_hasher_reset(in->hasher);
	if (ftruncate(in->fd, 0) != 0 || lseek(in->fd, 0, SEEK_SET) < 0)
		return ociwp_fail_errno(err, errno, "write");
	return 0;
}

/* Hashes what an earlier run left. */
static int take_up(ingest *in, void *buffer, const ociw_op *op, ociw_error **err)
{
	struct stat st;

	if (fstat(in->fd, &st) != 0)
		return ociwp_fail_errno(err, errno, "stat");
	if ((uint64_t)st.st_size > in->desc->size)
		return restart(in, err);
	while (in->have < (uint64_t)st.st_size) {
		ssize_t n = read(in->fd, buffer, STEP);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return restart(in, err);
		ociwp_hasher_update(in->hasher, buffer, (size_t)n);
		in->have += (uint64_t)n;
		int r = ociwp_check_cancel(op, err);
		if (r < 0)
			return r;
	}
	in->resumed = in->have;
	return 0;
}

static int store(ingest *in, const void *data, size_t len, ociw_error **err)
{
	if (len > in->desc->size - in->have) {
		in->keep = false;
		return ociwp_fail(err, OCIW_ERR_SIZE, "more than the expected %llu bytes",
		                  (unsigned long long)in->desc->size);
	}
	ociwp_hasher_update(in->hasher, data, len);
	int errnum = ociwp_write_full(in->fd, data, len);
	if (errnum) {
		in->keep = false; /* a full disk is better off without it */
		return ociwp_fail_errno(err, errnum, "write");
	}
	/* Disk writes start while more bytes come, so that the fsync at the end waits for little.
	 */
	if (in->have / WRITEBACK != (in->have + len) / WRITEBACK &&
	    !(in->layout->flags & OCIW_LAYOUT_NO_SYNC))
		(void)sync_file_range(in->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	in->have += len;
	return 0;
}

static int pump(ingest *in, ociw_reader *reader, void *buffer, const ociw_op *op, ociw_error **err)
{
	for (;;) {
		int r = ociwp_check_cancel(op, err);
		if (r < 0)
			return r;
		ptrdiff_t n = ociw_reader_read(reader, buffer, STEP, err);
		if (n <= 0)
			return (int)n;
		r = store(in, buffer, (size_t)n, err);
		if (r < 0)
			return r;
	}
}

static int fetch(ingest *in, const ociwp_blob_source *source, void *buffer, const ociw_op *op,
                 ociw_error **err)
{
	ociw_reader *reader = NULL;
	char want[OCIW_DIGEST_TEXT_MAX], got[OCIW_DIGEST_TEXT_MAX];
	ociw_digest digest;

	if (in->have < in->desc->size || in->desc->size == 0) {
		int r = source->open(source->self, in->have, op, &reader, err);
		if (r < 0)
			return r;
		r = pump(in, reader, buffer, op, err);
		int closed = ociw_reader_close(reader, r < 0 ? NULL : err);
		r = r < 0 ? r : closed;
		if (r == OCIW_ERR_DIGEST || r == OCIW_ERR_SIZE)
			in->keep = false;
		if (r < 0)
			return r;
	}
	if (in->have != in->desc->size) {
		in->keep = false;
		return ociwp_fail(err, OCIW_ERR_SIZE, "%llu bytes, expected %llu",
		                  (unsigned long long)in->have, (unsigned long long)in->desc->size);
	}
	ociwp_hasher_final(in->hasher, &digest);
	if (ociw_digest_equal(&digest, &in->digest))
		return 0;
	in->keep = false;
	return ociwp_fail(err, OCIW_ERR_DIGEST, "digest is %s, expected %s",
	                  ociw_digest_format(&digest, got), ociw_digest_format(&in->digest, want));
}

/* Gives the anonymous file a name; an existing one was checked to be of another size, so it is
 * damaged, and is replaced by way of a second name. */
static int link_anonymous(ingest *in)
{
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", in->fd);
	if (linkat(AT_FDCWD, self, in->blob_dir, in->encoded, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != EEXIST)
		return errno;
	bool there = false;
	if (ociwp_blobdir_has(in->layout->blobs_fd, in->desc->digest, in->desc->size, &there,
	                      NULL) == 0 &&
	    there)
		return 0; /* another writer was faster */
	snprintf(in->name, sizeof(in->name), "tmp-%d-%s", (int)getpid(), in->encoded);
	if (in->dir < 0)
		in->dir = open_ingest_dir(in->layout, true);
	if (in->dir < 0 || linkat(AT_FDCWD, self, in->dir, in->name, AT_SYMLINK_FOLLOW) != 0 ||
	    renameat(in->dir, in->name, in->blob_dir, in->encoded) != 0)
		return errno;
	in->name[0] = '\0';
	return 0;
}

static int publish(ingest *in, ociw_error **err)
{
	int errnum = 0;

	if (!(in->layout->flags & OCIW_LAYOUT_NO_SYNC) && fsync(in->fd) != 0)
		errnum = errno;
	else if (!in->name[0])
		errnum = link_anonymous(in);
	else if (renameat(in->dir, in->name, in->blob_dir, in->encoded) != 0)
		errnum = errno;
	else
		in->name[0] = '\0';
	if (errnum) {
		in->keep = false;
		return ociwp_fail_errno(err, errnum, "publish");
	}
	return 0;
}

static void finish(ingest *in)
{
	if (in->name[0] && !(in->keep && in->have))
		unlinkat(in->dir, in->name, 0);
	ociwp_cleanup_fd(&in->fd);
	ociwp_cleanup_fd(&in->dir);
	ociwp_cleanup_fd(&in->blob_dir);
	ociwp_hasher_free(in->hasher);
}

static int run(ingest *in, const ociwp_blob_source *source, const ociw_op *op, ociw_error **err)
{
	OCIWP_AUTO(mem) void *buffer = ociwp_malloc(STEP);
	ociw_error *why = NULL;

	if (!buffer)
		return ociwp_nomem(err);
	int r = begin(in, err);
	if (r >= 0)
		r = take_up(in, buffer, op, err);
	if (r < 0)
		return r;
	r = fetch(in, source, buffer, op, &why);
	if ((r == OCIW_ERR_DIGEST || r == OCIW_ERR_SIZE) && in->resumed) {
		/* The part of the earlier run may be what is wrong: once more, from the start. */
		ociw_error_free(ociwp_steal(&why));
		in->keep = true;
		r = restart(in, &why);
		if (r >= 0)
			r = fetch(in, source, buffer, op, &why);
	}
	if (r < 0)
		return ociwp_error_move(err, why);
	return publish(in, err);
}

int ociwp_ingest_blob(ociwp_layout *layout, const ociw_descriptor *desc,
                      const ociwp_blob_source *source, const ociw_op *op, ociw_error **err)
{
	ingest in = {layout, desc, .blob_dir = -1, .dir = -1, .fd = -1};
	ociw_limits limits;
	bool there = false;

	ociwp_limits_get(op, &limits);
	if (desc->size > limits.max_blob_bytes)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "%llu bytes, the limit is %llu",
		                  (unsigned long long)desc->size,
		                  (unsigned long long)limits.max_blob_bytes);
	int r = ociwp_blobdir_has(layout->blobs_fd, desc->digest, desc->size, &there, err);
	if (r < 0 || there)
		return r;
	r = ociwp_descriptor_get_digest(desc, &in.digest, err);
	if (r >= 0)
		r = ociwp_blobdir_open_algorithm(layout->blobs_fd, desc->digest, true, &in.blob_dir,
		                                 &in.encoded, err);
	if (r >= 0)
		r = ociwp_hasher_new((ociw_digest_algorithm)in.digest.algorithm, &in.hasher, err);
	if (r >= 0)
		r = run(&in, source, op, err);
	finish(&in);
	return r;
}

static bool judge_default(const char *name, uint64_t size, int64_t age_seconds, void *user_data)
{
	(void)size;
	(void)user_data;
	if (ociwp_starts_with(name, PARTIAL_PREFIX))
		return age_seconds > PARTIAL_SECONDS;
	return age_seconds > LEFTOVER_SECONDS;
}

/* A leftover is a file that nobody has locked. */
static void clean_one(int dir_fd, const char *name, ociwp_ingest_judge judge, void *user_data)
{
	OCIWP_AUTO(fd)
	int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &st) != 0 ||
	    !S_ISREG(st.st_mode))
		return;
	if (judge(name, (uint64_t)st.st_size, (int64_t)(time(NULL) - st.st_mtime), user_data))
		unlinkat(dir_fd, name, 0);
}

void ociwp_ingest_clean(ociwp_layout *layout, ociwp_ingest_judge judge, void *user_data)
{
	int dir_fd = open_ingest_dir(layout, false);

	if (dir_fd < 0)
		return;
	DIR *dir = fdopendir(dir_fd);
	if (!dir) {
		close(dir_fd);
		return;
	}
	for (const struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] != '.')
			clean_one(dirfd(dir), entry->d_name, judge ? judge : judge_default,
			          user_data);
	}
	closedir(dir);
}
