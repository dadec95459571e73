/* SPDX-License-Identifier: Apache-2.0
 *
 * What the machine and its user say about registries: certs.d folders and registries.conf (TLS-3,
 * MIR-1).
 */
#ifndef OCI_WASM_SYSTEM_SETTINGS_H
#define OCI_WASM_SYSTEM_SETTINGS_H

#include <oci-wasm/oci-wasm.h>

int system_settings_apply(ociw_client *client, ociw_error **err);

#endif
