/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors: a code that says what the caller can do, and a chain of frames that says what happened.
 * docs/errors.md lists each code with cause, caller action and exit status of the tools.
 */
#ifndef OCIW_ERROR_H
#define OCIW_ERROR_H

#include <oci-wasm/export.h>

OCIW_BEGIN_DECLS

/** Result codes. 0 or a non-negative count is success; every failing call returns one of these. */
typedef enum ociw_code {
	OCIW_OK = 0,
	OCIW_ERR_NOMEM = -1,       /**< memory ran out */
	OCIW_ERR_INVALID = -2,     /**< the caller's input is not what the call takes */
	OCIW_ERR_IO = -3,          /**< the operating system failed; see ociw_error_errno() */
	OCIW_ERR_NOTFOUND = -4,    /**< the named thing is not there */
	OCIW_ERR_EXISTS = -5,      /**< something is there already and is not replaced */
	OCIW_ERR_DIGEST = -6,      /**< bytes do not have their digest or checksum */
	OCIW_ERR_SIZE = -7,        /**< more or fewer bytes than promised, or a cut stream */
	OCIW_ERR_LIMIT = -8,       /**< over a limit of the operation; see docs/limits.md */
	OCIW_ERR_FORMAT = -9,      /**< bytes that break their format */
	OCIW_ERR_UNSUPPORTED = -10, /**< well formed, but nothing this library does */
	OCIW_ERR_UNSAFE = -11,     /**< refused because it could do harm */
	OCIW_ERR_AUTH = -12,       /**< credentials are missing or were rejected */
	OCIW_ERR_DENIED = -13,     /**< known, but not allowed */
	OCIW_ERR_NETWORK = -14,    /**< no usable answer from the network, retries spent */
	OCIW_ERR_REGISTRY = -15,   /**< the registry answered with an error or broke its protocol */
	OCIW_ERR_CANCELLED = -16,  /**< the caller's cancel flag or event callback said stop */
	OCIW_ERR_BUSY = -17        /**< another process holds it; try again later */
} ociw_code;

/** What failed and why. Made by the library, freed by the caller. */
typedef struct ociw_error ociw_error;

/** Makes an error, for callbacks that the caller of the library writes: lower case, no final dot, no
 * secret. @p err may be NULL, *err must be. @return @p code */
OCIW_API int ociw_error_set(ociw_error **err, ociw_code code, const char *fmt, ...)
	OCIW_PRINTF(3, 4);

/** Frees an error. NULL is fine. */
OCIW_API void ociw_error_free(ociw_error *err);

/** Code of an error, the same as the call returned; OCIW_OK for NULL. */
OCIW_API ociw_code ociw_error_code(const ociw_error *err);

/** The whole chain, outermost first, one line of valid UTF-8 without control characters. Borrowed. */
OCIW_API const char *ociw_error_message(const ociw_error *err);

/** Frame @p i of the chain, 0 the outermost; NULL past the last. Borrowed. */
OCIW_API const char *ociw_error_frame(const ociw_error *err, size_t i);

/** errno of the system call that failed, or 0. */
OCIW_API int ociw_error_errno(const ociw_error *err);

/** HTTP status of the answer that failed, or 0. */
OCIW_API int ociw_error_http_status(const ociw_error *err);

/** The registry's own code such as "MANIFEST_UNKNOWN", or NULL. Borrowed. */
OCIW_API const char *ociw_error_registry_code(const ociw_error *err);

/** Name of a code as in docs/errors.md, such as "NOTFOUND". Static; "UNKNOWN" for other numbers. */
OCIW_API const char *ociw_code_name(ociw_code code);

OCIW_END_DECLS

#endif
