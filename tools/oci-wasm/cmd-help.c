/* SPDX-License-Identifier: Apache-2.0
 *
 * oci-wasm help: the list of commands, or the help of one, from the command table.
 */
#include "exit-status.h"
#include "tool.h"

#include <string.h>

static void print_overview(FILE *out)
{
	size_t count;
	const struct command *const *all = tool_commands(&count);
	const char *group = "";

	fputs("usage: oci-wasm COMMAND [OPTION]... [OPERAND]...\n\n"
	      "Packs WebAssembly apps into OCI images, moves them and unpacks them.\n",
	      out);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(group, all[i]->group) != 0) {
			group = all[i]->group;
			fprintf(out, "\n%s\n", group);
		}
		fprintf(out, "  %-17s %s\n", all[i]->name, all[i]->summary);
	}
	fputs("\nAn image is named REGISTRY/REPOSITORY:TAG, oci:DIR:TAG (layout directory) or\n"
	      "oci-archive:FILE:TAG (layout tar). Help on a command: oci-wasm help COMMAND\n"
	      "Exit status: 0 ok, 2 usage, 3 not found, 4 auth, 5 network, 6 integrity,\n"
	      "7 unsuitable input, 8 over a limit, 9 refused by policy, 10 exists or busy.\n",
	      out);
}

static void print_command(FILE *out, const struct command *command)
{
	struct option_table own = {command->options, command->option_count, NULL};
	struct option_table common = {common_option_specs, common_option_count, NULL};
	struct option_table registry = {registry_option_specs, registry_option_count, NULL};
	const char *at = command->description;

	fprintf(out, "usage: oci-wasm %s [OPTION]... %s\n\n", command->name, command->operands);
	while (*at) {
		char line[1024];
		size_t len = strcspn(at, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)len, at);
		if (line[0] == ' ')
			fprintf(out, "%s\n", line); /* an example: as it is */
		else
			print_wrapped(out, line, 0);
		at += len + (at[len] == '\n');
	}
	fputs("\nOptions:\n", out);
	options_print_help(out, &own);
	options_print_help(out, &common);
	if (command->uses_registry) {
		fputs("\nRegistry options:\n", out);
		options_print_help(out, &registry);
	}
}

static int run_help(struct tool *tool, void *options, int argc, char **argv)
{
	size_t count;
	const struct command *const *all = tool_commands(&count);
	char name[64];

	(void)options;
	if (!argc) {
		print_overview(stdout);
		return tool_finish(tool);
	}
	snprintf(name, sizeof(name), argc > 1 ? "%s %s" : "%s", argv[0], argc > 1 ? argv[1] : "");
	bool found = false;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(name);
		bool family = strncmp(all[i]->name, name, len) == 0 && all[i]->name[len] == ' ';
		if (strcmp(all[i]->name, name) != 0 && !family)
			continue;
		if (found)
			fputc('\n', stdout);
		print_command(stdout, all[i]);
		found = true;
	}
	if (!found)
		return tool_usage(&cmd_help, "there is no command \"%s\"", name);
	return tool_finish(tool);
}

const struct command cmd_help = {
	.name = "help",
	.group = "Other",
	.operands = "[COMMAND]",
	.summary = "Show the commands, or how to use one",
	.description = "Shows the list of commands, or the operands and options of one.",
	.run = run_help,
};
