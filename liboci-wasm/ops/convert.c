/* SPDX-License-Identifier: Apache-2.0
 *
 * Convert among spin, spin-node and rootfs images (spin-node.md). The artifact forms become a draft as
 * pack makes one from spin.toml, so every format is written by the same code. A rootfs image is files
 * already: it is unpacked beside and packed again from its own spin.toml.
 */
#include "base/path.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "format/detect.h"
#include "io/parallel.h"
#include "io/workdir.h"
#include "ops/convert-private.h"
#include <oci-wasm/extract.h>

#include <unistd.h>

typedef struct conversion {
	ociw_convert_options options;
	ociw_content *source;
	const char *name; /* of the image, as the caller gave it */
	ociw_descriptor *desc; /* of its manifest */
	ociwp_manifest *manifest;
	ociw_format format;
} conversion;

/* --- what the image is --- */

static int load_config(const conversion *c, ociwp_config **out, ociw_error **err)
{
	OCIWP_AUTO(mem) void *bytes = NULL;
	ociw_limits limits;
	size_t len;

	*out = NULL;
	if (!ociwp_mediatype_is_image_config(c->manifest->config->media_type))
		return 0;
	ociwp_limits_get(c->options.op, &limits);
	int r = ociw_content_read(c->source, c->manifest->config, limits.max_manifest_bytes,
				  c->options.op, &bytes, &len, err);
	return r < 0 ? r : ociwp_config_parse((ociw_span){bytes, len}, c->options.op, out, err);
}

static int identify(conversion *c, ociw_error **err)
{
	OCIWP_AUTO(config) ociwp_config *config = NULL;
	const ociw_op *op = c->options.op;
	int r = ociwp_image_select(c->source, c->name, c->options.platform, op, &c->desc, err);

	if (r >= 0)
		r = ociwp_manifest_load(c->source, c->desc, op, &c->manifest, NULL, NULL, err);
	if (r >= 0)
		r = load_config(c, &config, err);
	if (r < 0)
		return r;
	c->format = ociwp_format_detect(c->manifest, config);
	if (c->format == OCIW_FORMAT_SPIN || c->format == OCIW_FORMAT_SPIN_NODE ||
	    c->format == OCIW_FORMAT_ROOTFS)
		return 0;
	return ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
			  "this is a %s image; spin, spin-node and rootfs can be converted",
			  ociw_format_name(c->format));
}

static int check_options(const ociw_convert_options *options, ociw_error **err)
{
	if (!options->format_count)
		return ociwp_fail(err, OCIW_ERR_INVALID, "no format to convert to");
	if (options->layers > OCIW_LAYERS_ARCHIVES)
		return ociwp_fail(err, OCIW_ERR_INVALID, "unknown value of a convert option");
	for (size_t i = 0; i < options->format_count; i++) {
		ociw_format format = options->formats[i];
		if (format != OCIW_FORMAT_SPIN && format != OCIW_FORMAT_SPIN_NODE &&
		    format != OCIW_FORMAT_ROOTFS)
			return ociwp_fail(err, OCIW_ERR_UNSUPPORTED, "cannot convert to %s",
					  ociw_format_name(format));
	}
	return 0;
}

/* --- from an artifact --- */

static ociwp_pack pack_settings(const conversion *c)
{
	const ociw_convert_options *options = &c->options;
	ociwp_pack pack = {.op = options->op,
			   .formats = options->formats,
			   .format_count = options->format_count,
			   .threads = ociwp_parallel_threads(options->parallel)};

	pack.options.layers = options->layers;
	pack.options.flags = options->flags;
	pack.options.platform = options->rootfs_platform;
	pack.options.temp_dir = options->temp_dir;
	pack.options.max_content_layers = options->max_content_layers
						  ? options->max_content_layers
						  : OCIWP_CONTENT_LAYERS_MAX;
	return pack;
}

static int copy_annotations(const ociwp_manifest *manifest, ociwp_annotations *out,
			    ociw_error **err)
{
	for (size_t i = 0; i < manifest->annotations.count; i++) {
		const ociw_annotation *item = &manifest->annotations.items[i];
		int r = ociwp_annotations_set(out, item->key, item->value, err);
		if (r < 0)
			return r;
	}
	ociwp_annotations_sort(out);
	return 0;
}

static void set_draft(ociwp_draft *draft, const ociwp_pack *pack)
{
	draft->annotations = &pack->annotations;
	draft->compat_spin = pack->options.flags & OCIW_PACK_COMPAT_SPIN;
	draft->no_entrypoint = pack->options.flags & OCIW_PACK_NO_ENTRYPOINT;
	draft->temp_dir = pack->options.temp_dir;
	draft->memory = pack->memory;
	draft->threads = pack->threads;
}

static int convert_artifact(const conversion *c, ociw_content **out, ociw_error **err)
{
	ociwp_pack pack = pack_settings(c);
	ociwp_convert_app app = {.content = c->source,
				 .op = c->options.op,
				 .manifest = c->manifest,
				 .node = c->format == OCIW_FORMAT_SPIN_NODE,
				 .spool = -1,
				 .temp_dir = c->options.temp_dir};
	int r = ociwp_convert_read(&app, err);

	if (r >= 0)
		r = ociwp_memory_new(ociw_content_label(c->source), &pack.memory, err);
	if (r >= 0)
		r = copy_annotations(c->manifest, &pack.annotations, err);
	if (r >= 0) {
		set_draft(&app.draft, &pack);
		r = ociwp_pack_images(&pack, &app.draft, err);
	}
	if (r >= 0) {
		ociwp_memory_prefer(pack.memory, ociw_format_name(pack.formats[0]));
		r = ociwp_memory_publish(ociwp_steal(&pack.memory), out, err);
	}
	ociwp_convert_app_deinit(&app);
	ociwp_memory_free(pack.memory);
	ociwp_annotations_deinit(&pack.annotations);
	return r;
}

/* --- from files --- */

/* The folder that an image was unpacked to; it goes with the content that reads from it. */
struct unpacked {
	ociwp_workdir folder;
	char *path;
};

static void unpacked_free(void *take)
{
	struct unpacked *unpacked = take;

	ociwp_workdir_remove(&unpacked->folder);
	free(unpacked->path);
	free(unpacked);
}

static int unpacked_new(const char *temp_dir, struct unpacked **out, ociw_error **err)
{
	struct unpacked *unpacked = ociwp_new(struct unpacked);

	if (!unpacked)
		return ociwp_nomem(err);
	int r = ociwp_workdir_make_temp(temp_dir, &unpacked->folder, &unpacked->path, err);
	if (r < 0)
		free(unpacked);
	else
		*out = unpacked;
	return r;
}

static int pack_tree(const conversion *c, const char *manifest_path, ociw_content **out,
		     ociw_error **err)
{
	ociw_pack_options options = OCIW_PACK_OPTIONS_INIT;

	options.op = c->options.op;
	options.path = manifest_path;
	options.formats = c->options.formats;
	options.format_count = c->options.format_count;
	options.annotations = c->manifest->annotations.items;
	options.annotation_count = c->manifest->annotations.count;
	options.platform = c->options.rootfs_platform;
	options.temp_dir = c->options.temp_dir;
	options.layers = c->options.layers;
	/* Composing would need the network or a program: dependencies stay layers, as in the image. */
	options.compose = OCIW_COMPOSE_NONE;
	options.flags = c->options.flags | OCIW_PACK_NO_CACHE | OCIW_PACK_NO_INFER |
			OCIW_PACK_QUIET_TRAPS;
	options.parallel = c->options.parallel;
	options.max_content_layers = c->options.max_content_layers;
	return ociw_pack(&options, out, err);
}

static int convert_rootfs(const conversion *c, ociw_content **out, ociw_error **err)
{
	ociw_extract_options extract = OCIW_EXTRACT_OPTIONS_INIT;
	OCIWP_AUTO(str) char *tree = NULL, *manifest_path = NULL;
	struct unpacked *unpacked = NULL;
	int r = unpacked_new(c->options.temp_dir, &unpacked, err);

	if (r < 0)
		return r;
	tree = ociwp_path_join(unpacked->path, "app");
	manifest_path = tree ? ociwp_path_join(tree, "spin.toml") : NULL;
	if (!manifest_path)
		r = ociwp_nomem(err);
	extract.op = c->options.op;
	extract.platform = c->options.platform;
	extract.mode = OCIW_EXTRACT_ROOTFS;
	extract.flags = OCIW_EXTRACT_NO_SYNC;
	if (r >= 0)
		r = ociw_extract(c->source, c->desc->digest, tree, &extract, NULL, err);
	if (r >= 0 && access(manifest_path, F_OK) != 0)
		r = ociwp_fail(err, OCIW_ERR_UNSUPPORTED,
			       "the image has no /spin.toml, so it is no Spin app");
	if (r >= 0)
		r = pack_tree(c, manifest_path, out, err);
	if (r >= 0)
		ociwp_memory_hold(*out, unpacked, unpacked_free);
	else
		unpacked_free(unpacked);
	return r;
}

int ociw_convert(ociw_content *source, const char *name, const ociw_convert_options *options,
		 ociw_content **out, ociw_error **err)
{
	conversion c = {.source = source, .name = name};
	int r = ociwp_options_read(&c.options, sizeof(c.options), options, err);

	*out = NULL;
	if (r >= 0)
		r = check_options(&c.options, err);
	if (r >= 0)
		r = identify(&c, err);
	if (r >= 0)
		r = c.format == OCIW_FORMAT_ROOTFS ? convert_rootfs(&c, out, err)
						   : convert_artifact(&c, out, err);
	ociwp_manifest_free(c.manifest);
	ociw_descriptor_free(c.desc);
	if (r < 0)
		return ociwp_wrap(err, r, "convert %s", ociw_content_label(source));
	return 0;
}
