/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of unpacking: their table, and what they mean to the library.
 */
#include "extract-options.h"

#include <string.h>

#define MEMBER(name) offsetof(struct extract_settings, name)

const struct option_spec extract_option_specs[] = {
	{"mode", 'm', OPTION_STRING, MEMBER(mode), "MODE",
	 "what the tree looks like (default: rootfs for images, spin-files for Spin apps)",
	 "auto|rootfs|spin-files|spin-cache"},
	{"component", 'c', OPTION_LIST, MEMBER(components), "ID",
	 "only this Spin component; may be given more than once", NULL},
	{"platform", 0, OPTION_STRING, MEMBER(platform), "OS/ARCH", "which image of an index", NULL},
	{"file-url-root", 0, OPTION_STRING, MEMBER(file_url_root), "DIR",
	 "where file:// URLs in a Spin lock point (default: the destination)", NULL},
	{"max-bytes", 0, OPTION_NUMBER, MEMBER(max_bytes), "N",
	 "refuse images that unpack to more (default: 16G)", NULL},
	{"max-entries", 0, OPTION_NUMBER, MEMBER(max_entries), "N",
	 "refuse layers with more entries (default: 1000000)", NULL},
	{"max-layers", 0, OPTION_NUMBER, MEMBER(max_layers), "N",
	 "refuse images with more layers (default: 512)", NULL},
	{"max-ratio", 0, OPTION_NUMBER, MEMBER(max_ratio), "N",
	 "refuse blobs that grow more than N times, once 64M are out (default: 1000)", NULL},
	{"max-path", 0, OPTION_NUMBER, MEMBER(max_path), "N",
	 "refuse paths of more bytes (default: 4096)", NULL},
	{"max-depth", 0, OPTION_NUMBER, MEMBER(max_depth), "N",
	 "refuse paths of more parts (default: 256)", NULL},
	{"max-zstd-window", 0, OPTION_NUMBER, MEMBER(max_window), "N",
	 "refuse zstd frames that need a larger window (default: 128M)", NULL},
	{"same-owner", 0, OPTION_FLAG, MEMBER(same_owner), NULL,
	 "set owners as the layers say (as root)", NULL},
	{"special-files", 0, OPTION_FLAG, MEMBER(special_files), NULL,
	 "make device nodes and fifos (as root)", NULL},
	{"keep-setid", 0, OPTION_FLAG, MEMBER(keep_setid), NULL,
	 "keep setuid and setgid bits and file capabilities", NULL},
	{"xattrs", 0, OPTION_FLAG, MEMBER(xattrs), NULL, "set user.* extended attributes", NULL},
	{"absolute-names", 0, OPTION_FLAG, MEMBER(absolute_names), NULL,
	 "take absolute names in layers as relative instead of refusing them", NULL},
	{"verify-first", 0, OPTION_FLAG, MEMBER(verify_first), NULL,
	 "check a whole blob before any of it is decoded", NULL},
	{"no-sync", 0, OPTION_FLAG, MEMBER(no_sync), NULL,
	 "do not wait for the disk before the rename", NULL},
	{"serial", 0, OPTION_FLAG, MEMBER(serial), NULL, "use one thread", NULL},
	{"no-openat2", 0, OPTION_FLAG, MEMBER(no_openat2), NULL,
	 "walk paths without openat2(2), as on old kernels", NULL},
};

static uint32_t mode_of(const char *name)
{
	if (!name || strcmp(name, "auto") == 0)
		return OCIW_EXTRACT_AUTO;
	if (strcmp(name, "rootfs") == 0)
		return OCIW_EXTRACT_ROOTFS;
	return strcmp(name, "spin-files") == 0 ? OCIW_EXTRACT_SPIN_FILES : OCIW_EXTRACT_SPIN_CACHE;
}

static uint32_t flags_of(const struct extract_settings *s)
{
	uint32_t flags = 0;

	flags |= s->same_owner ? OCIW_EXTRACT_SAME_OWNER : 0;
	flags |= s->special_files ? OCIW_EXTRACT_SPECIAL_FILES : 0;
	flags |= s->keep_setid ? OCIW_EXTRACT_KEEP_SETID : 0;
	flags |= s->xattrs ? OCIW_EXTRACT_XATTRS : 0;
	flags |= s->no_sync ? OCIW_EXTRACT_NO_SYNC : 0;
	flags |= s->verify_first ? OCIW_EXTRACT_VERIFY_FIRST : 0;
	flags |= s->no_openat2 ? OCIW_EXTRACT_NO_OPENAT2 : 0;
	flags |= s->absolute_names ? OCIW_EXTRACT_ABSOLUTE_NAMES : 0;
	flags |= s->serial ? OCIW_EXTRACT_SERIAL : 0;
	return flags;
}

void extract_options_apply(const struct extract_settings *settings, ociw_extract_options *options,
			   ociw_limits *limits)
{
	options->mode = mode_of(settings->mode);
	options->flags = flags_of(settings);
	options->components = settings->components.items;
	options->component_count = settings->components.count;
	options->file_url_root = settings->file_url_root;
	limits->max_unpacked_bytes = settings->max_bytes;
	limits->max_entries = settings->max_entries;
	limits->max_layers = settings->max_layers;
	limits->max_ratio = settings->max_ratio;
	limits->max_path_bytes = settings->max_path;
	limits->max_path_depth = settings->max_depth;
	limits->max_zstd_window = settings->max_window;
}
