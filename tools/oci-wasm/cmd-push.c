/* SPDX-License-Identifier: Apache-2.0
 *
 * oci-wasm push: pack and upload in one step, or upload what a layout has.
 */
#include "exit-status.h"
#include "pack-options.h"

struct push_command {
	struct pack_arguments pack;
	bool recursive;
	bool no_replace;
	bool nondistributable;
	bool dry_run;
};

static const struct option_spec specs[] = {
	PACK_OPTION_SPECS(struct push_command, pack),
	{"recursive", 'r', OPTION_FLAG, offsetof(struct push_command, recursive), NULL,
	 "with a source: push its referrers too (signatures, SBOMs)", NULL},
	{"no-replace", 0, OPTION_FLAG, offsetof(struct push_command, no_replace), NULL,
	 "with a source: fail when the tag is taken by another image", NULL},
	{"nondistributable", 0, OPTION_FLAG, offsetof(struct push_command, nondistributable), NULL,
	 "with a source: send layers that are marked as not to be given away too", NULL},
	{"dry-run", 'n', OPTION_FLAG, offsetof(struct push_command, dry_run), NULL,
	 "send nothing: say what the registry lacks", NULL},
};

/* push SOURCE DESTINATION: a copy. */
static int push_source(struct tool *tool, const struct push_command *command, char **argv)
{
	ociw_copy_options options = OCIW_COPY_OPTIONS_INIT;
	struct end source, destination;
	ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;
	int status = ends_open(tool, argv[0], argv[1], &source, &destination);

	if (status != 0)
		return status;
	options.op = &tool->op;
	options.parallel = (uint32_t)command->pack.parallel;
	options.flags = (command->recursive ? OCIW_COPY_RECURSIVE : 0) |
			(command->no_replace ? OCIW_COPY_NO_REPLACE : 0) |
			(command->nondistributable ? OCIW_COPY_NONDISTRIBUTABLE : 0) |
			(command->dry_run ? OCIW_COPY_DRY_RUN : 0);
	if (ociw_copy(source.content, source.name, destination.content, destination.name, &options,
		      &desc, &err) < 0) {
		status = tool_fail(tool, err);
	} else {
		progress_clear(tool->progress);
		print_descriptor(tool, argv[1], desc);
		status = tool_finish(tool);
	}
	ociw_descriptor_free(desc);
	end_close(&destination);
	end_close(&source);
	return status;
}

static int run_push(struct tool *tool, void *options, int argc, char **argv)
{
	const struct push_command *command = options;
	ociw_format formats[PACK_FORMATS_MAX];
	size_t format_count;
	ociw_content *packed = NULL;
	struct end end;
	int status = command->dry_run && argc > 0 ? begin_dry_run(tool, &cmd_push, argv[argc - 1]) : 0;

	if (status != 0)
		return status;
	if (!command->pack.file) {
		if (argc == 2)
			return push_source(tool, command, argv);
		return tool_usage(&cmd_push, "needs -f FILE and a reference, or a source and one");
	}
	if (argc != 1)
		return tool_usage(&cmd_push, "with -f needs exactly one reference");
	status = end_open(tool, argv[0], END_WRITE, &end);
	if (status != 0)
		return status;
	status = pack_run(tool, &cmd_push, &command->pack, command->dry_run ? NULL : end.content, &packed,
			  formats, &format_count);
	if (status == 0)
		status = pack_send_to(tool, &cmd_push, packed, formats, format_count,
				      &command->pack, &end, argv[0],
				      (uint32_t)command->pack.parallel);
	ociw_content_free(packed);
	end_close(&end);
	return status;
}

const struct command cmd_push = {
	.name = "push",
	.group = "Build",
	.operands = "-f FILE REF | SOURCE REF",
	.summary = "Pack and upload an app, or upload a packed one",
	.description =
		"With -f packs a Spin app or a wasm file and uploads it; else uploads what SOURCE "
		"names. Blobs that the registry has are not sent again. Prints the digest of the "
		"manifest, one line for each format.\n"
		"  oci-wasm push -f spin.toml ghcr.io/me/app:1.0\n"
		"  oci-wasm push -f spin.toml --format spin,spin-node ghcr.io/me/app:1.0\n"
		"  oci-wasm push oci:build/image:1.0 localhost:5000/app:1.0",
	.options = specs,
	.option_count = TOOL_COUNT(specs),
	.options_size = sizeof(struct push_command),
	.uses_registry = true,
	.run = run_push,
};
