/* SPDX-License-Identifier: Apache-2.0
 *
 * One tar layer over a tree (specs/extraction.md section 1, rows N, L, M, E, W, S, X).
 */
#ifndef OCIW_OPS_EXTRACT_LAYER_H
#define OCIW_OPS_EXTRACT_LAYER_H

#include "ops/extract-private.h"

struct ociwp_pipe;

/* Applies decoded bytes @p take_tar (taken in any case) and reads them to their end. @p pipe: may
 * take over the finishing of small files; NULL: nobody does. */
int ociwp_extract_layer(ociwp_extraction *x, ociw_reader *take_tar, struct ociwp_pipe *pipe,
			ociw_error **err);

/* Writes the attributes of a file on its handle, in the order that loses none (D4). errno. */
typedef struct ociwp_file_look {
	uint32_t mode;
	uint32_t nanoseconds;
	int64_t seconds;
	bool chown;
	uint32_t uid, gid;
} ociwp_file_look;
int ociwp_extract_file_look(int fd, const ociwp_file_look *look);

#endif
