/* SPDX-License-Identifier: Apache-2.0
 *
 * The client for one registry of component packages: that of the command, or one with what wkg's
 * config.toml and environment say of this registry (specs/wasm-formats.md 1.3).
 */
#ifndef OCI_WASM_PACKAGE_CLIENT_H
#define OCI_WASM_PACKAGE_CLIENT_H

#include "tool.h"

struct package_client;

/* @p registry as manifests call it, @p host where its repositories are ("ghcr.io"). */
int package_client_new(struct tool *tool, ociw_packages *packages, const char *registry,
                       const char *host, struct package_client **out, ociw_error **err);
/* Wipes what is secret. NULL is fine. Contents made from its client must be gone. */
void package_client_free(struct package_client *client);
ociw_client *package_client_get(const struct package_client *client);

#endif
