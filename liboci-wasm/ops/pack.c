/* SPDX-License-Identifier: Apache-2.0
 *
 * ociw_pack(): what is to be packed, into which formats, from which options. The work is in
 * pack-app.c and pack-wasm.c.
 */
#include "base/str.h"
#include "codec/wasm-binary.h"
#include "io/parallel.h"
#include "ops/pack-private.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum kind { KIND_APP, KIND_WASM };

/* A folder or a manifest is an app; a .wasm file, or one that begins like wasm, is wasm. */
static int find_kind(const char *path, enum kind *out, ociw_error **err)
{
	unsigned char head[OCIWP_WASM_PREAMBLE];
	struct stat st;
	if (stat(path, &st) < 0)
		return ociwp_fail_errno(err, errno, "%s", ociwp_quote(path));
	*out = KIND_APP;
	if (S_ISDIR(st.st_mode) || ociwp_ends_with(path, ".toml"))
		return 0;
	if (!S_ISREG(st.st_mode))
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s is neither a file nor a folder",
		                  ociwp_quote(path));
	OCIWP_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return ociwp_fail_errno(err, errno, "open %s", ociwp_quote(path));
	ssize_t got = pread(fd, head, sizeof(head), 0);
	if (got < 0)
		return ociwp_fail_errno(err, errno, "read %s", ociwp_quote(path));
	if (ociwp_ends_with(path, ".wasm") || ociwp_ends_with(path, ".wat") ||
	    ociwp_wasm_sniff(head, (size_t)got) == OCIWP_WASM_MODULE ||
	    ociwp_wasm_sniff(head, (size_t)got) == OCIWP_WASM_COMPONENT)
		*out = KIND_WASM;
	return 0;
}

static int check_formats(const ociwp_pack *pack, enum kind kind, ociw_error **err)
{
	for (size_t i = 0; i < pack->format_count; i++) {
		ociw_format format = pack->formats[i];
		bool of_app = format == OCIW_FORMAT_SPIN || format == OCIW_FORMAT_SPIN_NODE ||
		              format == OCIW_FORMAT_ROOTFS;
		if (!of_app && format != OCIW_FORMAT_WASM)
			return ociwp_fail(err, OCIW_ERR_UNSUPPORTED, "cannot pack as %s",
			                  ociw_format_name(format));
		if (of_app && kind == KIND_WASM)
			return ociwp_fail(err, OCIW_ERR_INVALID,
			                  "format %s takes a spin.toml, not a lone wasm file",
			                  ociw_format_name(format));
		if (!of_app && kind == KIND_APP)
			return ociwp_fail(err, OCIW_ERR_INVALID,
			                  "format wasm takes one .wasm file, not an app");
		for (size_t j = 0; j < i; j++)
			if (pack->formats[j] == format)
				return ociwp_fail(err, OCIW_ERR_INVALID, "format %s given twice",
				                  ociw_format_name(format));
	}
	return 0;
}

static int read_options(const ociw_pack_options *given, ociwp_pack *pack, ociw_error **err)
{
	ociw_pack_options *options = &pack->options;
	int r = ociwp_options_read(options, sizeof(*options), given, err);
	if (r < 0)
		return r;
	if (!options->path || !*options->path)
		return ociwp_fail(err, OCIW_ERR_INVALID, "nothing to pack: no path");
	if (options->layers > OCIW_LAYERS_ARCHIVES || options->compose > OCIW_COMPOSE_CALLBACK)
		return ociwp_fail(err, OCIW_ERR_INVALID, "unknown value of a pack option");
	if (options->compose == OCIW_COMPOSE_CALLBACK && !options->compose_cb)
		return ociwp_fail(err, OCIW_ERR_INVALID, "composing needs a callback");
	if (options->max_content_layers == 0)
		options->max_content_layers = OCIWP_CONTENT_LAYERS_MAX;
	pack->op = options->op;
	pack->formats = options->formats;
	pack->format_count = options->formats ? options->format_count : 0;
	pack->threads = ociwp_parallel_threads(options->parallel);
	return 0;
}

static int pack_all(ociwp_pack *pack, ociw_content **out, ociw_error **err)
{
	static const ociw_format app_formats[] = {OCIW_FORMAT_SPIN};
	static const ociw_format wasm_formats[] = {OCIW_FORMAT_WASM};
	enum kind kind = KIND_APP;
	int r = find_kind(pack->options.path, &kind, err);
	if (r < 0)
		return r;
	if (pack->format_count == 0) {
		pack->formats = kind == KIND_APP ? app_formats : wasm_formats;
		pack->format_count = 1;
	}
	r = check_formats(pack, kind, err);
	if (r == 0)
		r = ociwp_pack_annotations(pack, err);
	if (r == 0)
		r = ociwp_memory_new(pack->options.path, &pack->memory, err);
	if (r == 0)
		r = kind == KIND_APP ? ociwp_pack_app(pack, err) : ociwp_pack_wasm(pack, err);
	if (r == 0)
		r = ociwp_pack_notes_judge(pack, err);
	if (r < 0)
		return r;
	ociwp_memory_prefer(pack->memory, ociw_format_name(pack->formats[0]));
	return ociwp_memory_publish(ociwp_steal(&pack->memory), out, err);
}

int ociw_pack(const ociw_pack_options *options, ociw_content **out, ociw_error **err)
{
	ociwp_pack pack = {0};
	*out = NULL;
	int r = read_options(options, &pack, err);
	if (r == 0)
		r = pack_all(&pack, out, err);
	ociwp_memory_free(pack.memory);
	ociwp_annotations_deinit(&pack.annotations);
	ociwp_notes_deinit(&pack.notes);
	json_decref(pack.annotation_file);
	if (r < 0 && pack.options.path)
		return ociwp_wrap(err, r, "pack %s", ociwp_quote(pack.options.path));
	return r;
}
