/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the files are that podman and docker read, too. Reading them is the library's work.
 * containers-certs.d(5), containers-registries.conf(5), containers-registries.conf.d(5).
 */
#include "system-settings.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A path below the user's configuration folder; NULL without one. To be freed. */
static char *user_path(const char *rest)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int n = -1;

	if (config && config[0] == '/')
		n = asprintf(&path, "%s/%s", config, rest);
	else if (home && home[0] == '/')
		n = asprintf(&path, "%s/.config/%s", home, rest);
	return n < 0 ? NULL : path;
}

/* The user's certificates first, then the system's. */
static int add_certs_dirs(ociw_client *client, ociw_error **err)
{
	char *own = user_path("containers/certs.d");
	int r = own ? ociw_client_add_certs_dir(client, own, err) : 0;

	free(own);
	if (r >= 0)
		r = ociw_client_add_certs_dir(client, "/etc/containers/certs.d", err);
	if (r >= 0)
		r = ociw_client_add_certs_dir(client, "/etc/docker/certs.d", err);
	return r;
}

/* 1 read, 0 not there, < 0 code. */
static int add_conf(ociw_client *client, const char *path, ociw_error **err)
{
	ociw_error *why = NULL;

	int r = ociw_client_add_registries_conf(client, path, &why);
	if (r == OCIW_ERR_NOTFOUND) {
		ociw_error_free(why);
		return 0;
	}
	if (r < 0) {
		*err = why;
		return r;
	}
	return 1;
}

static int is_conf(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

/* Byte order, whatever the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The files of a drop-in folder, in the order of their names. */
static int add_conf_dir(ociw_client *client, const char *dir, ociw_error **err)
{
	struct dirent **entries = NULL;
	int r = 0;

	int count = scandir(dir, &entries, is_conf, by_name);
	for (int i = 0; i < count; i++) {
		char *path = NULL;
		if (r >= 0 && asprintf(&path, "%s/%s", dir, entries[i]->d_name) >= 0) {
			r = add_conf(client, path, err);
			free(path);
		}
		free(entries[i]);
	}
	free(entries);
	return r < 0 ? r : 0;
}

/* The user's main file stands in for the system's; drop-ins of both add to it. */
static int add_registries_conf(ociw_client *client, ociw_error **err)
{
	const char *named = getenv("CONTAINERS_REGISTRIES_CONF");
	char *own = user_path("containers/registries.conf");
	char *own_dir = user_path("containers/registries.conf.d");
	int r = 0;

	if (named && *named)
		r = ociw_client_add_registries_conf(client, named, err);
	else if (own)
		r = add_conf(client, own, err);
	if (r == 0 && !(named && *named))
		r = add_conf(client, "/etc/containers/registries.conf", err);
	if (r >= 0)
		r = add_conf_dir(client, "/etc/containers/registries.conf.d", err);
	if (r >= 0 && own_dir)
		r = add_conf_dir(client, own_dir, err);
	free(own);
	free(own_dir);
	return r < 0 ? r : 0;
}

int system_settings_apply(ociw_client *client, ociw_error **err)
{
	int r = add_certs_dirs(client, err);

	return r < 0 ? r : add_registries_conf(client, err);
}
