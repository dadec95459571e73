/* SPDX-License-Identifier: Apache-2.0
 *
 * Tar layers over one another: order, verification (blob digest, diff_id, end of the compressed
 * stream) and the choice between one thread and several. specs/extraction.md; perf anchors 7.
 */
#include "ops/extract-layer.h"

#include "base/str.h"
#include "codec/mediatype.h"
#include "io/compress.h"
#include "io/tmpblob.h"
#include "ops/extract-pipe.h"
#include "ops/extract-total.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Below this many stored bytes a second thread costs more than it gives (perf anchors 8). */
#define SERIAL_BELOW ((uint64_t)2 * 1024 * 1024)

/* What opening a layer needs; used by other threads, so nothing here is the caller's. */
typedef struct layer_source {
	ociw_content *content;
	ociw_op op; /* without events */
	ociw_limits limits;
	bool spool;
	ociw_descriptor **layers;
	ociwp_compression *found; /* one a layer */
} layer_source;

/* --- opening -------------------------------------------------------------------------------- */

/* verify_first: the whole blob, checked, in a file without a name. */
static int spool(ociw_reader *take_reader, const ociw_op *op, ociw_reader **out, ociw_error **err)
{
	OCIWP_AUTO(reader) ociw_reader *reader = take_reader;
	OCIWP_AUTO(writer) ociw_writer *writer = NULL;
	OCIWP_AUTO(fd) int fd = -1;
	*out = NULL;
	int r = ociwp_tmpblob_open(NULL, &fd, err);
	if (r < 0)
		return r;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return ociwp_fail_errno(err, errno, "duplicate a temporary file");
	r = ociw_writer_new_fd(copy, &writer, err);
	if (r == 0)
		r = ociwp_copy_stream(reader, writer, op, NULL, err);
	if (r == 0)
		r = ociw_reader_close(ociwp_steal(&reader), err);
	if (r == 0)
		r = ociw_writer_commit(ociwp_steal(&writer), err);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = ociwp_fail(err, OCIW_ERR_IO, "rewind a spooled layer");
	return r < 0 ? r : ociw_reader_new_fd(ociwp_steal_fd(&fd), out, err);
}

static int open_layer(void *data, size_t i, ociw_reader **out, ociw_error **err)
{
	layer_source *source = data;
	ociwp_decode_options decode = {.max_ratio = source->limits.max_ratio,
				       .max_zstd_window = source->limits.max_zstd_window};
	ociw_reader *reader = NULL;
	*out = NULL;
	int r = ociw_content_open(source->content, source->layers[i], &source->op, &reader, err);
	if (r == 0 && source->spool)
		r = spool(reader, &source->op, &reader, err);
	return r == 0 ? ociwp_reader_decode(reader, &decode, &source->found[i], out, err) : r;
}

/* --- what a layer promises ------------------------------------------------------------------ */

/* diff_ids of the tar layers: one for each of them, or (as some builders write) one for each layer.
 * *ids stays NULL where the config is no image config. */
static int match_diff_ids(const ociwp_extraction *x, const size_t *numbers, size_t count,
			  const char ***ids, ociw_error **err)
{
	*ids = NULL;
	if (!x->config)
		return 0;
	size_t have = x->config->diff_id_count;
	if (have != count && have != x->manifest->layer_count)
		return ociwp_fail(err, OCIW_ERR_FORMAT,
				  "the config has %zu diff_ids for %zu layers", have, count);
	const char **list = ociwp_calloc(count ? count : 1, sizeof(*list));
	if (!list)
		return ociwp_nomem(err);
	for (size_t i = 0; i < count; i++)
		list[i] = x->config->diff_ids[have == count ? i : numbers[i]];
	*ids = list;
	return 0;
}

static int check_diff_id(const char *want, const ociw_digest *got, ociw_error **err)
{
	ociw_digest digest;
	char text[OCIW_DIGEST_TEXT_MAX];
	int r = ociw_digest_parse(want, &digest, err);
	if (r < 0)
		return ociwp_wrap(err, r, "diff_id");
	if (!ociw_digest_equal(&digest, got))
		return ociwp_fail(err, OCIW_ERR_DIGEST, "diff_id is %s, expected %s",
				  ociw_digest_format(got, text), ociwp_quote(want));
	return 0;
}

/* LYR-2: bytes decide, a difference from the media type is worth a word. */
static int check_compression(ociwp_extraction *x, const ociw_descriptor *layer,
			     ociwp_compression found, ociw_error **err)
{
	const char *type = ociw_descriptor_media_type(layer);
	ociwp_compression said = OCIWP_COMPRESSION_NONE;
	if (ociwp_ends_with(type, "+gzip") || ociwp_ends_with(type, ".gzip"))
		said = OCIWP_COMPRESSION_GZIP;
	else if (ociwp_ends_with(type, "+zstd") || ociwp_ends_with(type, ".zstd"))
		said = OCIWP_COMPRESSION_ZSTD;
	if (said == found)
		return 0;
	static const char *const names[] = {"not compressed", "gzip", "zstd"};
	return ociwp_extract_warn(x, err, "layer %s is %s, although its media type is %s",
				  ociw_descriptor_digest(layer), names[found], ociwp_quote(type));
}

/* --- one layer ------------------------------------------------------------------------------ */

static int apply(ociwp_extraction *x, layer_source *source, ociwp_pipe *pipe, size_t i,
		 const char *diff_id, ociw_error **err)
{
	ociw_digest got = {0};
	ociw_digest_algorithm algorithm =
		diff_id && ociwp_starts_with(diff_id, "sha512:") ? OCIW_DIGEST_SHA512
								 : OCIW_DIGEST_SHA256;
	ociw_reader *reader = NULL;
	int r = pipe ? ociwp_pipe_reader(pipe, &reader, err) : open_layer(source, i, &reader, err);
	/* Counted here, in order, whatever runs ahead. */
	if (r == 0)
		r = ociwp_extract_total(reader, &x->unpacked, x->limits.max_unpacked_bytes, &reader,
					err);
	if (r == 0 && diff_id)
		r = ociwp_reader_hash(reader, algorithm, &got, NULL, &reader, err);
	if (r < 0)
		return r;
	r = ociwp_extract_layer(x, reader, pipe, err);
	if (r == 0 && pipe)
		r = ociwp_pipe_drain(pipe, err);
	if (r == 0 && diff_id)
		r = check_diff_id(diff_id, &got, err);
	return r == 0 ? check_compression(x, source->layers[i], source->found[i], err) : r;
}

static int emit_blob(const ociwp_extraction *x, ociw_event_kind kind, const ociw_descriptor *desc,
		     ociw_error **err)
{
	uint64_t size = ociw_descriptor_size(desc);
	ociw_event event = {.size = sizeof(event),
			    .kind = kind,
			    .digest = ociw_descriptor_digest(desc),
			    .media_type = ociw_descriptor_media_type(desc),
			    .done = kind == OCIW_EVENT_BLOB_DONE ? size : 0,
			    .total = size};
	return ociwp_emit(x->op, &event, err);
}

static int apply_all(ociwp_extraction *x, layer_source *source, size_t count, const char **ids,
		     ociw_error **err)
{
	OCIWP_AUTO(pipe) ociwp_pipe *pipe = NULL;
	uint64_t stored = 0;
	int r = 0;
	for (size_t i = 0; i < count; i++)
		stored += ociw_descriptor_size(source->layers[i]) < SERIAL_BELOW
				  ? ociw_descriptor_size(source->layers[i])
				  : SERIAL_BELOW;
	if (stored >= SERIAL_BELOW && !(x->options.flags & OCIW_EXTRACT_SERIAL))
		r = ociwp_pipe_new(count,
				   ociwp_extract_lanes(x, (const ociw_descriptor *const *)source->layers,
						       count),
				   open_layer, source, &pipe, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		/* Whiteouts and opaque marks need to know this layer's names, unless nothing is
		 * below. */
		if (i == 1)
			r = ociwp_seen_new(&x->seen, err);
		else if (x->seen)
			ociwp_seen_clear(x->seen);
		if (r == 0)
			r = emit_blob(x, OCIW_EVENT_BLOB_BEGIN, source->layers[i], err);
		if (r == 0)
			r = apply(x, source, pipe, i, ids ? ids[i] : NULL, err);
		if (r == 0)
			r = emit_blob(x, OCIW_EVENT_BLOB_DONE, source->layers[i], err);
		if (r < 0)
			r = ociwp_wrap(err, r, "layer %zu (%s)", i + 1,
				       ociw_descriptor_digest(source->layers[i]));
	}
	ociwp_seen_free(ociwp_steal(&x->seen));
	return r;
}

int ociwp_extract_rootfs(ociwp_extraction *x, ociw_error **err)
{
	size_t all = x->manifest->layer_count, count = 0;
	OCIWP_AUTO(mem) ociw_descriptor **layers = ociwp_calloc(all ? all : 1, sizeof(*layers));
	OCIWP_AUTO(mem) size_t *numbers = ociwp_calloc(all ? all : 1, sizeof(*numbers));
	OCIWP_AUTO(mem) ociwp_compression *found = ociwp_calloc(all ? all : 1, sizeof(*found));
	OCIWP_AUTO(mem) const char **ids = NULL;
	if (!layers || !numbers || !found)
		return ociwp_nomem(err);
	for (size_t i = 0; i < all; i++) {
		if (!ociwp_mediatype_is_layer(
			    ociw_descriptor_media_type(x->manifest->layers[i])))
			continue;
		numbers[count] = i;
		layers[count++] = x->manifest->layers[i];
	}
	int r = match_diff_ids(x, numbers, count, &ids, err);
	if (r < 0)
		return r;
	layer_source source = {.content = x->content,
			       .limits = x->limits,
			       .spool = x->options.flags & OCIW_EXTRACT_VERIFY_FIRST,
			       .layers = layers,
			       .found = found};
	source.op = (ociw_op){.size = sizeof(source.op),
			      .limits = x->op ? x->op->limits : NULL,
			      .cancel = x->op ? x->op->cancel : NULL};
	return apply_all(x, &source, count, ids, err);
}
