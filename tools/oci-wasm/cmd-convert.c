/* SPDX-License-Identifier: Apache-2.0
 *
 * oci-wasm convert: an image as another format.
 */
#include "exit-status.h"
#include "pack-options.h"

struct convert_command {
	struct pack_arguments pack; /* format, node-tag, layers, compat and so on: see the table */
	const char *image_platform;
};

#define MEMBER(name) offsetof(struct convert_command, name)

static const struct option_spec specs[] = {
	{"format", 0, OPTION_STRING, MEMBER(pack.format), "FORMAT",
	 "to which format: spin, spin-node, rootfs; several with commas (needed)", NULL},
	{"node-tag", 0, OPTION_STRING, MEMBER(pack.node_tag), "TAG",
	 "tag of the spin-node image beside a spin one (default: TAG-node)", NULL},
	{"layers", 0, OPTION_STRING, MEMBER(pack.layers), "HOW",
	 "how static files travel (default: files, bundles when there are too many)",
	 "auto|files|bundles|archives"},
	{"image-platform", 0, OPTION_STRING, MEMBER(image_platform), "OS/ARCH",
	 "which image of an index to convert", NULL},
	{"platform", 0, OPTION_STRING, MEMBER(pack.platform), "OS/ARCH",
	 "platform of a rootfs image (default: linux/amd64)", NULL},
	{"compat", 0, OPTION_STRING, MEMBER(pack.compat), "TOOL",
	 "write exactly what this tool writes, with its quirks", "spin"},
	{"no-entrypoint", 0, OPTION_FLAG, MEMBER(pack.no_entrypoint), NULL,
	 "leave the Entrypoint [\"/\"] out of the config", NULL},
	{"jobs", 'j', OPTION_NUMBER, MEMBER(pack.parallel), "N", "threads (default: one a core)",
	 NULL},
};

static int convert(struct tool *tool, const struct convert_command *command, struct end *source,
		   const char *destination)
{
	ociw_convert_options options = OCIW_CONVERT_OPTIONS_INIT;
	ociw_format formats[PACK_FORMATS_MAX];
	ociw_platform *platform = NULL;
	ociw_content *converted = NULL;
	ociw_error *err = NULL;
	size_t format_count = 0;
	int status = parse_formats(&cmd_convert, command->pack.format, formats, &format_count);

	if (status == 0)
		status = parse_platform(tool, command->image_platform, &platform);
	if (status != 0)
		return status;
	options.op = &tool->op;
	options.platform = platform;
	options.formats = formats;
	options.format_count = format_count;
	options.rootfs_platform = command->pack.platform;
	options.layers = pack_layers_of(command->pack.layers);
	options.flags = pack_flags_of(&command->pack);
	options.parallel = (uint32_t)(command->pack.parallel > 64 ? 64 : command->pack.parallel);
	if (ociw_convert(source->content, source->name, &options, &converted, &err) < 0)
		status = tool_fail(tool, err);
	else
		status = pack_send(tool, &cmd_convert, converted, formats, format_count,
				   &command->pack, destination, options.parallel);
	ociw_content_free(converted);
	ociw_platform_free(platform);
	return status;
}

static int run_convert(struct tool *tool, void *options, int argc, char **argv)
{
	const struct convert_command *command = options;
	struct end source;

	if (argc != 2)
		return tool_usage(&cmd_convert, "needs a source and a destination");
	if (!command->pack.format)
		return tool_usage(&cmd_convert, "needs --format");
	int status = end_open(tool, argv[0], END_READ, &source);
	if (status != 0)
		return status;
	status = convert(tool, command, &source, argv[1]);
	end_close(&source);
	return status;
}

const struct command cmd_convert = {
	.name = "convert",
	.group = "Build",
	.operands = "SOURCE DESTINATION --format FORMAT",
	.summary = "Turn an image of an app into another format",
	.description =
		"Turns a spin, spin-node or rootfs image, whoever made it, into another of these, with "
		"no source at hand. Blobs that both share are not sent again. Prints the digest of "
		"each manifest.\n"
		"  oci-wasm convert ghcr.io/me/app:1.0 ghcr.io/me/app:1.0-node \\\n"
		"      --format spin-node\n"
		"What cannot be carried is refused by name.",
	.options = specs,
	.option_count = TOOL_COUNT(specs),
	.options_size = sizeof(struct convert_command),
	.uses_registry = true,
	.run = run_convert,
};
