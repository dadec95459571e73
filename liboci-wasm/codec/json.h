/* SPDX-License-Identifier: Apache-2.0
 *
 * Strict JSON in (jansson behind a front): UTF-8, no duplicate names, no NUL, depth cap, nothing after
 * the value (MAN-11). Getters give clear errors with the path of the member. JSON out is json-writer.
 */
#ifndef OCIW_CODEC_JSON_H
#define OCIW_CODEC_JSON_H

#include "base/alloc.h"
#include "base/error.h"
#include <jansson.h>

static inline void ociwp_json_release(json_t *value)
{
	json_decref(value);
}
OCIWP_DEFINE_AUTO(json, json_t *, ociwp_json_release)

/* Parses a whole document; @p what names it in errors ("manifest", "config"). Errors: FORMAT (with
 * line and column), LIMIT for depth, NOMEM. @p max_depth 0 means 64. */
int ociwp_json_parse(ociw_span text, const char *what, uint64_t max_depth, json_t **out,
		     ociw_error **err);

/* Members of an object; @p path is the name of the object in errors, such as "layers[2]".
 * need_*: FORMAT when absent or of another type; opt_*: absent or null leaves *out as it is. */
int ociwp_json_need_string(const json_t *object, const char *path, const char *name,
			   const char **out, ociw_error **err);
int ociwp_json_opt_string(const json_t *object, const char *path, const char *name,
			  const char **out, ociw_error **err);
int ociwp_json_need_u64(const json_t *object, const char *path, const char *name, uint64_t *out,
			ociw_error **err); /* integer 0..2^63-1 (DSC-2) */
int ociwp_json_need_object(const json_t *object, const char *path, const char *name,
			   json_t **out_borrowed, ociw_error **err);
int ociwp_json_opt_object(const json_t *object, const char *path, const char *name,
			  json_t **out_borrowed, ociw_error **err);
int ociwp_json_need_array(const json_t *object, const char *path, const char *name,
			  json_t **out_borrowed, ociw_error **err);
int ociwp_json_opt_array(const json_t *object, const char *path, const char *name,
			 json_t **out_borrowed, ociw_error **err);

#endif
