/* SPDX-License-Identifier: Apache-2.0
 *
 * What commands share: common options, opening ends, telling failures.
 */
#include "tool.h"
#include "credentials.h"
#include "exit-status.h"
#include "system-settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const struct option_spec common_option_specs[] = {
	{"json", 0, OPTION_FLAG, offsetof(struct common_options, json), NULL,
	 "print the result as JSON", NULL},
	{"quiet", 'q', OPTION_FLAG, offsetof(struct common_options, quiet), NULL,
	 "no progress and no warnings", NULL},
	{"verbose", 'v', OPTION_FLAG, offsetof(struct common_options, verbose), NULL,
	 "say what is done, a line each", NULL},
	{"help", 'h', OPTION_FLAG, offsetof(struct common_options, help), NULL,
	 "show this help", NULL},
};
const size_t common_option_count = TOOL_COUNT(common_option_specs);

const struct option_spec registry_option_specs[] = {
	{"plain-http", 0, OPTION_FLAG, offsetof(struct registry_options, plain_http), NULL,
	 "talk HTTP without TLS (loopback registries need no switch)", NULL},
	{"insecure", 0, OPTION_FLAG, offsetof(struct registry_options, insecure), NULL,
	 "do not verify TLS certificates", NULL},
	{"ca-file", 0, OPTION_STRING, offsetof(struct registry_options, ca_file), "FILE",
	 "trust these CA certificates (PEM) instead of the system's", NULL},
	{"cert", 0, OPTION_STRING, offsetof(struct registry_options, cert), "FILE",
	 "client certificate (PEM)", NULL},
	{"key", 0, OPTION_STRING, offsetof(struct registry_options, key), "FILE",
	 "key of the client certificate (PEM)", NULL},
	{"registry-config", 0, OPTION_STRING, offsetof(struct registry_options, registry_config), "FILE",
	 "look for credentials in this file first", NULL},
};
const size_t registry_option_count = TOOL_COUNT(registry_option_specs);

/* Where uploads are noted that did not end; without a home they are not. */
static int set_uploads_dir(ociw_client *client, ociw_error **err)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int n = -1;

	if (state && state[0] == '/')
		n = asprintf(&path, "%s/oci-wasm/uploads", state);
	else if (home && home[0] == '/')
		n = asprintf(&path, "%s/.local/state/oci-wasm/uploads", home);
	int r = n < 0 ? 0 : ociw_client_set_uploads_dir(client, path, err);
	if (n >= 0)
		free(path);
	return r;
}

int tool_client_new(struct tool *tool, ociw_client **out, ociw_error **err)
{
	ociw_client *client = NULL;

	*out = NULL;
	int r = ociw_client_new(&client, err);
	if (r >= 0) {
		ociw_client_set_plain_http(client, tool->registry.plain_http);
		ociw_client_set_insecure(client, tool->registry.insecure);
	}
	if (r >= 0 && !tool->credentials)
		tool->credentials = credentials_new(tool->registry.registry_config);
	if (r >= 0 && tool->credentials)
		ociw_client_set_credentials(client, credentials_find, tool->credentials);
	if (r >= 0)
		r = system_settings_apply(client, err);
	if (r >= 0)
		r = set_uploads_dir(client, err);
	if (r >= 0 && tool->registry.ca_file)
		r = ociw_client_set_ca_file(client, tool->registry.ca_file, err);
	if (r >= 0 && tool->registry.cert)
		r = ociw_client_set_certificate(client, tool->registry.cert, tool->registry.key,
						err);
	if (r >= 0)
		*out = client;
	else
		ociw_client_free(client);
	return r < 0 ? r : 0;
}

ociw_client *tool_client(struct tool *tool)
{
	ociw_error *err = NULL;

	if (!tool->client && tool_client_new(tool, &tool->client, &err) < 0)
		tool->client_status = tool_fail(tool, err);
	return tool->client;
}

char *store_path(void)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int n = -1;

	if (data && data[0] == '/')
		n = asprintf(&path, "%s/oci-wasm/store", data);
	else if (home && home[0] == '/')
		n = asprintf(&path, "%s/.local/share/oci-wasm/store", home);
	return n < 0 ? NULL : path;
}

/* Makes the folders above a path, private to the user; what is there stays as it is. */
static void make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0700); /* opening the store says what is wrong */
		*slash = '/';
	}
}

static int open_store(enum end_use use, ociw_content **out, ociw_error **err)
{
	char *path = store_path();

	if (!path) {
		fprintf(stderr, "oci-wasm: there is no store: HOME is not set\n");
		return OCIW_ERR_INVALID;
	}
	if (use == END_WRITE)
		make_parents(path);
	int r = ociw_layout_open(path,
				 use == END_WRITE ? OCIW_LAYOUT_WRITE | OCIW_LAYOUT_CREATE
						  : OCIW_LAYOUT_READ,
				 out, err);
	free(path);
	return r;
}

static int open_content(struct tool *tool, const ociw_target *target, enum end_use use,
			ociw_content **out, ociw_error **err)
{
	const char *path = ociw_target_path(target);
	ociw_client *client;

	switch (ociw_target_get_kind(target)) {
	case OCIW_TARGET_REGISTRY:
		client = tool_client(tool);
		if (!client)
			return OCIW_ERR_CANCELLED; /* told already */
		return ociw_client_repository(client, ociw_target_reference(target), out, err);
	case OCIW_TARGET_LAYOUT:
		return ociw_layout_open(path,
					use == END_WRITE ? OCIW_LAYOUT_WRITE | OCIW_LAYOUT_CREATE
							 : OCIW_LAYOUT_READ,
					out, err);
	case OCIW_TARGET_ARCHIVE:
		if (use == END_WRITE)
			return ociw_archive_create(path, out, err);
		return ociw_archive_open(path, &tool->op, out, err);
	case OCIW_TARGET_STORE:
		return open_store(use, out, err);
	case OCIW_TARGET_CONTAINERD:
		break;
	}
	fprintf(stderr, "oci-wasm: containerd: targets are read by oci-wasm-extract only\n");
	return OCIW_ERR_UNSUPPORTED;
}

int end_open(struct tool *tool, const char *text, enum end_use use, struct end *out)
{
	ociw_error *err = NULL;

	memset(out, 0, sizeof(*out));
	if (ociw_target_parse(text, &out->target, &err) < 0) {
		tool_fail(tool, err);
		return EXIT_USAGE;
	}
	if (ociw_target_get_kind(out->target) == OCIW_TARGET_REGISTRY) {
		const ociw_reference *ref = ociw_target_reference(out->target);
		const char *tag = ociw_reference_tag(ref);
		/* Written by tag where there is one, read by digest where there is one (REF-11). */
		out->name = use == END_WRITE && tag ? tag : ociw_reference_name(ref);
	} else {
		out->name = ociw_target_name(out->target);
	}
	int r = open_content(tool, out->target, use, &out->content, &err);
	if (r >= 0)
		return 0;
	end_close(out);
	if (tool->client_status)
		return tool->client_status;
	return err ? tool_fail(tool, err) : exit_status_of((ociw_code)r);
}

static bool is_registry(const char *text)
{
	ociw_target *target = NULL;
	bool yes = ociw_target_parse(text, &target, NULL) >= 0 &&
		   ociw_target_get_kind(target) == OCIW_TARGET_REGISTRY;

	ociw_target_free(target);
	return yes;
}

/* A folder would be made just to say that it has nothing. */
int begin_dry_run(struct tool *tool, const struct command *command, const char *to)
{
	if (!is_registry(to))
		return tool_usage(command, "--dry-run says what a registry would be sent, and %s is none", to);
	tool->dry_run = true;
	return 0;
}

int ends_open(struct tool *tool, const char *from, const char *to, struct end *source,
	      struct end *destination)
{
	/* A registry's client starts while the source is read. A destination on disk is made only for
	 * a source that is there. */
	bool swap = is_registry(to);
	int status = swap ? end_open(tool, to, END_WRITE, destination)
			  : end_open(tool, from, END_READ, source);

	if (status != 0)
		return status;
	status = swap ? end_open(tool, from, END_READ, source)
		      : end_open(tool, to, END_WRITE, destination);
	if (status != 0)
		end_close(swap ? destination : source);
	return status;
}

void end_close(struct end *end)
{
	ociw_content_free(end->content);
	ociw_target_free(end->target);
	memset(end, 0, sizeof(*end));
}

/* What a person can do about a failure, where the message cannot know it. */
static const char *hint_of(ociw_code code)
{
	switch (code) {
	case OCIW_ERR_DENIED:
		return "the credentials in use may not do this; another account may (oci-wasm login)";
	case OCIW_ERR_BUSY:
		return "another process works on it; try again";
	default:
		return NULL;
	}
}

int tool_fail(struct tool *tool, ociw_error *take_err)
{
	ociw_code code = ociw_error_code(take_err);
	const char *hint = hint_of(code);

	progress_clear(tool->progress);
	fprintf(stderr, "oci-wasm: %s\n", ociw_error_message(take_err));
	if (hint && !tool->common.quiet)
		fprintf(stderr, "hint: %s\n", hint);
	ociw_error_free(take_err);
	return exit_status_of(code);
}

int tool_usage(const struct command *command, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fprintf(stderr, "oci-wasm %s: ", command->name);
	print_escaped(stderr, text);
	fprintf(stderr, "\nusage: oci-wasm %s %s\nsee:   oci-wasm %s --help\n", command->name,
		command->operands, command->name);
	return EXIT_USAGE;
}

int tool_finish(struct tool *tool)
{
	progress_clear(tool->progress);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_OK;
	fprintf(stderr, "oci-wasm: cannot write to standard output: %s\n", strerror(errno));
	return EXIT_OTHER;
}

void print_escaped(FILE *out, const char *text)
{
	for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
		if (*s < 0x20 || *s == 0x7f)
			fprintf(out, "\\x%02x", *s);
		else
			fputc(*s, out);
	}
}

void json_print_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if (*s < 0x20)
			fprintf(out, "\\u%04x", *s);
		else
			fputc(*s, out);
	}
	fputc('"', out);
}

void print_descriptor(const struct tool *tool, const char *reference, const ociw_descriptor *desc)
{
	struct dry_run dry = progress_take_dry_run(tool->progress);

	if (!tool->common.json) {
		printf("%s\n", ociw_descriptor_digest(desc));
		if (tool->dry_run)
			progress_say_dry_run(tool->progress, &dry);
		return;
	}
	fputs("{\"reference\":", stdout);
	json_print_string(stdout, reference);
	fputs(",\"digest\":", stdout);
	json_print_string(stdout, ociw_descriptor_digest(desc));
	fputs(",\"mediaType\":", stdout);
	json_print_string(stdout, ociw_descriptor_media_type(desc));
	printf(",\"size\":%llu", (unsigned long long)ociw_descriptor_size(desc));
	if (tool->dry_run)
		printf(",\"wouldSend\":{\"count\":%u,\"bytes\":%llu},\"there\":%u", dry.count,
		       (unsigned long long)dry.bytes, dry.there);
	puts("}");
}

int print_deleted(struct tool *tool, const char *reference, const char *name)
{
	if (tool->common.json) {
		fputs("{\"reference\":", stdout);
		json_print_string(stdout, reference);
		fputs(",\"deleted\":", stdout);
		json_print_string(stdout, name);
		fputs("}\n", stdout);
	}
	return tool_finish(tool);
}

int parse_platform(struct tool *tool, const char *text, ociw_platform **out)
{
	ociw_error *err = NULL;

	*out = NULL;
	if (!text || ociw_platform_parse(text, out, &err) >= 0)
		return 0;
	tool_fail(tool, err);
	return EXIT_USAGE;
}
