/* SPDX-License-Identifier: Apache-2.0
 *
 * Digest values: text form and comparison. Hashing is io/hasher (this layer knows no OpenSSL).
 */
#ifndef OCIW_BASE_DIGEST_H
#define OCIW_BASE_DIGEST_H

#include <oci-wasm/digest.h>

/* Bytes of an algorithm, 0 for one that cannot be verified. */
size_t ociwp_digest_size(ociw_digest_algorithm algorithm);

#endif
