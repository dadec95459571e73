/* SPDX-License-Identifier: Apache-2.0
 *
 * What an image is, told from its manifest and config alone: no layer is read.
 */
#ifndef OCIW_FORMAT_DETECT_H
#define OCIW_FORMAT_DETECT_H

#include "oci/manifest.h"
#include <oci-wasm/format.h>

/* @p config: NULL when it is of another type or cannot be read. Never OCIW_FORMAT_INDEX. */
ociw_format ociwp_format_detect(const ociwp_manifest *manifest, const ociwp_config *config);

/* What a layer is in a listing: "wasm", "lock", "bundle", "data", "tar", "config" or "blob". Static. */
const char *ociwp_format_layer_kind(const char *media_type);

#endif
