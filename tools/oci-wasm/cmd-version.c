/* SPDX-License-Identifier: Apache-2.0
 *
 * oci-wasm version: the tool's and the library's.
 */
#include "exit-status.h"
#include "tool.h"

static int run_version(struct tool *tool, void *options, int argc, char **argv)
{
	(void)options;
	(void)argv;
	if (argc)
		return tool_usage(&cmd_version, "takes no operands");
	if (tool->common.json)
		printf("{\"version\":\"%s\",\"library\":\"%s\"}\n", OCIW_VERSION_STRING,
		       ociw_version());
	else
		printf("oci-wasm %s (library %s)\n", OCIW_VERSION_STRING, ociw_version());
	return tool_finish(tool);
}

const struct command cmd_version = {
	.name = "version",
	.group = "Other",
	.operands = "",
	.summary = "Show the version",
	.description = "Prints the version of the tool and of the library it runs with.",
	.run = run_version,
};
