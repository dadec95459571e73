/* SPDX-License-Identifier: Apache-2.0
 *
 * Scope sets: parse, merge, compare. It knows no token and no server. distribution, "Token Scope
 * Documentation"; AUT-5.
 */
#include "registry/scope.h"

#include "base/buf.h"
#include "base/str.h"

void ociwp_scopes_deinit(ociwp_scopes *scopes)
{
	for (size_t i = 0; i < scopes->count; i++) {
		ociwp_scope *scope = &scopes->items[i];
		for (size_t k = 0; k < scope->action_count; k++)
			free(scope->actions[k]);
		free(scope->actions);
		free(scope->resource);
	}
	free(scopes->items);
	*scopes = (ociwp_scopes){0};
}

static ociwp_scope *find(const ociwp_scopes *scopes, const char *resource, size_t len)
{
	for (size_t i = 0; i < scopes->count; i++) {
		ociwp_scope *scope = &scopes->items[i];
		if (strlen(scope->resource) == len && memcmp(scope->resource, resource, len) == 0)
			return scope;
	}
	return NULL;
}

static int find_or_add(ociwp_scopes *scopes, const char *resource, size_t len, ociwp_scope **out,
                       ociw_error **err)
{
	*out = find(scopes, resource, len);
	if (*out || scopes->count == OCIWP_SCOPES_MAX)
		return 0;
	char *copy = ociwp_strndup(resource, len);
	ociwp_scope *grown =
	        copy ? ociwp_realloc_array(scopes->items, scopes->count + 1, sizeof(*grown)) : NULL;
	if (!grown) {
		free(copy);
		return ociwp_nomem(err);
	}
	scopes->items = grown;
	*out = &grown[scopes->count++];
	**out = (ociwp_scope){.resource = copy};
	return 0;
}

static bool has_action(const ociwp_scope *scope, const char *action, size_t len)
{
	for (size_t i = 0; i < scope->action_count; i++) {
		const char *have = scope->actions[i];
		if (strcmp(have, "*") == 0 ||
		    (strlen(have) == len && memcmp(have, action, len) == 0))
			return true;
	}
	return false;
}

static int add_action(ociwp_scope *scope, const char *action, size_t len, ociw_error **err)
{
	if (len == 0 || has_action(scope, action, len) || scope->action_count >= OCIWP_SCOPES_MAX)
		return 0;
	char *copy = ociwp_strndup(action, len);
	if (!copy)
		return ociwp_nomem(err);
	if (strcmp(copy, "*") == 0) { /* "*" swallows the others */
		for (size_t i = 0; i < scope->action_count; i++)
			free(scope->actions[i]);
		scope->action_count = 0;
	}
	char **grown = ociwp_realloc_array(scope->actions, scope->action_count + 1, sizeof(*grown));
	if (!grown) {
		free(copy);
		return ociwp_nomem(err);
	}
	scope->actions = grown;
	size_t at = scope->action_count++;
	for (; at > 0 && strcmp(grown[at - 1], copy) > 0; at--)
		grown[at] = grown[at - 1];
	grown[at] = copy;
	return 0;
}

/* The last ':' of a text, NULL when there is none. */
static const char *last_colon(const char *text, size_t len)
{
	for (size_t i = len; i > 0; i--) {
		if (text[i - 1] == ':')
			return text + i - 1;
	}
	return NULL;
}

/* type up to the first colon, actions behind the last; a name may hold colons (host:port). */
static int add_one(ociwp_scopes *scopes, const char *text, size_t len, ociw_error **err)
{
	const char *first = memchr(text, ':', len);
	const char *last = last_colon(text, len);
	ociwp_scope *scope = NULL;
	if (!first || first == last)
		return find_or_add(scopes, text, len, &scope, err);
	const char *at = last + 1, *end = text + len;
	if (at == end)
		return 0;
	int r = find_or_add(scopes, text, (size_t)(last - text), &scope, err);
	while (r == 0 && scope && at <= end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma ? comma : end;
		r = add_action(scope, at, (size_t)(stop - at), err);
		at = stop + 1;
	}
	return r;
}

int ociwp_scopes_add(ociwp_scopes *scopes, const char *text, ociw_error **err)
{
	while (*text) {
		text += strspn(text, " \t");
		size_t len = strcspn(text, " \t");
		int r = len ? add_one(scopes, text, len, err) : 0;
		if (r < 0)
			return r;
		text += len;
	}
	return 0;
}

int ociwp_scopes_add_repository(ociwp_scopes *scopes, const char *repository, const char *actions,
                                ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf text = OCIWP_BUF_INIT;
	ociwp_buf_printf(&text, "repository:%s:%s", repository, actions);
	int r = ociwp_buf_check(&text, err);
	return r < 0 ? r : ociwp_scopes_add(scopes, text.data, err);
}

int ociwp_scopes_merge(ociwp_scopes *into, const ociwp_scopes *from, ociw_error **err)
{
	for (size_t i = 0; i < from->count; i++) {
		const ociwp_scope *scope = &from->items[i];
		ociwp_scope *target = NULL;
		int r = find_or_add(into, scope->resource, strlen(scope->resource), &target, err);
		for (size_t k = 0; r == 0 && target && k < scope->action_count; k++)
			r = add_action(target, scope->actions[k], strlen(scope->actions[k]), err);
		if (r < 0)
			return r;
	}
	return 0;
}

bool ociwp_scopes_cover(const ociwp_scopes *whole, const ociwp_scopes *part)
{
	for (size_t i = 0; i < part->count; i++) {
		const ociwp_scope *want = &part->items[i];
		const ociwp_scope *have = find(whole, want->resource, strlen(want->resource));
		if (!have)
			return false;
		for (size_t k = 0; k < want->action_count; k++) {
			if (!has_action(have, want->actions[k], strlen(want->actions[k])))
				return false;
		}
	}
	return true;
}

char *ociwp_scope_text(const ociwp_scope *scope)
{
	ociwp_buf text = OCIWP_BUF_INIT;
	ociwp_buf_puts(&text, scope->resource);
	for (size_t i = 0; i < scope->action_count; i++)
		ociwp_buf_printf(&text, "%c%s", i ? ',' : ':', scope->actions[i]);
	if (text.failed) {
		ociwp_buf_deinit(&text);
		return NULL;
	}
	return ociwp_buf_steal(&text);
}
