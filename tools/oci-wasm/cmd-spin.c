/* SPDX-License-Identifier: Apache-2.0
 *
 * oci-wasm spin lock and spin check: a Spin manifest as its locked app, and what is wrong with a
 * manifest or an image.
 */
#include "exit-status.h"
#include "tool.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct spin_command {
	const char *profile;
	const char *compat;
	const char *purpose;
	bool allow_outside;
	bool quiet_traps;
	bool no_files;
	bool compact;
	bool werror;
};

#define MEMBER(name) offsetof(struct spin_command, name)
#define MANIFEST_SPECS                                                                             \
	{"profile", 0, OPTION_STRING, MEMBER(profile), "NAME", "build profile of the manifest",    \
	 NULL},                                                                                    \
	        {"compat",       0,      OPTION_STRING,                                            \
	         MEMBER(compat), "TOOL", "accept what this tool accepts",                          \
	         "spin"},                                                                          \
	        {"allow-outside",                                                                  \
	         0,                                                                                \
	         OPTION_FLAG,                                                                      \
	         MEMBER(allow_outside),                                                            \
	         NULL,                                                                             \
	         "let files and symlinks lead out of the app's folder",                            \
	         NULL},                                                                            \
	        {"no-files", 0, OPTION_FLAG, MEMBER(no_files), NULL, "leave file patterns alone",  \
	         NULL},                                                                            \
	{                                                                                          \
		"werror", 0, OPTION_FLAG, MEMBER(werror), NULL, "treat warnings as errors", NULL   \
	}

static const struct option_spec lock_specs[] = {
        MANIFEST_SPECS,
        {"compact", 0, OPTION_FLAG, MEMBER(compact), NULL, "one line, not indented", NULL},
};

static const struct option_spec check_specs[] = {
        MANIFEST_SPECS,
        {"quiet-traps", 0, OPTION_FLAG, MEMBER(quiet_traps), NULL,
         "no warnings about file patterns that often surprise", NULL},
        {"for", 0, OPTION_STRING, MEMBER(purpose), "WHO",
         "who an image is for: nodes, or \"spin up\" (default: nodes, start cost only noted)",
         "node|spin"},
};

static void set_options(struct tool *tool, const struct spin_command *command,
                        ociw_spin_options *out)
{
	out->op = &tool->op;
	out->profile = command->profile;
	out->flags = (command->compat ? OCIW_SPIN_COMPAT : 0) |
	             (command->allow_outside ? OCIW_SPIN_ALLOW_OUTSIDE : 0) |
	             (command->quiet_traps ? OCIW_SPIN_QUIET_TRAPS : 0) |
	             (command->werror ? OCIW_SPIN_WERROR : 0) |
	             (command->no_files ? OCIW_SPIN_NO_FILES : 0) |
	             (command->compact ? OCIW_SPIN_COMPACT : 0);
	if (command->purpose)
		out->flags |= strcmp(command->purpose, "spin") == 0 ? OCIW_SPIN_FOR_SPIN
		                                                    : OCIW_SPIN_FOR_NODE;
}

static int run_lock(struct tool *tool, void *options, int argc, char **argv)
{
	ociw_spin_options spin = OCIW_SPIN_OPTIONS_INIT;
	ociw_writer *writer = NULL;
	ociw_error *err = NULL;

	if (argc > 1)
		return tool_usage(&cmd_spin_lock, "takes one manifest");
	set_options(tool, options, &spin);
	int fd = dup(STDOUT_FILENO);
	int r = fd < 0 ? ociw_error_set(&err, OCIW_ERR_IO, "cannot write to standard output")
	               : ociw_writer_new_fd(fd, &writer, &err);
	if (r >= 0)
		r = ociw_spin_lock(argc ? argv[0] : ".", &spin, writer, &err);
	if (r >= 0)
		r = ociw_writer_write(writer, "\n", 1, &err);
	if (r >= 0)
		r = ociw_writer_commit(writer, &err);
	else
		ociw_writer_abort(writer);
	return r < 0 ? tool_fail(tool, err) : tool_finish(tool);
}

struct report {
	bool json, any;
	const char *image; /* as the user wrote it, NULL for a manifest */
};

/* A finding's own name of an image has no tag: one layout may hold several. */
static const char *place(const ociw_spin_finding *finding, const struct report *report)
{
	return report->image ? report->image : finding->file;
}

static const char *severity_name(uint32_t severity)
{
	return severity == OCIW_SPIN_ERROR     ? "error"
	       : severity == OCIW_SPIN_WARNING ? "warning"
	                                       : "note";
}

static void print_json(const ociw_spin_finding *finding, const struct report *report)
{
	printf("%s{\"severity\":\"%s\",\"rule\":", report->any ? "," : "",
	       severity_name(finding->severity));
	json_print_string(stdout, finding->rule ? finding->rule : "");
	fputs(",\"file\":", stdout);
	json_print_string(stdout, place(finding, report));
	if (finding->line)
		printf(",\"line\":%u,\"column\":%u", finding->line, finding->column);
	if (finding->component) {
		fputs(",\"component\":", stdout);
		json_print_string(stdout, finding->component);
	}
	fputs(",\"message\":", stdout);
	json_print_string(stdout, finding->message);
	fputc('}', stdout);
}

static int print_finding(const ociw_spin_finding *finding, void *user_data)
{
	struct report *report = user_data;

	if (report->json) {
		print_json(finding, report);
		report->any = true;
		return 0;
	}
	printf("%s: %s: ", severity_name(finding->severity), finding->rule ? finding->rule : "app");
	print_escaped(stdout, place(finding, report));
	if (finding->line)
		printf(":%u:%u", finding->line, finding->column);
	if (finding->component) {
		fputs(" component ", stdout);
		print_escaped(stdout, finding->component);
	}
	printf(": %s\n", finding->message);
	return 0;
}

/* The errors found in an image, or a code; *status when it has been told already. */
static int check_image(struct tool *tool, const char *name, const ociw_spin_options *options,
                       struct report *report, int *status, ociw_error **err)
{
	struct end end;

	*status = end_open(tool, name, END_READ, &end);
	if (*status != 0)
		return 0;
	int r = ociw_spin_check_image(end.content, end.name, options, print_finding, report, err);
	end_close(&end);
	return r;
}

static int run_check(struct tool *tool, void *options, int argc, char **argv)
{
	struct report report = {.json = tool->common.json};
	ociw_spin_options spin = OCIW_SPIN_OPTIONS_INIT;
	const char *what = argc ? argv[0] : ".";
	ociw_error *err = NULL;
	int r, status = EXIT_OK;
	struct stat st;

	if (argc > 1)
		return tool_usage(&cmd_spin_check, "takes one manifest or image");
	set_options(tool, options, &spin);
	size_t len = strlen(what);
	bool manifest = stat(what, &st) == 0 || (len >= 5 && strcmp(what + len - 5, ".toml") == 0);
	report.image = manifest ? NULL : what;
	if (report.json)
		fputs("{\"findings\":[", stdout);
	if (manifest)
		r = ociw_spin_check(what, &spin, print_finding, &report, &err);
	else
		r = check_image(tool, what, &spin, &report, &status, &err);
	if (report.json)
		printf("],\"errors\":%d}\n", r < 0 ? 0 : r);
	if (r < 0)
		return tool_fail(tool, err);
	if (status == EXIT_OK)
		status = tool_finish(tool);
	return status == EXIT_OK && r > 0 ? EXIT_UNSUITABLE : status;
}

const struct command cmd_spin_lock = {
        .name = "spin lock",
        .group = "Build",
        .operands = "[FILE]",
        .summary = "Print the locked app that a Spin manifest stands for",
        .description = "Prints the locked app as JSON, as Spin would write it, with file:// URLs "
                       "where a push "
                       "puts digests. FILE is a spin.toml or a folder with one, by default here.\n"
                       "  oci-wasm spin lock spin.toml",
        .options = lock_specs,
        .option_count = TOOL_COUNT(lock_specs),
        .options_size = sizeof(struct spin_command),
        .run = run_lock,
};

const struct command cmd_spin_check = {
        .name = "spin check",
        .group = "Build",
        .operands = "[FILE | IMAGE]",
        .summary = "Say what is wrong or surprising in a Spin manifest or image",
        .description =
                "Prints one line for each finding, \"severity: rule: place: text\", about a "
                "spin.toml "
                "(by default the one here) or an image, and what containerd's Spin shim would make "
                "of "
                "it. What is there as a file or folder is a manifest, anything else an image.\n"
                "  oci-wasm spin check spin.toml\n"
                "  oci-wasm spin check --for=node ghcr.io/me/app:1.0\n"
                "The exit status is 7 when there are errors, else 0.",
        .options = check_specs,
        .option_count = TOOL_COUNT(check_specs),
        .options_size = sizeof(struct spin_command),
        .uses_registry = true,
        .run = run_check,
};
