/* SPDX-License-Identifier: Apache-2.0
 *
 * What every command of oci-wasm shares: the command table's shape, common options, the operation's
 * context, opening the ends that a person names, and how failures are told.
 */
#ifndef OCI_WASM_TOOL_H
#define OCI_WASM_TOOL_H

#include "options.h"

#include <oci-wasm/oci-wasm.h>

struct credentials;
struct progress;

/* Options every command takes. */
struct common_options {
	bool help;
	bool json;
	bool quiet;
	bool verbose;
};

/* Options of commands that may talk to a registry. */
struct registry_options {
	bool plain_http;
	bool insecure;
	const char *ca_file;
	const char *cert;
	const char *key;
	const char *registry_config;
	const char *username;
	bool password_stdin;
	bool debug_http;
};

struct tool {
	struct common_options common;
	struct registry_options registry;
	ociw_op op;
	ociw_limits limits;
	ociw_cancel *cancel;
	ociw_client *client; /* made at first use */
	int client_status;   /* of one that could not be made, which has been told */
	struct credentials *credentials;
	struct progress *progress;
	bool dry_run; /* of a copy: results say what would be sent */
};

struct command {
	const char *name; /* "push", or "manifest get" */
	const char *group;
	const char *operands;
	const char *summary;     /* one line, for the list of commands */
	const char *description; /* paragraphs split by newlines, for --help */
	const struct option_spec *options;
	size_t option_count;
	size_t options_size; /* of the struct that they fill */
	bool uses_registry;
	int (*run)(struct tool *tool, void *options, int argc, char **argv); /* exit status */
};

#define TOOL_COUNT(array) (sizeof(array) / sizeof((array)[0]))

extern const struct option_spec common_option_specs[];
extern const size_t common_option_count;
extern const struct option_spec registry_option_specs[];
extern const size_t registry_option_count;
const struct command *const *tool_commands(size_t *count);

/* One end of an operation. */
struct end {
	ociw_target *target;
	ociw_content *content;
	const char *name; /* tag, name or digest inside; may be NULL. Borrowed from target */
};

enum end_use { END_READ, END_WRITE };

/* Opens what a person named; 0 or the exit status of a failure that has been told. */
int end_open(struct tool *tool, const char *text, enum end_use use, struct end *out);
/* The two ends of a copy, both or none. */
int ends_open(struct tool *tool, const char *from, const char *to, struct end *source,
	      struct end *destination);
/* With --dry-run: 0, or the exit status when @p to is no registry. */
int begin_dry_run(struct tool *tool, const struct command *command, const char *to);
void end_close(struct end *end);

/* The user's store, a layout directory below $XDG_DATA_HOME or ~/.local/share; NULL without a home.
 * To be freed. */
char *store_path(void);

/* The client for registries, made at first use; NULL when it failed, which has been told. */
ociw_client *tool_client(struct tool *tool);
/* One more client with the settings of the command, for the caller to change and free. 0 or a code. */
int tool_client_new(struct tool *tool, ociw_client **out, ociw_error **err);

/* Tells a failure and gives its exit status; takes the error. */
int tool_fail(struct tool *tool, ociw_error *take_err);
/* Tells a usage error of a command: always EXIT_USAGE. */
int tool_usage(const struct command *command, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Ends the output: an error when stdout could not take it all. */
int tool_finish(struct tool *tool);

/* stdout as JSON: a string with quotes and escapes. */
void json_print_string(FILE *out, const char *text);
/* {"reference":...,"digest":...,"mediaType":...,"size":...} and a newline; or just the digest. */
void print_descriptor(const struct tool *tool, const char *reference, const ociw_descriptor *desc);
/* What was deleted, with --json alone: {"reference":...,"deleted":...}. Ends the output. */
int print_deleted(struct tool *tool, const char *reference, const char *name);
/* A platform option, parsed; 0 or an exit status that has been told. NULL text gives NULL. */
int parse_platform(struct tool *tool, const char *text, ociw_platform **out);

/* KEY=VALUE options, cut at the first '='; *out ends with a NULL key. 0 or an exit status. */
int parse_annotations(const struct command *command, const struct string_list *list,
		      ociw_annotation **out);
void free_annotations(ociw_annotation *annotations);

/* progress.c: the event callback, bars on a terminal and quiet lines elsewhere. */
struct progress *progress_new(const struct common_options *options);
void progress_free(struct progress *progress);
int progress_event(const ociw_event *event, void *user_data);
void progress_clear(struct progress *progress);
/* What would be sent, blobs and manifests, and what the far end has; since the last time it was taken. */
struct dry_run {
	unsigned count, there;
	uint64_t bytes;
};
struct dry_run progress_take_dry_run(struct progress *progress);
void progress_say_dry_run(const struct progress *progress, const struct dry_run *dry);

/* Writes bytes that came from outside for a terminal: control characters escaped. */
void print_escaped(FILE *out, const char *text);

#define COMMAND(symbol) extern const struct command symbol
COMMAND(cmd_pack);
COMMAND(cmd_push);
COMMAND(cmd_pull);
COMMAND(cmd_copy);
COMMAND(cmd_extract);
COMMAND(cmd_inspect);
COMMAND(cmd_resolve);
COMMAND(cmd_tags);
COMMAND(cmd_attach);
COMMAND(cmd_blob_delete);
COMMAND(cmd_blob_get);
COMMAND(cmd_blob_put);
COMMAND(cmd_convert);
COMMAND(cmd_delete);
COMMAND(cmd_manifest_delete);
COMMAND(cmd_manifest_get);
COMMAND(cmd_manifest_put);
COMMAND(cmd_referrers);
COMMAND(cmd_spin_check);
COMMAND(cmd_spin_lock);
COMMAND(cmd_store_gc);
COMMAND(cmd_store_list);
COMMAND(cmd_store_verify);
COMMAND(cmd_tag);
COMMAND(cmd_login);
COMMAND(cmd_logout);
COMMAND(cmd_catalog);
COMMAND(cmd_version);
COMMAND(cmd_help);
COMMAND(cmd_completion);
#undef COMMAND

#endif
