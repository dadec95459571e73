/* SPDX-License-Identifier: Apache-2.0
 *
 * The unzstd reader: frames and skippable frames (RFC 8878) by libzstd. The frame header is judged
 * here first, so that a window over the cap or a dictionary is refused before memory is asked for
 * (F5).
 */
#include "io/decode-guard.h"

#include <inttypes.h>
#include <string.h>
#if OCIWP_HAVE_ZSTD
#include <zstd.h>
#include <zstd_errors.h>

#define INPUT_SIZE ((size_t)128 << 10)
#define FRAME_HEADER_MAX 18 /* RFC 8878, 3.1.1.1 with the magic number */
#define WINDOW_DEFAULT ((uint64_t)128 << 20)

#define SIZE_UNKNOWN UINT64_MAX

enum state { STATE_FRAME, STATE_BODY, STATE_SKIP, STATE_END };

struct unzstd {
	ociw_reader *inner;
	ZSTD_DStream *stream;
	ociwp_decode_guard guard;
	uint64_t max_window;
	enum state state;
	bool inner_ended;
	bool drained; /* libzstd has nothing more to give without input */
	uint64_t frames;
	uint64_t skip_left;
	bool fresh; /* nothing of this frame has been given to libzstd yet */
	uint64_t frame_promised, frame_out; /* of this frame; promised: SIZE_UNKNOWN without one */
	size_t pos, end;
	uint8_t input[INPUT_SIZE];
};

static uint64_t little_endian(const uint8_t *b, size_t len)
{
	uint64_t value = 0;
	for (size_t i = 0; i < len; i++)
		value |= (uint64_t)b[i] << (8 * i);
	return value;
}

/* Has at least @p want bytes in one piece, or all that are left of the stream. */
static int fill(struct unzstd *z, size_t want, ociw_error **err)
{
	while (z->end - z->pos < want && !z->inner_ended) {
		memmove(z->input, z->input + z->pos, z->end - z->pos);
		z->end -= z->pos;
		z->pos = 0;
		ptrdiff_t n =
		        ociw_reader_read(z->inner, z->input + z->end, INPUT_SIZE - z->end, err);
		if (n < 0)
			return (int)n;
		z->inner_ended = n == 0;
		z->end += (size_t)n;
		z->guard.total_in += (uint64_t)n;
	}
	return 0;
}

static int cut_short(const struct unzstd *z, const char *where, ociw_error **err)
{
	return ociwp_fail(err, OCIW_ERR_SIZE, "zstd stream ends in %s, after %" PRIu64 " bytes",
	                  where, z->guard.total_in);
}

/* RFC 8878, 3.1.1.1: what the decoder will need for this frame. */
static int judge_frame(struct unzstd *z, const uint8_t *b, size_t len, ociw_error **err)
{
	static const uint8_t dictionary_sizes[4] = {0, 1, 2, 4};
	static const uint8_t content_sizes[4] = {0, 2, 4, 8};
	uint8_t descriptor = b[4];
	bool single = descriptor & 0x20;
	size_t dictionary_size = dictionary_sizes[descriptor & 3];
	size_t content_size = content_sizes[descriptor >> 6];
	if (single && content_size == 0)
		content_size = 1;
	size_t at = 5 + (single ? 0 : 1);
	if (len < at + dictionary_size + content_size)
		return cut_short(z, "a frame header", err);
	if (descriptor & 0x08)
		return ociwp_fail(err, OCIW_ERR_FORMAT, "zstd frame header has a reserved bit set");
	if (little_endian(b + at, dictionary_size) != 0)
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
		                  "zstd frame needs dictionary %" PRIu64 ", layers have none",
		                  little_endian(b + at, dictionary_size));
	z->frame_out = 0;
	z->frame_promised = content_size > 0 ? little_endian(b + at + dictionary_size, content_size)
	                                     : SIZE_UNKNOWN;
	if (content_size == 2)
		z->frame_promised += 256;
	uint64_t window = z->frame_promised;
	if (!single) {
		uint64_t base = (uint64_t)1 << (10 + (b[5] >> 3));
		window = base + base / 8 * (b[5] & 7);
	}
	if (window > z->max_window)
		return ociwp_fail(err, OCIW_ERR_LIMIT,
		                  "zstd frame needs a window of %" PRIu64
		                  " bytes, the limit is %" PRIu64,
		                  window, z->max_window);
	return 0;
}

static int begin_frame(struct unzstd *z, ociw_error **err)
{
	int r = fill(z, FRAME_HEADER_MAX, err);
	if (r < 0)
		return r;
	const uint8_t *b = z->input + z->pos;
	size_t len = z->end - z->pos;
	if (len == 0 && z->frames > 0) {
		z->state = STATE_END;
		return 0;
	}
	if (len >= 4 && little_endian(b, 4) >> 4 == 0x184d2a5) {
		if (len < 8)
			return cut_short(z, "a frame header", err);
		z->skip_left = little_endian(b + 4, 4);
		z->pos += 8;
		z->frames++;
		z->state = STATE_SKIP;
		return 0;
	}
	if (len < 4 || little_endian(b, 4) != 0xfd2fb528)
		return ociwp_fail(err, OCIW_ERR_FORMAT,
		                  z->frames > 0 ? "bytes after the end of the zstd stream"
		                                : "not a zstd stream");
	if (len < 6)
		return cut_short(z, "a frame header", err);
	r = judge_frame(z, b, len, err);
	if (r < 0)
		return r;
	ZSTD_DCtx_reset(z->stream, ZSTD_reset_session_only);
	z->frames++;
	z->drained = false;
	z->fresh = true;
	z->state = STATE_BODY;
	return 0;
}

static int skip_frame(struct unzstd *z, ociw_error **err)
{
	while (z->skip_left > 0) {
		int r = fill(z, 1, err);
		if (r < 0)
			return r;
		size_t have = z->end - z->pos;
		if (have == 0)
			return cut_short(z, "a skippable frame", err);
		size_t step = have < z->skip_left ? have : (size_t)z->skip_left;
		z->pos += step;
		z->skip_left -= step;
	}
	z->state = STATE_FRAME;
	return 0;
}

/* libzstd itself does not compare when the last block is empty and comes in pieces. The code is that of
 * other damage, as it depends on the pieces which of the two is seen first. */
static int check_frame_size(const struct unzstd *z, bool over, ociw_error **err)
{
	if (z->frame_promised == SIZE_UNKNOWN || z->frame_out == z->frame_promised ||
	    (!over && z->frame_out < z->frame_promised))
		return 0;
	return ociwp_fail(err, OCIW_ERR_DIGEST,
	                  "zstd data is damaged: a frame has %s%" PRIu64 " bytes, its header says %" PRIu64,
	                  over ? "" : "at least ", z->frame_out, z->frame_promised);
}

/* Bytes produced, 0 when the frame is over, or a code. */
static ptrdiff_t read_body(struct unzstd *z, uint8_t *buf, size_t len, ociw_error **err)
{
	for (;;) {
		if (z->drained) {
			int r = fill(z, 1, err);
			if (r < 0)
				return r;
			if (z->end == z->pos)
				return cut_short(z, "a frame", err);
		}
		/* A frame that lies whole before it takes a shortcut in libzstd that is less strict than
		 * its stream: one byte alone first, so that the verdict does not depend on how the bytes
		 * came. */
		ZSTD_inBuffer in = {z->input, z->fresh ? z->pos + 1 : z->end, z->pos};
		z->fresh = false;
		ZSTD_outBuffer out = {buf, len, 0};
		size_t hint = ZSTD_decompressStream(z->stream, &out, &in);
		if (ZSTD_isError(hint)) {
			if (ZSTD_getErrorCode(hint) == ZSTD_error_memory_allocation)
				return ociwp_nomem(err);
			return ociwp_fail(err, OCIW_ERR_DIGEST, "zstd data is damaged: %s",
			                  ZSTD_getErrorName(hint));
		}
		z->pos = in.pos;
		z->drained = out.pos < len && in.pos == in.size;
		z->frame_out += out.pos;
		int r = check_frame_size(z, hint == 0, err);
		if (r < 0)
			return r;
		if (hint == 0)
			z->state = STATE_FRAME;
		if (out.pos > 0) {
			r = ociwp_decode_guard_count(&z->guard, out.pos, err);
			return r < 0 ? r : (ptrdiff_t)out.pos;
		}
		if (hint == 0)
			return 0;
	}
}

static ptrdiff_t unzstd_read(void *self, void *buf, size_t len, ociw_error **err)
{
	struct unzstd *z = self;
	for (;;) {
		ptrdiff_t n = 0;
		switch (z->state) {
		case STATE_FRAME:
			n = begin_frame(z, err);
			break;
		case STATE_BODY:
			n = read_body(z, buf, len, err);
			break;
		case STATE_SKIP:
			n = skip_frame(z, err);
			break;
		case STATE_END:
			return 0;
		}
		if (n != 0)
			return n;
	}
}

static int unzstd_close(void *self, ociw_error **err)
{
	struct unzstd *z = self;
	int r = ociw_reader_close(z->inner, err);
	ZSTD_freeDStream(z->stream);
	free(z);
	return r;
}

static const ociw_reader_ops unzstd_ops = {sizeof(ociw_reader_ops), unzstd_read, unzstd_close};

/* libzstd's own cap is a power of two: the next one up, as judge_frame is exact. */
static int window_log(uint64_t max_window)
{
	ZSTD_bounds bounds = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);
	int log = bounds.lowerBound;
	while (log < bounds.upperBound && ((uint64_t)1 << log) < max_window)
		log++;
	return log;
}

int ociwp_reader_unzstd(ociw_reader *take_inner, const ociwp_decode_options *options,
                        ociw_reader **out, ociw_error **err)
{
	OCIWP_AUTO(reader) ociw_reader *inner = take_inner;
	struct unzstd *z = ociwp_new(struct unzstd);
	if (!z)
		return ociwp_nomem(err);
	z->max_window =
	        options && options->max_zstd_window ? options->max_zstd_window : WINDOW_DEFAULT;
	ociwp_decode_guard_init(&z->guard, options);
	z->stream = ZSTD_createDStream();
	if (!z->stream || ZSTD_isError(ZSTD_DCtx_setParameter(z->stream, ZSTD_d_windowLogMax,
	                                                      window_log(z->max_window)))) {
		ZSTD_freeDStream(z->stream);
		free(z);
		return ociwp_nomem(err);
	}
	z->inner = ociwp_steal(&inner);
	return ociw_reader_new(&unzstd_ops, z, out, err);
}

#else

int ociwp_reader_unzstd(ociw_reader *take_inner, const ociwp_decode_options *options,
                        ociw_reader **out, ociw_error **err)
{
	(void)options;
	(void)out;
	(void)ociw_reader_close(take_inner, NULL);
	return ociwp_fail(err, OCIW_ERR_UNSUPPORTED, "this build cannot read zstd");
}

#endif
