/* SPDX-License-Identifier: Apache-2.0
 *
 * oci-wasm pack: from spin.toml or a wasm file to a layout directory or archive.
 */
#include "exit-status.h"
#include "pack-options.h"

struct pack_command {
	struct pack_arguments pack;
	const char *output;
};

static const struct option_spec specs[] = {
	{"output", 'o', OPTION_STRING, offsetof(struct pack_command, output), "TARGET",
	 "where to: oci:DIR:TAG or oci-archive:FILE:TAG", NULL},
	PACK_OPTION_SPECS(struct pack_command, pack),
};

static int run_pack(struct tool *tool, void *options, int argc, char **argv)
{
	struct pack_command *command = options;
	ociw_format formats[PACK_FORMATS_MAX];
	size_t format_count;
	ociw_content *packed;

	if (argc == 1 && !command->pack.file)
		command->pack.file = argv[0];
	else if (argc)
		return tool_usage(&cmd_pack, "takes one file");
	if (!command->pack.file)
		return tool_usage(&cmd_pack, "needs a file: -f spin.toml");
	if (!command->output)
		return tool_usage(&cmd_pack, "needs an output: -o oci:DIR:TAG");
	int status = pack_run(tool, &cmd_pack, &command->pack, NULL, &packed, formats,
			      &format_count);
	if (status != 0)
		return status;
	status = pack_send(tool, &cmd_pack, packed, formats, format_count, &command->pack,
			   command->output, (uint32_t)command->pack.parallel);
	ociw_content_free(packed);
	return status;
}

const struct command cmd_pack = {
	.name = "pack",
	.group = "Build",
	.operands = "-f FILE -o TARGET",
	.summary = "Pack an app into a layout directory or archive",
	.description =
		"Packs a Spin app or a wasm file and writes the image to TARGET. Prints the digest of "
		"the manifest, one line for each format.\n"
		"  oci-wasm pack -f spin.toml -o oci:build/image:1.0\n"
		"  oci-wasm pack -f spin.toml --format rootfs -o oci-archive:app.tar:1.0\n"
		"The same files give the same bytes, whatever the clock, user or folder.",
	.options = specs,
	.option_count = TOOL_COUNT(specs),
	.options_size = sizeof(struct pack_command),
	.uses_registry = true,
	.run = run_pack,
};
