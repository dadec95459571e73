/* SPDX-License-Identifier: Apache-2.0
 *
 * oci-wasm copy and pull: from any end to any end.
 */
#include "exit-status.h"
#include "tool.h"

#include <stdlib.h>
#include <string.h>

struct copy_command {
	const char *platform;
	bool recursive;
	bool no_replace;
	bool nondistributable;
	bool dry_run;
	uint64_t parallel;
};

static const struct option_spec specs[] = {
	{"platform", 0, OPTION_STRING, offsetof(struct copy_command, platform), "OS/ARCH",
	 "take this image of an index alone (default: the whole index)", NULL},
	{"recursive", 'r', OPTION_FLAG, offsetof(struct copy_command, recursive), NULL,
	 "copy referrers too (signatures, SBOMs), all levels", NULL},
	{"no-replace", 0, OPTION_FLAG, offsetof(struct copy_command, no_replace), NULL,
	 "fail when the name is taken by another image", NULL},
	{"jobs", 'j', OPTION_NUMBER, offsetof(struct copy_command, parallel), "N",
	 "blobs at a time (default: 4)", NULL},
	/* The last two, and not of pull: that sends nothing to registries. */
	{"nondistributable", 0, OPTION_FLAG, offsetof(struct copy_command, nondistributable), NULL,
	 "send layers that are marked as not to be given away to registries too", NULL},
	{"dry-run", 'n', OPTION_FLAG, offsetof(struct copy_command, dry_run), NULL,
	 "send nothing: say what the registry lacks", NULL},
};

static int copy_ends(struct tool *tool, const struct copy_command *command, const char *from,
		     const char *to)
{
	ociw_copy_options options = OCIW_COPY_OPTIONS_INIT;
	struct end source, destination;
	ociw_platform *platform = NULL;
	ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;
	int status = ends_open(tool, from, to, &source, &destination);

	if (status != 0)
		return status;
	status = parse_platform(tool, command->platform, &platform);
	if (status == 0) {
		options.op = &tool->op;
		options.platform = platform;
		options.parallel =
			(uint32_t)(command->parallel > UINT32_MAX ? 0 : command->parallel);
		options.flags = (command->recursive ? OCIW_COPY_RECURSIVE : 0) |
				(command->no_replace ? OCIW_COPY_NO_REPLACE : 0) |
				(command->nondistributable ? OCIW_COPY_NONDISTRIBUTABLE : 0) |
				(command->dry_run ? OCIW_COPY_DRY_RUN : 0);
		if (ociw_copy(source.content, source.name, destination.content, destination.name,
			      &options, &desc, &err) < 0) {
			status = tool_fail(tool, err);
		} else {
			progress_clear(tool->progress);
			print_descriptor(tool, to, desc);
			status = tool_finish(tool);
		}
	}
	ociw_descriptor_free(desc);
	ociw_platform_free(platform);
	end_close(&destination);
	end_close(&source);
	return status;
}

static int run_copy(struct tool *tool, void *options, int argc, char **argv)
{
	const struct copy_command *command = options;

	if (argc != 2)
		return tool_usage(&cmd_copy, "needs a source and a destination");
	int status = command->dry_run ? begin_dry_run(tool, &cmd_copy, argv[1]) : 0;
	return status != 0 ? status : copy_ends(tool, command, argv[0], argv[1]);
}

static int run_pull(struct tool *tool, void *options, int argc, char **argv)
{
	char *to = NULL;

	if (argc < 1 || argc > 2)
		return tool_usage(&cmd_pull, "needs a reference, and may have a destination");
	if (argc == 2)
		return copy_ends(tool, options, argv[0], argv[1]);
	ociw_target *target = NULL;
	ociw_error *err = NULL;
	if (ociw_target_parse(argv[0], &target, &err) < 0) {
		tool_fail(tool, err);
		return EXIT_USAGE;
	}
	const ociw_reference *ref = ociw_target_reference(target);
	int status = EXIT_OTHER;
	if (!ref)
		status = tool_usage(&cmd_pull, "needs a destination for what is local already");
	else if (asprintf(&to, "store:%s", ociw_reference_text(ref)) >= 0)
		status = copy_ends(tool, options, argv[0], to);
	free(to);
	ociw_target_free(target);
	return status;
}

const struct command cmd_copy = {
	.name = "copy",
	.group = "Move",
	.operands = "SOURCE DESTINATION",
	.summary = "Copy an image or artifact from any end to any end",
	.description =
		"Copies from a registry, layout directory or archive to another, with nothing on disk "
		"in between. Bytes and digests never change. Prints the digest.\n"
		"  oci-wasm copy ghcr.io/me/app:1.0 registry.example/app:1.0\n"
		"  oci-wasm copy -r ghcr.io/me/app:1.0 oci-archive:app.tar:1.0",
	.options = specs,
	.option_count = TOOL_COUNT(specs),
	.options_size = sizeof(struct copy_command),
	.uses_registry = true,
	.run = run_copy,
};

const struct command cmd_pull = {
	.name = "pull",
	.group = "Move",
	.operands = "REF [DESTINATION]",
	.summary = "Download an image into a layout directory or archive",
	.description =
		"Downloads what REF names; every byte is verified. Without DESTINATION it goes to the "
		"user's store, a layout directory in $XDG_DATA_HOME/oci-wasm/store, where store:REF "
		"names it. Prints the digest.\n"
		"  oci-wasm pull ghcr.io/me/app:1.0 oci:image:1.0\n"
		"  oci-wasm pull ghcr.io/me/app:1.0\n"
		"  oci-wasm extract store:ghcr.io/me/app:1.0 app",
	.options = specs,
	.option_count = TOOL_COUNT(specs) - 2,
	.options_size = sizeof(struct copy_command),
	.uses_registry = true,
	.run = run_pull,
};
