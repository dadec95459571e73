/* SPDX-License-Identifier: Apache-2.0
 *
 * Reproducible tar: ustar, pax only where a name does not fit; uid and gid 0, no names, mtime 0
 * (LYR-3, LYR-4, spin-node.md 3). The caller gives entries in the order they are to have.
 */
#ifndef OCIW_ARCHIVE_TAR_WRITER_H
#define OCIW_ARCHIVE_TAR_WRITER_H

#include "io/stream.h"

typedef struct ociwp_tar_writer ociwp_tar_writer;

/* @p to is borrowed; the caller commits it after finish. */
int ociwp_tar_writer_new(ociw_writer *to, ociwp_tar_writer **out, ociw_error **err);
int ociwp_tar_writer_directory(ociwp_tar_writer *tar, const char *path, uint32_t mode,
                               ociw_error **err);
/* Begins a file of exactly @p size bytes, to be given by data calls. */
int ociwp_tar_writer_file(ociwp_tar_writer *tar, const char *path, uint32_t mode, uint64_t size,
                          ociw_error **err);
int ociwp_tar_writer_data(ociwp_tar_writer *tar, const void *data, size_t len, ociw_error **err);
/* End blocks; frees. OCIW_ERR_SIZE when the last file is short. */
int ociwp_tar_writer_finish(ociwp_tar_writer *take_tar, ociw_error **err);
void ociwp_tar_writer_free(ociwp_tar_writer *tar); /* gives up */
OCIWP_DEFINE_AUTO(tar_writer, ociwp_tar_writer *, ociwp_tar_writer_free)

#endif
