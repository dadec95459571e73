/* SPDX-License-Identifier: Apache-2.0
 *
 * oci-wasm resolve and tags: from names to digests, and which names there are.
 */
#include "exit-status.h"
#include "tool.h"

static int run_resolve(struct tool *tool, void *options, int argc, char **argv)
{
	ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;
	struct end end;

	(void)options;
	if (argc != 1)
		return tool_usage(&cmd_resolve, "needs one image");
	int status = end_open(tool, argv[0], END_READ, &end);
	if (status != 0)
		return status;
	if (ociw_content_resolve(end.content, end.name, &tool->op, &desc, &err) < 0) {
		status = tool_fail(tool, err);
	} else {
		print_descriptor(tool, argv[0], desc);
		status = tool_finish(tool);
	}
	ociw_descriptor_free(desc);
	end_close(&end);
	return status;
}

struct tags_command {
	const char *last;
	uint64_t page_size;
	bool no_digest_tags;
};

static const struct option_spec tags_specs[] = {
	{"last", 0, OPTION_STRING, offsetof(struct tags_command, last), "TAG",
	 "of a registry: begin behind this tag", NULL},
	{"page-size", 0, OPTION_NUMBER, offsetof(struct tags_command, page_size), "N",
	 "of a registry: ask for so many at a time (default: as many as it likes)", NULL},
	{"no-digest-tags", 0, OPTION_FLAG, offsetof(struct tags_command, no_digest_tags), NULL,
	 "of a registry: leave out tags like sha256-HEX.sig", NULL},
};

struct tags_state {
	bool json, any;
};

static int print_tag(const char *name, const ociw_descriptor *desc, void *user_data)
{
	struct tags_state *state = user_data;

	if (state->json) {
		fputs(state->any ? ",{\"name\":" : "[{\"name\":", stdout);
		if (name)
			json_print_string(stdout, name);
		else
			fputs("null", stdout);
		if (desc) {
			fputs(",\"digest\":", stdout);
			json_print_string(stdout, ociw_descriptor_digest(desc));
		}
		fputc('}', stdout);
	} else if (name) {
		print_escaped(stdout, name);
		fputc('\n', stdout);
	} else if (desc) {
		printf("@%s\n", ociw_descriptor_digest(desc));
	}
	state->any = true;
	return 0;
}

/* Only a registry knows what the options ask for: anything else says so. */
static int list_names(struct tool *tool, const struct tags_command *command, ociw_content *content,
		      struct tags_state *state, ociw_error **err)
{
	ociw_tags_options options = OCIW_TAGS_OPTIONS_INIT;

	if (!command->last && !command->page_size && !command->no_digest_tags)
		return ociw_content_list(content, &tool->op, print_tag, state, err);
	options.op = &tool->op;
	options.last = command->last;
	options.page_size = (uint32_t)command->page_size;
	options.hide_digest_tags = command->no_digest_tags;
	return ociw_repository_tags(content, &options, print_tag, state, err);
}

static int run_tags(struct tool *tool, void *options, int argc, char **argv)
{
	const struct tags_command *command = options;
	struct tags_state state = {.json = tool->common.json};
	ociw_error *err = NULL;
	struct end end;

	if (argc != 1)
		return tool_usage(&cmd_tags, "needs one repository, layout or archive");
	if (command->page_size > UINT32_MAX)
		return tool_usage(&cmd_tags, "--page-size is too large");
	int status = end_open(tool, argv[0], END_READ, &end);
	if (status != 0)
		return status;
	if (list_names(tool, command, end.content, &state, &err) < 0) {
		status = tool_fail(tool, err);
	} else {
		if (state.json)
			fputs(state.any ? "]\n" : "[]\n", stdout);
		status = tool_finish(tool);
	}
	end_close(&end);
	return status;
}

const struct command cmd_resolve = {
	.name = "resolve",
	.group = "Look",
	.operands = "IMAGE",
	.summary = "Print the digest that a name stands for",
	.description = "Prints the digest of the manifest or index that a tag or name stands for.\n"
		       "  oci-wasm resolve ghcr.io/me/app:1.0",
	.uses_registry = true,
	.run = run_resolve,
};

const struct command cmd_tags = {
	.name = "tags",
	.group = "Look",
	.operands = "REPOSITORY",
	.summary = "List the tags of a repository or the names in a layout",
	.description = "Lists the tags of a repository, or the names in a layout directory or archive, "
		       "one a line; entries without a name by digest.\n"
		       "  oci-wasm tags ghcr.io/me/app\n"
		       "  oci-wasm tags oci:image",
	.options = tags_specs,
	.option_count = TOOL_COUNT(tags_specs),
	.options_size = sizeof(struct tags_command),
	.uses_registry = true,
	.run = run_tags,
};
