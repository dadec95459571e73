/* SPDX-License-Identifier: Apache-2.0
 *
 * The gunzip reader: RFC 1952 framing around raw-inflate, straight into the caller's buffer. Checks
 * CRC and length of every member and accepts nothing behind the last one (extraction.md F4).
 */
#include "io/inflate.h"
#include "io/decode-guard.h"

#include <inttypes.h>
#include <string.h>

#define INPUT_SIZE ((size_t)64 << 10)
#define HEADROOM OCIWP_INFLATE_LEFTOVER_MAX

/* RFC 1952, 2.3.1 */
#define FLAG_HCRC 0x02
#define FLAG_EXTRA 0x04
#define FLAG_NAME 0x08
#define FLAG_COMMENT 0x10
#define FLAGS_RESERVED 0xe0

enum state { STATE_HEADER, STATE_BODY, STATE_TRAILER, STATE_END };

struct gunzip {
	ociw_reader *inner;
	ociwp_inflate *inflate;
	ociwp_decode_guard guard;
	bool *truncated;
	enum state state;
	bool inner_ended;
	bool drained; /* the engine has nothing more to give without input */
	uint64_t members;
	uint32_t crc, header_crc;
	uint32_t length; /* of this member, modulo 2^32 as the trailer has it */
	const uint8_t *pos;
	size_t left;
	/* Room in front, where bytes go back that the engine took too many. */
	uint8_t input[HEADROOM + INPUT_SIZE];
};

/* 1: there is input; 0: the inner stream is over; < 0: code. */
static int fill(struct gunzip *g, ociw_error **err)
{
	if (g->left > 0)
		return 1;
	if (g->inner_ended)
		return 0;
	ptrdiff_t n = ociw_reader_read(g->inner, g->input + HEADROOM, INPUT_SIZE, err);
	if (n < 0)
		return (int)n;
	if (n == 0) {
		g->inner_ended = true;
		return 0;
	}
	g->pos = g->input + HEADROOM;
	g->left = (size_t)n;
	g->guard.total_in += (uint64_t)n;
	return 1;
}

/* The stream stops before its end: an error, unless the caller can live with it. */
static int cut_short(struct gunzip *g, const char *where, ociw_error **err)
{
	if (g->truncated && g->members > 0) {
		*g->truncated = true;
		g->state = STATE_END;
		return 0;
	}
	return ociwp_fail(err, OCIW_ERR_SIZE,
	                  "gzip stream ends in its %s, after %" PRIu64 " bytes", where,
	                  g->guard.total_in);
}

/* Next byte of the header: 0..255 through @p byte and 1, or 0 at the end of the stream, or a code.
 */
static int header_byte(struct gunzip *g, uint8_t *byte, ociw_error **err)
{
	int r = fill(g, err);
	if (r <= 0)
		return r;
	*byte = *g->pos++;
	g->left--;
	g->header_crc = ociwp_crc32(g->header_crc, byte, 1);
	return 1;
}

static int header_bytes(struct gunzip *g, uint8_t *out, size_t len, ociw_error **err)
{
	for (size_t i = 0; i < len; i++) {
		int r = header_byte(g, out + i, err);
		if (r <= 0)
			return r;
	}
	return 1;
}

static int skip_text(struct gunzip *g, ociw_error **err)
{
	uint8_t byte = 1;
	int r = 1;
	while (byte != 0 && (r = header_byte(g, &byte, err)) > 0) {
	}
	return r;
}

static int skip_extra(struct gunzip *g, ociw_error **err)
{
	uint8_t b[2];
	int r = header_bytes(g, b, 2, err);
	for (size_t left = r > 0 ? (size_t)(b[0] | b[1] << 8) : 0; left > 0 && r > 0; left--)
		r = header_byte(g, b, err);
	return r;
}

static int check_header_crc(struct gunzip *g, ociw_error **err)
{
	uint32_t want = g->header_crc & 0xffff;
	uint8_t b[2];
	int r = header_bytes(g, b, 2, err);
	if (r <= 0)
		return r;
	uint32_t got = (uint32_t)(b[0] | b[1] << 8);
	if (got != want)
		return ociwp_fail(err, OCIW_ERR_DIGEST,
		                  "gzip header has checksum %04" PRIx32 ", expected %04" PRIx32,
		                  got, want);
	return 1;
}

/* 1 when the header is read whole, 0 when the stream ends in it, or a code. */
static int parse_header(struct gunzip *g, ociw_error **err)
{
	uint8_t head[10]; /* magic, method, flags, time (4), extra flags, system */
	g->header_crc = 0;
	int r = header_bytes(g, head, 2, err);
	if (r <= 0)
		return r;
	if (head[0] != 0x1f || head[1] != 0x8b)
		return g->members == 0 ? ociwp_fail(err, OCIW_ERR_FORMAT, "not a gzip stream")
		                       : ociwp_fail(err, OCIW_ERR_FORMAT,
		                                    "bytes after the end of the gzip stream");
	r = header_bytes(g, head + 2, 8, err);
	if (r <= 0)
		return r;
	if (head[2] != 8 || (head[3] & FLAGS_RESERVED))
		return ociwp_fail(
		        err, OCIW_ERR_FORMAT,
		        "gzip header has method %u and flags 0x%02x, which nobody defined", head[2],
		        head[3]);
	if (head[3] & FLAG_EXTRA)
		r = skip_extra(g, err);
	if (r > 0 && (head[3] & FLAG_NAME))
		r = skip_text(g, err);
	if (r > 0 && (head[3] & FLAG_COMMENT))
		r = skip_text(g, err);
	if (r > 0 && (head[3] & FLAG_HCRC))
		r = check_header_crc(g, err);
	return r;
}

static int read_header(struct gunzip *g, ociw_error **err)
{
	int r = fill(g, err);
	if (r < 0)
		return r;
	if (r == 0 && g->members > 0) {
		g->state = STATE_END;
		return 0;
	}
	r = parse_header(g, err);
	if (r < 0)
		return r;
	if (r == 0)
		return cut_short(g, "header", err);
	g->members++;
	g->crc = 0;
	g->length = 0;
	g->drained = true;
	g->state = STATE_BODY;
	ociwp_inflate_reset(g->inflate);
	return 0;
}

/* Bytes the engine read past its stream belong to the trailer: put them in front of the input. */
static void give_back_leftover(struct gunzip *g)
{
	uint8_t bytes[HEADROOM];
	size_t count = ociwp_inflate_leftover(g->inflate, bytes);
	uint8_t *at = g->input + (g->pos - g->input) - count;
	memcpy(at, bytes, count);
	g->pos = at;
	g->left += count;
}

/* Bytes produced, 0 when the state changed, or a code. */
static ptrdiff_t read_body(struct gunzip *g, uint8_t *buf, size_t len, ociw_error **err)
{
	for (;;) {
		if (g->drained) {
			int r = fill(g, err);
			if (r < 0)
				return r;
			if (r == 0)
				return cut_short(g, "data", err);
		}
		bool ended;
		ptrdiff_t n =
		        ociwp_inflate_run(g->inflate, &g->pos, &g->left, buf, len, &ended, err);
		if (n < 0)
			return n;
		g->drained = (size_t)n < len && g->left == 0;
		if (ended) {
			give_back_leftover(g);
			g->state = STATE_TRAILER;
		}
		if (n > 0) {
			g->crc = ociwp_crc32(g->crc, buf, (size_t)n);
			g->length += (uint32_t)n;
			int r = ociwp_decode_guard_count(&g->guard, (size_t)n, err);
			return r < 0 ? r : n;
		}
		if (ended)
			return 0;
	}
}

static uint32_t little_endian(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static int read_trailer(struct gunzip *g, ociw_error **err)
{
	uint8_t b[8];
	int r = header_bytes(g, b, sizeof(b), err);
	if (r < 0)
		return r;
	if (r == 0)
		return cut_short(g, "trailer", err);
	if (little_endian(b) != g->crc)
		return ociwp_fail(err, OCIW_ERR_DIGEST,
		                  "gzip data has CRC %08" PRIx32 ", its trailer says %08" PRIx32,
		                  g->crc, little_endian(b));
	if (little_endian(b + 4) != g->length)
		return ociwp_fail(err, OCIW_ERR_SIZE,
		                  "gzip data has %" PRIu32 " bytes, its trailer says %" PRIu32,
		                  g->length, little_endian(b + 4));
	g->state = STATE_HEADER;
	return 0;
}

static ptrdiff_t gunzip_read(void *self, void *buf, size_t len, ociw_error **err)
{
	struct gunzip *g = self;
	for (;;) {
		ptrdiff_t n = 0;
		switch (g->state) {
		case STATE_HEADER:
			n = read_header(g, err);
			break;
		case STATE_BODY:
			n = read_body(g, buf, len, err);
			break;
		case STATE_TRAILER:
			n = read_trailer(g, err);
			break;
		case STATE_END:
			return 0;
		}
		if (n != 0)
			return n;
	}
}

static int gunzip_close(void *self, ociw_error **err)
{
	struct gunzip *g = self;
	int r = ociw_reader_close(g->inner, err);
	ociwp_inflate_free(g->inflate);
	free(g);
	return r;
}

static const ociw_reader_ops gunzip_ops = {sizeof(ociw_reader_ops), gunzip_read, gunzip_close};

int ociwp_reader_gunzip_by(ociwp_inflate_engine engine, ociw_reader *take_inner,
                           const ociwp_decode_options *options, ociw_reader **out, ociw_error **err)
{
	OCIWP_AUTO(reader) ociw_reader *inner = take_inner;
	struct gunzip *g = ociwp_new(struct gunzip);
	if (!g)
		return ociwp_nomem(err);
	int r = ociwp_inflate_new(engine, &g->inflate, err);
	if (r < 0) {
		free(g);
		return r;
	}
	g->inner = ociwp_steal(&inner);
	g->pos = g->input + HEADROOM;
	g->truncated = options ? options->truncated : NULL;
	ociwp_decode_guard_init(&g->guard, options);
	return ociw_reader_new(&gunzip_ops, g, out, err);
}

int ociwp_reader_gunzip(ociw_reader *take_inner, const ociwp_decode_options *options,
                        ociw_reader **out, ociw_error **err)
{
	return ociwp_reader_gunzip_by(OCIWP_INFLATE_AUTO, take_inner, options, out, err);
}
