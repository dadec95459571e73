/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs docker-credential-NAME without a shell, with a time limit and a cap on its output (CRD-5).
 */
#ifndef OCI_WASM_CREDENTIAL_HELPER_H
#define OCI_WASM_CREDENTIAL_HELPER_H

#include <oci-wasm/oci-wasm.h>

/* What became of a run. */
enum helper_result {
	HELPER_OK,      /* exit 0 */
	HELPER_FAILED,  /* exit not 0; the output is its message */
	HELPER_MISSING, /* there is no such program */
	HELPER_BROKEN   /* could not be run, timed out, or said too much; errno says why */
};

/* @p input goes to stdin; *out is stdout with a NUL behind, to be wiped and freed. */
enum helper_result helper_run(const char *name, const char *verb, const char *input, char **out,
                              size_t *out_len);

#endif
