/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading referrers: the API where the registry has it, else the index behind the fallback tag.
 * Changes to that index are made by referrers-tag.c. distribution-spec, "Listing Referrers";
 * RFR-1..5.
 */
#include "registry/referrers.h"

#include "base/str.h"
#include "codec/json.h"
#include "registry/paging.h"
#include "registry/referrers-tag.h"

typedef struct listing {
	ociwp_repository *repo;
	const char *artifact_type; /* or NULL */
	bool filtered;             /* the server has filtered already */
	bool unsupported;          /* there is no API */
	bool name_unknown;
	ociwp_referrer_cb cb;
	void *user_data;
} listing;

static void set_support(ociwp_host *host, ociwp_support support)
{
	pthread_mutex_lock(&host->mutex);
	host->referrers_api = support;
	pthread_mutex_unlock(&host->mutex);
}

static ociwp_support support_of(ociwp_host *host)
{
	pthread_mutex_lock(&host->mutex);
	ociwp_support support = host->referrers_api;
	pthread_mutex_unlock(&host->mutex);
	return support;
}

static bool is_index(const ociwp_response *answer)
{
	const char *type = ociwp_response_header(answer, "Content-Type");
	size_t len = type ? strcspn(type, "; \t") : 0;
	return len == strlen(OCIWP_MT_OCI_INDEX) && strncasecmp(type, OCIWP_MT_OCI_INDEX, len) == 0;
}

static bool names_filter(const char *value)
{
	static const char want[] = "artifactType";
	while (*value) {
		value += strspn(value, ", \t");
		size_t len = strcspn(value, ", \t");
		if (len == sizeof(want) - 1 && memcmp(value, want, len) == 0)
			return true;
		value += len;
	}
	return false;
}

/* RFR-1, RFR-3: is this the API? */
static int judge(ociwp_response *answer, void *user_data, const ociw_op *op, ociw_error **err)
{
	listing *list = user_data;
	ociw_error *why = NULL;
	int status = answer->status;
	if (status == 200 && is_index(answer)) {
		const char *filters = ociwp_response_header(answer, "OCI-Filters-Applied");
		set_support(list->repo->host, OCIWP_SUPPORT_YES);
		list->filtered = filters && names_filter(filters);
		return 1;
	}
	list->unsupported = true;
	if (status == 200) {
		ociwp_response_drain(answer, op);
	} else {
		int r = ociwp_response_fail(answer, op, &why);
		bool none = status == 404 || status == 400 || status == 405 || status == 406 ||
		            status == 501;
		if (!none) {
			list->unsupported = false;
			ociwp_error_move(err, why);
			return r;
		}
		list->name_unknown = ociwp_streq(ociw_error_registry_code(why), "NAME_UNKNOWN");
		ociw_error_free(why);
	}
	if (!list->name_unknown)
		set_support(list->repo->host, OCIWP_SUPPORT_NO);
	return 0;
}

static int give(listing *list, const ociw_descriptor *desc)
{
	if (list->artifact_type && !list->filtered &&
	    !ociwp_streq(desc->artifact_type, list->artifact_type))
		return 0;
	return list->cb(desc, list->user_data);
}

static int on_page(const json_t *page, void *user_data, ociw_error **err)
{
	listing *list = user_data;
	const json_t *items = json_object_get(page, "manifests");
	size_t i;
	json_t *item;
	if (!items || json_is_null(items))
		return 0;
	json_array_foreach(items, i, item)
	{
		OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
		char path[40];
		snprintf(path, sizeof(path), "manifests[%zu]", i);
		int r = ociwp_descriptor_parse(item, path, &desc, err);
		if (r == 0 && list->cb)
			r = give(list, desc);
		if (r != 0)
			return r;
	}
	return 0;
}

static int ask_api(listing *list, const char *digest, const ociw_op *op, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf url = OCIWP_BUF_INIT;
	int r = ociwp_repository_path(list->repo, "referrers", digest, &url, err);
	if (r == 0 && list->artifact_type)
		ociwp_url_add_query(&url, "artifactType", list->artifact_type);
	if (r == 0)
		r = ociwp_buf_check(&url, err);
	if (r < 0)
		return r;
	ociwp_pages pages = {.url = url.data,
	                     .what = "list of referrers",
	                     .accept = OCIWP_MT_OCI_INDEX,
	                     .scopes = &list->repo->pull,
	                     .judge = judge};
	return ociwp_pages_read(list->repo->host, &pages, op, on_page, list, err);
}

static int ask_tag(listing *list, const char *digest, const ociw_op *op, ociw_error **err)
{
	OCIWP_AUTO(json) json_t *index = NULL;
	ociw_error *why = NULL;
	int r = ociwp_referrers_tag_read(list->repo, digest, op, &index, NULL, &why);
	if (r == OCIW_ERR_NOTFOUND) {
		bool unknown = list->name_unknown &&
		               ociwp_streq(ociw_error_registry_code(why), "NAME_UNKNOWN");
		if (unknown)
			return ociwp_error_move(err, why);
		ociw_error_free(why);
		return 0;
	}
	if (r < 0)
		return ociwp_error_move(err, why);
	return index ? on_page(index, list, err) : 0;
}

int ociwp_referrers_list(void *self, const char *digest, const char *artifact_type,
                         const ociw_op *op, ociwp_referrer_cb cb, void *user_data, ociw_error **err)
{
	ociwp_repository *repo = self;
	listing list = {
	        .repo = repo, .artifact_type = artifact_type, .cb = cb, .user_data = user_data};
	if (!ociw_digest_is_valid(digest))
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s is no digest", ociwp_quote(digest));
	if (support_of(repo->host) == OCIWP_SUPPORT_NO) {
		list.unsupported = true;
	} else {
		int r = ask_api(&list, digest, op, err);
		if (r != 0)
			return r;
	}
	return list.unsupported ? ask_tag(&list, digest, op, err) : 0;
}

/* ---- after a push ---- */

/* Learns whether there is an API by asking it about @p subject. */
static int find_support(ociwp_repository *repo, const char *subject, const ociw_op *op,
                        bool *supported, ociw_error **err)
{
	listing list = {.repo = repo};
	if (support_of(repo->host) == OCIWP_SUPPORT_UNKNOWN) {
		int r = ask_api(&list, subject, op, err);
		if (r < 0)
			return r;
		*supported = !list.unsupported;
		return 0;
	}
	*supported = support_of(repo->host) == OCIWP_SUPPORT_YES;
	return 0;
}

/* The parts of a manifest or index that its referrer entry repeats. */
typedef struct parts {
	ociwp_manifest *manifest;
	ociwp_index *index;
	const ociw_descriptor *subject;
	const char *artifact_type;
	const ociwp_annotations *annotations;
} parts;

static void parts_deinit(parts *p)
{
	ociwp_manifest_free(p->manifest);
	ociwp_index_free(p->index);
}

static int parts_parse(ociw_span bytes, const char *media_type, const ociw_op *op, parts *out,
                       ociw_error **err)
{
	*out = (parts){0};
	if (ociwp_mediatype_is_manifest(media_type)) {
		int r = ociwp_manifest_parse(bytes, media_type, op, &out->manifest, err);
		if (r < 0)
			return r;
		const ociwp_manifest *m = out->manifest;
		out->subject = m->subject;
		out->artifact_type = m->artifact_type ? m->artifact_type
		                     : m->config      ? m->config->media_type
		                                      : NULL;
		out->annotations = &m->annotations;
	} else if (ociwp_mediatype_is_index(media_type)) {
		int r = ociwp_index_parse(bytes, media_type, op, &out->index, err);
		if (r < 0)
			return r;
		out->subject = out->index->subject;
		out->artifact_type = out->index->artifact_type;
		out->annotations = &out->index->annotations;
	}
	return 0;
}

static int make_entry(const ociw_descriptor *desc, const parts *p, ociw_descriptor **out,
                      ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *entry = NULL;
	int r = ociw_descriptor_new(desc->media_type, desc->digest, desc->size, &entry, err);
	if (r == 0 && p->artifact_type) {
		entry->artifact_type = ociwp_strdup(p->artifact_type);
		if (!entry->artifact_type)
			r = ociwp_nomem(err);
	}
	for (size_t i = 0; r == 0 && i < p->annotations->count; i++)
		r = ociwp_descriptor_annotate(entry, p->annotations->items[i].key,
		                              p->annotations->items[i].value, err);
	if (r == 0)
		*out = ociwp_steal(&entry);
	return r;
}

int ociwp_referrers_pushed(ociwp_repository *repo, const ociw_descriptor *desc, ociw_span bytes,
                           const char *confirmed, const ociw_op *op, ociw_error **err)
{
	OCIWP_AUTO(descriptor) ociw_descriptor *entry = NULL;
	parts p;
	bool supported = true;
	int r = parts_parse(bytes, desc->media_type, op, &p, err);
	if (r == 0 && p.subject) {
		if (ociwp_streq(confirmed, p.subject->digest))
			set_support(repo->host, OCIWP_SUPPORT_YES);
		else
			r = find_support(repo, p.subject->digest, op, &supported, err);
		if (r == 0 && !supported)
			r = make_entry(desc, &p, &entry, err);
		if (r == 0 && entry)
			r = ociwp_referrers_tag_add(repo, p.subject->digest, entry, op, err);
		if (r < 0)
			r = ociwp_wrap(err, r,
			               "the manifest is there, but not listed as a referrer");
	}
	parts_deinit(&p);
	return r;
}

int ociwp_referrers_subject_of(ociwp_repository *repo, const char *digest, const ociw_op *op,
                               char **out, ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf bytes = OCIWP_BUF_INIT;
	OCIWP_AUTO(descriptor) ociw_descriptor *desc = NULL;
	ociw_error *why = NULL;
	parts p = {0};
	bool supported = true;
	int r = ociwp_pull_manifest(repo, digest, op, &desc, &bytes, NULL, &why);
	if (r == OCIW_ERR_CANCELLED || r == OCIW_ERR_NOMEM)
		return ociwp_error_move(err, why);
	ociw_error_free(why);
	/* What cannot be read has no subject; the deletion itself tells what is wrong. */
	if (r == 0 && parts_parse(ociwp_buf_span(&bytes), desc->media_type, op, &p, NULL) == 0 &&
	    p.subject) {
		r = find_support(repo, p.subject->digest, op, &supported, err);
		if (r == 0 && !supported) {
			*out = ociwp_strdup(p.subject->digest);
			r = *out ? 0 : ociwp_nomem(err);
		}
	} else {
		r = 0;
	}
	parts_deinit(&p);
	return r;
}

int ociwp_referrers_removed(ociwp_repository *repo, const char *subject, const char *digest,
                            const ociw_op *op, ociw_error **err)
{
	return ociwp_referrers_tag_remove(repo, subject, digest, op, err);
}
