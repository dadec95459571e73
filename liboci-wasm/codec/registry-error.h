/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies of failed answers to one line for a person and the registry's own code (ERR-1..3).
 */
#ifndef OCIW_CODEC_REGISTRY_ERROR_H
#define OCIW_CODEC_REGISTRY_ERROR_H

#include "base/error.h"

typedef struct ociwp_registry_error {
	char *code; /* of the first error, verbatim ("MANIFEST_UNKNOWN"), or NULL */
	char *text; /* one line, control bytes escaped, at most ~512 bytes; "" for an empty body */
} ociwp_registry_error;

/* Any bytes are fine: JSON of the spec, other JSON, plain text, HTML. OCIW_ERR_NOMEM alone. */
int ociwp_registry_error_parse(ociw_span body, ociwp_registry_error *out, ociw_error **err);
void ociwp_registry_error_deinit(ociwp_registry_error *error);
/* True when one of the codes in the body is @p code. */
bool ociwp_registry_error_has(ociw_span body, const char *code);

static inline void ociwp_cleanup_registry_error(ociwp_registry_error *error)
{
	ociwp_registry_error_deinit(error);
}

#endif
