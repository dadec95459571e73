/* SPDX-License-Identifier: Apache-2.0
 *
 * The front of every reader and writer: errors latch here, once, and not in each back end. And the
 * loops that everybody needs.
 */
#include "io/stream.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define COPY_STEP ((size_t)256 * 1024)

struct ociw_reader {
	ociw_reader_ops ops;
	void *self;
	ociw_error *latched;
	bool ended;
};

struct ociw_writer {
	ociw_writer_ops ops;
	void *self;
	ociw_error *latched;
};

int ociw_reader_new(const ociw_reader_ops *ops, void *take_self, ociw_reader **out,
		    ociw_error **err)
{
	ociw_reader *reader = ociwp_new(ociw_reader);

	*out = NULL;
	if (!reader) {
		(void)ops->close(take_self, NULL);
		return ociwp_nomem(err);
	}
	memcpy(&reader->ops, ops,
	       ops->size < sizeof(reader->ops) ? ops->size : sizeof(reader->ops));
	reader->self = take_self;
	*out = reader;
	return 0;
}

/* Keeps a copy of *err (or of what happened with err NULL) for later calls. */
static ociw_error *latch(int code, ociw_error **err)
{
	ociw_error *made = NULL;

	if (err && *err)
		return ociwp_error_dup(*err);
	(void)ociwp_fail(&made, (ociw_code)code, "the stream failed before");
	return made;
}

ptrdiff_t ociw_reader_read(ociw_reader *reader, void *buf, size_t len, ociw_error **err)
{
	if (reader->latched)
		return ociwp_error_move(err, ociwp_error_dup(reader->latched));
	if (reader->ended || !len)
		return 0;
	ptrdiff_t n = reader->ops.read(reader->self, buf, len, err);
	if (n < 0)
		reader->latched = latch((int)n, err);
	else if (n == 0)
		reader->ended = true;
	else
		assert((size_t)n <= len);
	return n;
}

int ociw_reader_close(ociw_reader *take_reader, ociw_error **err)
{
	if (!take_reader)
		return 0;
	ociw_error *latched = take_reader->latched;
	int r = take_reader->ops.close(take_reader->self, latched ? NULL : err);
	free(take_reader);
	if (latched)
		return ociwp_error_move(err, latched);
	return r;
}

int ociw_writer_new(const ociw_writer_ops *ops, void *take_self, ociw_writer **out,
		    ociw_error **err)
{
	ociw_writer *writer = ociwp_new(ociw_writer);

	*out = NULL;
	if (!writer) {
		ops->abort(take_self);
		return ociwp_nomem(err);
	}
	memcpy(&writer->ops, ops,
	       ops->size < sizeof(writer->ops) ? ops->size : sizeof(writer->ops));
	writer->self = take_self;
	*out = writer;
	return 0;
}

int ociw_writer_write(ociw_writer *writer, const void *buf, size_t len, ociw_error **err)
{
	if (writer->latched)
		return ociwp_error_move(err, ociwp_error_dup(writer->latched));
	if (!len)
		return 0;
	int r = writer->ops.write(writer->self, buf, len, err);
	if (r < 0)
		writer->latched = latch(r, err);
	return r;
}

int ociw_writer_commit(ociw_writer *take_writer, ociw_error **err)
{
	ociw_error *latched = take_writer->latched;

	if (latched) {
		take_writer->ops.abort(take_writer->self);
		free(take_writer);
		return ociwp_error_move(err, latched);
	}
	int r = take_writer->ops.commit(take_writer->self, err);
	free(take_writer);
	return r;
}

void ociw_writer_abort(ociw_writer *take_writer)
{
	if (!take_writer)
		return;
	take_writer->ops.abort(take_writer->self);
	ociw_error_free(take_writer->latched);
	free(take_writer);
}

ptrdiff_t ociwp_read_full(ociw_reader *reader, void *buf, size_t len, ociw_error **err)
{
	size_t have = 0;

	while (have < len) {
		ptrdiff_t n = ociw_reader_read(reader, (char *)buf + have, len - have, err);
		if (n < 0)
			return n;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ptrdiff_t)have;
}

int ociwp_read_all(ociw_reader *take_reader, uint64_t max, char **out, size_t *out_len,
		   ociw_error **err)
{
	OCIWP_AUTO(reader) ociw_reader *reader = take_reader;
	OCIWP_AUTO(str) char *data = NULL;
	size_t len = 0, cap = 0;

	*out = NULL;
	*out_len = 0;
	for (;;) {
		if (len == cap) {
			size_t grown = cap ? cap * 2 : 4096;
			char *bigger = ociwp_realloc(data, grown + 1);
			if (!bigger)
				return ociwp_nomem(err);
			data = bigger;
			cap = grown;
		}
		ptrdiff_t n = ociw_reader_read(reader, data + len, cap - len, err);
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max)
			return ociwp_fail(err, OCIW_ERR_LIMIT, "more than %llu bytes",
					  (unsigned long long)max);
	}
	int r = ociw_reader_close(ociwp_steal(&reader), err);
	if (r < 0)
		return r;
	data[len] = '\0';
	*out = ociwp_steal(&data);
	*out_len = len;
	return 0;
}

int ociwp_reader_drain(ociw_reader *take_reader, ociw_error **err)
{
	OCIWP_AUTO(reader) ociw_reader *reader = take_reader;
	OCIWP_AUTO(str) char *buf = ociwp_malloc(COPY_STEP);

	if (!buf)
		return ociwp_nomem(err);
	for (;;) {
		ptrdiff_t n = ociw_reader_read(reader, buf, COPY_STEP, err);
		if (n < 0)
			return (int)n;
		if (n == 0)
			return ociw_reader_close(ociwp_steal(&reader), err);
	}
}

int ociwp_copy_stream(ociw_reader *from, ociw_writer *to, const ociw_op *op, uint64_t *copied,
		      ociw_error **err)
{
	OCIWP_AUTO(str) char *buf = ociwp_malloc(COPY_STEP);
	uint64_t total = 0;

	if (!buf)
		return ociwp_nomem(err);
	for (;;) {
		int r = ociwp_check_cancel(op, err);
		if (r < 0)
			return r;
		ptrdiff_t n = ociw_reader_read(from, buf, COPY_STEP, err);
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		r = ociw_writer_write(to, buf, (size_t)n, err);
		if (r < 0)
			return r;
		total += (uint64_t)n;
	}
	if (copied)
		*copied = total;
	return 0;
}

int ociwp_random(void *buf, size_t len)
{
	uint8_t *at = buf;

	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int ociwp_write_full(int fd, const void *buf, size_t len)
{
	const char *at = buf;

	while (len) {
		ssize_t n = write(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			return EIO;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int ociwp_pwrite_full(int fd, const void *buf, size_t len, uint64_t offset)
{
	const char *at = buf;

	while (len) {
		ssize_t n = pwrite(fd, at, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			return EIO;
		at += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}
