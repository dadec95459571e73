/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of component dependencies when an app is packed (spin.md 3.7).
 */
#ifndef OCIW_OPS_PACK_COMPOSE_H
#define OCIW_OPS_PACK_COMPOSE_H

#include "ops/pack-sources.h"

/* Applies the policy: refuses, leaves them as layers, or has them composed by the callback. Sources
 * are set; afterwards some are new. */
int ociwp_pack_compose(const ociwp_pack *pack, const ociwp_app *app, ociwp_workspace *workspace,
                       ociwp_draft *draft, ociw_error **err);

#endif
