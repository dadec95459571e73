/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists that come in pages joined by Link headers: tags, repositories, referrers (TAG-1..3).
 */
#ifndef OCIW_REGISTRY_PAGING_H
#define OCIW_REGISTRY_PAGING_H

#include "codec/json.h"
#include "registry/request.h"

/* Gets one parsed page; non-zero stops and is passed on. */
typedef int (*ociwp_page_cb)(const json_t *page, void *user_data, ociw_error **err);

typedef struct ociwp_pages {
	const char *url;    /* of the first page */
	const char *what;   /* "tag list", for messages */
	const char *accept; /* NULL: application/json */
	const ociwp_scopes *scopes;
	/* Judges the first answer: 1 go on, 0 stop quietly, < 0 code. NULL: 200 goes on,
	 * all else is an error. */
	int (*judge)(ociwp_response *answer, void *user_data, const ociw_op *op, ociw_error **err);
} ociwp_pages;

/* 0, the callback's non-zero value, or a code. */
int ociwp_pages_read(ociwp_host *host, const ociwp_pages *pages, const ociw_op *op,
                     ociwp_page_cb cb, void *user_data, ociw_error **err);

#endif
