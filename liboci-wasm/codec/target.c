/* SPDX-License-Identifier: Apache-2.0
 *
 * Targets: how a person names one end of an operation. Never looks at the file system, so that the
 * same text always means the same. oci-client.md REF-15, REF-16.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include <oci-wasm/reference.h>

struct ociw_target {
	ociw_target_kind kind;
	char *text;
	char *path;                /* layouts and archives */
	char *name;                /* or NULL */
	ociw_reference *reference; /* registries */
};

OCIWP_DEFINE_AUTO(target, ociw_target *, ociw_target_free)

void ociw_target_free(ociw_target *target)
{
	if (!target)
		return;
	free(target->text);
	free(target->path);
	free(target->name);
	ociw_reference_free(target->reference);
	free(target);
}

static int set_name(ociw_target *target, const char *name, ociw_error **err)
{
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f)
			return ociwp_fail(err, OCIW_ERR_INVALID,
					  "%s: a name is printable ASCII without spaces",
					  ociwp_quote(target->text));
	if (!*name)
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s: the name behind \":\" is empty",
				  ociwp_quote(target->text));
	target->name = ociwp_strdup(name);
	return target->name ? 0 : ociwp_nomem(err);
}

/* Where the name of "DIR[:NAME]" or "DIR@DIGEST" begins, and where DIR ends. The first ':' ends it:
 * names that other tools give are whole references, with '/' and ':' of their own, and paths with a
 * ':' are rare. skopeo reads the same texts the same way. */
static const char *find_name(const char *rest, size_t *path_len)
{
	const char *colon = strchr(rest, ':');
	const char *at = strchr(rest, '@');

	while (at && (!colon || at < colon)) {
		if (ociw_digest_is_valid(at + 1)) {
			*path_len = (size_t)(at - rest);
			return at + 1;
		}
		at = strchr(at + 1, '@');
	}
	*path_len = colon ? (size_t)(colon - rest) : strlen(rest);
	return colon ? colon + 1 : NULL;
}

static int parse_local(ociw_target *target, const char *rest, ociw_error **err)
{
	size_t path_len;
	const char *name = find_name(rest, &path_len);

	if (path_len == 0)
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s: the path is empty",
				  ociwp_quote(target->text));
	target->path = ociwp_strndup(rest, path_len);
	if (!target->path)
		return ociwp_nomem(err);
	return name ? set_name(target, name, err) : 0;
}

static int parse_registry(ociw_target *target, ociw_error **err)
{
	const char *text = target->text;
	int r = ociw_reference_parse(text, &target->reference, err);

	if (r == OCIW_ERR_INVALID && (text[0] == '.' || text[0] == '/' || text[0] == '~'))
		return ociwp_wrap(err, r,
				  "a path needs a prefix (oci:DIR for a layout directory, "
				  "oci-archive:FILE for a layout archive)");
	if (r < 0)
		return r;
	const char *name = ociw_reference_digest(target->reference);
	if (!name)
		name = ociw_reference_tag(target->reference);
	return name ? set_name(target, name, err) : 0;
}

/* The user's store holds images of many registries, so the whole reference is the name. */
static int parse_store(ociw_target *target, const char *rest, ociw_error **err)
{
	int r = ociw_reference_parse(rest, &target->reference, err);

	if (r < 0)
		return r;
	if (!ociw_reference_tag(target->reference) && !ociw_reference_digest(target->reference)) {
		ociw_reference *tagged = NULL;
		r = ociw_reference_with(target->reference, "latest", NULL, &tagged, err);
		if (r < 0)
			return r;
		ociw_reference_free(target->reference);
		target->reference = tagged;
	}
	return set_name(target, ociw_reference_text(target->reference), err);
}

int ociw_target_parse(const char *text, ociw_target **out, ociw_error **err)
{
	OCIWP_AUTO(target) ociw_target *target = ociwp_new(ociw_target);
	int r;

	if (!target)
		return ociwp_nomem(err);
	target->text = ociwp_strdup(text ? text : "");
	if (!target->text)
		return ociwp_nomem(err);
	text = target->text;
	if (ociwp_starts_with(text, "oci-archive:")) {
		target->kind = OCIW_TARGET_ARCHIVE;
		r = parse_local(target, text + strlen("oci-archive:"), err);
	} else if (ociwp_starts_with(text, "oci:") && !ociwp_starts_with(text, "oci://")) {
		target->kind = OCIW_TARGET_LAYOUT;
		r = parse_local(target, text + strlen("oci:"), err);
	} else if (ociwp_starts_with(text, "containerd:")) {
		target->kind = OCIW_TARGET_CONTAINERD;
		r = set_name(target, text + strlen("containerd:"), err);
	} else if (ociwp_starts_with(text, "store:")) {
		target->kind = OCIW_TARGET_STORE;
		r = parse_store(target, text + strlen("store:"), err);
	} else {
		target->kind = OCIW_TARGET_REGISTRY;
		r = parse_registry(target, err);
	}
	if (r == 0)
		*out = ociwp_steal(&target);
	return r;
}

ociw_target_kind ociw_target_get_kind(const ociw_target *target)
{
	return target->kind;
}

const ociw_reference *ociw_target_reference(const ociw_target *target)
{
	return target->reference;
}

const char *ociw_target_path(const ociw_target *target)
{
	return target->path;
}

const char *ociw_target_name(const ociw_target *target)
{
	return target->name;
}

const char *ociw_target_text(const ociw_target *target)
{
	return target->text;
}
