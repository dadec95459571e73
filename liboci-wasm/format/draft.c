/* SPDX-License-Identifier: Apache-2.0
 *
 * What an app is made of while it is packed. Owns sources; decides nothing about formats.
 */
#include "format/draft.h"
#include "base/path.h"
#include "base/str.h"
#include "format/bundles.h"

int ociwp_draft_init(ociwp_draft *draft, ociwp_lock *lock, ociw_error **err)
{
	*draft = (ociwp_draft){.lock = lock};
	draft->components = ociwp_calloc(lock->component_count, sizeof(*draft->components));
	if (!draft->components)
		return ociwp_nomem(err);
	draft->component_count = lock->component_count;
	for (size_t i = 0; i < lock->component_count; i++) {
		ociwp_draft_component *component = &draft->components[i];
		component->id = lock->components[i].id;
		component->wasm.fd = -1;
		if (ociwp_draft_is_whiteout(component->id))
			return ociwp_fail(err, OCIW_ERR_UNSAFE,
			                  "component %s: whoever unpacks layers takes a name that begins "
			                  "with .wh. for a deletion",
			                  ociwp_quote(component->id));
		component->dir = ociwp_path_join("assets", component->id);
		if (!component->dir)
			return ociwp_nomem(err);
	}
	return 0;
}

static void component_deinit(ociwp_draft_component *component)
{
	free(component->dir);
	ociwp_source_deinit(&component->wasm);
	for (size_t i = 0; i < component->dependency_count; i++)
		ociwp_source_deinit(&component->dependencies[i]);
	free(component->dependencies);
	for (size_t i = 0; i < component->trigger_count; i++)
		ociwp_source_deinit(&component->triggers[i]);
	free(component->triggers);
	for (size_t i = 0; i < component->file_count; i++)
		ociwp_source_deinit(&component->files[i].source);
	free(component->files);
}

void ociwp_draft_deinit(ociwp_draft *draft)
{
	for (size_t i = 0; i < draft->component_count; i++)
		component_deinit(&draft->components[i]);
	free(draft->components);
	ociwp_tar_layers_deinit(draft->bundles, draft->bundle_count);
	free(draft->bundles);
	ociwp_spools_deinit(&draft->spools);
	*draft = (ociwp_draft){0};
}

bool ociwp_draft_is_whiteout(const char *path)
{
	for (const char *part = path; part; part = strchr(part, '/')) {
		if (*part == '/')
			part++;
		if (ociwp_starts_with(part, ".wh."))
			return true;
	}
	return false;
}

ociwp_tar_settings ociwp_draft_tar_settings(const ociwp_draft *draft)
{
	return (ociwp_tar_settings){
	        .threads = draft->threads,
	        .no_diff_ids = draft->no_diff_ids,
	        .temp_dir = draft->temp_dir,
	        .cache = draft->cache,
	        .sink = draft->sink,
	};
}

int ociwp_draft_bundle(ociwp_draft *draft, const ociw_op *op, ociw_error **err)
{
	if (draft->bundled)
		return 0;
	int r = ociwp_bundles_plan(draft->components, draft->component_count, &draft->bundles,
	                           &draft->bundle_count, err);
	if (r < 0)
		return r;
	ociwp_tar_settings settings = ociwp_draft_tar_settings(draft);
	r = ociwp_tar_layers_make(draft->bundles, draft->bundle_count, &draft->spools, &settings,
	                          op, err);
	if (r == 0)
		draft->bundled = true;
	return r;
}
