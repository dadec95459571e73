/* SPDX-License-Identifier: Apache-2.0
 *
 * Composes a component with its dependencies by an external program that speaks as `wac compose` does.
 */
#ifndef OCI_WASM_COMPOSE_H
#define OCI_WASM_COMPOSE_H

#include "tool.h"

struct composer {
	struct tool *tool;
	const char *program; /* a name in PATH, or a path; borrowed */
};

/* An ociw_compose_cb; user_data is a struct composer. OCIW_ERR_NOTFOUND when there is no such
 * program. */
int compose_component(const ociw_composition *what, void *user_data, ociw_error **err);

#endif
