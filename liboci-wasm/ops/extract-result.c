/* SPDX-License-Identifier: Apache-2.0
 *
 * What was extracted, as one JSON object for shims and scripts.
 */
#include "ops/extract-private.h"

#include "codec/json-writer.h"
#include "format/detect.h"

#include <string.h>

struct ociw_extract_result {
	char *digest;
	char *json;
};

static const char *mode_name(ociw_extract_mode mode)
{
	switch (mode) {
	case OCIW_EXTRACT_AUTO:
	case OCIW_EXTRACT_ROOTFS:
		break;
	case OCIW_EXTRACT_SPIN_FILES:
		return "spin-files";
	case OCIW_EXTRACT_SPIN_CACHE:
		return "spin-cache";
	}
	return "rootfs";
}

static void write_strings(ociwp_json_writer *w, const char *name, char *const *strings)
{
	if (!strings)
		return;
	ociwp_json_key(w, name);
	ociwp_json_begin_array(w);
	for (; *strings; strings++)
		ociwp_json_string(w, *strings);
	ociwp_json_end_array(w);
}

/* Paths are bytes: what is no UTF-8 is escaped as in messages (N6). */
static void write_wasm(ociwp_json_writer *w, const ociwp_buf *paths)
{
	ociwp_json_key(w, "wasm");
	ociwp_json_begin_array(w);
	for (size_t at = 0; at < paths->len;) {
		const char *path = paths->data + at;
		size_t len = strlen(path);
		OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
		ociwp_escape(&text, path, len);
		ociwp_json_string(w, text.data ? text.data : "");
		at += len + 1;
	}
	ociwp_json_end_array(w);
}

static void write_result(const ociwp_extraction *x, ociw_extract_mode mode, ociwp_json_writer *w)
{
	ociw_format format = ociwp_format_detect(x->manifest, x->config);
	ociwp_json_begin_object(w);
	ociwp_json_member(w, "manifest", ociw_descriptor_digest(x->image));
	ociwp_json_member(w, "format", ociw_format_name(format));
	ociwp_json_member(w, "mode", mode_name(mode));
	if (x->config) {
		ociwp_json_member(w, "os", x->config->os);
		ociwp_json_member(w, "architecture", x->config->architecture);
		write_strings(w, "entrypoint", x->config->entrypoint);
		write_strings(w, "cmd", x->config->cmd);
		write_strings(w, "env", x->config->env);
		ociwp_json_member(w, "workingDir", x->config->working_dir);
	}
	write_wasm(w, &x->wasm);
	ociwp_json_key(w, "files");
	ociwp_json_u64(w, x->files);
	ociwp_json_key(w, "directories");
	ociwp_json_u64(w, x->directories);
	ociwp_json_key(w, "links");
	ociwp_json_u64(w, x->links);
	ociwp_json_key(w, "bytes");
	ociwp_json_u64(w, x->bytes);
	ociwp_json_key(w, "warnings");
	ociwp_json_u64(w, x->warnings_all);
	ociwp_json_end_object(w);
}

int ociwp_extract_result_new(const ociwp_extraction *x, ociw_extract_mode mode,
			     ociw_extract_result **out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf json = OCIWP_BUF_INIT;
	ociwp_json_writer *w = NULL;
	*out = NULL;
	int r = ociwp_json_writer_new(NULL, &json, &w, err);
	if (r < 0)
		return r;
	write_result(x, mode, w);
	r = ociwp_json_writer_finish(w, err);
	if (r == 0)
		r = ociwp_buf_check(&x->wasm, err);
	if (r < 0)
		return r;
	ociw_extract_result *result = ociwp_new(ociw_extract_result);
	if (!result)
		return ociwp_nomem(err);
	result->digest = ociwp_strdup(ociw_descriptor_digest(x->image));
	result->json = ociwp_buf_steal(&json);
	if (!result->digest || !result->json) {
		ociw_extract_result_free(result);
		return ociwp_nomem(err);
	}
	*out = result;
	return 0;
}

void ociw_extract_result_free(ociw_extract_result *result)
{
	if (!result)
		return;
	free(result->digest);
	free(result->json);
	free(result);
}

const char *ociw_extract_result_json(const ociw_extract_result *result)
{
	return result->json;
}

const char *ociw_extract_result_digest(const ociw_extract_result *result)
{
	return result->digest;
}
