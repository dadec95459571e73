/* SPDX-License-Identifier: Apache-2.0
 *
 * oci-wasm: the table of commands, dispatch, and what a signal does. Each command is in cmd-NAME.c and
 * calls one library function.
 */
#include "exit-status.h"
#include "tool.h"
#include "credentials.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct command *const commands[] = {
	&cmd_pack,         &cmd_push,         &cmd_convert,
	&cmd_spin_lock,    &cmd_spin_check,
	&cmd_pull,         &cmd_copy,         &cmd_tag,       &cmd_delete,
	&cmd_extract,
	&cmd_inspect,      &cmd_resolve,      &cmd_tags,      &cmd_referrers,
	&cmd_attach,
	&cmd_manifest_get, &cmd_manifest_put, &cmd_manifest_delete,
	&cmd_blob_get,     &cmd_blob_put,     &cmd_blob_delete,
	&cmd_store_list,   &cmd_store_verify, &cmd_store_gc,
	&cmd_login,        &cmd_logout,       &cmd_catalog,
	&cmd_version,      &cmd_help,         &cmd_completion,
};

const struct command *const *tool_commands(size_t *count)
{
	*count = TOOL_COUNT(commands);
	return commands;
}

/* A signal handler has no argument to carry these. */
static ociw_cancel *signal_cancel;
static volatile sig_atomic_t signal_seen;

static void on_signal(int number)
{
	if (signal_seen)
		_exit(128 + number); /* asked twice: clean-up hangs or takes too long */
	signal_seen = number;
	ociw_cancel_trigger(signal_cancel);
}

static void catch_signals(ociw_cancel *cancel)
{
	struct sigaction action = {.sa_handler = on_signal};

	signal_cancel = cancel;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* so that a write over the limit is EFBIG (extraction.md D10) */
}

/* The command that argv begins with; the longest name wins. *words says how many it has. */
static const struct command *find_command(int argc, char **argv, int *words)
{
	char two[64];

	if (argc >= 2 && snprintf(two, sizeof(two), "%s %s", argv[0], argv[1]) < (int)sizeof(two)) {
		for (size_t i = 0; i < TOOL_COUNT(commands); i++) {
			if (strcmp(commands[i]->name, two) == 0) {
				*words = 2;
				return commands[i];
			}
		}
	}
	*words = 1;
	for (size_t i = 0; i < TOOL_COUNT(commands); i++) {
		if (strcmp(commands[i]->name, argv[0]) == 0)
			return commands[i];
	}
	return NULL;
}

/* True for the first word of two-word commands, such as "manifest". */
static bool is_command_family(const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < TOOL_COUNT(commands); i++) {
		if (strncmp(commands[i]->name, word, len) == 0 && commands[i]->name[len] == ' ')
			return true;
	}
	return false;
}

static int unknown_command(const char *word, const char *next)
{
	const char *names[TOOL_COUNT(commands)];

	if (is_command_family(word)) {
		fprintf(stderr, "oci-wasm: \"%s\" needs one of:", word);
		for (size_t i = 0; i < TOOL_COUNT(commands); i++) {
			size_t len = strlen(word);
			if (strncmp(commands[i]->name, word, len) == 0 &&
			    commands[i]->name[len] == ' ')
				fprintf(stderr, " %s", commands[i]->name + len + 1);
		}
		fputs(next ? "\n" : "; see oci-wasm help\n", stderr);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < TOOL_COUNT(commands); i++)
		names[i] = commands[i]->name;
	const char *near = nearest_word(word, names, TOOL_COUNT(commands));
	fputs("oci-wasm: unknown command \"", stderr);
	print_escaped(stderr, word);
	if (near)
		fprintf(stderr, "\"; did you mean %s?\n", near);
	else
		fputs("\"; see oci-wasm help\n", stderr);
	return EXIT_USAGE;
}

static void tool_deinit(struct tool *tool)
{
	ociw_client_free(tool->client);
	credentials_free(tool->credentials);
	progress_free(tool->progress);
	signal_cancel = NULL;
	ociw_cancel_free(tool->cancel);
}

static int run_command(const struct command *command, int argc, char **argv)
{
	struct tool tool = {.op = OCIW_OP_INIT, .limits = OCIW_LIMITS_INIT};
	void *options = calloc(1, command->options_size + 1);
	char *message = NULL;
	struct option_table tables[] = {
		{command->options, command->option_count, options},
		{common_option_specs, common_option_count, &tool.common},
		{registry_option_specs, command->uses_registry ? registry_option_count : 0,
		 &tool.registry},
	};

	if (!options)
		return EXIT_OTHER;
	int operands = options_parse(tables, TOOL_COUNT(tables), argc, argv, &message);
	int status = EXIT_OTHER;
	if (tool.common.help) {
		char *name = (char *)command->name;
		status = cmd_help.run(&tool, NULL, 1, &name);
	} else if (operands < 0) {
		status = tool_usage(command, "%s", message ? message : "out of memory");
	} else {
		tool.cancel = ociw_cancel_new();
		tool.progress = progress_new(&tool.common);
		tool.op.limits = &tool.limits;
		tool.op.event = progress_event;
		tool.op.user_data = tool.progress;
		tool.op.cancel = tool.cancel;
		if (tool.cancel && tool.progress) {
			catch_signals(tool.cancel);
			status = command->run(&tool, options, operands, argv);
		}
	}
	for (size_t i = 0; i < command->option_count; i++) {
		if (command->options[i].kind == OPTION_LIST)
			string_list_free((struct string_list *)(void *)((char *)options +
									command->options[i].offset));
	}
	free(options);
	free(message);
	tool_deinit(&tool);
	return signal_seen ? 128 + signal_seen : status;
}

static int run(int argc, char **argv)
{
	int words;

	if (argc < 2) {
		struct tool tool = {.op = OCIW_OP_INIT};
		(void)cmd_help.run(&tool, NULL, 0, NULL);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
		argv[1] = (char *)"version";
	else if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		argv[1] = (char *)"help";
	const struct command *command = find_command(argc - 1, argv + 1, &words);
	if (!command && argc == 3 && is_command_family(argv[1]) &&
	    (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)) {
		struct tool tool = {.op = OCIW_OP_INIT};
		return cmd_help.run(&tool, NULL, 1, argv + 1);
	}
	if (!command)
		return unknown_command(argv[1], argc > 2 ? argv[2] : NULL);
	return run_command(command, argc - 1 - words, argv + 1 + words);
}

int main(int argc, char **argv)
{
	int status = run(argc, argv);
#ifdef TOOL_QUICK_EXIT
	/* What 35 shared libraries would still free goes with the process. */
	(void)fflush(NULL);
	quick_exit(status);
#endif
	return status;
}
