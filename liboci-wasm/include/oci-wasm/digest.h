/* SPDX-License-Identifier: Apache-2.0
 *
 * Content digests: values, parsed strictly (oci-client.md DIG-1..5).
 */
#ifndef OCIW_DIGEST_H
#define OCIW_DIGEST_H

#include <oci-wasm/error.h>

OCIW_BEGIN_DECLS

/** Algorithms that can be verified. */
typedef enum ociw_digest_algorithm {
	OCIW_DIGEST_NONE = 0,
	OCIW_DIGEST_SHA256 = 1, /**< 32 bytes, the default everywhere */
	OCIW_DIGEST_SHA512 = 2  /**< 64 bytes */
} ociw_digest_algorithm;

/** Longest text of a digest this library formats, with the final NUL: "sha512:" and 128 digits. */
#define OCIW_DIGEST_TEXT_MAX 136

/** A digest. A value; all zero means "none". */
typedef struct ociw_digest {
	uint32_t algorithm; /**< enum ociw_digest_algorithm */
	uint32_t len;       /**< bytes used of `bytes` */
	uint8_t bytes[64];
} ociw_digest;

/** Parses "sha256:<64 lower-case hex>" or the sha512 form.
 * @return 0; OCIW_ERR_INVALID when the text is no digest; OCIW_ERR_UNSUPPORTED when it is one of an
 * algorithm that cannot be verified here. @p err may be NULL. */
OCIW_API OCIW_NODISCARD int ociw_digest_parse(const char *text, ociw_digest *out, ociw_error **err);

/** True when @p text follows the digest grammar of the image spec, whatever the algorithm. */
OCIW_API bool ociw_digest_is_valid(const char *text);

/** Writes the text form with its NUL into @p out; "" for "none". Returns @p out. */
OCIW_API const char *ociw_digest_format(const ociw_digest *digest, char out[OCIW_DIGEST_TEXT_MAX]);

/** True when both are the same algorithm and bytes. */
OCIW_API bool ociw_digest_equal(const ociw_digest *a, const ociw_digest *b);

/** sha256 (or another algorithm) of bytes in memory. */
OCIW_API OCIW_NODISCARD int ociw_digest_bytes(ociw_digest_algorithm algorithm, ociw_span bytes,
					      ociw_digest *out, ociw_error **err);

OCIW_END_DECLS

#endif
