/* SPDX-License-Identifier: Apache-2.0
 *
 * The last steps of every format: layers without doubles, config, manifest.
 */
#include "format/image.h"
#include "base/buf.h"
#include "codec/json-writer.h"
#include "codec/mediatype.h"

void ociwp_image_deinit(ociwp_image *image)
{
	for (size_t i = 0; i < image->layer_count; i++)
		ociw_descriptor_free(image->layers[i]);
	free(image->layers);
	ociwp_map_free(image->seen);
	ociw_descriptor_free(image->config);
	*image = (ociwp_image){0};
}

/* Room for one more layer, and the map; so that the add itself cannot fail half way. */
static int image_reserve(ociwp_image *image, ociw_error **err)
{
	if (!image->seen)
		image->seen = ociwp_map_new(NULL);
	if (!image->seen)
		return ociwp_nomem(err);
	if (image->layer_count < image->layer_cap)
		return 0;
	size_t cap = image->layer_cap ? image->layer_cap * 2 : 16;
	ociw_descriptor **grown = ociwp_realloc_array(image->layers, cap, sizeof(*grown));
	if (!grown)
		return ociwp_nomem(err);
	image->layers = grown;
	image->layer_cap = cap;
	return 0;
}

/* What the layer that goes says beyond the one that stays. */
static int take_annotations(const ociw_descriptor *from, ociw_descriptor *to, ociw_error **err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < from->annotations.count; i++) {
		const ociw_annotation *item = &from->annotations.items[i];
		if (!ociwp_annotations_get(&to->annotations, item->key))
			r = ociwp_descriptor_annotate(to, item->key, item->value, err);
	}
	ociwp_annotations_sort(&to->annotations);
	return r;
}

int ociwp_image_add(ociwp_image *image, ociw_descriptor *take_layer, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *layer = take_layer;
	OCIWP_AUTO(buf) ociwp_buf key = OCIWP_BUF_INIT;
	ociwp_buf_printf(&key, "%s %s", layer->digest, layer->media_type);
	int r = ociwp_buf_check(&key, err);
	if (r == 0)
		r = image_reserve(image, err);
	if (r < 0)
		return r;
	ociw_descriptor *same = ociwp_map_get(image->seen, key.data);
	if (same)
		return take_annotations(layer, same, err);
	if (!ociwp_map_set(image->seen, key.data, layer))
		return ociwp_nomem(err);
	image->layers[image->layer_count++] = ociwp_steal(&layer);
	return 0;
}

int ociwp_image_set_config(ociwp_image *image, const char *media_type, ociw_span bytes,
                           ociwp_memory *memory, ociw_error **err)
{
	int r = ociwp_descriptor_of_bytes(media_type, bytes, &image->config, err);
	if (r == 0)
		r = ociwp_memory_add_bytes(memory, image->config, bytes, err);
	return r;
}

static void write_descriptor(const ociw_descriptor *desc, ociwp_json_writer *w)
{
	ociwp_json_begin_object(w);
	if (desc->annotations.count > 0) {
		ociwp_json_key(w, "annotations");
		ociwp_annotations_write(&desc->annotations, w);
	}
	ociwp_json_member(w, "digest", desc->digest);
	ociwp_json_member(w, "mediaType", desc->media_type);
	ociwp_json_key(w, "size");
	ociwp_json_u64(w, desc->size);
	ociwp_json_end_object(w);
}

static void write_manifest(const ociwp_image *image, ociwp_json_writer *w)
{
	ociwp_json_begin_object(w);
	if (image->annotations && image->annotations->count > 0) {
		ociwp_json_key(w, "annotations");
		ociwp_annotations_write(image->annotations, w);
	}
	ociwp_json_key(w, "config");
	write_descriptor(image->config, w);
	ociwp_json_key(w, "layers");
	ociwp_json_begin_array(w);
	for (size_t i = 0; i < image->layer_count; i++)
		write_descriptor(image->layers[i], w);
	ociwp_json_end_array(w);
	if (!image->no_media_type)
		ociwp_json_member(w, "mediaType", OCIWP_MT_OCI_MANIFEST);
	ociwp_json_key(w, "schemaVersion");
	ociwp_json_u64(w, 2);
	if (image->subject) {
		ociwp_json_key(w, "subject");
		write_descriptor(image->subject, w);
	}
	ociwp_json_end_object(w);
}

int ociwp_image_finish(const ociwp_image *image, const char *name, ociwp_memory *memory,
                       ociw_descriptor **out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	OCIWP_AUTO(json_writer) ociwp_json_writer *w = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	int r = ociwp_json_writer_new(NULL, &text, &w, err);
	if (r < 0)
		return r;
	write_manifest(image, w);
	r = ociwp_json_writer_finish(ociwp_steal(&w), err);
	if (r == 0)
		r = ociwp_descriptor_of_bytes(OCIWP_MT_OCI_MANIFEST, ociwp_buf_span(&text), &desc,
		                              err);
	if (r == 0)
		r = ociwp_memory_add_manifest(memory, desc, ociwp_buf_span(&text), name, err);
	if (r == 0 && out)
		*out = ociwp_steal(&desc);
	return r;
}

static void write_config(const ociwp_image_config *config, ociwp_json_writer *w)
{
	ociwp_json_begin_object(w);
	ociwp_json_member(w, "created", config->created);
	ociwp_json_member(w, "architecture", config->architecture);
	ociwp_json_member(w, "os", config->os);
	ociwp_json_member(w, "variant", config->variant);
	ociwp_json_key(w, "config");
	ociwp_json_begin_object(w);
	if (config->entrypoint) {
		ociwp_json_key(w, "Entrypoint");
		ociwp_json_begin_array(w);
		ociwp_json_string(w, "/");
		ociwp_json_end_array(w);
	}
	if (config->label_name) {
		ociwp_json_key(w, "Labels");
		ociwp_json_begin_object(w);
		ociwp_json_member(w, config->label_name, config->label_value);
		ociwp_json_end_object(w);
	}
	ociwp_json_end_object(w);
	ociwp_json_key(w, "rootfs");
	ociwp_json_begin_object(w);
	ociwp_json_member(w, "type", "layers");
	ociwp_json_key(w, "diff_ids");
	ociwp_json_begin_array(w);
	for (size_t i = 0; i < config->diff_id_count; i++) {
		char text[OCIW_DIGEST_TEXT_MAX];
		ociwp_json_string(w, ociw_digest_format(&config->diff_ids[i], text));
	}
	ociwp_json_end_array(w);
	ociwp_json_end_object(w);
	ociwp_json_end_object(w);
}

int ociwp_image_config_write(const ociwp_image_config *config, ociwp_buf *out, ociw_error **err)
{
	OCIWP_AUTO(json_writer) ociwp_json_writer *w = NULL;
	int r = ociwp_json_writer_new(NULL, out, &w, err);
	if (r < 0)
		return r;
	write_config(config, w);
	return ociwp_json_writer_finish(ociwp_steal(&w), err);
}
