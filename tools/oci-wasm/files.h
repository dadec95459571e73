/* SPDX-License-Identifier: Apache-2.0
 *
 * Small files that commands read whole, and blobs they write out.
 */
#ifndef OCI_WASM_FILES_H
#define OCI_WASM_FILES_H

#include "tool.h"

/* Reads a file ("-": standard input) of at most @p max bytes; 0 or an exit status that was told. */
int read_file(struct tool *tool, const char *path, uint64_t max, char **out, size_t *out_len);
/* Copies a stream to standard output or to a new file; the reader is closed, whose verdict counts. A
 * file appears only when all of it was right. */
int write_stream(struct tool *tool, ociw_reader *take_reader, const char *path);
/* Standard input as a reader that signals interrupt. */
int open_input(struct tool *tool, ociw_reader **out, ociw_error **err);

#endif
