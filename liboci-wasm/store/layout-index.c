/* SPDX-License-Identifier: Apache-2.0
 *
 * Names in index.json: finding and changing them. Works on values only; who reads and writes the
 * file is layout-dir.c and layout-tar.c. Spec: image-layout.md, oci-client.md LAY-3, LAY-4.
 */
#include "store/layout-index.h"

#include "base/op.h"
#include "base/str.h"
#include "codec/json-writer.h"
#include "codec/json.h"
#include "codec/mediatype.h"
#include "codec/tag.h"
#include <oci-wasm/reference.h>

#define NAME_MAX_BYTES 1024
#define NAMES_SHOWN 8

/* component: alphanumerics joined by one of "-._:@+" or by "--"; components joined by '/'. */
static bool is_ref_name(const char *name)
{
	const char *p = name;

	for (;;) {
		if (!ociwp_is_alnum(*p))
			return false;
		while (ociwp_is_alnum(*p))
			p++;
		if (*p == '\0')
			return true;
		if (p[0] == '-' && p[1] == '-')
			p += 2;
		else if (strchr("-._:@+/", *p))
			p++;
		else
			return false;
	}
}

/* Whole references may have "__" in them, which LAY-3 does not know. */
static bool is_reference(const char *name)
{
	ociw_reference *ref = NULL;

	if (!strchr(name, '/') || ociw_reference_parse(name, &ref, NULL) < 0)
		return false;
	ociw_reference_free(ref);
	return true;
}

bool ociwp_layout_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= NAME_MAX_BYTES &&
	       (is_ref_name(name) || ociwp_tag_is_valid(name) || is_reference(name));
}

static const char *ref_name(const ociw_descriptor *desc)
{
	return ociw_descriptor_annotation(desc, OCIWP_REF_NAME);
}

/* How many different digests carry @p value in annotation @p key; *first is the first of them. */
static size_t count_named(const ociwp_index *index, const char *key, const char *value,
                          const ociw_descriptor **first)
{
	size_t found = 0;

	for (size_t i = 0; i < index->manifest_count; i++) {
		const ociw_descriptor *desc = index->manifests[i];
		const char *have = ociw_descriptor_annotation(desc, key);

		if (!have || (value && strcmp(have, value) != 0))
			continue;
		if (found && strcmp(desc->digest, (*first)->digest) == 0)
			continue;
		if (!found)
			*first = desc;
		found++;
	}
	return found;
}

static int fail_several(const ociwp_index *index, const char *name, const char *key,
                        ociw_error **err)
{
	OCIWP_AUTO(buf) ociwp_buf list = OCIWP_BUF_INIT;
	size_t shown = 0;

	for (size_t i = 0; i < index->manifest_count && shown < NAMES_SHOWN; i++) {
		const char *have = ociw_descriptor_annotation(index->manifests[i], key);

		if (name && !ociwp_streq(have, name))
			continue;
		const char *text = name || !have ? index->manifests[i]->digest : have;
		ociwp_buf_puts(&list, shown++ ? ", " : "");
		ociwp_escape(&list, text, strnlen(text, 200));
	}
	if (ociwp_buf_check(&list, err) < 0)
		return OCIW_ERR_NOMEM;
	if (name)
		return ociwp_fail(err, OCIW_ERR_INVALID, "the name %s is ambiguous: %s",
		                  ociwp_quote(name), list.data ? list.data : "");
	return ociwp_fail(err, OCIW_ERR_INVALID, "it holds %zu images, say which: %s%s",
	                  index->manifest_count, list.data ? list.data : "",
	                  shown < index->manifest_count ? ", ..." : "");
}

static int resolve_only(const ociwp_index *index, const ociw_descriptor **out, ociw_error **err)
{
	bool several = false;

	if (index->manifest_count == 0)
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "it holds no image");
	for (size_t i = 1; i < index->manifest_count; i++) {
		if (strcmp(index->manifests[i]->digest, index->manifests[0]->digest) != 0)
			several = true;
	}
	if (!several) {
		*out = index->manifests[0];
		return 0;
	}
	/* Entries that lost their name (LAY-4) and referrers have none. */
	if (count_named(index, OCIWP_REF_NAME, NULL, out) == 1)
		return 0;
	return fail_several(index, NULL, OCIWP_REF_NAME, err);
}

/* "app:v1" is docker.io/library/app:v1 to containerd, which writes it like that. */
static bool resolve_reference(const ociwp_index *index, const char *name,
                              const ociw_descriptor **out)
{
	ociw_reference *ref = NULL;
	size_t found = 0;

	if (!strpbrk(name, "/:") || ociw_reference_parse(name, &ref, NULL) < 0)
		return false;
	found = count_named(index, OCIWP_CONTAINERD_NAME, ociw_reference_text(ref), out);
	ociw_reference_free(ref);
	return found == 1;
}

int ociwp_layout_index_resolve(const ociwp_index *index, const char *name,
                               const ociw_descriptor **out, ociw_error **err)
{
	static const char *const keys[] = {OCIWP_REF_NAME, OCIWP_CONTAINERD_NAME};

	*out = NULL;
	if (!name)
		return resolve_only(index, out, err);
	for (size_t k = 0; k < OCIWP_ARRAY_LEN(keys); k++) {
		size_t found = count_named(index, keys[k], name, out);

		if (found == 1)
			return 0;
		if (found > 1) {
			*out = NULL;
			return fail_several(index, name, keys[k], err);
		}
	}
	if (resolve_reference(index, name, out))
		return 0;
	for (size_t i = 0; i < index->manifest_count; i++) {
		if (strcmp(index->manifests[i]->digest, name) == 0) {
			*out = index->manifests[i];
			return 0;
		}
	}
	return ociwp_fail(err, OCIW_ERR_NOTFOUND, "no image is called %s", ociwp_quote(name));
}

int ociwp_layout_index_list(const ociwp_index *index, ociw_name_cb cb, void *user_data)
{
	for (size_t i = 0; i < index->manifest_count; i++) {
		const ociw_descriptor *desc = index->manifests[i];
		int r = cb(ref_name(desc), desc, user_data);

		if (r != 0)
			return r;
	}
	return 0;
}

int ociwp_layout_is_referrer(const ociw_descriptor *desc, ociw_span bytes, const ociw_op *op,
                             bool *is_referrer, ociw_error **err)
{
	OCIWP_AUTO(manifest) ociwp_manifest *manifest = NULL;
	OCIWP_AUTO(index) ociwp_index *index = NULL;
	int r;

	if (ociwp_mediatype_is_index(desc->media_type)) {
		r = ociwp_index_parse(bytes, desc->media_type, op, &index, err);
		*is_referrer = index && index->subject;
	} else {
		r = ociwp_manifest_parse(bytes, desc->media_type, op, &manifest, err);
		*is_referrer = manifest && manifest->subject;
	}
	return r;
}

struct ociwp_layout_doc {
	json_t *root;
	json_t *manifests; /* borrowed from root */
	bool changed;
};

void ociwp_layout_doc_free(ociwp_layout_doc *doc)
{
	if (!doc)
		return;
	json_decref(doc->root);
	free(doc);
}

static json_t *empty_index(void)
{
	return json_pack("{s:i, s:s, s:[]}", "schemaVersion", 2, "mediaType", OCIWP_MT_OCI_INDEX,
	                 "manifests");
}

int ociwp_layout_doc_parse(ociw_span text, const ociw_op *op, ociwp_layout_doc **out,
                           ociw_error **err)
{
	OCIWP_AUTO(layout_doc) ociwp_layout_doc *doc = ociwp_new(ociwp_layout_doc);
	OCIWP_AUTO(index) ociwp_index *checked = NULL;
	ociw_limits limits;
	int r = 0;

	*out = NULL;
	if (!doc)
		return ociwp_nomem(err);
	if (text.data) {
		ociwp_limits_get(op, &limits);
		r = ociwp_index_parse(text, OCIWP_MT_OCI_INDEX, op, &checked, err);
		if (r >= 0)
			r = ociwp_json_parse(text, "index.json", limits.max_json_depth, &doc->root,
			                     err);
	} else {
		doc->root = empty_index();
		doc->changed = true;
		if (!doc->root)
			return ociwp_nomem(err);
	}
	if (r >= 0)
		r = ociwp_json_need_array(doc->root, "index.json", "manifests", &doc->manifests,
		                          err);
	if (r < 0)
		return r;
	*out = ociwp_steal(&doc);
	return 0;
}

static const char *entry_text(const json_t *entry, const char *member)
{
	return json_string_value(json_object_get(entry, member));
}

static const char *entry_annotation(const json_t *entry, const char *key)
{
	return json_string_value(json_object_get(json_object_get(entry, "annotations"), key));
}

static void entry_drop_annotation(json_t *entry, const char *key)
{
	json_t *annotations = json_object_get(entry, "annotations");

	json_object_del(annotations, key);
	if (json_object_size(annotations) == 0)
		json_object_del(entry, "annotations");
}

static int entry_annotate(json_t *entry, const char *key, const char *value, ociw_error **err)
{
	json_t *annotations = json_object_get(entry, "annotations");

	if (!json_is_object(annotations)) {
		annotations = json_object();
		if (json_object_set_new(entry, "annotations", annotations) != 0)
			return ociwp_nomem(err);
	}
	if (json_object_set_new(annotations, key, json_string(value)) != 0)
		return ociwp_nomem(err);
	return 0;
}

static int append_entry(ociwp_layout_doc *doc, const ociw_descriptor *desc, json_t **out,
                        ociw_error **err)
{
	OCIWP_AUTO(json)
	json_t *entry = json_pack("{s:s, s:s, s:I}", "mediaType", desc->media_type, "digest",
	                          desc->digest, "size", (json_int_t)desc->size);

	if (!entry)
		return ociwp_nomem(err);
	if (desc->artifact_type &&
	    json_object_set_new(entry, "artifactType", json_string(desc->artifact_type)) != 0)
		return ociwp_nomem(err);
	if (json_array_append(doc->manifests, entry) != 0)
		return ociwp_nomem(err);
	*out = entry; /* the array holds it */
	doc->changed = true;
	return 0;
}

/* Takes @p value of annotation @p key from every entry of another digest. */
static void take_from_others(ociwp_layout_doc *doc, const char *digest, const char *key,
                             const char *value)
{
	size_t i;
	json_t *entry;

	json_array_foreach(doc->manifests, i, entry)
	{
		if (ociwp_streq(entry_text(entry, "digest"), digest) ||
		    !ociwp_streq(entry_annotation(entry, key), value))
			continue;
		entry_drop_annotation(entry, key);
		doc->changed = true;
	}
}

/* The entry of @p digest that has this name, else one that has none (a name to give it). */
static json_t *find_entry(ociwp_layout_doc *doc, const char *digest, const char *name)
{
	json_t *nameless = NULL, *entry;
	size_t i;

	json_array_foreach(doc->manifests, i, entry)
	{
		if (!ociwp_streq(entry_text(entry, "digest"), digest))
			continue;
		const char *have = entry_annotation(entry, OCIWP_REF_NAME);
		if (!name || ociwp_streq(have, name))
			return entry;
		if (!have && !nameless)
			nameless = entry;
	}
	return nameless;
}

int ociwp_layout_doc_put(ociwp_layout_doc *doc, const ociw_descriptor *desc, const char *name,
                         const char *full_name, ociw_error **err)
{
	int r = 0;

	if (name && strcmp(name, desc->digest) == 0)
		name = NULL;
	if (name && !ociwp_layout_name_is_valid(name))
		return ociwp_fail(err, OCIW_ERR_INVALID, "%s is no name for a layout (LAY-3)",
		                  ociwp_quote(name));
	if (name)
		take_from_others(doc, desc->digest, OCIWP_REF_NAME, name);
	if (full_name)
		take_from_others(doc, desc->digest, OCIWP_CONTAINERD_NAME, full_name);
	json_t *entry = find_entry(doc, desc->digest, name);
	if (!entry)
		r = append_entry(doc, desc, &entry, err);
	if (r >= 0 && full_name &&
	    !ociwp_streq(entry_annotation(entry, OCIWP_CONTAINERD_NAME), full_name)) {
		r = entry_annotate(entry, OCIWP_CONTAINERD_NAME, full_name, err);
		doc->changed = true;
	}
	if (r >= 0 && name && !ociwp_streq(entry_annotation(entry, OCIWP_REF_NAME), name)) {
		r = entry_annotate(entry, OCIWP_REF_NAME, name, err);
		doc->changed = true;
	}
	return r;
}

int ociwp_layout_doc_remove(ociwp_layout_doc *doc, const char *name, ociw_error **err)
{
	bool by_digest = ociw_digest_is_valid(name), found = false;

	for (size_t i = json_array_size(doc->manifests); i-- > 0;) {
		const json_t *entry = json_array_get(doc->manifests, i);
		const char *have = by_digest ? entry_text(entry, "digest")
		                             : entry_annotation(entry, OCIWP_REF_NAME);

		if (!ociwp_streq(have, name))
			continue;
		json_array_remove(doc->manifests, i);
		found = doc->changed = true;
	}
	if (!found)
		return ociwp_fail(err, OCIW_ERR_NOTFOUND, "no image is called %s",
		                  ociwp_quote(name));
	return 0;
}

void ociwp_layout_doc_prune(ociwp_layout_doc *doc, const ociwp_map *drop)
{
	for (size_t i = json_array_size(doc->manifests); i-- > 0;) {
		const json_t *entry = json_array_get(doc->manifests, i);
		const char *digest = entry_text(entry, "digest");

		if (entry_annotation(entry, OCIWP_REF_NAME) || !digest ||
		    !ociwp_map_contains(drop, digest))
			continue;
		json_array_remove(doc->manifests, i);
		doc->changed = true;
	}
}

bool ociwp_layout_doc_changed(const ociwp_layout_doc *doc)
{
	return doc->changed;
}

int ociwp_layout_doc_format(const ociwp_layout_doc *doc, ociwp_buf *out, ociw_error **err)
{
	ociwp_json_writer *writer = NULL;
	int r = ociwp_json_writer_new(NULL, out, &writer, err);

	if (r < 0)
		return r;
	ociwp_json_value(writer, doc->root, false);
	return ociwp_json_writer_finish(writer, err);
}
