/* SPDX-License-Identifier: Apache-2.0
 *
 * oci-wasm attach and referrers: artifacts that belong to an image.
 */
#include "exit-status.h"
#include "tool.h"

#include <stdlib.h>
#include <string.h>

#define TREE_DEPTH_MAX 8

struct attach_command {
	const char *artifact_type;
	struct string_list annotations;
	bool flat;
};

static const struct option_spec attach_specs[] = {
	{"artifact-type", 0, OPTION_STRING, offsetof(struct attach_command, artifact_type), "TYPE",
	 "what the artifact is, such as application/spdx+json (needed)", NULL},
	{"annotation", 'a', OPTION_LIST, offsetof(struct attach_command, annotations), "KEY=VALUE",
	 "annotate the artifact's manifest", NULL},
};

static const struct option_spec referrers_specs[] = {
	{"artifact-type", 0, OPTION_STRING, offsetof(struct attach_command, artifact_type), "TYPE",
	 "only these", NULL},
	{"flat", 0, OPTION_FLAG, offsetof(struct attach_command, flat), NULL,
	 "only what refers to the image itself, not the whole tree", NULL},
};

/* FILE[:MEDIA-TYPE]; the type follows the last ':' when it has a '/'. Cuts the operand in place. */
static ociw_attach_file file_of(char *operand)
{
	char *colon = strrchr(operand, ':');

	if (!colon || !strchr(colon, '/'))
		return (ociw_attach_file){operand, NULL};
	*colon = '\0';
	return (ociw_attach_file){operand, colon + 1};
}

static int attach_to(struct tool *tool, const struct end *end, const char *reference,
		     const ociw_attach_options *attach)
{
	ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;
	const ociw_reference *ref = ociw_target_reference(end->target);
	int status = 0;

	if (ociw_attach(end->content, ref ? ociw_reference_name(ref) : end->name, attach, &desc,
			&err) < 0) {
		status = tool_fail(tool, err);
	} else {
		print_descriptor(tool, reference, desc);
		status = tool_finish(tool);
	}
	ociw_descriptor_free(desc);
	return status;
}

static int run_attach(struct tool *tool, void *options, int argc, char **argv)
{
	const struct attach_command *command = options;
	ociw_attach_options attach = OCIW_ATTACH_OPTIONS_INIT;
	struct end end;

	if (argc < 1)
		return tool_usage(&cmd_attach, "needs an image");
	if (!command->artifact_type)
		return tool_usage(&cmd_attach, "needs --artifact-type");
	ociw_attach_file *files = calloc((size_t)argc, sizeof(*files));
	ociw_annotation *annotations = NULL;
	int status = parse_annotations(&cmd_attach, &command->annotations, &annotations);
	if (!files && status == 0)
		status = EXIT_OTHER;
	for (int i = 1; status == 0 && i < argc; i++)
		files[i - 1] = file_of(argv[i]);
	if (status == 0)
		status = end_open(tool, argv[0], END_WRITE, &end);
	if (status == 0) {
		attach.op = &tool->op;
		attach.artifact_type = command->artifact_type;
		attach.files = files;
		attach.file_count = (size_t)argc - 1;
		attach.annotations = annotations;
		attach.annotation_count = command->annotations.count;
		status = attach_to(tool, &end, argv[0], &attach);
		end_close(&end);
	}
	free_annotations(annotations);
	free(files);
	return status;
}

struct tree {
	struct tool *tool;
	ociw_content *content;
	const char *artifact_type;
	unsigned depth, depth_max;
	bool any;
	int code; /* of a failed listing below */
	ociw_error *err;
};

static int walk(struct tree *tree, const char *digest);

static int print_referrer(const ociw_descriptor *desc, void *user_data)
{
	struct tree *tree = user_data;
	const char *type = ociw_descriptor_artifact_type(desc);

	if (tree->tool->common.json) {
		fputs(tree->any ? ",{\"digest\":" : "[{\"digest\":", stdout);
		json_print_string(stdout, ociw_descriptor_digest(desc));
		fputs(",\"mediaType\":", stdout);
		json_print_string(stdout, ociw_descriptor_media_type(desc));
		fputs(",\"artifactType\":", stdout);
		json_print_string(stdout, type ? type : "");
		printf(",\"size\":%llu,\"depth\":%u}",
		       (unsigned long long)ociw_descriptor_size(desc), tree->depth);
	} else {
		printf("%*s%s  ", (int)(2 * tree->depth), "", ociw_descriptor_digest(desc));
		print_escaped(stdout, type ? type : ociw_descriptor_media_type(desc));
		fputc('\n', stdout);
	}
	tree->any = true;
	return tree->depth < tree->depth_max ? walk(tree, ociw_descriptor_digest(desc)) : 0;
}

static int walk(struct tree *tree, const char *digest)
{
	tree->depth++;
	int r = ociw_content_referrers(tree->content, digest,
				       tree->depth == 1 ? tree->artifact_type : NULL,
				       &tree->tool->op, print_referrer, tree,
				       tree->err ? NULL : &tree->err);
	tree->depth--;
	if (r < 0)
		tree->code = r;
	return r < 0 ? 1 : r;
}

static int run_referrers(struct tool *tool, void *options, int argc, char **argv)
{
	const struct attach_command *command = options;
	ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;
	struct end end;

	if (argc != 1)
		return tool_usage(&cmd_referrers, "needs one image");
	int status = end_open(tool, argv[0], END_READ, &end);
	if (status != 0)
		return status;
	if (ociw_content_resolve(end.content, end.name, &tool->op, &desc, &err) < 0) {
		status = tool_fail(tool, err);
	} else {
		struct tree tree = {.tool = tool,
				    .content = end.content,
				    .artifact_type = command->artifact_type,
				    .depth_max = command->flat ? 1 : TREE_DEPTH_MAX};
		if (!tool->common.json)
			printf("%s\n", ociw_descriptor_digest(desc));
		(void)walk(&tree, ociw_descriptor_digest(desc));
		if (tool->common.json && tree.code >= 0)
			fputs(tree.any ? "]\n" : "[]\n", stdout);
		status = tree.code < 0 ? tool_fail(tool, tree.err) : tool_finish(tool);
	}
	ociw_descriptor_free(desc);
	end_close(&end);
	return status;
}

const struct command cmd_attach = {
	.name = "attach",
	.group = "Parts",
	.operands = "IMAGE [FILE[:MEDIA-TYPE]]...",
	.summary = "Attach files to an image (SBOM, signature, notes)",
	.description =
		"Stores files as an artifact whose subject is the image, and prints the artifact's "
		"digest.\n"
		"  oci-wasm attach --artifact-type application/spdx+json \\\n"
		"      ghcr.io/me/app:1.0 sbom.json:application/spdx+json",
	.options = attach_specs,
	.option_count = TOOL_COUNT(attach_specs),
	.options_size = sizeof(struct attach_command),
	.uses_registry = true,
	.run = run_attach,
};

const struct command cmd_referrers = {
	.name = "referrers",
	.group = "Look",
	.operands = "IMAGE",
	.summary = "Show what refers to an image, as a tree",
	.description = "Lists the artifacts whose subject is the image, and those that refer to them, "
		       "by the registry's API or the tag fallback.\n"
		       "  oci-wasm referrers ghcr.io/me/app:1.0",
	.options = referrers_specs,
	.option_count = TOOL_COUNT(referrers_specs),
	.options_size = sizeof(struct attach_command),
	.uses_registry = true,
	.run = run_referrers,
};
