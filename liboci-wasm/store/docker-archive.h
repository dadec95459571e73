/* SPDX-License-Identifier: Apache-2.0
 *
 * The tar of `docker save`: manifest.json names configs and layers by path. It is given manifests
 * of its own, so that it reads like any other end.
 */
#ifndef OCIW_STORE_DOCKER_ARCHIVE_H
#define OCIW_STORE_DOCKER_ARCHIVE_H

#include "store/tar-blobs.h"

/* Fills blobs and index from manifest.json (@p text). UNSUPPORTED for layers that are no tar. */
int ociwp_docker_archive_read(ociwp_tar_blobs *blobs, ociw_span text, const ociw_op *op,
                              ociw_error **err);

#endif
