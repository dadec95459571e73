/* SPDX-License-Identifier: Apache-2.0
 *
 * Two engines behind one function. ISA-L inflates 2-3 times faster than zlib in a stream, but reads
 * up to 8 bytes ahead; zlib is there on every platform. See docs/adr/0003-strict-tar-reader.md for
 * figures.
 */
#include "io/raw-inflate.h"
#include "base/alloc.h"

#include <limits.h>
#include <zlib.h>
#if OCIWP_HAVE_ISAL
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#endif

/* Both engines count in 32 bits; nobody has buffers this large. */
#define STEP_MAX ((size_t)1 << 30)

struct ociwp_inflate {
	ociwp_inflate_engine engine;
	z_stream zlib;
#if OCIWP_HAVE_ISAL
	struct inflate_state *isal;
#endif
};

ociwp_inflate_engine ociwp_inflate_default_engine(void)
{
	return OCIWP_HAVE_ISAL ? OCIWP_INFLATE_ISAL : OCIWP_INFLATE_ZLIB;
}

static int start_isal(ociwp_inflate *inflate, ociw_error **err)
{
#if OCIWP_HAVE_ISAL
	inflate->isal = ociwp_malloc(sizeof(*inflate->isal));
	if (!inflate->isal)
		return ociwp_nomem(err);
	isal_inflate_init(inflate->isal);
	return 0;
#else
	(void)inflate;
	return ociwp_fail(err, OCIW_ERR_UNSUPPORTED, "this build has no ISA-L");
#endif
}

int ociwp_inflate_new(ociwp_inflate_engine engine, ociwp_inflate **out, ociw_error **err)
{
	ociwp_inflate *inflate = ociwp_new(ociwp_inflate);
	if (!inflate)
		return ociwp_nomem(err);
	inflate->engine = engine == OCIWP_INFLATE_AUTO ? ociwp_inflate_default_engine() : engine;
	int r = 0;
	if (inflate->engine == OCIWP_INFLATE_ISAL)
		r = start_isal(inflate, err);
	else if (inflateInit2(&inflate->zlib, -MAX_WBITS) != Z_OK)
		r = ociwp_nomem(err);
	if (r < 0) {
		free(inflate);
		return r;
	}
	*out = inflate;
	return 0;
}

void ociwp_inflate_free(ociwp_inflate *inflate)
{
	if (!inflate)
		return;
#if OCIWP_HAVE_ISAL
	free(inflate->isal);
#endif
	if (inflate->engine == OCIWP_INFLATE_ZLIB)
		inflateEnd(&inflate->zlib);
	free(inflate);
}

void ociwp_inflate_reset(ociwp_inflate *inflate)
{
#if OCIWP_HAVE_ISAL
	if (inflate->engine == OCIWP_INFLATE_ISAL) {
		isal_inflate_reset(inflate->isal);
		return;
	}
#endif
	inflateReset(&inflate->zlib);
}

static ptrdiff_t run_zlib(z_stream *z, const uint8_t **in, size_t *in_len, uint8_t *out,
                          size_t out_len, bool *ended, ociw_error **err)
{
	size_t give = *in_len < STEP_MAX ? *in_len : STEP_MAX;
	/* zlib's type lacks const; it does not write there. */
	z->next_in = (Bytef *)(uintptr_t)*in;
	z->avail_in = (uInt)give;
	z->next_out = out;
	z->avail_out = (uInt)out_len;
	int r = inflate(z, Z_NO_FLUSH);
	*in_len -= give - z->avail_in;
	*in = z->next_in;
	if (r == Z_MEM_ERROR)
		return ociwp_nomem(err);
	if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
		return ociwp_fail(err, OCIW_ERR_DIGEST, "deflate data is damaged: %s",
		                  z->msg ? z->msg : "invalid stream");
	*ended = r == Z_STREAM_END;
	return (ptrdiff_t)(out_len - z->avail_out);
}

#if OCIWP_HAVE_ISAL
static ptrdiff_t run_isal(struct inflate_state *state, const uint8_t **in, size_t *in_len,
                          uint8_t *out, size_t out_len, bool *ended, ociw_error **err)
{
	size_t give = *in_len < STEP_MAX ? *in_len : STEP_MAX;
	state->next_in = (uint8_t *)(uintptr_t)*in;
	state->avail_in = (uint32_t)give;
	state->next_out = out;
	state->avail_out = (uint32_t)out_len;
	int r = isal_inflate(state);
	*in_len -= give - state->avail_in;
	*in = state->next_in;
	if (r < 0)
		return ociwp_fail(err, OCIW_ERR_DIGEST, "deflate data is damaged: %s",
		                  r == ISAL_INVALID_BLOCK      ? "invalid block"
		                  : r == ISAL_INVALID_SYMBOL   ? "invalid code"
		                  : r == ISAL_INVALID_LOOKBACK ? "invalid distance too far back"
		                                               : "invalid stream");
	*ended = state->block_state == ISAL_BLOCK_FINISH;
	return (ptrdiff_t)(out_len - state->avail_out);
}
#endif

ptrdiff_t ociwp_inflate_run(ociwp_inflate *inflate, const uint8_t **in, size_t *in_len,
                            uint8_t *out, size_t out_len, bool *ended, ociw_error **err)
{
	size_t had = *in_len;
	ptrdiff_t n;
	if (out_len > STEP_MAX)
		out_len = STEP_MAX;
	*ended = false;
#if OCIWP_HAVE_ISAL
	if (inflate->engine == OCIWP_INFLATE_ISAL)
		n = run_isal(inflate->isal, in, in_len, out, out_len, ended, err);
	else
#endif
		n = run_zlib(&inflate->zlib, in, in_len, out, out_len, ended, err);
	/* Whatever the engine does with a hostile stream, the caller's loop must come to an end. */
	if (n == 0 && !*ended && had > 0 && *in_len == had)
		return ociwp_fail(err, OCIW_ERR_DIGEST, "deflate data is damaged: no progress");
	return n;
}

size_t ociwp_inflate_leftover(const ociwp_inflate *inflate, uint8_t out[OCIWP_INFLATE_LEFTOVER_MAX])
{
#if OCIWP_HAVE_ISAL
	if (inflate->engine == OCIWP_INFLATE_ISAL && inflate->isal->read_in_length > 0) {
		uint64_t bits = inflate->isal->read_in >> (inflate->isal->read_in_length % 8);
		size_t count = (size_t)inflate->isal->read_in_length / 8;
		for (size_t i = 0; i < count; i++)
			out[i] = (uint8_t)(bits >> (8 * i));
		return count;
	}
#endif
	(void)inflate;
	(void)out;
	return 0;
}

uint32_t ociwp_crc32(uint32_t crc, const void *data, size_t len)
{
#if OCIWP_HAVE_ISAL
	return crc32_gzip_refl(crc, data, len);
#else
	const uint8_t *bytes = data;
	while (len > 0) {
		size_t step = len < STEP_MAX ? len : STEP_MAX;
		crc = (uint32_t)crc32(crc, bytes, (uInt)step);
		bytes += step;
		len -= step;
	}
	return crc;
#endif
}
