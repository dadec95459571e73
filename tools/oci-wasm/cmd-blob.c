/* SPDX-License-Identifier: Apache-2.0
 *
 * oci-wasm blob get, put, delete: single blobs.
 */
#include "exit-status.h"
#include "files.h"
#include "tool.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct blob_command {
	const char *output;
	const char *media_type;
	uint64_t bytes;
};

static const struct option_spec get_specs[] = {
	{"output", 'o', OPTION_STRING, offsetof(struct blob_command, output), "FILE",
	 "write to this file (default: standard output)", NULL},
	{"size", 0, OPTION_NUMBER, offsetof(struct blob_command, bytes), "N",
	 "size that the blob must have, where it is known", NULL},
};

static const struct option_spec put_specs[] = {
	{"media-type", 0, OPTION_STRING, offsetof(struct blob_command, media_type), "TYPE",
	 "media type (default: application/octet-stream)", NULL},
};

/* The digest that a target names, or NULL after telling. */
static const char *digest_of(const struct command *command, const struct end *end, const char *text)
{
	const ociw_reference *ref = ociw_target_reference(end->target);
	const char *digest = ref ? ociw_reference_digest(ref) : end->name;

	if (digest && ociw_digest_is_valid(digest))
		return digest;
	tool_usage(command, "needs a digest: %s@sha256:...", text);
	return NULL;
}

static int tell_size(struct tool *tool, uint64_t want, uint64_t got)
{
	progress_clear(tool->progress);
	fprintf(stderr, "oci-wasm: the blob has %llu bytes, expected %llu\n", (unsigned long long)got,
		(unsigned long long)want);
	return EXIT_INTEGRITY;
}

static int run_blob_get(struct tool *tool, void *options, int argc, char **argv)
{
	const struct blob_command *command = options;
	ociw_descriptor *desc = NULL;
	ociw_reader *reader = NULL;
	ociw_error *err = NULL;
	struct end end;

	if (argc != 1)
		return tool_usage(&cmd_blob_get, "needs one blob");
	int status = end_open(tool, argv[0], END_READ, &end);
	if (status != 0)
		return status;
	const char *digest = digest_of(&cmd_blob_get, &end, argv[0]);
	int r = digest ? 0 : OCIW_ERR_INVALID;
	if (digest)
		r = ociw_content_stat(end.content, digest, &tool->op, &desc, &err);
	if (r >= 0 && command->bytes && command->bytes != ociw_descriptor_size(desc))
		status = tell_size(tool, command->bytes, ociw_descriptor_size(desc));
	if (r >= 0 && status == 0)
		r = ociw_content_open(end.content, desc, &tool->op, &reader, &err);
	if (r < 0)
		status = digest ? tool_fail(tool, err) : EXIT_USAGE;
	else if (status == 0)
		status = write_stream(tool, reader, command->output ? command->output : "-");
	if (status == 0 && command->output && tool->common.json) {
		print_descriptor(tool, argv[0], desc);
		status = tool_finish(tool);
	}
	ociw_descriptor_free(desc);
	end_close(&end);
	return status;
}

/* A file is sent like one that was named, and read to its end for whoever shares it. Nobody knows how long
 * anything else is: it is sent while it is read. */
static int put_input(struct tool *tool, const struct end *end, const char *type,
		     ociw_descriptor **out, ociw_error **err)
{
	ociw_reader *input = NULL;
	struct stat st;

	if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode)) {
		int r = ociw_content_put_fd(end->content, type, STDIN_FILENO, &tool->op, out, err);
		if (r >= 0)
			(void)lseek(STDIN_FILENO, (off_t)ociw_descriptor_size(*out), SEEK_CUR);
		return r;
	}
	int r = open_input(tool, &input, err);
	return r < 0 ? r : ociw_content_put_stream(end->content, type, input, &tool->op, out, err);
}

static int run_blob_put(struct tool *tool, void *options, int argc, char **argv)
{
	const struct blob_command *command = options;
	const char *type = command->media_type ? command->media_type : "application/octet-stream";
	ociw_descriptor *desc = NULL;
	ociw_error *err = NULL;
	struct end end;

	if (argc != 2)
		return tool_usage(&cmd_blob_put, "needs a repository or layout, and a file");
	int status = end_open(tool, argv[0], END_WRITE, &end);
	if (status != 0)
		return status;
	int r = strcmp(argv[1], "-") == 0 ? put_input(tool, &end, type, &desc, &err)
					  : ociw_content_put_file(end.content, type, argv[1],
								  &tool->op, &desc, &err);
	if (r < 0) {
		status = tool_fail(tool, err);
	} else {
		print_descriptor(tool, argv[0], desc);
		status = tool_finish(tool);
	}
	end_close(&end);
	ociw_descriptor_free(desc);
	return status;
}

static int run_blob_delete(struct tool *tool, void *options, int argc, char **argv)
{
	ociw_error *err = NULL;
	struct end end;

	(void)options;
	if (argc != 1)
		return tool_usage(&cmd_blob_delete, "needs one blob");
	int status = end_open(tool, argv[0], END_WRITE, &end);
	if (status != 0)
		return status;
	const char *digest = digest_of(&cmd_blob_delete, &end, argv[0]);
	if (!digest)
		status = EXIT_USAGE;
	else if (ociw_content_delete_blob(end.content, digest, &tool->op, &err) < 0)
		status = tool_fail(tool, err);
	else
		status = print_deleted(tool, argv[0], digest);
	end_close(&end);
	return status;
}

const struct command cmd_blob_get = {
	.name = "blob get",
	.group = "Parts",
	.operands = "REPOSITORY@DIGEST",
	.summary = "Download one blob, verified",
	.description = "Writes a blob to standard output or a file. A file appears only when every byte "
		       "was right; on standard output the exit status tells.\n"
		       "  oci-wasm blob get ghcr.io/me/app@sha256:... -o app.wasm",
	.options = get_specs,
	.option_count = TOOL_COUNT(get_specs),
	.options_size = sizeof(struct blob_command),
	.uses_registry = true,
	.run = run_blob_get,
};

const struct command cmd_blob_put = {
	.name = "blob put",
	.group = "Parts",
	.operands = "REPOSITORY FILE",
	.summary = "Upload one file as a blob",
	.description = "Stores a file, or standard input for \"-\", as a blob and prints its digest.\n"
		       "  oci-wasm blob put localhost:5000/app app.wasm",
	.options = put_specs,
	.option_count = TOOL_COUNT(put_specs),
	.options_size = sizeof(struct blob_command),
	.uses_registry = true,
	.run = run_blob_put,
};

const struct command cmd_blob_delete = {
	.name = "blob delete",
	.group = "Parts",
	.operands = "REPOSITORY@DIGEST",
	.summary = "Delete one blob",
	.description = "Deletes a blob by digest. Manifests that name it break.",
	.uses_registry = true,
	.run = run_blob_delete,
};
