/* SPDX-License-Identifier: Apache-2.0
 *
 * oci-wasm login, logout and catalog: what concerns a registry as a whole. CRD-7, CRD-8.
 */
#include "credentials.h"
#include "exit-status.h"
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define SECRET_MAX (64 * 1024)

struct login_options {
	const char *username;
	bool password_stdin;
	bool identity_token_stdin;
};

static const struct option_spec login_specs[] = {
        {"username", 'u', OPTION_STRING, offsetof(struct login_options, username), "NAME",
         "user name; asked for on a terminal when left out", NULL},
        {"password-stdin", 0, OPTION_FLAG, offsetof(struct login_options, password_stdin), NULL,
         "read the password from standard input", NULL},
        {"identity-token-stdin", 0, OPTION_FLAG,
         offsetof(struct login_options, identity_token_stdin), NULL,
         "read an OAuth2 refresh token from standard input instead of a password", NULL},
};

static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

/* A host as the library names it; to be freed. NULL after a failure that has been told. */
static char *host_name(struct tool *tool, const char *text)
{
	ociw_reference *ref = NULL;
	ociw_error *err = NULL;
	char *full = NULL, *host = NULL;

	if (strncmp(text, "https://", 8) == 0)
		text += 8;
	size_t len = strcspn(text, "/");
	if (asprintf(&full, "%.*s/a/b", (int)len, text) < 0)
		return NULL;
	if (ociw_reference_parse(full, &ref, &err) < 0)
		tool_fail(tool, err);
	else if (strcmp(ociw_reference_repository(ref), "a/b") != 0)
		fprintf(stderr, "oci-wasm: that is no registry: it needs a \".\", a port, or to be "
		                "localhost\n");
	else
		host = strdup(ociw_reference_host(ref));
	ociw_reference_free(ref);
	free(full);
	return host;
}

/* ---- asking ---- */

static char *read_line(const char *prompt, bool hidden)
{
	struct termios old, quiet;
	char *line = NULL;
	size_t cap = 0;

	fputs(prompt, stderr);
	bool changed = hidden && tcgetattr(STDIN_FILENO, &old) == 0;
	if (changed) {
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	ssize_t n = getline(&line, &cap, stdin);
	if (changed) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
		fputc('\n', stderr);
	}
	if (n < 0) {
		wipe(line);
		return NULL;
	}
	line[strcspn(line, "\r\n")] = 0;
	return line;
}

/* All of stdin without its last newline. */
static char *read_secret(void)
{
	char *text = calloc(1, SECRET_MAX + 1);
	size_t len = text ? fread(text, 1, SECRET_MAX, stdin) : 0;

	if (!text || ferror(stdin) || memchr(text, 0, len)) {
		wipe(text);
		return NULL;
	}
	if (len > 0 && text[len - 1] == '\n')
		text[--len] = 0;
	if (len > 0 && text[len - 1] == '\r')
		text[--len] = 0;
	return text;
}

/* Fills user and secret; 0 or an exit status that has been told. */
static int ask(const struct login_options *options, char **user, char **secret)
{
	bool from_stdin = options->password_stdin || options->identity_token_stdin;
	bool terminal = isatty(STDIN_FILENO);

	if (options->password_stdin && options->identity_token_stdin)
		return tool_usage(&cmd_login, "takes one of --password-stdin and "
		                              "--identity-token-stdin");
	if (!from_stdin && !terminal)
		return tool_usage(&cmd_login, "needs --password-stdin, as there is no terminal");
	if (!options->username && !options->identity_token_stdin && from_stdin)
		return tool_usage(&cmd_login, "needs --username with --password-stdin");
	if (options->username)
		*user = strdup(options->username);
	else if (!options->identity_token_stdin)
		*user = read_line("Username: ", false);
	*secret = from_stdin ? read_secret() : read_line("Password: ", true);
	if (!*secret || !**secret || (!*user && !options->identity_token_stdin)) {
		fprintf(stderr, "oci-wasm: no %s was given\n", *secret ? "password" : "input");
		return EXIT_USAGE;
	}
	return 0;
}

/* ---- login ---- */

/* Answers with what is to be tried, whatever is stored. */
struct trial {
	const ociw_credential *credential;
	const char *host;
};

static int answer_trial(const char *host, bool rejected, ociw_credential_request *request,
                        void *user_data, ociw_error **err)
{
	const struct trial *trial = user_data;

	(void)err;
	if (rejected || strcmp(host, trial->host) != 0)
		return 0;
	int r = ociw_credential_answer(request, trial->credential);
	return r < 0 ? r : 1;
}

/* {"registry":...,"kept":...}: where the credentials are now. */
static void print_kept(const char *host, const char *where)
{
	fputs("{\"registry\":", stdout);
	json_print_string(stdout, host);
	fputs(",\"kept\":", stdout);
	json_print_string(stdout, where ? where : "the credential store");
	fputs("}\n", stdout);
}

static int check_and_store(struct tool *tool, const char *host, const ociw_credential *credential)
{
	struct trial trial = {credential, host};
	ociw_error *err = NULL;
	char *where = NULL;
	ociw_client *client = tool_client(tool);

	if (!client)
		return tool->client_status;
	ociw_client_set_credentials(client, answer_trial, &trial);
	int r = ociw_client_ping(client, host, &tool->op, &err);
	ociw_client_set_credentials(client, NULL, NULL);
	if (r >= 0)
		r = credentials_store(tool->credentials, host, credential, &where, &err);
	if (r < 0)
		return tool_fail(tool, err);
	if (tool->common.json)
		print_kept(host, where);
	else if (!tool->common.quiet)
		fprintf(stderr, "oci-wasm: logged in to %s; kept in %s\n", host,
		        where ? where : "the credential store");
	free(where);
	return tool_finish(tool);
}

static int run_login(struct tool *tool, void *options, int argc, char **argv)
{
	const struct login_options *o = options;
	char *user = NULL, *secret = NULL;

	if (argc > 1)
		return tool_usage(&cmd_login, "needs one registry at most");
	char *host = host_name(tool, argc ? argv[0] : "docker.io");
	if (!host)
		return EXIT_USAGE;
	int status = ask(o, &user, &secret);
	if (status == 0) {
		ociw_credential credential = {
		        .size = sizeof(credential), .username = user, .source = "the command line"};
		if (o->identity_token_stdin)
			credential.identity_token = secret;
		else
			credential.password = secret;
		status = check_and_store(tool, host, &credential);
	}
	wipe(user);
	wipe(secret);
	free(host);
	return status;
}

static int run_logout(struct tool *tool, void *options, int argc, char **argv)
{
	ociw_error *err = NULL;

	(void)options;
	if (argc > 1)
		return tool_usage(&cmd_logout, "needs one registry at most");
	char *host = host_name(tool, argc ? argv[0] : "docker.io");
	if (!host)
		return EXIT_USAGE;
	struct credentials *credentials = credentials_new(tool->registry.registry_config);
	int r = credentials ? credentials_erase(credentials, host, &err) : OCIW_ERR_NOMEM;
	int status = EXIT_OK;
	if (r >= 0 && tool->common.json) {
		fputs("{\"registry\":", stdout);
		json_print_string(stdout, host);
		printf(",\"forgotten\":%s}\n", r ? "true" : "false");
		status = tool_finish(tool);
	} else if (r < 0)
		status = tool_fail(tool, err);
	else if (!tool->common.quiet)
		fprintf(stderr,
		        r ? "oci-wasm: logged out of %s\n" : "oci-wasm: was not logged in to %s\n",
		        host);
	credentials_free(credentials);
	free(host);
	return status;
}

/* ---- catalog ---- */

struct catalog_state {
	bool json, any;
};

static int print_repository(const char *name, const ociw_descriptor *desc, void *user_data)
{
	struct catalog_state *state = user_data;

	(void)desc;
	if (state->json) {
		fputc(state->any ? ',' : '[', stdout);
		json_print_string(stdout, name);
	} else {
		print_escaped(stdout, name);
		fputc('\n', stdout);
	}
	state->any = true;
	return 0;
}

static int run_catalog(struct tool *tool, void *options, int argc, char **argv)
{
	struct catalog_state state = {.json = tool->common.json};
	ociw_tags_options tags = OCIW_TAGS_OPTIONS_INIT;
	ociw_error *err = NULL;

	(void)options;
	if (argc != 1)
		return tool_usage(&cmd_catalog, "needs one registry");
	char *host = host_name(tool, argv[0]);
	if (!host)
		return EXIT_USAGE;
	ociw_client *client = tool_client(tool);
	int status = client ? 0 : tool->client_status;
	tags.op = &tool->op;
	if (client &&
	    ociw_client_catalog(client, host, &tags, print_repository, &state, &err) < 0) {
		status = tool_fail(tool, err);
	} else if (client) {
		if (state.json)
			fputs(state.any ? "]\n" : "[]\n", stdout);
		status = tool_finish(tool);
	}
	free(host);
	return status;
}

const struct command cmd_login = {
        .name = "login",
        .group = "Registries",
        .operands = "[REGISTRY]",
        .summary = "Keep credentials for a registry",
        .description =
                "Checks credentials with the registry (docker.io when left out) and keeps them "
                "where docker keeps them: in the credential helper that is configured, else in "
                "~/.docker/config.json or the file that --registry-config names.\n"
                "  oci-wasm login ghcr.io -u me --password-stdin < token",
        .options = login_specs,
        .option_count = TOOL_COUNT(login_specs),
        .options_size = sizeof(struct login_options),
        .uses_registry = true,
        .run = run_login,
};

const struct command cmd_logout = {
        .name = "logout",
        .group = "Registries",
        .operands = "[REGISTRY]",
        .summary = "Forget the credentials for a registry",
        .description = "Removes what is kept for a registry from helpers and files.\n"
                       "  oci-wasm logout ghcr.io",
        .uses_registry = true,
        .run = run_logout,
};

const struct command cmd_catalog = {
        .name = "catalog",
        .group = "Registries",
        .operands = "REGISTRY",
        .summary = "List the repositories of a registry",
        .description =
                "Lists the repositories of a registry, one a line. Many registries do not allow "
                "it.\n"
                "  oci-wasm catalog localhost:5000",
        .uses_registry = true,
        .run = run_catalog,
};
