/* SPDX-License-Identifier: Apache-2.0
 *
 * oci-wasm store list, store verify and store gc: the upkeep of a layout directory.
 */
#include "exit-status.h"
#include "tool.h"

#include <stdlib.h>
#include <string.h>

/* The directory that is meant: "oci:DIR", DIR, or the user's own store; NULL has been told. */
static char *directory_of(const struct command *command, int argc, char **argv)
{
	const char *given = argc ? argv[0] : NULL;
	char *path = NULL;

	if (argc > 1) {
		(void)tool_usage(command, "takes one layout directory");
		return NULL;
	}
	if (!given) {
		path = store_path();
		if (!path)
			(void)tool_usage(command, "there is no store: HOME is not set");
		return path;
	}
	if (strncmp(given, "oci:", 4) == 0)
		given += 4;
	return strdup(given);
}

static int open_directory(struct tool *tool, const struct command *command, int argc, char **argv,
                          unsigned flags, ociw_content **out)
{
	char *path = directory_of(command, argc, argv);
	ociw_error *err = NULL;

	if (!path)
		return EXIT_USAGE;
	int r = ociw_layout_open(path, flags, out, &err);
	free(path);
	return r < 0 ? tool_fail(tool, err) : EXIT_OK;
}

struct listing {
	bool json, any;
};

static int print_entry(const char *name, const ociw_descriptor *desc, void *user_data)
{
	struct listing *listing = user_data;

	if (!listing->json) {
		printf("%s ", ociw_descriptor_digest(desc));
		print_escaped(stdout, name ? name : "-");
		fputc('\n', stdout);
		return 0;
	}
	fputs(listing->any ? ",{\"name\":" : "{\"name\":", stdout);
	if (name)
		json_print_string(stdout, name);
	else
		fputs("null", stdout);
	fputs(",\"digest\":", stdout);
	json_print_string(stdout, ociw_descriptor_digest(desc));
	fputs(",\"mediaType\":", stdout);
	json_print_string(stdout, ociw_descriptor_media_type(desc));
	printf(",\"size\":%llu}", (unsigned long long)ociw_descriptor_size(desc));
	listing->any = true;
	return 0;
}

static int run_list(struct tool *tool, void *options, int argc, char **argv)
{
	struct listing listing = {.json = tool->common.json};
	ociw_content *layout = NULL;
	ociw_error *err = NULL;

	(void)options;
	int status = open_directory(tool, &cmd_store_list, argc, argv, OCIW_LAYOUT_READ, &layout);
	if (status != EXIT_OK)
		return status;
	if (listing.json)
		fputc('[', stdout);
	if (ociw_content_list(layout, &tool->op, print_entry, &listing, &err) < 0) {
		status = tool_fail(tool, err);
	} else {
		if (listing.json)
			fputs("]\n", stdout);
		status = tool_finish(tool);
	}
	ociw_content_free(layout);
	return status;
}

struct report {
	bool json, any, deletes;
	size_t blobs;
};

/* What is told about a finding, in words and in JSON; NULL: nothing. */
static const char *kind_text(const struct report *report, ociw_finding_kind kind)
{
	switch (kind) {
	case OCIW_FINDING_GOOD:
		return NULL;
	case OCIW_FINDING_DAMAGED:
		return "damaged";
	case OCIW_FINDING_MISSING:
		return "missing";
	case OCIW_FINDING_BROKEN:
		return "broken";
	case OCIW_FINDING_UNREFERENCED:
		return report->deletes ? "removed" : "unreferenced";
	case OCIW_FINDING_YOUNG:
		return "young";
	case OCIW_FINDING_LEFTOVER:
		return report->deletes ? "removed-leftover" : "leftover";
	case OCIW_FINDING_UNNAMED:
		return report->deletes ? "dropped" : "unnamed";
	}
	return NULL;
}

static int print_finding(const ociw_finding *finding, void *user_data)
{
	struct report *report = user_data;
	const char *text = kind_text(report, finding->kind);

	report->blobs += finding->kind == OCIW_FINDING_GOOD;
	if (!text)
		return 0;
	if (!report->json) {
		printf("%s ", text);
		print_escaped(stdout, finding->digest);
		if (finding->message) {
			fputs(": ", stdout);
			print_escaped(stdout, finding->message);
		}
		fputc('\n', stdout);
		return 0;
	}
	printf("%s{\"kind\":\"%s\",\"digest\":", report->any ? "," : "", text);
	json_print_string(stdout, finding->digest);
	printf(",\"bytes\":%llu", (unsigned long long)finding->bytes);
	if (finding->message) {
		fputs(",\"message\":", stdout);
		json_print_string(stdout, finding->message);
	}
	fputc('}', stdout);
	report->any = true;
	return 0;
}

static int run_verify(struct tool *tool, void *options, int argc, char **argv)
{
	struct report report = {.json = tool->common.json};
	ociw_content *layout = NULL;
	ociw_error *err = NULL;

	(void)options;
	int status = open_directory(tool, &cmd_store_verify, argc, argv, OCIW_LAYOUT_READ, &layout);
	if (status != EXIT_OK)
		return status;
	if (report.json)
		fputs("{\"findings\":[", stdout);
	int r = ociw_layout_verify(layout, &tool->op, print_finding, &report, &err);
	if (report.json)
		printf("],\"good\":%zu}\n", report.blobs);
	else if (r >= 0 && !tool->common.quiet)
		printf("%zu blobs are right\n", report.blobs);
	status = r < 0 ? tool_fail(tool, err) : tool_finish(tool);
	ociw_content_free(layout);
	return status;
}

struct gc_command {
	bool deletes;
	bool unnamed;
	bool any_age;
	uint64_t min_age;
};

static const struct option_spec gc_specs[] = {
        {"delete", 0, OPTION_FLAG, offsetof(struct gc_command, deletes), NULL,
         "really remove; without it, only say what would be removed", NULL},
        {"unnamed", 0, OPTION_FLAG, offsetof(struct gc_command, unnamed), NULL,
         "images that lost their name go too, unless they refer to one that is kept", NULL},
        {"min-age", 0, OPTION_NUMBER, offsetof(struct gc_command, min_age), "SECONDS",
         "leave what is younger, for programs that write without a lock (default: 600)", NULL},
        {"any-age", 0, OPTION_FLAG, offsetof(struct gc_command, any_age), NULL,
         "remove young blobs too", NULL},
};

static int run_gc(struct tool *tool, void *options, int argc, char **argv)
{
	const struct gc_command *command = options;
	struct report report = {.json = tool->common.json, .deletes = command->deletes};
	ociw_gc_options gc = OCIW_GC_OPTIONS_INIT;
	ociw_content *layout = NULL;
	ociw_error *err = NULL;
	uint64_t freed = 0;

	int status =
	        open_directory(tool, &cmd_store_gc, argc, argv,
	                       command->deletes ? OCIW_LAYOUT_WRITE : OCIW_LAYOUT_READ, &layout);
	if (status != EXIT_OK)
		return status;
	gc.op = &tool->op;
	gc.flags = (command->deletes ? OCIW_GC_DELETE : 0) |
	           (command->unnamed ? OCIW_GC_UNNAMED : 0) |
	           (command->any_age ? OCIW_GC_ANY_AGE : 0);
	gc.min_age_seconds =
	        (uint32_t)(command->min_age > UINT32_MAX ? UINT32_MAX : command->min_age);
	if (report.json)
		fputs("{\"findings\":[", stdout);
	int r = ociw_layout_gc(layout, &gc, print_finding, &report, &freed, &err);
	if (report.json)
		printf("],\"bytes\":%llu}\n", (unsigned long long)freed);
	else if (r >= 0 && !tool->common.quiet)
		printf(command->deletes ? "%llu bytes freed\n" : "%llu bytes to free\n",
		       (unsigned long long)freed);
	status = r < 0 ? tool_fail(tool, err) : tool_finish(tool);
	ociw_content_free(layout);
	return status;
}

const struct command cmd_store_list = {
        .name = "store list",
        .group = "Store",
        .operands = "[DIR]",
        .summary = "List the images of a layout directory by digest and name",
        .description =
                "Lists what a layout directory holds, one image a line: its digest, then its "
                "name, or - where it has none. Without DIR it is your own store.\n"
                "  oci-wasm store list image",
        .run = run_list,
};

const struct command cmd_store_verify = {
        .name = "store verify",
        .group = "Store",
        .operands = "[DIR]",
        .summary = "Check every blob and manifest of a layout directory",
        .description =
                "Reads every blob of a layout directory and everything its index leads to, and "
                "prints what is damaged, broken or missing. Changes nothing. Without DIR it is "
                "your own store.\n"
                "  oci-wasm store verify image",
        .run = run_verify,
};

const struct command cmd_store_gc = {
        .name = "store gc",
        .group = "Store",
        .operands = "[DIR]",
        .summary = "Remove blobs that no image of a layout directory needs",
        .description =
                "Finds the blobs that nothing in the index of a layout directory leads to, and "
                "what stopped writers left, and removes them with --delete. Without DIR it is "
                "your own store.\n"
                "  oci-wasm store gc --delete image",
        .options = gc_specs,
        .option_count = TOOL_COUNT(gc_specs),
        .options_size = sizeof(struct gc_command),
        .run = run_gc,
};
