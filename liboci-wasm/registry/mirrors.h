/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a repository really is, and who else may have it, by registries.conf (MIR-1..3).
 */
#ifndef OCIW_REGISTRY_MIRRORS_H
#define OCIW_REGISTRY_MIRRORS_H

#include "codec/registries-conf.h"
#include "registry/repository.h"

/* Fills host and name of @p repo for a reference, and its mirrors. OCIW_ERR_UNSAFE when it is
 * blocked. */
int ociwp_mirrors_apply(ociw_client *client, const ociw_reference *ref, ociwp_repository *repo,
                        ociw_error **err);
/* True when the nth mirror may be asked for this: digests or tags. */
bool ociwp_mirrors_allow(const ociwp_repository *repo, size_t i, const char *reference);

#endif
