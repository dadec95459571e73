/* SPDX-License-Identifier: Apache-2.0
 *
 * Compression as streams. Decoders fail closed: gzip trailer (CRC, length) checked for every member,
 * zstd frame checksum checked, truncation and bytes after the end refused (extraction.md F4, F5).
 */
#ifndef OCIW_IO_COMPRESS_H
#define OCIW_IO_COMPRESS_H

#include "io/stream.h"

typedef enum ociwp_compression {
	OCIWP_COMPRESSION_NONE = 0,
	OCIWP_COMPRESSION_GZIP = 1,
	OCIWP_COMPRESSION_ZSTD = 2
} ociwp_compression;

/* By magic bytes; @p len >= 4 where the stream has them (LYR-2: bytes decide). */
ociwp_compression ociwp_compression_sniff(const void *head, size_t len);

typedef struct ociwp_decode_options {
	uint64_t max_ratio;         /* 0: 1000, counted once 64 MiB are out */
	uint64_t max_bytes;         /* of output; 0: no cap here */
	uint64_t max_zstd_window;   /* 0: 128 MiB */
	bool *truncated;            /* not NULL: a gzip stream without its end is no error but sets
				     * this (Spin bundles, spin.md 3.3); bytes so far are given */
} ociwp_decode_options;

/* Decoding readers; the inner one is taken in any case, and read to its own end before the end is
 * given (so that a verifying inner reader has its say). */
int ociwp_reader_gunzip(ociw_reader *take_inner, const ociwp_decode_options *options,
			ociw_reader **out, ociw_error **err);
int ociwp_reader_unzstd(ociw_reader *take_inner, const ociwp_decode_options *options,
			ociw_reader **out, ociw_error **err);
/* Sniffs and decodes one level; *found says what it was. */
int ociwp_reader_decode(ociw_reader *take_inner, const ociwp_decode_options *options,
			ociwp_compression *found, ociw_reader **out, ociw_error **err);

/* Whole-buffer gzip, one member, mtime 0, OS 255, no name; libdeflate level 6 (zlib 6 without it).
 * Input at most 64 MiB. @p out is appended to. Same bytes for the same build and input. */
struct ociwp_buf;
int ociwp_gzip_bytes(const void *data, size_t len, struct ociwp_buf *out, ociw_error **err);
/* Streaming gzip writer, one member, same header: pieces of 512 KiB, deflated as io/deflate-block.h
 * says: faster than the above at nearly its size. */
int ociwp_writer_gzip(ociw_writer *take_inner, ociw_writer **out, ociw_error **err);
/* The same bytes, deflated by up to @p threads (at most 4) beside the caller, who alone writes to the
 * inner writer. Needs some 2 MiB for each. */
int ociwp_writer_gzip_threads(ociw_writer *take_inner, size_t threads, ociw_writer **out,
			      ociw_error **err);
/* What one writer needs, for several of them, one after the other. */
typedef struct ociwp_gzip_memory ociwp_gzip_memory;
int ociwp_gzip_memory_new(ociwp_gzip_memory **out, ociw_error **err);
void ociwp_gzip_memory_free(ociwp_gzip_memory *memory);
/* The same bytes, deflated by the caller; @p lent must outlive the writer and serve no other. */
int ociwp_writer_gzip_lent(ociw_writer *take_inner, ociwp_gzip_memory *lent, ociw_writer **out,
			   ociw_error **err);

#endif
