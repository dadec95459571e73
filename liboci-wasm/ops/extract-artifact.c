/* SPDX-License-Identifier: Apache-2.0
 *
 * Artifacts have no file system: each layer is a file, named by its title annotation, which is as
 * untrusted as a name in a tar (UNP-3).
 */
#include "ops/extract-artifact.h"

#include "base/path.h"
#include "base/str.h"
#include "codec/json-writer.h"
#include "codec/mediatype.h"
#include "codec/wasm-binary.h"
#include "io/stream.h"
#include "ops/extract-layer.h"
#include "ops/extract-name.h"
#include "ops/extract-pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TITLE "org.opencontainers.image.title"
#define COPY_BYTES ((size_t)256 * 1024)
#define PIPE_FROM ((uint64_t)2 * 1024 * 1024) /* bytes, see extract-rootfs.c */

static const ociwp_file_look plain_look = {.mode = 0644};

static int fail_write(const ociwp_extraction *x, int errnum, const char *path, ociw_error **err)
{
	return ociwp_fail_errno(err, errnum, "write %s below %s (%llu bytes are written so far)",
				ociwp_quote(path),
				ociwp_quote(ociwp_staging_destination(x->staging)),
				(unsigned long long)x->bytes);
}

static int create(ociwp_extraction *x, const char *path, int *out_fd, ociw_error **err)
{
	ociwp_fsys_at at;
	int r = ociwp_extract_count(x, err);
	if (r == 0)
		r = ociwp_check_cancel(x->op, err);
	if (r == 0)
		r = ociwp_fsys_walk(x->fs, path, true, &at, err);
	if (r == 0)
		r = ociwp_fsys_file(x->fs, &at, out_fd, err);
	return r;
}

static int finish(ociwp_extraction *x, int take_fd, const char *path, ociw_error **err)
{
	int e = ociwp_extract_file_look(take_fd, &plain_look);
	if (close(take_fd) != 0 && e == 0)
		e = errno;
	if (e != 0)
		return fail_write(x, e, path, err);
	x->files++;
	return 0;
}

void ociwp_extract_note_wasm(ociwp_extraction *x, const char *path)
{
	if (x->wasm.len > 0)
		ociwp_buf_putc(&x->wasm, '\0');
	ociwp_buf_puts(&x->wasm, path);
}

static int refuse_native(const void *head, size_t len, const char *path, ociw_error **err)
{
	if (ociwp_wasm_sniff(head, len) != OCIWP_WASM_NATIVE)
		return 0;
	return ociwp_fail(err, OCIW_ERR_UNSAFE, "%s is native code, not wasm", ociwp_quote(path));
}

static int write_stream(ociwp_extraction *x, ociw_reader *reader, int fd, const char *path,
			bool wasm, ociw_error **err)
{
	OCIWP_AUTO(mem) uint8_t *buf = ociwp_malloc(COPY_BYTES);
	bool first = true;
	if (!buf)
		return ociwp_nomem(err);
	for (;;) {
		ptrdiff_t n = ociwp_read_full(reader, buf, COPY_BYTES, err);
		if (n <= 0)
			return (int)n;
		int r = first && wasm ? refuse_native(buf, (size_t)n, path, err)
				      : ociwp_check_cancel(x->op, err);
		if (r < 0)
			return r;
		first = false;
		int e = ociwp_write_full(fd, buf, (size_t)n);
		if (e != 0)
			return fail_write(x, e, path, err);
		x->bytes += (uint64_t)n;
	}
}

typedef struct one_blob {
	ociw_content *content;
	const ociw_descriptor *desc;
	ociw_op op; /* without events: another thread reads */
} one_blob;

static int open_one(void *data, size_t i, ociw_reader **out, ociw_error **err)
{
	one_blob *blob = data;
	(void)i;
	return ociw_content_open(blob->content, blob->desc, &blob->op, out, err);
}

/* A large blob is read and verified by one thread and written by this one. */
static int write_blob(ociwp_extraction *x, const ociw_descriptor *desc, int fd, const char *path,
		      bool wasm, ociw_error **err)
{
	OCIWP_AUTO(pipe) ociwp_pipe *pipe = NULL;
	OCIWP_AUTO(reader) ociw_reader *reader = NULL;
	one_blob blob = {.content = x->content, .desc = desc};
	int r;
	blob.op = (ociw_op){.size = sizeof(blob.op),
			    .limits = x->op ? x->op->limits : NULL,
			    .cancel = x->op ? x->op->cancel : NULL};
	if (ociw_descriptor_size(desc) < PIPE_FROM || (x->options.flags & OCIW_EXTRACT_SERIAL)) {
		r = ociw_content_open(x->content, desc, x->op, &reader, err);
	} else {
		r = ociwp_pipe_new(1, 1, open_one, &blob, &pipe, err);
		if (r == 0)
			r = ociwp_pipe_reader(pipe, &reader, err);
	}
	if (r == 0)
		r = write_stream(x, reader, fd, path, wasm, err);
	return r == 0 ? ociw_reader_close(ociwp_steal(&reader), err) : r;
}

int ociwp_extract_blob(ociwp_extraction *x, const ociw_descriptor *desc, const char *path,
		       bool wasm, ociw_error **err)
{
	OCIWP_AUTO(fd) int fd = -1;
	uint64_t size = ociw_descriptor_size(desc);
	if (size > x->limits.max_unpacked_bytes - x->unpacked)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "the image unpacks to more than %llu bytes",
				  (unsigned long long)x->limits.max_unpacked_bytes);
	int r = create(x, path, &fd, err);
	if (r == 0)
		r = write_blob(x, desc, fd, path, wasm, err);
	if (r < 0)
		return ociwp_wrap(err, r, "blob %s", ociw_descriptor_digest(desc));
	x->unpacked += size;
	return finish(x, ociwp_steal_fd(&fd), path, err);
}

int ociwp_extract_bytes(ociwp_extraction *x, const void *data, size_t len, const char *path,
			ociw_error **err)
{
	OCIWP_AUTO(fd) int fd = -1;
	int r = create(x, path, &fd, err);
	if (r < 0)
		return r;
	int e = ociwp_write_full(fd, data, len);
	if (e != 0)
		return fail_write(x, e, path, err);
	x->bytes += len;
	return finish(x, ociwp_steal_fd(&fd), path, err);
}

int ociwp_extract_directory(ociwp_extraction *x, const char *path, ociw_error **err)
{
	ociwp_fsys_at at;
	uint64_t inode = 0;
	ociwp_dir_look look = {0755, 0, 0};
	int r = ociwp_fsys_walk(x->fs, path, true, &at, err);
	if (r == 0)
		r = ociwp_fsys_directory(x->fs, &at, &inode, err);
	if (r < 0)
		return r;
	return ociwp_dirs_set(x->dirs, inode, &look) ? 0 : ociwp_nomem(err);
}

static int copy_bytes(ociwp_extraction *x, int from, int to, const char *path, ociw_error **err)
{
	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	OCIWP_AUTO(mem) uint8_t *buf = ociwp_malloc(COPY_BYTES);
	if (!buf)
		return ociwp_nomem(err);
	for (;;) {
		ssize_t n = read(from, buf, COPY_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ociwp_fail_errno(err, errno, "read back %s", ociwp_quote(path));
		if (n == 0)
			return 0;
		int e = ociwp_write_full(to, buf, (size_t)n);
		if (e != 0)
			return fail_write(x, e, path, err);
		x->bytes += (uint64_t)n;
	}
}

int ociwp_extract_duplicate(ociwp_extraction *x, const char *from, const char *to,
			    ociw_error **err)
{
	ociwp_fsys_at at;
	OCIWP_AUTO(fd) int source = -1;
	OCIWP_AUTO(fd) int fd = -1;
	int r = ociwp_fsys_walk(x->fs, from, false, &at, err);
	if (r < 0)
		return r;
	source = openat(at.fd, at.name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (source < 0)
		return ociwp_fail_errno(err, errno, "open %s", ociwp_quote(from));
	r = create(x, to, &fd, err);
	if (r == 0)
		r = copy_bytes(x, source, fd, to, err);
	return r < 0 ? r : finish(x, ociwp_steal_fd(&fd), to, err);
}

/* --- artifacts ------------------------------------------------------------------------------ */

/* Name of wasm layer @p i where no layer has a title: what it is, or its number. */
static int untitled_name(ociwp_extraction *x, size_t i, size_t wasm_count, ociwp_buf *out,
			 ociw_error **err)
{
	OCIWP_AUTO(reader) ociw_reader *reader = NULL;
	uint8_t head[OCIWP_WASM_PREAMBLE] = {0};
	ociwp_buf_clear(out);
	if (wasm_count > 1) {
		ociwp_buf_printf(out, "layer-%zu.wasm", i + 1);
		return ociwp_buf_check(out, err);
	}
	int r = ociw_content_open(x->content, x->manifest->layers[i], x->op, &reader, err);
	if (r < 0)
		return r;
	/* Only a name depends on these bytes; what is written is verified. */
	ptrdiff_t n = ociwp_read_full(reader, head, sizeof(head), err);
	if (n < 0)
		return (int)n;
	ociwp_buf_puts(out, ociwp_wasm_sniff(head, (size_t)n) == OCIWP_WASM_COMPONENT
				    ? "component.wasm"
				    : "module.wasm");
	return ociwp_buf_check(out, err);
}

/* Two layers with one name: the second would silently replace the first. */
static int refuse_twice(ociwp_extraction *x, const char *path, ociw_error **err)
{
	ociwp_fsys_at at;
	struct stat st;
	int r = ociwp_fsys_walk(x->fs, path, true, &at, err);
	if (r < 0)
		return r;
	if (fstatat(at.fd, at.name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "two layers are named %s",
				  ociwp_quote(path));
	return errno == ENOENT ? 0
			       : ociwp_fail_errno(err, errno, "look at %s", ociwp_quote(path));
}

static int put_layer(ociwp_extraction *x, size_t i, size_t wasm_count, size_t *written,
		     ociw_error **err)
{
	const ociw_descriptor *desc = x->manifest->layers[i];
	const char *title = ociw_descriptor_annotation(desc, TITLE);
	bool wasm = ociwp_mediatype_is_wasm(ociw_descriptor_media_type(desc));
	int r;
	if (title)
		r = ociwp_extract_name(title, strlen(title), &x->limits, false, &x->path, err);
	else if (wasm)
		r = untitled_name(x, i, wasm_count, &x->path, err);
	else
		return ociwp_extract_warn(x, err, "layer %zu (%s) has no title and is left out",
					  i + 1, ociwp_quote(ociw_descriptor_media_type(desc)));
	if (r == 0 && x->path.len == 0)
		r = ociwp_fail(err, OCIW_ERR_UNSAFE, "title %s is no file name",
			       ociwp_quote(title));
	if (r == 0)
		r = refuse_twice(x, x->path.data, err);
	if (r == 0)
		r = ociwp_extract_blob(x, desc, x->path.data, wasm, err);
	if (r < 0)
		return ociwp_wrap(err, r, "layer %zu", i + 1);
	if (wasm)
		ociwp_extract_note_wasm(x, x->path.data);
	++*written;
	return 0;
}

int ociwp_extract_artifact(ociwp_extraction *x, ociw_error **err)
{
	size_t wasm_count = 0, written = 0;
	for (size_t i = 0; i < x->manifest->layer_count; i++)
		wasm_count += ociwp_mediatype_is_wasm(
			ociw_descriptor_media_type(x->manifest->layers[i]));
	for (size_t i = 0; i < x->manifest->layer_count; i++) {
		int r = put_layer(x, i, wasm_count, &written, err);
		if (r < 0)
			return r;
	}
	if (written == 0 && x->manifest->layer_count > 0)
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
				  "no layer of this artifact can become a file");
	return ociwp_extract_warnings_end(x, err);
}
