/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates in values: text with {{ name }} in it (specs/spin.md 1.7).
 */
#ifndef OCIW_SPIN_TEMPLATE_H
#define OCIW_SPIN_TEMPLATE_H

#include "base/buf.h"

/* Every "{{" has its "}}"? */
bool ociwp_template_valid(const char *text);
/* Has it no expression? Only for valid ones. */
bool ociwp_template_is_literal(const char *text);

/* Value of a variable, or NULL when it has none. @p name is not terminated. */
typedef const char *(*ociwp_template_lookup)(const char *name, size_t len, void *user_data);
/* Appends the text with its expressions replaced; *complete false when one has no value. At most
 * @p max bytes are made (LIMIT). */
int ociwp_template_expand(const char *text, ociwp_template_lookup lookup, void *user_data,
                          size_t max, ociwp_buf *out, bool *complete);

#endif
