/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and replacing one file of credentials (CRD-7).
 */
#ifndef OCI_WASM_CREDENTIAL_FILE_H
#define OCI_WASM_CREDENTIAL_FILE_H

#include <oci-wasm/oci-wasm.h>

/* Parses a file; a missing one is OCIW_ERR_NOTFOUND. */
int credential_file_read(const char *path, ociw_docker_config **out, ociw_error **err);
/* Changes a file under a lock: reads it again (a missing one is empty), lets @p change alter it,
 * and replaces it by rename, mode 0600, folder 0700, through a symlink if it is one. @p change
 * returns 0 to leave the file as it is, 1 to write it, < 0 a code. The result is change's. */
int credential_file_change(const char *path,
                           int (*change)(ociw_docker_config *config, void *user_data,
                                         ociw_error **err),
                           void *user_data, ociw_error **err);

#endif
