/* SPDX-License-Identifier: Apache-2.0
 *
 * Making gzipped tar layers: files, tar, hash, gzip, hash, spool, in one stream for each layer.
 */
#include "format/tar-layer.h"
#include "archive/tar-writer.h"
#include "base/str.h"
#include "io/compress.h"
#include "io/parallel.h"
#include "io/tmpblob.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct make {
	ociwp_tar_layer *layers;
	const ociwp_tar_settings *settings;
	const ociw_op *op;
	ociwp_scratch *scratch;   /* for each thread */
	ociwp_gzip_memory **gzip; /* for each thread, made when first needed */
	ociwp_spools *spools;
	size_t inner_threads; /* for each layer, when there are fewer layers than threads */
};

void ociwp_spools_deinit(ociwp_spools *spools)
{
	for (size_t i = 0; i < spools->count; i++)
		if (spools->fds[i] >= 0)
			close(spools->fds[i]);
	spools->count = 0;
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
	int r = ociwp_tar_writer_file(tar, name, member->source->executable ? 0755 : 0644,
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

/* --- the blob --- */

/* A writer that appends to the spool of a thread; *at is where it begins. */
static int open_spool(struct make *make, size_t worker, uint64_t *at, ociw_writer **out,
                      ociw_error **err)
{
	int *fd = &make->spools->fds[worker];
	int r = *fd >= 0 ? 0 : ociwp_tmpblob_open(make->settings->temp_dir, fd, err);
	if (r < 0)
		return r;
	off_t end = lseek(*fd, 0, SEEK_END);
	int copy = end < 0 ? -1 : fcntl(*fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return ociwp_fail_errno(err, errno, "append to a temporary file");
	*at = (uint64_t)end;
	return ociw_writer_new_fd(copy, out, err);
}

static int open_gzip(struct make *make, size_t worker, ociw_writer *take_inner, ociw_writer **out,
                     ociw_error **err)
{
	OCIWP_AUTO(writer) ociw_writer *inner = take_inner;
	if (make->inner_threads > 1)
		return ociwp_writer_gzip_threads(ociwp_steal(&inner), make->inner_threads, out,
		                                 err);
	int r = make->gzip[worker] ? 0 : ociwp_gzip_memory_new(&make->gzip[worker], err);
	return r < 0 ? r
	             : ociwp_writer_gzip_lent(ociwp_steal(&inner), make->gzip[worker], out, err);
}

static int make_layer(struct make *make, size_t worker, ociwp_tar_layer *layer, ociw_error **err)
{
	OCIWP_AUTO(writer) ociw_writer *file = NULL;
	OCIWP_AUTO(writer) ociw_writer *hashed = NULL;
	OCIWP_AUTO(writer) ociw_writer *gzip = NULL;
	OCIWP_AUTO(writer) ociw_writer *plain = NULL;
	int r = open_spool(make, worker, &layer->offset, &file, err);
	if (r == 0)
		r = ociwp_writer_hash(ociwp_steal(&file), OCIW_DIGEST_SHA256, &layer->digest,
		                      &layer->size, &hashed, err);
	if (r == 0)
		r = open_gzip(make, worker, ociwp_steal(&hashed), &gzip, err);
	if (r == 0 && make->settings->no_diff_ids)
		plain = ociwp_steal(&gzip);
	else if (r == 0)
		r = ociwp_writer_hash(ociwp_steal(&gzip), OCIW_DIGEST_SHA256, &layer->diff_id, NULL,
		                      &plain, err);
	if (r == 0)
		r = write_tar(layer, &make->scratch[worker], make->op, plain, err);
	if (r == 0)
		r = ociw_writer_commit(ociwp_steal(&plain), err);
	layer->fd = make->spools->fds[worker];
	return r;
}

/* --- the key of the cache --- */

/* Everything that decides the bytes of the blob, and nothing that does not. */
static void layer_key(const ociwp_tar_layer *layer, ociwp_scratch *scratch, uint8_t out[32])
{
	static const char engine[] = "ociw tar layer 5";
	ociwp_hasher *hasher = scratch->hasher;
	ociw_digest digest;
	ociwp_hasher_reset(hasher);
	ociwp_hasher_update(hasher, engine, sizeof(engine));
	for (size_t i = 0; i < layer->member_count; i++) {
		const ociwp_tar_member *member = &layer->members[i];
		unsigned char mode = member->source->executable ? 1 : 0;
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

static int make_item(void *context, size_t worker, size_t index, ociw_error **err)
{
	struct make *make = context;
	ociwp_tar_layer *layer = &make->layers[index];
	const ociwp_layer_cache *cache = make->settings->cache;
	const ociwp_layer_sink *sink = make->settings->sink;
	uint8_t key[32];
	bool found = false;
	int r = 0;
	if (!make->scratch[worker].buf)
		r = ociwp_scratch_init(&make->scratch[worker], err);
	if (r == 0 && cache) {
		layer_key(layer, &make->scratch[worker], key);
		r = cache->find(cache->self, key, !make->settings->no_diff_ids, layer, &found, err);
	}
	if (r < 0 || found)
		return r;
	r = make_layer(make, worker, layer, err);
	if (r == 0 && cache)
		r = cache->keep(cache->self, key, layer, err);
	if (r == 0 && sink)
		r = sink->made(sink->self, layer, err);
	/* Worker 0 is the calling thread. */
	if (r == 0 && sink && worker == 0)
		r = sink->turn(sink->self, err);
	return r;
}

int ociwp_tar_layers_make(ociwp_tar_layer *layers, size_t count, ociwp_spools *spools,
                          const ociwp_tar_settings *settings, const ociw_op *op, ociw_error **err)
{
	size_t threads = ociwp_parallel_threads(settings->threads);
	if (threads > OCIWP_TAR_THREADS_MAX)
		threads = OCIWP_TAR_THREADS_MAX;
	struct make make = {
	        .layers = layers,
	        .settings = settings,
	        .op = op,
	        .spools = spools,
	        .scratch = ociwp_calloc(threads, sizeof(*make.scratch)),
	        .gzip = ociwp_calloc(threads, sizeof(ociwp_gzip_memory *)),
	        .inner_threads = count > 0 && count < threads ? threads / count : 1,
	};
	if (!make.scratch || !make.gzip) {
		free(make.scratch);
		free(make.gzip);
		return ociwp_nomem(err);
	}
	for (; spools->count < threads; spools->count++)
		spools->fds[spools->count] = -1;
	for (size_t i = 0; i < count; i++)
		layers[i].fd = -1;
	ociwp_parallel_job job = {count, threads, make_item, &make, false};
	int r = ociwp_parallel_run(&job, op, err);
	for (size_t i = 0; i < threads; i++) {
		ociwp_scratch_deinit(&make.scratch[i]);
		ociwp_gzip_memory_free(make.gzip[i]);
	}
	free(make.scratch);
	free(make.gzip);
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
