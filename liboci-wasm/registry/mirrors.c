/* SPDX-License-Identifier: Apache-2.0
 *
 * Applies registries.conf to a reference: the location, the mirrors, the ban. Mirrors are
 * repositories of their own that are only read from; pushes and deletions never see them (MIR-2). A
 * peer-to-peer cache on the node is a mirror like any other. containers-registries.conf(5).
 */
#include "registry/mirrors.h"

#include "base/str.h"
#include <errno.h>
#include <fcntl.h>

#define FILE_MAX (1024u * 1024)

int ociw_client_add_registries_conf(ociw_client *client, const char *path, ociw_error **err)
{
	ociw_reader *reader = NULL;
	char *text = NULL;
	size_t len = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return ociwp_fail_errno(err, errno, "open %s", ociwp_quote(path));
	int r = ociw_reader_new_fd(fd, &reader, err);
	if (r == 0)
		r = ociwp_read_all(reader, FILE_MAX, &text, &len, err);
	if (r == 0) {
		pthread_mutex_lock(&client->mutex);
		if (!client->conf)
			client->conf = ociwp_new(ociwp_registries_conf);
		r = client->conf
		            ? ociwp_registries_conf_parse((ociw_span){text, len}, client->conf, err)
		            : ociwp_nomem(err);
		pthread_mutex_unlock(&client->mutex);
	}
	free(text);
	return r < 0 ? ociwp_wrap(err, r, "%s", ociwp_quote(path)) : 0;
}

/* "host[:port]/repository" to a host record and a name. What comes first is a host here, whatever
 * it looks like, so a reference that reads it otherwise is refused. */
static int place(ociw_client *client, const char *text, bool insecure, ociwp_repository *repo,
                 ociw_error **err)
{
	ociw_reference *ref = NULL;
	size_t len = strcspn(text, "/");
	int r = ociw_reference_parse(text, &ref, err);
	if (r < 0)
		return ociwp_wrap(err, r, "location in registries.conf");
	const char *host = ociw_reference_host(ref);
	bool hub = strcmp(host, "docker.io") == 0 && len > 9 &&
	           strncasecmp(text + len - 9, "docker.io", 9) == 0;
	if (!hub && (strlen(host) != len || strncasecmp(host, text, len) != 0))
		r = ociwp_fail(err, OCIW_ERR_INVALID,
		               "location %s in registries.conf does not begin with a host",
		               ociwp_quote(text));
	if (r == 0)
		r = ociwp_client_host(client, ociw_reference_api_host(ref), host, &repo->host, err);
	if (r == 0) {
		repo->name = ociwp_strdup(ociw_reference_repository(ref));
		r = repo->name ? 0 : ociwp_nomem(err);
	}
	ociw_reference_free(ref);
	/* The file's word for "no certificate to verify, or no TLS at all": it is asked which. */
	if (r == 0 && insecure)
		ociwp_host_set_insecure(repo->host);
	return r;
}

static int add_mirror(ociw_client *client, const ociwp_registry_entry *entry, size_t i,
                      const char *name, ociwp_repository *repo, ociw_error **err)
{
	const ociwp_mirror *mirror = &entry->mirrors[i];
	OCIWP_AUTO(str) char *text = ociwp_registries_conf_rewrite(entry, mirror->location, name);
	if (!text)
		return ociwp_nomem(err);
	ociwp_repository *copy = NULL;
	int r = ociwp_repository_new(client, &copy, err);
	if (r == 0)
		r = place(client, text, mirror->insecure, copy, err);
	if (r == 0)
		r = ociwp_scopes_add_repository(&copy->pull, copy->name, "pull", err);
	if (r == 0) {
		copy->source_host = ociwp_strndup(name, strcspn(name, "/"));
		r = copy->source_host ? 0 : ociwp_nomem(err);
	}
	if (r < 0) {
		ociwp_repository_free(copy);
		return r;
	}
	bool digests_only = entry->mirror_by_digest_only;
	copy->pull_from = digests_only ? OCIWP_MIRROR_DIGEST_ONLY : mirror->pull_from;
	repo->mirrors[repo->mirror_count++] = copy;
	return 0;
}

static int apply_entry(ociw_client *client, const ociwp_registry_entry *entry, const char *name,
                       ociwp_repository *repo, ociw_error **err)
{
	const char *location = entry->location;
	OCIWP_AUTO(str)
	char *text = location ? ociwp_registries_conf_rewrite(entry, location, name)
	                      : ociwp_strdup(name);
	if (!text)
		return ociwp_nomem(err);
	int r = place(client, text, entry->insecure, repo, err);
	if (r == 0 && entry->mirror_count) {
		repo->mirrors = ociwp_calloc(entry->mirror_count, sizeof(*repo->mirrors));
		r = repo->mirrors ? 0 : ociwp_nomem(err);
	}
	for (size_t i = 0; r == 0 && i < entry->mirror_count; i++)
		r = add_mirror(client, entry, i, name, repo, err);
	return r;
}

int ociwp_mirrors_apply(ociw_client *client, const ociw_reference *ref, ociwp_repository *repo,
                        ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf name = OCIWP_BUF_INIT;
	ociwp_buf_printf(&name, "%s/%s", ociw_reference_host(ref), ociw_reference_repository(ref));
	int r = ociwp_buf_check(&name, err);
	if (r < 0)
		return r;
	/* The file is read before the first repository is made, and stays as it is then. */
	const ociwp_registry_entry *entry =
	        client->conf ? ociwp_registries_conf_find(client->conf, name.data) : NULL;
	if (!entry)
		return place(client, name.data, false, repo, err);
	if (entry->blocked)
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "%s is blocked by registries.conf (%s)",
		                  name.data, ociwp_quote(entry->prefix));
	return apply_entry(client, entry, name.data, repo, err);
}

bool ociwp_mirrors_allow(const ociwp_repository *repo, size_t i, const char *reference)
{
	bool digest = strchr(reference, ':') != NULL;
	switch (repo->mirrors[i]->pull_from) {
	case OCIWP_MIRROR_ALL:
		return true;
	case OCIWP_MIRROR_DIGEST_ONLY:
		return digest;
	case OCIWP_MIRROR_TAG_ONLY:
		return !digest;
	}
	return false;
}
