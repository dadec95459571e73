/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing the CNCF wasm artifact. The config is what wkg writes, except for core modules: they are
 * WASI preview 1 and have no component (wasm-formats.md 1.2: chosen by the preamble).
 */
#include "format/wasm.h"
#include "base/str.h"
#include "base/time.h"
#include "codec/json-writer.h"
#include "codec/mediatype.h"
#include <errno.h>
#include <fcntl.h>

int ociwp_wasm_inspect(const char *path, ociwp_wasm_info **out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf outline = OCIWP_BUF_INIT;
	OCIWP_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	if (fd < 0)
		return ociwp_fail_errno(err, errno, "open %s", ociwp_quote(path));
	if (fstat(fd, &st) < 0)
		return ociwp_fail_errno(err, errno, "stat %s", ociwp_quote(path));
	if (!S_ISREG(st.st_mode))
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s is not a regular file",
		                  ociwp_quote(path));
	int r = ociwp_wasm_outline(fd, (uint64_t)st.st_size, &outline, err);
	if (r == 0)
		r = ociwp_wasm_parse(ociwp_buf_span(&outline), out, err);
	return r < 0 ? ociwp_wrap(err, r, "%s", ociwp_quote(path)) : 0;
}

int ociwp_wasm_annotate(const ociwp_wasm_info *info, ociwp_annotations *out, ociw_error **err)
{
	const struct {
		const char *key, *value;
	} found[] = {
	        {"org.opencontainers.image.authors", info->authors},
	        {"org.opencontainers.image.description", info->description},
	        {"org.opencontainers.image.licenses", info->licenses},
	        {"org.opencontainers.image.source", info->source},
	        {"org.opencontainers.image.url", info->homepage},
	        {"org.opencontainers.image.revision", info->revision},
	        {"org.opencontainers.image.version", info->version},
	};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(found); i++) {
		if (!found[i].value || ociwp_annotations_get(out, found[i].key))
			continue;
		int r = ociwp_annotations_set(out, found[i].key, found[i].value, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static void write_names(ociwp_json_writer *w, const char *key, char **names, size_t count)
{
	ociwp_json_key(w, key);
	ociwp_json_begin_array(w);
	for (size_t i = 0; i < count; i++)
		ociwp_json_string(w, names[i]);
	ociwp_json_end_array(w);
}

/* Members in the order of the reference implementation (2.1). */
static void write_config(const ociwp_wasm_draft *draft, const char *created, ociwp_json_writer *w)
{
	const ociwp_wasm_info *info = draft->info;
	char digest[OCIW_DIGEST_TEXT_MAX];
	bool module = info->kind == OCIWP_WASM_MODULE;
	ociwp_json_begin_object(w);
	ociwp_json_member(w, "created", created);
	ociwp_json_key(w, "author");
	ociwp_json_null(w);
	ociwp_json_member(w, "architecture", "wasm");
	ociwp_json_member(w, "os", module ? "wasip1" : "wasip2");
	ociwp_json_key(w, "layerDigests");
	ociwp_json_begin_array(w);
	ociwp_json_string(w, ociwp_source_digest(draft->source, digest));
	ociwp_json_end_array(w);
	ociwp_json_key(w, "component");
	if (module) {
		ociwp_json_null(w);
	} else {
		ociwp_json_begin_object(w);
		write_names(w, "exports", info->exports, info->export_count);
		write_names(w, "imports", info->imports, info->import_count);
		ociwp_json_key(w, "target");
		ociwp_json_null(w);
		ociwp_json_end_object(w);
	}
	ociwp_json_end_object(w);
}

static int set_config(const ociwp_wasm_draft *draft, ociwp_image *image, ociwp_memory *memory,
                      ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	OCIWP_AUTO(json_writer) ociwp_json_writer *w = NULL;
	char created[OCIWP_TIME_TEXT_MAX];
	if (!ociwp_time_format(draft->created, true, created))
		return ociwp_fail(err, OCIW_ERR_INVALID, "the creation time is out of range");
	int r = ociwp_json_writer_new(NULL, &text, &w, err);
	if (r < 0)
		return r;
	write_config(draft, created, w);
	r = ociwp_json_writer_finish(ociwp_steal(&w), err);
	if (r == 0)
		r = ociwp_image_set_config(image, OCIWP_MT_WASM_CONFIG, ociwp_buf_span(&text),
		                           memory, err);
	if (r == 0)
		r = ociwp_notes_apply(draft->notes, NULL, image->config, err);
	return r;
}

int ociwp_wasm_image(const ociwp_wasm_draft *draft, const char *name, ociwp_memory *memory,
                     ociw_descriptor **out, ociw_error **err)
{
	ociwp_image image = {.annotations = draft->annotations};
	OCIWP_AUTO(descriptor) ociw_descriptor *layer = NULL;
	int r = ociwp_source_add(draft->source, OCIWP_MT_WASM, memory, &layer, err);
	if (r == 0)
		r = ociwp_descriptor_annotate(layer, "org.opencontainers.image.title", draft->title,
		                              err);
	if (r == 0)
		r = ociwp_notes_apply(draft->notes, draft->source->from.path, layer, err);
	if (r == 0)
		r = ociwp_image_add(&image, ociwp_steal(&layer), err);
	if (r == 0)
		r = set_config(draft, &image, memory, err);
	if (r == 0)
		r = ociwp_image_finish(&image, name, memory, out, err);
	ociwp_image_deinit(&image);
	return r;
}
