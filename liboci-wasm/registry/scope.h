/* SPDX-License-Identifier: Apache-2.0
 *
 * Sets of token scopes "type:name:actions" (AUT-5, AUT-6).
 */
#ifndef OCIW_REGISTRY_SCOPE_H
#define OCIW_REGISTRY_SCOPE_H

#include "base/alloc.h"
#include "base/error.h"

/* In the order of first mention (some servers read the first one only); actions sorted. */
typedef struct ociwp_scope {
	char *resource; /* "repository:NAME"; or the whole text of a scope of unknown form */
	char **actions; /* sorted, no duplicates; empty for a scope of unknown form */
	size_t action_count;
} ociwp_scope;

typedef struct ociwp_scopes {
	ociwp_scope *items;
	size_t count;
} ociwp_scopes;

/* Scopes of one set stay under this; more are dropped. */
#define OCIWP_SCOPES_MAX 64

void ociwp_scopes_deinit(ociwp_scopes *scopes);
/* Merges scopes separated by spaces. OCIW_ERR_NOMEM. */
int ociwp_scopes_add(ociwp_scopes *scopes, const char *text, ociw_error **err);
/* Adds "repository:NAME:ACTIONS". */
int ociwp_scopes_add_repository(ociwp_scopes *scopes, const char *repository, const char *actions,
                                ociw_error **err);
int ociwp_scopes_merge(ociwp_scopes *into, const ociwp_scopes *from, ociw_error **err);
/* True when everything in @p part is in @p whole. */
bool ociwp_scopes_cover(const ociwp_scopes *whole, const ociwp_scopes *part);
/* "type:name:a,b" of one; to be freed; NULL without memory. */
char *ociwp_scope_text(const ociwp_scope *scope);

static inline void ociwp_cleanup_scopes(ociwp_scopes *scopes)
{
	ociwp_scopes_deinit(scopes);
}

#endif
