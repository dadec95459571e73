/* SPDX-License-Identifier: Apache-2.0
 *
 * From a draft to the bytes of its lock. The files of a component are never put into the lock: an app may
 * have very many.
 */
#include "format/lock-layer.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "io/parallel.h"
#include "io/tmpblob.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Locks that name fewer files than this are small enough to stay in memory. */
#define SPOOL_FROM 2000

static int fill_ref(ociwp_lock_ref *ref, const ociwp_source *source, ociw_error **err)
{
	char text[OCIW_DIGEST_TEXT_MAX];
	OCIWP_AUTO(str) char *digest = ociwp_strdup(ociwp_source_digest(source, text));
	OCIWP_AUTO(mem) void *bytes = NULL;
	bool is_inline = source->size <= OCIWP_INLINE_MAX && source->bytes;
	if (is_inline)
		bytes = ociwp_memdup(source->bytes, (size_t)source->size);
	if (!digest || (is_inline && !bytes))
		return ociwp_nomem(err);
	free(ref->source);
	free(ref->digest);
	free(ref->bytes);
	*ref = (ociwp_lock_ref){.digest = ociwp_steal(&digest),
	                        .bytes = ociwp_steal(&bytes),
	                        .bytes_len = is_inline ? (size_t)source->size : 0};
	return 0;
}

/* What {"source":{...}} of a trigger dependency says once its bytes are a layer. */
static json_t *trigger_ref(const ociwp_source *source)
{
	char digest[OCIW_DIGEST_TEXT_MAX];
	return json_pack("{s:s, s:s}", "content_type", "application/wasm", "digest",
	                 ociwp_source_digest(source, digest));
}

/* Spin leaves the file URL of this machine there; drafts without such sources keep what they have.
 */
static int fill_triggers(ociwp_lock_component *locked, const ociwp_draft_component *component,
                         ociw_error **err)
{
	const char *role;
	json_t *list, *dependency;
	size_t i, nth = 0;
	json_object_foreach(locked->trigger_dependencies, role, list)
	{
		json_array_foreach(list, i, dependency)
		{
			if (nth == component->trigger_count)
				return 0;
			if (json_object_set_new(dependency, "source",
			                        trigger_ref(&component->triggers[nth++])) < 0)
				return ociwp_nomem(err);
		}
	}
	return 0;
}

static int fill_wasm(ociwp_lock_component *locked, const ociwp_draft_component *component,
                     ociw_error **err)
{
	int r = fill_ref(&locked->source, &component->wasm, err);
	for (size_t i = 0; r == 0 && i < locked->dependency_count; i++)
		r = fill_ref(&locked->dependencies[i].content, &component->dependencies[i], err);
	return r < 0 ? r : fill_triggers(locked, component, err);
}

/* ---- the files, made one by one as they are written ---- */

static size_t feed_count(void *context, size_t component)
{
	ociwp_lock_layer *layer = context;
	const ociwp_draft_component *from = &layer->draft->components[component];
	if (!layer->picks)
		return from->file_count;
	const ociwp_lock_pick *pick = &layer->picks[component];
	layer->marker_at = SIZE_MAX;
	if (!pick->marker)
		return pick->count;
	/* The marker stands where its name sorts. */
	layer->marker_at = 0;
	while (layer->marker_at < pick->count &&
	       strcmp(from->files[pick->files[layer->marker_at]].path, OCIWP_LOCK_MARKER) < 0)
		layer->marker_at++;
	return pick->count + 1;
}

static void feed_file(void *context, size_t component, size_t index, ociwp_lock_file *out)
{
	static const char marker[] = OCIWP_LOCK_MARKER;
	static const char empty_digest[] =
	        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	ociwp_lock_layer *layer = context;
	if (layer->picks && index == layer->marker_at) {
		*out = (ociwp_lock_file){.path = (char *)marker,
		                         .content = {NULL, (char *)empty_digest, (char *)empty_digest, 0}};
		return;
	}
	if (layer->picks)
		index = layer->picks[component].files[index - (index > layer->marker_at)];
	const ociwp_file *file = &layer->draft->components[component].files[index];
	(void)ociwp_source_digest(&file->source, layer->digest_text);
	*out = (ociwp_lock_file){.path = (char *)file->path, .content.digest = layer->digest_text};
	if (file->source.size <= OCIWP_INLINE_MAX && file->source.bytes) {
		out->content.bytes = file->source.bytes;
		out->content.bytes_len = (size_t)file->source.size;
	}
}

static int write_hashed(ociwp_lock_layer *layer, ociw_writer *take_to, ociw_error **err)
{
	OCIWP_AUTO(writer) ociw_writer *hashed = NULL;
	const ociwp_lock_feed feed = {feed_count, feed_file, layer};
	int r = ociwp_writer_hash(take_to, OCIW_DIGEST_SHA256, &layer->digest, &layer->size, &hashed, err);
	if (r == 0)
		r = ociwp_lock_write_fed(layer->draft->lock, &feed, hashed, err);
	if (r == 0)
		r = ociw_writer_commit(ociwp_steal(&hashed), err);
	return r;
}

static int write_in_memory(ociwp_lock_layer *layer, ociw_error **err)
{
	ociw_writer *to = NULL;
	int r = ociwp_writer_new_buf(&layer->text, OCIW_UNLIMITED, &to, err);
	return r < 0 ? r : write_hashed(layer, to, err);
}

static int write_spooled(ociwp_lock_layer *layer, ociw_error **err)
{
	ociw_writer *to = NULL;
	int r = ociwp_tmpblob_open(layer->draft->temp_dir, &layer->fd, err);
	if (r < 0)
		return r;
	int copy = fcntl(layer->fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return ociwp_fail_errno(err, errno, "duplicate a temporary file");
	r = ociw_writer_new_fd(copy, &to, err);
	return r < 0 ? r : write_hashed(layer, to, err);
}

static void *write_beside(void *self)
{
	ociwp_lock_layer *layer = self;
	layer->code = write_spooled(layer, &layer->error);
	return NULL;
}

int ociwp_lock_layer_begin(const ociwp_draft *draft, const ociwp_lock_pick *picks,
                           ociwp_lock_layer *out, ociw_error **err)
{
	size_t files = 0;
	int r = 0;
	*out = (ociwp_lock_layer){.draft = draft, .picks = picks, .fd = -1, .text = OCIWP_BUF_INIT};
	for (size_t i = 0; r == 0 && i < draft->component_count; i++) {
		files += feed_count(out, i);
		r = fill_wasm(&draft->lock->components[i], &draft->components[i], err);
	}
	if (r < 0)
		return ociwp_wrap(err, r, "locked app");
	out->spooled = files >= SPOOL_FROM;
	out->beside = out->spooled && ociwp_parallel_threads(draft->threads) > 1 &&
	              ociwp_thread_start(&out->thread, NULL, write_beside, out) == 0;
	return 0;
}

static int wait_or_write(ociwp_lock_layer *layer, ociw_error **err)
{
	if (!layer->beside)
		return layer->spooled ? write_spooled(layer, err) : write_in_memory(layer, err);
	pthread_join(layer->thread, NULL);
	layer->beside = false;
	return layer->code < 0 ? ociwp_error_move(err, ociwp_steal(&layer->error)) : 0;
}

int ociwp_lock_layer_end(ociwp_lock_layer *layer, ociwp_memory *memory, ociw_descriptor **out,
                         ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	char text[OCIW_DIGEST_TEXT_MAX];
	int r = wait_or_write(layer, err);
	if (r == 0)
		r = ociw_descriptor_new(OCIWP_MT_SPIN_LOCK, ociw_digest_format(&layer->digest, text),
		                        layer->size, &desc, err);
	if (r == 0)
		r = layer->spooled
		            ? ociwp_memory_add_range(memory, desc, layer->fd, 0, err)
		            : ociwp_memory_add_bytes(memory, desc, ociwp_buf_span(&layer->text), err);
	if (r < 0)
		return ociwp_wrap(err, r, "locked app");
	*out = ociwp_steal(&desc);
	return 0;
}

void ociwp_lock_layer_deinit(ociwp_lock_layer *layer)
{
	if (layer->beside)
		pthread_join(layer->thread, NULL);
	ociw_error_free(layer->error);
	ociwp_buf_deinit(&layer->text);
	if (layer->fd >= 0)
		close(layer->fd);
	*layer = (ociwp_lock_layer){.fd = -1};
}

int ociwp_lock_layer_add(const ociwp_draft *draft, const ociwp_lock_pick *picks, ociw_descriptor **out,
                         ociw_error **err)
{
	ociwp_lock_layer layer;
	int r = ociwp_lock_layer_begin(draft, picks, &layer, err);
	if (r == 0)
		r = ociwp_lock_layer_end(&layer, draft->memory, out, err);
	ociwp_lock_layer_deinit(&layer);
	return r;
}
