/* SPDX-License-Identifier: Apache-2.0
 *
 * The order in which credentials are looked for, and where login keeps them. Parsing is done by the
 * library, running helpers by credential-helper.c. CRD-1..8.
 */
#include "credentials.h"
#include "credential-file.h"
#include "credential-helper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_FOUND_TEXT "credentials not found in native keychain"
#define SOURCES_MAX 8

struct credentials {
	char *config_path;                /* --registry-config */
	char *host, *username, *password; /* of the command line */
};

static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

struct credentials *credentials_new(const char *config_path)
{
	struct credentials *c = calloc(1, sizeof(*c));

	if (!c || !config_path)
		return c;
	c->config_path = strdup(config_path);
	if (c->config_path)
		return c;
	free(c);
	return NULL;
}

void credentials_free(struct credentials *credentials)
{
	if (!credentials)
		return;
	free(credentials->config_path);
	free(credentials->host);
	wipe(credentials->username);
	wipe(credentials->password);
	free(credentials);
}

bool credentials_use(struct credentials *credentials, const char *host, const char *username,
                     const char *password)
{
	free(credentials->host);
	wipe(credentials->username);
	wipe(credentials->password);
	credentials->host = strdup(host);
	credentials->username = strdup(username);
	credentials->password = strdup(password);
	return credentials->host && credentials->username && credentials->password;
}

/* ---- the files there are (CRD-1) ---- */

struct source {
	char *path; /* NULL: the text of DOCKER_AUTH_CONFIG */
};

static void add(struct source *list, size_t *count, char *path)
{
	if (path && *count < SOURCES_MAX)
		list[(*count)++].path = path;
	else
		free(path);
}

static char *join(const char *dir, const char *rest)
{
	char *path = NULL;

	if (!dir || dir[0] != '/' || asprintf(&path, "%s/%s", dir, rest) < 0)
		return NULL;
	return path;
}

static char *docker_file(void)
{
	const char *dir = getenv("DOCKER_CONFIG");

	return dir && *dir ? join(dir, "config.json") : join(getenv("HOME"), ".docker/config.json");
}

static char *copy_of(const char *text)
{
	return text && *text ? strdup(text) : NULL;
}

static size_t list_sources(const struct credentials *c, struct source *list)
{
	size_t count = 0;
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *inline_text = getenv("DOCKER_AUTH_CONFIG");

	add(list, &count, copy_of(c->config_path));
	if (inline_text && *inline_text)
		list[count++].path = NULL;
	add(list, &count, copy_of(getenv("REGISTRY_AUTH_FILE")));
	add(list, &count, join(getenv("XDG_RUNTIME_DIR"), "containers/auth.json"));
	add(list, &count,
	    config && *config ? join(config, "containers/auth.json")
	                      : join(getenv("HOME"), ".config/containers/auth.json"));
	add(list, &count, docker_file());
	return count;
}

static void free_sources(struct source *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i].path);
}

static int read_source(const struct source *source, ociw_docker_config **out, ociw_error **err)
{
	if (source->path)
		return credential_file_read(source->path, out, err);
	const char *text = getenv("DOCKER_AUTH_CONFIG");
	return ociw_docker_config_parse((ociw_span){text, text ? strlen(text) : 0}, out, err);
}

static const char *source_name(const struct source *source)
{
	return source->path ? source->path : "DOCKER_AUTH_CONFIG";
}

/* ---- helpers ---- */

/* A helper's own words, one short line. */
static int helper_failed(const char *helper, const char *verb, char *message, ociw_error **err)
{
	message[strcspn(message, "\r\n")] = 0;
	for (char *p = message; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
	return ociw_error_set(err, OCIW_ERR_AUTH, "docker-credential-%s %s failed: %.200s", helper,
	                      verb, *message ? message : "it did not say why");
}

static int helper_broken(const char *helper, ociw_error **err)
{
	return ociw_error_set(err, OCIW_ERR_AUTH, "docker-credential-%s cannot be used: %s", helper,
	                      strerror(errno));
}

/* 1 answered, 0 it has none, < 0 code. */
static int ask_helper(const char *helper, bool named, const char *host, ociw_docker_config *holder,
                      ociw_credential *out, ociw_error **err)
{
	char *text = NULL;
	size_t len = 0;
	int r = 0;

	switch (helper_run(helper, "get", ociw_docker_config_server(host), &text, &len)) {
	case HELPER_OK:
		r = ociw_docker_helper_answer(holder, (ociw_span){text, len}, out, err);
		break;
	case HELPER_FAILED:
		if (!strstr(text, NOT_FOUND_TEXT))
			r = helper_failed(helper, "get", text, err);
		break;
	case HELPER_MISSING:
		/* For one host it was meant to be used; a store for all may be from another
		 * machine. */
		if (named)
			r = ociw_error_set(
			        err, OCIW_ERR_AUTH,
			        "the credential helper docker-credential-%s of %s is not "
			        "installed",
			        helper, host);
		else
			fprintf(stderr,
			        "oci-wasm: warning: docker-credential-%s is not installed\n",
			        helper);
		break;
	case HELPER_BROKEN:
		r = helper_broken(helper, err);
		break;
	}
	if (text)
		explicit_bzero(text, len);
	free(text);
	return r;
}

/* ---- finding ---- */

static int answer(ociw_credential_request *request, ociw_credential *give, const char *source)
{
	give->source = source;
	int r = ociw_credential_answer(request, give);
	return r < 0 ? r : 1;
}

/* Helper first, then the file itself (CRD-2). */
static int look_into(ociw_docker_config *config, const char *name, const char *host,
                     ociw_credential_request *request, ociw_error **err)
{
	ociw_credential found = {.size = sizeof(found)};
	char where[300];
	bool named = false;
	const char *helper = ociw_docker_config_helper(config, host, &named);

	if (helper) {
		int r = ask_helper(helper, named, host, config, &found, err);
		snprintf(where, sizeof(where), "docker-credential-%.100s", helper);
		if (r != 0)
			return r < 0 ? r : answer(request, &found, where);
	}
	ociw_error *why = NULL;
	int r = ociw_docker_config_find(config, host, ociw_credential_request_repository(request),
	                                &found, &why);
	if (r < 0)
		ociw_error_set(err, (ociw_code)r, "\"%s\": %s", name, ociw_error_message(why));
	ociw_error_free(why);
	return r <= 0 ? r : answer(request, &found, name);
}

int credentials_find(const char *host, bool rejected, ociw_credential_request *request,
                     void *user_data, ociw_error **err)
{
	struct credentials *c = user_data;
	struct source list[SOURCES_MAX];
	int r = 0;

	/* What was refused is not replaced behind the user's back (AUT-11). */
	if (rejected)
		return 0;
	if (c->host && strcmp(c->host, host) == 0) {
		ociw_credential give = {
		        .size = sizeof(give), .username = c->username, .password = c->password};
		return answer(request, &give, "the command line");
	}
	size_t count = list_sources(c, list);
	for (size_t i = 0; i < count && r == 0; i++) {
		ociw_docker_config *config = NULL;
		ociw_error *why = NULL;
		r = read_source(&list[i], &config, &why);
		if (r == 0)
			r = look_into(config, source_name(&list[i]), host, request, &why);
		/* A missing file is no error, but for the one that was named. */
		if (r == OCIW_ERR_NOTFOUND && !(i == 0 && c->config_path)) {
			ociw_error_free(why);
			why = NULL;
			r = 0;
		}
		ociw_docker_config_free(config);
		if (why && err)
			*err = why;
		else
			ociw_error_free(why);
	}
	free_sources(list, count);
	return r;
}

/* ---- login and logout ---- */

/* The file that login writes: the one named, else podman's if the environment points there, else
 * docker's, which everybody reads. */
static char *file_to_write(const struct credentials *c)
{
	if (c->config_path)
		return strdup(c->config_path);
	char *path = copy_of(getenv("REGISTRY_AUTH_FILE"));
	return path ? path : docker_file();
}

static int store_in_helper(const char *helper, const char *host, const ociw_credential *credential,
                           ociw_error **err)
{
	char *request = NULL, *text = NULL;
	size_t len = 0;

	int r = ociw_docker_helper_request(host, credential, &request, err);
	if (r < 0)
		return r;
	switch (helper_run(helper, "store", request, &text, &len)) {
	case HELPER_OK:
		break;
	case HELPER_FAILED:
		r = helper_failed(helper, "store", text, err);
		break;
	case HELPER_MISSING:
		r = ociw_error_set(err, OCIW_ERR_AUTH, "docker-credential-%s is not installed",
		                   helper);
		break;
	case HELPER_BROKEN:
		r = helper_broken(helper, err);
		break;
	}
	wipe(request);
	free(text);
	return r;
}

struct store_job {
	const char *path;
	const char *host;
	const ociw_credential *credential;
	char **where;
};

static int store_change(ociw_docker_config *config, void *user_data, ociw_error **err)
{
	const struct store_job *job = user_data;
	const char *helper = ociw_docker_config_helper(config, job->host, NULL);
	int n, r = 0;

	if (helper)
		r = store_in_helper(helper, job->host, job->credential, err);
	if (r == 0 && job->where) {
		n = helper ? asprintf(job->where, "docker-credential-%s", helper)
		           : asprintf(job->where, "%s", job->path);
		if (n < 0)
			*job->where = NULL;
	}
	if (r == 0)
		r = ociw_docker_config_set(config, job->host, helper ? NULL : job->credential, err);
	return r < 0 ? r : 1;
}

int credentials_store(struct credentials *credentials, const char *host,
                      const ociw_credential *credential, char **where, ociw_error **err)
{
	char *path = file_to_write(credentials);
	struct store_job job = {path, host, credential, where};

	if (where)
		*where = NULL;
	if (!path)
		return ociw_error_set(err, OCIW_ERR_INVALID,
		                      "there is no file for credentials: HOME is not set");
	int r = credential_file_change(path, store_change, &job, err);
	free(path);
	return r < 0 ? r : 0;
}

/* Helpers may not know how to erase; what is not there is fine too. */
static int erase_in_helper(const char *helper, const char *host)
{
	char *text = NULL;
	size_t len = 0;
	enum helper_result result =
	        helper_run(helper, "erase", ociw_docker_config_server(host), &text, &len);

	free(text);
	return result == HELPER_OK;
}

static int erase_change(ociw_docker_config *config, void *user_data, ociw_error **err)
{
	const char *host = user_data;

	(void)err;
	return ociw_docker_config_remove(config, host);
}

/* 1 something was removed. */
static int erase_in_file(const char *path, const char *host, ociw_error **err)
{
	ociw_docker_config *config = NULL;
	ociw_error *why = NULL;
	int removed = 0;

	int r = credential_file_read(path, &config, &why);
	ociw_error_free(why);
	if (r < 0) /* not there, or not ours to judge */
		return 0;
	const char *helper = ociw_docker_config_helper(config, host, NULL);
	if (helper)
		removed = erase_in_helper(helper, host);
	bool listed = ociw_docker_config_remove(config, host) != 0;
	ociw_docker_config_free(config);
	r = listed ? credential_file_change(path, erase_change, (void *)(uintptr_t)host, err) : 0;
	return r < 0 ? r : r || removed;
}

int credentials_erase(struct credentials *credentials, const char *host, ociw_error **err)
{
	struct source list[SOURCES_MAX];
	size_t count = list_sources(credentials, list);
	int removed = 0, r = 0;

	for (size_t i = 0; i < count && r >= 0; i++) {
		r = list[i].path ? erase_in_file(list[i].path, host, err) : 0;
		removed |= r > 0;
	}
	free_sources(list, count);
	return r < 0 ? r : removed;
}
