/* SPDX-License-Identifier: Apache-2.0
 *
 * Tags of a repository and repositories of a registry, in the server's order. TAG-1..4.
 */
#include "registry/repository.h"

#include "base/str.h"
#include "registry/paging.h"

typedef struct listing {
	const char *member; /* "tags" or "repositories" */
	bool hide_digest_tags;
	ociw_name_cb cb;
	void *user_data;
} listing;

bool ociwp_tag_is_digest(const char *tag)
{
	const char *dash = strchr(tag, '-');
	if (!dash || dash == tag)
		return false;
	for (const char *p = tag; p < dash; p++) {
		if (!ociwp_is_lower(*p) && !ociwp_is_digit(*p))
			return false;
	}
	size_t digits = 0;
	for (const char *p = dash + 1; ociwp_is_digit(*p) || (*p >= 'a' && *p <= 'f'); p++)
		digits++;
	/* What may follow is a suffix such as ".sig". */
	return digits >= 32 && (dash[1 + digits] == 0 || dash[1 + digits] == '.');
}

/* A name that the grammar does not know would only mislead: it cannot be asked for. */
static bool is_plain(const char *name)
{
	for (const char *p = name; *p; p++) {
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7F)
			return false;
	}
	return *name != 0;
}

static int on_page(const json_t *page, void *user_data, ociw_error **err)
{
	listing *list = user_data;
	const json_t *names = json_object_get(page, list->member);
	size_t i;
	json_t *item;
	if (!names || json_is_null(names)) /* an empty repository (TAG-3) */
		return 0;
	if (!json_is_array(names))
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s is no array", list->member);
	json_array_foreach(names, i, item)
	{
		const char *name = json_string_value(item);
		if (!name)
			return ociwp_fail(err, OCIW_ERR_FORMAT, "%s[%zu] is no string",
			                  list->member, i);
		if (!is_plain(name) || (list->hide_digest_tags && ociwp_tag_is_digest(name)))
			continue;
		int r = list->cb(name, NULL, list->user_data);
		if (r != 0)
			return r;
	}
	return 0;
}

static void add_paging(ociwp_buf *url, uint32_t page_size, const char *last)
{
	if (page_size) {
		char text[16];
		snprintf(text, sizeof(text), "%u", page_size);
		ociwp_url_add_query(url, "n", text);
	}
	if (last)
		ociwp_url_add_query(url, "last", last);
}

static int list_tags(ociwp_repository *repo, const ociw_tags_options *options, const ociw_op *op,
                     ociw_name_cb cb, void *user_data, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf url = OCIWP_BUF_INIT;
	listing list = {"tags", options->hide_digest_tags, cb, user_data};
	int r = ociwp_repository_path(repo, "tags", "list", &url, err);
	add_paging(&url, options->page_size, options->last);
	if (r == 0)
		r = ociwp_buf_check(&url, err);
	if (r < 0)
		return r;
	ociwp_pages pages = {.url = url.data, .what = "tag list", .scopes = &repo->pull};
	return ociwp_pages_read(repo->host, &pages, op, on_page, &list, err);
}

int ociwp_tags_list(void *self, const ociw_op *op, ociw_name_cb cb, void *user_data,
                    ociw_error **err)
{
	ociw_tags_options options = {.size = sizeof(options)};
	return list_tags(self, &options, op, cb, user_data, err);
}

int ociw_repository_tags(ociw_content *repository, const ociw_tags_options *options,
                         ociw_name_cb cb, void *user_data, ociw_error **err)
{
	ociwp_repository *repo = ociwp_content_self(repository, &ociwp_repository_ops);
	ociw_tags_options own;
	if (!repo)
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s is no repository of a registry",
		                  ociw_content_label(repository));
	int r = ociwp_options_read(&own, sizeof(own), options, err);
	if (r == 0)
		r = list_tags(repo, &own, own.op, cb, user_data, err);
	return r < 0 ? ociwp_wrap(err, r, "%s", ociw_content_label(repository)) : r;
}

int ociw_client_catalog(ociw_client *client, const char *host, const ociw_tags_options *options,
                        ociw_name_cb cb, void *user_data, ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_scopes))) ociwp_scopes scopes = {0};
	OCIWP_AUTO(buf) ociwp_buf url = OCIWP_BUF_INIT;
	ociw_tags_options own;
	ociwp_host *record;
	listing list = {"repositories", false, cb, user_data};
	int r = ociwp_options_read(&own, sizeof(own), options, err);
	if (r == 0)
		r = ociwp_client_find_host(client, host, &record, err);
	if (r == 0)
		r = ociwp_scopes_add(&scopes, "registry:catalog:*", err);
	ociwp_buf_puts(&url, "/v2/_catalog");
	add_paging(&url, own.page_size, own.last);
	if (r == 0)
		r = ociwp_buf_check(&url, err);
	if (r < 0)
		return r;
	ociwp_pages pages = {.url = url.data, .what = "catalog", .scopes = &scopes};
	return ociwp_pages_read(record, &pages, own.op, on_page, &list, err);
}
