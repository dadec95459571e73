/* SPDX-License-Identifier: Apache-2.0
 *
 * Link headers (RFC 8288) as far as paging needs them: the target of rel=next (TAG-1).
 */
#ifndef OCIW_CODEC_LINK_HEADER_H
#define OCIW_CODEC_LINK_HEADER_H

#include "base/error.h"

/* The target of the first link whose rel holds "next"; *out stays NULL when there is none. The
 * target is opaque text, perhaps relative; the caller resolves and judges it. OCIW_ERR_NOMEM alone.
 */
int ociwp_link_next(const char *value, size_t len, char **out, ociw_error **err);

#endif
