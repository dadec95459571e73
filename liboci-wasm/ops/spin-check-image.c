/* SPDX-License-Identifier: Apache-2.0
 *
 * ociw_spin_check_image(): what the Spin shim of containerd, or `spin up`, will make of an image.
 * Judges; changes nothing. The whole image is read, as convert reads it, so that what is missing or
 * broken is found. specs/spin.md 5, specs/spin-node.md 4 and 6.
 */
#include "base/op.h"
#include "base/str.h"
#include "codec/mediatype.h"
#include "format/detect.h"
#include "oci/descriptor.h"
#include "ops/convert-private.h"
#include <oci-wasm/spin.h>

#include <stdarg.h>
#include <stdio.h>

#define LABEL_LOCK "com.fermyon.spin.lockedAppDigest"

/* What the shim copies at each start without anybody noticing: below this, nothing is said. */
#define QUIET_FILES 100
#define QUIET_BYTES (8 * 1024 * 1024)

typedef struct checker {
	ociw_spin_finding_cb callback;
	void *user_data;
	ociw_content *content;
	const ociw_op *op;
	uint32_t flags;
	ociwp_manifest *manifest;
	ociwp_config *config; /* NULL: of another type */
	ociw_format format;
	int errors;
} checker;

static int OCIW_PRINTF(6, 7) find(checker *c, ociw_spin_severity severity, const char *component,
                                  const char *rule, ociw_error **err, const char *fmt, ...)
{
	OCIWP_AUTO(buf) ociwp_buf line = OCIWP_BUF_INIT;
	OCIWP_AUTO(str) char *message = NULL;
	va_list args;
	va_start(args, fmt);
	int n = vasprintf(&message, fmt, args);
	va_end(args);
	if (n < 0) {
		message = NULL;
		return ociwp_nomem(err);
	}
	ociwp_escape(&line, message, strlen(message));
	if (ociwp_buf_check(&line, err) < 0)
		return OCIW_ERR_NOMEM;
	if (c->flags & OCIW_SPIN_WERROR && severity == OCIW_SPIN_WARNING)
		severity = OCIW_SPIN_ERROR;
	ociw_spin_finding finding = {.size = sizeof(finding),
	                             .severity = severity,
	                             .file = ociw_content_label(c->content),
	                             .component = component,
	                             .rule = rule,
	                             .message = line.data ? line.data : ""};
	c->errors += severity == OCIW_SPIN_ERROR;
	if (c->callback && c->callback(&finding, c->user_data) != 0)
		return ociwp_fail(err, OCIW_ERR_CANCELLED, "stopped by the caller");
	return 0;
}

/* --- the documents --- */

static int load_config(checker *c, ociw_error **err)
{
	OCIWP_AUTO(mem) void *bytes = NULL;
	ociw_limits limits;
	size_t len;
	if (!ociwp_mediatype_is_image_config(c->manifest->config->media_type))
		return 0;
	ociwp_limits_get(c->op, &limits);
	int r = ociw_content_read(c->content, c->manifest->config, limits.max_manifest_bytes, c->op,
	                          &bytes, &len, err);
	return r < 0 ? r : ociwp_config_parse((ociw_span){bytes, len}, c->op, &c->config, err);
}

static int load(checker *c, const char *name, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *named = NULL;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	int r = ociwp_content_resolve_to_read(c->content, name, c->op, &named, err);
	if (r == 0 && ociwp_mediatype_is_index(named->media_type))
		r = find(c, OCIW_SPIN_ERROR, NULL, "index", err,
		         "the name leads to an image index, which the Spin shim cannot read: push "
		         "the "
		         "manifest alone under it");
	if (r == 0)
		r = ociwp_image_select(c->content, name, NULL, c->op, &desc, err);
	if (r == 0)
		r = ociwp_manifest_load(c->content, desc, c->op, &c->manifest, NULL, NULL, err);
	if (r == 0)
		r = load_config(c, err);
	if (r == 0)
		c->format = ociwp_format_detect(c->manifest, c->config);
	return r;
}

static size_t count_layers(const checker *c, const char *media_type)
{
	size_t count = 0;
	for (size_t i = 0; i < c->manifest->layer_count; i++) {
		const char *type = c->manifest->layers[i]->media_type;
		count +=
		        media_type ? ociwp_streq(type, media_type) : ociwp_mediatype_is_layer(type);
	}
	return count;
}

static int check_label(checker *c, ociw_error **err)
{
	const char *label = ociwp_annotations_get(&c->config->labels, LABEL_LOCK);
	if (!label)
		return find(c, OCIW_SPIN_WARNING, NULL, "lock-label", err,
		            "the config has no label " LABEL_LOCK
		            ": images of different apps may get the same id on a node");
	for (size_t i = 0; i < c->manifest->layer_count; i++) {
		const ociw_descriptor *layer = c->manifest->layers[i];
		if (ociwp_streq(layer->media_type, OCIWP_MT_SPIN_LOCK) &&
		    !ociwp_streq(layer->digest, label))
			return find(c, OCIW_SPIN_WARNING, NULL, "lock-label", err,
			            "the label " LABEL_LOCK
			            " is not the digest of the locked app: nodes "
			            "may serve another app from their cache");
	}
	return 0;
}

/* What containerd and the shim look at before they start anything (5.1, 5.2). */
static int check_config(checker *c, ociw_error **err)
{
	int r = 0;
	if (!c->config)
		return find(c, OCIW_SPIN_ERROR, NULL, "config-type", err,
		            "the config is no image config but %s: containerd cannot run the image",
		            ociwp_quote(c->manifest->config->media_type));
	if (!ociwp_streq(c->config->architecture, "wasm"))
		r = find(c, OCIW_SPIN_ERROR, NULL, "architecture", err,
		         "the architecture is %s: the Spin shim looks for the app in the layers "
		         "only "
		         "where it is \"wasm\"",
		         ociwp_quote(c->config->architecture));
	size_t layers = count_layers(c, NULL);
	if (r == 0 && layers != c->config->diff_id_count)
		r = find(c, OCIW_SPIN_ERROR, NULL, "diff-ids", err,
		         "%zu diff_ids for %zu tar layers: containerd refuses to unpack it",
		         c->config->diff_id_count, layers);
	bool command = (c->config->entrypoint && c->config->entrypoint[0]) ||
	               (c->config->cmd && c->config->cmd[0]);
	if (r == 0 && !command)
		r = find(c, OCIW_SPIN_WARNING, NULL, "entrypoint", err,
		         "there is no Entrypoint or Cmd: Kubernetes refuses it unless the pod sets "
		         "a "
		         "command, such as [\"/\"]");
	return r < 0 ? r : check_label(c, err);
}

/* --- the app --- */

static bool is_known_trigger(const char *type)
{
	static const char *const known[] = {"http", "redis", "mqtt", "sqs", "command"};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(known); i++)
		if (ociwp_streq(type, known[i]))
			return true;
	return false;
}

static int check_triggers(checker *c, const ociwp_lock *lock, ociw_error **err)
{
	size_t count = json_array_size(lock->triggers);
	int r = 0;
	if (count == 0)
		return find(c, OCIW_SPIN_WARNING, NULL, "no-triggers", err,
		            "the app has no triggers: it does nothing");
	for (size_t i = 0; r == 0 && i < count; i++) {
		const json_t *trigger = json_array_get(lock->triggers, i);
		const char *type = json_string_value(json_object_get(trigger, "trigger_type"));
		const char *id = json_string_value(json_object_get(trigger, "id"));
		if (!is_known_trigger(type))
			r = find(c, OCIW_SPIN_ERROR, NULL, "shim-trigger", err,
			         "trigger %s has the type %s, which the Spin shim refuses at start",
			         ociwp_quote(id), ociwp_quote(type));
	}
	return r;
}

static bool is_used(const ociwp_lock *lock, const char *id)
{
	for (size_t i = 0; i < json_array_size(lock->triggers); i++) {
		const json_t *config =
		        json_object_get(json_array_get(lock->triggers, i), "trigger_config");
		if (ociwp_streq(json_string_value(json_object_get(config, "component")), id))
			return true;
	}
	return false;
}

static int check_shim(checker *c, const ociwp_lock_component *locked, ociw_error **err)
{
	int r = 0;
	if (locked->dependency_count || json_object_size(locked->trigger_dependencies))
		r = find(c, OCIW_SPIN_ERROR, locked->id, "dependencies", err,
		         "has dependencies, which the Spin shim ignores: pack the app again with "
		         "--compose=wac");
	if (r == 0 && json_object_get(locked->host_requirements, "middleware"))
		r = find(c, OCIW_SPIN_ERROR, locked->id, "shim-middleware", err,
		         "needs the host feature \"middleware\", which Spin up to 4.0 and the shim "
		         "refuse");
	return r;
}

static bool is_missing(const ociwp_convert_app *app, const ociwp_lock_ref *ref)
{
	return !ref->bytes && !(ref->digest && ociwp_map_contains(app->layers, ref->digest));
}

/* Each wasm and, where no archive may hold it, each file that nothing in the image has. */
static int check_content(checker *c, const ociwp_convert_app *app,
                         const ociwp_lock_component *locked, ociw_error **err)
{
	bool archives = count_layers(c, OCIWP_MT_SPIN_BUNDLE) > 0;
	int r = 0;
	if (is_missing(app, &locked->source))
		r = find(c, OCIW_SPIN_ERROR, locked->id, "missing-content", err,
		         "no layer has its wasm %s", ociwp_quote(locked->source.digest));
	for (size_t i = 0; r == 0 && !archives && i < locked->file_count; i++) {
		const ociwp_lock_file *file = &locked->files[i];
		if (is_missing(app, &file->content))
			r = find(c, OCIW_SPIN_ERROR, locked->id, "missing-content", err,
			         "no layer has file %s, %s", ociwp_quote(file->path),
			         ociwp_quote(file->content.digest));
	}
	return r;
}

static int check_components(checker *c, const ociwp_convert_app *app, ociw_error **err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < app->lock->component_count; i++) {
		const ociwp_lock_component *locked = &app->lock->components[i];
		if (!is_used(app->lock, locked->id))
			r = find(c, OCIW_SPIN_WARNING, locked->id, "unused-component", err,
			         "no trigger names it, and it is there all the same");
		if (r == 0 && !(c->flags & OCIW_SPIN_FOR_SPIN))
			r = check_shim(c, locked, err);
		if (r == 0 && app->layers)
			r = check_content(c, app, locked, err);
	}
	return r;
}

/* --- what a start costs, and who it is for --- */

static bool is_kept(const char *media_type)
{
	static const char *const kept[] = {OCIWP_MT_SPIN_WASM, OCIWP_MT_WASM, OCIWP_MT_SPIN_BUNDLE,
	                                   OCIWP_MT_SPIN_DATA, OCIWP_MT_SPIN_LOCK};
	for (size_t i = 0; i < OCIWP_ARRAY_LEN(kept); i++)
		if (ociwp_streq(media_type, kept[i]))
			return true;
	return false;
}

static void add_size(uint64_t *sum, uint64_t size)
{
	if (!ociwp_add_ok(*sum, size, sum))
		*sum = UINT64_MAX;
}

/* 5.3: each layer the shim keeps is read into memory, and each file is copied, at each start. */
static int check_start(checker *c, const ociwp_convert_app *app, ociw_error **err)
{
	uint64_t memory = 0, bytes = 0, files = 0;
	for (size_t i = 0; i < c->manifest->layer_count; i++)
		if (is_kept(c->manifest->layers[i]->media_type))
			add_size(&memory, c->manifest->layers[i]->size);
	for (size_t i = 0; i < app->draft.component_count; i++) {
		const ociwp_draft_component *component = &app->draft.components[i];
		files += component->file_count;
		for (size_t k = 0; k < component->file_count; k++)
			add_size(&bytes, component->files[k].source.size);
	}
	if (c->format == OCIW_FORMAT_SPIN_NODE || (files <= QUIET_FILES && bytes <= QUIET_BYTES))
		return 0;
	return find(c, c->flags & OCIW_SPIN_FOR_NODE ? OCIW_SPIN_WARNING : OCIW_SPIN_NOTE, NULL,
	            "start-cost", err,
	            "at each start the Spin shim reads %llu bytes of layers into memory and copies "
	            "%llu files, %llu bytes; the format \"spin-node\" mounts the files instead "
	            "(oci-wasm convert --format spin-node)",
	            (unsigned long long)memory, (unsigned long long)files,
	            (unsigned long long)bytes);
}

static int check_purpose(checker *c, ociw_error **err)
{
	if (c->format != OCIW_FORMAT_SPIN_NODE || c->flags & OCIW_SPIN_FOR_NODE)
		return 0;
	return find(
	        c, c->flags & OCIW_SPIN_FOR_SPIN ? OCIW_SPIN_ERROR : OCIW_SPIN_NOTE, NULL,
	        "made-for-nodes", err,
	        "this is a spin-node image: \"spin up\" and \"spin registry pull\" see only one "
	        "file of each component; they need the format \"spin\"");
}

/* Images without a locked app. */
static int check_other(checker *c, ociw_error **err)
{
	if (c->flags & OCIW_SPIN_FOR_SPIN)
		return find(c, OCIW_SPIN_ERROR, NULL, "no-spin-app", err,
		            "this is a %s image, which Spin cannot pull",
		            ociw_format_name(c->format));
	switch (c->format) {
	case OCIW_FORMAT_ROOTFS:
		return find(
		        c, OCIW_SPIN_NOTE, NULL, "rootfs", err,
		        "the Spin shim reads /spin.toml of a rootfs image and compiles its wasm at "
		        "each start; the format \"spin-node\" is compiled once");
	case OCIW_FORMAT_WASM:
		return find(c, OCIW_SPIN_NOTE, NULL, "bare-wasm", err,
		            "the Spin shim runs a lone wasm as an http app for all routes");
	default:
		return find(c, OCIW_SPIN_ERROR, NULL, "no-spin-app", err,
		            "this is a %s image, in which the Spin shim finds no app",
		            ociw_format_name(c->format));
	}
}

/* Errors that are about the image, and not about the machine or the network, are findings. */
static bool is_finding(int code)
{
	return code == OCIW_ERR_FORMAT || code == OCIW_ERR_UNSAFE || code == OCIW_ERR_LIMIT ||
	       code == OCIW_ERR_INVALID || code == OCIW_ERR_UNSUPPORTED ||
	       code == OCIW_ERR_DIGEST || code == OCIW_ERR_SIZE || code == OCIW_ERR_NOTFOUND;
}

static int judge_app(checker *c, const ociwp_convert_app *app, int read, ociw_error *why,
                     ociw_error **err)
{
	int before = c->errors, r = 0;
	if (app->lock)
		r = check_triggers(c, app->lock, err);
	if (r == 0 && app->lock)
		r = check_components(c, app, err);
	/* What stopped the reading, unless it has been told in more detail. */
	bool told = read == 0 || (read == OCIW_ERR_NOTFOUND && c->errors > before);
	if (r == 0 && !told && app->lock)
		r = find(c, OCIW_SPIN_ERROR, NULL, "content", err, "%s", ociw_error_message(why));
	else if (r == 0 && !told)
		r = find(c, OCIW_SPIN_ERROR, NULL, "lock", err, "%s", ociw_error_message(why));
	if (r == 0 && read == 0 && !(c->flags & OCIW_SPIN_FOR_SPIN))
		r = check_start(c, app, err);
	return r;
}

static int check_app(checker *c, ociw_error **err)
{
	ociwp_convert_app app = {.content = c->content,
	                         .op = c->op,
	                         .manifest = c->manifest,
	                         .node = c->format == OCIW_FORMAT_SPIN_NODE,
	                         .spool = -1};
	ociw_error *why = NULL;
	int read = ociwp_convert_read(&app, &why);
	int r;
	if (read < 0 && !is_finding(read))
		r = ociwp_error_move(err, ociwp_steal(&why));
	else
		r = judge_app(c, &app, read < 0 ? read : 0, why, err);
	ociw_error_free(why);
	ociwp_convert_app_deinit(&app);
	return r;
}

static int check_image(checker *c, const char *name, ociw_error **err)
{
	int r = load(c, name, err);
	if (r < 0)
		return r;
	if (c->format != OCIW_FORMAT_SPIN && c->format != OCIW_FORMAT_SPIN_NODE)
		return check_other(c, err);
	if (!(c->flags & OCIW_SPIN_FOR_SPIN))
		r = check_config(c, err);
	if (r == 0)
		r = check_purpose(c, err);
	return r < 0 ? r : check_app(c, err);
}

int ociw_spin_check_image(ociw_content *content, const char *name, const ociw_spin_options *options,
                          ociw_spin_finding_cb callback, void *user_data, ociw_error **err)
{
	ociw_spin_options o;
	int r = ociwp_options_read(&o, sizeof(o), options, err);
	if (r < 0)
		return r;
	checker c = {.callback = callback,
	             .user_data = user_data,
	             .content = content,
	             .op = o.op,
	             .flags = o.flags};
	r = check_image(&c, name, err);
	ociwp_manifest_free(c.manifest);
	ociwp_config_free(c.config);
	if (r < 0)
		return ociwp_wrap(err, r, "check");
	return c.errors;
}
