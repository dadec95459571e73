/* SPDX-License-Identifier: Apache-2.0
 *
 * Making gzipped tar layers. Small ones are built whole in memory (libdeflate), large ones flow
 * as a stream; which of the two depends on the members alone, never on the machine.
 */
#include "format/tar-layer.h"
#include "archive/tar-writer.h"
#include "base/str.h"
#include "io/compress.h"
#include "io/parallel.h"
#include "io/tmpblob.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* Plain bytes that all threads together hold when the caller says nothing. */
#define DEFAULT_MEMORY (8u << 20)

/* Bytes that may be held at once: the memory bar of packing, whatever the number of threads. One
 * layer always fits, however large. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t freed;
	uint64_t used, limit;
};

struct worker {
	ociwp_scratch scratch;
	ociwp_buf plain, packed;
};

struct make {
	ociwp_tar_layer *layers;
	const ociwp_tar_settings *settings;
	const ociw_op *op;
	struct worker *workers;
	int spool;
	atomic_uint_fast64_t spool_end;
	struct gate gate;
};

static void gate_enter(struct gate *gate, uint64_t bytes)
{
	pthread_mutex_lock(&gate->lock);
	while (gate->used > 0 && gate->used + bytes > gate->limit)
		pthread_cond_wait(&gate->freed, &gate->lock);
	gate->used += bytes;
	pthread_mutex_unlock(&gate->lock);
}

static void gate_leave(struct gate *gate, uint64_t bytes)
{
	pthread_mutex_lock(&gate->lock);
	gate->used -= bytes;
	pthread_cond_broadcast(&gate->freed);
	pthread_mutex_unlock(&gate->lock);
}

/* --- names --- */

/* Byte @p i of the name of a member; 0 past its end. */
struct cursor {
	const char *part;
	const char *rest; /* what follows `part`, after a slash; NULL: nothing */
};

static struct cursor cursor_begin(const ociwp_tar_member *member)
{
	if (member->dir)
		return (struct cursor){member->dir, member->path};
	return (struct cursor){member->path, NULL};
}

static unsigned char cursor_next(struct cursor *cursor)
{
	if (*cursor->part)
		return (unsigned char)*cursor->part++;
	if (!cursor->rest)
		return 0;
	cursor->part = cursor->rest;
	cursor->rest = NULL;
	return '/';
}

int ociwp_tar_member_compare(const void *a, const void *b)
{
	struct cursor x = cursor_begin(a), y = cursor_begin(b);
	for (;;) {
		unsigned char c = cursor_next(&x), d = cursor_next(&y);
		if (c != d)
			return c < d ? -1 : 1;
		if (c == 0)
			return 0;
	}
}

static int member_name(const ociwp_tar_member *member, ociwp_buf *out, ociw_error **err)
{
	ociwp_buf_clear(out);
	if (member->dir) {
		ociwp_buf_puts(out, member->dir);
		ociwp_buf_putc(out, '/');
	}
	ociwp_buf_puts(out, member->path);
	return ociwp_buf_check(out, err);
}

/* --- the tar --- */

static int tar_sink(void *context, const void *data, size_t len, ociw_error **err)
{
	return ociwp_tar_writer_data(context, data, len, err);
}

/* Writes the directories of @p name that @p last (the name before) did not already need. Names come
 * sorted, so everything below a directory is together and each is written once. */
static int write_parents(ociwp_tar_writer *tar, char *name, const char *last, ociw_error **err)
{
	size_t same = 0, i = 0;
	for (; name[i] && name[i] == last[i]; i++)
		if (name[i] == '/')
			same = i + 1;
	for (char *slash = strchr(name + same, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int r = ociwp_tar_writer_directory(tar, name, 0755, err);
		*slash = '/';
		if (r < 0)
			return r;
	}
	return 0;
}

static int write_member(ociwp_tar_writer *tar, const ociwp_tar_member *member, char *name,
			ociwp_scratch *scratch, const ociw_op *op, ociw_error **err)
{
	int r = ociwp_tar_writer_file(tar, name, member->executable ? 0755 : 0644,
				      member->source->size, err);
	if (r == 0)
		r = ociwp_source_read(member->source, scratch, op, tar_sink, tar, err);
	return r;
}

static int write_tar(const ociwp_tar_layer *layer, ociwp_scratch *scratch, const ociw_op *op,
		     ociw_writer *to, ociw_error **err)
{
	OCIWP_AUTO(tar_writer) ociwp_tar_writer *tar = NULL;
	OCIWP_AUTO(buf) ociwp_buf name = OCIWP_BUF_INIT, last = OCIWP_BUF_INIT;
	int r = ociwp_tar_writer_new(to, &tar, err);
	for (size_t i = 0; r == 0 && i < layer->member_count; i++) {
		const ociwp_tar_member *member = &layer->members[i];
		r = member_name(member, &name, err);
		if (r == 0)
			r = write_parents(tar, name.data, last.data ? last.data : "", err);
		if (r == 0)
			r = write_member(tar, member, name.data, scratch, op, err);
		ociwp_buf swap = last;
		last = name;
		name = swap;
	}
	if (r < 0)
		return r;
	return ociwp_tar_writer_finish(ociwp_steal(&tar), err);
}

/* --- engines --- */

static int make_whole(struct make *make, struct worker *worker, ociwp_tar_layer *layer,
		      ociw_error **err)
{
	OCIWP_AUTO(writer) ociw_writer *to = NULL;
	ociwp_buf_clear(&worker->plain);
	ociwp_buf_clear(&worker->packed);
	int r = ociwp_writer_new_buf(&worker->plain, OCIW_UNLIMITED, &to, err);
	if (r == 0)
		r = write_tar(layer, &worker->scratch, make->op, to, err);
	if (r == 0)
		r = ociw_writer_commit(ociwp_steal(&to), err);
	if (r == 0)
		r = ociw_digest_bytes(OCIW_DIGEST_SHA256, ociwp_buf_span(&worker->plain),
				      &layer->diff_id, err);
	if (r == 0)
		r = ociwp_gzip_bytes(worker->plain.data, worker->plain.len, &worker->packed, err);
	if (r == 0)
		r = ociw_digest_bytes(OCIW_DIGEST_SHA256, ociwp_buf_span(&worker->packed),
				      &layer->digest, err);
	if (r < 0)
		return r;
	layer->size = worker->packed.len;
	layer->fd = make->spool;
	layer->offset = atomic_fetch_add(&make->spool_end, layer->size);
	int failed = ociwp_pwrite_full(make->spool, worker->packed.data, worker->packed.len,
				       layer->offset);
	return failed ? ociwp_fail_errno(err, failed, "write a temporary file") : 0;
}

/* A file of its own: its size is not known before its end, and others must not wait. */
static int make_streamed(struct make *make, struct worker *worker, ociwp_tar_layer *layer,
			 ociw_error **err)
{
	OCIWP_AUTO(fd) int copy = -1;
	OCIWP_AUTO(writer) ociw_writer *file = NULL;
	OCIWP_AUTO(writer) ociw_writer *hashed = NULL;
	OCIWP_AUTO(writer) ociw_writer *gzip = NULL;
	OCIWP_AUTO(writer) ociw_writer *plain = NULL;
	int r = ociwp_tmpblob_open(make->settings->temp_dir, &layer->fd, err);
	if (r < 0)
		return r;
	layer->own_fd = true;
	copy = dup(layer->fd);
	if (copy < 0)
		return ociwp_fail_errno(err, errno, "duplicate a temporary file");
	r = ociw_writer_new_fd(ociwp_steal_fd(&copy), &file, err);
	if (r == 0)
		r = ociwp_writer_hash(ociwp_steal(&file), OCIW_DIGEST_SHA256, &layer->digest,
				      &layer->size, &hashed, err);
	if (r == 0)
		r = ociwp_writer_gzip_threads(ociwp_steal(&hashed),
					      ociwp_parallel_threads(make->settings->threads),
					      &gzip, err);
	if (r == 0)
		r = ociwp_writer_hash(ociwp_steal(&gzip), OCIW_DIGEST_SHA256, &layer->diff_id, NULL,
				      &plain, err);
	if (r == 0)
		r = write_tar(layer, &worker->scratch, make->op, plain, err);
	if (r == 0)
		r = ociw_writer_commit(ociwp_steal(&plain), err);
	return r;
}

/* --- the key of the cache --- */

/* Everything that decides the bytes of the blob, and nothing that does not. */
static void layer_key(const ociwp_tar_layer *layer, ociwp_scratch *scratch, uint8_t out[32])
{
	static const char engine[] = "ociw tar layer 1";
	ociwp_hasher *hasher = scratch->hasher;
	ociw_digest digest;
	ociwp_hasher_reset(hasher);
	ociwp_hasher_update(hasher, engine, sizeof(engine));
	for (size_t i = 0; i < layer->member_count; i++) {
		const ociwp_tar_member *member = &layer->members[i];
		unsigned char mode = member->executable ? 1 : 0;
		if (member->dir)
			ociwp_hasher_update(hasher, member->dir, strlen(member->dir));
		ociwp_hasher_update(hasher, "/", 1);
		ociwp_hasher_update(hasher, member->path, strlen(member->path) + 1);
		ociwp_hasher_update(hasher, &mode, 1);
		ociwp_hasher_update(hasher, member->source->sha256, 32);
	}
	ociwp_hasher_final(hasher, &digest);
	memcpy(out, digest.bytes, 32);
}

static int make_layer(struct make *make, struct worker *worker, ociwp_tar_layer *layer,
		      ociw_error **err)
{
	if (layer->plain > OCIWP_TAR_WHOLE_MAX)
		return make_streamed(make, worker, layer, err);
	gate_enter(&make->gate, layer->plain);
	int r = make_whole(make, worker, layer, err);
	gate_leave(&make->gate, layer->plain);
	return r;
}

static int make_item(void *context, size_t number, size_t index, ociw_error **err)
{
	struct make *make = context;
	struct worker *worker = &make->workers[number];
	ociwp_tar_layer *layer = &make->layers[index];
	const ociwp_layer_cache *cache = make->settings->cache;
	uint8_t key[32];
	bool found = false;
	int r = 0;
	if (!worker->scratch.buf)
		r = ociwp_scratch_init(&worker->scratch, err);
	if (r == 0 && cache) {
		layer_key(layer, &worker->scratch, key);
		r = cache->find(cache->self, key, layer, &found, err);
	}
	if (r < 0 || found)
		return r;
	r = make_layer(make, worker, layer, err);
	if (r == 0 && cache)
		r = cache->keep(cache->self, key, layer, err);
	return r;
}

int ociwp_tar_layers_make(ociwp_tar_layer *layers, size_t count, int spool,
			  const ociwp_tar_settings *settings, const ociw_op *op, ociw_error **err)
{
	size_t threads = ociwp_parallel_threads(settings->threads);
	struct stat st;
	if (fstat(spool, &st) < 0)
		return ociwp_fail_errno(err, errno, "stat of a temporary file");
	struct make make = {
		.layers = layers,
		.settings = settings,
		.op = op,
		.spool = spool,
		.workers = ociwp_calloc(threads, sizeof(*make.workers)),
		.gate = {.lock = PTHREAD_MUTEX_INITIALIZER,
			 .freed = PTHREAD_COND_INITIALIZER,
			 .limit = settings->memory ? settings->memory : DEFAULT_MEMORY},
	};
	if (!make.workers)
		return ociwp_nomem(err);
	atomic_init(&make.spool_end, (uint64_t)st.st_size);
	for (size_t i = 0; i < count; i++)
		layers[i].fd = -1;
	ociwp_parallel_job job = {count, threads, make_item, &make, false};
	int r = ociwp_parallel_run(&job, op, err);
	for (size_t i = 0; i < threads; i++) {
		ociwp_scratch_deinit(&make.workers[i].scratch);
		ociwp_buf_deinit(&make.workers[i].plain);
		ociwp_buf_deinit(&make.workers[i].packed);
	}
	free(make.workers);
	return r;
}

int ociwp_tar_layer_add(const ociwp_tar_layer *layer, const char *media_type, ociwp_memory *memory,
			ociw_descriptor **out, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	char text[OCIW_DIGEST_TEXT_MAX];
	int r = ociw_descriptor_new(media_type, ociw_digest_format(&layer->digest, text),
				    layer->size, &desc, err);
	if (r == 0)
		r = ociwp_memory_add_range(memory, desc, layer->fd, layer->offset, err);
	if (r == 0 && out)
		*out = ociwp_steal(&desc);
	return r;
}

void ociwp_tar_layers_deinit(ociwp_tar_layer *layers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(layers[i].members);
		if (layers[i].own_fd)
			close(layers[i].fd);
	}
}
