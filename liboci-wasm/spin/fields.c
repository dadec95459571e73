/* SPDX-License-Identifier: Apache-2.0
 *
 * Typed reading of TOML tables. The errors here are what people see most: they name place and
 * choice.
 */
#include "spin/fields.h"
#include "base/buf.h"
#include "base/str.h"

#include <math.h>

void ociwp_strings_deinit(ociwp_strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->items[i]);
	free(strings->items);
	free(strings->places);
	*strings = (ociwp_strings){0};
}

int ociwp_strings_add(ociwp_strings *strings, const char *text, ociwp_place at, ociw_error **err)
{
	size_t n = strings->count;
	if ((n & (n - 1)) == 0) {
		size_t cap = n ? 2 * n : 1;
		char **items = ociwp_realloc_array(strings->items, cap, sizeof(*items));
		if (!items)
			return ociwp_nomem(err);
		strings->items = items;
		ociwp_place *places = ociwp_realloc_array(strings->places, cap, sizeof(*places));
		if (!places)
			return ociwp_nomem(err);
		strings->places = places;
	}
	strings->items[n] = ociwp_strdup(text);
	if (!strings->items[n])
		return ociwp_nomem(err);
	strings->places[n] = at;
	strings->count++;
	return 0;
}

json_t *ociwp_strings_to_json(const ociwp_strings *strings)
{
	json_t *array = json_array();
	for (size_t i = 0; array && i < strings->count; i++) {
		if (json_array_append_new(array, json_string(strings->items[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* Edit distance with swaps of neighbours, given up above @p limit. Words are keys: short. */
static size_t distance(const char *a, const char *b, size_t limit)
{
	enum { MAX = 48 };
	size_t n = strlen(a), m = strlen(b);
	if (n >= MAX || m >= MAX)
		return limit + 1;
	size_t rows[3][MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];
	for (size_t j = 0; j <= m; j++)
		above[j] = before[j] = j;
	for (size_t i = 1; i <= n; i++) {
		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
			best = above[j] + 1 < best ? above[j] + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
		size_t *spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[m];
}

const char *ociwp_nearest_word(const char *word, const char *const *candidates)
{
	const char *best = NULL;
	size_t limit = strlen(word) / 2 < 3 ? strlen(word) / 2 : 3;
	size_t best_distance = (limit ? limit : 1) + 1;
	for (; *candidates; candidates++) {
		size_t d = distance(word, *candidates, best_distance);
		if (d < best_distance) {
			best_distance = d;
			best = *candidates;
		}
	}
	return best;
}

static const char *type_name(ociwp_toml_type type)
{
	switch (type) {
	case OCIWP_TOML_TABLE:
		return "a table";
	case OCIWP_TOML_ARRAY:
		return "an array";
	case OCIWP_TOML_STRING:
		return "a string";
	case OCIWP_TOML_INTEGER:
		return "an integer";
	case OCIWP_TOML_FLOAT:
		return "a float";
	case OCIWP_TOML_BOOLEAN:
		return "a boolean";
	case OCIWP_TOML_DATE:
		return "a date";
	}
	return "something else";
}

static ociwp_where where(const ociwp_fields *f, ociwp_place at, const char *rule)
{
	return (ociwp_where){at, f->component, rule};
}

static int unknown_key(const ociwp_fields *f, const ociwp_toml_member *member,
                       const char *const *keys, ociw_error **err)
{
	const char *near = ociwp_nearest_word(member->key, keys);
	if (near)
		return ociwp_report_fail(f->report, where(f, member->at, "unknown-key"),
		                         OCIW_ERR_FORMAT, err,
		                         "unknown key %s in %s, did you mean \"%s\"?",
		                         ociwp_quote(member->key), f->what, near);
	OCIWP_AUTO(buf) ociwp_buf list = OCIWP_BUF_INIT;
	for (size_t i = 0; keys[i]; i++)
		ociwp_buf_printf(&list, "%s%s", i ? ", " : "", keys[i]);
	if (ociwp_buf_check(&list, err) < 0)
		return OCIW_ERR_NOMEM;
	return ociwp_report_fail(f->report, where(f, member->at, "unknown-key"), OCIW_ERR_FORMAT,
	                         err, "unknown key %s in %s, expected one of %s",
	                         ociwp_quote(member->key), f->what, list.data ? list.data : "none");
}

int ociwp_fields_open(ociwp_fields *f, const ociwp_toml *value, const char *const *keys,
                      ociw_error **err)
{
	if (value->type != OCIWP_TOML_TABLE)
		return ociwp_report_fail(f->report, where(f, value->at, "wrong-type"),
		                         OCIW_ERR_FORMAT, err, "%s must be a table, not %s",
		                         f->what, type_name(value->type));
	f->table = value;
	for (size_t i = 0; keys && i < value->count; i++) {
		size_t k = 0;
		while (keys[k] && !ociwp_streq(keys[k], value->u.members[i].key))
			k++;
		if (!keys[k])
			return unknown_key(f, &value->u.members[i], keys, err);
	}
	return 0;
}

const ociwp_toml_member *ociwp_fields_get(const ociwp_fields *f, const char *key)
{
	for (size_t i = 0; i < f->table->count; i++)
		if (ociwp_streq(f->table->u.members[i].key, key))
			return &f->table->u.members[i];
	return NULL;
}

int ociwp_fields_need(const ociwp_fields *f, const char *key, const ociwp_toml_member **out,
                      ociw_error **err)
{
	*out = ociwp_fields_get(f, key);
	if (*out)
		return 0;
	/* Where unknown keys were not looked for yet, one of them may be meant. */
	const char *const wanted[] = {key, NULL};
	for (size_t i = 0; i < f->table->count; i++) {
		const ociwp_toml_member *member = &f->table->u.members[i];
		if (ociwp_nearest_word(member->key, wanted) && strlen(key) > 4)
			return ociwp_report_fail(
			        f->report, where(f, member->at, "missing-key"), OCIW_ERR_FORMAT,
			        err, "%s lacks the key \"%s\", is %s meant to be it?", f->what,
			        key, ociwp_quote(member->key));
	}
	return ociwp_report_fail(f->report, where(f, f->table->at, "missing-key"), OCIW_ERR_FORMAT,
	                         err, "%s lacks the key \"%s\"", f->what, key);
}

int ociwp_fields_wrong_type(const ociwp_fields *f, const ociwp_toml *value, const char *key,
                            const char *wanted, ociw_error **err)
{
	return ociwp_report_fail(f->report, where(f, value->at, "wrong-type"), OCIW_ERR_FORMAT, err,
	                         "%s of %s must be %s, not %s", ociwp_quote(key), f->what, wanted,
	                         type_name(value->type));
}

/* The value of a key that people chose, in the table @p key. */
static int wrong_entry(const ociwp_fields *f, const char *key, const ociwp_toml_member *entry,
                       const char *wanted, ociw_error **err)
{
	return ociwp_report_fail(f->report, where(f, entry->value.at, "wrong-type"),
	                         OCIW_ERR_FORMAT, err, "%s in %s of %s must be %s, not %s",
	                         ociwp_quote(entry->key), ociwp_quote(key), f->what, wanted,
	                         type_name(entry->value.type));
}

static int take_string(const ociwp_fields *f, const ociwp_toml_member *member, char **out,
                       ociw_error **err)
{
	if (member->value.type != OCIWP_TOML_STRING)
		return ociwp_fields_wrong_type(f, &member->value, member->key, "a string", err);
	char *text = ociwp_strdup(member->value.u.string);
	if (!text)
		return ociwp_nomem(err);
	free(*out);
	*out = text;
	return 0;
}

int ociwp_fields_string(const ociwp_fields *f, const char *key, char **out, ociw_error **err)
{
	const ociwp_toml_member *member = ociwp_fields_get(f, key);
	return member ? take_string(f, member, out, err) : 0;
}

int ociwp_fields_need_string(const ociwp_fields *f, const char *key, char **out, ociw_error **err)
{
	const ociwp_toml_member *member;
	int r = ociwp_fields_need(f, key, &member, err);
	return r < 0 ? r : take_string(f, member, out, err);
}

int ociwp_fields_bool(const ociwp_fields *f, const char *key, bool *out, ociw_error **err)
{
	const ociwp_toml_member *member = ociwp_fields_get(f, key);
	if (!member)
		return 0;
	if (member->value.type != OCIWP_TOML_BOOLEAN)
		return ociwp_fields_wrong_type(f, &member->value, key, "true or false", err);
	*out = member->value.u.boolean;
	return 0;
}

int ociwp_fields_strings(const ociwp_fields *f, const char *key, ociwp_strings *out,
                         ociw_error **err)
{
	const ociwp_toml_member *member = ociwp_fields_get(f, key);
	if (!member)
		return 0;
	const ociwp_toml *value = &member->value;
	if (value->type != OCIWP_TOML_ARRAY)
		return ociwp_fields_wrong_type(f, value, key, "an array of strings", err);
	for (size_t i = 0; i < value->count; i++) {
		const ociwp_toml *item = &value->u.items[i];
		if (item->type != OCIWP_TOML_STRING)
			return ociwp_fields_wrong_type(f, item, key, "an array of strings", err);
		int r = ociwp_strings_add(out, item->u.string, item->at, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int ociwp_fields_string_map(const ociwp_fields *f, const char *key, json_t **out, ociw_error **err)
{
	const ociwp_toml_member *member = ociwp_fields_get(f, key);
	if (!member)
		return 0;
	const ociwp_toml *value = &member->value;
	if (value->type != OCIWP_TOML_TABLE)
		return ociwp_fields_wrong_type(f, value, key, "a table of strings", err);
	if (value->count == 0)
		return 0;
	OCIWP_AUTO(json) json_t *map = json_object();
	if (!map)
		return ociwp_nomem(err);
	for (size_t i = 0; i < value->count; i++) {
		const ociwp_toml_member *entry = &value->u.members[i];
		if (entry->value.type != OCIWP_TOML_STRING)
			return wrong_entry(f, key, entry, "a string", err);
		if (json_object_set_new(map, entry->key, json_string(entry->value.u.string)) < 0)
			return ociwp_nomem(err);
	}
	json_decref(*out);
	*out = ociwp_steal(&map);
	return 0;
}

int ociwp_fields_table_map(const ociwp_fields *f, const char *key, json_t **out, ociw_error **err)
{
	const ociwp_toml_member *member = ociwp_fields_get(f, key);
	if (!member)
		return 0;
	const ociwp_toml *value = &member->value;
	if (value->type != OCIWP_TOML_TABLE)
		return ociwp_fields_wrong_type(f, value, key, "a table of tables", err);
	for (size_t i = 0; i < value->count; i++) {
		const ociwp_toml_member *entry = &value->u.members[i];
		if (entry->value.type != OCIWP_TOML_TABLE)
			return wrong_entry(f, key, entry, "a table", err);
	}
	if (!out)
		return 0;
	json_t *map = ociwp_toml_to_json(value);
	if (!map)
		return ociwp_nomem(err);
	json_decref(*out);
	*out = map;
	return 0;
}

static json_t *table_to_json(const ociwp_toml *value)
{
	json_t *object = json_object();
	for (size_t i = 0; object && i < value->count; i++) {
		const ociwp_toml_member *member = &value->u.members[i];
		if (json_object_set_new(object, member->key, ociwp_toml_to_json(&member->value)) <
		    0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static json_t *array_to_json(const ociwp_toml *value)
{
	json_t *array = json_array();
	for (size_t i = 0; array && i < value->count; i++) {
		if (json_array_append_new(array, ociwp_toml_to_json(&value->u.items[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

json_t *ociwp_toml_to_json(const ociwp_toml *value)
{
	switch (value->type) {
	case OCIWP_TOML_TABLE:
		return table_to_json(value);
	case OCIWP_TOML_ARRAY:
		return array_to_json(value);
	case OCIWP_TOML_STRING:
	case OCIWP_TOML_DATE:
		return json_string(value->u.string);
	case OCIWP_TOML_INTEGER:
		return json_integer(value->u.integer);
	case OCIWP_TOML_FLOAT:
		return isfinite(value->u.number) ? json_real(value->u.number) : json_null();
	case OCIWP_TOML_BOOLEAN:
		return json_boolean(value->u.boolean);
	}
	return NULL;
}
