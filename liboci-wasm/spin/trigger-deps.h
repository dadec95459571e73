/* SPDX-License-Identifier: Apache-2.0
 *
 * Dependencies of triggers, such as middleware, move to the component that the trigger names
 * (specs/spin.md 2.3); a component that several triggers share is split for them.
 */
#ifndef OCIW_SPIN_TRIGGER_DEPS_H
#define OCIW_SPIN_TRIGGER_DEPS_H

#include "spin/model.h"

/* Clones components and repoints triggers, in a normalised manifest. Afterwards a component is
 * named by at most one trigger with dependencies. Clones are appended in the order of their
 * triggers. */
int ociwp_trigger_deps_split(ociwp_spin_manifest *manifest, ociw_error **err);
/* The trigger whose dependencies a component carries after the split, or NULL. */
const ociwp_trigger *ociwp_trigger_deps_of(const ociwp_spin_manifest *manifest,
                                           const ociwp_component *component);

#endif
