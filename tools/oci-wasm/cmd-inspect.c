/* SPDX-License-Identifier: Apache-2.0
 *
 * oci-wasm inspect: what an image is.
 */
#include "exit-status.h"
#include "tool.h"

struct inspect_command {
	const char *platform;
};

static const struct option_spec specs[] = {
	{"platform", 0, OPTION_STRING, offsetof(struct inspect_command, platform), "OS/ARCH",
	 "which image of an index (default: list the index)", NULL},
};

static int run_inspect(struct tool *tool, void *options, int argc, char **argv)
{
	const struct inspect_command *command = options;
	ociw_inspect_options inspect = OCIW_INSPECT_OPTIONS_INIT;
	ociw_inspection *found = NULL;
	ociw_platform *platform = NULL;
	ociw_error *err = NULL;
	struct end source;

	if (argc != 1)
		return tool_usage(&cmd_inspect, "needs one image");
	int status = end_open(tool, argv[0], END_READ, &source);
	if (status != 0)
		return status;
	status = parse_platform(tool, command->platform, &platform);
	if (status == 0) {
		inspect.op = &tool->op;
		inspect.platform = platform;
		if (ociw_inspect(source.content, source.name, &inspect, &found, &err) < 0) {
			status = tool_fail(tool, err);
		} else if (tool->common.json) {
			printf("%s\n", ociw_inspection_json(found));
			status = tool_finish(tool);
		} else {
			fputs(ociw_inspection_text(found), stdout);
			status = tool_finish(tool);
		}
	}
	ociw_inspection_free(found);
	ociw_platform_free(platform);
	end_close(&source);
	return status;
}

const struct command cmd_inspect = {
	.name = "inspect",
	.group = "Look",
	.operands = "IMAGE",
	.summary = "Show what an image holds",
	.description = "Shows the format, components, triggers, files and layers of an image as a tree, "
		       "or all of it as JSON.\n"
		       "  oci-wasm inspect ghcr.io/me/app:1.0\n"
		       "  oci-wasm inspect --json oci:image:1.0",
	.options = specs,
	.option_count = TOOL_COUNT(specs),
	.options_size = sizeof(struct inspect_command),
	.uses_registry = true,
	.run = run_inspect,
};
