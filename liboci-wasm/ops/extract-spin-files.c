/* SPDX-License-Identifier: Apache-2.0
 *
 * Static files of a Spin app. The lock names them by digest; they come from data layers of that
 * digest or from members of bundles, whose names mean nothing (spin.md 3.3): each member is hashed
 * and goes where the lock wants such bytes.
 */
#include "ops/extract-spin.h"

#include "archive/tar-reader.h"
#include "base/path.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "io/compress.h"
#include "ops/extract-artifact.h"
#include "ops/extract-pipe.h"
#include "ops/extract-total.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define SMALL OCIWP_PIPE_JOB_BYTES
#define PIPE_FROM ((uint64_t)2 * 1024 * 1024) /* stored bytes of bundles, see extract-rootfs.c */
#define MEMBER_TEMP ".ociw-member"
#define SHA256_BYTES 32U

/* A file that the lock wants by digest. */
typedef struct wanted {
	uint8_t sha256[SHA256_BYTES];
	uint32_t component, file;
	bool found;
} wanted;

typedef struct files {
	ociwp_extraction *x;
	const ociwp_lock *lock;
	bool cache;
	wanted *wanted; /* by digest */
	size_t count;
	ociwp_hasher *hasher;
	ociwp_pipe *pipe;
	ociwp_buf path, second;
	uint8_t *small; /* SMALL bytes, where there is no pipe */

	/* For the other threads. */
	const ociw_descriptor **bundles;
	bool *truncated;
	size_t bundle_count;
	ociw_op op;
} files;

static int compare_wanted(const void *a, const void *b)
{
	const wanted *x = a, *y = b;
	int order = memcmp(x->sha256, y->sha256, SHA256_BYTES);
	if (order != 0)
		return order;
	if (x->component != y->component)
		return x->component < y->component ? -1 : 1;
	return x->file < y->file ? -1 : x->file > y->file;
}

/* First wanted file with these bytes; *end is one past the last. */
static wanted *find_wanted(files *f, const uint8_t sha256[SHA256_BYTES], wanted **end)
{
	size_t low = 0, high = f->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (memcmp(f->wanted[middle].sha256, sha256, SHA256_BYTES) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	wanted *first = f->wanted + low, *past = first;
	while (past < f->wanted + f->count && memcmp(past->sha256, sha256, SHA256_BYTES) == 0)
		past++;
	*end = past;
	return first;
}

static int place(ociwp_buf *out, const char *id, const char *path, ociw_error **err)
{
	ociwp_buf_clear(out);
	ociwp_buf_printf(out, "assets/%s/%s", id, path);
	return ociwp_buf_check(out, err);
}

static int place_of(const files *f, const wanted *w, ociwp_buf *out, ociw_error **err)
{
	const ociwp_lock_component *component = &f->lock->components[w->component];
	return place(out, component->id, component->files[w->file].path, err);
}

/* --- what is wanted ------------------------------------------------------------------------- */

int ociwp_spin_check_inline(const ociwp_lock_ref *ref, const char *what, ociw_error **err)
{
	ociw_digest want, got;
	char text[OCIW_DIGEST_TEXT_MAX];
	if (!ref->digest)
		return 0;
	int r = ociw_digest_parse(ref->digest, &want, err);
	if (r == 0)
		r = ociw_digest_bytes((ociw_digest_algorithm)want.algorithm,
				      (ociw_span){ref->bytes, ref->bytes_len}, &got, err);
	if (r < 0)
		return r;
	if (!ociw_digest_equal(&want, &got))
		return ociwp_fail(err, OCIW_ERR_DIGEST,
				  "the bytes in the lock of %s have digest %s, not %s", what,
				  ociw_digest_format(&got, text), ref->digest);
	return 0;
}

/* Inline bytes are preferred (4.3) and written at once. */
static int take_file(files *f, uint32_t c, uint32_t i, ociw_error **err)
{
	const ociwp_lock_component *component = &f->lock->components[c];
	const ociwp_lock_file *file = &component->files[i];
	ociw_digest digest;
	int r = place(&f->path, component->id, file->path, err);
	if (r < 0)
		return r;
	if (file->content.bytes) {
		r = ociwp_spin_check_inline(&file->content, ociwp_quote(f->path.data), err);
		return r < 0 ? r
			     : ociwp_extract_bytes(f->x, file->content.bytes,
						   file->content.bytes_len, f->path.data, err);
	}
	if (!file->content.digest)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "the lock has no content for %s",
				  ociwp_quote(f->path.data));
	r = ociw_digest_parse(file->content.digest, &digest, err);
	if (r < 0)
		return ociwp_wrap(err, r, "file %s", ociwp_quote(f->path.data));
	if (digest.algorithm != OCIW_DIGEST_SHA256)
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED, "file %s has no sha256 digest",
				  ociwp_quote(f->path.data));
	wanted *w = &f->wanted[f->count++];
	*w = (wanted){.component = c, .file = i};
	memcpy(w->sha256, digest.bytes, SHA256_BYTES);
	return 0;
}

static int take_files(files *f, ociw_error **err)
{
	size_t total = 0;
	for (size_t c = 0; c < f->lock->component_count; c++)
		total += f->lock->components[c].file_count;
	if (total > f->x->limits.max_entries || total > UINT32_MAX)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "the app has %zu files, the limit is %llu",
				  total, (unsigned long long)f->x->limits.max_entries);
	f->wanted = ociwp_calloc(total ? total : 1, sizeof(*f->wanted));
	if (!f->wanted)
		return ociwp_nomem(err);
	for (size_t c = 0; c < f->lock->component_count; c++)
		for (size_t i = 0; i < f->lock->components[c].file_count; i++) {
			int r = take_file(f, (uint32_t)c, (uint32_t)i, err);
			if (r < 0)
				return r;
		}
	qsort(f->wanted, f->count, sizeof(*f->wanted), compare_wanted);
	return 0;
}

/* --- putting bytes where they are wanted ---------------------------------------------------- */

static int data_path(const uint8_t sha256[SHA256_BYTES], ociwp_buf *out, ociw_error **err)
{
	char hex[2 * SHA256_BYTES + 1];
	ociwp_hex_encode(hex, sha256, SHA256_BYTES);
	ociwp_buf_clear(out);
	ociwp_buf_printf(out, OCIWP_SPIN_DATA "/sha256:%s", hex);
	return ociwp_buf_check(out, err);
}

static int put_small(files *f, const void *data, size_t len, const char *path, ociw_error **err)
{
	ociwp_fsys_at at;
	ociwp_pipe_job *job = NULL;
	if (!f->pipe)
		return ociwp_extract_bytes(f->x, data, len, path, err);
	int r = ociwp_extract_count(f->x, err);
	if (r == 0)
		r = ociwp_fsys_walk(f->x->fs, path, true, &at, err);
	if (r == 0)
		r = ociwp_pipe_job_begin(f->pipe, &job, err);
	if (r != 0)
		return r;
	r = ociwp_fsys_file(f->x->fs, &at, &job->fd, err);
	if (r == 0 && !ociwp_pipe_job_name(job, path))
		r = ociwp_nomem(err);
	if (r < 0) {
		ociwp_pipe_job_drop(f->pipe, job);
		return r;
	}
	job->look = (ociwp_file_look){.mode = 0644};
	memcpy(job->data, data, len);
	job->len = len;
	f->x->files++;
	f->x->bytes += len;
	return ociwp_pipe_job_post(f->pipe, job, err);
}

/* A small member: hashed in memory, written once for each place. */
static int small_member(files *f, ociwp_tar_reader *tar, const ociwp_tar_entry *entry,
			ociw_error **err)
{
	ociw_digest digest;
	wanted *end;
	size_t len = 0;
	while (len < entry->size) {
		ptrdiff_t n = ociwp_tar_reader_read(tar, f->small + len, (size_t)entry->size - len,
						    err);
		if (n < 0)
			return (int)n;
		if (n == 0)
			return ociwp_fail(err, OCIW_ERR_SIZE, "the archive ends inside %s",
					  ociwp_quote(entry->path));
		len += (size_t)n;
	}
	ociwp_hasher_reset(f->hasher);
	ociwp_hasher_update(f->hasher, f->small, len);
	ociwp_hasher_final(f->hasher, &digest);
	wanted *w = find_wanted(f, digest.bytes, &end);
	int r = 0;
	if (f->cache) {
		r = data_path(digest.bytes, &f->path, err);
		return r < 0 ? r : put_small(f, f->small, len, f->path.data, err);
	}
	for (; r == 0 && w < end; w++) {
		if (w->found)
			continue;
		w->found = true;
		r = place_of(f, w, &f->path, err);
		if (r == 0)
			r = put_small(f, f->small, len, f->path.data, err);
	}
	return r;
}

/* Writes the body of a member to the temporary name, hashing it. */
static int spill_member(files *f, ociwp_tar_reader *tar, const ociwp_tar_entry *entry,
			ociw_digest *digest, ociw_error **err)
{
	ociwp_fsys_at at;
	OCIWP_AUTO(fd) int fd = -1;
	ociwp_file_look look = {.mode = 0644};
	uint64_t len = 0;
	int r = ociwp_fsys_walk(f->x->fs, MEMBER_TEMP, true, &at, err);
	if (r == 0)
		r = ociwp_fsys_file(f->x->fs, &at, &fd, err);
	if (r < 0)
		return r;
	ociwp_hasher_reset(f->hasher);
	for (;;) {
		const void *data;
		ptrdiff_t n = ociwp_tar_reader_peek(tar, &data, err);
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		ociwp_hasher_update(f->hasher, data, (size_t)n);
		len += (uint64_t)n;
		int e = ociwp_write_full(fd, data, (size_t)n);
		if (e != 0)
			return ociwp_fail_errno(err, e, "write a member of a bundle (%llu bytes so far)",
						(unsigned long long)f->x->bytes);
		r = ociwp_check_cancel(f->x->op, err);
		if (r < 0)
			return r;
	}
	if (len != entry->size)
		return ociwp_fail(err, OCIW_ERR_SIZE, "the archive ends inside %s",
				  ociwp_quote(entry->path));
	ociwp_hasher_final(f->hasher, digest);
	f->x->bytes += len;
	int e = ociwp_extract_file_look(fd, &look);
	if (close(ociwp_steal_fd(&fd)) != 0 && e == 0)
		e = errno;
	return e ? ociwp_fail_errno(err, e, "write a member of a bundle") : 0;
}

/* Moves the temporary file to its place. */
static int settle(files *f, const char *path, ociw_error **err)
{
	ociwp_fsys_at at;
	int r = ociwp_extract_count(f->x, err);
	if (r == 0)
		r = ociwp_fsys_walk(f->x->fs, path, true, &at, err);
	if (r == 0)
		r = ociwp_fsys_remove(f->x->fs, &at, err);
	if (r < 0)
		return r;
	if (renameat(ociwp_fsys_root(f->x->fs), MEMBER_TEMP, at.fd, at.name) != 0)
		return ociwp_fail_errno(err, errno, "name %s", ociwp_quote(path));
	f->x->files++;
	return 0;
}

static int large_member(files *f, ociwp_tar_reader *tar, const ociwp_tar_entry *entry,
			ociw_error **err)
{
	ociw_digest digest;
	wanted *end;
	int r = spill_member(f, tar, entry, &digest, err);
	if (r < 0)
		return r;
	if (f->cache) {
		r = data_path(digest.bytes, &f->path, err);
		return r < 0 ? r : settle(f, f->path.data, err);
	}
	wanted *w = find_wanted(f, digest.bytes, &end);
	bool settled = false;
	for (; r == 0 && w < end; w++) {
		if (w->found)
			continue;
		w->found = true;
		r = place_of(f, w, settled ? &f->second : &f->path, err);
		if (r == 0)
			r = settled ? ociwp_extract_duplicate(f->x, f->path.data, f->second.data,
							      err)
				    : settle(f, f->path.data, err);
		settled = true;
	}
	if (r == 0 && !settled)
		(void)unlinkat(ociwp_fsys_root(f->x->fs), MEMBER_TEMP, 0);
	return r;
}

/* --- bundles -------------------------------------------------------------------------------- */

static int open_bundle(void *data, size_t i, ociw_reader **out, ociw_error **err)
{
	files *f = data;
	ociwp_compression found;
	ociwp_decode_options decode = {.max_ratio = f->x->limits.max_ratio,
				       .max_zstd_window = f->x->limits.max_zstd_window,
				       .truncated = &f->truncated[i]};
	ociw_reader *reader = NULL;
	*out = NULL;
	int r = ociw_content_open(f->x->content, f->bundles[i], &f->op, &reader, err);
	return r == 0 ? ociwp_reader_decode(reader, &decode, &found, out, err) : r;
}

static int read_members(files *f, ociwp_tar_reader *tar, ociw_error **err)
{
	const ociwp_tar_entry *entry;
	int r;
	while ((r = ociwp_tar_reader_next(tar, &entry, err)) > 0) {
		if (entry->type != OCIWP_TAR_FILE)
			continue;
		r = entry->size <= SMALL ? small_member(f, tar, entry, err)
					 : large_member(f, tar, entry, err);
		if (r < 0)
			return r;
	}
	return r;
}

/* A bundle that Spin wrote without its end (3.3) is worth a warning, as long as every file that is
 * wanted from it came whole: that is checked in the end. */
static int read_bundle(files *f, size_t i, ociw_error **err)
{
	ociw_reader *reader = NULL;
	OCIWP_AUTO(tar_reader) ociwp_tar_reader *tar = NULL;
	ociw_error *why = NULL;
	int r = f->pipe ? ociwp_pipe_reader(f->pipe, &reader, err)
			: open_bundle(f, i, &reader, err);
	if (r == 0)
		r = ociwp_extract_total(reader, &f->x->unpacked, f->x->limits.max_unpacked_bytes,
					&reader, err);
	if (r == 0)
		r = ociwp_tar_reader_new(reader, f->x->op, &tar, err);
	if (r < 0)
		return r;
	r = read_members(f, tar, &why);
	if (r == 0)
		r = ociwp_tar_reader_close(ociwp_steal(&tar), &why);
	/* Before the end of the stream, the other thread may be about to say so. */
	bool truncated = (!f->pipe || ociwp_pipe_at_end(f->pipe)) && f->truncated[i];
	if (r < 0 && ((r != OCIW_ERR_FORMAT && r != OCIW_ERR_SIZE) || !truncated))
		return ociwp_error_move(err, why);
	ociw_error_free(why);
	if (!truncated)
		return 0;
	return ociwp_extract_warn(f->x, err,
				  "bundle %s has no end (written by an unfinished Spin 4.1); its "
				  "files are checked one by one",
				  ociw_descriptor_digest(f->bundles[i]));
}

static int collect_bundles(files *f, ociw_error **err)
{
	const ociwp_manifest *manifest = f->x->manifest;
	f->bundles = ociwp_calloc(manifest->layer_count + 1, sizeof(*f->bundles));
	f->truncated = ociwp_calloc(manifest->layer_count + 1, sizeof(*f->truncated));
	if (!f->bundles || !f->truncated)
		return ociwp_nomem(err);
	for (size_t i = 0; i < manifest->layer_count; i++)
		if (ociwp_streq(ociw_descriptor_media_type(manifest->layers[i]),
				OCIWP_MT_SPIN_BUNDLE))
			f->bundles[f->bundle_count++] = manifest->layers[i];
	return 0;
}

static int read_bundles(files *f, ociw_error **err)
{
	uint64_t stored = 0;
	int r = 0;
	/* Without anything to look for there is nothing to read, except for the shim's view. */
	if (f->bundle_count == 0 || (!f->cache && f->count == 0))
		return 0;
	for (size_t i = 0; i < f->bundle_count && stored < PIPE_FROM; i++)
		stored += ociw_descriptor_size(f->bundles[i]) < PIPE_FROM
				  ? ociw_descriptor_size(f->bundles[i])
				  : PIPE_FROM;
	if (stored >= PIPE_FROM && !(f->x->options.flags & OCIW_EXTRACT_SERIAL))
		r = ociwp_pipe_new(f->bundle_count,
				   ociwp_extract_lanes(f->x, f->bundles, f->bundle_count),
				   open_bundle, f, &f->pipe, err);
	for (size_t i = 0; r == 0 && i < f->bundle_count; i++) {
		r = read_bundle(f, i, err);
		if (r < 0)
			r = ociwp_wrap(err, r, "bundle %s", ociw_descriptor_digest(f->bundles[i]));
	}
	if (r == 0 && f->pipe)
		r = ociwp_pipe_drain(f->pipe, err);
	ociwp_pipe_free(ociwp_steal(&f->pipe));
	return r;
}

/* --- data layers ---------------------------------------------------------------------------- */

static int read_data_layer(files *f, const ociw_descriptor *layer, ociw_error **err)
{
	ociw_digest digest;
	wanted *end;
	int r = ociw_digest_parse(ociw_descriptor_digest(layer), &digest, err);
	if (r < 0 || digest.algorithm != OCIW_DIGEST_SHA256)
		return r;
	wanted *w = find_wanted(f, digest.bytes, &end);
	bool written = false;
	if (f->cache) {
		r = data_path(digest.bytes, &f->path, err);
		return r < 0 ? r : ociwp_extract_blob(f->x, layer, f->path.data, false, err);
	}
	for (; r == 0 && w < end; w++) {
		if (w->found)
			continue;
		w->found = true;
		r = place_of(f, w, written ? &f->second : &f->path, err);
		if (r == 0)
			r = written ? ociwp_extract_duplicate(f->x, f->path.data, f->second.data,
							      err)
				    : ociwp_extract_blob(f->x, layer, f->path.data, false, err);
		written = true;
	}
	return r;
}

static int read_data_layers(files *f, ociw_error **err)
{
	const ociwp_manifest *manifest = f->x->manifest;
	for (size_t i = 0; i < manifest->layer_count; i++) {
		const char *type = ociw_descriptor_media_type(manifest->layers[i]);
		bool bundle = ociwp_streq(type, OCIWP_MT_SPIN_BUNDLE);
		if (!ociwp_streq(type, OCIWP_MT_SPIN_DATA) && !(bundle && f->cache))
			continue;
		int r = read_data_layer(f, manifest->layers[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- the end -------------------------------------------------------------------------------- */

/* The shim copies every file out of its data folder (5.3). */
static int copy_from_data(files *f, ociw_error **err)
{
	for (size_t i = 0; i < f->count; i++) {
		wanted *w = &f->wanted[i];
		ociwp_fsys_at at;
		struct stat st;
		int r = place_of(f, w, &f->second, err);
		if (r == 0)
			r = data_path(w->sha256, &f->path, err);
		if (r == 0)
			r = ociwp_fsys_walk(f->x->fs, f->path.data, true, &at, err);
		if (r < 0)
			return r;
		if (fstatat(at.fd, at.name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
			if (errno == ENOENT)
				continue;
			return ociwp_fail_errno(err, errno, "look at %s", ociwp_quote(f->path.data));
		}
		w->found = true;
		r = ociwp_extract_duplicate(f->x, f->path.data, f->second.data, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A layer of another type may have the digest: Spin looks by digest alone. */
static int find_anywhere(files *f, const wanted *w, ociw_error **err)
{
	const char *digest =
		f->lock->components[w->component].files[w->file].content.digest;
	const ociw_descriptor *layer = ociwp_spin_find_layer(f->x->manifest, digest);
	int r = place_of(f, w, &f->path, err);
	if (r < 0)
		return r;
	if (layer)
		return ociwp_extract_blob(f->x, layer, f->path.data, false, err);
	return ociwp_fail(err, OCIW_ERR_FORMAT, "no layer holds %s (%s), which the lock names",
			  ociwp_quote(f->path.data), digest);
}

static int all_found(files *f, ociw_error **err)
{
	for (size_t i = 0; i < f->count; i++) {
		int r = f->wanted[i].found ? 0 : find_anywhere(f, &f->wanted[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int put_all(files *f, ociw_error **err)
{
	f->small = ociwp_malloc(SMALL);
	if (!f->small)
		return ociwp_nomem(err);
	int r = ociwp_hasher_new(OCIW_DIGEST_SHA256, &f->hasher, err);
	if (r == 0)
		r = take_files(f, err);
	if (r == 0)
		r = collect_bundles(f, err);
	if (r == 0)
		r = read_data_layers(f, err);
	if (r == 0)
		r = read_bundles(f, err);
	if (r == 0 && f->cache)
		r = copy_from_data(f, err);
	return r == 0 ? all_found(f, err) : r;
}

int ociwp_spin_files_put(ociwp_extraction *x, const ociwp_lock *lock, bool cache, ociw_error **err)
{
	files f = {.x = x, .lock = lock, .cache = cache};
	f.op = (ociw_op){.size = sizeof(f.op),
			 .limits = x->op ? x->op->limits : NULL,
			 .cancel = x->op ? x->op->cancel : NULL};
	int r = put_all(&f, err);
	ociwp_pipe_free(f.pipe);
	ociwp_hasher_free(f.hasher);
	ociwp_buf_deinit(&f.path);
	ociwp_buf_deinit(&f.second);
	free(f.wanted);
	free(f.small);
	free(f.bundles);
	free(f.truncated);
	return r;
}
