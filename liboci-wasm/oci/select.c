/* SPDX-License-Identifier: Apache-2.0
 *
 * From a name to one image manifest: follows indexes, chooses by platform. Reads documents only, never
 * layers. oci-client.md IDX-2..8, specs/wasm-formats.md 1.7.
 */
#include "base/map.h"
#include "base/op.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "codec/platform.h"
#include "oci/manifest.h"

/* More images than any index has, so that nested indexes cannot make a walk endless. */
#define MAX_ENTRIES 4096
/* Entries without a platform whose config is asked for one. */
#define MAX_CONFIGS 16

struct entry {
	ociw_descriptor *desc;
	ociw_platform *platform; /* its own, or that of the index around it; or NULL */
};

struct selection {
	ociw_content *content;
	const ociw_op *op;
	uint64_t max_depth;
	ociwp_map *visited; /* digests of indexes */
	struct entry *entries;
	size_t count;
};

static void selection_deinit(struct selection *s)
{
	for (size_t i = 0; i < s->count; i++) {
		ociw_descriptor_free(s->entries[i].desc);
		ociw_platform_free(s->entries[i].platform);
	}
	free(s->entries);
	ociwp_map_free(s->visited);
}

static int add_entry(struct selection *s, const ociw_descriptor *desc,
		     const ociw_platform *platform, ociw_error **err)
{
	if (s->count >= MAX_ENTRIES)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "index has more than %d images",
				  MAX_ENTRIES);
	struct entry *grown =
		ociwp_realloc_array(s->entries, s->count + 1, sizeof(*s->entries));
	if (!grown)
		return ociwp_nomem(err);
	s->entries = grown;
	struct entry *entry = &s->entries[s->count];
	*entry = (struct entry){NULL, NULL};
	int r = ociw_descriptor_dup(desc, &entry->desc, err);
	if (r < 0)
		return r;
	s->count++;
	return platform ? ociwp_platform_dup(platform, &entry->platform, err) : 0;
}

/* All image manifests under an index in document order; entries of unknown types are passed over
 * (IDX-2), and so is what is no image (IDX-8). */
static int walk(struct selection *s, const ociw_descriptor *desc, const ociw_platform *around,
		uint64_t depth, ociw_error **err)
{
	OCIWP_AUTO(index) ociwp_index *index = NULL;

	if (ociwp_map_contains(s->visited, desc->digest))
		return 0;
	if (depth > s->max_depth)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "indexes nested deeper than %llu",
				  (unsigned long long)s->max_depth);
	if (!ociwp_map_set(s->visited, desc->digest, NULL))
		return ociwp_nomem(err);
	int r = ociwp_index_load(s->content, desc, s->op, &index, NULL, NULL, err);
	for (size_t i = 0; r == 0 && i < index->manifest_count; i++) {
		const ociw_descriptor *entry = index->manifests[i];
		const ociw_platform *platform = entry->platform ? entry->platform : around;
		if (platform && ociwp_platform_is_unknown(platform))
			continue;
		if (ociwp_mediatype_is_manifest(entry->media_type))
			r = add_entry(s, entry, platform, err);
		else if (ociwp_mediatype_is_index(entry->media_type))
			r = walk(s, entry, platform, depth + 1, err);
	}
	return r;
}

static struct entry *find(struct selection *s, const ociw_platform *want)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->entries[i].platform && ociw_platform_matches(want, s->entries[i].platform))
			return &s->entries[i];
	return NULL;
}

/* What its config says an image is for; *out stays NULL when that cannot be told. */
static int config_platform(struct selection *s, const ociw_descriptor *desc, ociw_platform **out,
			   ociw_error **err)
{
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = NULL;
	OCIWP_AUTO(config) ociwp_config *config = NULL;
	OCIWP_AUTO(mem) void *bytes = NULL;
	ociw_limits limits;
	size_t len;

	ociwp_limits_get(s->op, &limits);
	int r = ociwp_manifest_load(s->content, desc, s->op, &manifest, NULL, NULL, err);
	if (r < 0)
		return r;
	if (!ociwp_mediatype_is_image_config(manifest->config->media_type) &&
	    !ociwp_streq(manifest->config->media_type, OCIWP_MT_WASM_CONFIG))
		return 0;
	r = ociw_content_read(s->content, manifest->config, limits.max_manifest_bytes, s->op,
			      &bytes, &len, err);
	if (r >= 0)
		r = ociwp_config_parse((ociw_span){bytes, len}, s->op, &config, err);
	if (r < 0 || !*config->architecture || !*config->os)
		return r;
	return ociwp_platform_new(config->os, config->architecture, config->variant, NULL, out,
				  err);
}

/* Gives entries without a platform the one of their config. */
static int complete(struct selection *s, ociw_error **err)
{
	size_t asked = 0;

	for (size_t i = 0; i < s->count && asked < MAX_CONFIGS; i++) {
		if (s->entries[i].platform)
			continue;
		asked++;
		int r = config_platform(s, s->entries[i].desc, &s->entries[i].platform, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* IDX-7, then this machine. */
static int find_default(struct selection *s, struct entry **out, ociw_error **err)
{
	static const char *const wanted[] = {"wasip2/wasm", "wasip1/wasm", "wasi/wasm",
					     "wasi/wasm32"};
	OCIWP_AUTO(platform) ociw_platform *host = NULL;

	for (size_t i = 0; !*out && i < OCIWP_ARRAY_LEN(wanted); i++) {
		OCIWP_AUTO(platform) ociw_platform *want = NULL;
		int r = ociw_platform_parse(wanted[i], &want, err);
		if (r < 0)
			return r;
		*out = find(s, want);
	}
	if (*out)
		return 0;
	int r = ociwp_platform_host(&host, err);
	if (r == 0)
		*out = find(s, host);
	return r;
}

static int find_wanted(struct selection *s, const ociw_platform *platform, struct entry **out,
		       ociw_error **err)
{
	*out = NULL;
	if (!platform)
		return find_default(s, out, err);
	*out = find(s, platform);
	return 0;
}

static int no_match(const struct selection *s, const ociw_platform *platform, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf list = OCIWP_BUF_INIT;

	for (size_t i = 0; i < s->count && i < 20; i++) {
		const char *text = s->entries[i].platform ? s->entries[i].platform->text : "none";
		ociwp_buf_puts(&list, i ? ", " : "");
		ociwp_escape(&list, text, strnlen(text, 100));
	}
	int r = ociwp_buf_check(&list, err);
	if (r < 0)
		return r;
	return ociwp_fail(err, OCIW_ERR_NOTFOUND, "no image for platform %s; the index has: %s",
			  platform ? platform->text : "wasm or this machine",
			  s->count ? list.data : "nothing");
}

static int choose(struct selection *s, const ociw_platform *platform, struct entry **out,
		  ociw_error **err)
{
	int r = find_wanted(s, platform, out, err);
	if (r < 0 || *out)
		return r;
	r = complete(s, err);
	if (r == 0)
		r = find_wanted(s, platform, out, err);
	if (r < 0 || *out)
		return r;
	if (!platform && s->count == 1) {
		*out = &s->entries[0];
		return 0;
	}
	return no_match(s, platform, err);
}

static int select_from_index(ociw_content *content, const ociw_descriptor *desc,
			     const ociw_platform *platform, const ociw_op *op,
			     ociw_descriptor **out, ociw_error **err)
{
	struct selection s = {.content = content, .op = op, .visited = ociwp_map_new(NULL)};
	struct entry *chosen = NULL;
	ociw_limits limits;
	int r = s.visited ? 0 : ociwp_nomem(err);

	ociwp_limits_get(op, &limits);
	s.max_depth = limits.max_index_depth;
	if (r == 0)
		r = walk(&s, desc, NULL, 1, err);
	if (r == 0)
		r = choose(&s, platform, &chosen, err);
	if (r == 0)
		*out = ociwp_steal(&chosen->desc);
	selection_deinit(&s);
	return r;
}

int ociwp_image_select(ociw_content *content, const char *name, const ociw_platform *platform,
		       const ociw_op *op, ociw_descriptor **out_desc, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	int r = ociwp_content_resolve_to_read(content, name, op, &desc, err);

	if (r < 0)
		return r;
	if (ociwp_mediatype_is_index(desc->media_type)) {
		r = select_from_index(content, desc, platform, op, out_desc, err);
		return r < 0 ? ociwp_wrap(err, r, "%s", ociw_content_label(content)) : 0;
	}
	if (!ociwp_mediatype_is_manifest(desc->media_type))
		return ociwp_fail(err, OCIW_ERR_UNSUPPORTED, "%s: %s is of type %s, no image",
				  ociw_content_label(content), ociwp_quote(name),
				  ociwp_quote(desc->media_type));
	*out_desc = ociwp_steal(&desc);
	return 0;
}
