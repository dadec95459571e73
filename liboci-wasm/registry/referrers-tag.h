/* SPDX-License-Identifier: Apache-2.0
 *
 * The index behind the fallback tag: read, add, remove (RFR-4..8).
 */
#ifndef OCIW_REGISTRY_REFERRERS_TAG_H
#define OCIW_REGISTRY_REFERRERS_TAG_H

#include "codec/json.h"
#include "registry/repository.h"

/* The index; NULL in *out when the tag stands for something else (RFR-5). NOTFOUND when there is no
 * such tag. @p etag may be NULL; to be freed. */
int ociwp_referrers_tag_read(ociwp_repository *repo, const char *subject, const ociw_op *op,
                             json_t **out, char **etag, ociw_error **err);
int ociwp_referrers_tag_add(ociwp_repository *repo, const char *subject,
                            const ociw_descriptor *entry, const ociw_op *op, ociw_error **err);
int ociwp_referrers_tag_remove(ociwp_repository *repo, const char *subject, const char *digest,
                               const ociw_op *op, ociw_error **err);

#endif
