/* SPDX-License-Identifier: Apache-2.0
 *
 * Copy: resolve, plan, blobs in parallel, manifests bottom-up, the name last (PSH-1), bytes never
 * changed (DIG-7). Knows the content interface only, no registry and no layout.
 */
#include <oci-wasm/copy.h>

#include "base/op.h"
#include "base/str.h"
#include "oci/manifest.h"
#include "ops/copy-blobs.h"
#include "ops/copy-plan.h"

#define DEFAULT_PARALLEL 4

typedef struct copy_job {
	ociw_content *source, *destination;
	const char *name; /* at the destination; its digest when none was given */
	ociw_copy_options options;
} copy_job;

static int find_root(ociw_content *source, const char *name, const ociw_copy_options *options,
                     ociw_descriptor **out, ociw_error **err)
{
	if (options->platform)
		return ociwp_image_select(source, name, options->platform, options->op, out, err);
	return ociwp_content_resolve_to_read(source, name, options->op, out, err);
}

/* What the name stands for at the destination; *out NULL when nothing, or when that end cannot say.
 */
static int look_at_destination(const copy_job *job, ociw_descriptor **out, ociw_error **err)
{
	ociw_error *why = NULL;

	int r = ociwp_content_resolve_to_read(job->destination, job->name, job->options.op, out, &why);
	if (r >= 0)
		return 0;
	bool unknown = r == OCIW_ERR_NOTFOUND || r == OCIW_ERR_UNSUPPORTED;
	/* Who may write but not read still gets to write. */
	bool hidden = r == OCIW_ERR_AUTH || r == OCIW_ERR_DENIED || r == OCIW_ERR_REGISTRY;
	if (unknown || (hidden && !(job->options.flags & OCIW_COPY_NO_REPLACE))) {
		ociw_error_free(why);
		return 0;
	}
	return ociwp_error_move(err, why);
}

/* 1: all of it is there, under that name. */
static int already_there(const copy_job *job, const ociw_descriptor *root, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *have = NULL;
	bool remote = ociwp_content_is_remote(job->destination);

	if (!remote && !(job->options.flags & OCIW_COPY_NO_REPLACE))
		return 0;
	int r = look_at_destination(job, &have, err);
	if (r < 0 || !have)
		return r;
	if (strcmp(have->digest, root->digest) != 0) {
		if (job->options.flags & OCIW_COPY_NO_REPLACE)
			return ociwp_fail(err, OCIW_ERR_EXISTS,
			                  "%s is %s there, and is not replaced",
			                  ociwp_quote(job->name), have->digest);
		return 0;
	}
	/* A registry takes a manifest only with everything it points at; a layout may have holes.
	 */
	return remote && !(job->options.flags & OCIW_COPY_RECURSIVE);
}

static int tell(const copy_job *job, ociw_event_kind kind, const ociw_descriptor *desc, ociw_error **err)
{
	ociw_event event = {sizeof(event), kind, desc->digest, desc->media_type, NULL, desc->size, desc->size};

	return ociwp_emit(job->options.op, &event, err);
}

static int rehearse_blob(const copy_job *job, const ociw_descriptor *blob, ociw_error **err)
{
	bool send_all = job->options.flags & OCIW_COPY_NONDISTRIBUTABLE;
	ociw_error *why = NULL;
	bool there = false;

	int r = ociwp_content_has(job->destination, blob, job->options.op, &there, &why);
	if (r < 0 && r != OCIW_ERR_NOTFOUND) /* which a layout says that is not made yet */
		return ociwp_error_move(err, why);
	ociw_error_free(why);
	if (!there && ociwp_copy_withholds(blob, job->destination, send_all))
		return 0;
	return tell(job, there ? OCIW_EVENT_BLOB_SKIPPED : OCIW_EVENT_WOULD_SEND, blob, err);
}

/* A dry run: what copying would do, asked of the far end and told to the caller. */
static int rehearse(const copy_job *job, const ociwp_copy_plan *plan, ociw_error **err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < plan->blob_count; i++) {
		r = ociwp_check_cancel(job->options.op, err);
		if (r >= 0)
			r = rehearse_blob(job, plan->blobs[i], err);
	}
	for (size_t i = 0; r >= 0 && i < plan->node_count; i++)
		r = tell(job, OCIW_EVENT_WOULD_SEND, plan->nodes[i].desc, err);
	return r;
}

static int put_node(const copy_job *job, const ociwp_copy_node *node, const char *name,
                    ociw_error **err)
{
	OCIWP_AUTO(mem) void *again = NULL;
	const void *bytes = node->bytes;
	size_t len = node->len;
	ociw_limits limits;
	int r = 0;

	if (!bytes) {
		ociwp_limits_get(job->options.op, &limits);
		r = ociw_content_read(job->source, node->desc, limits.max_manifest_bytes,
		                      job->options.op, &again, &len, err);
		bytes = again;
	}
	if (r >= 0)
		r = ociwp_content_put_manifest(job->destination, node->desc,
		                               (ociw_span){bytes, len}, name, job->options.op, err);
	return r;
}

static int put_manifests(const copy_job *job, const ociwp_copy_plan *plan, ociw_error **err)
{
	const ociwp_copy_node *root = &plan->nodes[plan->root];
	int r = 0;

	for (size_t i = 0; r >= 0 && i < plan->node_count; i++) {
		/* The last one is the root, unless referrers follow it; it is named at the end. */
		if (i == plan->node_count - 1 && i == plan->root)
			continue;
		r = ociwp_check_cancel(job->options.op, err);
		if (r >= 0)
			r = put_node(job, &plan->nodes[i], NULL, err);
	}
	if (r >= 0)
		r = ociwp_check_cancel(job->options.op, err);
	return r < 0 ? r : put_node(job, root, job->name, err);
}

/* ---- what cosign calls sha256-<hex>.sig, .att and .sbom ---- */

#define COMPANIONS_MAX 1000
#define SHA256_HEX 64

typedef struct companions {
	const ociwp_copy_plan *plan;
	char *names[COMPANIONS_MAX];
	size_t count;
} companions;

/* Keeps the tags that are about a manifest of the plan. */
static int collect_companion(const char *name, const ociw_descriptor *desc, void *user_data)
{
	static const char prefix[] = "sha256-";
	companions *found = user_data;
	char digest[sizeof("sha256:") + SHA256_HEX];

	(void)desc;
	if (!name || !ociwp_starts_with(name, prefix) ||
	    strlen(name) < sizeof(prefix) + SHA256_HEX ||
	    name[sizeof(prefix) - 1 + SHA256_HEX] != '.')
		return 0;
	snprintf(digest, sizeof(digest), "sha256:%s", name + sizeof(prefix) - 1);
	if (!ociwp_map_contains(found->plan->node_sizes, digest))
		return 0;
	if (found->count == COMPANIONS_MAX)
		return OCIW_ERR_LIMIT;
	found->names[found->count] = ociwp_strdup(name);
	return found->names[found->count++] ? 0 : OCIW_ERR_NOMEM;
}

static int copy(copy_job *job, const char *source_name, ociw_descriptor **out, ociw_error **err);

/* The far end has no list, or none for us. */
static bool may_not_list(int code)
{
	return code == OCIW_ERR_NOTFOUND || code == OCIW_ERR_AUTH || code == OCIW_ERR_DENIED ||
	       code == OCIW_ERR_UNSUPPORTED;
}

static int list_companions(const copy_job *job, companions *found, ociw_error **err)
{
	ociw_error *why = NULL;
	int r = ociw_content_list(job->source, job->options.op, collect_companion, found, &why);
	if (r < 0 && !why) /* the callback's own */
		return ociwp_fail(err, (ociw_code)r, "tags named after a digest");
	if (r < 0 && !may_not_list(ociw_error_code(why))) /* which may be that there is no memory for it */
		return ociwp_error_move(err, why);
	ociw_error_free(why); /* then it is what the referrers said */
	return 0;
}

static int copy_companions(const copy_job *job, const ociwp_copy_plan *plan, ociw_error **err)
{
	companions *found = ociwp_new(companions);

	if (!found)
		return ociwp_nomem(err);
	found->plan = plan;
	int r = list_companions(job, found, err);
	for (size_t i = 0; r >= 0 && i < found->count; i++) {
		copy_job one = *job;
		one.name = found->names[i];
		one.options.platform = NULL;
		one.options.flags &= ~(uint32_t)OCIW_COPY_RECURSIVE;
		r = copy(&one, found->names[i], NULL, err);
		if (r >= 0 && !(job->options.flags & OCIW_COPY_DRY_RUN))
			r = ociwp_note(job->options.op, err, "%s copied", found->names[i]);
	}
	for (size_t i = 0; i < found->count; i++)
		free(found->names[i]);
	free(found);
	return r;
}

static int copy_tree(const copy_job *job, const ociw_descriptor *root, ociw_error **err)
{
	const ociwp_copy_blobs_options blobs = {
	        .op = job->options.op,
	        .parallel = job->options.parallel ? job->options.parallel : DEFAULT_PARALLEL,
	        .send_nondistributable = job->options.flags & OCIW_COPY_NONDISTRIBUTABLE,
	};
	bool recursive = job->options.flags & OCIW_COPY_RECURSIVE;
	bool dry = job->options.flags & OCIW_COPY_DRY_RUN;
	ociwp_copy_plan plan;

	int r = ociwp_copy_plan_make(job->source, root, recursive, job->options.op, &plan, err);
	if (r < 0)
		return r;
	if (dry)
		r = rehearse(job, &plan, err);
	else
		r = ociwp_copy_blobs(job->source, job->destination, plan.blobs, plan.blob_count, &blobs,
		                     err);
	if (r >= 0 && !dry)
		r = put_manifests(job, &plan, err);
	if (r >= 0 && recursive && !dry)
		r = ociwp_note(job->options.op, err, "%zu referrers copied", plan.referrer_count);
	if (r >= 0 && recursive)
		r = copy_companions(job, &plan, err);
	ociwp_copy_plan_deinit(&plan);
	return r;
}

/* ---- the whole ---- */

static int copy(copy_job *job, const char *source_name, ociw_descriptor **out, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *root = NULL;

	int r = find_root(job->source, source_name, &job->options, &root, err);
	if (r < 0)
		return r;
	if (!job->name)
		job->name = root->digest;
	r = already_there(job, root, err);
	if (r == 1)
		r = tell(job, OCIW_EVENT_BLOB_SKIPPED, root, err);
	else if (r == 0)
		r = copy_tree(job, root, err);
	if (r >= 0 && out)
		*out = ociwp_steal(&root);
	return r < 0 ? r : 0;
}

int ociw_copy(ociw_content *source, const char *source_name, ociw_content *destination,
              const char *destination_name, const ociw_copy_options *options, ociw_descriptor **out,
              ociw_error **err)
{
	const uint32_t known_flags =
	        OCIW_COPY_RECURSIVE | OCIW_COPY_NO_REPLACE | OCIW_COPY_NONDISTRIBUTABLE |
	        OCIW_COPY_DRY_RUN;
	copy_job job = {source, destination, destination_name, {0}};

	if (out)
		*out = NULL;
	int r = ociwp_options_read(&job.options, sizeof(job.options), options, err);
	if (r < 0)
		return r;
	if (job.options.flags & ~known_flags)
		return ociwp_fail(err, OCIW_ERR_INVALID, "unknown flags of a copy");
	r = copy(&job, source_name, out, err);
	if (r < 0)
		return ociwp_wrap(err, r, "copy to %s", ociw_content_label(destination));
	return 0;
}
