/* SPDX-License-Identifier: Apache-2.0
 *
 * From a draft to the bytes of its lock. The files of a component are put into the lock only while
 * it is written, borrowing from the draft: an app may have very many.
 */
#include "format/lock-layer.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "io/tmpblob.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Locks that name fewer files than this are small enough to stay in memory. */
#define SPOOL_FROM 2000
#define DIGEST_TEXT (sizeof("sha256:") + 64)

/* What a component of the lock had before, and what its files borrow meanwhile. */
struct filled {
	ociwp_lock_file *files_before;
	size_t count_before;
	bool has_before;
	ociwp_lock_file *files;
	char *digests;
};

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

static void fill_file(ociwp_lock_file *out, char *digest, const ociwp_file *file)
{
	char text[OCIW_DIGEST_TEXT_MAX];
	memcpy(digest, ociwp_source_digest(&file->source, text), DIGEST_TEXT);
	*out = (ociwp_lock_file){.path = (char *)file->path, .content.digest = digest};
	if (file->source.size <= OCIWP_INLINE_MAX && file->source.bytes) {
		out->content.bytes = file->source.bytes;
		out->content.bytes_len = (size_t)file->source.size;
	}
}

/* Puts the marker where its name sorts. */
static void fill_marker(ociwp_lock_file *files, size_t count)
{
	static const char empty_digest[] =
	        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	static const char marker[] = OCIWP_LOCK_MARKER;
	size_t at = count;
	for (; at > 0 && strcmp(files[at - 1].path, marker) > 0; at--)
		files[at] = files[at - 1];
	files[at] =
	        (ociwp_lock_file){.path = (char *)marker,
	                          .content = {NULL, (char *)empty_digest, (char *)empty_digest, 0}};
}

static int fill_files(ociwp_lock_component *locked, const ociwp_draft_component *component,
                      const ociwp_lock_pick *pick, struct filled *filled, ociw_error **err)
{
	size_t count = pick ? pick->count : component->file_count;
	bool marker = pick && pick->marker;
	*filled = (struct filled){locked->files, locked->file_count, locked->has_files,
	                          ociwp_calloc(count + 1, sizeof(*filled->files)),
	                          ociwp_calloc(count, DIGEST_TEXT)};
	if (!filled->files || !filled->digests)
		return ociwp_nomem(err);
	for (size_t i = 0; i < count; i++)
		fill_file(&filled->files[i], filled->digests + i * DIGEST_TEXT,
		          &component->files[pick ? pick->files[i] : i]);
	if (marker)
		fill_marker(filled->files, count);
	locked->files = filled->files;
	locked->file_count = count + (marker ? 1 : 0);
	locked->has_files = locked->file_count > 0;
	return 0;
}

static void unfill(ociwp_lock *lock, struct filled *filled, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		ociwp_lock_component *locked = &lock->components[i];
		free(filled[i].files);
		free(filled[i].digests);
		locked->files = filled[i].files_before;
		locked->file_count = filled[i].count_before;
		locked->has_files = filled[i].has_before;
	}
	free(filled);
}

static int write_hashed(const ociwp_lock *lock, ociw_writer *take_to, ociw_digest *digest,
                        uint64_t *size, ociw_error **err)
{
	OCIWP_AUTO(writer) ociw_writer *hashed = NULL;
	int r = ociwp_writer_hash(take_to, OCIW_DIGEST_SHA256, digest, size, &hashed, err);
	if (r == 0)
		r = ociwp_lock_write(lock, false, hashed, err);
	if (r == 0)
		r = ociw_writer_commit(ociwp_steal(&hashed), err);
	return r;
}

static int describe(const ociw_digest *digest, uint64_t size, ociw_descriptor **out,
                    ociw_error **err)
{
	char text[OCIW_DIGEST_TEXT_MAX];
	return ociw_descriptor_new(OCIWP_MT_SPIN_LOCK, ociw_digest_format(digest, text), size, out,
	                           err);
}

static int write_in_memory(ociwp_draft *draft, ociw_descriptor **out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociw_writer *to = NULL;
	ociw_digest digest;
	uint64_t size = 0;
	int r = ociwp_writer_new_buf(&text, OCIW_UNLIMITED, &to, err);
	if (r == 0)
		r = write_hashed(draft->lock, to, &digest, &size, err);
	if (r == 0)
		r = describe(&digest, size, out, err);
	if (r == 0)
		r = ociwp_memory_add_bytes(draft->memory, *out, ociwp_buf_span(&text), err);
	return r;
}

static int write_spooled(ociwp_draft *draft, ociw_descriptor **out, ociw_error **err)
{
	OCIWP_AUTO(fd) int fd = -1;
	ociw_writer *to = NULL;
	ociw_digest digest;
	uint64_t size = 0;
	int r = ociwp_tmpblob_open(draft->temp_dir, &fd, err);
	if (r < 0)
		return r;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return ociwp_fail_errno(err, errno, "duplicate a temporary file");
	r = ociw_writer_new_fd(copy, &to, err);
	if (r == 0)
		r = write_hashed(draft->lock, to, &digest, &size, err);
	if (r == 0)
		r = describe(&digest, size, out, err);
	if (r == 0)
		r = ociwp_memory_add_range(draft->memory, *out, fd, 0, err);
	return r;
}

int ociwp_lock_layer_add(ociwp_draft *draft, const ociwp_lock_pick *picks, ociw_descriptor **out,
                         ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	size_t files = 0, done = 0;
	struct filled *filled = ociwp_calloc(draft->component_count, sizeof(*filled));
	int r = filled ? 0 : ociwp_nomem(err);
	for (; r == 0 && done < draft->component_count; done++) {
		ociwp_lock_component *locked = &draft->lock->components[done];
		const ociwp_draft_component *component = &draft->components[done];
		r = fill_files(locked, component, picks ? &picks[done] : NULL, &filled[done], err);
		files += locked->file_count;
		if (r == 0)
			r = fill_wasm(locked, component, err);
	}
	if (r == 0)
		r = files < SPOOL_FROM ? write_in_memory(draft, &desc, err)
		                       : write_spooled(draft, &desc, err);
	unfill(draft->lock, filled, done);
	if (r < 0)
		return ociwp_wrap(err, r, "locked app");
	*out = ociwp_steal(&desc);
	return 0;
}
