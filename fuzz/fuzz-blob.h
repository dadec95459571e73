/* SPDX-License-Identifier: Apache-2.0
 *
 * What is handed on as a blob has the size and digest of its descriptor (DIG-7).
 */
#ifndef OCIW_FUZZ_BLOB_H
#define OCIW_FUZZ_BLOB_H

#include "fuzz-assert.h"
#include "oci/descriptor.h"

#include <oci-wasm/digest.h>
#include <string.h>

static void fuzz_check_blob(const ociw_descriptor *desc, ociw_span bytes)
{
	ociw_digest digest;
	char text[OCIW_DIGEST_TEXT_MAX];
	FUZZ_ASSERT(bytes.len == desc->size);
	if (strncmp(desc->digest, "sha256:", 7) != 0)
		return;
	FUZZ_ASSERT(ociw_digest_bytes(OCIW_DIGEST_SHA256, bytes, &digest, NULL) == 0);
	FUZZ_ASSERT(strcmp(ociw_digest_format(&digest, text), desc->digest) == 0);
}

#endif
