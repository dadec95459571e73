/* SPDX-License-Identifier: Apache-2.0
 *
 * Typed reading of TOML tables with errors that name the place: unknown keys are refused with the
 * nearest valid one, a wrong type says what is wanted. Knows no manifest.
 */
#ifndef OCIW_SPIN_FIELDS_H
#define OCIW_SPIN_FIELDS_H

#include "codec/json.h"
#include "spin/report.h"

/* A table under inspection. */
typedef struct ociwp_fields {
	ociwp_report *report;
	const ociwp_toml *table;
	const char *what;      /* "[application]": how messages call the table */
	const char *component; /* id for messages, or NULL */
} ociwp_fields;

/* Strings with their places. */
typedef struct ociwp_strings {
	char **items;
	ociwp_place *places;
	size_t count;
} ociwp_strings;

void ociwp_strings_deinit(ociwp_strings *strings);
int ociwp_strings_add(ociwp_strings *strings, const char *text, ociwp_place at, ociw_error **err);
/* A JSON array of them; NULL without memory. */
json_t *ociwp_strings_to_json(const ociwp_strings *strings);

/* Checks that @p value is a table and, unless @p keys is NULL, that it has no other keys (the list
 * ends with NULL). `report`, `what` and `component` of @p f are set before. */
int ociwp_fields_open(ociwp_fields *f, const ociwp_toml *value, const char *const *keys,
                      ociw_error **err);
const ociwp_toml_member *ociwp_fields_get(const ociwp_fields *f, const char *key);
/* FORMAT when the key is missing. */
int ociwp_fields_need(const ociwp_fields *f, const char *key, const ociwp_toml_member **out,
                      ociw_error **err);
/* "KEY of WHAT must be WANTED, not a ..." */
int ociwp_fields_wrong_type(const ociwp_fields *f, const ociwp_toml *value, const char *key,
                            const char *wanted, ociw_error **err);
/* *out is left alone when the key is missing. The old value is freed. */
int ociwp_fields_string(const ociwp_fields *f, const char *key, char **out, ociw_error **err);
int ociwp_fields_need_string(const ociwp_fields *f, const char *key, char **out, ociw_error **err);
int ociwp_fields_bool(const ociwp_fields *f, const char *key, bool *out, ociw_error **err);
int ociwp_fields_strings(const ociwp_fields *f, const char *key, ociwp_strings *out,
                         ociw_error **err);
/* A table of strings as a JSON object; NULL stays NULL when the key is missing or the table empty.
 */
int ociwp_fields_string_map(const ociwp_fields *f, const char *key, json_t **out, ociw_error **err);
/* A table of tables, as it is; *out (if not NULL) is an object of objects when the key is there. */
int ociwp_fields_table_map(const ociwp_fields *f, const char *key, json_t **out, ociw_error **err);

/* The nearest of @p candidates (NULL at the end) to a misspelt word; NULL when none is near. */
const char *ociwp_nearest_word(const char *word, const char *const *candidates);

/* Any TOML value as JSON: dates are strings, inf and nan null (2.5). NULL without memory. */
json_t *ociwp_toml_to_json(const ociwp_toml *value);

#endif
