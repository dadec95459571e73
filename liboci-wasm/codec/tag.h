/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar of tags (specs/oci-client.md, REF rules): a name that can be part of a URL as it is.
 */
#ifndef OCIW_CODEC_TAG_H
#define OCIW_CODEC_TAG_H

#include <stdbool.h>

#define OCIWP_TAG_MAX 128

/* A letter, digit or '_', then up to 127 of these, '.' and '-'. */
bool ociwp_tag_is_valid(const char *tag);

#endif
