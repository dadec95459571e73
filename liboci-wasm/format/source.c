/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashing and reading what is packed. A source is read at least twice in its life (hashed, then
 * copied), and every time after the first it is checked again, by its digest or, where that proves as
 * much, by its stat data: what leaves is what was named.
 */
#include "format/source.h"
#include "base/str.h"
#include "oci/descriptor.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

int ociwp_scratch_init(ociwp_scratch *scratch, ociw_error **err)
{
	*scratch = (ociwp_scratch){0};
	scratch->buf = ociwp_malloc(OCIWP_SCRATCH_SIZE);
	if (!scratch->buf)
		return ociwp_nomem(err);
	return ociwp_hasher_new(OCIW_DIGEST_SHA256, &scratch->hasher, err);
}

void ociwp_scratch_deinit(ociwp_scratch *scratch)
{
	ociwp_hasher_free(scratch->hasher);
	free(scratch->buf);
	*scratch = (ociwp_scratch){0};
}

void ociwp_source_deinit(ociwp_source *source)
{
	free(source->bytes);
	source->bytes = NULL;
}

int ociwp_source_of_bytes(ociw_span bytes, ociwp_source *out, ociw_error **err)
{
	ociw_digest digest;
	*out = (ociwp_source){
	        .kind = OCIWP_SOURCE_BYTES, .known = true, .fd = -1, .size = bytes.len};
	int r = ociw_digest_bytes(OCIW_DIGEST_SHA256, bytes, &digest, err);
	if (r < 0)
		return r;
	memcpy(out->sha256, digest.bytes, sizeof(out->sha256));
	out->bytes = ociwp_memdup(bytes.data, bytes.len);
	return out->bytes ? 0 : ociwp_nomem(err);
}

const char *ociwp_source_digest(const ociwp_source *source, char out[OCIW_DIGEST_TEXT_MAX])
{
	ociw_digest digest = {.algorithm = OCIW_DIGEST_SHA256, .len = sizeof(source->sha256)};
	memcpy(digest.bytes, source->sha256, sizeof(source->sha256));
	return ociw_digest_format(&digest, out);
}

const char *ociwp_source_name(const ociwp_source *source)
{
	switch ((ociwp_source_kind)source->kind) {
	case OCIWP_SOURCE_FILE:
		return source->from.path;
	case OCIWP_SOURCE_RANGE:
		return "fetched source";
	case OCIWP_SOURCE_CONTENT:
		return ociw_content_label(source->from.content);
	case OCIWP_SOURCE_BYTES:
		break;
	}
	return "generated file";
}

/* Opens a local file. O_NONBLOCK: a FIFO must not hang; it is refused right after. */
static int open_file(const char *path, const ociwp_beneath *beneath, struct stat *st, int *out,
                     ociw_error **err)
{
	OCIWP_AUTO(fd) int fd = -1;
	int r = beneath ? ociwp_beneath_open(beneath, path, &fd, err) : 0;
	if (r < 0)
		return r;
	if (!beneath)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return ociwp_fail_errno(err, errno, "open %s", ociwp_quote(path));
	if (fstat(fd, st) < 0)
		return ociwp_fail_errno(err, errno, "stat %s", ociwp_quote(path));
	if (!S_ISREG(st->st_mode))
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s is %s, not a regular file",
		                  ociwp_quote(path),
		                  S_ISDIR(st->st_mode) ? "a directory" : "a special file");
	*out = ociwp_steal_fd(&fd);
	return 0;
}

static ptrdiff_t read_some(int fd, void *buf, size_t len, uint64_t at)
{
	ssize_t got;
	do {
		got = pread(fd, buf, len, (off_t)at);
	} while (got < 0 && errno == EINTR);
	return got;
}

/* Feeds @p size bytes of @p fd from @p from to the hasher and to @p sink (may be NULL). */
static int pump_fd(const ociwp_source *source, int fd, uint64_t from, uint64_t size,
                   ociwp_scratch *scratch, const ociw_op *op, ociwp_source_sink sink, void *context,
                   ociw_error **err)
{
	ociwp_hasher_reset(scratch->hasher);
	for (uint64_t done = 0; done < size;) {
		uint64_t left = size - done;
		size_t want = left < OCIWP_SCRATCH_SIZE ? (size_t)left : OCIWP_SCRATCH_SIZE;
		ptrdiff_t got = read_some(fd, scratch->buf, want, from + done);
		if (got < 0)
			return ociwp_fail_errno(err, errno, "read %s",
			                        ociwp_quote(ociwp_source_name(source)));
		if (got == 0)
			return ociwp_fail(err, OCIW_ERR_SIZE, "%s shrank while it was packed",
			                  ociwp_quote(ociwp_source_name(source)));
		if (!scratch->idle)
			ociwp_hasher_update(scratch->hasher, scratch->buf, (size_t)got);
		int r = sink ? sink(context, scratch->buf, (size_t)got, err) : 0;
		if (r == 0)
			r = ociwp_check_cancel(op, err);
		if (r < 0)
			return r;
		done += (uint64_t)got;
	}
	return 0;
}

static void take_digest(ociwp_scratch *scratch, uint8_t out[32])
{
	ociw_digest digest;
	ociwp_hasher_final(scratch->hasher, &digest);
	memcpy(out, digest.bytes, 32);
}

/* Collects the bytes of a small source. */
struct small {
	unsigned char *data;
	size_t len;
};

static int keep_small(void *context, const void *data, size_t len, ociw_error **err)
{
	(void)err;
	struct small *small = context;
	memcpy(small->data + small->len, data, len);
	small->len += len;
	return 0;
}

/* Size, digest and small bytes of what @p fd holds from @p from; wasm begins at 0. */
static int hash_fd(ociwp_source *source, int fd, uint64_t from, unsigned wasm,
                   ociwp_scratch *scratch, ociw_error **err)
{
	if (wasm) {
		assert(from == 0);
		int r = ociwp_wasm_check(fd, source->size, (enum ociwp_wasm_check)wasm, err);
		if (r < 0)
			return ociwp_wrap(err, r, "%s", ociwp_quote(ociwp_source_name(source)));
	}
	bool is_small = source->size <= OCIWP_INLINE_MAX;
	OCIWP_AUTO(mem) void *bytes = is_small ? ociwp_malloc(OCIWP_INLINE_MAX) : NULL;
	if (is_small && !bytes)
		return ociwp_nomem(err);
	struct small small = {bytes, 0};
	int r = pump_fd(source, fd, from, source->size, scratch, NULL, is_small ? keep_small : NULL,
	                &small, err);
	if (r < 0)
		return r;
	take_digest(scratch, source->sha256);
	free(source->bytes);
	source->bytes = ociwp_steal(&bytes);
	return 0;
}

static bool looks_the_same(const ociwp_source *source, const struct stat *st)
{
	return ociwp_file_stamp_fits(&source->stamp, source->size, st);
}

static int hash_file(ociwp_source *source, unsigned wasm, ociwp_scratch *scratch, ociw_error **err)
{
	OCIWP_AUTO(fd) int fd = -1;
	struct stat st;
	int r = open_file(source->from.path, scratch->beneath, &st, &fd, err);
	if (r < 0)
		return r;
	ociwp_file_stamp_of(&st, &source->stamp);
	source->size = (uint64_t)st.st_size;
	source->settled = ociwp_file_stamp_is_before(&source->stamp,
	                                             (int64_t)time(NULL) - OCIWP_RACY_SECONDS);
	r = hash_fd(source, fd, 0, wasm, scratch, err);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return ociwp_fail_errno(err, errno, "stat %s", ociwp_quote(source->from.path));
	if (!looks_the_same(source, &st))
		return ociwp_fail(err, OCIW_ERR_DIGEST, "%s changed while it was read",
		                  ociwp_quote(source->from.path));
	return 0;
}

int ociwp_source_hash(ociwp_source *source, unsigned wasm, ociwp_scratch *scratch, ociw_error **err)
{
	int r = 0;
	switch ((ociwp_source_kind)source->kind) {
	case OCIWP_SOURCE_FILE:
		r = hash_file(source, wasm, scratch, err);
		break;
	case OCIWP_SOURCE_RANGE:
		r = hash_fd(source, source->fd, source->from.offset, wasm, scratch, err);
		break;
	case OCIWP_SOURCE_BYTES:
	case OCIWP_SOURCE_CONTENT:
		return 0; /* made with their digest */
	}
	if (r == 0) {
		source->known = true;
		source->checked = (uint8_t)wasm;
	}
	return r;
}

static int judge(const ociwp_source *source, ociwp_scratch *scratch, ociw_error **err)
{
	uint8_t got[32];
	take_digest(scratch, got);
	if (memcmp(got, source->sha256, sizeof(got)) != 0)
		return ociwp_fail(err, OCIW_ERR_DIGEST, "%s changed while it was packed",
		                  ociwp_quote(ociwp_source_name(source)));
	return 0;
}

static int read_file(const ociwp_source *source, ociwp_scratch *scratch, const ociw_op *op,
                     ociwp_source_sink sink, void *context, ociw_error **err)
{
	OCIWP_AUTO(fd) int fd = -1;
	struct stat st;
	int r = open_file(source->from.path, NULL, &st, &fd, err);
	if (r < 0)
		return r;
	if ((uint64_t)st.st_size != source->size)
		return ociwp_fail(err, OCIW_ERR_SIZE, "%s changed while it was packed",
		                  ociwp_quote(source->from.path));
	scratch->idle = source->settled && looks_the_same(source, &st);
	r = pump_fd(source, fd, 0, source->size, scratch, op, sink, context, err);
	if (r == 0 && !scratch->idle)
		r = judge(source, scratch, err);
	else if (r == 0 && (fstat(fd, &st) < 0 || !looks_the_same(source, &st)))
		r = ociwp_fail(err, OCIW_ERR_DIGEST, "%s changed while it was packed",
		               ociwp_quote(source->from.path));
	scratch->idle = false;
	return r;
}

/* The descriptor that its content knows it by; contents look at digest and size only. */
static int content_descriptor(const ociwp_source *source, const char *media_type,
                              ociw_descriptor **out, ociw_error **err)
{
	char digest[OCIW_DIGEST_TEXT_MAX];
	return ociw_descriptor_new(media_type, ociwp_source_digest(source, digest), source->size,
	                           out, err);
}

static int read_content(const ociwp_source *source, ociwp_scratch *scratch, const ociw_op *op,
                        ociwp_source_sink sink, void *context, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	OCIWP_AUTO(reader) ociw_reader *reader = NULL;
	int r = content_descriptor(source, "application/octet-stream", &desc, err);
	if (r == 0)
		r = ociw_content_open(source->from.content, desc, op, &reader, err);
	while (r == 0) {
		ptrdiff_t got = ociw_reader_read(reader, scratch->buf, OCIWP_SCRATCH_SIZE, err);
		if (got <= 0)
			return got < 0 ? (int)got : ociw_reader_close(ociwp_steal(&reader), err);
		r = sink(context, scratch->buf, (size_t)got, err);
	}
	return r;
}

int ociwp_source_read(const ociwp_source *source, ociwp_scratch *scratch, const ociw_op *op,
                      ociwp_source_sink sink, void *context, ociw_error **err)
{
	if (source->bytes)
		return source->size ? sink(context, source->bytes, (size_t)source->size, err) : 0;
	int r = 0;
	switch ((ociwp_source_kind)source->kind) {
	case OCIWP_SOURCE_FILE:
		return read_file(source, scratch, op, sink, context, err);
	case OCIWP_SOURCE_RANGE:
		r = pump_fd(source, source->fd, source->from.offset, source->size, scratch, op,
		            sink, context, err);
		return r < 0 ? r : judge(source, scratch, err);
	case OCIWP_SOURCE_CONTENT:
		return read_content(source, scratch, op, sink, context, err);
	case OCIWP_SOURCE_BYTES:
		break;
	}
	return 0;
}

int ociwp_source_add(const ociwp_source *source, const char *media_type, ociwp_memory *memory,
                     ociw_descriptor **out, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	int r = content_descriptor(source, media_type, &desc, err);
	if (r < 0)
		return r;
	if (source->bytes)
		r = ociwp_memory_add_bytes(memory, desc,
		                           (ociw_span){source->bytes, (size_t)source->size}, err);
	else if (source->kind == OCIWP_SOURCE_FILE)
		r = ociwp_memory_add_file(memory, desc, source->from.path, &source->stamp, err);
	else if (source->kind == OCIWP_SOURCE_RANGE)
		r = ociwp_memory_add_range(memory, desc, source->fd, source->from.offset, err);
	else if (source->kind == OCIWP_SOURCE_CONTENT)
		r = ociwp_memory_add_foreign(memory, desc, source->from.content, err);
	if (r == 0 && out)
		*out = ociwp_steal(&desc);
	return r;
}
