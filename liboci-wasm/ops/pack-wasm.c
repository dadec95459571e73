/* SPDX-License-Identifier: Apache-2.0
 *
 * Packing one wasm file as the CNCF artifact.
 */
#include "base/path.h"
#include "base/str.h"
#include "format/wasm.h"
#include "ops/pack-private.h"

static int hash_whole(const char *path, ociwp_source *source, ociw_error **err)
{
	ociwp_scratch scratch;
	*source = (ociwp_source){.kind = OCIWP_SOURCE_FILE, .fd = -1, .from.path = path};
	int r = ociwp_scratch_init(&scratch, err);
	if (r == 0)
		r = ociwp_source_hash(source, OCIWP_WASM_CHECK_WALK, &scratch, err);
	ociwp_scratch_deinit(&scratch);
	return r;
}

static int annotate(const ociwp_pack *pack, const ociwp_wasm_info *info, ociwp_annotations *out,
                    ociw_error **err)
{
	int r = ociwp_pack_infer_created(pack, out, err);
	if (r == 0 && !(pack->options.flags & OCIW_PACK_NO_INFER))
		r = ociwp_wasm_annotate(info, out, err);
	return r < 0 ? r : ociwp_annotations_canonical(out, err);
}

static int warn_about(const ociwp_pack *pack, const ociwp_wasm_info *info, ociw_error **err)
{
	if (!info->not_introspectable)
		return 0;
	return ociwp_warn(pack->op, err,
	                  "%s: some types are of a kind that is not understood: the lists of "
	                  "imports and exports may be short",
	                  ociwp_quote(pack->options.path));
}

int ociwp_pack_wasm(ociwp_pack *pack, ociw_error **err)
{
	OCIWP_AUTO(wasm_info) ociwp_wasm_info *info = NULL;
	ociwp_source source = {.fd = -1};
	const char *path = pack->options.path;
	int r = hash_whole(path, &source, err);
	if (r == 0)
		r = ociwp_wasm_inspect(path, &info, err);
	if (r == 0)
		r = warn_about(pack, info, err);
	if (r == 0)
		r = annotate(pack, info, &pack->annotations, err);
	if (r == 0)
		r = ociwp_pack_notes(pack, NULL, err);
	if (r == 0) {
		ociwp_wasm_draft draft = {
		        .source = &source,
		        .info = info,
		        .title = ociwp_path_basename(path),
		        .created = pack->options.has_created ? pack->options.created : 0,
		        .annotations = &pack->annotations,
		        .notes = &pack->notes,
		};
		r = ociwp_wasm_image(&draft, ociw_format_name(OCIW_FORMAT_WASM), pack->memory, NULL,
		                     err);
	}
	ociwp_source_deinit(&source);
	return r;
}
