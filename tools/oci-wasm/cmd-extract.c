/* SPDX-License-Identifier: Apache-2.0
 *
 * oci-wasm extract: an image's content as files.
 */
#include "extract-options.h"
#include "tool.h"

static int run_extract(struct tool *tool, void *options, int argc, char **argv)
{
	const struct extract_settings *settings = options;
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
	status = parse_platform(tool, settings->platform, &platform);
	if (status == 0) {
		extract_options_apply(settings, &extract, &tool->limits);
		extract.op = &tool->op;
		extract.platform = platform;
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
	.options = extract_option_specs,
	.option_count = EXTRACT_OPTION_COUNT,
	.options_size = sizeof(struct extract_settings),
	.uses_registry = true,
	.run = run_extract,
};
