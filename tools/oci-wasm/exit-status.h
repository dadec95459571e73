/* SPDX-License-Identifier: Apache-2.0
 *
 * Exit statuses of both tools, by cause. The man pages have the same table.
 */
#ifndef OCI_WASM_EXIT_STATUS_H
#define OCI_WASM_EXIT_STATUS_H

#include <oci-wasm/error.h>

enum exit_status {
	EXIT_OK = 0,
	EXIT_OTHER = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_FOUND = 3,
	EXIT_AUTH = 4,
	EXIT_NETWORK = 5,
	EXIT_INTEGRITY = 6, /* digest, size, or a damaged stream */
	EXIT_UNSUITABLE = 7, /* not what was asked for: invalid or unsupported input */
	EXIT_LIMIT = 8,
	EXIT_POLICY = 9,
	EXIT_CONFLICT = 10, /* exists, or busy */
	EXIT_SIGINT = 130,
	EXIT_SIGTERM = 143
};

static inline int exit_status_of(ociw_code code)
{
	switch (code) {
	case OCIW_OK:
		return EXIT_OK;
	case OCIW_ERR_NOTFOUND:
		return EXIT_NOT_FOUND;
	case OCIW_ERR_AUTH:
	case OCIW_ERR_DENIED:
		return EXIT_AUTH;
	case OCIW_ERR_NETWORK:
		return EXIT_NETWORK;
	case OCIW_ERR_DIGEST:
	case OCIW_ERR_SIZE:
		return EXIT_INTEGRITY;
	case OCIW_ERR_INVALID:
	case OCIW_ERR_FORMAT:
	case OCIW_ERR_UNSUPPORTED:
		return EXIT_UNSUITABLE;
	case OCIW_ERR_LIMIT:
		return EXIT_LIMIT;
	case OCIW_ERR_UNSAFE:
		return EXIT_POLICY;
	case OCIW_ERR_EXISTS:
	case OCIW_ERR_BUSY:
		return EXIT_CONFLICT;
	case OCIW_ERR_NOMEM:
	case OCIW_ERR_IO:
	case OCIW_ERR_REGISTRY:
	case OCIW_ERR_CANCELLED:
		break;
	}
	return EXIT_OTHER;
}

#endif
