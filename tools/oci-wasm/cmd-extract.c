/* SPDX-License-Identifier: Apache-2.0
 *
 * oci-wasm extract: an image's content as files.
 */
#include "exit-status.h"
#include "tool.h"

#include <string.h>

struct extract_command {
	const char *mode;
	const char *platform;
	const char *file_url_root;
	struct string_list components;
	uint64_t max_bytes;
	uint64_t max_entries;
	bool same_owner, special_files, keep_setid, xattrs, no_sync, verify_first, absolute_names;
	bool serial, no_openat2;
};

#define MEMBER(name) offsetof(struct extract_command, name)

static const struct option_spec specs[] = {
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

static uint32_t flags_of(const struct extract_command *command)
{
	uint32_t flags = 0;

	flags |= command->same_owner ? OCIW_EXTRACT_SAME_OWNER : 0;
	flags |= command->special_files ? OCIW_EXTRACT_SPECIAL_FILES : 0;
	flags |= command->keep_setid ? OCIW_EXTRACT_KEEP_SETID : 0;
	flags |= command->xattrs ? OCIW_EXTRACT_XATTRS : 0;
	flags |= command->no_sync ? OCIW_EXTRACT_NO_SYNC : 0;
	flags |= command->verify_first ? OCIW_EXTRACT_VERIFY_FIRST : 0;
	flags |= command->no_openat2 ? OCIW_EXTRACT_NO_OPENAT2 : 0;
	flags |= command->absolute_names ? OCIW_EXTRACT_ABSOLUTE_NAMES : 0;
	flags |= command->serial ? OCIW_EXTRACT_SERIAL : 0;
	return flags;
}

static int run_extract(struct tool *tool, void *options, int argc, char **argv)
{
	const struct extract_command *command = options;
	ociw_extract_options extract = OCIW_EXTRACT_OPTIONS_INIT;
	ociw_extract_result *result = NULL;
	ociw_platform *platform = NULL;
	ociw_error *err = NULL;
	struct end source;

	if (argc != 2)
		return tool_usage(&cmd_extract, "needs a source and a destination directory");
	int status = end_open(tool, argv[0], END_READ, &source);
	if (status != 0)
		return status;
	status = parse_platform(tool, command->platform, &platform);
	if (status == 0) {
		tool->limits.max_unpacked_bytes = command->max_bytes;
		tool->limits.max_entries = command->max_entries;
		extract.op = &tool->op;
		extract.platform = platform;
		extract.mode = mode_of(command->mode);
		extract.flags = flags_of(command);
		extract.components = command->components.items;
		extract.component_count = command->components.count;
		extract.file_url_root = command->file_url_root;
		if (ociw_extract(source.content, source.name, argv[1], &extract, &result, &err) < 0) {
			status = tool_fail(tool, err);
		} else {
			progress_clear(tool->progress);
			printf("%s\n", tool->common.json ? ociw_extract_result_json(result)
							 : ociw_extract_result_digest(result));
			status = tool_finish(tool);
		}
	}
	ociw_extract_result_free(result);
	ociw_platform_free(platform);
	end_close(&source);
	return status;
}

const struct command cmd_extract = {
	.name = "extract",
	.group = "Unpack",
	.operands = "SOURCE DESTINATION",
	.summary = "Unpack an image into a directory",
	.description =
		"Unpacks what SOURCE names into DESTINATION, which must not exist or be an empty "
		"directory. Everything is verified before one rename makes it visible: a failure "
		"leaves nothing. Prints the digest of the image.\n"
		"  oci-wasm extract ghcr.io/me/app:1.0 app\n"
		"  oci-wasm extract --mode spin-cache oci:image:1.0 rootfs",
	.options = specs,
	.option_count = TOOL_COUNT(specs),
	.options_size = sizeof(struct extract_command),
	.uses_registry = true,
	.run = run_extract,
};
