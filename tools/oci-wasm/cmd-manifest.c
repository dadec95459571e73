/* SPDX-License-Identifier: Apache-2.0
 *
 * oci-wasm manifest get, put, delete; delete; tag: manifests as exact bytes, and their names.
 */
#include "exit-status.h"
#include "files.h"
#include "tool.h"

#include <stdlib.h>
#include <string.h>

#define MANIFEST_MAX ((uint64_t)4 << 20)

static int run_manifest_get(struct tool *tool, void *options, int argc, char **argv)
{
	ociw_error *err = NULL;
	void *bytes = NULL;
	size_t len = 0;
	struct end end;

	(void)options;
	if (argc != 1)
		return tool_usage(&cmd_manifest_get, "needs one image");
	int status = end_open(tool, argv[0], END_READ, &end);
	if (status != 0)
		return status;
	if (ociw_content_read_name(end.content, end.name, MANIFEST_MAX, &tool->op, NULL, &bytes, &len,
				   &err) < 0) {
		status = tool_fail(tool, err);
	} else {
		fwrite(bytes, 1, len, stdout); /* the exact bytes, without a newline of ours */
		status = tool_finish(tool);
	}
	ociw_free(bytes);
	end_close(&end);
	return status;
}

struct put_command {
	const char *media_type;
};

static const struct option_spec put_specs[] = {
	{"media-type", 0, OPTION_STRING, offsetof(struct put_command, media_type), "TYPE",
	 "media type (default: what the document says)", NULL},
};

static int run_manifest_put(struct tool *tool, void *options, int argc, char **argv)
{
	const struct put_command *command = options;
	ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;
	char *bytes = NULL;
	size_t len = 0;
	struct end end;

	if (argc < 1 || argc > 2)
		return tool_usage(&cmd_manifest_put, "needs a destination and a file");
	int status = read_file(tool, argc > 1 ? argv[1] : "-", MANIFEST_MAX, &bytes, &len);
	if (status != 0)
		return status;
	status = end_open(tool, argv[0], END_WRITE, &end);
	if (status == 0) {
		if (ociw_content_put_manifest(end.content, command->media_type,
					      (ociw_span){bytes, len}, end.name, &tool->op, &desc,
					      &err) < 0) {
			status = tool_fail(tool, err);
		} else {
			print_descriptor(tool, argv[0], desc);
			status = tool_finish(tool);
		}
		end_close(&end);
	}
	ociw_descriptor_free(desc);
	free(bytes);
	return status;
}

/* What a deletion is to delete; NULL after a usage error. "latest" is never assumed here: deleting it
 * because nobody named a tag would be a nasty surprise. */
static const char *name_to_delete(const struct command *command, const struct end *end,
				  const char *text)
{
	const ociw_reference *ref = ociw_target_reference(end->target);
	const char *name = end->name;

	if (ref)
		name = ociw_reference_digest(ref) ? ociw_reference_digest(ref)
						  : ociw_reference_tag(ref);
	if (!name)
		tool_usage(command, "needs a tag, name or digest: %s:TAG", text);
	return name;
}

static int delete_name(struct tool *tool, const struct command *command, int argc, char **argv)
{
	ociw_error *err = NULL;
	struct end end;

	if (argc != 1)
		return tool_usage(command, "needs one image");
	int status = end_open(tool, argv[0], END_WRITE, &end);
	if (status != 0)
		return status;
	const char *name = name_to_delete(command, &end, argv[0]);
	if (!name)
		status = EXIT_USAGE;
	else if (ociw_content_delete(end.content, name, &tool->op, &err) < 0)
		status = tool_fail(tool, err);
	else
		status = print_deleted(tool, argv[0], name);
	end_close(&end);
	return status;
}

static int run_manifest_delete(struct tool *tool, void *options, int argc, char **argv)
{
	(void)options;
	return delete_name(tool, &cmd_manifest_delete, argc, argv);
}

static int run_delete(struct tool *tool, void *options, int argc, char **argv)
{
	(void)options;
	return delete_name(tool, &cmd_delete, argc, argv);
}

/* tag IMAGE NAME...: the same bytes under more names of the same end; no blob moves. */
/* A whole reference where a tag is wanted. Names in layouts may look like one. */
static const char *find_reference(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strpbrk(names[i], "/@"))
			return names[i];
	return NULL;
}

static int run_tag(struct tool *tool, void *options, int argc, char **argv)
{
	ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;
	struct end end;

	(void)options;
	if (argc < 2)
		return tool_usage(&cmd_tag, "needs an image and at least one new tag");
	int status = end_open(tool, argv[0], END_WRITE, &end);
	if (status != 0)
		return status;
	const ociw_reference *ref = ociw_target_reference(end.target);
	const char *from = ref ? ociw_reference_name(ref) : end.name;
	const char *const *names = (const char *const *)&argv[1];
	const char *whole = ref ? find_reference(&argv[1], (size_t)argc - 1) : NULL;
	if (whole)
		status = tool_usage(&cmd_tag, "\"%s\" is no tag; copy gives an image a name elsewhere", whole);
	else if (ociw_content_tag(end.content, from, names, (size_t)argc - 1, &tool->op, &desc, &err) < 0)
		status = tool_fail(tool, err);
	for (int i = 1; i < argc && status == 0; i++)
		print_descriptor(tool, argv[i], desc);
	ociw_descriptor_free(desc);
	end_close(&end);
	return status == 0 ? tool_finish(tool) : status;
}

const struct command cmd_manifest_get = {
	.name = "manifest get",
	.group = "Parts",
	.operands = "IMAGE",
	.summary = "Print the exact bytes of a manifest or index",
	.description = "Prints a manifest or index as it is, verified, without a newline at the end.\n"
		       "  oci-wasm manifest get ghcr.io/me/app:1.0 | jq .layers",
	.uses_registry = true,
	.run = run_manifest_get,
};

const struct command cmd_manifest_put = {
	.name = "manifest put",
	.group = "Parts",
	.operands = "DESTINATION [FILE]",
	.summary = "Store the exact bytes of a manifest or index",
	.description = "Stores a file (or standard input) as a manifest or index, byte for byte. Its "
		       "blobs must be there already. Prints the digest.\n"
		       "  oci-wasm manifest put localhost:5000/app:1.0 manifest.json",
	.options = put_specs,
	.option_count = TOOL_COUNT(put_specs),
	.options_size = sizeof(struct put_command),
	.uses_registry = true,
	.run = run_manifest_put,
};

const struct command cmd_manifest_delete = {
	.name = "manifest delete",
	.group = "Parts",
	.operands = "IMAGE",
	.summary = "Delete a manifest by tag, name or digest",
	.description = "Deletes what a tag, layout name or digest stands for. A tag is never turned "
		       "into a digest: other tags of the same image stay. Prints nothing without --json.",
	.uses_registry = true,
	.run = run_manifest_delete,
};

const struct command cmd_delete = {
	.name = "delete",
	.group = "Move",
	.operands = "IMAGE",
	.summary = "Delete an image by tag, name or digest",
	.description = "Deletes what a tag, layout name or digest stands for, as manifest delete does. "
		       "Many registries have deletion switched off, and say so.\n"
		       "  oci-wasm delete localhost:5000/app:1.0",
	.uses_registry = true,
	.run = run_delete,
};

const struct command cmd_tag = {
	.name = "tag",
	.group = "Move",
	.operands = "IMAGE TAG...",
	.summary = "Give an image more tags, without moving its blobs",
	.description = "Gives what IMAGE stands for one or more new tags in the same repository or "
		       "layout. Prints the digest for each.\n"
		       "  oci-wasm tag ghcr.io/me/app:1.0 latest stable",
	.uses_registry = true,
	.run = run_tag,
};
