/* SPDX-License-Identifier: Apache-2.0
 *
 * Extract: finds the image, chooses the mode, stages, publishes. What goes into the tree is in the
 * extract-*.c beside this file.
 */
#include "ops/extract-private.h"

#include "base/str.h"
#include "codec/mediatype.h"
#include "io/fsys-tree.h"
#include "io/parallel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_WARNINGS 20U

int ociwp_extract_warn(ociwp_extraction *x, ociw_error **err, const char *fmt, ...)
{
	char text[1024];
	va_list args;
	x->warnings_all++;
	if (++x->warnings > MAX_WARNINGS)
		return 0;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return ociwp_warn(x->op, err, "%s", text);
}

int ociwp_extract_warnings_end(ociwp_extraction *x, ociw_error **err)
{
	uint64_t held = x->warnings > MAX_WARNINGS ? x->warnings - MAX_WARNINGS : 0;
	x->warnings = 0;
	if (held == 0)
		return 0;
	return ociwp_warn(x->op, err, "%llu more warnings are not shown", (unsigned long long)held);
}

int ociwp_extract_count(ociwp_extraction *x, ociw_error **err)
{
	if (x->made >= x->limits.max_entries)
		return ociwp_fail(err, OCIW_ERR_LIMIT, "more than %llu entries",
				  (unsigned long long)x->limits.max_entries);
	x->made++;
	return 0;
}

int ociwp_extract_made(void *extraction, uint64_t parent_inode, const char *name, uint64_t inode,
		       ociw_error **err)
{
	ociwp_extraction *x = extraction;
	/* A directory that nobody described: as every layer tool makes it, with a time that does not
	 * depend on now. */
	ociwp_dir_look look = {0755, 0, 0};
	int r = ociwp_extract_count(x, err);
	if (r < 0)
		return r;
	x->directories++;
	if (!ociwp_dirs_set(x->dirs, inode, &look) ||
	    (x->seen && !ociwp_seen_add(x->seen, parent_inode, name)))
		return ociwp_nomem(err);
	return 0;
}

const ociw_descriptor *ociwp_extract_lock_layer(const ociwp_manifest *manifest)
{
	/* The last one wins (spin.md 5.3); before Spin 2.0 the config was the lock. */
	for (size_t i = manifest->layer_count; i-- > 0;)
		if (ociwp_streq(ociw_descriptor_media_type(manifest->layers[i]),
				OCIWP_MT_SPIN_LOCK))
			return manifest->layers[i];
	if (ociwp_streq(ociw_descriptor_media_type(manifest->config), OCIWP_MT_SPIN_LOCK))
		return manifest->config;
	return NULL;
}

/* --- finding the image ---------------------------------------------------------------------- */

static int load_image(ociwp_extraction *x, const char *name, ociw_error **err)
{
	int r = ociwp_image_select(x->content, name, x->options.platform, x->op, &x->image, err);
	if (r == 0)
		r = ociwp_manifest_load(x->content, x->image, x->op, &x->manifest, NULL, NULL,
					err);
	if (r < 0 ||
	    !ociwp_mediatype_is_image_config(ociw_descriptor_media_type(x->manifest->config)))
		return r;
	OCIWP_AUTO(mem) void *bytes = NULL;
	size_t len = 0;
	r = ociw_content_read(x->content, x->manifest->config, x->limits.max_manifest_bytes, x->op,
			      &bytes, &len, err);
	if (r == 0)
		r = ociwp_config_parse((ociw_span){bytes, len}, x->op, &x->config, err);
	return r < 0 ? ociwp_wrap(err, r, "config") : 0;
}

static bool has_tar_layers(const ociwp_manifest *manifest)
{
	for (size_t i = 0; i < manifest->layer_count; i++)
		if (ociwp_mediatype_is_layer(ociw_descriptor_media_type(manifest->layers[i])))
			return true;
	return false;
}

/* Nothing is left out without a word. */
static int tell_other_layers(ociwp_extraction *x, ociw_error **err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < x->manifest->layer_count; i++) {
		const char *type = ociw_descriptor_media_type(x->manifest->layers[i]);
		if (!ociwp_mediatype_is_layer(type))
			r = ociwp_extract_warn(x, err,
					       "layer %zu (%s) is no part of a file system and is "
					       "left out",
					       i + 1, ociwp_quote(type));
	}
	return r == 0 ? ociwp_extract_warnings_end(x, err) : r;
}

/* An image of no layers at all is an empty root, an artifact without any is nothing. */
static int run_mode(ociwp_extraction *x, ociw_extract_mode mode, ociw_error **err)
{
	bool lock = ociwp_extract_lock_layer(x->manifest) != NULL;
	if (mode == OCIW_EXTRACT_ROOTFS && !lock) {
		bool image = has_tar_layers(x->manifest) ||
			     (x->config && x->manifest->layer_count == 0);
		int r = image ? tell_other_layers(x, err) : 0;
		if (r < 0)
			return r;
		return image ? ociwp_extract_rootfs(x, err) : ociwp_extract_artifact(x, err);
	}
	return ociwp_extract_spin(x, mode, err);
}

static int choose_mode(const ociwp_extraction *x, ociw_extract_mode *out, ociw_error **err)
{
	switch (x->options.mode) {
	case OCIW_EXTRACT_AUTO:
		*out = ociwp_extract_lock_layer(x->manifest) ? OCIW_EXTRACT_SPIN_FILES
							     : OCIW_EXTRACT_ROOTFS;
		return 0;
	case OCIW_EXTRACT_ROOTFS:
	case OCIW_EXTRACT_SPIN_FILES:
	case OCIW_EXTRACT_SPIN_CACHE:
		*out = (ociw_extract_mode)x->options.mode;
		return 0;
	default:
		return ociwp_fail(err, OCIW_ERR_INVALID, "extract mode %u", x->options.mode);
	}
}

/* One of a registry: a connection that nobody reads while an earlier layer is written times out. One
 * of zstd: each holds its window. Otherwise one a core. */
size_t ociwp_extract_lanes(const ociwp_extraction *x, const ociw_descriptor *const *layers,
			   size_t count)
{
	size_t cores = ociwp_parallel_threads(0);
	if (ociwp_content_is_remote(x->content))
		return 1;
	for (size_t i = 0; i < count; i++)
		if (strstr(ociw_descriptor_media_type(layers[i]), "zstd"))
			return 1;
	return cores < count ? cores : count;
}

/* --- the tree ------------------------------------------------------------------------------- */

static int open_tree(ociwp_extraction *x, const char *destination, ociw_error **err)
{
	int r = ociwp_staging_begin(destination, &x->staging, err);
	if (r < 0)
		return r;
	unsigned flags = 0;
	if (x->options.flags & OCIW_EXTRACT_NO_OPENAT2)
		flags |= OCIWP_FSYS_NO_OPENAT2;
	if (ociwp_staging_odd_umask(x->staging))
		flags |= OCIWP_FSYS_FIX_MODES;
	int root = fcntl(ociwp_staging_root(x->staging), F_DUPFD_CLOEXEC, 3);
	if (root < 0)
		return ociwp_fail_errno(err, errno, "staging directory");
	r = ociwp_fsys_new(root, flags, &x->fs, err);
	if (r == 0)
		r = ociwp_dirs_new(&x->dirs, err);
	if (r < 0)
		return r;
	ociwp_fsys_on_made(x->fs, ociwp_extract_made, x);
	struct stat st;
	ociwp_dir_look look = {0755, 0, 0};
	if (fstat(root, &st) != 0)
		return ociwp_fail_errno(err, errno, "staging directory");
	return ociwp_dirs_set(x->dirs, (uint64_t)st.st_ino, &look) ? 0 : ociwp_nomem(err);
}

/* M1: by handle, from the leaves up, when nothing more is written below. */
static int set_directory_look(void *data, int fd, uint64_t inode)
{
	const ociwp_extraction *x = data;
	const ociwp_dir_look *look = ociwp_dirs_get(x->dirs, inode);
	/* Every directory was recorded when it was made: inode numbers are not stable here. */
	if (!look)
		return ESTALE;
	struct timespec times[2] = {{look->seconds, (long)look->nanoseconds},
				    {look->seconds, (long)look->nanoseconds}};
	/* Up to here nobody but us could enter the tree, whoever it belongs to. */
	if (x->root_owned && inode == x->root_inode && fchown(fd, x->root_uid, x->root_gid) != 0)
		return errno;
	if (fchmod(fd, look->mode) != 0 || futimens(fd, times) != 0)
		return errno;
	return 0;
}

static int finish_tree(ociwp_extraction *x, ociw_error **err)
{
	int e = ociwp_tree_directories(ociwp_fsys_root(x->fs), false, set_directory_look, x);
	if (e != 0)
		return ociwp_fail_errno(err, e, "set modes and times of directories");
	ociw_event event = {.size = sizeof(event),
			    .kind = OCIW_EVENT_FILES,
			    .done = x->files,
			    .total = x->files};
	int r = ociwp_emit(x->op, &event, err);
	if (r == 0)
		r = ociwp_check_cancel(x->op, err);
	if (r < 0)
		return r;
	bool sync = !(x->options.flags & OCIW_EXTRACT_NO_SYNC);
	return ociwp_staging_publish(ociwp_steal(&x->staging), sync, err);
}

static void extraction_deinit(ociwp_extraction *x)
{
	ociwp_fsys_free(x->fs);
	ociwp_dirs_free(x->dirs);
	ociwp_seen_free(x->seen);
	ociwp_staging_abort(x->staging);
	ociwp_config_free(x->config);
	ociwp_manifest_free(x->manifest);
	ociw_descriptor_free(x->image);
	ociwp_buf_deinit(&x->path);
	ociwp_buf_deinit(&x->target);
	ociwp_buf_deinit(&x->wasm);
}

static int run(ociwp_extraction *x, const char *name, const char *destination,
	       ociw_extract_result **result, ociw_error **err)
{
	ociw_extract_mode mode = OCIW_EXTRACT_AUTO;
	int r = load_image(x, name, err);
	if (r == 0)
		r = choose_mode(x, &mode, err);
	if (r == 0)
		r = open_tree(x, destination, err);
	if (r == 0 && !x->root && (x->options.flags & OCIW_EXTRACT_SAME_OWNER))
		r = ociwp_note(x->op, err, "not the superuser: owners are not set");
	if (r == 0)
		r = run_mode(x, mode, err);
	/* Made before the rename: after it nothing may fail. */
	ociw_extract_result *made = NULL;
	if (r == 0)
		r = ociwp_extract_result_new(x, mode, &made, err);
	if (r == 0)
		r = finish_tree(x, err);
	if (r == 0 && result)
		*result = ociwp_steal(&made);
	ociw_extract_result_free(made);
	return r;
}

int ociw_extract(ociw_content *content, const char *name, const char *destination,
		 const ociw_extract_options *options, ociw_extract_result **result,
		 ociw_error **err)
{
	ociwp_extraction x = {.content = content};
	if (result)
		*result = NULL;
	int r = ociwp_options_read(&x.options, sizeof(x.options), options, err);
	if (r < 0)
		return r;
	x.op = x.options.op;
	x.root = geteuid() == 0;
	ociwp_limits_get(x.op, &x.limits);
	r = run(&x, name, destination, result, err);
	extraction_deinit(&x);
	return r < 0 ? ociwp_wrap(err, r, "extract %s", ociw_content_label(content)) : 0;
}
