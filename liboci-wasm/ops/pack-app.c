/* SPDX-License-Identifier: Apache-2.0
 *
 * Packing a Spin app: load, fetch, compose, hash, then one image for each format. The draft borrows
 * from the loaded app, which lives until the content is complete.
 */
#include "base/str.h"
#include "format/rootfs.h"
#include "format/spin-node.h"
#include "format/spin.h"
#include "ops/pack-cache.h"
#include "ops/pack-compose.h"
#include "ops/pack-send.h"
#include "spin/app-load.h"

struct work {
	ociwp_pack *pack;
	ociwp_app *app;
	ociwp_draft draft;
	ociwp_workspace workspace;
	ociwp_pack_cache *cache;
	ociwp_pack_sender sender;
};

static unsigned load_flags(const ociwp_pack *pack)
{
	uint32_t flags = pack->options.flags;
	unsigned out = 0;
	out |= flags & OCIW_PACK_COMPAT_SPIN ? OCIWP_APP_COMPAT_SPIN : 0;
	out |= flags & OCIW_PACK_ALLOW_OUTSIDE ? OCIWP_APP_ALLOW_OUTSIDE : 0;
	out |= flags & OCIW_PACK_QUIET_TRAPS ? OCIWP_APP_QUIET_TRAPS : 0;
	out |= flags & OCIW_PACK_WERROR ? OCIWP_APP_WERROR : 0;
	return out;
}

/* Beside the walk of the app's folders: the index has to be read and hashed as a whole. */
static int open_cache(void *self, const char *root, ociw_error **err)
{
	struct work *work = self;
	const ociw_pack_options *options = &work->pack->options;
	if (!options->cache_dir || options->flags & OCIW_PACK_NO_CACHE)
		return 0;
	return ociwp_pack_cache_open(options->cache_dir, root, &work->cache, err);
}

static int load(struct work *work, ociw_error **err)
{
	ociwp_pack *pack = work->pack;
	ociwp_beside beside = {open_cache, work};
	ociwp_report report = {.flags = load_flags(pack), .op = pack->op, .beside = &beside};
	ociwp_limits_get(pack->op, &report.limits);
	return ociwp_app_load_report(pack->options.path, pack->options.profile, &report, &work->app, err);
}

static int make_draft(struct work *work, ociw_error **err)
{
	const ociw_pack_options *options = &work->pack->options;
	ociwp_draft *draft = &work->draft;
	ociw_limits limits;
	uint64_t files = 0;
	ociwp_limits_get(work->pack->op, &limits);
	int r = ociwp_draft_init(draft, work->app->lock, err);
	for (size_t i = 0; r == 0 && i < work->app->component_count; i++) {
		ociwp_draft_component *to = &draft->components[i];
		to->files = ociwp_app_steal_files(&work->app->components[i], &to->file_count);
		files += to->file_count;
	}
	if (r < 0)
		return r;
	if (files > limits.max_entries)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "the app has %llu files, the limit is %llu",
		                  (unsigned long long)files,
		                  (unsigned long long)limits.max_entries);
	if (work->cache)
		draft->cache = ociwp_pack_cache_layers(work->cache);
	draft->annotations = &work->pack->annotations;
	draft->notes = &work->pack->notes;
	draft->compat_spin = options->flags & OCIW_PACK_COMPAT_SPIN;
	draft->no_entrypoint = options->flags & OCIW_PACK_NO_ENTRYPOINT;
	draft->no_diff_ids = !ociwp_pack_wants(work->pack, OCIW_FORMAT_SPIN_NODE) &&
	                     !ociwp_pack_wants(work->pack, OCIW_FORMAT_ROOTFS);
	draft->has_created = options->has_created;
	draft->created = options->created;
	draft->temp_dir = options->temp_dir;
	draft->memory = work->pack->memory;
	draft->threads = work->pack->threads;
	return 0;
}

/* The origin says where the manifest was on this machine: never part of an image (spin.md 2.3). */
static void drop_origin(ociwp_lock *lock)
{
	if (lock->metadata)
		json_object_del(lock->metadata, "origin");
}

static int infer_authors(const json_t *metadata, ociwp_annotations *out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	const json_t *authors = json_object_get(metadata, "authors");
	json_t *author;
	size_t i;
	if (json_array_size(authors) == 0)
		return 0;
	json_array_foreach((json_t *)authors, i, author)
	{
		ociwp_buf_puts(&text, i > 0 ? ", " : "");
		ociwp_buf_puts(&text, json_is_string(author) ? json_string_value(author) : "");
	}
	int r = ociwp_buf_check(&text, err);
	return r < 0 ? r
	             : ociwp_pack_infer(out, "org.opencontainers.image.authors", text.data, err);
}

/* spin.md 3.5: only where the key is absent. */
static int infer_annotations(struct work *work, ociw_error **err)
{
	static const struct {
		const char *key, *member;
	} rows[] = {
	        {"org.opencontainers.image.title", "name"},
	        {"org.opencontainers.image.description", "description"},
	        {"org.opencontainers.image.version", "version"},
	};
	const json_t *metadata = work->app->lock->metadata;
	ociwp_annotations *out = &work->pack->annotations;
	int r = ociwp_pack_infer_created(work->pack, out, err);
	if (r == 0 && !(work->pack->options.flags & OCIW_PACK_NO_INFER)) {
		r = infer_authors(metadata, out, err);
		for (size_t i = 0; r == 0 && i < OCIWP_ARRAY_LEN(rows); i++) {
			const json_t *value = json_object_get(metadata, rows[i].member);
			r = ociwp_pack_infer(out, rows[i].key, json_string_value(value), err);
		}
	}
	return r < 0 ? r : ociwp_annotations_canonical(out, err);
}

int ociwp_pack_images(const ociwp_pack *pack, ociwp_draft *draft, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *spin = NULL;
	ociw_pack_layers layers = (ociw_pack_layers)pack->options.layers;
	bool node = ociwp_pack_wants(pack, OCIW_FORMAT_SPIN_NODE);
	int r = 0;
	if (node)
		layers = OCIW_LAYERS_BUNDLES;
	if (ociwp_pack_wants(pack, OCIW_FORMAT_SPIN))
		r = ociwp_spin_image(draft, layers, pack->options.max_content_layers,
		                     ociw_format_name(OCIW_FORMAT_SPIN), pack->op, &spin, err);
	if (r == 0 && node)
		r = ociwp_spin_node_image(draft, spin, ociw_format_name(OCIW_FORMAT_SPIN_NODE),
		                          pack->op, NULL, err);
	if (r == 0 && ociwp_pack_wants(pack, OCIW_FORMAT_ROOTFS))
		r = ociwp_rootfs_image(draft, pack->options.platform,
		                       ociw_format_name(OCIW_FORMAT_ROOTFS), pack->op, NULL, err);
	return r;
}

/* Patterns were judged while they were walked; files are judged again as they are opened. */
static int hash(struct work *work, ociw_error **err)
{
	ociwp_beneath beneath;
	uint32_t anywhere = OCIW_PACK_COMPAT_SPIN | OCIW_PACK_ALLOW_OUTSIDE;
	if (work->pack->options.flags & anywhere)
		return ociwp_pack_hash(work->pack, work->app, &work->draft, work->cache, NULL, err);
	int r = ociwp_beneath_init(&beneath, work->app->root, err);
	if (r == 0)
		r = ociwp_pack_hash(work->pack, work->app, &work->draft, work->cache, &beneath,
		                    err);
	ociwp_beneath_deinit(&beneath);
	return r;
}

static int run(struct work *work, ociw_error **err)
{
	ociwp_pack *pack = work->pack;
	int r = load(work, err);
	if (r < 0)
		return r;
	drop_origin(work->app->lock);
	r = make_draft(work, err);
	if (r == 0)
		r = ociwp_pack_annotations_of_app(pack, work->app->annotations, err);
	if (r == 0)
		r = ociwp_pack_notes(pack, work->app->root, err);
	if (r == 0)
		r = ociwp_pack_sources(pack, work->app, &work->workspace, &work->draft, err);
	if (r == 0)
		r = ociwp_pack_compose(pack, work->app, &work->workspace, &work->draft, err);
	if (r == 0)
		r = hash(work, err);
	if (work->cache)
		ociwp_pack_cache_forget_files(work->cache);
	if (r == 0)
		r = infer_annotations(work, err);
	if (r < 0)
		return r;
	ociwp_pack_sender_init(&work->sender, pack, &work->draft);
	r = ociwp_pack_images(pack, &work->draft, err);
	if (r == 0 && work->cache)
		ociwp_pack_cache_save(work->cache, &work->draft);
	return ociwp_pack_sender_finish(&work->sender, r, err);
}

int ociwp_pack_app(ociwp_pack *pack, ociw_error **err)
{
	struct work work = {.pack = pack};
	int r = run(&work, err);
	ociwp_draft_deinit(&work.draft);
	ociwp_app_free(work.app);
	ociwp_workspace_deinit(&work.workspace);
	ociwp_pack_cache_free(work.cache);
	return r;
}
