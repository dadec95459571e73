/* SPDX-License-Identifier: Apache-2.0
 *
 * Spin apps as trees: the files a runtime starts from (spin-files), or what the shim leaves in a
 * container's root (spin-cache; also what "rootfs" means for an app that has no root of its own).
 */
#include "ops/extract-spin.h"

#include "base/str.h"
#include "codec/wasm-binary.h"
#include "codec/mediatype.h"
#include "io/stream.h"
#include "ops/extract-artifact.h"

/* What a lone component becomes (spin.md 1.4: an inline component of the first http trigger). */
#define BARE_ID "http-trigger1-component"
#define BARE_TRIGGER "http-trigger1"

typedef struct app {
	ociwp_lock *lock;
	void *bytes; /* of the lock, as it was pushed */
	size_t len;
	bool filtered;
} app;

static void app_deinit(app *a)
{
	ociwp_lock_free(a->lock);
	free(a->bytes);
}

const ociw_descriptor *ociwp_spin_find_layer(const ociwp_manifest *manifest, const char *digest)
{
	for (size_t i = 0; digest && i < manifest->layer_count; i++)
		if (ociwp_streq(ociw_descriptor_digest(manifest->layers[i]), digest))
			return manifest->layers[i];
	return NULL;
}

/* --- the lock ------------------------------------------------------------------------------- */

/* The lock of a bare component: an http app on every route, as Spin runs it. */
static int bare_lock(const ociw_descriptor *layer, ociwp_buf *out, ociw_error **err)
{
	static const char title[] = "org.opencontainers.image.title";
	const char *name = ociw_descriptor_annotation(layer, title);
	ociwp_json_writer *w = NULL;
	int r = ociwp_json_writer_new(NULL, out, &w, err);
	if (r < 0)
		return r;
	ociwp_json_begin_object(w);
	ociwp_json_key(w, "spin_lock_version");
	ociwp_json_u64(w, 0);
	ociwp_json_key(w, "metadata");
	ociwp_json_begin_object(w);
	ociwp_json_member(w, "name", name && *name ? name : "app");
	ociwp_json_key(w, "trigger");
	ociwp_json_begin_object(w);
	ociwp_json_member(w, "type", "http");
	ociwp_json_end_object(w);
	ociwp_json_key(w, "triggers");
	ociwp_json_begin_object(w);
	ociwp_json_end_object(w);
	ociwp_json_end_object(w);
	ociwp_json_key(w, "triggers");
	ociwp_json_begin_array(w);
	ociwp_json_begin_object(w);
	ociwp_json_member(w, "id", BARE_TRIGGER);
	ociwp_json_member(w, "trigger_type", "http");
	ociwp_json_key(w, "trigger_config");
	ociwp_json_begin_object(w);
	ociwp_json_member(w, "component", BARE_ID);
	ociwp_json_member(w, "route", "/...");
	ociwp_json_end_object(w);
	ociwp_json_end_object(w);
	ociwp_json_end_array(w);
	ociwp_json_key(w, "components");
	ociwp_json_begin_array(w);
	ociwp_json_begin_object(w);
	ociwp_json_member(w, "id", BARE_ID);
	ociwp_json_key(w, "source");
	ociwp_json_begin_object(w);
	ociwp_json_member(w, "content_type", "application/wasm");
	ociwp_json_member(w, "digest", ociw_descriptor_digest(layer));
	ociwp_json_end_object(w);
	ociwp_json_end_object(w);
	ociwp_json_end_array(w);
	ociwp_json_end_object(w);
	return ociwp_json_writer_finish(w, err);
}

static int load_bare(ociwp_extraction *x, app *a, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf json = OCIWP_BUF_INIT;
	if (x->manifest->layer_count != 1 ||
	    !ociwp_mediatype_is_wasm(ociw_descriptor_media_type(x->manifest->layers[0])))
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
				  "no Spin app: there is no lock, and not exactly one wasm layer");
	int r = bare_lock(x->manifest->layers[0], &json, err);
	if (r == 0)
		r = ociwp_buf_check(&json, err);
	return r == 0 ? ociwp_lock_parse(ociwp_buf_span(&json), x->op, &a->lock, err) : r;
}

/* Layers are judged as they are written; what is inline goes into every mode with the lock. */
static int refuse_native(const ociwp_lock_ref *ref, const char *id, ociw_error **err)
{
	if (!ref->bytes || ociwp_wasm_sniff(ref->bytes, ref->bytes_len) != OCIWP_WASM_NATIVE)
		return 0;
	return ociwp_fail(err, OCIW_ERR_UNSAFE, "component %s: what is inline is native code, not wasm",
			  ociwp_quote(id));
}

static int check_inline_wasm(const ociwp_lock *lock, ociw_error **err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < lock->component_count; i++) {
		const ociwp_lock_component *component = &lock->components[i];
		r = refuse_native(&component->source, component->id, err);
		for (size_t j = 0; r == 0 && j < component->dependency_count; j++)
			r = refuse_native(&component->dependencies[j].content, component->id, err);
	}
	return r;
}

static int load_app(ociwp_extraction *x, app *a, ociw_error **err)
{
	const ociw_descriptor *layer = ociwp_extract_lock_layer(x->manifest);
	if (!layer)
		return load_bare(x, a, err);
	int r = ociw_content_read(x->content, layer, x->limits.max_lock_bytes, x->op, &a->bytes,
				  &a->len, err);
	if (r == 0)
		r = ociwp_lock_parse((ociw_span){a->bytes, a->len}, x->op, &a->lock, err);
	if (r == 0)
		r = check_inline_wasm(a->lock, err);
	return r < 0 ? ociwp_wrap(err, r, "lock %s", ociw_descriptor_digest(layer)) : 0;
}

/* --- only some components ------------------------------------------------------------------- */

static bool is_chosen(const ociwp_extraction *x, const char *id)
{
	for (size_t i = 0; i < x->options.component_count; i++)
		if (ociwp_streq(x->options.components[i], id))
			return true;
	return x->options.component_count == 0;
}

/* As many ids as fit into a message. */
static int fail_not_there(const char *id, const ociwp_lock *lock, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf ids = OCIWP_BUF_INIT;
	size_t shown = 0;
	for (; shown < lock->component_count && shown < 8; shown++)
		ociwp_buf_printf(&ids, "%s%s", shown ? ", " : "",
		                 ociwp_quote(lock->components[shown].id));
	if (ociwp_buf_check(&ids, err) < 0)
		return OCIW_ERR_NOMEM;
	return ociwp_fail(err, OCIW_ERR_NOTFOUND, "the app has no component %s, it has %s%s",
	                  ociwp_quote(id), shown ? ids.data : "none",
	                  shown < lock->component_count ? " ..." : "");
}

static int check_chosen(const ociwp_extraction *x, const ociwp_lock *lock, ociw_error **err)
{
	for (size_t i = 0; i < x->options.component_count; i++) {
		bool there = false;
		for (size_t c = 0; c < lock->component_count && !there; c++)
			there = ociwp_streq(lock->components[c].id, x->options.components[i]);
		if (!there)
			return fail_not_there(x->options.components[i], lock, err);
	}
	return 0;
}

/* Triggers of components that go, go too; what has no component (a static answer) stays. */
static void drop_triggers(const ociwp_extraction *x, json_t *triggers)
{
	for (size_t i = json_array_size(triggers); i-- > 0;) {
		const json_t *config =
			json_object_get(json_array_get(triggers, i), "trigger_config");
		const char *id = json_string_value(json_object_get(config, "component"));
		if (id && !is_chosen(x, id))
			json_array_remove(triggers, i);
	}
}

/* Takes components out of the lock, and their folders out of what layers made (spin-node). */
static int filter(ociwp_extraction *x, app *a, ociw_error **err)
{
	ociwp_lock *lock = a->lock;
	size_t kept = 0;
	int r = check_chosen(x, lock, err);
	if (r < 0 || x->options.component_count == 0)
		return r;
	for (size_t c = 0; c < lock->component_count; c++) {
		ociwp_fsys_at at;
		if (is_chosen(x, lock->components[c].id)) {
			lock->components[kept++] = lock->components[c];
			continue;
		}
		a->filtered = true;
		ociwp_buf_clear(&x->path);
		ociwp_buf_printf(&x->path, "assets/%s", lock->components[c].id);
		if (r == 0)
			r = ociwp_buf_check(&x->path, err);
		if (r == 0)
			r = ociwp_fsys_walk(x->fs, x->path.data, true, &at, err);
		if (r == 0)
			r = ociwp_fsys_remove(x->fs, &at, err);
		ociwp_lock_component_deinit(&lock->components[c]);
	}
	lock->component_count = kept;
	drop_triggers(x, lock->triggers);
	return r;
}

/* --- wasm ----------------------------------------------------------------------------------- */

/* Bytes of a source at @p path: from its layer, or from the lock. */
static int put_source(ociwp_extraction *x, const ociwp_lock_ref *ref, const char *path,
		      ociw_error **err)
{
	const ociw_descriptor *layer = ociwp_spin_find_layer(x->manifest, ref->digest);
	int r;
	if (layer) {
		r = ociwp_extract_blob(x, layer, path, true, err);
	} else if (ref->bytes) {
		r = ociwp_spin_check_inline(ref, ociwp_quote(path), err);
		if (r == 0)
			r = ociwp_extract_bytes(x, ref->bytes, ref->bytes_len, path, err);
	} else {
		r = ociwp_fail(err, OCIW_ERR_FORMAT, "no layer holds %s (%s)", ociwp_quote(path),
			       ref->digest ? ref->digest : "without a digest");
	}
	if (r == 0)
		ociwp_extract_note_wasm(x, path);
	return r;
}

static int put_wasm_files(ociwp_extraction *x, const ociwp_lock *lock, ociw_error **err)
{
	for (size_t c = 0; c < lock->component_count; c++) {
		const ociwp_lock_component *component = &lock->components[c];
		ociwp_buf_clear(&x->path);
		ociwp_buf_printf(&x->path, "wasm/%s.wasm", component->id);
		int r = ociwp_buf_check(&x->path, err);
		if (r == 0)
			r = put_source(x, &component->source, x->path.data, err);
		for (size_t i = 0; r == 0 && i < component->dependency_count; i++) {
			const ociwp_lock_ref *ref = &component->dependencies[i].content;
			if (!ref->digest || !ociwp_starts_with(ref->digest, "sha256:"))
				return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
						  "dependency %s of %s has no sha256 digest",
						  ociwp_quote(component->dependencies[i].name),
						  component->id);
			ociwp_buf_clear(&x->path);
			ociwp_buf_printf(&x->path, "wasm/deps/%s.wasm", ref->digest + 7);
			r = ociwp_buf_check(&x->path, err);
			if (r == 0)
				r = put_source(x, ref, x->path.data, err);
		}
		if (r < 0)
			return ociwp_wrap(err, r, "component %s", component->id);
	}
	return 0;
}

/* --- the shim's view (5.3) ------------------------------------------------------------------ */

static bool is_used(const app *a, const char *digest)
{
	for (size_t c = 0; c < a->lock->component_count; c++) {
		const ociwp_lock_component *component = &a->lock->components[c];
		if (ociwp_streq(component->source.digest, digest))
			return true;
		for (size_t i = 0; i < component->dependency_count; i++)
			if (ociwp_streq(component->dependencies[i].content.digest, digest))
				return true;
	}
	return false;
}

static int put_cached_wasm(ociwp_extraction *x, const app *a, ociw_error **err)
{
	for (size_t i = 0; i < x->manifest->layer_count; i++) {
		const ociw_descriptor *layer = x->manifest->layers[i];
		if (!ociwp_mediatype_is_wasm(ociw_descriptor_media_type(layer)) ||
		    (a->filtered && !is_used(a, ociw_descriptor_digest(layer))))
			continue;
		ociw_digest digest;
		int r = ociw_digest_parse(ociw_descriptor_digest(layer), &digest, err);
		ociwp_buf_clear(&x->path);
		ociwp_buf_printf(&x->path, OCIWP_SPIN_WASM "/%s", ociw_descriptor_digest(layer));
		if (r == 0)
			r = ociwp_buf_check(&x->path, err);
		if (r == 0)
			r = ociwp_extract_blob(x, layer, x->path.data, true, err);
		if (r < 0)
			return r;
		ociwp_extract_note_wasm(x, x->path.data);
	}
	return 0;
}

/* The lock as it was pushed, byte for byte, unless components were left out. */
static int put_cached_lock(ociwp_extraction *x, const app *a, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf json = OCIWP_BUF_INIT;
	OCIWP_AUTO(writer) ociw_writer *writer = NULL;
	if (!a->bytes)
		return 0;
	if (!a->filtered)
		return ociwp_extract_bytes(x, a->bytes, a->len, "spin.json", err);
	int r = ociwp_writer_new_buf(&json, x->limits.max_lock_bytes * 2, &writer, err);
	if (r == 0)
		r = ociwp_lock_write(a->lock, false, writer, err);
	if (r == 0)
		r = ociw_writer_commit(ociwp_steal(&writer), err);
	return r == 0 ? ociwp_extract_bytes(x, json.data, json.len, "spin.json", err) : r;
}

static int put_cache(ociwp_extraction *x, const app *a, ociw_error **err)
{
	static const char *const folders[] = {OCIWP_SPIN_DATA, ".cache/registry/manifests",
					      OCIWP_SPIN_WASM, ".spin"};
	int r = 0;
	for (size_t i = 0; r == 0 && i < OCIWP_ARRAY_LEN(folders); i++)
		r = ociwp_extract_directory(x, folders[i], err);
	if (r == 0)
		r = put_cached_wasm(x, a, err);
	if (r == 0)
		r = put_cached_lock(x, a, err);
	if (r == 0)
		r = ociwp_spin_files_put(x, a->lock, true, err);
	return r;
}

/* --- all of it ------------------------------------------------------------------------------ */

/* The marker of spin-node.md 4 only makes the shim mount the folder; the files are there. */
static void drop_markers(ociwp_lock *lock)
{
	for (size_t c = 0; c < lock->component_count; c++) {
		ociwp_lock_component *component = &lock->components[c];
		ociwp_lock_file *only = component->files;
		if (component->file_count != 1 || !ociwp_streq(only->path, ".oci-wasm") ||
		    !only->content.bytes || only->content.bytes_len > 0)
			continue;
		ociwp_lock_files_free(component->files, 1);
		component->files = NULL;
		component->file_count = 0;
	}
}

static int put_app(ociwp_extraction *x, ociw_extract_mode mode, app *a, ociw_error **err)
{
	bool tar = false;
	for (size_t i = 0; i < x->manifest->layer_count; i++)
		tar |= ociwp_mediatype_is_layer(
			ociw_descriptor_media_type(x->manifest->layers[i]));
	int r = load_app(x, a, err);
	if (r == 0 && tar)
		r = ociwp_extract_rootfs(x, err);
	/* Files of the app are counted for themselves. */
	x->made = 0;
	if (r == 0)
		r = filter(x, a, err);
	if (r != 0)
		return r;
	if (mode != OCIW_EXTRACT_SPIN_FILES)
		return put_cache(x, a, err);
	drop_markers(a->lock);
	const char *root = x->options.file_url_root ? x->options.file_url_root
						    : ociwp_staging_destination(x->staging);
	r = put_wasm_files(x, a->lock, err);
	if (r == 0)
		r = ociwp_spin_files_put(x, a->lock, false, err);
	return r == 0 ? ociwp_spin_local_put(x, a->lock, root, err) : r;
}

int ociwp_extract_spin(ociwp_extraction *x, ociw_extract_mode mode, ociw_error **err)
{
	app a = {0};
	int r = put_app(x, mode, &a, err);
	if (r == 0)
		r = ociwp_extract_warnings_end(x, err);
	app_deinit(&a);
	return r;
}
