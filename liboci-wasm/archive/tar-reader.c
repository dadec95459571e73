/* SPDX-License-Identifier: Apache-2.0
 *
 * The stream part of the tar reader: blocks in, entries out, bodies without a copy. Extension
 * headers are gathered here and applied in the order pax over GNU over ustar (extraction.md H1-H4,
 * F1-F3, L6, S2).
 */
#include "archive/tar-reader.h"
#include "archive/pax.h"
#include "archive/tar-header.h"
#include "base/buf.h"
#include "base/str.h"

#include <inttypes.h>
#include <string.h>

#define BUFFER_SIZE ((size_t)256 << 10)
#define BLOCK OCIWP_TAR_BLOCK_SIZE

/* extraction.md section 3 */
#define EXTENSION_MAX ((uint64_t)1 << 20)
#define EXTENSIONS_MAX ((uint64_t)4 << 20)
#define COMPONENT_MAX 255
#define TARGET_MAX 4095

struct ociwp_tar_reader {
	ociw_reader *inner;
	const ociw_op *op;
	ociw_limits limits;
	ociw_error *failed; /* latched */
	bool inner_ended, ended;

	size_t pos, end; /* of what is in the buffer and not consumed */
	uint64_t offset; /* of buffer[pos] in the stream */
	uint64_t body_left;
	uint32_t padding; /* behind the body */
	uint64_t headers; /* counted against max_entries */

	/* What extension headers said about the next entry. */
	bool has_pax, has_long_path, has_long_target;
	uint64_t extension_bytes;
	ociwp_buf pax_bytes, long_path, long_target;
	ociwp_pax pax;

	ociwp_tar_header header;
	ociwp_tar_entry entry;
	unsigned char buffer[BUFFER_SIZE];
};

/* Everything that fails goes through here once, so that a failed reader stays failed. */
static int latch(ociwp_tar_reader *t, ociw_error *made, ociw_error **err)
{
	t->failed = made;
	return ociwp_error_move(err, ociwp_error_dup(made));
}

/* Adds what is known about the place: the entry's own name where it has one already. */
static int wrap_entry(uint64_t offset, const char *name, size_t name_len, int code,
                      ociw_error **err)
{
	return ociwp_wrap(err, code, "tar entry %s at byte %" PRIu64,
	                  ociwp_quote_len(name, name_len), offset);
}

/* Has at least @p want (<= BUFFER_SIZE) bytes in one piece, or all that are left of the stream. */
static int fill(ociwp_tar_reader *t, size_t want, ociw_error **err)
{
	while (t->end - t->pos < want && !t->inner_ended) {
		int r = ociwp_check_cancel(t->op, err);
		if (r < 0)
			return r;
		if (t->pos > 0) {
			memmove(t->buffer, t->buffer + t->pos, t->end - t->pos);
			t->end -= t->pos;
			t->pos = 0;
		}
		ptrdiff_t n =
		        ociw_reader_read(t->inner, t->buffer + t->end, BUFFER_SIZE - t->end, err);
		if (n < 0)
			return (int)n;
		t->inner_ended = n == 0;
		t->end += (size_t)n;
	}
	return 0;
}

static void consume(ociwp_tar_reader *t, size_t len)
{
	t->pos += len;
	t->offset += len;
}

/* The next block: 1 and *block, borrowed until the next fill; 0 at the end of the stream. */
static int next_block(ociwp_tar_reader *t, const unsigned char **block, ociw_error **err)
{
	int r = fill(t, BLOCK, err);
	if (r < 0)
		return r;
	size_t have = t->end - t->pos;
	if (have == 0)
		return 0;
	/* What is not even one header was never a tar. */
	if (have < BLOCK)
		return ociwp_fail(err, t->offset == 0 ? OCIW_ERR_FORMAT : OCIW_ERR_SIZE,
		                  "tar stream ends in a header, at byte %" PRIu64 " of it",
		                  t->offset + have);
	*block = t->buffer + t->pos;
	consume(t, BLOCK);
	return 1;
}

static int skip_body(ociwp_tar_reader *t, ociw_error **err)
{
	while (t->body_left > 0) {
		int r = fill(t, 1, err);
		if (r < 0)
			return r;
		size_t have = t->end - t->pos;
		if (have == 0)
			return ociwp_fail(err, OCIW_ERR_SIZE,
			                  "stream ends %" PRIu64
			                  " bytes before the end of the data",
			                  t->body_left);
		size_t step = have < t->body_left ? have : (size_t)t->body_left;
		consume(t, step);
		t->body_left -= step;
	}
	return 0;
}

/* umoci 0.4.7 ends its archives right behind the last entry's data, and readers in use take that; a
 * stream that ends inside the padding was cut. */
static int skip_padding(ociwp_tar_reader *t, ociw_error **err)
{
	if (t->padding == 0)
		return 0;
	int r = fill(t, t->padding, err);
	if (r < 0)
		return r;
	size_t have = t->end - t->pos;
	if (have > 0 && have < t->padding)
		return ociwp_fail(err, OCIW_ERR_SIZE,
		                  "stream ends in the padding of the data, %zu of %" PRIu32
		                  " bytes",
		                  have, t->padding);
	if (have > 0)
		consume(t, t->padding);
	t->padding = 0;
	return 0;
}

static void begin_body(ociwp_tar_reader *t, uint64_t size)
{
	t->body_left = size;
	t->padding = (uint32_t)(-size & (BLOCK - 1));
}

/* Ends the entry that was handed out last. */
static int finish_entry(ociwp_tar_reader *t, ociw_error **err)
{
	int r = skip_body(t, err);
	if (r >= 0)
		r = skip_padding(t, err);
	return r < 0 ? ociwp_wrap(err, r, "tar entry %s", ociwp_quote(t->entry.path)) : 0;
}

static int count_header(ociwp_tar_reader *t, ociw_error **err)
{
	if (t->headers >= t->limits.max_entries)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "more than %" PRIu64 " tar headers",
		                  t->limits.max_entries);
	t->headers++;
	return 0;
}

/* Body of an extension header, whole, with a NUL behind it. Memory grows with what really comes. */
static int read_extension(ociwp_tar_reader *t, uint64_t size, ociwp_buf *out, ociw_error **err)
{
	if (size > EXTENSION_MAX)
		return ociwp_fail(err, OCIW_ERR_LIMIT,
		                  "extension header has %" PRIu64 " bytes, the limit is %" PRIu64,
		                  size, EXTENSION_MAX);
	t->extension_bytes += size;
	if (t->extension_bytes > EXTENSIONS_MAX)
		return ociwp_fail(err, OCIW_ERR_LIMIT,
		                  "extension headers before one entry have over %" PRIu64 " bytes",
		                  EXTENSIONS_MAX);
	ociwp_buf_clear(out);
	begin_body(t, size);
	while (t->body_left > 0) {
		int r = fill(t, 1, err);
		if (r < 0)
			return r;
		size_t have = t->end - t->pos;
		size_t step = have < t->body_left ? have : (size_t)t->body_left;
		if (step == 0)
			return ociwp_fail(err, OCIW_ERR_SIZE,
			                  "stream ends %" PRIu64
			                  " bytes before the end of the header",
			                  t->body_left);
		ociwp_buf_append(out, t->buffer + t->pos, step);
		consume(t, step);
		t->body_left -= step;
	}
	ociwp_buf_append(out, "", 1);
	int r = ociwp_buf_check(out, err);
	if (r < 0)
		return r;
	out->len--;
	return skip_padding(t, err);
}

static int once(bool *seen, const char *what, ociw_error **err)
{
	if (*seen)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "second %s for one entry", what);
	*seen = true;
	return 0;
}

static int read_long(ociwp_tar_reader *t, bool *seen, ociwp_buf *out, const char *what,
                     ociw_error **err)
{
	int r = once(seen, what, err);
	if (r >= 0)
		r = read_extension(t, t->header.size, out, err);
	if (r < 0)
		return r;
	/* The final NUL is counted by GNU tar and left out by others. */
	if (out->data[0] == '\0')
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s is empty", what);
	return 0;
}

static int read_pax(ociwp_tar_reader *t, ociw_error **err)
{
	int r = once(&t->has_pax, "pax header", err);
	if (r >= 0)
		r = read_extension(t, t->header.size, &t->pax_bytes, err);
	if (r < 0)
		return r;
	return ociwp_pax_parse(t->pax_bytes.data, t->pax_bytes.len, false, &t->pax, err);
}

static int read_global_pax(ociwp_tar_reader *t, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf bytes = OCIWP_BUF_INIT;
	OCIWP_AUTO(mem) ociwp_pax *ignored = ociwp_new(ociwp_pax);
	if (!ignored)
		return ociwp_nomem(err);
	/* Go forgets what came before, others apply it to the entry behind. */
	if (t->has_pax || t->has_long_path || t->has_long_target)
		return ociwp_fail(err, OCIW_ERR_FORMAT,
		                  "global pax header between an extension header and its entry");
	int r = read_extension(t, t->header.size, &bytes, err);
	if (r < 0)
		return r;
	return ociwp_pax_parse(bytes.data, bytes.len, true, ignored, err);
}

/* 1 when the header was an extension and is dealt with, 0 when it is an entry. */
static int read_if_extension(ociwp_tar_reader *t, ociw_error **err)
{
	int r;
	switch (t->header.type) {
	case 'x':
		r = read_pax(t, err);
		break;
	case 'g':
		r = read_global_pax(t, err);
		break;
	case 'L':
		r = read_long(t, &t->has_long_path, &t->long_path, "GNU long name", err);
		break;
	case 'K':
		r = read_long(t, &t->has_long_target, &t->long_target, "GNU long link target", err);
		break;
	default:
		return 0;
	}
	return r < 0 ? r : 1;
}

static void forget_extensions(ociwp_tar_reader *t)
{
	t->has_pax = t->has_long_path = t->has_long_target = false;
	t->extension_bytes = 0;
}

static int judge_type(ociwp_tar_reader *t, ociw_error **err)
{
	ociwp_tar_entry *entry = &t->entry;
	bool slash = entry->path[entry->path_len - 1] == '/';
	switch (t->header.type) {
	case '\0':
		/* Before ustar, a final slash was how a directory was told from a file. */
		entry->type = slash ? OCIWP_TAR_DIRECTORY : OCIWP_TAR_FILE;
		return 0;
	case '0':
	case '7':
		entry->type = OCIWP_TAR_FILE;
		if (slash) /* GNU tar and libarchive make a directory of it, Go a file */
			return ociwp_fail(err, OCIW_ERR_FORMAT,
			                  "name of a regular file ends in a slash");
		return 0;
	case '1':
		entry->type = OCIWP_TAR_HARDLINK;
		return 0;
	case '2':
		entry->type = OCIWP_TAR_SYMLINK;
		return 0;
	case '3':
		entry->type = OCIWP_TAR_CHARACTER;
		return 0;
	case '4':
		entry->type = OCIWP_TAR_BLOCK;
		return 0;
	case '5':
		entry->type = OCIWP_TAR_DIRECTORY;
		return 0;
	case '6':
		entry->type = OCIWP_TAR_FIFO;
		return 0;
	case 'S':
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED, "GNU sparse files are not supported");
	case 'M':
	case 'V':
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED, "volume headers are not supported");
	default:
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED, "unknown entry type %s",
		                  ociwp_quote_len(&t->header.type, 1));
	}
}

/* N4, N5: what no file system takes is refused here, nothing is ever shortened. */
static int judge_path(ociwp_tar_reader *t, ociw_error **err)
{
	const char *path = t->entry.path;
	uint64_t depth = 0;
	if (t->entry.path_len > t->limits.max_path_bytes)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "name has %zu bytes, the limit is %" PRIu64,
		                  t->entry.path_len, t->limits.max_path_bytes);
	while (*path) {
		size_t len = strcspn(path, "/");
		if (len > COMPONENT_MAX)
			return ociwp_fail(err, OCIW_ERR_LIMIT,
			                  "a part of the name has %zu bytes, the limit is %d", len,
			                  COMPONENT_MAX);
		if (len > 0 && !(len == 1 && path[0] == '.'))
			depth++;
		path += len;
		path += *path == '/';
	}
	if (depth > t->limits.max_path_depth)
		return ociwp_fail(err, OCIW_ERR_LIMIT,
		                  "name has %" PRIu64 " parts, the limit is %" PRIu64, depth,
		                  t->limits.max_path_depth);
	return 0;
}

static int judge_target(ociwp_tar_reader *t, const char *target, ociw_error **err)
{
	ociwp_tar_entry *entry = &t->entry;
	entry->target = NULL;
	if (entry->type != OCIWP_TAR_SYMLINK && entry->type != OCIWP_TAR_HARDLINK)
		return 0;
	size_t len = strlen(target);
	if (len == 0)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "link without a target");
	if (len > TARGET_MAX)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "link target has %zu bytes, the limit is %d",
		                  len, TARGET_MAX);
	entry->target = target;
	return 0;
}

/* L6: readers disagree whether such data is there, so it could hide entries from some of them. */
static int judge_size(const ociwp_tar_reader *t, ociw_error **err)
{
	if (t->entry.type != OCIWP_TAR_FILE && t->entry.size != 0)
		return ociwp_fail(err, OCIW_ERR_FORMAT,
		                  "size is %" PRIu64
		                  " for an entry that is no regular file, expected 0",
		                  t->entry.size);
	return 0;
}

/* pax over GNU over ustar; then everything is judged by what it really is. */
static int make_entry(ociwp_tar_reader *t, ociw_error **err)
{
	static const ociwp_pax no_pax;
	const ociwp_tar_header *header = &t->header;
	const ociwp_pax *pax = t->has_pax ? &t->pax : &no_pax;
	ociwp_tar_entry *entry = &t->entry;
	const char *path = pax->path          ? pax->path
	                   : t->has_long_path ? t->long_path.data
	                                      : header->path;
	const char *target = pax->target          ? pax->target
	                     : t->has_long_target ? t->long_target.data
	                                          : header->target;
	*entry = (ociwp_tar_entry){
	        .path = path,
	        .path_len = strlen(path),
	        .size = pax->has_size ? pax->size : header->size,
	        .data_offset = t->offset,
	        .mode = header->mode,
	        .uid = pax->has_uid ? pax->uid : header->uid,
	        .gid = pax->has_gid ? pax->gid : header->gid,
	        .mtime_seconds = pax->has_mtime ? pax->mtime_seconds : header->mtime,
	        .mtime_nanoseconds = pax->has_mtime ? pax->mtime_nanoseconds : 0,
	        .device_major = header->device_major,
	        .device_minor = header->device_minor,
	        .xattrs = pax->xattr_count ? pax->xattrs : NULL,
	        .xattr_count = pax->xattr_count,
	};
	if (entry->path_len == 0)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "entry without a name");
	int r = judge_type(t, err);
	if (r >= 0)
		r = judge_path(t, err);
	if (r >= 0)
		r = judge_target(t, target, err);
	if (r >= 0)
		r = judge_size(t, err);
	return r;
}

/* After one zero block: a second one or the end of the stream; entries behind it are seen by some
 * readers only (F2). */
static int read_end(ociwp_tar_reader *t, ociw_error **err)
{
	const unsigned char *block = NULL;
	uint64_t at = t->offset;
	int r = next_block(t, &block, err);
	if (r < 0)
		return r;
	if (r > 0 && !ociwp_tar_block_is_zero(block))
		return ociwp_fail(err, OCIW_ERR_FORMAT,
		                  "tar stream has one zero block before byte %" PRIu64
		                  ", expected two or none",
		                  at);
	return 0;
}

static int at_end(ociwp_tar_reader *t, ociw_error **err)
{
	if (t->has_pax || t->has_long_path || t->has_long_target)
		return ociwp_fail(err, OCIW_ERR_FORMAT,
		                  "tar stream ends with an extension header that has no entry");
	t->ended = true;
	return 0;
}

/* One header: 1 an entry is made, 2 an extension was read, 0 the end. */
static int read_header(ociwp_tar_reader *t, ociw_error **err)
{
	const unsigned char *block = NULL;
	uint64_t at = t->offset;
	int r = next_block(t, &block, err);
	if (r == 0)
		return at_end(t, err);
	if (r < 0)
		return r;
	if (ociwp_tar_block_is_zero(block)) {
		r = read_end(t, err);
		return r < 0 ? r : at_end(t, err);
	}
	r = count_header(t, err);
	if (r < 0)
		return r;
	r = ociwp_tar_header_parse(block, &t->header, err);
	if (r < 0) {
		const char *name;
		size_t len = ociwp_tar_header_raw_name(block, &name);
		return wrap_entry(at, name, len, r, err);
	}
	r = read_if_extension(t, err);
	if (r < 0)
		return wrap_entry(at, t->header.path, strlen(t->header.path), r, err);
	if (r > 0)
		return 2;
	r = make_entry(t, err);
	if (r < 0)
		return wrap_entry(at, t->entry.path, t->entry.path_len, r, err);
	forget_extensions(t);
	begin_body(t, t->entry.size);
	return 1;
}

int ociwp_tar_reader_next(ociwp_tar_reader *t, const ociwp_tar_entry **entry, ociw_error **err)
{
	if (t->failed)
		return ociwp_error_move(err, ociwp_error_dup(t->failed));
	if (t->ended)
		return 0;
	ociw_error *made = NULL;
	int r = ociwp_check_cancel(t->op, &made);
	if (r >= 0)
		r = finish_entry(t, &made);
	if (r >= 0) {
		do
			r = read_header(t, &made);
		while (r == 2);
	}
	if (r < 0)
		return latch(t, made, err);
	*entry = &t->entry;
	return r;
}

static int body_cut(const ociwp_tar_reader *t, ociw_error **err)
{
	(void)ociwp_fail(err, OCIW_ERR_SIZE,
	                 "stream ends %" PRIu64 " bytes before the end of the data", t->body_left);
	return wrap_entry(t->entry.data_offset, t->entry.path, t->entry.path_len, OCIW_ERR_SIZE,
	                  err);
}

ptrdiff_t ociwp_tar_reader_peek(ociwp_tar_reader *t, const void **data, ociw_error **err)
{
	if (t->failed)
		return ociwp_error_move(err, ociwp_error_dup(t->failed));
	if (t->body_left == 0)
		return 0;
	ociw_error *made = NULL;
	int r = fill(t, 1, &made);
	size_t have = t->end - t->pos;
	if (r >= 0 && have == 0)
		r = body_cut(t, &made);
	if (r < 0)
		return latch(t, made, err);
	size_t n = have < t->body_left ? have : (size_t)t->body_left;
	*data = t->buffer + t->pos;
	consume(t, n);
	t->body_left -= n;
	return (ptrdiff_t)n;
}

/* Large reads with nothing in the buffer go to the caller's memory at once. */
static ptrdiff_t read_directly(ociwp_tar_reader *t, void *buf, size_t len, ociw_error **err)
{
	ociw_error *made = NULL;
	if (len > t->body_left)
		len = (size_t)t->body_left;
	ptrdiff_t n = ociwp_check_cancel(t->op, &made);
	if (n >= 0)
		n = ociw_reader_read(t->inner, buf, len, &made);
	if (n == 0) {
		t->inner_ended = true;
		n = body_cut(t, &made);
	}
	if (n < 0)
		return latch(t, made, err);
	t->offset += (uint64_t)n;
	t->body_left -= (uint64_t)n;
	return n;
}

ptrdiff_t ociwp_tar_reader_read(ociwp_tar_reader *t, void *buf, size_t len, ociw_error **err)
{
	if (t->failed)
		return ociwp_error_move(err, ociwp_error_dup(t->failed));
	if (t->body_left == 0 || len == 0)
		return 0;
	if (t->end == t->pos && !t->inner_ended && len >= BUFFER_SIZE / 4)
		return read_directly(t, buf, len, err);
	const void *data;
	ptrdiff_t n = ociwp_tar_reader_peek(t, &data, err);
	if (n <= 0)
		return n;
	size_t take = (size_t)n < len ? (size_t)n : len;
	memcpy(buf, data, take);
	/* Give back what did not fit. */
	size_t back = (size_t)n - take;
	t->pos -= back;
	t->offset -= back;
	t->body_left += back;
	return (ptrdiff_t)take;
}

int ociwp_tar_reader_new(ociw_reader *take_from, const ociw_op *op, ociwp_tar_reader **out,
                         ociw_error **err)
{
	OCIWP_AUTO(reader) ociw_reader *from = take_from;
	ociwp_tar_reader *t = ociwp_malloc(sizeof(*t));
	if (!t)
		return ociwp_nomem(err);
	/* All but the buffer, which need not be touched before it is used. */
	memset(t, 0, offsetof(struct ociwp_tar_reader, buffer));
	t->inner = ociwp_steal(&from);
	t->op = op;
	ociwp_limits_get(op, &t->limits);
	t->entry.path = "";
	*out = t;
	return 0;
}

static void release(ociwp_tar_reader *t)
{
	ociw_error_free(t->failed);
	ociwp_buf_deinit(&t->pax_bytes);
	ociwp_buf_deinit(&t->long_path);
	ociwp_buf_deinit(&t->long_target);
	free(t);
}

void ociwp_tar_reader_free(ociwp_tar_reader *t)
{
	if (!t)
		return;
	(void)ociw_reader_close(t->inner, NULL);
	release(t);
}

int ociwp_tar_reader_close(ociwp_tar_reader *t, ociw_error **err)
{
	int r = 0;
	if (t->failed) {
		r = ociwp_error_move(err, ociwp_steal(&t->failed));
		(void)ociw_reader_close(t->inner, NULL);
		release(t);
		return r;
	}
	while (r >= 0 && !t->inner_ended) {
		t->pos = t->end = 0;
		r = fill(t, 1, err);
	}
	int verdict = ociw_reader_close(t->inner, r < 0 ? NULL : err);
	release(t);
	return r < 0 ? r : verdict;
}
