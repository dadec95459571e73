/* SPDX-License-Identifier: Apache-2.0
 *
 * The streaming gzip writer: one member (LYR-4, ADR 5) made of pieces of fixed size, which some
 * threads deflate while the caller goes on. The bytes depend on the data alone, neither on the
 * number of threads nor on how the caller cuts it.
 */
#include "io/compress.h"
#include "io/deflate-block.h"
#include "io/parallel.h"
#include "io/raw-inflate.h"

#include <pthread.h>
#include <string.h>

/* A part of the format promise: another size gives other blobs. Costs 0.3 % of their size. */
#define PIECE_SIZE ((size_t)512 << 10)
#define THREADS_MAX 4 /* some 450 MB/s, which little else keeps up with; and memory */

enum piece_state { PIECE_EMPTY, PIECE_WAITING, PIECE_DONE };

struct piece {
	enum piece_state state; /* WAITING and DONE change under the lock */
	size_t used;
	bool last;            /* of the stream: it ends the deflate data */
	ptrdiff_t packed_len; /* or a code */
	ociw_error *failed;
	uint8_t *plain, *packed;
};

struct ociwp_gzip_memory {
	ociwp_block_deflater *deflater;
	struct piece piece;
};

struct gzip_writer {
	ociw_writer *inner;
	struct ociwp_gzip_memory *lent; /* where pieces and own come from, or NULL */
	uint32_t crc, length;
	bool started;
	size_t thread_count; /* running; 0: the caller does the work */
	size_t piece_count;
	uint64_t filled, taken, written; /* pieces, in order; taken under the lock */
	ociwp_block_deflater *own;
	struct piece *pieces; /* a ring */
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	bool stop;
	pthread_t threads[THREADS_MAX];
};

static struct piece *piece_at(struct gzip_writer *g, uint64_t index)
{
	return &g->pieces[index % g->piece_count];
}

static void deflate_piece(ociwp_block_deflater *deflater, struct piece *piece)
{
	piece->packed_len =
	        ociwp_deflate_block(deflater, piece->plain, piece->used, piece->last, piece->packed,
	                            ociwp_deflate_block_bound(PIECE_SIZE), &piece->failed);
}

/* Takes pieces in order until it is told to stop. */
static void *work(void *data)
{
	struct gzip_writer *g = data;
	ociwp_block_deflater *deflater = NULL;
	ociw_error *failed = NULL;
	int r = ociwp_block_deflater_new(&deflater, &failed);
	pthread_mutex_lock(&g->lock);
	while (!g->stop) {
		if (g->taken == g->filled) {
			pthread_cond_wait(&g->work, &g->lock);
			continue;
		}
		struct piece *piece = piece_at(g, g->taken++);
		pthread_mutex_unlock(&g->lock);
		if (r < 0) {
			piece->packed_len = r;
			piece->failed = ociwp_error_dup(failed);
		} else {
			deflate_piece(deflater, piece);
		}
		pthread_mutex_lock(&g->lock);
		piece->state = PIECE_DONE;
		pthread_cond_signal(&g->done);
	}
	pthread_mutex_unlock(&g->lock);
	ociwp_block_deflater_free(deflater);
	ociw_error_free(failed);
	return NULL;
}

static int put_header(struct gzip_writer *g, ociw_error **err)
{
	/* RFC 1952, 2.3: deflate, no flags, no time, no extra flags, unknown system. */
	static const uint8_t header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};
	if (g->started)
		return 0;
	g->started = true;
	return ociw_writer_write(g->inner, header, sizeof(header), err);
}

/* Waits for the oldest piece and passes it on. */
static int write_oldest(struct gzip_writer *g, ociw_error **err)
{
	struct piece *piece = piece_at(g, g->written);
	pthread_mutex_lock(&g->lock);
	while (piece->state == PIECE_WAITING)
		pthread_cond_wait(&g->done, &g->lock);
	pthread_mutex_unlock(&g->lock);
	g->written++;
	piece->state = PIECE_EMPTY;
	piece->used = 0;
	if (piece->packed_len < 0)
		return ociwp_error_move(err, ociwp_steal(&piece->failed));
	int r = put_header(g, err);
	return r < 0 ? r
	             : ociw_writer_write(g->inner, piece->packed, (size_t)piece->packed_len, err);
}

/* The piece that was filled goes to work; the next one is free afterwards. */
static int submit(struct gzip_writer *g, bool last, ociw_error **err)
{
	struct piece *piece = piece_at(g, g->filled);
	piece->last = last;
	g->crc = ociwp_crc32(g->crc, piece->plain, piece->used);
	g->length += (uint32_t)piece->used;
	if (g->thread_count == 0) {
		deflate_piece(g->own, piece);
		piece->state = PIECE_DONE;
		g->filled++;
	} else {
		pthread_mutex_lock(&g->lock);
		piece->state = PIECE_WAITING;
		g->filled++;
		pthread_cond_signal(&g->work);
		pthread_mutex_unlock(&g->lock);
	}
	return g->filled - g->written == g->piece_count ? write_oldest(g, err) : 0;
}

static void piece_deinit(struct piece *piece)
{
	free(piece->plain);
	free(piece->packed);
}

/* Memory of a piece is made when it is first used: small streams need one. */
static int make_piece(struct piece *piece, ociw_error **err)
{
	if (!piece->plain)
		piece->plain = ociwp_malloc(PIECE_SIZE);
	if (!piece->packed)
		piece->packed = ociwp_malloc(ociwp_deflate_block_bound(PIECE_SIZE));
	return piece->plain && piece->packed ? 0 : ociwp_nomem(err);
}

/* A full piece waits for the byte behind it, as only then it is known not to be the last. */
static int gzip_write(void *self, const void *buf, size_t len, ociw_error **err)
{
	struct gzip_writer *g = self;
	const uint8_t *bytes = buf;
	while (len > 0) {
		int r = piece_at(g, g->filled)->used == PIECE_SIZE ? submit(g, false, err) : 0;
		struct piece *piece = piece_at(g, g->filled);
		if (r >= 0)
			r = make_piece(piece, err);
		if (r < 0)
			return r;
		size_t room = PIECE_SIZE - piece->used;
		size_t step = len < room ? len : room;
		memcpy(piece->plain + piece->used, bytes, step);
		piece->used += step;
		bytes += step;
		len -= step;
	}
	return 0;
}

static void join_threads(struct gzip_writer *g)
{
	pthread_mutex_lock(&g->lock);
	g->stop = true;
	pthread_cond_broadcast(&g->work);
	pthread_mutex_unlock(&g->lock);
	for (size_t i = 0; i < g->thread_count; i++)
		pthread_join(g->threads[i], NULL);
}

static void gzip_abort(void *self)
{
	struct gzip_writer *g = self;
	join_threads(g);
	ociw_writer_abort(g->inner);
	for (size_t i = 0; i < g->piece_count; i++)
		ociw_error_free(ociwp_steal(&g->pieces[i].failed));
	if (!g->lent) {
		for (size_t i = 0; i < g->piece_count; i++)
			piece_deinit(&g->pieces[i]);
		free(g->pieces);
		ociwp_block_deflater_free(g->own);
	}
	pthread_cond_destroy(&g->work);
	pthread_cond_destroy(&g->done);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

static int put_trailer(struct gzip_writer *g, ociw_error **err)
{
	uint8_t trailer[8];
	for (int i = 0; i < 4; i++) {
		trailer[i] = (uint8_t)(g->crc >> (8 * i));
		trailer[4 + i] = (uint8_t)(g->length >> (8 * i));
	}
	return ociw_writer_write(g->inner, trailer, sizeof(trailer), err);
}

static int gzip_commit(void *self, ociw_error **err)
{
	struct gzip_writer *g = self;
	int r = make_piece(piece_at(g, g->filled), err);
	if (r >= 0)
		r = submit(g, true, err);
	while (r >= 0 && g->written < g->filled)
		r = write_oldest(g, err);
	if (r >= 0)
		r = put_trailer(g, err);
	if (r >= 0)
		r = ociw_writer_commit(ociwp_steal(&g->inner), err);
	gzip_abort(g);
	return r;
}

static const ociw_writer_ops gzip_ops = {sizeof(ociw_writer_ops), gzip_write, gzip_commit,
                                         gzip_abort};

/* As many threads as there can be; without any the caller does the work. */
static int start(struct gzip_writer *g, size_t threads, ociw_error **err)
{
	while (threads > 1 && g->thread_count < threads &&
	       ociwp_thread_start(&g->threads[g->thread_count], NULL, work, g) == 0)
		g->thread_count++;
	return g->thread_count > 0 ? 0 : ociwp_block_deflater_new(&g->own, err);
}

static struct gzip_writer *gzip_new(void)
{
	struct gzip_writer *g = ociwp_new(struct gzip_writer);
	if (!g)
		return NULL;
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->work, NULL);
	pthread_cond_init(&g->done, NULL);
	return g;
}

int ociwp_writer_gzip_threads(ociw_writer *take_inner, size_t threads, ociw_writer **out,
                              ociw_error **err)
{
	OCIWP_AUTO(writer) ociw_writer *inner = take_inner;
	struct gzip_writer *g = gzip_new();
	if (!g)
		return ociwp_nomem(err);
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	/* One that is filled and one that waits beside those in work. */
	size_t pieces = threads > 1 ? threads + 2 : 1;
	g->pieces = ociwp_calloc(pieces, sizeof(*g->pieces));
	g->piece_count = g->pieces ? pieces : 0;
	g->inner = ociwp_steal(&inner);
	int r = g->pieces ? start(g, threads, err) : ociwp_nomem(err);
	if (r < 0) {
		gzip_abort(g);
		return r;
	}
	return ociw_writer_new(&gzip_ops, g, out, err);
}

int ociwp_gzip_memory_new(ociwp_gzip_memory **out, ociw_error **err)
{
	ociwp_gzip_memory *memory = ociwp_new(ociwp_gzip_memory);
	if (!memory)
		return ociwp_nomem(err);
	int r = ociwp_block_deflater_new(&memory->deflater, err);
	if (r < 0) {
		free(memory);
		return r;
	}
	*out = memory;
	return 0;
}

void ociwp_gzip_memory_free(ociwp_gzip_memory *memory)
{
	if (!memory)
		return;
	ociwp_block_deflater_free(memory->deflater);
	piece_deinit(&memory->piece);
	free(memory);
}

int ociwp_writer_gzip_lent(ociw_writer *take_inner, ociwp_gzip_memory *lent, ociw_writer **out,
                           ociw_error **err)
{
	OCIWP_AUTO(writer) ociw_writer *inner = take_inner;
	struct gzip_writer *g = gzip_new();
	if (!g)
		return ociwp_nomem(err);
	lent->piece.state = PIECE_EMPTY; /* whatever a writer before left there */
	lent->piece.used = 0;
	g->lent = lent;
	g->own = lent->deflater;
	g->pieces = &lent->piece;
	g->piece_count = 1;
	g->inner = ociwp_steal(&inner);
	return ociw_writer_new(&gzip_ops, g, out, err);
}

int ociwp_writer_gzip(ociw_writer *take_inner, ociw_writer **out, ociw_error **err)
{
	return ociwp_writer_gzip_threads(take_inner, 1, out, err);
}
