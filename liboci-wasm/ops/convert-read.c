/* SPDX-License-Identifier: Apache-2.0
 *
 * From an image of a Spin app to a draft: wasm and data layers stay where they are, files inside
 * archives are spooled into one nameless temporary file. Archives of Spin are indexed by content, as
 * Spin does it (spin.md 3.3); layers of a node image by name (spin-node.md 3).
 */
#include "archive/tar-reader.h"
#include "base/path.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "codec/wasm-binary.h"
#include "format/lock-layer.h"
#include "io/compress.h"
#include "io/tmpblob.h"
#include "ops/convert-private.h"

#include <unistd.h>

/* A file inside an archive, once it is in the spool. */
static void member_free(void *value)
{
	ociwp_source *member = value;

	ociwp_source_deinit(member);
	free(member);
}

void ociwp_convert_app_deinit(ociwp_convert_app *app)
{
	ociwp_draft_deinit(&app->draft);
	ociwp_lock_free(app->lock);
	ociwp_map_free(app->layers);
	ociwp_map_free(app->members);
	ociwp_pool_deinit(&app->paths);
	if (app->spool >= 0)
		close(app->spool);
}

/* --- the lock --- */

static const ociw_descriptor *find_lock(const ociwp_manifest *manifest)
{
	for (size_t i = manifest->layer_count; i-- > 0;)
		if (ociwp_streq(manifest->layers[i]->media_type, OCIWP_MT_SPIN_LOCK))
			return manifest->layers[i];
	/* Before Spin 2.0 it was the config (7.3 item 4). */
	return ociwp_streq(manifest->config->media_type, OCIWP_MT_SPIN_LOCK) ? manifest->config
									      : NULL;
}

static int read_lock(ociwp_convert_app *app, ociw_error **err)
{
	const ociw_descriptor *desc = find_lock(app->manifest);
	OCIWP_AUTO(mem) void *bytes = NULL;
	ociw_limits limits;
	size_t len;

	if (!desc)
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED, "the image has no locked app");
	ociwp_limits_get(app->op, &limits);
	int r = ociw_content_read(app->content, desc, limits.max_lock_bytes, app->op, &bytes, &len,
				  err);
	if (r >= 0)
		r = ociwp_lock_parse((ociw_span){bytes, len}, app->op, &app->lock, err);
	if (r < 0)
		return ociwp_wrap(err, r, "locked app");
	return 0;
}

static int index_layers(ociwp_convert_app *app, ociw_error **err)
{
	app->layers = ociwp_map_new(NULL);
	if (!app->layers)
		return ociwp_nomem(err);
	for (size_t i = 0; i < app->manifest->layer_count; i++) {
		ociw_descriptor *layer = app->manifest->layers[i];
		if (!ociwp_map_set(app->layers, layer->digest, layer))
			return ociwp_nomem(err);
	}
	return 0;
}

/* --- sources --- */

/* A blob of the image as a source. */
static int blob_source(const ociwp_convert_app *app, const ociw_descriptor *layer,
		       ociwp_source *out, ociw_error **err)
{
	ociw_digest digest;
	int r = ociwp_descriptor_get_digest(layer, &digest, err);

	if (r < 0)
		return r;
	if (digest.algorithm != OCIW_DIGEST_SHA256)
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
				  "blob %s: a locked app names its content by sha256",
				  layer->digest);
	*out = (ociwp_source){.kind = OCIWP_SOURCE_CONTENT,
			      .known = true,
			      .fd = -1,
			      .from.content = app->content,
			      .size = layer->size};
	memcpy(out->sha256, digest.bytes, sizeof(out->sha256));
	return 0;
}

/* Bytes inside the lock; the digest beside them must be theirs. */
static int inline_source(const ociwp_lock_ref *ref, ociwp_source *out, ociw_error **err)
{
	char text[OCIW_DIGEST_TEXT_MAX];
	int r = ociwp_source_of_bytes((ociw_span){ref->bytes, ref->bytes_len}, out, err);

	if (r >= 0 && ref->digest && strcmp(ociwp_source_digest(out, text), ref->digest) != 0)
		return ociwp_fail(err, OCIW_ERR_DIGEST, "inline bytes have digest %s, expected %s",
				  text, ref->digest);
	return r;
}

/* Native code under a wasm type would run in the shim as it is (spin.md 5.3): never carried on. */
static int judge_wasm(const void *head, size_t len, const char *what, ociw_error **err)
{
	switch (ociwp_wasm_sniff(head, len)) {
	case OCIWP_WASM_MODULE:
	case OCIWP_WASM_COMPONENT:
	case OCIWP_WASM_PACKAGE:
		return 0;
	case OCIWP_WASM_NATIVE:
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "%s is native code, not wasm", what);
	case OCIWP_WASM_NONE:
	case OCIWP_WASM_TEXT:
		break;
	}
	return ociwp_fail(err, OCIW_ERR_UNSUPPORTED, "%s is not wasm", what);
}

static int check_wasm(const ociwp_convert_app *app, const ociw_descriptor *layer, ociw_error **err)
{
	char what[OCIW_DIGEST_TEXT_MAX + sizeof("blob ")];
	OCIWP_AUTO(reader) ociw_reader *reader = NULL;
	unsigned char head[OCIWP_WASM_PREAMBLE];
	int r = ociwp_content_open_raw(app->content, layer, 0, app->op, &reader, err);

	if (r < 0)
		return r;
	ptrdiff_t n = ociwp_read_full(reader, head, sizeof(head), err);
	if (n < 0)
		return (int)n;
	(void)snprintf(what, sizeof(what), "blob %s", layer->digest);
	return judge_wasm(head, (size_t)n, what, err);
}

static int wasm_source(const ociwp_convert_app *app, const ociwp_lock_ref *ref, ociwp_source *out,
		       ociw_error **err)
{
	const ociw_descriptor *layer =
		ref->digest ? ociwp_map_get(app->layers, ref->digest) : NULL;

	if (!layer && ref->bytes) {
		int r = judge_wasm(ref->bytes, ref->bytes_len, "what the lock holds inline", err);
		return r < 0 ? r : inline_source(ref, out, err);
	}
	if (!layer)
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "no layer has its wasm %s",
				  ociwp_quote(ref->digest ? ref->digest : ref->source));
	int r = check_wasm(app, layer, err);
	if (r >= 0)
		r = blob_source(app, layer, out, err);
	/* Small wasm is inline in locks, and its bytes are at hand here (spin.md 3.2). */
	if (r >= 0 && ref->bytes && ref->bytes_len == out->size && out->size <= OCIWP_INLINE_MAX) {
		out->bytes = ociwp_memdup(ref->bytes, ref->bytes_len);
		if (!out->bytes)
			return ociwp_nomem(err);
	}
	return r;
}

static int read_wasms(ociwp_convert_app *app, ociw_error **err)
{
	for (size_t i = 0; i < app->lock->component_count; i++) {
		const ociwp_lock_component *locked = &app->lock->components[i];
		ociwp_draft_component *component = &app->draft.components[i];
		int r = wasm_source(app, &locked->source, &component->wasm, err);
		if (r >= 0 && locked->dependency_count) {
			component->dependencies = ociwp_calloc(locked->dependency_count,
							       sizeof(*component->dependencies));
			if (!component->dependencies)
				return ociwp_nomem(err);
			component->dependency_count = locked->dependency_count;
		}
		for (size_t k = 0; r >= 0 && k < locked->dependency_count; k++)
			r = wasm_source(app, &locked->dependencies[k].content,
					&component->dependencies[k], err);
		if (r < 0)
			return ociwp_wrap(err, r, "component %s", ociwp_quote(locked->id));
	}
	return 0;
}

/* --- archives --- */

/* Appends the body of the current entry to the spool; *out is where it is. */
static int spool_entry(ociwp_convert_app *app, ociwp_tar_reader *tar, uint64_t size,
		       ociwp_hasher *hasher, ociwp_source *out, ociw_error **err)
{
	ociw_digest digest;
	uint64_t end = app->spool_size;

	*out = (ociwp_source){.kind = OCIWP_SOURCE_RANGE,
			      .known = true,
			      .fd = app->spool,
			      .from.offset = end,
			      .size = size};
	out->bytes = size <= OCIWP_INLINE_MAX ? ociwp_malloc((size_t)size) : NULL;
	if (size <= OCIWP_INLINE_MAX && !out->bytes)
		return ociwp_nomem(err);
	ociwp_hasher_reset(hasher);
	for (;;) {
		const void *data;
		ptrdiff_t n = ociwp_tar_reader_peek(tar, &data, err);
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		ociwp_hasher_update(hasher, data, (size_t)n);
		if (out->bytes)
			memcpy((char *)out->bytes + (end - app->spool_size), data, (size_t)n);
		int errnum = ociwp_pwrite_full(app->spool, data, (size_t)n, end);
		if (errnum)
			return ociwp_fail_errno(err, errnum, "write a temporary file");
		end += (uint64_t)n;
	}
	ociwp_hasher_final(hasher, &digest);
	memcpy(out->sha256, digest.bytes, sizeof(out->sha256));
	return 0;
}

/* A member of one of Spin's archives: known by what it holds. */
static int keep_member(ociwp_convert_app *app, ociwp_tar_reader *tar,
		       const ociwp_tar_entry *entry, ociwp_hasher *hasher, ociw_error **err)
{
	char text[OCIW_DIGEST_TEXT_MAX];
	bool executable = entry->mode & 0100;
	ociwp_source *member = ociwp_new(ociwp_source);

	if (!member)
		return ociwp_nomem(err);
	int r = spool_entry(app, tar, entry->size, hasher, member, err);
	if (r < 0) {
		member_free(member);
		return r;
	}
	ociwp_source_digest(member, text);
	if (ociwp_map_contains(app->members, text)) { /* the same bytes again: drop the copy */
		member_free(member);
		return 0;
	}
	member->executable = executable;
	if (!ociwp_map_set(app->members, text, member)) {
		member_free(member);
		return ociwp_nomem(err);
	}
	app->spool_size += member->size;
	return 0;
}

static int add_file(ociwp_convert_app *app, ociwp_draft_component *component, const char *path,
		    const ociwp_source *take_source, ociw_error **err)
{
	size_t n = component->file_count;
	ociwp_source source = *take_source;
	const char *kept = ociwp_pool_strdup(&app->paths, path);
	int r = kept ? 0 : ociwp_nomem(err);

	if (r >= 0 && (n & (n - 1)) == 0) { /* room for twice as many at powers of two */
		ociwp_file *files = ociwp_realloc_array(component->files, n ? 2 * n : 1,
							      sizeof(*files));
		if (files)
			component->files = files;
		else
			r = ociwp_nomem(err);
	}
	if (r < 0) {
		ociwp_source_deinit(&source);
		return r;
	}
	component->files[component->file_count++] = (ociwp_file){kept, source};
	return 0;
}

/* The component that "assets/<id>/<path>" belongs to; *path is the rest. */
static ociwp_draft_component *component_of(const ociwp_convert_app *app, const char *name,
					   const char **path)
{
	for (size_t i = 0; i < app->draft.component_count; i++) {
		ociwp_draft_component *component = &app->draft.components[i];
		size_t len = strlen(component->dir);
		if (strncmp(name, component->dir, len) == 0 && name[len] == '/') {
			*path = name + len + 1;
			return component;
		}
	}
	return NULL;
}

/* A file of a node image: known by its name. */
static int keep_node_file(ociwp_convert_app *app, ociwp_tar_reader *tar,
			  const ociwp_tar_entry *entry, ociwp_hasher *hasher, ociw_error **err)
{
	ociw_limits limits;
	ociwp_source source;
	const char *path = NULL;
	ociwp_draft_component *component = component_of(app, entry->path, &path);
	bool executable = entry->mode & 0100;

	ociwp_limits_get(app->op, &limits);
	if (!component ||
	    !ociwp_path_is_relative_normal(path, limits.max_path_bytes, limits.max_path_depth) ||
	    ociwp_draft_is_whiteout(path))
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
				  "%s belongs to no component and cannot be carried",
				  ociwp_quote(entry->path));
	OCIWP_AUTO(str) char *name = ociwp_strdup(path); /* entry goes with the next call */
	if (!name)
		return ociwp_nomem(err);
	int r = spool_entry(app, tar, entry->size, hasher, &source, err);
	if (r < 0) {
		ociwp_source_deinit(&source);
		return r;
	}
	source.executable = executable;
	app->spool_size += source.size;
	return add_file(app, component, name, &source, err);
}

static int read_entries(ociwp_convert_app *app, ociwp_tar_reader *tar, ociw_error **err)
{
	OCIWP_AUTO(hasher) ociwp_hasher *hasher = NULL;
	const ociwp_tar_entry *entry;
	int r = ociwp_hasher_new(OCIW_DIGEST_SHA256, &hasher, err);

	while (r >= 0 && (r = ociwp_tar_reader_next(tar, &entry, err)) > 0) {
		if (entry->type == OCIWP_TAR_DIRECTORY)
			continue;
		if (entry->type != OCIWP_TAR_FILE)
			return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
					  "%s is no regular file and cannot be carried",
					  ociwp_quote(entry->path));
		r = app->node ? keep_node_file(app, tar, entry, hasher, err)
			      : keep_member(app, tar, entry, hasher, err);
	}
	return r;
}

/* An archive whose gzip end is missing is still good for the files that came whole: each is checked
 * by its digest, and one that the lock names and that did not come is an error later (3.3). */
static int read_archive(ociwp_convert_app *app, const ociw_descriptor *layer, ociw_error **err)
{
	ociw_reader *blob = NULL, *plain = NULL;
	OCIWP_AUTO(tar_reader) ociwp_tar_reader *tar = NULL;
	ociw_error *why = NULL;
	ociw_limits limits;
	ociwp_compression found;
	bool truncated = false;

	ociwp_limits_get(app->op, &limits);
	ociwp_decode_options decode = {.max_ratio = limits.max_ratio,
				       .max_bytes = limits.max_unpacked_bytes,
				       .max_zstd_window = limits.max_zstd_window,
				       .truncated = app->node ? NULL : &truncated};
	if (app->spool < 0) {
		int r = ociwp_tmpblob_open(app->temp_dir, &app->spool, err);
		if (r < 0)
			return r;
	}
	int r = ociw_content_open(app->content, layer, app->op, &blob, err);
	if (r >= 0)
		r = ociwp_reader_decode(blob, &decode, &found, &plain, err);
	if (r >= 0)
		r = ociwp_tar_reader_new(plain, app->op, &tar, err);
	if (r < 0)
		return ociwp_wrap(err, r, "layer %s", layer->digest);
	r = read_entries(app, tar, &why);
	if (r >= 0)
		r = ociwp_tar_reader_close(ociwp_steal(&tar), &why);
	if (truncated && (r == OCIW_ERR_FORMAT || r == OCIW_ERR_SIZE)) {
		ociw_error_free(why);
		why = NULL;
		r = 0;
	}
	if (r < 0) {
		r = ociwp_error_move(err, why);
		return ociwp_wrap(err, r, "layer %s", layer->digest);
	}
	if (truncated)
		return ociwp_warn(app->op, err, "layer %s has no end; what came is checked",
				  layer->digest);
	return 0;
}

static int read_archives(ociwp_convert_app *app, ociw_error **err)
{
	app->members = ociwp_map_new(member_free);
	if (!app->members)
		return ociwp_nomem(err);
	for (size_t i = 0; i < app->manifest->layer_count; i++) {
		const ociw_descriptor *layer = app->manifest->layers[i];
		bool wanted = app->node ? ociwp_mediatype_is_layer(layer->media_type)
					: ociwp_streq(layer->media_type, OCIWP_MT_SPIN_BUNDLE);
		int r = wanted ? read_archive(app, layer, err) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- files that the lock names --- */

static int lock_file(ociwp_convert_app *app, ociwp_draft_component *component,
		     const ociwp_lock_file *file, ociw_error **err)
{
	const ociwp_lock_ref *ref = &file->content;
	const ociw_descriptor *layer = NULL;
	const ociwp_source *member = NULL;
	ociwp_source source;
	int r = 0;

	if (ref->digest) {
		layer = ociwp_map_get(app->layers, ref->digest);
		member = ociwp_map_get(app->members, ref->digest);
	}
	if (ref->bytes) {
		r = inline_source(ref, &source, err);
	} else if (layer) {
		r = blob_source(app, layer, &source, err);
	} else if (member) {
		source = *member;
		if (source.bytes && !(source.bytes = ociwp_memdup(source.bytes, source.size)))
			return ociwp_nomem(err);
	} else {
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "no layer has its content %s",
				  ociwp_quote(ref->digest ? ref->digest : ref->source));
	}
	if (r < 0) {
		ociwp_source_deinit(&source);
		return r;
	}
	return add_file(app, component, file->path, &source, err);
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const ociwp_file *)a)->path, ((const ociwp_file *)b)->path);
}

static int sort_files(ociwp_draft_component *component, ociw_error **err)
{
	if (component->file_count > 1)
		qsort(component->files, component->file_count, sizeof(*component->files),
		      compare_files);
	for (size_t i = 1; i < component->file_count; i++) {
		if (strcmp(component->files[i - 1].path, component->files[i].path) == 0)
			return ociwp_fail(err, OCIW_ERR_FORMAT, "component %s: file %s is there twice",
					  ociwp_quote(component->id),
					  ociwp_quote(component->files[i].path));
	}
	return 0;
}

/* Of a node image the lock names one file that is in a bundle too, or the marker: no news. */
static bool is_known(const ociwp_convert_app *app, const ociwp_draft_component *component,
		     size_t sorted, const ociwp_lock_file *file)
{
	const ociwp_file key = {.path = file->path};

	if (!app->node)
		return false;
	if (ociwp_streq(file->path, OCIWP_LOCK_MARKER) && file->content.bytes &&
	    !file->content.bytes_len)
		return true;
	return sorted && bsearch(&key, component->files, sorted, sizeof(key), compare_files);
}

static int read_files(ociwp_convert_app *app, ociw_error **err)
{
	for (size_t i = 0; i < app->lock->component_count; i++) {
		const ociwp_lock_component *locked = &app->lock->components[i];
		ociwp_draft_component *component = &app->draft.components[i];
		int r = sort_files(component, err);
		size_t sorted = component->file_count;
		for (size_t k = 0; r >= 0 && k < locked->file_count; k++) {
			if (is_known(app, component, sorted, &locked->files[k]))
				continue;
			r = lock_file(app, component, &locked->files[k], err);
			if (r < 0)
				return ociwp_wrap(err, r, "component %s: file %s",
						  ociwp_quote(locked->id),
						  ociwp_quote(locked->files[k].path));
		}
		if (r >= 0)
			r = sort_files(component, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int ociwp_convert_read(ociwp_convert_app *app, ociw_error **err)
{
	int r = read_lock(app, err);

	if (r >= 0)
		r = index_layers(app, err);
	if (r >= 0)
		r = ociwp_draft_init(&app->draft, app->lock, err);
	if (r >= 0)
		r = read_wasms(app, err);
	if (r >= 0)
		r = read_archives(app, err);
	if (r >= 0)
		r = read_files(app, err);
	return r;
}
