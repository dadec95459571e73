/* SPDX-License-Identifier: Apache-2.0
 *
 * How a component and its dependencies are wired (spin.md 3.7), as a text in the language of wac:
 * which imports a dependency's name stands for, and which exports answer to them. Spin's own rules;
 * types are for the composer to judge.
 */
#ifndef OCIW_OPS_COMPOSE_SCRIPT_H
#define OCIW_OPS_COMPOSE_SCRIPT_H

#include "base/buf.h"
#include "codec/wasm-binary.h"

/* Packages as the script calls them; those of dependencies have their number behind. */
#define OCIWP_COMPOSE_MAIN "oci:main"
#define OCIWP_COMPOSE_DEPENDENCY "oci:dependency"
#define OCIWP_COMPOSE_DENY "oci:deny"

/* One dependency, in the order of the lock. */
typedef struct ociwp_compose_member {
	const char *name;        /* as the lock has it */
	const char *export_name; /* what satisfies the import instead of its own name, or NULL */
	const ociwp_wasm_info *info;
	bool denied; /* the adapter stands between it and the host */
} ociwp_compose_member;

/* Writes the script. @p deny: what is known of the adapter; NULL when nothing is denied. FORMAT for
 * a name that matches no import, two that match one, an export that is not there. */
int ociwp_compose_script(const ociwp_wasm_info *component, const ociwp_compose_member *members,
                         size_t count, const ociwp_wasm_info *deny, ociwp_buf *out,
                         ociw_error **err);

#endif
