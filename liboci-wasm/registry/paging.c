/* SPDX-License-Identifier: Apache-2.0
 *
 * Follows rel=next until it is absent, with guards against servers that never end. It does not know
 * what is on a page. TAG-1, TAG-2, RFR-1.
 */
#include "registry/paging.h"

#include "base/str.h"
#include "codec/json.h"
#include "codec/link-header.h"

#define PAGE_MAX (8u * 1024 * 1024)
#define PAGES_MAX 10000

/* The next page's URL, or NULL at the end. It stays on the origin that answered (TAG-2). */
static int next_page(const ociwp_response *answer, char **out, ociw_error **err)
{
	OCIWP_AUTO(str) char *target = NULL;
	__attribute__((cleanup(ociwp_cleanup_url))) ociwp_url url = {0};
	const char *value;
	int r = 0;
	*out = NULL;
	for (size_t i = 0;
	     !target && r == 0 && (value = ociwp_exchange_header(answer->exchange, "Link", i)); i++)
		r = ociwp_link_next(value, strlen(value), &target, err);
	if (r < 0 || !target)
		return r;
	r = ociwp_url_parse(target, &answer->url, &url, err);
	if (r < 0)
		return ociwp_wrap(err, r, "%s: Link", answer->what);
	if (!ociwp_url_same_origin(&url, &answer->url))
		return ociwp_fail(err, OCIW_ERR_UNSAFE, "%s: the next page is on another host, %s",
		                  answer->what, ociwp_quote(url.host));
	*out = ociwp_steal(&url.text);
	return 0;
}

static int judge(const ociwp_pages *pages, ociwp_response *answer, void *user_data, bool first,
                 const ociw_op *op, ociw_error **err)
{
	if (first && pages->judge)
		return pages->judge(answer, user_data, op, err);
	return answer->status == 200 ? 1 : ociwp_response_fail(answer, op, err);
}

/* One page whole; 1, or what judging says. A body that breaks off is asked for again. */
static int fetch_page(ociwp_host *host, const ociwp_pages *pages, const char *url, bool first,
                      const ociw_op *op, ociwp_response *answer, ociwp_buf *body, void *user_data,
                      ociw_error **err)
{
	ociwp_request request = {.method = "GET",
	                         .url = url,
	                         .accept = pages->accept ? pages->accept : "application/json",
	                         .scopes = pages->scopes};
	for (unsigned tries = 1;; tries++) {
		ociw_error *why = NULL;
		ociwp_failure failure;
		int r = ociwp_request_run(host, &request, op, answer, NULL, err);
		if (r == 0)
			r = judge(pages, answer, user_data, first, op, err);
		if (r <= 0)
			return r;
		r = ociwp_response_read(answer, PAGE_MAX, pages->what, op, body, &failure, &why);
		if (r == 0)
			return 1;
		r = ociwp_request_again(failure, tries, &why, op, err);
		if (r < 0)
			return r;
		ociwp_response_deinit(answer);
		ociwp_buf_clear(body);
	}
}

static int pass_page(const ociwp_response *answer, const ociwp_pages *pages, ociw_span body,
                     const ociw_op *op, ociwp_page_cb cb, void *user_data, ociw_error **err)
{
	OCIWP_AUTO(json) json_t *page = NULL;
	ociw_limits limits;
	ociwp_limits_get(op, &limits);
	int r = ociwp_json_parse(body, pages->what, limits.max_json_depth, &page, err);
	if (r == 0 && !json_is_object(page))
		r = ociwp_fail(err, OCIW_ERR_FORMAT, "%s: the %s is no object", answer->what,
		               pages->what);
	return r < 0 ? r : cb(page, user_data, err);
}

int ociwp_pages_read(ociwp_host *host, const ociwp_pages *pages, const ociw_op *op,
                     ociwp_page_cb cb, void *user_data, ociw_error **err)
{
	__attribute__((cleanup(ociwp_cleanup_map))) ociwp_map *seen = ociwp_map_new(NULL);
	OCIWP_AUTO(str) char *url = ociwp_strdup(pages->url);
	if (!seen || !url)
		return ociwp_nomem(err);
	for (size_t count = 0; url; count++) {
		__attribute__((cleanup(ociwp_cleanup_response))) ociwp_response answer = {0};
		OCIWP_AUTO(buf) ociwp_buf body = OCIWP_BUF_INIT;
		OCIWP_AUTO(str) char *next = NULL;
		if (count == PAGES_MAX)
			return ociwp_fail(err, OCIW_ERR_LIMIT, "the %s has more than %d pages",
			                  pages->what, PAGES_MAX);
		if (ociwp_map_contains(seen, url))
			return ociwp_fail(err, OCIW_ERR_REGISTRY, "the %s goes in circles",
			                  pages->what);
		if (!ociwp_map_set(seen, url, NULL))
			return ociwp_nomem(err);
		int r = fetch_page(host, pages, url, count == 0, op, &answer, &body, user_data,
		                   err);
		if (r <= 0)
			return r;
		r = next_page(&answer, &next, err);
		if (r == 0)
			r = pass_page(&answer, pages, ociwp_buf_span(&body), op, cb, user_data, err);
		if (r != 0)
			return r;
		free(url);
		url = ociwp_steal(&next);
	}
	return 0;
}
