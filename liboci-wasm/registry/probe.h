/* SPDX-License-Identifier: Apache-2.0
 *
 * Does a loopback host speak TLS? TLS-2.
 */
#ifndef OCIW_REGISTRY_PROBE_H
#define OCIW_REGISTRY_PROBE_H

#include <oci-wasm/error.h>
#include <oci-wasm/op.h>
#include <stdbool.h>
#include <stdint.h>

/* Connects to @p authority (HOST:PORT), says a TLS hello and looks at how the answer begins. A host that
 * cannot be reached or does not answer within @p wait_ms speaks none: *out is false, and what follows
 * finds out why. @return 0, OCIW_ERR_CANCELLED, OCIW_ERR_INVALID or OCIW_ERR_NOMEM. */
int ociwp_probe_tls(const char *authority, uint64_t wait_ms, const ociw_op *op, bool *out,
                    ociw_error **err);

#endif
