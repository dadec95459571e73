/* SPDX-License-Identifier: Apache-2.0
 *
 * Composes a component with its dependencies by an external program, as `wac plug` does.
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
int compose_component(const char *component_id, const char *wasm_path,
                      const ociw_annotation *dependencies, size_t dependency_count,
                      const char *out_path, void *user_data, ociw_error **err);

#endif
