/* SPDX-License-Identifier: Apache-2.0
 *
 * Sizes and digests of all sources of an app, by as many threads as there are cores.
 */
#include "base/str.h"
#include "io/parallel.h"
#include "ops/pack-private.h"
#include "ops/pack-cache.h"
#include "ops/pack-sources.h"

struct hash {
	const ociwp_app *app; /* says where in the manifest */
	ociwp_draft *draft;
	size_t *first; /* number of the first item of each component, and the number of all */
	ociwp_scratch *scratch;
	const ociwp_beneath *beneath; /* of static files, or NULL */
	ociwp_pack_cache *cache;
	unsigned wasm;
};

/* An item of a component: its wasm, its dependencies, those of its triggers, its files. */
static size_t item_count(const ociwp_draft_component *component)
{
	return 1 + component->dependency_count + component->trigger_count + component->file_count;
}

static size_t component_of(const struct hash *hash, size_t item)
{
	size_t low = 0, high = hash->draft->component_count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (hash->first[middle] <= item)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static int hash_source(struct hash *hash, size_t worker, ociwp_source *source, unsigned wasm,
                       const ociwp_beneath *beneath, ociw_error **err)
{
	ociwp_scratch *scratch = &hash->scratch[worker];
	if (source->known)
		return 0;
	if (hash->cache && ociwp_pack_cache_find(hash->cache, source, wasm))
		return 0;
	int r = scratch->buf ? 0 : ociwp_scratch_init(scratch, err);
	scratch->beneath = beneath;
	return r < 0 ? r : ociwp_source_hash(source, wasm, scratch, err);
}

static int hash_wasm(struct hash *hash, size_t worker, ociwp_source *source,
                     const ociwp_app_component *from, const char *role,
                     const ociwp_app_source *place, const char *name, ociw_error **err)
{
	char what[300];
	int r = hash_source(hash, worker, source, hash->wasm, NULL, err);
	if (r >= 0)
		return r;
	snprintf(what, sizeof(what), "%s%s%s", role, name ? " " : "",
	         name ? ociwp_quote(name) : "");
	return ociwp_pack_in_manifest(hash->app, place->at, from->id, what, r, err);
}

static int hash_item(void *context, size_t worker, size_t index, ociw_error **err)
{
	struct hash *hash = context;
	size_t number = component_of(hash, index), item = index - hash->first[number];
	ociwp_draft_component *component = &hash->draft->components[number];
	const ociwp_lock_component *locked = &hash->draft->lock->components[number];
	const ociwp_app_component *from = &hash->app->components[number];
	if (item == 0)
		return hash_wasm(hash, worker, &component->wasm, from, "wasm source", &from->source,
		                 NULL, err);
	item--;
	if (item < component->dependency_count)
		return hash_wasm(hash, worker, &component->dependencies[item], from, "dependency",
		                 &from->dependency_sources[item], locked->dependencies[item].name,
		                 err);
	item -= component->dependency_count;
	if (item < component->trigger_count)
		return hash_wasm(hash, worker, &component->triggers[item], from,
		                 "trigger dependency", &from->trigger_sources[item], NULL, err);
	item -= component->trigger_count;
	int r = hash_source(hash, worker, &component->files[item].source, 0, hash->beneath, err);
	return r < 0 ? ociwp_wrap(err, r, "component %s: file", ociwp_quote(component->id)) : 0;
}

int ociwp_pack_hash(const ociwp_pack *pack, const ociwp_app *app, ociwp_draft *draft,
                    ociwp_pack_cache *cache, const ociwp_beneath *beneath, ociw_error **err)
{
	struct hash hash = {
	        .app = app,
	        .draft = draft,
	        .cache = cache,
	        .beneath = beneath,
	        .first = ociwp_calloc(draft->component_count + 1, sizeof(*hash.first)),
	        .scratch = ociwp_calloc(pack->threads, sizeof(*hash.scratch)),
	        .wasm = pack->options.flags & OCIW_PACK_COMPAT_SPIN ? OCIWP_WASM_CHECK_HEAD
	                                                            : OCIWP_WASM_CHECK_WALK,
	};
	int r = hash.first && hash.scratch ? 0 : ociwp_nomem(err);
	if (r == 0) {
		for (size_t i = 0; i < draft->component_count; i++)
			hash.first[i + 1] = hash.first[i] + item_count(&draft->components[i]);
		ociwp_parallel_job job = {hash.first[draft->component_count], pack->threads,
		                          hash_item, &hash, true};
		r = ociwp_parallel_run(&job, pack->op, err);
	}
	for (size_t i = 0; hash.scratch && i < pack->threads; i++)
		ociwp_scratch_deinit(&hash.scratch[i]);
	free(hash.scratch);
	free(hash.first);
	return r;
}
