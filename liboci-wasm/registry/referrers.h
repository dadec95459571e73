/* SPDX-License-Identifier: Apache-2.0
 *
 * Referrers by the API or by the tag fallback, read and kept up to date (RFR-1..9).
 */
#ifndef OCIW_REGISTRY_REFERRERS_H
#define OCIW_REGISTRY_REFERRERS_H

#include "registry/repository.h"

int ociwp_referrers_list(void *self, const char *digest, const char *artifact_type,
                         const ociw_op *op, ociwp_referrer_cb cb, void *user_data,
                         ociw_error **err);
/* The tag that holds the referrers of a digest where there is no API (RFR-4); to be freed. */
char *ociwp_referrers_tag(const char *digest);

/* A manifest with a subject was put; @p confirmed: the registry said so itself (OCI-Subject). */
int ociwp_referrers_pushed(ociwp_repository *repo, const ociw_descriptor *desc, ociw_span bytes,
                           const char *confirmed, const ociw_op *op, ociw_error **err);
/* The subject that a manifest names, where the fallback needs to know; else NULL in *out. */
int ociwp_referrers_subject_of(ociwp_repository *repo, const char *digest, const ociw_op *op,
                               char **out, ociw_error **err);
/* A manifest with this subject was deleted. */
int ociwp_referrers_removed(ociwp_repository *repo, const char *subject, const char *digest,
                            const ociw_op *op, ociw_error **err);

#endif
