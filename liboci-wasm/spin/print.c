/* SPDX-License-Identifier: Apache-2.0
 *
 * ociw_spin_lock(): the locked app of a manifest in its local form (specs/spin.md 2.4).
 */
#include "base/op.h"
#include "spin/app.h"
#include "spin/lock-build.h"
#include <oci-wasm/spin.h>

/* The flags of both worlds have the same values. */
_Static_assert((int)OCIW_SPIN_COMPAT == OCIWP_APP_COMPAT_SPIN &&
                       (int)OCIW_SPIN_ALLOW_OUTSIDE == OCIWP_APP_ALLOW_OUTSIDE &&
                       (int)OCIW_SPIN_QUIET_TRAPS == OCIWP_APP_QUIET_TRAPS &&
                       (int)OCIW_SPIN_WERROR == OCIWP_APP_WERROR &&
                       (int)OCIW_SPIN_NO_FILES == OCIWP_APP_NO_FILES,
               "public and private flags");

static int copy(const char *from, char **to, ociw_error **err)
{
	*to = from ? ociwp_strdup(from) : NULL;
	return from && !*to ? ociwp_nomem(err) : 0;
}

/* A package of a registry has no URL: its place in the lock stays empty. */
static int fill_source(const ociwp_app_source *from, ociwp_lock_ref *to, ociw_error **err)
{
	int r = copy(from->digest, &to->digest, err);
	if (r < 0 || !from->path)
		return r < 0 ? r : copy(from->url, &to->source, err);
	to->source = ociwp_file_url(from->path);
	return to->source ? 0 : ociwp_nomem(err);
}

static int fill_files(ociwp_app_component *from, ociwp_lock_component *to, ociw_error **err)
{
	if (from->file_count == 0)
		return 0;
	to->files = ociwp_calloc(from->file_count, sizeof(*to->files));
	if (!to->files)
		return ociwp_nomem(err);
	for (size_t i = 0; i < from->file_count; i++) {
		to->files[i].content.source = ociwp_file_url(from->files[i].source.from.path);
		to->files[i].path = ociwp_strdup(from->files[i].path);
		to->file_count++;
		if (!to->files[i].content.source || !to->files[i].path)
			return ociwp_nomem(err);
	}
	return 0;
}

static int fill(ociwp_app *app, ociw_error **err)
{
	OCIWP_AUTO(str) char *origin = ociwp_file_url(app->manifest_path);
	if (!origin || json_object_set_new(app->lock->metadata, "origin", json_string(origin)) < 0)
		return ociwp_nomem(err);
	for (size_t i = 0; i < app->component_count; i++) {
		ociwp_app_component *from = &app->components[i];
		ociwp_lock_component *to = &app->lock->components[i];
		int r = fill_source(&from->source, &to->source, err);
		for (size_t k = 0; r == 0 && k < to->dependency_count; k++)
			r = fill_source(&from->dependency_sources[k], &to->dependencies[k].content,
			                err);
		if (r == 0)
			r = fill_files(from, to, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int ociw_spin_lock(const char *path, const ociw_spin_options *options, ociw_writer *into,
                   ociw_error **err)
{
	ociw_spin_options o;
	int r = ociwp_options_read(&o, sizeof(o), options, err);
	if (r < 0)
		return r;
	OCIWP_AUTO(app) ociwp_app *app = NULL;
	if ((r = ociwp_app_load(path, o.profile, o.flags, o.op, &app, err)) < 0 ||
	    (r = fill(app, err)) < 0)
		return r;
	return ociwp_lock_write(app->lock, !(o.flags & OCIW_SPIN_COMPACT), into, err);
}
