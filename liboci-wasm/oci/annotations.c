/* SPDX-License-Identifier: Apache-2.0
 *
 * Annotations: string to string, in document order. Knows no key by name. ANN-1, DSC-6.
 */
#include "base/str.h"
#include "oci/descriptor.h"

void ociwp_annotations_deinit(ociwp_annotations *annotations)
{
	for (size_t i = 0; i < annotations->count; i++) {
		free((char *)annotations->items[i].key);
		free((char *)annotations->items[i].value);
	}
	free(annotations->items);
	annotations->items = NULL;
	annotations->count = 0;
}

static ociw_annotation *find(const ociwp_annotations *annotations, const char *key)
{
	for (size_t i = 0; i < annotations->count; i++)
		if (strcmp(annotations->items[i].key, key) == 0)
			return &annotations->items[i];
	return NULL;
}

/* Grows by powers of two, so that reading a long map is linear. */
static bool make_room(ociwp_annotations *annotations)
{
	size_t n = annotations->count;
	if (n != 0 && (n & (n - 1)) != 0)
		return true;
	size_t cap;
	if (!ociwp_mul_ok(n ? n : 1, (size_t)2, &cap))
		return false;
	void *grown = ociwp_realloc_array(annotations->items, cap, sizeof(*annotations->items));
	if (!grown)
		return false;
	annotations->items = grown;
	return true;
}

/* Adds a key that is not there yet. */
static int append(ociwp_annotations *annotations, const char *key, const char *value,
		  ociw_error **err)
{
	OCIWP_AUTO(str) char *key_copy = ociwp_strdup(key);
	OCIWP_AUTO(str) char *value_copy = ociwp_strdup(value);

	if (!key_copy || !value_copy || !make_room(annotations))
		return ociwp_nomem(err);
	annotations->items[annotations->count++] =
		(ociw_annotation){ociwp_steal(&key_copy), ociwp_steal(&value_copy)};
	return 0;
}

int ociwp_annotations_set(ociwp_annotations *annotations, const char *key, const char *value,
			  ociw_error **err)
{
	ociw_annotation *there = find(annotations, key);
	if (!there)
		return append(annotations, key, value, err);
	char *copy = ociwp_strdup(value);
	if (!copy)
		return ociwp_nomem(err);
	free((char *)there->value);
	there->value = copy;
	return 0;
}

const char *ociwp_annotations_get(const ociwp_annotations *annotations, const char *key)
{
	const ociw_annotation *there = find(annotations, key);
	return there ? there->value : NULL;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const ociw_annotation *)a)->key, ((const ociw_annotation *)b)->key);
}

void ociwp_annotations_sort(ociwp_annotations *annotations)
{
	if (annotations->count > 1)
		qsort(annotations->items, annotations->count, sizeof(*annotations->items), by_key);
}

int ociwp_annotations_copy(const ociwp_annotations *from, ociwp_annotations *out, ociw_error **err)
{
	for (size_t i = 0; i < from->count; i++) {
		int r = append(out, from->items[i].key, from->items[i].value, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int ociwp_annotations_parse(const json_t *object_or_null, const char *path,
			    ociwp_annotations *out, ociw_error **err)
{
	const char *key;
	json_t *value;

	if (!object_or_null || json_is_null(object_or_null))
		return 0;
	if (!json_is_object(object_or_null))
		return ociwp_fail(err, OCIW_ERR_FORMAT, "%s is not an object", path);
	json_object_foreach ((json_t *)object_or_null, key, value) {
		if (!json_is_string(value))
			return ociwp_fail(err, OCIW_ERR_FORMAT, "%s: value of %s is not a string",
					  path, ociwp_quote(key));
		/* Names are unique already: the JSON front refuses duplicates. */
		int r = append(out, key, json_string_value(value), err);
		if (r < 0)
			return r;
	}
	return 0;
}

void ociwp_annotations_write(const ociwp_annotations *annotations, ociwp_json_writer *w)
{
	ociwp_json_begin_object(w);
	for (size_t i = 0; i < annotations->count; i++)
		ociwp_json_member(w, annotations->items[i].key, annotations->items[i].value);
	ociwp_json_end_object(w);
}

void ociwp_annotations_write_sorted(const ociwp_annotations *annotations, ociwp_json_writer *w)
{
	/* A shallow copy is sorted: the texts stay with their owner. */
	ociwp_annotations sorted = {NULL, annotations->count};
	if (annotations->count > 0) {
		sorted.items = ociwp_realloc_array(NULL, annotations->count, sizeof(*sorted.items));
		if (!sorted.items) {
			ociwp_json_writer_fail_nomem(w);
			return;
		}
		memcpy(sorted.items, annotations->items,
		       annotations->count * sizeof(*sorted.items));
	}
	ociwp_annotations_sort(&sorted);
	ociwp_annotations_write(&sorted, w);
	free(sorted.items);
}
