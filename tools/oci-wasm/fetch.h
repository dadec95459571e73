/* SPDX-License-Identifier: Apache-2.0
 *
 * Remote wasm sources of Spin manifests: files of web servers and packages of registries.
 */
#ifndef OCI_WASM_FETCH_H
#define OCI_WASM_FETCH_H

#include "tool.h"

/* An ociw_fetch_cb; user_data is the struct tool. */
int fetch_source(const char *kind, const char *locator, const char *version, const char *digest,
                 ociw_writer *into, void *user_data, ociw_error **err);

#endif
